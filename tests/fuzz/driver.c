/* driver.c -- feeds files, and the files of folders, to a fuzz target: the corpus as a test. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t fed;

static int feed_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	if (!f || fstat(fileno(f), &st) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		if (f)
			fclose(f);
		return 1;
	}
	/* Exactly as long as the file, so that a sanitizer sees one byte too many. */
	const size_t n = (size_t)st.st_size;
	uint8_t *data = malloc(n ? n : 1);
	int failed = !data || fread(data, 1, n, f) != n;
	fclose(f);
	if (failed)
		fprintf(stderr, "%s: cannot be read\n", path);
	else
		LLVMFuzzerTestOneInput(data, n);
	free(data);
	fed++;
	return failed;
}

static int feed(const char *path)
{
	DIR *dir = opendir(path);
	if (!dir)
		return feed_file(path);
	int failed = 0;
	for (struct dirent *d; (d = readdir(dir)) != NULL;) {
		char file[4096];
		if (d->d_name[0] == '.')
			continue;
		int n = snprintf(file, sizeof file, "%s/%s", path, d->d_name);
		failed |= n >= (int)sizeof file || feed_file(file);
	}
	closedir(dir);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = 0;
	for (int i = 1; i < argc; i++)
		failed |= feed(argv[i]);
	printf("%zu inputs\n", fed);
	if (fed == 0)
		fprintf(stderr, "%s: no inputs; give files or folders\n", argv[0]);
	return failed || fed == 0;
}
