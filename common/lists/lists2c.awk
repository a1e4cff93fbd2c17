# lists2c.awk -- each list, sorted codes of one width, one a line, becomes a C string without ends of lines, and its length.
FNR == 1 {
	if (NR > 1)
		print ";"
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.txt$/, "", name)
	printf "extern const char list_%s[];\nconst char list_%s[] =", name, name
}
/^#/ { next }
{ printf "\n\t\"%s\"", $0 }
END { print ";" }
