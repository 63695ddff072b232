/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies that may be given again as they are: to the same pod, for the same packet but
 * for its id.
 *
 * What one depends on is the caller's to say: a time up to which, and an epoch in which,
 * it would be made the same once more. One that was kept in another epoch is none.
 *
 * There are REPEATS_MAX places, chosen by a keyed hash, 1.7 MiB of address space when not
 * used. A reply that still holds keeps its place; another one is not kept, nor is one
 * that is too long. One owner, no clock, no I/O.
 */
#ifndef DAEMON_QUERY_REPEAT_H
#define DAEMON_QUERY_REPEAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"

#define REPEATS_MAX 4096
#define REPEAT_QUERY_MAX 128
#define REPEAT_REPLY_MAX 256

struct repeats;

/* A message as it came from a pod. */
struct repeat_query {
	const struct addr *source;
	const uint8_t *msg;
	size_t len;
};

/* -ENOMEM. */
MUST_CHECK int repeats_new(const struct hash_key *key, struct repeats **ret_repeats);
void repeats_free(struct repeats *r);

/* The length of the reply, which is in out (at least REPEAT_REPLY_MAX) with the query's
 * id; 0: none is kept. */
size_t repeats_find(const struct repeats *r, const struct repeat_query *q, uint64_t epoch,
    int64_t now_ms, uint8_t *out);
/* Copies both. */
void repeats_keep(struct repeats *r, const struct repeat_query *q, const uint8_t *reply,
    size_t len, uint64_t epoch, int64_t now_ms, int64_t until_ms);

#endif
