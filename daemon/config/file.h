/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that people put in our way: opened so that nothing in their place can make us
 * wait or mislead us, and read whole.
 *
 * Only regular files are read, that are owned by root or by our own user and that not
 * everybody may write to. Whatever else stands there is refused with a reason.
 */
#ifndef DAEMON_CONFIG_FILE_H
#define DAEMON_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include "base/macros.h"

/* What changes when a file is changed or replaced. All zero: no file. */
struct file_identity {
	dev_t dev;
	ino_t ino;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	off_t size;
	struct timespec mtime, ctime;
};

enum file_flag {
	FILE_BENEATH = 1,     /* path and all links on it must stay below the folder */
	FILE_ANY_OWNER = 2,   /* some service's file: systemd-resolved's resolv.conf */
	FILE_ASKED_LATER = 4, /* the caller compares ret_id with what is there later: that
				 it changes while it is read need not be told here */
};

/* Of what path (relative to dir, a descriptor or AT_FDCWD) leads to; all zero when that
 * cannot be told. */
struct file_identity file_identify(int dir, const char *path);
bool file_same(const struct file_identity *a, const struct file_identity *b);
/* May a group other than root's write to it? */
bool file_is_group_writable(const struct file_identity *id);

/*
 * Read all of the file at path below dir; flags are of enum file_flag. ret_text is the
 * caller's to free and has a NUL behind its len bytes. The errors, for which file_reason
 * has a text: -ENOENT, -EACCES, -ELOOP, -EXDEV (leads out of its folder), -EISDIR,
 * -ENODEV (neither a regular file nor a folder), -EPERM (others may write to it), -EFBIG
 * (above max), -ESTALE (it changed meanwhile); others from the kernel.
 */
MUST_CHECK int file_read(int dir, const char *path, unsigned flags, size_t max,
    struct file_identity *ret_id, char **ret_text, size_t *ret_len);
/* What is wrong and what to do, for a negative result of file_read. */
const char *file_reason(int result);

#endif
