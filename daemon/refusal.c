/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/refusal.h"

#include <stdbool.h>
#include <string.h>

#include "daemon/log.h"

static bool
lists(const struct registry_host *host, const struct enforcer_refused *flow)
{
	for (size_t i = 0; i < host->port_count; i++)
		if (host->ports[i].number == flow->port &&
		    host->ports[i].proto == flow->proto)
			return true;
	return false;
}

enum report_reason
refusal_reason(const struct refusal *r, const struct refusal_view *view,
    const struct enforcer_refused *flow, const struct name **ret_name)
{
	const struct workload *w = registry_workload(view->registry, &flow->source);
	const struct name *own =
	    recent_find(r->recent, &flow->source, &flow->destination, view->now_ms);
	const struct name *name = own;
	struct verdict v;

	if (name == NULL)
		name = recent_find(r->recent, NULL, &flow->destination, view->now_ms);
	*ret_name = name;
	if (name == NULL)
		return REPORT_UNLISTED;
	registry_judge(view->registry, w, name, &v);
	if (v.kind != VERDICT_HOST)
		return REPORT_UNLISTED;
	return own != NULL && !lists(v.host, flow) ? REPORT_NOT_LISTED_PORT
						   : REPORT_NO_LOOKUP;
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

		c.reason = refusal_reason(r, view, flow, &c.name);
		report_refused_connection(r->report, &c, view->now_ms);
	}
}
