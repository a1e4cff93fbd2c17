# lists2c.awk -- each list, sorted codes of one width, one a line, becomes a C string without ends of lines, and its length.
BEGIN { print "#include <stddef.h>" }
FNR == 1 {
	if (NR > 1)
		end()
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.txt$/, "", name)
	printf "extern const char list_%s[];\nconst char list_%s[] =", name, name
}
/^#/ { next }
{ printf "\n\t\"%s\"", $0 }
END { end() }

function end() {
	printf ";\nextern const size_t list_%s_size;\nconst size_t list_%s_size = sizeof list_%s - 1;\n", name, name, name
}
