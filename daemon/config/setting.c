/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/setting.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/quantity.h"
#include "policy/object/mesh.h"
#include "policy/syntax.h"

#define METRICS_PORT 9153
/* For meshConfig's values: each byte of the file may become a text of its own. */
#define MESH_BYTES_MAX ((size_t)100 * CONFIG_FILE_MAX)

/* Where the option's value goes; the row promises that it is a T. */
#define PLACE(t, o, T) ((T *)(void *)((char *)(t)->config + (o)->offset))

static const char *
describe(const struct node *n, char *buf)
{
	if (n->kind == NODE_MAPPING)
		return "a mapping";
	if (n->kind == NODE_SEQUENCE)
		return "a list";
	return finding_quote(n->text, n->len, buf);
}

int
setting_refuse(const struct option_target *t, const struct option *o,
    const struct node *value, const char *why)
{
	char quoted[FINDING_QUOTE_MAX], range[OPTION_RANGE_MAX];

	findings_add(t->findings, FINDING_ERROR, t->file, value->line, value->column,
	    "%s: %s is not allowed: %s", o->name, describe(value, quoted),
	    why != NULL ? why : option_range(o, range));
	return -EINVAL;
}

static bool
is_mesh_field(const struct node *key)
{
	for (enum mesh_field f = 0; f < MESH_FIELDS; f++)
		if (node_is_text(key, mesh_field_name(f)))
			return true;
	return false;
}

/*
 * In a manifest all other keys of a mesh configuration are passed over. Here they are
 * errors, as everywhere in the configuration: a misspelt outboundTrafficPolicy would mean
 * ALLOW_ANY, and one without a value too.
 */
static int
check_mesh_keys(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	char quoted[FINDING_QUOTE_MAX];
	int result = 0;

	for (const struct node *n = value->child; n != NULL; n = n->next) {
		if (!is_mesh_field(n->key)) {
			findings_add(t->findings, FINDING_ERROR, t->file, n->key->line,
			    n->key->column,
			    "%s: unknown key %s: outboundTrafficPolicy, "
			    "defaultServiceExportTo, rootNamespace and "
			    "discoverySelectors are known here",
			    o->name, finding_quote(n->key->text, n->key->len, quoted));
			result = -EINVAL;
		} else if (node_is_null(n)) {
			result = setting_refuse(t, o, n,
			    node_is_text(n->key, mesh_field_name(MESH_OUTBOUND))
				? "write {mode: REGISTRY_ONLY} or {mode: ALLOW_ANY}, or "
				  "leave the key out"
				: "write a value, or leave the key out");
		}
	}
	return result;
}

int
setting_mesh(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	struct memory *memory = &t->config->mesh_memory;
	struct reader rd = {.file = t->file, .findings = t->findings, .memory = memory};
	int r;

	if (value->kind != NODE_MAPPING)
		return setting_refuse(t, o, value, NULL);
	if (value->len == 0)
		return 0;
	r = check_mesh_keys(t, o, value);
	if (r == 0 && memory->arena == NULL)
		r = memory_init(memory, MESH_BYTES_MAX);
	return r == 0 ? mesh_read(&rd, value, &t->config->mesh) : r;
}

static bool
in_range(const struct option *o, uint64_t value)
{
	return value >= o->min && value <= o->max;
}

int
setting_milliseconds(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	uint64_t ms;

	if (value->kind != NODE_SCALAR ||
	    quantity_parse_ms(value->text, value->len, &ms) < 0 || !in_range(o, ms))
		return setting_refuse(t, o, value, NULL);
	*PLACE(t, o, uint32_t) = (uint32_t)ms;
	return 0;
}

int
setting_seconds(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	uint64_t ms;

	if (value->kind != NODE_SCALAR ||
	    quantity_parse_ms(value->text, value->len, &ms) < 0 || ms % 1000 != 0 ||
	    !in_range(o, ms / 1000))
		return setting_refuse(t, o, value, NULL);
	*PLACE(t, o, uint32_t) = (uint32_t)(ms / 1000);
	return 0;
}

int
setting_number(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	uint64_t number;

	if (node_number(value, o->max, &number) < 0 || !in_range(o, number))
		return setting_refuse(t, o, value, NULL);
	*PLACE(t, o, uint32_t) = (uint32_t)number;
	return 0;
}

int
setting_bytes(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	uint64_t bytes;

	if (value->kind != NODE_SCALAR ||
	    quantity_parse_bytes(value->text, value->len, &bytes) < 0 ||
	    !in_range(o, bytes) || bytes > SIZE_MAX)
		return setting_refuse(t, o, value, NULL);
	*PLACE(t, o, size_t) = (size_t)bytes;
	return 0;
}

int
setting_bool(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	bool yes;

	if (node_bool(value, &yes) < 0)
		return setting_refuse(t, o, value, NULL);
	*PLACE(t, o, bool) = yes;
	return 0;
}

int
setting_rcode(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	if (node_is_text(value, "NXDOMAIN"))
		t->config->refused_rcode = CONFIG_NXDOMAIN;
	else if (node_is_text(value, "REFUSED"))
		t->config->refused_rcode = CONFIG_REFUSED;
	else
		return setting_refuse(t, o, value, NULL);
	return 0;
}

int
setting_https(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	t->config->https_lease = node_is_text(value, "lease");
	return t->config->https_lease || node_is_text(value, "nodata")
		   ? 0
		   : setting_refuse(t, o, value, NULL);
}

int
setting_revoke(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	t->config->revoke_flows = node_is_text(value, "flows");
	return t->config->revoke_flows || node_is_text(value, "leases")
		   ? 0
		   : setting_refuse(t, o, value, NULL);
}

int
setting_unlisted(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	if (node_is_text(value, "reject"))
		t->config->unlisted_drop = false;
	else if (node_is_text(value, "drop"))
		t->config->unlisted_drop = true;
	else
		return setting_refuse(t, o, value, NULL);
	return 0;
}

int
setting_errors(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	if (node_is_text(value, "refuse"))
		t->config->skip_broken = false;
	else if (node_is_text(value, "skip"))
		t->config->skip_broken = true;
	else
		return setting_refuse(t, o, value, NULL);
	return 0;
}

int
setting_path(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	char *path;

	if (value->kind != NODE_SCALAR || value->len == 0 || value->text[0] != '/' ||
	    !in_range(o, value->len))
		return setting_refuse(t, o, value, NULL);
	path = strdup(value->text);
	if (path == NULL)
		return -ENOMEM;
	*PLACE(t, o, char *) = path;
	return 0;
}

int
setting_port(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	struct endpoint e = {0};

	if (value->kind != NODE_SCALAR ||
	    (value->len > 0 &&
		endpoint_parse(value->text, value->len, METRICS_PORT, &e) < 0))
		return setting_refuse(t, o, value, NULL);
	*PLACE(t, o, struct endpoint) = e;
	return 0;
}

int
setting_domain(
    const struct option_target *t, const struct option *o, const struct node *value)
{
	struct name name;
	char *domain;

	if (value->kind != NODE_SCALAR || !in_range(o, value->len) ||
	    !syntax_fqdn(value->text, value->len) ||
	    name_parse(value->text, value->len, &name) < 0)
		return setting_refuse(t, o, value, NULL);
	domain = strdup(value->text);
	if (domain == NULL)
		return -ENOMEM;
	*PLACE(t, o, char *) = domain;
	return 0;
}
