/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/figures.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/daemon.h"
#include "daemon/lease/strain.h"
#include "daemon/log/log.h"
#include "daemon/query/tcp.h"
#include "daemon/query/udp.h"
#include "daemon/version.h"

struct writer {
	struct buf *out;
	enum figures_form form;
	bool more;
};

static void
write_key(struct writer *w, const char *key)
{
	if (w->form == FIGURES_JSON) {
		buf_text(w->out, w->more ? "," : "{");
		buf_json(w->out, key, strlen(key));
		buf_text(w->out, ":");
	} else {
		buf_printf(w->out, "%-22s ", key);
	}
	w->more = true;
}

/* The values are words of our own: nothing in them needs an escape. */
static void
text(struct writer *w, const char *key, const char *value)
{
	if (w->form == FIGURES_METRICS) {
		buf_printf(w->out,
		    "# TYPE egressd_%s_info gauge\n"
		    "egressd_%s_info{%s=\"%s\"} 1\n",
		    key, key, key, value);
		return;
	}
	write_key(w, key);
	if (w->form == FIGURES_JSON)
		buf_json(w->out, value, strlen(value));
	else
		buf_printf(w->out, "%s\n", value);
}

/* Of no use to a graph. */
static void
number(struct writer *w, const char *key, uint64_t value)
{
	if (w->form == FIGURES_METRICS)
		return;
	write_key(w, key);
	buf_printf(w->out, w->form == FIGURES_JSON ? "%" PRIu64 : "%" PRIu64 "\n", value);
}

static void
metric(struct writer *w, const char *key, const char *suffix, const char *type,
    uint64_t value, const char *help)
{
	if (w->form != FIGURES_METRICS) {
		number(w, key, value);
		return;
	}
	buf_printf(w->out,
	    "# HELP egressd_%s%s %s\n"
	    "# TYPE egressd_%s%s %s\n"
	    "egressd_%s%s %" PRIu64 "\n",
	    key, suffix, help, key, suffix, type, key, suffix, value);
}

/* Only grows. */
static void
counter(struct writer *w, const char *key, uint64_t value, const char *help)
{
	metric(w, key, "_total", "counter", value, help);
}

static void
gauge(struct writer *w, const char *key, uint64_t value, const char *help)
{
	metric(w, key, "", "gauge", value, help);
}

static void
write_daemon(struct writer *w, const struct daemon *d)
{
	struct registry_counts registry = registry_counts(d->queries.registry);
	bool only = registry_mode(d->queries.registry) == OUTBOUND_REGISTRY_ONLY;
	int64_t now_ms = clock_now_ms();

	text(w, "version", EGRESSD_VERSION);
	text(w, "mode", only ? "REGISTRY_ONLY" : "ALLOW_ANY");
	text(w, "table", gate_state_text(d->gate));
	number(w, "pid", (uint64_t)getpid());
	number(w, "enforcer_pid", (uint64_t)d->enforcer_pid);
	gauge(w, "uptime_seconds", (uint64_t)(now_ms - d->started_ms) / 1000,
	    "Since the start.");
	gauge(w, "loaded_seconds_ago", (uint64_t)(now_ms - d->loaded_ms) / 1000,
	    "Since the registry in force was loaded.");
	counter(w, "reloads", d->reloads, "Registries taken in since the start.");
	counter(w, "reload_failures", d->reload_failures,
	    "Reloads that changed nothing because of an error.");
	gauge(w, "entries", registry.entries, "ServiceEntries in the registry.");
	gauge(w, "services", registry.services, "Kubernetes Services in the registry.");
	gauge(w, "hosts", registry.hosts, "Hosts that the registry lists.");
	gauge(w, "pods", registry.pods, "Pods that the registry knows by an address.");
	gauge(w, "manifests_left_out", registry.left_out,
	    "Broken manifests that the registry does without.");
	gauge(w, "manifests_last_good", registry.last_good,
	    "Broken objects that are held in their last good form.");
}

static void
write_queries(struct writer *w, const struct daemon *d)
{
	const struct query_counts *q = &d->queries.counts;
	struct udp_counts udp = udp_counts(d->udp);
	struct tcp_counts tcp = tcp_counts(d->tcp);

	counter(w, "queries", q->received, "Queries received.");
	counter(w, "answered", q->answered, "Queries answered with records.");
	counter(w, "repeated", q->repeated,
	    "Of these, the same packets again: answered as a moment ago.");
	counter(w, "empty", q->empty, "Queries answered with NOERROR and no record.");
	counter(w, "refused", q->refused, "Queries refused by the registry.");
	counter(w, "failed", q->failed, "Queries answered with SERVFAIL.");
	counter(w, "malformed", q->malformed,
	    "Queries that were not readable, or of a kind that is not served.");
	counter(w, "foreign", q->foreign, "Queries from addresses that are no pod.");
	counter(w, "dropped", q->dropped,
	    "Queries without a reply: not DNS, a pod that has changed, or no room.");
	counter(w, "limited", q->limited, "Queries above the rate of their pod.");
	counter(w, "wildcard_limited", q->wildcard_limited,
	    "Queries for names under wildcards above the budget of their pod.");
	counter(w, "late", q->late, "Replies that came too late, and were not sent.");
	counter(w, "stale", udp.stale,
	    "Queries that had waited too long in the socket to be of use.");
	counter(w, "udp_pauses", udp.pauses,
	    "Pauses in a crowd of queries, so that more are read at once.");
	gauge(w, "waiting", d->queries.busy,
	    "Queries that wait for a reply or for the kernel.");
	gauge(w, "in_line", d->queries.lined,
	    "Queries that stand in line behind the share of their pod.");
	counter(w, "udp_unsent", udp.unsent,
	    "Replies over UDP that the kernel did not take.");
	gauge(w, "tcp_connections", tcp.connections, "DNS connections over TCP.");
	counter(
	    w, "tcp_turned_away", tcp.turned_away, "DNS connections above the limits.");
	counter(
	    w, "tcp_undelivered", tcp.undelivered, "Replies over TCP that nobody took.");
}

static void
write_kernel(struct writer *w, const struct daemon *d)
{
	struct lease_counts leases = leases_counts(gate_leases(d->gate));
	struct committer_counts commits = committer_counts(gate_committer(d->gate));
	struct renewal_counts renewals = renewal_counts(d->renewal);
	const struct strain *strain = leases_strain(gate_leases(d->gate));

	gauge(w, "leases", leases.leases, "Leases in the kernel.");
	gauge(w, "leases_highest", leases.highest, "The most that there were at a time.");
	gauge(w, "leases_limit", leases.limit, "The most that there may be.");
	counter(w, "leases_refused", leases.refused,
	    "Leases that a limit did not allow, or that led elsewhere already.");
	counter(w, "leases_refused_per_name", strain->refused[STRAIN_NAME],
	    "Leases that lease.perName did not allow.");
	counter(w, "leases_refused_per_pod", strain->refused[STRAIN_POD],
	    "Leases that lease.perPod did not allow.");
	counter(w, "leases_refused_size", strain->refused[STRAIN_SIZE],
	    "Leases that lease.size did not allow.");
	counter(w, "commits", commits.commits,
	    "Answers whose leases the kernel has acknowledged.");
	counter(w, "commits_failed", commits.failed,
	    "Answers whose leases the kernel did not take.");
	counter(w, "commits_late", commits.late,
	    "Answers that did not wait for the kernel any longer.");
	gauge(w, "commits_waiting", commits.waiting, "Answers that wait for the kernel.");
	counter(w, "renewals_asked", renewals.asked,
	    "Ending leases of which it was asked whether they have living flows.");
	counter(w, "renewals", renewals.renewed, "Leases that were renewed for theirs.");
	counter(w, "renewals_left", renewals.left,
	    "Ending leases above the limits of a question, not asked about.");
	counter(
	    w, "renewals_failed", renewals.failed, "Renewals and questions that failed.");
	counter(w, "flows_looked_at", renewals.flows,
	    "Flows of the kernel that these questions went through.");
	counter(w, "packets_refused", d->refusal.counts.packets,
	    "Packets that the kernel refused, as far as it was heard of.");
	counter(w, "packets_unread", d->refusal.counts.unread,
	    "Those among them that were too many to be looked at.");
}

static void
write_names(struct writer *w, const struct daemon *d)
{
	const struct backends_counts c = backends_counts(d->backends);

	gauge(w, "endpoint_names", c.names, "Names of endpoints behind addresses.");
	gauge(w, "endpoint_names_unheard", c.unheard,
	    "Those among them of which nothing has been heard yet.");
	gauge(w, "endpoint_names_failing", c.failing,
	    "Those among them that could not be resolved the last time.");
}

static void
write_resolver(struct writer *w, const struct daemon *d)
{
	struct resolver_counts r = resolver_counts(d->resolver);
	struct log_counts log = log_counts();

	gauge(w, "cache_answers", r.cache.answers, "Answers in the cache.");
	gauge(w, "cache_bytes", r.cache.bytes, "Memory that they take.");
	counter(w, "cache_hits", r.cache.hits, "Lookups that the cache answered.");
	counter(w, "cache_misses", r.cache.misses, "Lookups that it did not.");
	counter(w, "cache_evictions", r.cache.evictions,
	    "Answers that were dropped for others.");
	counter(w, "cache_stale", r.old,
	    "Lookups that an old answer served while the upstreams failed.");
	counter(w, "cache_refreshes", r.refreshes,
	    "Answers that were asked for again before they were over.");
	gauge(w, "upstream_servers", r.servers, "DNS servers that are asked.");
	gauge(w, "upstream_servers_bad", r.bad_servers,
	    "Those among them that are silent or fail.");
	counter(w, "upstream_questions", r.questions, "Questions that went upstream.");
	counter(
	    w, "upstream_joined", r.joined, "Lookups that joined a question under way.");
	counter(w, "upstream_tries", r.tries, "Messages sent upstream for them.");
	counter(w, "upstream_timeouts", r.timeouts, "Tries without a reply in time.");
	counter(w, "upstream_truncated", r.truncated, "Replies that were truncated.");
	counter(w, "upstream_tcp", r.tcp, "Tries over TCP.");
	counter(w, "upstream_without_edns", r.bare,
	    "Tries without EDNS, which the server did not know.");
	counter(w, "upstream_folding", r.folding,
	    "Servers that were found to change the case of letters.");
	counter(w, "upstream_guessed", r.guessed,
	    "Servers in whose name somebody was found to guess replies.");
	counter(w, "upstream_refused", r.refused, "Replies without an answer.");
	counter(w, "upstream_mismatches", r.mismatches,
	    "Messages that were no reply to what was asked.");
	counter(w, "upstream_failures", r.failures,
	    "Questions that were not answered in the end.");
	gauge(w, "upstream_pending", r.pending, "Questions under way.");
	counter(w, "log_written", log.written, "Records that the journal took.");
	counter(w, "log_dropped", log.dropped, "Records that were lost.");
	counter(w, "log_suppressed", d->report.suppressed_total,
	    "Records that repeated others, and were counted in the next.");
}

void
figures_write(const struct daemon *d, enum figures_form form, struct buf *out)
{
	struct writer w = {.out = out, .form = form};

	write_daemon(&w, d);
	write_queries(&w, d);
	write_kernel(&w, d);
	write_names(&w, d);
	write_resolver(&w, d);
	if (form == FIGURES_JSON)
		buf_text(out, "}\n");
}
