/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Runs a fuzz target over files instead of libFuzzer's inputs, so that `make check` replays every corpus with
 * any compiler.  Without arguments a program replay_SUBJECT takes $srcdir/tests/fuzz/corpus/SUBJECT; with
 * arguments it takes those files and directories (a crash that the fuzzer found, for gdb).  No input at all
 * is a failure.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/check.h"

#define INPUT_MAX (1u << 20)

static uint8_t room[INPUT_MAX];

/* 1, or -1 with a message. */
static int replay_file(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(room, 1, sizeof(room), f) : 0;
	uint8_t *data = malloc(n ? n : 1); /* exact, so that a sanitizer sees an overrun */
	bool ok = f && data && !ferror(f);

	if (ok) {
		memcpy(data, room, n);
		LLVMFuzzerTestOneInput(data, n);
	} else {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	}
	free(data);
	if (f)
		fclose(f);
	return ok ? 1 : -1;
}

/* How many inputs ran, or -1. */
static int replay_dir(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort), ran = 0;

	for (int i = 0; i < n; i++) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.')
			ran += replay_file(file) == 1;
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return n < 0 ? -1 : ran;
}

static int replay(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? replay_file(path) : replay_dir(path);
}

static int replay_all(char **paths, int n)
{
	int total = 0;

	for (int i = 0; i < n; i++) {
		int ran = replay(paths[i]);

		if (ran < 1) {
			fprintf(stderr, "%s: no input\n", paths[i]);
			return EXIT_FAILURE;
		}
		total += ran;
	}
	printf("%d inputs replayed\n", total);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir"), *subject = strstr(argv[0], "replay_");
	char path[4096], *corpus[] = {path};

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
		 subject ? subject + 7 : "");
	return argc > 1 ? replay_all(argv + 1, argc - 1) : replay_all(corpus, 1);
}
