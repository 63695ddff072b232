/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/mesh.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/syntax.h"

#define FILE_TEXT_MAX 4352 /* PATH_MAX and a few words */
#define WORD_MAX 64        /* a longer word resembles none of ours */
#define SLIPS_MAX 2        /* letters that a misspelt word may differ in */

static const char *const words[] = {
    [MESH_OUTBOUND] = "outboundTrafficPolicy",
    [MESH_EXPORT] = "defaultServiceExportTo",
    [MESH_ROOT] = "rootNamespace",
    [MESH_DISCOVERY] = "discoverySelectors",
};

static const struct {
	const char *word;
	enum outbound_mode mode;
} modes[] = {
    {"REGISTRY_ONLY", OUTBOUND_REGISTRY_ONLY},
    {"ALLOW_ANY", OUTBOUND_ALLOW_ANY},
    {"ALLOW_ANY_DYNAMIC_DNS", OUTBOUND_ALLOW_ANY},
};

static void
read_mode(struct reader *rd, const struct node *n, enum outbound_mode *ret_mode)
{
	if (!reader_text(rd, n, "outboundTrafficPolicy.mode"))
		return;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (strcmp(n->text, modes[i].word) == 0) {
			*ret_mode = modes[i].mode;
			return;
		}
	reader_refuse(rd, n, "outboundTrafficPolicy.mode",
	    "is unknown: write REGISTRY_ONLY or ALLOW_ANY");
}

static void
read_policy(struct reader *rd, const struct node *policy, struct mesh *mesh)
{
	static const char *const known[] = {"mode", NULL};
	const struct node *mode;

	if (!reader_mapping(rd, policy, "outboundTrafficPolicy"))
		return;
	reader_known(rd, policy, "outboundTrafficPolicy", known);
	mesh->has_outbound = true;
	mesh->outbound = OUTBOUND_REGISTRY_ONLY; /* the enum's zero value */
	mode = reader_get(policy, "mode");
	if (mode != NULL)
		read_mode(rd, mode, &mesh->outbound);
}

static void
read_root(struct reader *rd, const struct node *root, struct mesh *mesh)
{
	if (!reader_text(rd, root, "rootNamespace"))
		return;
	if (syntax_namespace(root->text, root->len))
		mesh->root_namespace = reader_copy(rd, root);
	else
		reader_refuse(rd, root, "rootNamespace", "is no name of a namespace");
}

static void
read_selectors(struct reader *rd, const struct node *list, struct mesh *mesh)
{
	struct label_selector *selectors;

	if (!reader_sequence(rd, list, "discoverySelectors", MESH_SELECTORS_MAX))
		return;
	selectors = memory_array(rd->memory, list->len, sizeof(*selectors));
	if (selectors == NULL)
		return;
	for (const struct node *c = list->child; c != NULL; c = c->next) {
		if (node_is_null(c))
			reader_error(
			    rd, c, "an empty element of discoverySelectors: remove it");
		label_selector_read(
		    rd, c, "discoverySelectors", &selectors[mesh->selector_count++]);
	}
	mesh->selectors = selectors;
}

/* A list or a text without anything in it says nothing. */
static void
read_field(
    struct reader *rd, const struct node *n, enum mesh_field field, struct mesh *mesh)
{
	if (field != MESH_OUTBOUND && n->kind != NODE_MAPPING && n->len == 0)
		return;
	mesh->places[field] = (struct mesh_place){
	    .file = memory_text(rd->memory, rd->file, strlen(rd->file)),
	    .line = n->line,
	    .column = n->column,
	};
	switch (field) {
	case MESH_OUTBOUND:
		read_policy(rd, n, mesh);
		break;
	case MESH_EXPORT:
		mesh->export_to = export_read_words(rd, n, "defaultServiceExportTo");
		break;
	case MESH_ROOT:
		read_root(rd, n, mesh);
		break;
	case MESH_DISCOVERY:
		read_selectors(rd, n, mesh);
		break;
	case MESH_FIELDS:
		break;
	}
}

/* Letters alone, in lower case: outbound_traffic_policy too. */
static size_t
letters(const char *text, char *buf, size_t size)
{
	size_t n = 0;

	for (; *text != '\0' && n < size; text++)
		if (isalnum((unsigned char)*text))
			buf[n++] = (char)tolower((unsigned char)*text);
	return n;
}

/* How many letters are to be put in, taken out or changed (Levenshtein's distance). */
static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[WORD_MAX + 1];

	for (size_t k = 0; k <= b_len; k++)
		row[k] = k;
	for (size_t i = 0; i < a_len; i++) {
		size_t corner = row[0]++;

		for (size_t k = 0; k < b_len; k++) {
			size_t above = row[k + 1];
			size_t best = corner + (a[i] != b[k]);

			best = MIN_OF(best, MIN_OF(above, row[k]) + 1);
			corner = above;
			row[k + 1] = best;
		}
	}
	return row[b_len];
}

static bool
resembles(const char *key, const char *word)
{
	char a[WORD_MAX], b[WORD_MAX];
	size_t a_len = letters(key, a, sizeof(a));
	size_t b_len = letters(word, b, sizeof(b));

	return strcmp(key, word) != 0 && distance(a, a_len, b, b_len) <= SLIPS_MAX;
}

static void
check_keys(struct reader *rd, const struct node *mesh_config)
{
	char quoted[FINDING_QUOTE_MAX];

	for (const struct node *c = mesh_config->child; c != NULL; c = c->next)
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (resembles(c->key->text, words[i]))
				reader_error(rd, c->key,
				    "meshConfig has a field %s, which nothing reads: "
				    "write %s, or remove it",
				    finding_quote(c->key->text, c->key->len, quoted),
				    words[i]);
}

/* It only ever hides entries, and Istio applies it to sidecars when told to. */
static void
check_visibility(struct reader *rd, const struct node *mesh_config)
{
	const struct node *n = reader_get(mesh_config, "serviceEntryVisibility");
	bool applies = false;

	if (!reader_mapping(rd, n, "serviceEntryVisibility"))
		return;
	(void)reader_bool(rd, reader_get(n, "applyToSidecars"), "applyToSidecars",
	    &applies); /* absent: false */
	if (applies)
		reader_warning(rd, n,
		    "serviceEntryVisibility is not applied here: say with exportTo who "
		    "sees an entry");
}

const char *
mesh_field_name(enum mesh_field field)
{
	return words[field];
}

int
mesh_read(struct reader *rd, const struct node *mesh_config, struct mesh *ret_mesh)
{
	struct mesh mesh = {0};
	size_t errors = rd->errors;

	if (reader_mapping(rd, mesh_config, "meshConfig")) {
		check_keys(rd, mesh_config);
		check_visibility(rd, mesh_config);
		for (enum mesh_field f = 0; f < MESH_FIELDS; f++) {
			const struct node *n = reader_get(mesh_config, words[f]);

			if (n != NULL)
				read_field(rd, n, f, &mesh);
		}
	}
	if (rd->memory->lack < 0)
		return rd->memory->lack;
	if (rd->errors != errors)
		return -EINVAL;
	*ret_mesh = mesh;
	return 0;
}

int
mesh_read_operator(struct reader *rd, const struct manifest *m, struct mesh *ret_mesh)
{
	const struct node *values = reader_get(m->spec, "values");
	const struct node *old =
	    reader_get(reader_get(values, "global"), "outboundTrafficPolicy");

	if (m->spec != NULL && !reader_mapping(rd, m->spec, "spec"))
		return -EINVAL;
	if (old != NULL)
		reader_warning(rd, old,
		    "values.global.outboundTrafficPolicy is not read any more: move it "
		    "to "
		    "meshConfig.outboundTrafficPolicy");
	return mesh_read(rd, reader_get(m->spec, "meshConfig"), ret_mesh);
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
	struct reader reader;
	struct mesh *mesh;
	bool seen;
};

static int
take_document(void *ctx, const struct node *root)
{
	struct inner *inner = ctx;

	if (inner->seen) {
		reader_error(&inner->reader, root,
		    "a second document: a mesh configuration is one");
		return -EINVAL;
	}
	inner->seen = true;
	return mesh_read(&inner->reader, root, inner->mesh);
}

static int
read_text(struct reader *rd, const struct node *text, struct mesh *ret_mesh)
{
	char file[FILE_TEXT_MAX];
	struct mesh mesh = {0};
	struct inner inner = {.reader = *rd, .mesh = &mesh};
	int r;

	inner.reader.file = file;
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
mesh_read_config_map(
    struct reader *rd, const struct manifest *m, const char *root, struct mesh *ret_mesh)
{
	const struct node *text = mesh_text(m);
	int r;

	if (m->namespace_stated && strcmp(m->namespace, root) != 0) {
		reader_error(rd, m->at,
		    "a mesh ConfigMap outside %s is not believed: take it out, or write "
		    "meshConfig into the configuration",
		    root);
		return -EINVAL;
	}
	if (!reader_text(rd, text, "data.mesh"))
		return -EINVAL;
	r = read_text(rd, text, ret_mesh);
	rd->errors += r < 0;
	return r;
}

static bool
selectors_equal(const struct mesh *a, const struct mesh *b)
{
	if (a->selector_count != b->selector_count)
		return false;
	for (size_t i = 0; i < a->selector_count; i++)
		if (!label_selector_equal(&a->selectors[i], &b->selectors[i]))
			return false;
	return true;
}

static bool
field_equal(const struct mesh *a, const struct mesh *b, enum mesh_field field)
{
	switch (field) {
	case MESH_OUTBOUND:
		return a->outbound == b->outbound;
	case MESH_EXPORT:
		return export_words_equal(a->export_to, b->export_to);
	case MESH_ROOT:
		return strcmp(a->root_namespace, b->root_namespace) == 0;
	case MESH_DISCOVERY:
		return selectors_equal(a, b);
	case MESH_FIELDS:
		break;
	}
	return true;
}

static void
take_field(struct mesh *mesh, const struct mesh *from, enum mesh_field field)
{
	mesh->places[field] = from->places[field];
	switch (field) {
	case MESH_OUTBOUND:
		mesh->has_outbound = from->has_outbound;
		mesh->outbound = from->outbound;
		break;
	case MESH_EXPORT:
		mesh->export_to = from->export_to;
		break;
	case MESH_ROOT:
		mesh->root_namespace = from->root_namespace;
		break;
	case MESH_DISCOVERY:
		mesh->selector_count = from->selector_count;
		mesh->selectors = from->selectors;
		break;
	case MESH_FIELDS:
		break;
	}
}

enum mesh_field
mesh_merge(struct mesh *mesh, const struct mesh *from)
{
	enum mesh_field disputed = MESH_FIELDS;

	for (enum mesh_field f = 0; f < MESH_FIELDS; f++) {
		if (from->places[f].file == NULL)
			continue;
		if (mesh->places[f].file == NULL)
			take_field(mesh, from, f);
		else if (disputed == MESH_FIELDS && !field_equal(mesh, from, f))
			disputed = f;
	}
	return disputed;
}
