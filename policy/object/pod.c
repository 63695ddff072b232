/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/pod.h"

#include <string.h>

static bool
holds(const struct pod *p, const struct addr *a)
{
	for (size_t i = 0; i < p->address_count; i++)
		if (addr_equal(&p->addresses[i], a))
			return true;
	return false;
}

/* podIP stands among podIPs too, normally. */
static void
take_address(struct reader *rd, const struct node *n, struct pod *p)
{
	struct addr a;

	if (!reader_text(rd, n, "podIP") || n->len == 0)
		return;
	if (addr_parse(n->text, n->len, &a) < 0) {
		reader_refuse(rd, n, "podIP", "is no IP address");
		return;
	}
	if (!holds(p, &a))
		p->addresses[p->address_count++] = a;
}

static void
read_addresses(struct reader *rd, const struct node *status, struct pod *p)
{
	const struct node *list = reader_get(status, "podIPs");

	p->addresses =
	    memory_array(rd->memory, POD_ADDRESSES_MAX + 1, sizeof(*p->addresses));
	if (p->addresses == NULL)
		return;
	take_address(rd, reader_get(status, "podIP"), p);
	if (!reader_sequence(rd, list, "podIPs", POD_ADDRESSES_MAX))
		return;
	for (const struct node *c = list->child; c != NULL; c = c->next)
		if (reader_mapping(rd, c, "podIPs"))
			take_address(rd, reader_get(c, "ip"), p);
}

/* Its address may be another pod's by now. */
static bool
is_finished(const struct node *status)
{
	const struct node *phase = reader_get(status, "phase");

	return node_is_text(phase, "Succeeded") || node_is_text(phase, "Failed");
}

/* Of this pod, and not of another one that had its name before. */
static const char *
read_uid(struct reader *rd, const struct manifest *m)
{
	const struct node *uid = reader_get(reader_get(m->at, "metadata"), "uid");

	if (uid == NULL || !reader_text(rd, uid, "metadata.uid"))
		return "";
	return memory_text(rd->memory, uid->text, uid->len);
}

struct pod *
pod_read(struct reader *rd, const struct manifest *m)
{
	const struct node *status = reader_get(m->at, "status");
	struct pod *p = memory_alloc(rd->memory, sizeof(*p));
	size_t errors = rd->errors;
	bool host_network = false;

	if (p == NULL)
		return NULL;
	p->source = (struct registry_source){
	    .kind = "Pod",
	    .namespace = memory_text(rd->memory, m->namespace, strlen(m->namespace)),
	    .name = memory_text(rd->memory, m->name, strlen(m->name)),
	    .file = rd->file,
	    .line = m->at->line,
	};
	p->uid = read_uid(rd, m);
	labels_read(rd, m->labels, "metadata.labels", &p->labels);
	(void)reader_mapping(rd, m->spec, "spec"); /* only for its finding */
	(void)reader_bool(rd, reader_get(m->spec, "hostNetwork"), "hostNetwork",
	    &host_network); /* absent: false */
	if (reader_mapping(rd, status, "status") && !host_network && !is_finished(status))
		read_addresses(rd, status, p);
	return rd->errors == errors && rd->memory->lack == 0 ? p : NULL;
}
