/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/explain/explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/explain/explain_address.h"
#include "policy/explain/explain_near.h"
#include "policy/explain/explainer.h"

#define DNS_PORT 53

void
explain_say(struct explanation *e, enum explain_role role,
    const struct registry_host *host, const char *fmt, ...)
{
	struct explain_reason *reason;
	va_list args;

	if (e->count == EXPLAIN_REASONS_MAX) {
		e->dropped++;
		return;
	}
	reason = &e->reasons[e->count++];
	reason->role = role;
	reason->host = host;
	va_start(args, fmt);
	(void)vsnprintf(reason->text, sizeof(reason->text), fmt, args); /* may be cut */
	va_end(args);
}

static bool
find_namespace(const struct registry *r, const char *namespace, uint32_t *ret_id)
{
	for (size_t i = 0; i < r->namespace_count; i++)
		if (strcmp(r->namespaces[i], namespace) == 0) {
			*ret_id = (uint32_t)i;
			return true;
		}
	return false;
}

/* A pod that no manifest tells of sees what its namespace sees: into made_up. */
static const struct workload *
find_workload(const struct registry *r, const struct explain_question *q,
    struct workload *made_up, const struct workload **ret_known)
{
	const struct workload *w = NULL;
	uint32_t id;

	if (q->namespace == NULL)
		w = registry_workload(r, &q->source);
	else if (q->pod != NULL)
		w = workloads_named(&r->workloads, q->namespace, q->pod);
	*ret_known = w;
	if (w != NULL || q->namespace == NULL)
		return w;
	if (!find_namespace(r, q->namespace, &id))
		return NULL;
	*made_up = (struct workload){
	    .namespace = q->namespace,
	    .name = "",
	    .namespace_id = id,
	    .scope_id = r->plain[id].scope_id,
	    .mode = r->plain[id].mode,
	    .sidecar = r->plain[id].sidecar,
	};
	return made_up;
}

/* Which Sidecar it is under, and what that says. */
static void
tell_sidecar(const struct explainer *x)
{
	const struct registry_sidecar *s = explainer_sidecar(x);
	const char *mode = "";
	char place[EXPLAINER_LIST_MAX];

	if (s == NULL)
		return;
	if (s->states_mode)
		mode = explainer_mode(x) == OUTBOUND_ALLOW_ANY
			   ? "sets the mode ALLOW_ANY and "
			   : "sets the mode REGISTRY_ONLY and ";
	explain_say(x->out, EXPLAIN_NOTE, NULL, "%s applies: it %simports %s",
	    explainer_place(s, place), mode,
	    s->imports != NULL ? s->imports : "everything");
}

/* What the answer rests on when the workload is not known. */
static void
tell_workload(const struct explainer *x)
{
	const struct explain_question *q = x->q;

	if (x->out->workload != NULL || explainer_mode(x) == OUTBOUND_ALLOW_ANY)
		return;
	if (q->namespace == NULL)
		explain_say(x->out, EXPLAIN_NOTE, NULL,
		    "no manifest tells whose address that is: such a pod sees what is "
		    "exported to all namespaces");
	else if (q->pod != NULL)
		explain_say(x->out, EXPLAIN_NOTE, NULL,
		    "no manifest tells of the pod %s/%s: this is what a pod of its "
		    "namespace may reach once a manifest tells of it; until then it sees "
		    "what is exported to all namespaces",
		    q->namespace, q->pod);
	else if (x->w == NULL)
		explain_say(x->out, EXPLAIN_NOTE, NULL,
		    "no manifest names the namespace %s: it sees what is exported to all "
		    "namespaces",
		    q->namespace);
}

static void
allow(const struct explainer *x, const char *why)
{
	x->out->allowed = true;
	explain_say(x->out, EXPLAIN_RULE, NULL, "%s", why);
}

static void
note_answer(const struct explainer *x, const struct registry_host *h)
{
	char names[EXPLAINER_LIST_MAX];

	if (h->ways != NULL && h->ways->override_count > 0)
		explain_say(x->out, EXPLAIN_NOTE, NULL,
		    "endpoints have ports of their own, which go before the others: %s",
		    explainer_own_ports(h->ways, names));
	if (h->target_count > 0)
		explain_say(x->out, EXPLAIN_NOTE, NULL,
		    "its endpoints' names are asked in its stead, and their addresses "
		    "returned under its name: %s",
		    explainer_targets(h->targets, h->target_count, names));
	if (h->in_zone)
		explain_say(x->out, EXPLAIN_NOTE, NULL,
		    "the Service lies in an internal zone: a lookup is asked there");
	else if (h->resolution == RESOLUTION_STATIC)
		explain_say(x->out, EXPLAIN_NOTE, NULL,
		    "resolution STATIC: a lookup is answered with the addresses that the "
		    "entry lists");
	else if (h->listed_only)
		explain_say(x->out, EXPLAIN_NOTE, NULL,
		    "its endpoints have no names: a lookup is answered with the "
		    "addresses that the entry lists");
	else if (!h->internal)
		explain_say(x->out, EXPLAIN_NOTE, NULL,
		    "an external name must not lead inside: private, link-local and own "
		    "addresses are taken out of its answer unless the entry lists them");
	explain_say(x->out, EXPLAIN_NOTE, NULL,
	    "its addresses open after a lookup of the name, and for the pod that made "
	    "it");
}

static void
allow_host(const struct explainer *x, const struct registry_host *h,
    const struct registry_port *port)
{
	char ports[EXPLAINER_LIST_MAX];

	x->out->allowed = true;
	if (x->q->port == 0)
		explain_say(x->out, EXPLAIN_RULE, h, "host %s opens %s", h->host,
		    explainer_ports(h->ports, h->port_count, ports));
	else
		explain_say(x->out, EXPLAIN_RULE, h, "host %s, port %s (%s)", h->host,
		    explainer_ports(port, 1, ports), port->name);
	note_answer(x, h);
}

/* The name is answered; does something open? */
static void
judge_host(const struct explainer *x, const struct registry_host *h)
{
	const struct registry_port *port = explainer_port(x, h->ports, h->port_count);
	char ports[EXPLAINER_LIST_MAX];
	struct addr one;

	if (h->port_count == 0)
		explain_say(x->out, EXPLAIN_RULE, h,
		    "host %s is answered, but its entry lists no ports: nothing opens",
		    h->host);
	else if (port == NULL)
		explain_say(x->out, EXPLAIN_RULE, h,
		    "host %s is answered, but port %u/%s is not listed; it lists "
		    "%s",
		    h->host, x->q->port, explainer_proto(x->q->proto),
		    explainer_ports(h->ports, h->port_count, ports));
	else if (h->listed_only && registry_static(h, &one, 1) == 0)
		explain_say(x->out, EXPLAIN_RULE, h,
		    "host %s is answered with what its entry lists, which is no single "
		    "address: a lookup of it is answered without addresses",
		    h->host);
	else
		allow_host(x, h, port);
	if (port == NULL)
		explain_near_port(x, h);
}

static void
judge_name(const struct explainer *x)
{
	struct verdict v;

	registry_judge(x->r, x->w, &x->q->name, &v);
	switch (v.kind) {
	case VERDICT_ZONE:
		allow(x, "the name lies in an internal zone: every pod may look it up");
		explain_say(x->out, EXPLAIN_NOTE, NULL,
		    "its addresses open by no entry of the name: they must be in the "
		    "internal ranges of the configuration, or listed by an entry");
		break;
	case VERDICT_OPEN:
		allow(x, "the mode is ALLOW_ANY: nothing is refused");
		break;
	case VERDICT_HOST:
		judge_host(x, v.host);
		break;
	case VERDICT_PARENT:
		explain_say(x->out, EXPLAIN_RULE, NULL,
		    "the name is not registered itself; only names below it are, so it "
		    "is "
		    "answered without addresses");
		explain_near_name(x);
		break;
	case VERDICT_REFUSED:
		explain_say(x->out, EXPLAIN_RULE, NULL,
		    "no entry that this workload sees has the name among its hosts");
		explain_near_name(x);
		break;
	}
}

/* The kernel leads it to us before it looks at any list. */
static bool
is_intercepted(const struct explainer *x)
{
	return x->q->intercept && x->q->port == DNS_PORT &&
	       explainer_mode(x) != OUTBOUND_ALLOW_ANY;
}

void
explain(const struct registry *r, const struct explain_question *q,
    struct explanation *ret_explanation)
{
	struct workload made_up;
	struct explainer x = {.r = r, .q = q, .out = ret_explanation};

	*ret_explanation = (struct explanation){0};
	x.w = find_workload(r, q, &made_up, &ret_explanation->workload);
	if (is_intercepted(&x))
		explain_say(ret_explanation, EXPLAIN_RULE, NULL,
		    "port 53 is led to egressd, which answers itself: \"intercept\" of "
		    "the configuration");
	else if (q->address.family != 0)
		explain_address(&x);
	else
		judge_name(&x);
	tell_sidecar(&x);
	tell_workload(&x);
}
