/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was refused lately, written: `egressctl refused` and `egressctl suggest`.
 */
#ifndef DAEMON_CONTROL_HISTORY_TEXT_H
#define DAEMON_CONTROL_HISTORY_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/name.h"
#include "daemon/log/history.h"
#include "policy/registry/registry.h"

/* A line a record, the latest first, or a JSON array. */
void history_text_write(
    const struct history *h, int64_t now_ms, bool json, struct buf *out);

struct history_view {
	const struct registry *registry; /* of now */
	const struct name *cluster;      /* the cluster's domain */
	struct hash_key key;             /* of no lasting meaning */
};

/* Manifests as policy/explain/suggest.h makes them, each once, with comments: a YAML
 * stream that may go into the registry as it is. */
void history_text_suggest(
    const struct history *h, const struct history_view *view, struct buf *out);

#endif
