/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/manifest.h"

#include <errno.h>
#include <string.h>

#include "policy/syntax.h"

#define NAMESPACE_DEFAULT "default"

/* n digits at *text as a number, moving behind them and the byte that must follow (0:
 * anything may). */
static bool
digits(const char **text, int n, char follows, int *ret_value)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if ((*text)[i] < '0' || (*text)[i] > '9')
			return false;
		value = value * 10 + ((*text)[i] - '0');
	}
	*text += n;
	if (follows != 0 && *(*text)++ != follows)
		return false;
	*ret_value = value;
	return true;
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar; the year begins in March, so
 * that the leap day is its last. */
static int64_t
days(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "Z" or "+HH:MM", in seconds. */
static bool
zone(const char *text, int64_t *ret_seconds)
{
	int sign = *text == '-' ? -1 : 1;
	int hour, minute;

	if (strcmp(text, "Z") == 0) {
		*ret_seconds = 0;
		return true;
	}
	if (*text != '+' && *text != '-')
		return false;
	text++;
	if (!digits(&text, 2, ':', &hour) || !digits(&text, 2, 0, &minute) ||
	    *text != '\0' || hour > 23 || minute > 59)
		return false;
	*ret_seconds = sign * (hour * 3600 + minute * 60);
	return true;
}

int
manifest_time(const char *text, int64_t *ret_seconds)
{
	int year, month, day, hour, minute, second;
	int64_t offset;

	if (!digits(&text, 4, '-', &year) || !digits(&text, 2, '-', &month) ||
	    !digits(&text, 2, 'T', &day) || !digits(&text, 2, ':', &hour) ||
	    !digits(&text, 2, ':', &minute) || !digits(&text, 2, 0, &second))
		return -EINVAL;
	if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
	    second > 60)
		return -EINVAL;
	if (*text == '.') {
		size_t n = strspn(text + 1, "0123456789");

		if (n == 0)
			return -EINVAL;
		text += n + 1;
	}
	if (!zone(text, &offset))
		return -EINVAL;
	*ret_seconds =
	    days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset;
	return 0;
}

bool
manifest_group(const struct manifest *m, const char *group, const char **ret_version)
{
	const char *slash = strchr(m->api_version, '/');
	size_t len = slash != NULL ? (size_t)(slash - m->api_version) : 0;

	if (len != strlen(group) || memcmp(m->api_version, group, len) != 0)
		return false;
	*ret_version = slash != NULL ? slash + 1 : m->api_version;
	return true;
}

static bool
read_names(struct reader *rd, struct manifest *m, const struct node *metadata)
{
	const struct node *name = node_get(metadata, "name");
	const struct node *namespace = reader_get(metadata, "namespace");

	m->namespace = NAMESPACE_DEFAULT;
	m->namespace_stated = false;
	if (name == NULL || node_is_null(name)) {
		reader_error(rd, m->at, "metadata.name is missing");
		return false;
	}
	if (!reader_text(rd, name, "metadata.name"))
		return false;
	if (!syntax_object(name->text, name->len)) {
		reader_refuse(rd, name, "metadata.name",
		    "is no name: lower-case letters, digits, '-' and '.', at most 253");
		return false;
	}
	if (namespace == NULL || node_is_text(namespace, "")) {
		m->name = name->text;
		return true;
	}
	if (!reader_text(rd, namespace, "metadata.namespace"))
		return false;
	if (!syntax_namespace(namespace->text, namespace->len)) {
		reader_refuse(rd, namespace, "metadata.namespace",
		    "is no namespace: lower-case letters, digits and '-', at most 63");
		return false;
	}
	m->name = name->text;
	m->namespace = namespace->text;
	m->namespace_stated = true;
	return true;
}

static bool
read_created(struct reader *rd, struct manifest *m, const struct node *metadata)
{
	const struct node *n = reader_get(metadata, "creationTimestamp");

	m->created = 0;
	if (n == NULL)
		return true;
	if (!reader_text(rd, n, "metadata.creationTimestamp"))
		return false;
	if (manifest_time(n->text, &m->created) == 0)
		return true;
	reader_refuse(
	    rd, n, "metadata.creationTimestamp", "is no time as in 2021-01-28T15:51:40Z");
	return false;
}

bool
manifest_metadata(struct reader *rd, struct manifest *m)
{
	static const char *const known[] = {"apiVersion", "kind", "metadata", "spec",
	    "status", "data", "binaryData", "immutable", NULL};
	/* the one kind whose fields stand in no spec */
	static const char *const of_slice[] = {
	    "apiVersion", "kind", "metadata", "addressType", "endpoints", "ports", NULL};
	size_t errors = rd->errors;
	const struct node *metadata = reader_get(m->at, "metadata");
	const struct node *labels = reader_get(metadata, "labels");
	const struct node *annotations = reader_get(metadata, "annotations");

	if (!reader_mapping(rd, metadata, "metadata")) {
		if (metadata == NULL)
			reader_error(rd, m->at, "metadata is missing");
		return false;
	}
	reader_known(rd, m->at, "the object",
	    strcmp(m->kind, "EndpointSlice") == 0 ? of_slice : known);
	if (!read_names(rd, m, metadata) || !read_created(rd, m, metadata))
		return false;
	m->labels = reader_mapping(rd, labels, "metadata.labels") ? labels : NULL;
	m->annotations =
	    reader_mapping(rd, annotations, "metadata.annotations") ? annotations : NULL;
	m->spec = reader_get(m->at, "spec");
	return rd->errors == errors;
}

/* apiVersion or kind, of the object or else what the list around it says. */
static bool
read_word(struct reader *rd, const struct node *object, const char *key,
    const char *inherited, const char **ret_word)
{
	const struct node *n = reader_get(object, key);

	if (n == NULL && inherited != NULL) {
		*ret_word = inherited;
		return true;
	}
	if (n == NULL) {
		reader_error(
		    rd, object, "%s is missing: this is no Kubernetes object", key);
		return false;
	}
	if (!reader_text(rd, n, key))
		return false;
	*ret_word = n->text;
	return true;
}

static bool
identify(struct reader *rd, const struct node *object, const struct manifest *inherited,
    struct manifest *ret_manifest)
{
	struct manifest m = {.at = object};

	if (object->kind != NODE_MAPPING) {
		reader_error(
		    rd, object, "a mapping with apiVersion and kind is expected");
		return false;
	}
	if (!read_word(
		rd, object, "apiVersion", inherited->api_version, &m.api_version) ||
	    !read_word(rd, object, "kind", inherited->kind, &m.kind))
		return false;
	*ret_manifest = m;
	return true;
}

/* "List" or "PodList": the kind of its elements, "" when they say themselves. */
static bool
is_list(struct reader *rd, const struct manifest *m, struct manifest *ret_inherited)
{
	size_t len = strlen(m->kind);
	char *kind;

	*ret_inherited = (struct manifest){0};
	if (len < 4 || strcmp(m->kind + len - 4, "List") != 0)
		return false;
	if (len == 4)
		return true;
	if (node_get(m->at, "items") == NULL)
		return false;
	kind = memory_text(rd->memory, m->kind, len - 4);
	ret_inherited->kind = kind;
	ret_inherited->api_version = m->api_version;
	return true;
}

static int
each_item(struct reader *rd, const struct manifest *list,
    const struct manifest *inherited, manifest_fn fn, void *ctx)
{
	const struct node *items = reader_get(list->at, "items");
	struct manifest nested;
	struct manifest m;
	int r;

	if (!reader_sequence(rd, items, "items", 0))
		return 0;
	for (const struct node *c = items->child; c != NULL; c = c->next) {
		if (!identify(rd, c, inherited, &m))
			continue;
		if (is_list(rd, &m, &nested)) {
			reader_error(rd, c, "a List inside a List: write them apart");
			continue;
		}
		r = fn(ctx, rd, &m);
		if (r < 0)
			return r;
	}
	return 0;
}

int
manifest_each(struct reader *rd, const struct node *root, manifest_fn fn, void *ctx)
{
	static const struct manifest nothing;
	struct manifest inherited;
	struct manifest m;

	if (!identify(rd, root, &nothing, &m))
		return rd->memory->lack;
	if (!is_list(rd, &m, &inherited))
		return fn(ctx, rd, &m);
	if (rd->memory->lack < 0)
		return rd->memory->lack;
	return each_item(rd, &m, &inherited, fn, ctx);
}
