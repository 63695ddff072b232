/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of manifests: its files in the order of their names, and the means to tell
 * later whether it still is what was read.
 *
 * A mounted ConfigMap is a folder of links "x.yaml -> ..data/x.yaml" with "..data" a link
 * to a folder that is made anew for each version and swapped in by one rename(2). Files
 * read before and after a swap are of two versions: ask folder_is_unchanged at the end,
 * and start over if it is not.
 */
#ifndef DAEMON_LOADER_FOLDER_H
#define DAEMON_LOADER_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/macros.h"
#include "daemon/config/file.h"

struct folder_file {
	const char *name;        /* in the folder's arena */
	struct file_identity id; /* of what it led to when it was read */
};

/* The owner calls folder_done. */
struct folder {
	char *path;
	int fd; /* -1 once done */
	dev_t dev;
	ino_t ino;
	char data[NAME_MAX + 1]; /* where "..data" leads to, "" without one */
	struct arena *names;
	size_t count;
	struct folder_file *files;
};

/*
 * List path: names that end in .yaml, .yml or .json and do not begin with a dot.
 * -ENOENT, -ENOTDIR and others from the kernel; -E2BIG when there are more than max
 * files; -ENOMEM.
 */
MUST_CHECK int folder_open(const char *path, size_t max, struct folder *ret_folder);
void folder_done(struct folder *f);

/* file_read of the i-th file, of at most max bytes, but for -ESTALE: that a file changes
 * shows in folder_is_unchanged. Several threads may read files of one folder at a time,
 * each another one. */
MUST_CHECK int folder_read(
    struct folder *f, size_t i, size_t max, char **ret_text, size_t *ret_len);

/* Does the path still lead to the same folder, with the same files in it, each as it was
 * when folder_read read it? All of them must have been. False also when that cannot be
 * told. */
bool folder_is_unchanged(const struct folder *f);

#endif
