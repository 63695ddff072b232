/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the inputs that earlier fuzzing found worth keeping through a fuzz target, without
 * a fuzzer: every file of the folders named as arguments, in the order of their names.
 *
 * The most CPU time that one input took is printed at the end: what a packet may cost is
 * for people to judge, as machines differ.
 *
 * Each input lies in memory of exactly its size, so that a sanitizer sees a read behind
 * it. The name of the file is printed before its run: a crash is the last one's.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define INPUT_MAX (1024 * 1024) /* a larger one was not meant for a corpus */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
input_read(const char *path, uint8_t **ret_data, size_t *ret_size)
{
	FILE *file = fopen(path, "rbe");
	struct stat st;
	uint8_t *data = NULL;
	size_t size;

	if (file == NULL)
		return -1;
	if (fstat(fileno(file), &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > INPUT_MAX)
		goto fail;
	size = (size_t)st.st_size;
	data = malloc(size);
	if ((data == NULL && size > 0) || fread(data, 1, size, file) != size)
		goto fail;
	(void)fclose(file); /* only read */
	*ret_data = data;
	*ret_size = size;
	return 0;
fail:
	free(data);
	(void)fclose(file); /* only read */
	return -1;
}

static int64_t
cpu_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) < 0)
		return 0;
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
input_run(const char *path, int64_t *most_ns)
{
	uint8_t *data;
	size_t size;
	int64_t began_ns, took_ns;

	(void)fprintf(stderr, "%s\n", path); /* for people */
	if (input_read(path, &data, &size) < 0) {
		perror(path);
		return -1;
	}
	began_ns = cpu_ns();
	(void)LLVMFuzzerTestOneInput(data, size); /* 0 by libFuzzer's contract */
	took_ns = cpu_ns() - began_ns;
	if (took_ns > *most_ns)
		*most_ns = took_ns;
	free(data);
	return 0;
}

static int
visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Returns how many inputs ran, or -1. */
static int
folder_run(const char *folder, int64_t *most_ns)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int count = scandir(folder, &entries, visible, alphasort);
	int r = count;

	if (count < 0) {
		perror(folder);
		return -1;
	}
	for (int i = 0; i < count; i++) {
		int len =
		    snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);

		if (len < 0 || (size_t)len >= sizeof(path) ||
		    input_run(path, most_ns) < 0)
			r = -1;
		free(entries[i]);
	}
	free(entries);
	return r;
}

int
main(int argc, char **argv)
{
	int64_t most_ns = 0;
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int count = folder_run(argv[i], &most_ns);

		if (count < 0)
			return 1;
		total += count;
	}
	printf("%d inputs, the dearest %lld us\n", total, (long long)(most_ns / 1000));
	return total > 0 ? 0 : 1;
}
