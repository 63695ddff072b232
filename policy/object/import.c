/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As Istio's validateNamespaceSlashWildcardHostname checks it (istio/istio
 * pkg/config/validation/validation.go), and "~" as in convertIstioListenerToWrapper
 * (pilot/pkg/model/sidecar.go): "~NAMESPACE/NAME" excludes, "~/NAME" in all namespaces.
 */
#include "policy/object/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "policy/backward.h"
#include "policy/syntax.h"

/* The two halves as they stand in a text. */
struct halves {
	bool exclude;
	const char *namespace;
	size_t namespace_len;
	const char *name;
};

/* "~" alone is any namespace, in what is excluded. */
static struct halves
split(const char *text, const char *slash)
{
	struct halves h = {
	    .namespace = text,
	    .namespace_len = (size_t)(slash - text),
	    .name = slash + 1,
	};

	h.exclude = text[0] == '~';
	if (h.exclude && h.namespace_len == 1) {
		h.namespace = "*";
	} else if (h.exclude) {
		h.namespace ++;
		h.namespace_len--;
	}
	return h;
}

static bool
is_word(const struct halves *h, const char *word)
{
	return h->namespace_len == 1 && h->namespace[0] == word[0];
}

static bool
check_namespace(struct reader *rd, const struct node *n, const struct halves *h)
{
	if (is_word(h, "*") || is_word(h, ".") ||
	    syntax_namespace(h->namespace, h->namespace_len))
		return true;
	reader_refuse(rd, n, "egress host",
	    "has no valid namespace in front of its '/': write a namespace, \".\" or "
	    "\"*\", "
	    "with \"~\" in front of it to exclude");
	return false;
}

static bool
check_name(struct reader *rd, const struct node *n, const char *text)
{
	size_t len = strlen(text);
	struct name name;

	if (strcmp(text, "*") == 0)
		return true;
	if (strchr(text, '.') == NULL) {
		reader_refuse(rd, n, "egress host",
		    "has a short name behind its '/': write the whole name with its "
		    "domain, or \"*\"");
		return false;
	}
	if (!syntax_wildcard(text, len) || name_parse(text, len, &name) < 0) {
		reader_refuse(rd, n, "egress host",
		    "has no host name behind its '/': labels of letters, digits and "
		    "inner '-', \"*.\" and a domain, or \"*\"");
		return false;
	}
	if (text[0] == '*' && text[1] != '.') {
		reader_refuse(rd, n, "egress host",
		    "has a partial wildcard: write \"*.\" and the domain");
		return false;
	}
	return true;
}

static bool
keep(struct reader *rd, const struct node *n, const struct halves *h,
    struct import *ret_import)
{
	struct import i = {.exclude = h->exclude, .what = IMPORT_EXACT};

	if (is_word(h, "*"))
		i.where = IMPORT_ANYWHERE;
	else if (is_word(h, "."))
		i.where = IMPORT_OWN;
	else
		i.where = IMPORT_NAMED;
	i.namespace = memory_text(rd->memory, h->namespace, h->namespace_len);
	if (h->name[0] == '*')
		i.what = h->name[1] == '\0' ? IMPORT_ALL : IMPORT_BELOW;
	i.key = backward_text(rd->memory, h->name);
	i.text = reader_copy(rd, n);
	if (i.namespace == NULL || i.key == NULL || i.text == NULL)
		return false;
	*ret_import = i;
	return true;
}

bool
import_read(struct reader *rd, const struct node *n, struct import *ret_import)
{
	const char *slash;
	struct halves h;

	if (!reader_text(rd, n, "egress host")) {
		if (node_is_null(n))
			reader_error(rd, n, "an empty egress host: remove it");
		return false;
	}
	slash = strchr(n->text, '/');
	if (slash == NULL) {
		reader_refuse(rd, n, "egress host",
		    "must be of the form namespace/dnsName: \"./NAME\" for the own "
		    "namespace, \"*/NAME\" for any");
		return false;
	}
	if (slash == n->text || slash[1] == '\0') {
		reader_refuse(rd, n, "egress host",
		    "has nothing on one side of its '/': write namespace/dnsName");
		return false;
	}
	h = split(n->text, slash);
	return check_namespace(rd, n, &h) && check_name(rd, n, h.name) &&
	       keep(rd, n, &h, ret_import);
}

/* A host that imports, its namespace spelled out. */
struct row {
	const char *namespace;
	size_t len;
	const char *name;
	const struct node *at;
};

static int
namespace_compare(const struct row *x, const struct row *y)
{
	int order = memcmp(x->namespace, y->namespace, MIN_OF(x->len, y->len));

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* By namespace, "*" first in each, then by name and place. */
static int
row_compare(const void *a, const void *b)
{
	const struct row *x = a;
	const struct row *y = b;
	int order = namespace_compare(x, y);

	if (order == 0)
		order = (strcmp(y->name, "*") == 0) - (strcmp(x->name, "*") == 0);
	if (order == 0)
		order = strcmp(x->name, y->name);
	if (order != 0)
		return order;
	if (x->at->line != y->at->line)
		return x->at->line < y->at->line ? -1 : 1;
	return (x->at->column > y->at->column) - (x->at->column < y->at->column);
}

static size_t
list_rows(const struct node *hosts, const char *own, struct row *rows)
{
	size_t n = 0;

	for (const struct node *c = hosts->child; c != NULL; c = c->next) {
		const char *slash = c->kind == NODE_SCALAR ? strchr(c->text, '/') : NULL;
		bool is_own;

		if (slash == NULL || c->text[0] == '~')
			continue;
		is_own = slash == c->text + 1 && c->text[0] == '.';
		rows[n++] = (struct row){
		    .namespace = is_own ? own : c->text,
		    .len = is_own ? strlen(own) : (size_t)(slash - c->text),
		    .name = slash + 1,
		    .at = c,
		};
	}
	return n;
}

static bool
is_everything(const struct row *r)
{
	return r->len == 1 && r->namespace[0] == '*' && strcmp(r->name, "*") == 0;
}

void
import_check(struct reader *rd, const struct node *hosts, const char *own)
{
	char quoted[FINDING_QUOTE_MAX];
	struct row *rows = memory_array(rd->memory, hosts->len, sizeof(*rows));
	const struct row *all = NULL;
	const struct row *everything = NULL;
	size_t n;

	if (rows == NULL)
		return;
	n = list_rows(hosts, own, rows);
	if (n > 1)
		qsort(rows, n, sizeof(*rows), row_compare);
	for (size_t i = 0; i < n; i++) {
		bool first = i == 0 || namespace_compare(&rows[i - 1], &rows[i]) != 0;

		if (first)
			all = strcmp(rows[i].name, "*") == 0 ? &rows[i] : NULL;
		if (is_everything(&rows[i]))
			everything = &rows[i];
		if (!first &&
		    (all != NULL || strcmp(rows[i - 1].name, rows[i].name) == 0))
			reader_warning(rd, rows[i].at,
			    "duplicate egress host %s: another of this listener imports "
			    "it too",
			    finding_quote(rows[i].at->text, rows[i].at->len, quoted));
	}
	if (everything != NULL && n > 1)
		reader_warning(rd, everything->at,
		    "\"*/*\" imports everything: the other hosts of this listener add "
		    "nothing");
}
