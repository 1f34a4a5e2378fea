/* fuzz/replay.c -- runs a fuzz target once over each file of the directories named on the command line.
 *
 * So a corpus is a regression test that needs no libFuzzer.  Each input is a heap block of exactly
 * its size, for the sanitizer to see the first octet read past its end.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Few targets have one. */
[[gnu::weak]] int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { PATH_ROOM = 4096 };

static int
replay_file(const char *path)
{
	struct stat st;
	FILE *f = fopen(path, "rb");
	if (f == NULL || fstat(fileno(f), &st) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		if (f != NULL) {
			(void)fclose(f);
		}
		return -1;
	}
	size_t size = (size_t)st.st_size;
	uint8_t *data = malloc(size > 0 ? size : 1);
	size_t got = data != NULL ? fread(data, 1, size, f) : 0;
	(void)fclose(f);
	if (data == NULL || got != size) {
		fprintf(stderr, "%s: cannot be read\n", path);
		free(data);
		return -1;
	}
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

/* Returns how many files it ran, or -1. */
static int
replay_directory(const char *path)
{
	DIR *dir = opendir(path);
	if (dir == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	int n = 0;
	for (struct dirent *e; n >= 0 && (e = readdir(dir)) != NULL;) {
		char file[PATH_ROOM];
		if (e->d_name[0] == '.') {
			continue;
		}
		int len = snprintf(file, sizeof file, "%s/%s", path, e->d_name);
		n = len > 0 && (size_t)len < sizeof file && replay_file(file) == 0 ? n + 1 : -1;
	}
	(void)closedir(dir);
	return n;
}

int
main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize != NULL && LLVMFuzzerInitialize(&argc, &argv) != 0) {
		return EXIT_FAILURE;
	}
	for (int i = 1; i < argc; i++) {
		int n = replay_directory(argv[i]);
		if (n <= 0) {
			fprintf(stderr, "%s: no input could be run\n", argv[i]);
			return EXIT_FAILURE;
		}
		printf("%s: %d inputs\n", argv[i], n);
	}
	return EXIT_SUCCESS;
}
