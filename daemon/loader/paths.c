/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loader/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "daemon/config/file.h"
#include "daemon/loader/folder.h"
#include "daemon/loader/intake.h"

#define CHUNK_SIZE ((size_t)64 * 1024)

struct reading {
	struct intake intake;
	struct findings *findings;
	size_t file_count;
	bool stdin_read;
};

/* A file that lies at name below dir, and is called path. */
static int
add_file(struct reading *r, int dir, const char *name, const char *path)
{
	struct file_identity id;
	char *text;
	size_t len;
	int result;

	result = file_read(dir, name, FILE_ANY_OWNER, LOADER_FILE_MAX, &id, &text, &len);
	if (result == -ENOMEM)
		return result;
	if (result < 0)
		return intake_lose(&r->intake, path, result);
	result = intake_add(&r->intake, path, text, len);
	free(text);
	return result;
}

static int
add_folder_file(struct reading *r, const struct folder *folder, const char *name)
{
	size_t len = strlen(folder->path);
	const char *between = len > 0 && folder->path[len - 1] == '/' ? "" : "/";
	char *path;
	int result;

	if (!intake_name_is_good(name))
		return intake_lose_name(&r->intake, folder->path, name);
	if (asprintf(&path, "%s%s%s", folder->path, between, name) < 0)
		return -ENOMEM;
	result = add_file(r, folder->fd, name, path);
	free(path);
	return result;
}

static void
complain_folder(struct reading *r, const char *path, int result)
{
	if (result == -E2BIG)
		findings_add(r->findings, FINDING_ERROR, path, 0, 0,
		    "more than %d manifests: check them in parts", LOADER_FILES_MAX);
	else
		findings_add(r->findings, FINDING_ERROR, path, 0, 0,
		    "the folder cannot be read: %s", strerror(-result));
}

static int
add_folder(struct reading *r, const char *path)
{
	struct folder folder;
	int result = folder_open(path, LOADER_FILES_MAX - r->file_count, &folder);

	if (result == -ENOMEM)
		return result;
	if (result < 0) {
		complain_folder(r, path, result);
		return 0;
	}
	if (folder.count == 0)
		findings_add(r->findings, FINDING_WARNING, path, 0, 0,
		    "no manifest in this folder: *.yaml, *.yml and *.json are read, not "
		    "those in folders below");
	r->file_count += folder.count;
	for (size_t i = 0; i < folder.count && result == 0; i++)
		result = add_folder_file(r, &folder, folder.files[i].name);
	folder_done(&folder);
	return result;
}

/* All there is; -EFBIG above the limit of a file. */
static int
read_stdin(struct buf *text)
{
	char chunk[CHUNK_SIZE];
	ssize_t n;

	for (;;) {
		n = read(STDIN_FILENO, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		if (text->len + (size_t)n > LOADER_FILE_MAX)
			return -EFBIG;
		buf_append(text, chunk, (size_t)n);
		if (text->failed)
			return -ENOMEM;
	}
}

static int
add_stdin(struct reading *r)
{
	struct buf text;
	int result;

	if (r->stdin_read) {
		findings_add(r->findings, FINDING_ERROR, PATHS_STDIN_NAME, 0, 0,
		    "standard input is named twice: it can be read once");
		return 0;
	}
	r->stdin_read = true;
	buf_init(&text, (size_t)LOADER_FILE_MAX + 1); /* and a NUL */
	result = read_stdin(&text);
	if (result == 0)
		result = intake_add(&r->intake, PATHS_STDIN_NAME,
		    text.len > 0 ? text.bytes : "", text.len);
	else if (result != -ENOMEM)
		result = intake_lose(&r->intake, PATHS_STDIN_NAME, result);
	buf_done(&text);
	return result;
}

static int
add_path(struct reading *r, const char *path)
{
	struct stat st;

	if (strcmp(path, PATHS_STDIN) == 0)
		return add_stdin(r);
	if (!intake_name_is_good(path))
		return intake_lose_name(&r->intake, "PATH", path);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_folder(r, path);
	if (r->file_count >= LOADER_FILES_MAX) {
		complain_folder(r, path, -E2BIG);
		return 0;
	}
	r->file_count++;
	return add_file(r, AT_FDCWD, path, path);
}

static int
read_config(const char *path, struct findings *findings, struct config **ret_config)
{
	int result = -EINVAL;

	if (path != NULL)
		result = config_read(path, LOADER_RESOLV_CONF, findings, ret_config);
	if (result != -EINVAL)
		return result;
	/* whatever is wrong with it, the manifests have their own faults to tell */
	result = config_defaults(ret_config);
	if (result == 0) {
		(*ret_config)->mesh.has_outbound = true;
		(*ret_config)->mesh.outbound = OUTBOUND_REGISTRY_ONLY;
	}
	return result;
}

static int
build(struct reading *r, char *const *paths, size_t count, struct registry **ret_registry)
{
	int result = 0;

	for (size_t i = 0; i < count && result == 0; i++)
		result = add_path(r, paths[i]);
	return result == 0 ? intake_finish(&r->intake, ret_registry) : result;
}

int
paths_load(const char *config_path, char *const *paths, size_t count,
    const struct hash_key *hash_key, struct findings *findings,
    struct loader_result *ret_result)
{
	struct reading r = {.findings = findings};
	struct intake_options options = {.hash_key = *hash_key};
	struct loader_result loaded = {0};
	int result;

	result = read_config(config_path, findings, &loaded.config);
	if (result < 0)
		return result;
	result = intake_open(&r.intake, loaded.config, &options, findings);
	if (result == 0)
		result = build(&r, paths, count, &loaded.registry);
	intake_done(&r.intake);
	if (result < 0) {
		config_free(loaded.config);
		return result;
	}
	*ret_result = loaded;
	return 0;
}
