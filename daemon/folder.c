/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where a mounted ConfigMap keeps its current version. */
#define DATA_LINK "..data"

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
	f->files[f->count].name = strdup(name);
	if (f->files[f->count].name == NULL)
		return -ENOMEM;
	f->files[f->count].id = (struct file_identity){0};
	f->count++;
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	const struct folder_file *fa = a, *fb = b;

	return strcmp(fa->name, fb->name);
}

static int
list_files(struct folder *f, size_t max)
{
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	size_t size = 0;
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
			r = add_file(f, entry->d_name, max, &size);
	}
	(void)closedir(dir); /* read only */
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

static int
fill(struct folder *f, const char *path, size_t max)
{
	struct stat st;

	f->path = strdup(path);
	if (f->path == NULL)
		return -ENOMEM;
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return -errno;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	/* Before the files: a swap between the two shows up in folder_is_unchanged. */
	find_data(f);
	return list_files(f, max);
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
	for (size_t i = 0; i < f->count; i++)
		free(f->files[i].name);
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

static bool
is_unchanged(const struct folder *now, const struct folder_file *file)
{
	struct file_identity id = file_identify(now->fd, file->name);

	return file_same(&id, &file->id);
}

bool
folder_is_unchanged(const struct folder *f)
{
	struct folder now;
	bool same;

	if (folder_open(f->path, f->count, &now) < 0)
		return false;
	same = now.dev == f->dev && now.ino == f->ino && now.count == f->count &&
	       strcmp(now.data, f->data) == 0;
	for (size_t i = 0; same && i < f->count; i++)
		same = strcmp(now.files[i].name, f->files[i].name) == 0 &&
		       is_unchanged(&now, &f->files[i]);
	folder_done(&now);
	return same;
}
