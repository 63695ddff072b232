/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks are those of Istio's webhook, ValidateSidecar in istio/istio
 * pkg/config/validation/validation.go, and of the resource's schema.
 */
#include "policy/object/sidecar.h"

#include <string.h>

#include "policy/object/sidecar_ingress.h"
#include "policy/syntax.h"

#define DRY_RUN "istio.io/dry-run"

static const char *const known[] = {"workloadSelector", "ingress", "egress",
    "inboundConnectionPool", "outboundTrafficPolicy", NULL};

static void
check_annotations(struct reader *rd, const struct manifest *m)
{
	const struct node *n = node_get(m->annotations, DRY_RUN);

	if (n != NULL)
		reader_error(rd, n->key,
		    "annotation " DRY_RUN " is not supported here: remove it");
}

static bool
is_empty(const struct node *n)
{
	return n == NULL || (n->kind == NODE_SEQUENCE && n->len == 0);
}

static void
check_content(struct reader *rd, const struct manifest *m)
{
	if (is_empty(reader_get(m->spec, "egress")) &&
	    is_empty(reader_get(m->spec, "ingress")) &&
	    reader_get(m->spec, "outboundTrafficPolicy") == NULL &&
	    reader_get(m->spec, "inboundConnectionPool") == NULL)
		reader_error(rd, m->spec != NULL ? m->spec : m->at,
		    "an empty Sidecar: state egress or outboundTrafficPolicy, or remove "
		    "it");
}

static void
read_selector(struct reader *rd, const struct node *selector, struct sidecar *s)
{
	static const char *const fields[] = {"labels", NULL};
	const struct node *labels = reader_get(selector, "labels");

	if (!reader_mapping(rd, selector, "workloadSelector"))
		return;
	s->has_selector = true;
	reader_known(rd, selector, "workloadSelector", fields);
	if (labels == NULL || labels->len == 0)
		reader_warning(rd, selector,
		    "a workloadSelector without labels selects every pod of the "
		    "namespace, and goes before a Sidecar without workloadSelector");
	/* an empty key and a '*' are no key and no value of a label */
	labels_check(rd, labels, "workloadSelector label", SIDECAR_LABELS_MAX);
	labels_read(rd, labels, "workloadSelector label", &s->selector);
}

static void
read_mode(struct reader *rd, const struct node *n, struct sidecar *s)
{
	if (!reader_text(rd, n, "outboundTrafficPolicy.mode"))
		return;
	if (strcmp(n->text, "ALLOW_ANY") == 0)
		s->outbound = OUTBOUND_ALLOW_ANY;
	else if (strcmp(n->text, "ALLOW_ANY_DYNAMIC_DNS") == 0)
		reader_refuse(rd, n, "outboundTrafficPolicy.mode",
		    "is the mesh's only: write ALLOW_ANY or REGISTRY_ONLY in a Sidecar");
	else if (strcmp(n->text, "REGISTRY_ONLY") != 0)
		reader_refuse(rd, n, "outboundTrafficPolicy.mode",
		    "is unknown: write REGISTRY_ONLY or ALLOW_ANY");
}

/* Nothing is sent to it here: a pod's traffic goes where the pod sends it. */
static void
check_proxy(struct reader *rd, const struct node *proxy, const struct sidecar *s)
{
	static const char *const fields[] = {"host", "port", "subset", NULL};
	const struct node *host = reader_get(proxy, "host");
	const struct node *port = reader_get(proxy, "port");
	uint64_t number;

	if (!reader_mapping(rd, proxy, "egressProxy"))
		return;
	reader_known(rd, proxy, "egressProxy", fields);
	if (s->outbound != OUTBOUND_ALLOW_ANY) {
		reader_error(rd, proxy,
		    "egressProxy goes only with mode ALLOW_ANY: remove it, or state the "
		    "mode");
		return;
	}
	if (host == NULL)
		reader_error(rd, proxy, "egressProxy needs a host: add its whole name");
	else if (reader_text(rd, host, "the host of egressProxy") &&
		 (strchr(host->text, '.') == NULL || !syntax_fqdn(host->text, host->len)))
		reader_refuse(rd, host, "the host of egressProxy",
		    "is no host name with its domain");
	if (port == NULL || reader_get(port, "number") == NULL)
		reader_error(
		    rd, proxy, "egressProxy needs a port: add port: {number: N}");
	else
		(void)reader_number(rd, reader_get(port, "number"),
		    "the port of egressProxy", 1, 65535, &number); /* for its finding */
	reader_warning(rd, proxy,
	    "egressProxy is not used here: the pods' traffic goes where they send it");
}

/* Present is what counts: {} is the enum's zero value, REGISTRY_ONLY. */
static void
read_policy(struct reader *rd, const struct node *policy, struct sidecar *s)
{
	static const char *const fields[] = {"mode", "egressProxy", NULL};

	if (!reader_mapping(rd, policy, "outboundTrafficPolicy"))
		return;
	s->has_outbound = true;
	s->outbound = OUTBOUND_REGISTRY_ONLY;
	reader_known(rd, policy, "outboundTrafficPolicy", fields);
	read_mode(rd, reader_get(policy, "mode"), s);
	check_proxy(rd, reader_get(policy, "egressProxy"), s);
}

static void
read_spec(struct reader *rd, const struct manifest *m, struct sidecar *s)
{
	const struct node *pool = reader_get(m->spec, "inboundConnectionPool");

	check_annotations(rd, m);
	check_content(rd, m);
	if (m->spec == NULL || !reader_mapping(rd, m->spec, "spec"))
		return;
	reader_known(rd, m->spec, "spec", known);
	read_selector(rd, reader_get(m->spec, "workloadSelector"), s);
	sidecar_ingress_check(rd, reader_get(m->spec, "ingress"));
	(void)reader_mapping(rd, pool, "inboundConnectionPool"); /* for its finding */
	egress_read(rd, reader_get(m->spec, "egress"), m->namespace, &s->egress,
	    &s->egress_count);
	read_policy(rd, reader_get(m->spec, "outboundTrafficPolicy"), s);
}

struct sidecar *
sidecar_read(struct reader *rd, const struct manifest *m)
{
	struct sidecar *s = memory_alloc(rd->memory, sizeof(*s));
	size_t errors = rd->errors;

	if (s == NULL)
		return NULL;
	s->source = (struct registry_source){
	    .kind = "Sidecar",
	    .namespace = memory_text(rd->memory, m->namespace, strlen(m->namespace)),
	    .name = memory_text(rd->memory, m->name, strlen(m->name)),
	    .file = rd->file,
	    .line = m->at->line,
	};
	s->created = m->created;
	read_spec(rd, m, s);
	return rd->errors == errors && rd->memory->lack == 0 ? s : NULL;
}

struct sidecar *
sidecar_closed(struct memory *memory, const struct registry_source *source)
{
	struct sidecar *s = memory_alloc(memory, sizeof(*s));
	struct egress *e = memory_alloc(memory, sizeof(*e));
	struct import *nothing = memory_alloc(memory, sizeof(*nothing));

	if (s == NULL || e == NULL || nothing == NULL)
		return NULL;
	*nothing = (struct import){.exclude = true,
	    .where = IMPORT_ANYWHERE,
	    .what = IMPORT_ALL,
	    .key = "",
	    .text = "~/*"};
	*e = (struct egress){.import_count = 1, .imports = nothing, .line = source->line};
	*s = (struct sidecar){
	    .source = *source,
	    .closed = true,
	    .has_outbound = true,
	    .outbound = OUTBOUND_REGISTRY_ONLY,
	    .egress_count = 1,
	    .egress = e,
	};
	return s;
}
