/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/mesh.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_TEXT_MAX 4352 /* PATH_MAX and a few words */

static const struct {
	const char *word;
	enum outbound_mode mode;
} modes[] = {
    {"REGISTRY_ONLY", OUTBOUND_REGISTRY_ONLY},
    {"ALLOW_ANY", OUTBOUND_ALLOW_ANY},
    {"ALLOW_ANY_DYNAMIC_DNS", OUTBOUND_ALLOW_ANY},
};

static int
read_mode(struct reader *rd, const struct node *n, enum outbound_mode *ret_mode)
{
	if (!reader_text(rd, n, "outboundTrafficPolicy.mode"))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (strcmp(n->text, modes[i].word) == 0) {
			*ret_mode = modes[i].mode;
			return 0;
		}
	reader_refuse(rd, n, "outboundTrafficPolicy.mode",
	    "is unknown: write REGISTRY_ONLY or ALLOW_ANY");
	return -EINVAL;
}

static int
read_policy(struct reader *rd, const struct node *policy, struct mesh *mesh)
{
	static const char *const known[] = {"mode", NULL};
	const struct node *mode;

	if (!reader_mapping(rd, policy, "outboundTrafficPolicy"))
		return -EINVAL;
	reader_known(rd, policy, "outboundTrafficPolicy", known);
	mesh->has_outbound = true;
	mesh->outbound = OUTBOUND_REGISTRY_ONLY; /* the enum's zero value */
	mesh->line = policy->line;
	mesh->column = policy->column;
	mode = reader_get(policy, "mode");
	return mode != NULL ? read_mode(rd, mode, &mesh->outbound) : 0;
}

int
mesh_read(const struct node *mesh_config, const char *file, struct findings *findings,
    struct mesh *ret_mesh)
{
	struct reader rd = {.file = file, .findings = findings};
	struct mesh mesh = {0};
	const struct node *policy;
	int r = 0;

	if (mesh_config != NULL && !node_is_null(mesh_config) &&
	    !reader_mapping(&rd, mesh_config, "meshConfig"))
		return -EINVAL;
	policy = reader_get(mesh_config, "outboundTrafficPolicy");
	if (policy != NULL)
		r = read_policy(&rd, policy, &mesh);
	if (r == 0)
		*ret_mesh = mesh;
	return r;
}

int
mesh_read_operator(struct reader *rd, const struct manifest *m, struct mesh *ret_mesh)
{
	const struct node *values = reader_get(m->spec, "values");
	const struct node *old =
	    reader_get(reader_get(values, "global"), "outboundTrafficPolicy");
	int r;

	if (m->spec != NULL && !reader_mapping(rd, m->spec, "spec"))
		return -EINVAL;
	if (old != NULL)
		reader_warning(rd, old,
		    "values.global.outboundTrafficPolicy is not read any more: move it "
		    "to "
		    "meshConfig.outboundTrafficPolicy");
	r = mesh_read(
	    reader_get(m->spec, "meshConfig"), rd->file, rd->findings, ret_mesh);
	rd->errors += r < 0;
	return r;
}

static const struct node *
mesh_text(const struct manifest *m)
{
	const struct node *data = reader_get(m->at, "data");

	return reader_get(data, "mesh");
}

bool
mesh_is_config_map(const struct manifest *m)
{
	const struct node *name = node_get(node_get(m->at, "metadata"), "name");

	if (name == NULL || name->kind != NODE_SCALAR || mesh_text(m) == NULL)
		return false;
	return strcmp(name->text, "istio") == 0 || strncmp(name->text, "istio-", 6) == 0;
}

struct inner {
	const char *file;
	struct findings *findings;
	struct mesh *mesh;
	bool seen;
};

static int
take_document(void *ctx, const struct node *root)
{
	struct inner *inner = ctx;

	if (inner->seen) {
		findings_add(inner->findings, FINDING_ERROR, inner->file, root->line,
		    root->column, "a second document: a mesh configuration is one");
		return -EINVAL;
	}
	inner->seen = true;
	return mesh_read(root, inner->file, inner->findings, inner->mesh);
}

static int
read_text(struct reader *rd, const struct node *text, struct mesh *ret_mesh)
{
	char file[FILE_TEXT_MAX];
	struct mesh mesh = {0};
	struct inner inner = {.file = file, .findings = rd->findings, .mesh = &mesh};
	int r;

	/* a path too long is cut, which only shortens messages */
	(void)snprintf(
	    file, sizeof(file), "%s (data.mesh at line %u)", rd->file, text->line);
	r = node_read(file, text->text, text->len, rd->memory->arena, rd->findings,
	    take_document, &inner);
	if (r == 0)
		*ret_mesh = mesh;
	return r;
}

int
mesh_read_config_map(struct reader *rd, const struct manifest *m, struct mesh *ret_mesh)
{
	const struct node *text = mesh_text(m);
	int r;

	/* anybody may name a ConfigMap "istio" in a namespace of his own */
	if (m->namespace_stated && strcmp(m->namespace, MESH_ROOT_NAMESPACE) != 0) {
		reader_error(rd, m->at,
		    "a mesh ConfigMap outside " MESH_ROOT_NAMESPACE
		    " is not believed: take it out, or write "
		    "meshConfig into the configuration");
		return -EINVAL;
	}
	if (!reader_text(rd, text, "data.mesh"))
		return -EINVAL;
	r = read_text(rd, text, ret_mesh);
	rd->errors += r < 0;
	return r;
}
