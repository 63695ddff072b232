/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An explanation in words: what people and programs write to ask for one, and what they
 * get. The same for a running daemon and for files.
 */
#ifndef DAEMON_CONTROL_EXPLAIN_TEXT_H
#define DAEMON_CONTROL_EXPLAIN_TEXT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/macros.h"
#include "daemon/config/config.h"
#include "policy/explain/explain.h"

#define EXPLAIN_NAMESPACE_MAX 64 /* RFC 1123 label, and a NUL */
#define EXPLAIN_POD_MAX 254      /* RFC 1123 subdomain, and a NUL */
#define EXPLAIN_WORKLOAD_MAX (EXPLAIN_NAMESPACE_MAX + EXPLAIN_POD_MAX)
#define EXPLAIN_TARGET_MAX (NAME_TEXT_MAX + 16) /* ":65535/TCP" behind it */
#define EXPLAIN_ANSWER_MAX ((size_t)256 * 1024) /* escaped as JSON at its worst */

/* question points into its own struct: not to be copied. */
struct explain_text {
	struct explain_question question;
	char workload[EXPLAIN_WORKLOAD_MAX]; /* as understood */
	char target[EXPLAIN_TARGET_MAX];
	char namespace[EXPLAIN_NAMESPACE_MAX];
	char pod[EXPLAIN_POD_MAX];
};

/*
 * WORKLOAD: namespace/pod, a namespace, or a pod's address. TARGET: a name or an address
 * (IPv6 in brackets when a port follows), then ":PORT", then "/tcp" or "/udp"; TCP when
 * only the port is there. -EINVAL with what is wrong, a static text, in ret_reason.
 */
MUST_CHECK int explain_text_parse(const char *workload, const char *target,
    struct explain_text *ret_text, const char **ret_reason);
/* What the configuration has to say to the question; config is borrowed by it. */
void explain_text_configure(struct explain_text *t, const struct config *config);

/* "allowed: ..." or "refused: ...", and a line for each reason; or one JSON object. */
void explain_text_write(const struct explain_text *t, const struct explanation *e,
    bool json, struct buf *out);
/* Does what explain_text_write has written begin with allowed? */
bool explain_text_allowed(const char *text);

#endif
