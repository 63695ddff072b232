/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/refusal.h"

#include <stdbool.h>
#include <string.h>

#include "daemon/log/log.h"
#include "policy/explain/lister.h"

static bool
lists(const struct registry_host *host, const struct enforcer_refused *flow)
{
	return registry_port(host->ports, host->port_count, flow->port, flow->proto) !=
	       NULL;
}

/* Nobody was led there by a name. */
static void
explain_bare(const struct refusal_view *view, struct report_connection *c)
{
	c->near = lister_find(view->registry, c->destination);
	c->reason = c->near != NULL ? REPORT_LISTED_OTHERWISE : REPORT_UNLISTED;
}

void
refusal_explain(const struct refusal *r, const struct refusal_view *view,
    const struct enforcer_refused *flow, struct report_connection *c)
{
	const struct name *own =
	    recent_find(r->recent, &flow->source, &flow->destination, view->now_ms);
	struct verdict v;

	c->name = own;
	if (own == NULL)
		c->name = recent_find(r->recent, NULL, &flow->destination, view->now_ms);
	if (c->name == NULL) {
		explain_bare(view, c);
		return;
	}
	registry_judge(view->registry, c->workload, c->name, &v);
	c->near = v.host;
	if (v.kind != VERDICT_HOST)
		c->reason = REPORT_UNLISTED;
	else if (own != NULL && !lists(v.host, flow))
		c->reason = REPORT_NOT_LISTED_PORT;
	else
		c->reason = REPORT_NO_LOOKUP;
}

void
refusal_take(
    struct refusal *r, const struct refusal_view *view, const struct enforcer_message *m)
{
	r->counts.packets += m->packets;
	r->counts.unread += m->lost;
	if (m->result < 0)
		log_event(LOG_FAULT, LOG_PRIORITY_WARNING, NULL, 0,
		    "refused connections do not reach the log: NFLOG group: %s; they are "
		    "refused all the same; end what else listens to that group, or load "
		    "nfnetlink_log, and reload",
		    strerror(-m->result));
	for (size_t i = 0; i < m->count; i++) {
		const struct enforcer_refused *flow = &m->body.refused[i];
		struct report_connection c = {
		    .pod = &flow->source,
		    .workload = registry_workload(view->registry, &flow->source),
		    .destination = &flow->destination,
		    .port = flow->port,
		    .proto = flow->proto,
		};

		refusal_explain(r, view, flow, &c);
		report_refused_connection(r->report, &c, view->now_ms);
	}
}
