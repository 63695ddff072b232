/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loader/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where a mounted ConfigMap keeps its current version. */
#define DATA_LINK "..data"
/* No limit of its own: as many names as there may be files. */
#define NAMES_MAX SIZE_MAX

static bool
name_is_manifest(const char *name)
{
	static const char *const endings[] = {".yaml", ".yml", ".json"};
	size_t len = strlen(name);

	if (name[0] == '.')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(endings); i++)
		if (len > strlen(endings[i]) &&
		    strcmp(name + len - strlen(endings[i]), endings[i]) == 0)
			return true;
	return false;
}

static int
add_file(struct folder *f, const char *name, size_t max, size_t *size)
{
	struct folder_file *files;

	if (f->count == max)
		return -E2BIG;
	if (f->count == *size) {
		*size = *size != 0 ? *size * 2 : 16;
		files = reallocarray(f->files, *size, sizeof(*files));
		if (files == NULL)
			return -ENOMEM;
		f->files = files;
	}
	f->files[f->count] =
	    (struct folder_file){.name = arena_text(f->names, name, strlen(name))};
	if (f->files[f->count].name == NULL)
		return -ENOMEM;
	f->count++;
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	const struct folder_file *fa = a, *fb = b;

	return strcmp(fa->name, fb->name);
}

/* Tell fn of each manifest's name until it returns other than 0, which is returned. */
static int
each_name(int folder_fd, int (*fn)(void *ctx, const char *name), void *ctx)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int r = 0;

	if (dir == NULL) {
		r = -errno;
		if (fd >= 0)
			(void)close(fd); /* fdopendir did not take it */
		return r;
	}
	while (r == 0) {
		errno = 0;
		entry = readdir(dir);
		if (entry == NULL) {
			r = -errno;
			break;
		}
		if (name_is_manifest(entry->d_name))
			r = fn(ctx, entry->d_name);
	}
	(void)closedir(dir); /* read only */
	return r;
}

struct listing {
	struct folder *folder;
	size_t size, max;
};

static int
list(void *ctx, const char *name)
{
	struct listing *l = ctx;

	return add_file(l->folder, name, l->max, &l->size);
}

static int
list_files(struct folder *f, size_t max)
{
	struct listing l = {.folder = f, .max = max};
	int r = each_name(f->fd, list, &l);

	if (r == 0 && f->count > 0)
		qsort(f->files, f->count, sizeof(*f->files), compare_names);
	return r;
}

static void
find_data(struct folder *f)
{
	ssize_t len = readlinkat(f->fd, DATA_LINK, f->data, sizeof(f->data) - 1);

	f->data[len > 0 ? len : 0] = '\0';
}

/* The folder itself, none of its files. */
static int
identify(struct folder *f, const char *path)
{
	struct stat st;

	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return -errno;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	/* Before the files: a swap between the two shows up in folder_is_unchanged. */
	find_data(f);
	return 0;
}

static int
fill(struct folder *f, const char *path, size_t max)
{
	int r;

	f->path = strdup(path);
	f->names = arena_new(NAMES_MAX);
	if (f->path == NULL || f->names == NULL)
		return -ENOMEM;
	r = identify(f, path);
	return r == 0 ? list_files(f, max) : r;
}

int
folder_open(const char *path, size_t max, struct folder *ret_folder)
{
	struct folder f = {.fd = -1};
	int r = fill(&f, path, max);

	if (r < 0) {
		folder_done(&f);
		return r;
	}
	*ret_folder = f;
	return 0;
}

void
folder_done(struct folder *f)
{
	arena_free(f->names);
	free(f->files);
	if (f->fd >= 0)
		(void)close(f->fd); /* read only */
	free(f->path);
	*f = (struct folder){.fd = -1};
}

int
folder_read(struct folder *f, size_t i, size_t max, char **ret_text, size_t *ret_len)
{
	static const unsigned flags = FILE_BENEATH | FILE_ASKED_LATER;
	struct folder_file *file = &f->files[i];
	int r = file_read(f->fd, file->name, flags, max, &file->id, ret_text, ret_len);

	if (r == 0 || r == -ENOMEM)
		return r;
	/* what is said of it is to be said of what was there */
	file->id = file_identify(f->fd, file->name);
	return file_read(f->fd, file->name, flags, max, &file->id, ret_text, ret_len);
}

struct comparison {
	const struct folder *before, *now;
	bool *seen; /* of before's files; a folder that changes may list one twice */
	size_t count;
};

/* 0 when the file is one of those that were there, and as it was. */
static int
compare(void *ctx, const char *name)
{
	struct comparison *c = ctx;
	const struct folder_file key = {.name = name};
	const struct folder *before = c->before;
	const struct folder_file *file = NULL;
	struct file_identity id;

	if (before->count > 0)
		file = bsearch(
		    &key, before->files, before->count, sizeof(*file), compare_names);
	if (file == NULL)
		return -ESTALE;
	id = file_identify(c->now->fd, name);
	c->count += !c->seen[file - before->files];
	c->seen[file - before->files] = true;
	return file_same(&id, &file->id) ? 0 : -ESTALE;
}

static bool
files_are_unchanged(const struct folder *before, const struct folder *now)
{
	struct comparison c = {.before = before,
	    .now = now,
	    .seen = calloc(before->count + 1, sizeof(*c.seen))};
	bool same = c.seen != NULL && each_name(now->fd, compare, &c) == 0 &&
		    c.count == before->count;

	free(c.seen);
	return same;
}

bool
folder_is_unchanged(const struct folder *f)
{
	struct folder now = {.fd = -1};
	bool same = identify(&now, f->path) == 0 && now.dev == f->dev &&
		    now.ino == f->ino && strcmp(now.data, f->data) == 0 &&
		    files_are_unchanged(f, &now);

	folder_done(&now);
	return same;
}
