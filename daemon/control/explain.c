/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/control/explain_text.h"
#include "daemon/daemon.h"
#include "daemon/lease/claim.h"
#include "daemon/lease/going.h"
#include "daemon/lease/source.h"
#include "daemon/loader/check.h"
#include "daemon/loader/paths.h"

/* Leases of the pods that are asked about. */
struct held {
	size_t there;     /* to the address on the port asked for, or by the name */
	size_t elsewhere; /* to the address on other ports */
	const struct claim *longest; /* of the former */
};

struct asking {
	const struct registry *registry;
	const struct explain_question *q;
	struct explanation *e;
};

/* A pod that was asked about by its address need not be known. */
static bool
is_asked_about(const struct asking *a, const struct addr *pod)
{
	const struct workload *w = registry_workload(a->registry, pod);

	if (a->e->workload != NULL)
		return w == a->e->workload;
	if (a->q->namespace == NULL)
		return addr_equal(pod, &a->q->source);
	return a->q->pod == NULL && w != NULL &&
	       strcmp(w->namespace, a->q->namespace) == 0;
}

static bool
is_by_name(const struct grant *g, const struct name *n)
{
	return g->name_len == n->len && memcmp(g->name, n->bytes, n->len) == 0;
}

static void
count_claim(const struct asking *a, const struct claim *c, struct held *held)
{
	const struct explain_question *q = a->q;
	const struct lease_target *target = &c->lease->target;

	if (q->address.family == 0 ? !is_by_name(c->grant, &q->name)
				   : !addr_equal(&target->addr, &q->address))
		return;
	if (q->port != 0 && (target->port != q->port || target->proto != q->proto)) {
		held->elsewhere++;
		return;
	}
	held->there++;
	if (held->longest == NULL ||
	    held->longest->lease->deadline_ms < c->lease->deadline_ms)
		held->longest = c;
}

static struct held
count_leases(const struct asking *a, struct leases *all, int64_t now_ms)
{
	struct held held = {0};

	for (struct grant *g = grants_first(leases_grants(all)); g != NULL;
	     g = grants_next(leases_grants(all), g)) {
		struct claim *c;

		if (!is_asked_about(a, &g->pod->addr))
			continue;
		LIST_FOREACH(c, &g->claims, in_grant)
		{
			if (c->lease->deadline_ms > now_ms &&
			    !going_is_gone(leases_going(all), c->lease))
				count_claim(a, c, &held);
		}
	}
	return held;
}

/* A lease is reason enough: it stands in front of all others. */
static void
allow_leased(struct explanation *e, const struct held *held, int64_t now_ms)
{
	char text[NAME_TEXT_MAX];
	struct name name;

	name_from_wire(held->longest->grant->name, held->longest->grant->name_len, &name);
	e->allowed = true;
	e->needs_lookup = false;
	e->count = 0;
	e->dropped = 0;
	explain_say(e, EXPLAIN_RULE, NULL,
	    "leases hold it: %zu, the longest for another %" PRId64
	    " s; a lookup of %s opened that",
	    held->there, (held->longest->lease->deadline_ms - now_ms) / 1000,
	    name_format(&name, text));
}

static void
tell_leases(const struct asking *a, struct leases *all)
{
	int64_t now_ms = clock_now_ms();
	struct held held;

	if (registry_mode(a->registry) == OUTBOUND_ALLOW_ANY)
		return; /* nothing is recorded */
	held = count_leases(a, all, now_ms);
	if (a->e->needs_lookup && held.there > 0)
		allow_leased(a->e, &held, now_ms);
	else if (a->e->needs_lookup)
		explain_say(a->e, EXPLAIN_NOTE, NULL, "leases that hold it now: 0%s",
		    held.elsewhere > 0 ? "; there are some for other ports" : "");
	else if (a->q->address.family == 0 && a->e->allowed)
		explain_say(a->e, EXPLAIN_NOTE, NULL,
		    "leases that this name has opened now: %zu", held.there);
}

/* Who is no pod is not even answered. */
static void
check_source(const struct asking *a, const struct config *config)
{
	if (a->q->namespace != NULL || source_is_pod(config, &a->q->source))
		return;
	a->e->allowed = false;
	a->e->needs_lookup = false;
	a->e->count = 0;
	a->e->dropped = 0;
	explain_say(a->e, EXPLAIN_RULE, NULL,
	    "the workload's address is no pod's: it lies in none of \"pods.cidrs\" of "
	    "the configuration");
}

int
explain_answer(struct daemon *d, size_t word_count, char **words, struct buf *out)
{
	bool json = word_count == 4 && strcmp(words[3], "json") == 0;
	const struct registry *registry = d->queries.registry;
	struct explain_text t;
	struct explanation e;
	struct asking a = {registry, &t.question, &e};
	const char *reason;

	if (word_count != 3 && !json) {
		buf_text(out, "expected: explain WORKLOAD TARGET; with json behind it or "
			      "nothing");
		return -EINVAL;
	}
	if (explain_text_parse(words[1], words[2], &t, &reason) < 0) {
		buf_text(out, reason);
		return -EINVAL;
	}
	explain_text_configure(&t, d->queries.config);
	explain(registry, &t.question, &e);
	check_source(&a, d->queries.config);
	tell_leases(&a, gate_leases(d->gate));
	explain_text_write(&t, &e, json, out);
	return 0;
}

static int
load(const struct explain_files *files, struct loader_result *ret_loaded)
{
	struct loader_options options = {
	    .path = files->config_path, .threads = loader_threads()};
	struct findings findings;
	int r = clock_random_bytes(&options.hash_key, sizeof(options.hash_key));

	findings_init(&findings, CHECK_FINDINGS_MAX);
	if (r == 0 && files->path_count > 0)
		r = paths_load(files->config_path, files->paths, files->path_count,
		    &options.hash_key, &findings, ret_loaded);
	else if (r == 0)
		r = loader_load(&options, &findings, ret_loaded);
	if (r < 0)
		check_print(&findings, false, stderr);
	findings_done(&findings);
	return r;
}

int
explain_files(const struct explain_files *files, struct buf *out)
{
	struct loader_result loaded = {0};
	struct explain_text t;
	struct explanation e;
	struct asking a = {.q = &t.question, .e = &e};
	const char *reason;
	int r;

	r = explain_text_parse(files->workload, files->target, &t, &reason);
	if (r == 0)
		r = load(files, &loaded);
	if (r < 0)
		return r;
	explain_text_configure(&t, loaded.config);
	explain(loaded.registry, &t.question, &e);
	/* the ranges of a configuration that nobody named are nobody's pods */
	if (files->config_path != NULL || files->path_count == 0)
		check_source(&a, loaded.config);
	explain_text_write(&t, &e, files->json, out);
	registry_unref(loaded.registry);
	config_free(loaded.config);
	return out->failed ? -ENOMEM : 0;
}
