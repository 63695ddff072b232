/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is claimed under the lock and read outside of it; it lies in the slot of its
 * index modulo READ_AHEAD_FILES, which is free since no file is claimed that stands
 * READ_AHEAD_FILES or more behind the one being handed out.
 */
#include "daemon/loader/read_ahead.h"

#include <errno.h>
#include <stdlib.h>

static struct manifest_file *
slot_of(struct read_ahead *r, size_t i)
{
	return &r->files[i % READ_AHEAD_FILES];
}

static bool
may_claim(const struct read_ahead *r)
{
	return r->claimed < r->folder->count && r->claimed < r->wanted + READ_AHEAD_FILES;
}

static void
read_file(struct read_ahead *r, size_t i, struct manifest_file *f, size_t max)
{
	free(f->text);
	f->text = NULL;
	f->len = 0;
	f->result = folder_read(r->folder, i, max, &f->text, &f->len);
	f->has_documents =
	    f->result == 0 && documents_read(&f->documents, f->text, f->len) == 0;
}

/* Called and returns with the lock. */
static void
claim(struct read_ahead *r)
{
	size_t i = r->claimed++;
	struct manifest_file *f = slot_of(r, i);

	f->ready = false;
	pthread_mutex_unlock(&r->lock);
	read_file(r, i, f, MIN_OF(r->max, DOCUMENTS_BYTES_MAX));
	pthread_mutex_lock(&r->lock);
	f->ready = true;
	pthread_cond_signal(&r->ready);
}

static void *
run(void *ctx)
{
	struct read_ahead *r = ctx;

	pthread_mutex_lock(&r->lock);
	while (!r->stopped && r->claimed < r->folder->count) {
		if (may_claim(r))
			claim(r);
		else
			pthread_cond_wait(&r->room, &r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

static void
start_threads(struct read_ahead *r, size_t threads)
{
	while (r->thread_count < MIN_OF(threads, READ_AHEAD_THREADS) &&
	       pthread_create(&r->threads[r->thread_count], NULL, run, r) == 0)
		r->thread_count++;
}

static void
free_files(struct read_ahead *r)
{
	for (size_t i = 0; i < READ_AHEAD_FILES; i++) {
		free(r->files[i].text);
		documents_done(&r->files[i].documents);
	}
}

int
read_ahead_start(
    struct read_ahead *r, struct folder *folder, const struct read_ahead_options *options)
{
	int error = 0;

	*r = (struct read_ahead){.folder = folder, .max = options->max};
	for (size_t i = 0; i < READ_AHEAD_FILES && error == 0; i++)
		error = documents_init(
		    &r->files[i].documents, options->before, &options->hash_key);
	if (error < 0) {
		free_files(r);
		return error;
	}
	/* neither fails on Linux */
	(void)pthread_mutex_init(&r->lock, NULL);
	(void)pthread_cond_init(&r->ready, NULL);
	(void)pthread_cond_init(&r->room, NULL);
	start_threads(r, folder->count > 1 ? options->threads : 0);
	return 0;
}

const struct manifest_file *
read_ahead_file(struct read_ahead *r, size_t i)
{
	struct manifest_file *f = slot_of(r, i);

	pthread_mutex_lock(&r->lock);
	r->wanted = i;
	/* not for each file: to wake a thread costs as much as to read one */
	if (r->claimed <= i + READ_AHEAD_FILES / 2)
		pthread_cond_broadcast(&r->room);
	while (r->claimed <= i || !f->ready) {
		/* better than to wait for whoever reads this one */
		if (may_claim(r))
			claim(r);
		else
			pthread_cond_wait(&r->ready, &r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	if (f->result == -EFBIG)
		read_file(r, i, f, r->max);
	return f;
}

void
read_ahead_stop(struct read_ahead *r)
{
	pthread_mutex_lock(&r->lock);
	r->stopped = true;
	pthread_cond_broadcast(&r->room);
	pthread_mutex_unlock(&r->lock);
	for (size_t i = 0; i < r->thread_count; i++)
		(void)pthread_join(r->threads[i], NULL); /* it is one, and ours */
	free_files(r);
	(void)pthread_cond_destroy(&r->room);
	(void)pthread_cond_destroy(&r->ready);
	(void)pthread_mutex_destroy(&r->lock);
}
