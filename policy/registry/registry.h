/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry: what may be reached, by which workload, under which name, on which ports.
 *
 * A registry is immutable once built, counted by references, and freed whole. Everything
 * that a function here returns by pointer lives as long as the registry. Nothing here has
 * a clock, a socket, a log or a global: manifests' text goes in through a builder,
 * findings and verdicts come out.
 *
 * A registry may be built in one thread and handed over to another; after that only one
 * thread may use it.
 */
#ifndef POLICY_REGISTRY_REGISTRY_H
#define POLICY_REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/name.h"
#include "policy/finding.h"
#include "policy/registry/verdict.h"

#define REGISTRY_FIXED_MAX (1024 * 1024) /* what is open without a lookup */

struct documents;
struct mesh;

/* What the configuration, rather than a manifest, says. Borrowed during the build, copied
 * where kept. */
struct registry_settings {
	bool has_outbound; /* does the configuration's meshConfig name an
			      outboundTrafficPolicy? */
	enum outbound_mode outbound;
	const struct mesh *mesh;    /* what else it states; NULL: nothing */
	const char *cluster_domain; /* of Services' names; NULL: cluster.local */
	const struct name *zones;   /* internal: every workload sees the names in them */
	size_t zone_count;
	const struct prefix *own; /* the pods', services' and nodes' ranges: no external
				     name may lead there */
	size_t own_count;
	struct hash_key hash_key; /* random */
	size_t bytes_max;         /* of memory for the whole image; 0: 1 GiB */
	bool skip;                /* leave out what is broken, instead of refusing all */
	bool shelve; /* for the build after this one, policy/registry/shelf.h */
	const struct registry *before; /* with skip: what it falls back to; NULL: none */
};

struct kept;
struct shelf;
struct registry;
struct registry_builder;

/*
 * Building. settings and findings are borrowed until the builder is finished or freed.
 * NULL when out of memory.
 */
struct registry_builder *registry_builder_new(
    const struct registry_settings *settings, struct findings *findings);
void registry_builder_free(struct registry_builder *b);
/*
 * Take in all documents of one file; text is borrowed for the call. What is wrong goes to
 * the findings; the result is negative only for a lack of memory (-ENOMEM) or of room
 * under bytes_max (-ENOSPC).
 */
MUST_CHECK int registry_builder_add(
    struct registry_builder *b, const char *file, const char *text, size_t len);
/* The same, of documents that were read of the file's text: borrowed for the call. */
MUST_CHECK int registry_builder_add_documents(
    struct registry_builder *b, const char *file, const struct documents *documents);
/* A file that there is and that cannot be read, or believed: an error finding what about
 * it. -ENOMEM, -ENOSPC. */
MUST_CHECK int registry_builder_lose(
    struct registry_builder *b, const char *file, const char *what);
/* Ends the builder whatever the result. -EINVAL when the findings hold an error (with
 * skip: one that refuses all the same, policy/registry/admission.h), -ENOMEM, -ENOSPC. */
MUST_CHECK int registry_builder_finish(
    struct registry_builder *b, struct registry **ret_registry);

struct registry *registry_ref(struct registry *r);
void registry_unref(struct registry *r);

/* The strictest mode that anybody's is: REGISTRY_ONLY when some pod is held to the
 * registry. It is also the mode of a pod that no manifest tells of. */
enum outbound_mode registry_mode(const struct registry *r);
/* ServiceEntries and Services accepted; hosts they define; pods known. */
struct registry_counts {
	size_t entries;
	size_t services;
	size_t hosts;
	size_t pods;
	size_t bytes; /* of memory */
	/* with skip: objects, and files of which something cannot be read */
	size_t left_out;
	size_t last_good; /* objects in their last good form */
};
struct registry_counts registry_counts(const struct registry *r);
/* What the next build may use of this one, while this registry lives; any thread may read
 * it. NULL when it was built without skip, or without shelve; r may be NULL. */
const struct kept *registry_kept(const struct registry *r);
const struct shelf *registry_shelf(const struct registry *r);

/* The pod with this address, NULL when no manifest tells. */
const struct workload *registry_workload(
    const struct registry *r, const struct addr *source);

/* The addresses of all pods that are known; i from 0 until it returns false. */
bool registry_address(const struct registry *r, size_t i, struct addr *ret_addr);

/* The registry's word. w is NULL for a pod that is not known: it sees what is public.
 * Cost: one pass over the name and one table look-up for each of its labels, whatever the
 * size of the registry. */
void registry_judge(const struct registry *r, const struct workload *w,
    const struct name *n, struct verdict *ret_verdict);

/*
 * May an answer for host (NULL: VERDICT_ZONE or VERDICT_OPEN, everything) hold this
 * address? An external host's must not lead inside: policy/registry/range.h.
 */
bool registry_permits(const struct registry *r, const struct registry_host *host,
    const struct addr *address);

/* The one with this number and protocol, NULL when there is none. */
const struct registry_port *registry_port(
    const struct registry_port *ports, size_t count, uint16_t number, uint8_t proto);

/* Does one of the host's addresses or endpoints hold it? */
bool registry_lists(const struct registry_host *host, const struct addr *address);

/*
 * The addresses that a host's answer has without anything being asked, of both families:
 * its endpoints'; with resolution STATIC the single ones among its addresses instead, if
 * there are any. How many were written to list.
 */
size_t registry_static(const struct registry_host *host, struct addr *list, size_t max);

/* All that is open without a lookup, at most REGISTRY_FIXED_MAX; i from 0 until it
 * returns false. Empty under ALLOW_ANY, unless there are services (way.h). */
bool registry_fixed(const struct registry *r, size_t i, struct registry_fixed *ret_fixed);

/* The addresses of the pods that are under ALLOW_ANY while registry_mode is
 * REGISTRY_ONLY; i from 0 until it returns false. Nothing that these send is refused. */
bool registry_open(const struct registry *r, size_t i, struct addr *ret_addr);

#endif
