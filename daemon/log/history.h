/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was refused lately, for `egressctl refused` and `egressctl suggest`: what the
 * journal was told (daemon/log/report.h), and how often it came again.
 *
 * A struct history is its creator's. It holds copies only, nothing of a registry. At most
 * HISTORY_MAX records, HISTORY_POD_MAX of them of one pod: the next one displaces that
 * pod's oldest, or the oldest of all, so that a pod that floods does not push out what
 * concerns the others.
 */
#ifndef DAEMON_LOG_HISTORY_H
#define DAEMON_LOG_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"
#include "base/name.h"
#include "daemon/log/log.h"

#define HISTORY_MAX 1024 /* about 1 KiB each, once used */
#define HISTORY_POD_MAX 64
#define HISTORY_WHO_MAX 256   /* with its NUL; a longer one is cut */
#define HISTORY_ENTRY_MAX 384 /* the same */

struct history_record {
	enum log_event event; /* LOG_REFUSED_LOOKUP or LOG_REFUSED_CONNECTION */
	struct addr pod;
	struct name name; /* len 0: none is known */
	uint16_t type;    /* of a lookup */
	struct addr destination;
	uint16_t port; /* 0: none */
	uint8_t proto;
	const char *reason, *why; /* a word, a text; static */
	char who[HISTORY_WHO_MAX];
	char entry[HISTORY_ENTRY_MAX]; /* "": none is near */
	/* by history_add and history_repeat */
	uint64_t count;
	int64_t first_ms, last_ms;
};

struct history;

/* -ENOMEM. */
MUST_CHECK int history_new(struct history **ret_history);
void history_free(struct history *h);

/* Take a copy, or count it where key is known. Its place, for history_repeat. Cost: a
 * pass over the keys. h may be NULL. */
uint32_t history_add(
    struct history *h, uint64_t key, const struct history_record *r, int64_t now_ms);
/* The same again: counted when its place is still its own. h may be NULL. */
void history_repeat(struct history *h, uint32_t place, uint64_t key, int64_t now_ms);

/* The records, the latest first, borrowed until the next change; how many. */
size_t history_list(
    const struct history *h, const struct history_record *list[HISTORY_MAX]);

#endif
