# sql2c.awk -- turns .sql files into one C file: an array of { name, text } rows, in the order of the arguments.
# The array is called sql_files and ends with a row of NULLs.  Declared in server/pg/sql.h and client/lib/sql.h.
function finish() {
	if (open)
		print "\t  \"\" },"
	open = 0
}
BEGIN {
	print "/* Generated from .sql files by sql2c.awk: edit those. */"
	print "#include <stddef.h>"
	print "struct sql_file { const char *name, *text; };"
	print "extern const struct sql_file sql_files[];"
	print "const struct sql_file sql_files[] = {"
}
FNR == 1 {
	finish()
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.sql$/, "", name)
	printf "\t{ \"%s\",\n", name
	open = 1
}
{
	line = $0
	gsub(/\\/, "\\\\", line)
	gsub(/"/, "\\\"", line)
	printf "\t  \"%s\\n\"\n", line
}
END {
	finish()
	print "\t{ NULL, NULL }"
	print "};"
}
