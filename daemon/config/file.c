/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct file_identity
identity(const struct stat *st)
{
	return (struct file_identity){
	    .dev = st->st_dev,
	    .ino = st->st_ino,
	    .mode = st->st_mode,
	    .uid = st->st_uid,
	    .gid = st->st_gid,
	    .size = st->st_size,
	    .mtime = st->st_mtim,
	    .ctime = st->st_ctim,
	};
}

struct file_identity
file_identify(int dir, const char *path)
{
	struct stat st;

	if (fstatat(dir, path, &st, 0) < 0)
		return (struct file_identity){0};
	return identity(&st);
}

bool
file_same(const struct file_identity *a, const struct file_identity *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->mode == b->mode &&
	       a->uid == b->uid && a->gid == b->gid && a->size == b->size &&
	       a->mtime.tv_sec == b->mtime.tv_sec &&
	       a->mtime.tv_nsec == b->mtime.tv_nsec &&
	       a->ctime.tv_sec == b->ctime.tv_sec && a->ctime.tv_nsec == b->ctime.tv_nsec;
}

bool
file_is_group_writable(const struct file_identity *id)
{
	return (id->mode & S_IWGRP) != 0 && id->gid != 0;
}

/* O_NONBLOCK: a FIFO opens at once; O_NOCTTY: a terminal does not become ours. */
#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static int
fd_path(int fd, char path[PATH_MAX], size_t *ret_len)
{
	char link[sizeof("/proc/self/fd/-2147483648")];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd); /* fits */
	len = readlink(link, path, PATH_MAX);
	if (len < 0)
		return -errno;
	if (len == PATH_MAX)
		return -ENAMETOOLONG;
	*ret_len = (size_t)len;
	return 0;
}

/*
 * What was opened is asked where it lies: no race, since it is the open file that is
 * asked. openat2(2) could refuse earlier, but systemd's RestrictSUIDSGID= takes it away.
 */
static int
follow_beneath(int dir, const char *path)
{
	char above[PATH_MAX], own[PATH_MAX];
	size_t above_len, own_len;
	int fd = openat(dir, path, OPEN_FLAGS);
	int r;

	if (fd < 0)
		return -1;
	r = fd_path(dir, above, &above_len);
	if (r == 0)
		r = fd_path(fd, own, &own_len);
	if (r == 0 && (own_len <= above_len || memcmp(own, above, above_len) != 0 ||
			  own[above_len] != '/'))
		r = -EXDEV;
	if (r == 0)
		return fd;
	(void)close(fd); /* nothing was read from it */
	errno = -r;
	return -1;
}

/* What stands in the folder itself and is no link need not be asked where it lies. */
static int
open_beneath(int dir, const char *path)
{
	int fd;

	if (strchr(path, '/') != NULL || strcmp(path, "..") == 0)
		return follow_beneath(dir, path);
	fd = openat(dir, path, OPEN_FLAGS | O_NOFOLLOW);
	return fd < 0 && errno == ELOOP ? follow_beneath(dir, path) : fd;
}

static int
open_safely(int dir, const char *path, unsigned flags, int *ret_fd)
{
	int fd;

	do {
		fd = (flags & FILE_BENEATH) != 0 ? open_beneath(dir, path)
						 : openat(dir, path, OPEN_FLAGS);
	} while (fd < 0 && errno == EINTR);
	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	/* ENXIO: a socket, or a device without a driver. */
	return errno == ENXIO ? -ENODEV : -errno;
}

static int
check_stat(const struct stat *st, unsigned flags, size_t max)
{
	bool ours = st->st_uid == 0 || st->st_uid == geteuid();

	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (!S_ISREG(st->st_mode))
		return -ENODEV;
	if ((st->st_mode & S_IWOTH) != 0 || (!ours && (flags & FILE_ANY_OWNER) == 0))
		return -EPERM;
	return (uintmax_t)st->st_size > max ? -EFBIG : 0;
}

/* Exactly size bytes must be there, and then the end: each call asks for one byte more,
 * which would have come along. */
static int
read_whole(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, text + len, size + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	} while (len < size);
	return len == size ? 0 : -ESTALE;
}

static bool
still_is(int fd, const struct file_identity *id)
{
	struct file_identity now;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	now = identity(&st);
	return file_same(id, &now);
}

static int
read_open(int fd, unsigned flags, size_t max, struct file_identity *ret_id,
    char **ret_text, size_t *ret_len)
{
	struct stat st;
	struct file_identity id;
	char *text;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	r = check_stat(&st, flags, max);
	if (r < 0)
		return r;
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL)
		return -ENOMEM;
	id = identity(&st);
	r = read_whole(fd, text, (size_t)st.st_size);
	if (r == 0 && (flags & FILE_ASKED_LATER) == 0 && !still_is(fd, &id))
		r = -ESTALE;
	if (r < 0) {
		free(text);
		return r;
	}
	text[st.st_size] = '\0';
	*ret_id = id;
	*ret_text = text;
	*ret_len = (size_t)st.st_size;
	return 0;
}

int
file_read(int dir, const char *path, unsigned flags, size_t max,
    struct file_identity *ret_id, char **ret_text, size_t *ret_len)
{
	int fd = -1;
	int r;

	r = open_safely(dir, path, flags, &fd);
	if (r < 0)
		return r;
	r = read_open(fd, flags, max, ret_id, ret_text, ret_len);
	(void)close(fd); /* read only: nothing can be lost */
	return r;
}

const char *
file_reason(int result)
{
	switch (-result) {
	case ENOENT:
		return "does not exist, or is a link to nothing";
	case EACCES:
		return "may not be read by this user";
	case ELOOP:
		return "is a link that leads to itself, or through too many links";
	case EXDEV:
		return "is a link that leads out of its folder: copy the file, or name "
		       "the folder where it is";
	case EISDIR:
		return "is a folder: a file is wanted here";
	case ENODEV:
		return "is no regular file";
	case EPERM:
		return "could be changed by others: it must belong to root or to this "
		       "user and not be writable by everybody";
	case EFBIG:
		return "is too large";
	case ESTALE:
		return "changed while it was read";
	default:
		return strerror(-result);
	}
}
