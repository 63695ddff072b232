/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manifests of a folder read in threads that run ahead of the one that builds a
 * registry of them.
 *
 * Reading a file and making trees of its YAML is most of the work of a load, and needs
 * nothing of what came before. The files come out in the folder's order all the same, so
 * that what is found in them does, too. At most READ_AHEAD_FILES are held, of at most
 * DOCUMENTS_BYTES_MAX bytes of text each: a larger one is read when its turn comes.
 *
 * The threads have the signal mask of whoever starts them, share this struct under its
 * lock, and nothing else with anybody. Without threads, or where one cannot be started,
 * whoever asks for a file does the work itself.
 */
#ifndef DAEMON_LOADER_READ_AHEAD_H
#define DAEMON_LOADER_READ_AHEAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "daemon/loader/folder.h"
#include "policy/registry/documents.h"

#define READ_AHEAD_FILES 64
#define READ_AHEAD_THREADS 4 /* more bring nothing: one alone builds */

/* What was read of a file. */
struct manifest_file {
	int result; /* of folder_read */
	char *text;
	size_t len;
	bool has_documents; /* else text is to be looked at */
	struct documents documents;
	bool ready;
};

struct read_ahead {
	struct folder *folder;
	size_t max;
	pthread_mutex_t lock;
	pthread_cond_t ready; /* one more file is */
	pthread_cond_t room;  /* to read one more, or none will come */
	size_t claimed;       /* files before this one are read, or being read */
	size_t wanted;        /* the one that is being handed out */
	bool stopped;
	struct manifest_file files[READ_AHEAD_FILES];
	pthread_t threads[READ_AHEAD_THREADS];
	size_t thread_count;
};

struct read_ahead_options {
	size_t max;                 /* bytes of a file */
	size_t threads;             /* to start, at most READ_AHEAD_THREADS */
	const struct shelf *before; /* texts that need no parsing, NULL: none */
	struct hash_key hash_key;
};

/* folder and before are borrowed until read_ahead_stop. r must not be moved. -ENOMEM:
 * nothing to stop. */
MUST_CHECK int read_ahead_start(struct read_ahead *r, struct folder *folder,
    const struct read_ahead_options *options);
/* File i of the folder, until the next call; from 0 on, one after the other. */
const struct manifest_file *read_ahead_file(struct read_ahead *r, size_t i);
/* Whatever was read until now. */
void read_ahead_stop(struct read_ahead *r);

#endif
