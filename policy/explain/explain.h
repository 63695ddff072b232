/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a workload may reach a name or an address, or why not: the registry's word with its
 * reasons, for people.
 *
 * The verdict is the one that registry_judge gives, taken further to ports and addresses.
 * Beside what decided, the reasons tell what nearly matched: entries out of sight, other
 * ports, wildcards that cover less than one thinks. What an answer upstream would hold is
 * not known here; an address that only such an answer opens is refused, with needs_lookup
 * set, and who knows the leases says the rest.
 *
 * Values without ownership. Texts are one line of printable ASCII. Reasons point at hosts
 * of the registry and live no longer. Cost: for a name as registry_judge, for a workload
 * by its name and for an address one pass over the registry.
 */
#ifndef POLICY_EXPLAIN_EXPLAIN_H
#define POLICY_EXPLAIN_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"
#include "base/name.h"
#include "policy/registry/registry.h"

#define EXPLAIN_REASONS_MAX 24 /* more are only counted */
#define EXPLAIN_TEXT_MAX 512   /* with its NUL; a longer text is cut */

struct explain_question {
	/* who: a pod, or any pod of a namespace when pod is NULL; or by its address when
	 * namespace is NULL too */
	const char *namespace;
	const char *pod;
	struct addr source;
	/* what: an address when its family is not 0, else a name */
	struct addr address;
	struct name name;
	uint16_t port; /* 0: whichever is open */
	uint8_t proto; /* of the port */
	/* what the configuration opens and closes, whatever the registry says */
	const struct prefix *internal;
	size_t internal_count;
	bool intercept;
};

enum explain_role {
	EXPLAIN_RULE, /* decided; the first one */
	EXPLAIN_NEAR, /* nearly matched */
	EXPLAIN_NOTE, /* what to know besides */
};

struct explain_reason {
	enum explain_role role;
	const struct registry_host *host; /* whose source tells where; may be NULL */
	char text[EXPLAIN_TEXT_MAX];
};

struct explanation {
	bool allowed;
	bool needs_lookup; /* refused as long as no lease holds the address */
	const struct workload *workload; /* when a manifest tells of it */
	size_t count;
	struct explain_reason reasons[EXPLAIN_REASONS_MAX];
	size_t dropped;
};

void explain(const struct registry *r, const struct explain_question *q,
    struct explanation *ret_explanation);

/* Append a reason, as explain does. */
void explain_say(struct explanation *e, enum explain_role role,
    const struct registry_host *host, const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif
