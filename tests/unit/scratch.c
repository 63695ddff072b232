/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATHS_MAX 16 /* as the header promises */
#define PATH_SIZE 512

char scratch_folder[SCRATCH_FOLDER_MAX];

void
scratch_open(void)
{
	(void)snprintf(
	    scratch_folder, sizeof(scratch_folder), "/tmp/egressd-test-XXXXXX");
	assert_non_null(mkdtemp(scratch_folder));
}

static int
scratch_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void
scratch_close(void)
{
	assert_int_equal(
	    nftw(scratch_folder, scratch_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

const char *
scratch_path(const char *name)
{
	static char paths[PATHS_MAX][PATH_SIZE];
	static unsigned next;
	char *path = paths[next++ % PATHS_MAX];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", scratch_folder, name);
	return path;
}

const char *
scratch_file(const char *name, const char *text)
{
	const char *path = scratch_path(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, 0644), 0); /* whatever the umask */
	assert_int_equal(close(fd), 0);
	return path;
}

const char *
scratch_mkdir(const char *name)
{
	const char *path = scratch_path(name);

	assert_int_equal(mkdir(path, 0755), 0);
	return path;
}

void
scratch_link(const char *target, const char *name)
{
	assert_int_equal(symlink(target, scratch_path(name)), 0);
}
