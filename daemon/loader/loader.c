/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load is one attempt or a few. Each reads everything and then asks whether any of it
 * was changed or replaced meanwhile; if so, its result is of two versions, whatever it
 * says, and the next attempt begins from nothing. An attempt keeps its findings to itself
 * until it is known to count. Where there are processors for it, a thread asks while the
 * registry is being made of what was read.
 */
#include "daemon/loader/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/config/file.h"
#include "daemon/loader/folder.h"
#include "daemon/loader/intake.h"
#include "daemon/loader/read_ahead.h"

#define ATTEMPTS_MAX 5
#define PAUSE_NS 10000000L /* before the second attempt; twice as long before the next */

struct attempt {
	const char *config_path;
	struct file_identity config_id;
	struct findings findings;
	struct config *config;
	struct intake intake;
	struct registry *registry;
	struct folder folders[CONFIG_REGISTRY_MAX];
	struct read_ahead read_ahead; /* of one folder after the other */
	size_t folder_count;
	size_t file_count;
	bool asked; /* the thread was started and not yet joined */
	pthread_t asking;
	bool holds; /* its answer */
};

/* Was all that the attempt has read there at one moment? */
static bool
is_unchanged(const struct attempt *a)
{
	struct file_identity now = file_identify(AT_FDCWD, a->config_path);

	if (!file_same(&now, &a->config_id))
		return false;
	for (size_t i = 0; i < a->folder_count; i++)
		if (!folder_is_unchanged(&a->folders[i]))
			return false;
	return true;
}

static void *
ask(void *ctx)
{
	struct attempt *a = ctx;

	a->holds = is_unchanged(a);
	return NULL;
}

static void
ask_aside(struct attempt *a)
{
	a->asked = pthread_create(&a->asking, NULL, ask, a) == 0;
}

static void
join(struct attempt *a)
{
	if (a->asked)
		(void)pthread_join(a->asking, NULL); /* it is one, and ours */
	a->asked = false;
}

static bool
attempt_holds(struct attempt *a)
{
	if (!a->asked)
		return is_unchanged(a);
	join(a);
	return a->holds;
}

static void
attempt_done(struct attempt *a)
{
	join(a);
	for (size_t i = 0; i < a->folder_count; i++)
		folder_done(&a->folders[i]);
	a->folder_count = 0;
	intake_done(&a->intake);
	if (a->registry != NULL)
		registry_unref(a->registry);
	a->registry = NULL;
	config_free(a->config);
	a->config = NULL;
	findings_done(&a->findings);
}

static int
open_folder(struct attempt *a, const char *path)
{
	bool is_default = strcmp(path, CONFIG_DEFAULT_REGISTRY) == 0;
	int r = folder_open(
	    path, LOADER_FILES_MAX - a->file_count, &a->folders[a->folder_count]);

	if (r == 0) {
		a->file_count += a->folders[a->folder_count].count;
		a->folder_count++;
		return 0;
	}
	if (r == -ENOMEM)
		return r;
	if (r == -E2BIG)
		findings_add(&a->findings, FINDING_ERROR, path, 0, 0,
		    "more than %d manifests in all folders: put several into one file",
		    LOADER_FILES_MAX);
	else
		findings_add(&a->findings,
		    r == -ENOENT && is_default ? FINDING_WARNING : FINDING_ERROR, path, 0,
		    0, "the registry folder cannot be read: %s%s", strerror(-r),
		    r == -ENOENT && is_default ? "; the registry is empty" : "");
	return 0;
}

static int
open_folders(struct attempt *a)
{
	int r = 0;

	for (size_t i = 0; i < a->config->registry_count && r == 0; i++)
		r = open_folder(a, a->config->registry[i]);
	return r;
}

static int
add_manifest(struct attempt *a, const char *path, const struct manifest_file *f)
{
	if (f->result == -ENOMEM)
		return -ENOMEM;
	if (f->result < 0)
		return intake_lose(&a->intake, path, f->result);
	if (f->has_documents)
		return intake_add_documents(&a->intake, path, &f->documents);
	return intake_add(&a->intake, path, f->text, f->len);
}

static int
add_file(struct attempt *a, const struct folder *folder, size_t i)
{
	const char *name = folder->files[i].name;
	const struct manifest_file *f = read_ahead_file(&a->read_ahead, i);
	char path[PATH_MAX + NAME_MAX + 2];

	if (!intake_name_is_good(name))
		return intake_lose_name(&a->intake, folder->path, name);
	(void)snprintf(path, sizeof(path), "%s/%s", folder->path, name); /* fits */
	if (f->result == 0 && file_is_group_writable(&folder->files[i].id))
		findings_add(&a->findings, FINDING_WARNING, path, 0, 0,
		    "a group may write to the manifest: chmod g-w");
	return add_manifest(a, path, f);
}

static int
add_folder(struct attempt *a, struct folder *folder, const struct loader_options *o)
{
	struct read_ahead_options options = {
	    .max = LOADER_FILE_MAX,
	    .threads = o->threads,
	    .before = registry_shelf(o->before),
	    .hash_key = o->hash_key,
	};
	int r = read_ahead_start(&a->read_ahead, folder, &options);

	if (r < 0)
		return r;
	for (size_t i = 0; i < folder->count && r == 0; i++)
		r = add_file(a, folder, i);
	read_ahead_stop(&a->read_ahead);
	return r;
}

static int
add_files(struct attempt *a, const struct loader_options *o)
{
	int r = 0;

	for (size_t i = 0; i < a->folder_count && r == 0; i++)
		r = add_folder(a, &a->folders[i], o);
	return r;
}

static int
attempt_run(struct attempt *a, const struct loader_options *o)
{
	struct intake_options options = {
	    .hash_key = o->hash_key, .shelve = o->shelve, .before = o->before};
	int r;

	a->config_id = file_identify(AT_FDCWD, a->config_path);
	r = config_read(o->path, LOADER_RESOLV_CONF, &a->findings, &a->config);
	if (r == 0)
		r = open_folders(a);
	if (r == 0) {
		options.skip = a->config->skip_broken && !o->strict;
		r = intake_open(&a->intake, a->config, &options, &a->findings);
	}
	if (r == 0)
		r = add_files(a, o);
	if (r == 0 && o->threads > 0)
		ask_aside(a);
	return r == 0 ? intake_finish(&a->intake, &a->registry) : r;
}

/* What the attempt found is found. Its own list may have been full. */
static void
hand_over(const struct findings *from, struct findings *to)
{
	size_t errors = 0, warnings = 0;

	for (size_t i = 0; i < from->len; i++) {
		const struct finding *f = &from->list[i];

		findings_add(to, f->severity, f->file, f->line, f->column, "%s", f->text);
		errors += f->severity == FINDING_ERROR;
		warnings += f->severity == FINDING_WARNING;
	}
	to->errors += from->errors - errors;
	to->warnings += from->warnings - warnings;
	to->dropped += from->dropped;
}

static void
pause_before(unsigned attempt)
{
	struct timespec pause = {.tv_nsec = PAUSE_NS << (attempt - 1)};

	(void)nanosleep(&pause, NULL); /* a shorter pause does no harm */
}

size_t
loader_threads(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	return (size_t)CPU_COUNT(&set) - 1;
}

int
loader_load(const struct loader_options *options, struct findings *findings,
    struct loader_result *ret_result)
{
	struct attempt a = {
	    .config_path = options->path != NULL ? options->path : CONFIG_DEFAULT_PATH,
	};
	int r = 0;

	for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
		if (i > 0)
			pause_before(i);
		a.file_count = 0;
		findings_init(&a.findings, findings->limit);
		r = attempt_run(&a, options);
		if (r == -ENOMEM || r == -ENOSPC || attempt_holds(&a)) {
			hand_over(&a.findings, findings);
			if (r == 0) {
				ret_result->config = a.config;
				ret_result->registry = a.registry;
				a.config = NULL;
				a.registry = NULL;
			}
			attempt_done(&a);
			return r;
		}
		attempt_done(&a);
	}
	findings_add(findings, FINDING_ERROR, a.config_path, 0, 0,
	    "the configuration or a registry folder changed each of %d times that it was "
	    "read: try again when whoever writes there is done",
	    ATTEMPTS_MAX);
	return -EINVAL;
}
