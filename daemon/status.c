/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/daemon.h"
#include "daemon/explain.h"
#include "daemon/history_text.h"
#include "daemon/log.h"
#include "daemon/tcp.h"
#include "daemon/udp.h"
#include "daemon/version.h"

/* Name and value lines for people, or one JSON object. */
struct writer {
	struct buf *out;
	bool json;
	bool more;
};

static void
write_key(struct writer *w, const char *key)
{
	if (w->json) {
		buf_text(w->out, w->more ? "," : "{");
		buf_json(w->out, key, strlen(key));
		buf_text(w->out, ":");
	} else {
		buf_printf(w->out, "%-22s ", key);
	}
	w->more = true;
}

static void
write_text(struct writer *w, const char *key, const char *value)
{
	write_key(w, key);
	if (w->json)
		buf_json(w->out, value, strlen(value));
	else
		buf_printf(w->out, "%s\n", value);
}

static void
write_number(struct writer *w, const char *key, uint64_t value)
{
	write_key(w, key);
	buf_printf(w->out, w->json ? "%" PRIu64 : "%" PRIu64 "\n", value);
}

static void
write_daemon(struct writer *w, const struct daemon *d)
{
	struct registry_counts registry = registry_counts(d->queries.registry);
	bool only = registry_mode(d->queries.registry) == OUTBOUND_REGISTRY_ONLY;
	int64_t now_ms = clock_now_ms();

	write_text(w, "version", EGRESSD_VERSION);
	write_text(w, "mode", only ? "REGISTRY_ONLY" : "ALLOW_ANY");
	write_text(w, "table", gate_state_text(d->gate));
	write_number(w, "pid", (uint64_t)getpid());
	write_number(w, "enforcer_pid", (uint64_t)d->enforcer_pid);
	write_number(w, "uptime_seconds", (uint64_t)(now_ms - d->started_ms) / 1000);
	write_number(w, "loaded_seconds_ago", (uint64_t)(now_ms - d->loaded_ms) / 1000);
	write_number(w, "reloads", d->reloads);
	write_number(w, "reload_failures", d->reload_failures);
	write_number(w, "entries", registry.entries);
	write_number(w, "services", registry.services);
	write_number(w, "hosts", registry.hosts);
	write_number(w, "pods", registry.pods);
	write_number(w, "manifests_left_out", registry.left_out);
	write_number(w, "manifests_last_good", registry.last_good);
}

static void
write_queries(struct writer *w, const struct daemon *d)
{
	const struct query_counts *q = &d->queries.counts;
	struct udp_counts udp = udp_counts(d->udp);
	struct tcp_counts tcp = tcp_counts(d->tcp);

	write_number(w, "queries", q->received);
	write_number(w, "answered", q->answered);
	write_number(w, "empty", q->empty);
	write_number(w, "refused", q->refused);
	write_number(w, "failed", q->failed);
	write_number(w, "malformed", q->malformed);
	write_number(w, "foreign", q->foreign);
	write_number(w, "dropped", q->dropped);
	write_number(w, "limited", q->limited);
	write_number(w, "late", q->late);
	write_number(w, "stale", udp.stale);
	write_number(w, "waiting", d->queries.busy);
	write_number(w, "in_line", d->queries.lined);
	write_number(w, "udp_unsent", udp.unsent);
	write_number(w, "tcp_connections", tcp.connections);
	write_number(w, "tcp_turned_away", tcp.turned_away);
}

static void
write_kernel(struct writer *w, const struct daemon *d)
{
	struct lease_counts leases = leases_counts(gate_leases(d->gate));
	struct committer_counts commits = committer_counts(gate_committer(d->gate));

	write_number(w, "leases", leases.leases);
	write_number(w, "leases_highest", leases.highest);
	write_number(w, "leases_limit", leases.limit);
	write_number(w, "leases_refused", leases.refused);
	write_number(w, "commits", commits.commits);
	write_number(w, "commits_failed", commits.failed);
	write_number(w, "commits_late", commits.late);
	write_number(w, "commits_waiting", commits.waiting);
	write_number(w, "packets_refused", d->refusal.counts.packets);
	write_number(w, "packets_unread", d->refusal.counts.unread);
}

static void
write_resolver(struct writer *w, const struct daemon *d)
{
	struct resolver_counts r = resolver_counts(d->resolver);
	struct log_counts log = log_counts();

	write_number(w, "cache_answers", r.cache.answers);
	write_number(w, "cache_bytes", r.cache.bytes);
	write_number(w, "cache_hits", r.cache.hits);
	write_number(w, "cache_misses", r.cache.misses);
	write_number(w, "cache_evictions", r.cache.evictions);
	write_number(w, "cache_stale", r.old);
	write_number(w, "cache_refreshes", r.refreshes);
	write_number(w, "upstream_servers", r.servers);
	write_number(w, "upstream_servers_bad", r.bad_servers);
	write_number(w, "upstream_questions", r.questions);
	write_number(w, "upstream_joined", r.joined);
	write_number(w, "upstream_tries", r.tries);
	write_number(w, "upstream_timeouts", r.timeouts);
	write_number(w, "upstream_truncated", r.truncated);
	write_number(w, "upstream_tcp", r.tcp);
	write_number(w, "upstream_without_edns", r.bare);
	write_number(w, "upstream_folding", r.folding);
	write_number(w, "upstream_refused", r.refused);
	write_number(w, "upstream_mismatches", r.mismatches);
	write_number(w, "upstream_failures", r.failures);
	write_number(w, "upstream_pending", r.pending);
	write_number(w, "log_written", log.written);
	write_number(w, "log_dropped", log.dropped);
	write_number(w, "log_suppressed", d->report.suppressed_total);
}

static void
status(const struct daemon *d, bool json, struct buf *out)
{
	struct writer w = {.out = out, .json = json};

	write_daemon(&w, d);
	write_queries(&w, d);
	write_kernel(&w, d);
	write_resolver(&w, d);
	if (json)
		buf_text(out, "}\n");
}

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
	const struct leases *all = gate_leases(d->gate);
	int64_t now_ms = clock_now_ms();
	struct lease_line line;
	bool first = true;

	if (json)
		buf_text(out, "[");
	for (struct grant *g = leases_first_grant(all); g != NULL;
	     g = leases_next_grant(all, g)) {
		struct claim *c;

		LIST_FOREACH(c, &g->claims, in_grant)
		{
			if (c->lease->deadline_ms <= now_ms)
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
		status(d, json, out);
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
