/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/service_entry.h"

#include <string.h>

#include "policy/object/entry_host.h"
#include "policy/object/entry_port.h"
#include "policy/object/entry_rules.h"
#include "policy/object/labels.h"

static const char *const known[] = {"hosts", "addresses", "ports", "location",
    "resolution", "endpoints", "workloadSelector", "exportTo", "subjectAltNames", NULL};

struct word {
	const char *text;
	int value;
};

static const struct word resolutions[] = {
    {"NONE", RESOLUTION_NONE},
    {"STATIC", RESOLUTION_STATIC},
    {"DNS", RESOLUTION_DNS},
    {"DNS_ROUND_ROBIN", RESOLUTION_DNS_ROUND_ROBIN},
    {"DYNAMIC_DNS", RESOLUTION_DYNAMIC_DNS},
    {NULL, 0},
};
static const struct word locations[] = {
    {"MESH_EXTERNAL", false},
    {"MESH_INTERNAL", true},
    {NULL, 0},
};

/* E37 and the decoder's refusal of unknown words; absent is the enum's zero value. */
static int
read_word(struct reader *rd, const struct node *n, const char *what,
    const struct word *words, const char *all)
{
	char quoted[FINDING_QUOTE_MAX];

	if (!reader_text(rd, n, what))
		return 0;
	for (const struct word *w = words; w->text != NULL; w++)
		if (strcmp(w->text, n->text) == 0)
			return w->value;
	reader_error(rd, n, "%s %s is unknown: one of %s", what,
	    finding_quote(n->text, n->len, quoted), all);
	return 0;
}

/* E2, W1, W3 */
static const char *
read_selector(struct reader *rd, const struct node *selector, struct labels *ret_selected)
{
	static const char *const fields[] = {"labels", NULL};
	const struct node *labels = reader_get(selector, "labels");

	if (!reader_mapping(rd, selector, "workloadSelector"))
		return NULL;
	reader_known(rd, selector, "workloadSelector", fields);
	if (labels == NULL || labels->len == 0)
		reader_warning(rd, selector,
		    "a workloadSelector without labels selects every workload of the "
		    "namespace");
	/* an empty key and a '*' are no key and no value of a label */
	labels_check(rd, labels, "workloadSelector label", SERVICE_ENTRY_LABELS_MAX);
	labels_read(rd, labels, "workloadSelector label", ret_selected);
	return labels_text(rd, labels, "workloadSelector label");
}

static void
read_endpoints(const struct draft *d)
{
	struct service_entry *e = d->entry;
	struct workload_entry_rules rules = {
	    .resolution = e->resolution,
	    .port_count = e->port_count,
	    .ports = e->ports,
	};

	if (!reader_sequence(
		d->rd, d->endpoints, "endpoints", SERVICE_ENTRY_ENDPOINTS_MAX) ||
	    d->endpoints->len == 0)
		return;
	e->endpoints =
	    memory_array(d->rd->memory, d->endpoints->len, sizeof(*e->endpoints));
	if (e->endpoints == NULL)
		return;
	for (const struct node *c = d->endpoints->child; c != NULL; c = c->next)
		if (workload_entry_read(
			d->rd, c, &rules, &e->endpoints[e->endpoint_count]))
			e->endpoint_count++;
}

static void
read_spec(const struct draft *d)
{
	struct reader *rd = d->rd;
	struct service_entry *e = d->entry;

	reader_known(rd, d->manifest->spec, "spec", known);
	e->resolution = (enum registry_resolution)read_word(rd, d->resolution,
	    "resolution", resolutions, "NONE, STATIC, DNS, DNS_ROUND_ROBIN, DYNAMIC_DNS");
	e->internal = read_word(rd, d->location, "location", locations,
			  "MESH_EXTERNAL, MESH_INTERNAL") != 0;
	e->selector = read_selector(rd, d->selector, &e->selected);
	entry_host_read(d);
	entry_address_read(d);
	entry_port_read(d);
	read_endpoints(d);
	export_read(rd, d->export_to, d->manifest->namespace, &e->export);
	labels_check(rd, d->manifest->labels, "metadata.labels", SIZE_MAX);
	e->labels = labels_text(rd, d->manifest->labels, "metadata.labels");
	entry_rules_check(d);
}

static struct service_entry *
make_entry(struct reader *rd, const struct manifest *m)
{
	struct service_entry *e = memory_alloc(rd->memory, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->source = (struct registry_source){
	    .kind = "ServiceEntry",
	    .namespace = memory_text(rd->memory, m->namespace, strlen(m->namespace)),
	    .name = memory_text(rd->memory, m->name, strlen(m->name)),
	    .file = rd->file,
	    .line = m->at->line,
	};
	e->column = m->at->column;
	e->created = m->created;
	return e;
}

struct service_entry *
service_entry_read(struct reader *rd, const struct manifest *m)
{
	struct draft d = {.rd = rd, .manifest = m};
	size_t errors = rd->errors;

	if (!reader_mapping(rd, m->spec, "spec")) {
		if (m->spec == NULL)
			reader_error(rd, m->at, "spec is missing");
		return NULL;
	}
	d.hosts = reader_get(m->spec, "hosts");
	d.addresses = reader_get(m->spec, "addresses");
	d.ports = reader_get(m->spec, "ports");
	d.location = reader_get(m->spec, "location");
	d.resolution = reader_get(m->spec, "resolution");
	d.selector = reader_get(m->spec, "workloadSelector");
	d.endpoints = reader_get(m->spec, "endpoints");
	d.export_to = reader_get(m->spec, "exportTo");
	d.entry = make_entry(rd, m);
	if (d.entry == NULL)
		return NULL;
	read_spec(&d);
	return rd->errors == errors && rd->memory->lack == 0 ? d.entry : NULL;
}

bool
service_entry_asks_host(const struct service_entry *e)
{
	return e->endpoint_count == 0 && e->selector == NULL &&
	       (e->resolution == RESOLUTION_DNS ||
		   e->resolution == RESOLUTION_DNS_ROUND_ROBIN);
}
