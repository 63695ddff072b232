/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/builder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/registry/cluster.h"
#include "policy/registry/compile.h"
#include "policy/registry/discovery.h"
#include "policy/registry/member.h"

#define IMAGE_DEFAULT_MAX ((size_t)1 << 30)
/* The tree of one document: bounded by NODE_EVENTS_MAX and NODE_BYTES_MAX, and this is
 * above what these can come to. */
#define SCRATCH_MAX ((size_t)1 << 30)

typedef int (*take_fn)(struct registry_builder *b, struct reader *rd, struct manifest *m);

struct kind {
	const char *group;
	const char *kind;
	const char *versions[4];
	take_fn take;
};

static int
shelf_make(struct registry_builder *b)
{
	if (!b->settings->shelve)
		return 0;
	b->shelf = memory_alloc(&b->image, sizeof(*b->shelf));
	if (b->shelf == NULL)
		return b->image.lack;
	shelf_init(b->shelf);
	return 0;
}

struct registry_builder *
registry_builder_new(const struct registry_settings *settings, struct findings *findings)
{
	struct registry_builder *b = calloc(1, sizeof(*b));
	size_t limit = settings->bytes_max != 0 ? settings->bytes_max : IMAGE_DEFAULT_MAX;

	if (b == NULL)
		return NULL;
	b->settings = settings;
	b->findings = findings;
	b->entries_end = &b->entries;
	b->pods_end = &b->pods;
	b->sidecars_end = &b->sidecars;
	b->namespaces_end = &b->namespaces;
	b->services_end = &b->services;
	b->slices_end = &b->slices;
	b->workload_entries_end = &b->workload_entries;
	b->scratch = arena_new(SCRATCH_MAX);
	if (memory_init(&b->image, limit) < 0 || memory_init(&b->build, limit) < 0 ||
	    b->scratch == NULL || admission_init(b) < 0 || shelf_make(b) < 0) {
		registry_builder_free(b);
		return NULL;
	}
	return b;
}

void
registry_builder_free(struct registry_builder *b)
{
	if (b == NULL)
		return;
	admission_done(b);
	memory_done(&b->image);
	memory_done(&b->build);
	arena_free(b->scratch);
	free(b);
}

/* 1: read on; 0: it is not wanted, or a finding says what is wrong. */
static int
add_object(struct registry_builder *b, struct reader *rd, struct manifest *m)
{
	return admission_ask(b, rd, m);
}

static int
take_entry(struct registry_builder *b, struct reader *rd, struct manifest *m)
{
	struct service_entry *e;
	int r = add_object(b, rd, m);

	if (r <= 0)
		return r;
	e = service_entry_read(rd, m);
	if (e == NULL)
		return rd->memory->lack;
	*b->entries_end = e;
	b->entries_end = &e->next;
	b->entry_count++;
	return 0;
}

static int
take_pod(struct registry_builder *b, struct reader *rd, struct manifest *m)
{
	struct pod *p;
	int r = add_object(b, rd, m);

	if (r <= 0)
		return r;
	p = pod_read(rd, m);
	if (p == NULL)
		return rd->memory->lack;
	*b->pods_end = p;
	b->pods_end = &p->next;
	b->pod_count++;
	return 0;
}

static int
take_namespace(struct registry_builder *b, struct reader *rd, struct manifest *m)
{
	struct namespace *ns;
	int r = add_object(b, rd, m);

	if (r <= 0)
		return r;
	ns = namespace_read(rd, m);
	if (ns == NULL)
		return rd->memory->lack;
	*b->namespaces_end = ns;
	b->namespaces_end = &ns->next;
	b->namespace_count++;
	return 0;
}

static int
take_sidecar(struct registry_builder *b, struct reader *rd, struct manifest *m)
{
	struct sidecar *s;
	int r = add_object(b, rd, m);

	if (r <= 0)
		return r;
	s = sidecar_read(rd, m);
	if (s == NULL)
		return rd->memory->lack;
	*b->sidecars_end = s;
	b->sidecars_end = &s->next;
	b->sidecar_count++;
	return 0;
}

static int
take_service(struct registry_builder *b, struct reader *rd, struct manifest *m)
{
	struct service *s;
	int r = add_object(b, rd, m);

	if (r <= 0)
		return r;
	s = service_read(rd, m);
	if (s == NULL)
		return rd->memory->lack;
	*b->services_end = s;
	b->services_end = &s->next;
	b->service_count++;
	return 0;
}

static int
take_slice(struct registry_builder *b, struct reader *rd, struct manifest *m)
{
	struct endpoint_slice *s;
	int r = add_object(b, rd, m);

	if (r <= 0)
		return r;
	s = endpoint_slice_read(rd, m);
	if (s == NULL)
		return rd->memory->lack;
	*b->slices_end = s;
	b->slices_end = &s->next;
	b->slice_count++;
	return 0;
}

static int
take_workload_entry(struct registry_builder *b, struct reader *rd, struct manifest *m)
{
	struct workload_entry *w;
	int r = add_object(b, rd, m);

	if (r <= 0)
		return r;
	w = workload_entry_read_object(rd, m);
	if (w == NULL)
		return rd->memory->lack;
	*b->workload_entries_end = w;
	b->workload_entries_end = &w->next;
	b->workload_entry_count++;
	return 0;
}

/* Two that speak have to agree. */
static void
take_mesh(struct registry_builder *b, struct reader *rd, const struct manifest *m,
    const struct mesh *mesh)
{
	enum mesh_field field = mesh_merge(&b->mesh, mesh);
	const struct mesh_place *place;

	if (field == MESH_FIELDS)
		return;
	place = &b->mesh.places[field];
	reader_error(rd, m->at,
	    "this mesh's %s disagrees with that at %s:%u:%u: remove one of them",
	    mesh_field_name(field), place->file, place->line, place->column);
	b->admission.fatal++;
}

static int
take_operator(struct registry_builder *b, struct reader *rd, struct manifest *m)
{
	struct mesh mesh;
	int r = add_object(b, rd, m);

	if (r <= 0)
		return r;
	r = mesh_read_operator(rd, m, &mesh);
	if (r == 0)
		take_mesh(b, rd, m, &mesh);
	return r == -EINVAL ? 0 : r;
}

static int
take_config_map(struct registry_builder *b, struct reader *rd, struct manifest *m)
{
	const struct mesh *configured = b->settings->mesh;
	const char *root = MESH_ROOT_NAMESPACE;
	struct mesh mesh;
	int r;

	if (!mesh_is_config_map(m))
		return 0;
	r = add_object(b, rd, m);
	if (r <= 0)
		return r;
	if (configured != NULL && configured->root_namespace != NULL)
		root = configured->root_namespace;
	r = mesh_read_config_map(rd, m, root, &mesh);
	if (r == 0)
		take_mesh(b, rd, m, &mesh);
	return r == -EINVAL ? 0 : r;
}

#define NETWORKING "networking.istio.io"

static const struct kind kinds[] = {
    {NETWORKING, "ServiceEntry", {"v1", "v1beta1", "v1alpha3"}, take_entry},
    {NETWORKING, "Sidecar", {"v1", "v1beta1", "v1alpha3"}, take_sidecar},
    {NETWORKING, "WorkloadEntry", {"v1", "v1beta1", "v1alpha3"}, take_workload_entry},
    {"install.istio.io", "IstioOperator", {"v1alpha1"}, take_operator},
    {"", "Pod", {"v1"}, take_pod},
    {"", "ConfigMap", {"v1"}, take_config_map},
    {"", "Service", {"v1"}, take_service},
    {"", "Namespace", {"v1"}, take_namespace},
    {"discovery.k8s.io", "EndpointSlice", {"v1", "v1beta1"}, take_slice},
};

static enum object_weight
weight_of(const struct kind *k)
{
	if (k->take == take_operator || k->take == take_config_map)
		return OBJECT_VITAL;
	return k->take == take_sidecar ? OBJECT_CLOSES : OBJECT_OPENS;
}

static bool
known_version(const struct kind *k, const char *version)
{
	for (size_t i = 0; i < ARRAY_LEN(k->versions) && k->versions[i] != NULL; i++)
		if (strcmp(k->versions[i], version) == 0)
			return true;
	return false;
}

static int
take_known(struct registry_builder *b, struct reader *rd, struct manifest *m,
    const struct kind *k, const char *version)
{
	char quoted[FINDING_QUOTE_MAX];
	int r;

	if (known_version(k, version))
		return k->take(b, rd, m);
	reader_error(rd, m->at, "apiVersion %s of kind %s is unknown here: write %s%s%s",
	    finding_quote(m->api_version, strlen(m->api_version), quoted), k->kind,
	    k->group, k->group[0] != '\0' ? "/" : "", k->versions[0]);
	r = add_object(b, rd, m);
	return MIN_OF(r, 0);
}

static int
take_kind(struct registry_builder *b, struct reader *rd, struct manifest *m, size_t index,
    const char *version)
{
	const struct kind *k = &kinds[index];
	int r;

	admission_open(b, rd);
	r = take_known(b, rd, m, k, version);
	return r < 0 ? r : admission_close(b, rd, m, weight_of(k));
}

/* The group of the kind that it may be meant to be: other groups have no such kinds. */
static const char *
missed_group(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strstr(kinds[i].group, "istio") != NULL &&
		    strcasecmp(kind, kinds[i].kind) == 0)
			return kinds[i].group;
	return NULL;
}

int
builder_take(struct registry_builder *b, struct reader *rd, const struct manifest *object)
{
	struct manifest m = *object;
	char quoted[FINDING_QUOTE_MAX];
	const char *version, *group;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(m.kind, kinds[i].kind) == 0 &&
		    manifest_group(&m, kinds[i].group, &version))
			return take_kind(b, rd, &m, i, version);
	(void)finding_quote(m.kind, strlen(m.kind), quoted);
	group = missed_group(m.kind);
	if (group != NULL)
		reader_warning(rd, m.at,
		    "kind %s is passed over, since it is not written as one of the group "
		    "%s: look for a misspelling in kind and apiVersion",
		    quoted, group);
	else
		reader_note(
		    rd, m.at, "kind %s says nothing here, and is passed over", quoted);
	return 0;
}

const char *
builder_root(const struct registry_builder *b)
{
	const struct mesh *configured = b->settings->mesh;

	if (b->mesh.root_namespace != NULL)
		return b->mesh.root_namespace;
	if (configured != NULL && configured->root_namespace != NULL)
		return configured->root_namespace;
	return MESH_ROOT_NAMESPACE;
}

/* What the configuration states and no manifest does. */
static void
take_configured(struct registry_builder *b)
{
	const struct registry_settings *s = b->settings;
	struct mesh configured = s->mesh != NULL ? *s->mesh : (struct mesh){0};

	configured.places[MESH_OUTBOUND].file =
	    s->has_outbound ? "the configuration" : NULL;
	configured.has_outbound = s->has_outbound;
	configured.outbound = s->outbound;
	(void)mesh_merge(&b->mesh, &configured); /* a manifest goes before it */
}

static void
default_exports(struct registry_builder *b)
{
	const struct export_words *words = b->mesh.export_to;

	for (struct service_entry *e = b->entries; e != NULL && words != NULL;
	     e = e->next)
		if (!e->export.stated)
			export_make(&b->build, words, e->source.namespace, &e->export);
}

/* What objects say of each other. */
static int
settle(struct registry_builder *b)
{
	int r;

	take_configured(b);
	r = cluster_apply(b);
	if (r == 0)
		r = discovery_apply(b);
	if (r == 0)
		r = member_apply(b);
	if (r == 0)
		default_exports(b);
	return r == 0 ? b->build.lack : r;
}

int
registry_builder_finish(struct registry_builder *b, struct registry **ret_registry)
{
	int r;

	r = b->image.lack < 0 ? b->image.lack : b->build.lack;
	if (r == 0)
		r = admission_finish(b);
	if (r == 0 && b->findings->errors > b->admission.excused)
		r = -EINVAL;
	if (r == 0)
		r = settle(b);
	if (r == 0)
		r = admission_check(b);
	if (r == 0 && b->shelf != NULL)
		r = shelf_seal(b->shelf, &b->image);
	if (r == 0)
		r = registry_compile(b, ret_registry);
	registry_builder_free(b);
	return r;
}
