/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder for one test: made by mkdtemp, emptied and removed behind it. Its paths are
 * valid until the next scratch_open.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define SCRATCH_PATHS 16

static char scratch_folder[64];

static inline void
scratch_open(void)
{
	(void)snprintf(
	    scratch_folder, sizeof(scratch_folder), "/tmp/egressd-test-XXXXXX");
	assert_non_null(mkdtemp(scratch_folder));
}

static inline int
scratch_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void
scratch_close(void)
{
	assert_int_equal(
	    nftw(scratch_folder, scratch_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* The path of a name in the folder; the last SCRATCH_PATHS of them stay valid. */
static inline const char *
scratch_path(const char *name)
{
	static char paths[SCRATCH_PATHS][512];
	static unsigned next;
	char *path = paths[next++ % SCRATCH_PATHS];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", scratch_folder, name);
	return path;
}

/* Write a file and return its path. */
static inline const char *
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

static inline const char *
scratch_mkdir(const char *name)
{
	const char *path = scratch_path(name);

	assert_int_equal(mkdir(path, 0755), 0);
	return path;
}

static inline void
scratch_link(const char *target, const char *name)
{
	assert_int_equal(symlink(target, scratch_path(name)), 0);
}

#endif
