/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "daemon/config/config_check.h"
#include "daemon/config/file.h"
#include "daemon/config/option.h"
#include "daemon/config/resolv_conf.h"
#include "policy/yaml/node.h"

/* A key and its value take at most 200 bytes here, and at least three ("a:,") in the
 * file. */
#define ARENA_MAX ((size_t)100 * CONFIG_FILE_MAX)
#define OPTIONS_MAX 64 /* rows of the table */
#define DEFAULT_FILE "default"

struct reading {
	const char *file;
	struct findings *findings;
	struct arena *arena;
	struct config *config;
	const struct node *values[OPTIONS_MAX]; /* NULL: nobody wrote one */
	bool seen_document;
	bool refused; /* an error went to the findings */
};

/* One group or the whole file; group is "" for the latter. */
static void
complain_key(struct reading *r, const char *group, const struct node *key)
{
	char quoted[FINDING_QUOTE_MAX], names[OPTION_NAMES_MAX];

	findings_add(r->findings, FINDING_ERROR, r->file, key->line, key->column,
	    "unknown key %s%s%s: known here are %s",
	    finding_quote(key->text, key->len, quoted), group[0] != '\0' ? " in " : "",
	    group, option_names(group, names));
	r->refused = true;
}

static int
set_value(struct reading *r, size_t i, const struct node *value)
{
	struct option_target target = {r->file, r->findings, r->config};
	int result;

	r->values[i] = value;
	result = option_set(option_at(i), value, &target);
	if (result == -ENOMEM)
		return result;
	if (result < 0)
		r->refused = true;
	return 0;
}

/* Index of the option group.key (key alone when group is ""), or -1. */
static int
find_option(const char *group, const char *key)
{
	size_t len = strlen(group);

	for (size_t i = 0; option_at(i) != NULL; i++) {
		const char *name = option_at(i)->name;

		if (len > 0 && (strncmp(name, group, len) != 0 || name[len] != '.'))
			continue;
		if (strcmp(name + (len > 0 ? len + 1 : 0), key) == 0)
			return (int)i;
	}
	return -1;
}

static bool
is_group(const char *text)
{
	char names[OPTION_NAMES_MAX];

	return text[0] != '\0' && option_names(text, names)[0] != '\0';
}

static void
complain_group(struct reading *r, const struct node *group)
{
	char names[OPTION_NAMES_MAX];

	findings_add(r->findings, FINDING_ERROR, r->file, group->line, group->column,
	    "%s must be a mapping of %s", group->key->text,
	    option_names(group->key->text, names));
	r->refused = true;
}

/* A key of a group, or of the file. A key with a dot in it is no group's. */
static int
take_key(struct reading *r, const char *group, const struct node *value)
{
	int i = strchr(value->key->text, '.') == NULL
		    ? find_option(group, value->key->text)
		    : -1;

	if (i >= 0)
		return set_value(r, (size_t)i, value);
	complain_key(r, group, value->key);
	return 0;
}

static int
take_group(struct reading *r, const struct node *group)
{
	int result = 0;

	if (node_is_null(group))
		return 0; /* all of it commented out */
	if (group->kind != NODE_MAPPING) {
		complain_group(r, group);
		return 0;
	}
	for (const struct node *n = group->child; n != NULL && result == 0; n = n->next)
		result = take_key(r, group->key->text, n);
	return result;
}

static int
take_document(void *ctx, const struct node *root)
{
	struct reading *r = ctx;
	int result = 0;

	if (r->seen_document || root->kind != NODE_MAPPING) {
		findings_add(r->findings, FINDING_ERROR, r->file, root->line,
		    root->column, "%s",
		    r->seen_document ? "a second document: the configuration is one"
				     : "the configuration must be a mapping of options");
		return -EINVAL;
	}
	r->seen_document = true;
	for (const struct node *n = root->child; n != NULL && result == 0; n = n->next)
		result = is_group(n->key->text) ? take_group(r, n) : take_key(r, "", n);
	return result;
}

static int
read_text(struct reading *r, const char *text, size_t len)
{
	int result =
	    node_read(r->file, text, len, r->arena, r->findings, take_document, r);

	/* Of the arena's memory a configuration takes a small part. */
	if (result == -EINVAL)
		r->refused = true;
	return result == -EINVAL ? 0 : result;
}

static int
read_file(struct reading *r, bool must_exist)
{
	struct file_identity id;
	char *text;
	size_t len;
	int result;

	result = file_read(AT_FDCWD, r->file, 0, CONFIG_FILE_MAX, &id, &text, &len);
	if (result == -ENOENT && !must_exist)
		return 0;
	if (result == -ENOMEM)
		return result;
	if (result < 0) {
		findings_add(r->findings, FINDING_ERROR, r->file, 0, 0,
		    "the configuration %s", file_reason(result));
		r->refused = true;
		return 0;
	}
	if (file_is_group_writable(&id))
		findings_add(r->findings, FINDING_WARNING, r->file, 0, 0,
		    "a group may write to the configuration: chmod g-w");
	result = read_text(r, text, len);
	free(text);
	return result;
}

struct fallback {
	const struct option *option;
	struct option_target target;
};

static int
take_fallback(void *ctx, const struct node *root)
{
	struct fallback *f = ctx;

	return option_set(f->option, root, &f->target);
}

/* Defaults go the way of all values; that they are good is a unit test's to hold. */
static int
set_fallbacks(struct reading *r)
{
	int result = 0;

	for (size_t i = 0; option_at(i) != NULL && result == 0; i++) {
		const struct option *o = option_at(i);
		struct fallback f = {o, {DEFAULT_FILE, r->findings, r->config}};

		if (r->values[i] == NULL && o->fallback != NULL)
			result = node_read(DEFAULT_FILE, o->fallback, strlen(o->fallback),
			    r->arena, r->findings, take_fallback, &f);
	}
	return result;
}

static void
find_upstreams(struct reading *r, const char *resolv_conf)
{
	struct config *c = r->config;
	int count = resolv_conf_read(resolv_conf, c->listen, c->listen_count, r->findings,
	    c->upstreams, CONFIG_UPSTREAMS_MAX);

	if (count > 0) {
		c->upstream_count = (size_t)count;
		return;
	}
	findings_add(r->findings, FINDING_ERROR, r->file, 0, 0,
	    "no upstreams: write some, because %s %s", resolv_conf,
	    count < 0 ? file_reason(count)
		      : "names no server that can be asked and is not ourselves");
	r->refused = true;
}

static const struct node *
find_place(void *ctx, const char *name)
{
	const struct reading *r = ctx;
	int i = find_option("", name);

	return i >= 0 ? r->values[i] : NULL;
}

/* Work out what was not written, and hold the options against each other. */
static int
complete(struct reading *r, const char *resolv_conf)
{
	size_t errors;
	int result;

	result = set_fallbacks(r);
	if (result < 0)
		return result;
	r->config->listen_is_default = find_place(r, "listen") == NULL;
	if (find_place(r, "upstreams") == NULL)
		find_upstreams(r, resolv_conf);
	if (r->refused)
		return -EINVAL;
	errors = r->findings->errors;
	config_check(r->config, r->file, r->findings, find_place, r);
	return r->findings->errors > errors ? -EINVAL : 0;
}

int
config_read(const char *path, const char *resolv_conf, struct findings *findings,
    struct config **ret_config)
{
	struct reading r = {
	    .file = path != NULL ? path : CONFIG_DEFAULT_PATH,
	    .findings = findings,
	    .arena = arena_new(ARENA_MAX),
	    .config = calloc(1, sizeof(*r.config)),
	};
	int result = -ENOMEM;

	if (r.arena != NULL && r.config != NULL)
		result = read_file(&r, path != NULL);
	if (result == 0)
		result = complete(&r, resolv_conf);
	arena_free(r.arena);
	if (result < 0) {
		config_free(r.config);
		return result;
	}
	*ret_config = r.config;
	return 0;
}

int
config_defaults(struct config **ret_config)
{
	struct findings findings;
	struct reading r = {
	    .findings = &findings,
	    .arena = arena_new(ARENA_MAX),
	    .config = calloc(1, sizeof(*r.config)),
	};
	int result = -ENOMEM;

	findings_init(&findings, 0);
	if (r.arena != NULL && r.config != NULL)
		result = set_fallbacks(&r);
	assert(findings.errors == 0); /* the table's own values */
	arena_free(r.arena);
	findings_done(&findings);
	if (result < 0) {
		config_free(r.config);
		return result;
	}
	r.config->listen_is_default = true;
	*ret_config = r.config;
	return 0;
}

void
config_free(struct config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->registry_count; i++)
		free(c->registry[i]);
	free(c->cluster_domain);
	free(c->control);
	free(c->zones);
	memory_done(&c->mesh_memory);
	free(c);
}

void
config_print_options(void)
{
	char range[OPTION_RANGE_MAX];

	for (size_t i = 0; option_at(i) != NULL; i++) {
		const struct option *o = option_at(i);

		printf("%-16s %s; default %s; %s\n", o->name, option_range(o, range),
		    o->fallback != NULL ? o->fallback : "below", o->help);
	}
}
