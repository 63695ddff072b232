/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "daemon/clock.h"
#include "daemon/control/explain.h"
#include "daemon/control/figures.h"
#include "daemon/control/history_text.h"
#include "daemon/daemon.h"
#include "daemon/lease/claim.h"
#include "daemon/lease/going.h"

struct lease_line {
	char pod[ADDR_TEXT_MAX];
	char addr[ADDR_TEXT_MAX];
	char name[NAME_TEXT_MAX];
	const char *proto;
	unsigned port;
	int64_t seconds;
};

static void
describe_lease(const struct claim *c, int64_t now_ms, struct lease_line *line)
{
	const struct lease *lease = c->lease;
	struct name name;

	addr_format(&lease->pod->addr, line->pod);
	addr_format(&lease->target.addr, line->addr);
	name_from_wire(c->grant->name, c->grant->name_len, &name);
	name_format(&name, line->name);
	line->proto = lease->target.proto == IPPROTO_UDP ? "udp" : "tcp";
	line->port = lease->target.port;
	line->seconds = (lease->deadline_ms - now_ms) / 1000;
}

static void
write_lease(const struct lease_line *l, bool json, bool first, struct buf *out)
{
	if (!json) {
		buf_printf(out, "%s %s %s %u %" PRId64 "s %s\n", l->pod, l->addr,
		    l->proto, l->port, l->seconds, l->name);
		return;
	}
	buf_printf(out,
	    "%s{\"pod\":\"%s\",\"address\":\"%s\",\"protocol\":\"%s\",\"port\":%u,"
	    "\"seconds\":%" PRId64 ",\"name\":",
	    first ? "" : ",\n", l->pod, l->addr, l->proto, l->port, l->seconds);
	buf_json(out, l->name, strlen(l->name));
	buf_text(out, "}");
}

static void
leases(const struct daemon *d, bool json, struct buf *out)
{
	struct leases *all = gate_leases(d->gate);
	int64_t now_ms = clock_now_ms();
	struct lease_line line;
	bool first = true;

	if (json)
		buf_text(out, "[");
	for (struct grant *g = grants_first(leases_grants(all)); g != NULL;
	     g = grants_next(leases_grants(all), g)) {
		struct claim *c;

		LIST_FOREACH(c, &g->claims, in_grant)
		{
			if (c->lease->deadline_ms <= now_ms ||
			    going_is_gone(leases_going(all), c->lease))
				continue;
			describe_lease(c, now_ms, &line);
			write_lease(&line, json, first, out);
			first = false;
		}
	}
	if (json)
		buf_text(out, "]\n");
}

static int
suggestions(const struct daemon *d, struct buf *out)
{
	const char *cluster = d->queries.config->cluster_domain;
	struct name name;
	struct history_view view = {
	    .registry = d->queries.registry, .cluster = &name, .key = d->key};

	if (name_parse(cluster, strlen(cluster), &name) < 0) {
		buf_text(out, "the cluster's domain is no name");
		return -EINVAL; /* the configuration has been checked */
	}
	history_text_suggest(d->history, &view, out);
	return 0;
}

int
status_answer(void *ctx, size_t word_count, char **words, struct buf *out)
{
	struct daemon *d = ctx;
	bool json = word_count == 2 && strcmp(words[1], "json") == 0;

	if (word_count > 0 && strcmp(words[0], "explain") == 0)
		return explain_answer(d, word_count, words, out);
	if (word_count == 0 || word_count > 2 || (word_count == 2 && !json)) {
		buf_text(out, "expected one of: status, leases, refused, suggest, "
			      "explain; with json behind it or nothing");
		return -EINVAL;
	}
	if (strcmp(words[0], "status") == 0) {
		figures_write(d, json ? FIGURES_JSON : FIGURES_TEXT, out);
	} else if (strcmp(words[0], "leases") == 0) {
		leases(d, json, out);
	} else if (strcmp(words[0], "refused") == 0) {
		history_text_write(d->history, clock_now_ms(), json, out);
	} else if (strcmp(words[0], "suggest") == 0 && !json) {
		return suggestions(d, out);
	} else {
		buf_printf(out, "unknown command, expected status, leases, refused, "
				"suggest or explain");
		return -EINVAL;
	}
	return 0;
}
