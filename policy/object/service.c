/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/service.h"

#include <string.h>

#include "policy/syntax.h"

static const char *const types[] = {
    "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"};

static void
read_type(struct reader *rd, const struct node *type, struct service *s)
{
	s->kind = SERVICE_CLUSTER_IP;
	if (!reader_text(rd, type, "type"))
		return;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(type->text, types[i]) == 0) {
			if (strcmp(type->text, "ExternalName") == 0)
				s->kind = SERVICE_EXTERNAL_NAME;
			return;
		}
	reader_refuse(rd, type, "type",
	    "is unknown: one of ClusterIP, NodePort, LoadBalancer and ExternalName");
}

static void
add_address(struct reader *rd, const struct node *n, const char *what, struct service *s)
{
	struct addr a;

	if (addr_parse(n->text, n->len, &a) < 0) {
		reader_refuse(rd, n, what, "is neither an IP address nor \"None\"");
		return;
	}
	for (size_t i = 0; i < s->address_count; i++)
		if (s->addresses[i].family == a.family) {
			reader_refuse(
			    rd, n, what, "is the second one of its family: remove one");
			return;
		}
	s->addresses[s->address_count++] = a; /* one a family: they fit */
}

static void
read_list(struct reader *rd, const struct node *list, struct service *s)
{
	for (const struct node *c = list->child; c != NULL; c = c->next) {
		if (node_is_null(c))
			reader_error(rd, c, "clusterIPs has an empty element: remove it");
		if (!reader_text(rd, c, "clusterIPs"))
			continue;
		if (strcmp(c->text, "None") != 0) {
			add_address(rd, c, "clusterIPs", s);
			continue;
		}
		s->kind = SERVICE_HEADLESS;
		if (list->len > 1)
			reader_error(rd, c,
			    "clusterIPs \"None\" cannot stand beside others: remove it "
			    "or "
			    "them");
	}
}

/* clusterIP is the first of clusterIPs; older manifests have only the former. */
static void
read_addresses(struct reader *rd, const struct node *spec, struct service *s)
{
	const struct node *one = reader_get(spec, "clusterIP");
	const struct node *list = reader_get(spec, "clusterIPs");
	bool has_one = reader_text(rd, one, "clusterIP") && one->len > 0;
	bool has_list = reader_sequence(rd, list, "clusterIPs", SERVICE_ADDRESSES_MAX) &&
			list->len > 0;

	if (s->kind == SERVICE_EXTERNAL_NAME) {
		if ((has_one && strcmp(one->text, "None") != 0) || has_list)
			reader_error(rd, has_list ? list : one,
			    "a Service of type ExternalName has no clusterIP: remove it");
		return;
	}
	if (has_one && has_list && !node_is_text(list->child, one->text))
		reader_refuse(rd, one, "clusterIP", "is not the first of clusterIPs");
	if (has_list)
		read_list(rd, list, s);
	else if (has_one && strcmp(one->text, "None") == 0)
		s->kind = SERVICE_HEADLESS;
	else if (has_one)
		add_address(rd, one, "clusterIP", s);
}

static void
read_external_name(struct reader *rd, const struct node *spec, struct service *s)
{
	const struct node *name = reader_get(spec, "externalName");

	if (s->kind != SERVICE_EXTERNAL_NAME)
		return;
	if (name == NULL || (name->kind == NODE_SCALAR && name->len == 0))
		reader_error(rd, spec,
		    "a Service of type ExternalName needs an externalName: add it");
	else if (!reader_text(rd, name, "externalName"))
		return;
	else if (!syntax_fqdn(name->text, name->len))
		reader_refuse(rd, name, "externalName", "is no name of a host");
	else
		s->external_name = reader_copy(rd, name);
}

/* With several ports each has a name of its own; number and protocol are unique. */
static void
check_ports(struct reader *rd, const struct node *spec, const struct service *s)
{
	const struct service_ports *p = &s->ports;
	const struct node *list = reader_get(spec, "ports");

	if (s->kind == SERVICE_CLUSTER_IP && (list == NULL || list->len == 0))
		reader_error(rd, spec, "a Service without ports: add one");
	for (size_t i = 0; i < p->count; i++) {
		if (p->list[i].port.name[0] == '\0' && list->len > 1)
			reader_error(rd, list,
			    "port %u has no name, which each of several ports needs",
			    p->list[i].port.number);
		for (size_t k = 0; k < i; k++) {
			const struct registry_port *a = &p->list[i].port;
			const struct registry_port *b = &p->list[k].port;

			if (a->number == b->number && a->proto == b->proto)
				reader_error(rd, list, "port %u/%s stands twice",
				    a->number, a->protocol);
			if (a->name[0] != '\0' && strcmp(a->name, b->name) == 0)
				reader_error(
				    rd, list, "port name %s stands twice", a->name);
		}
	}
}

static void
read_export(struct reader *rd, const struct manifest *m, struct service *s)
{
	const struct node *annotation =
	    reader_get(m->annotations, SERVICE_EXPORT_ANNOTATION);

	s->export = (struct export){.public = true};
	if (reader_text(rd, annotation, SERVICE_EXPORT_ANNOTATION) && annotation->len > 0)
		export_read_text(rd, annotation, m->namespace, &s->export);
}

static void
read_spec(struct reader *rd, const struct manifest *m, struct service *s)
{
	read_type(rd, reader_get(m->spec, "type"), s);
	read_addresses(rd, m->spec, s);
	read_external_name(rd, m->spec, s);
	service_port_read(rd, reader_get(m->spec, "ports"), true, &s->ports);
	check_ports(rd, m->spec, s);
	(void)reader_bool(rd, reader_get(m->spec, "publishNotReadyAddresses"),
	    "publishNotReadyAddresses", &s->not_ready_too); /* absent: false */
	read_export(rd, m, s);
	if (s->kind == SERVICE_CLUSTER_IP && s->address_count == 0)
		reader_note(rd, m->at,
		    "the Service has no clusterIP, as kubectl get prints it: there is "
		    "nothing to answer with");
}

struct service *
service_read(struct reader *rd, const struct manifest *m)
{
	struct service *s = memory_alloc(rd->memory, sizeof(*s));
	size_t errors = rd->errors;

	if (s == NULL)
		return NULL;
	if (!syntax_namespace(m->name, strlen(m->name)))
		reader_error(rd, m->at,
		    "a Service's name is one label in lower case, without a dot");
	s->source = (struct registry_source){
	    .kind = "Service",
	    .namespace = memory_text(rd->memory, m->namespace, strlen(m->namespace)),
	    .name = memory_text(rd->memory, m->name, strlen(m->name)),
	    .file = rd->file,
	    .line = m->at->line,
	};
	s->column = m->at->column;
	s->created = m->created;
	if (m->spec == NULL)
		reader_error(rd, m->at, "spec is missing");
	else if (reader_mapping(rd, m->spec, "spec"))
		read_spec(rd, m, s);
	return rd->errors == errors && rd->memory->lack == 0 ? s : NULL;
}
