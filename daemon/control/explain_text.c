/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/explain_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/syntax.h"

#define ALLOWED "allowed: "
#define ALLOWED_JSON "{\"allowed\":true"

static const char bad_workload[] =
    "the workload is NAMESPACE/POD, a NAMESPACE, or a pod's address";
static const char bad_target[] =
    "the target is a name or an address, then :PORT or :PORT/tcp or :PORT/udp when one "
    "port is meant; an IPv6 address with a port stands in brackets";

/* A part of what was written. */
struct span {
	const char *text;
	size_t len;
};

static void
copy_span(char *to, struct span from)
{
	memcpy(to, from.text, from.len); /* the syntax holds its length */
	to[from.len] = '\0';
}

static int
parse_pod(const char *text, const char *slash, struct explain_text *t)
{
	struct span namespace = {text, (size_t)(slash - text)};
	struct span pod = {slash + 1, strlen(slash + 1)};

	if (!syntax_namespace(namespace.text, namespace.len) ||
	    !syntax_object(pod.text, pod.len))
		return -EINVAL;
	copy_span(t->namespace, namespace);
	copy_span(t->pod, pod);
	t->question.namespace = t->namespace;
	t->question.pod = t->pod;
	(void)snprintf(
	    t->workload, sizeof(t->workload), "%s/%s", t->namespace, t->pod); /* fits */
	return 0;
}

static int
parse_workload(const char *text, struct explain_text *t)
{
	struct span whole = {text, strlen(text)};
	const char *slash = strchr(text, '/');

	if (slash != NULL)
		return parse_pod(text, slash, t);
	if (addr_parse(text, whole.len, &t->question.source) == 0) {
		addr_format(&t->question.source, t->workload);
		return 0;
	}
	if (!syntax_namespace(text, whole.len))
		return -EINVAL;
	copy_span(t->namespace, whole);
	t->question.namespace = t->namespace;
	copy_span(t->workload, whole);
	return 0;
}

static int
parse_number(struct span digits, uint16_t *ret_port)
{
	unsigned value = 0;

	if (digits.len == 0 || digits.len > 5)
		return -EINVAL;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.text[i] < '0' || digits.text[i] > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(digits.text[i] - '0');
	}
	if (value == 0 || value > UINT16_MAX)
		return -EINVAL;
	*ret_port = (uint16_t)value;
	return 0;
}

/* "PORT" or "PORT/PROTO". */
static int
parse_port(const char *text, struct explain_question *q)
{
	const char *slash = strchr(text, '/');
	struct span digits = {
	    text, slash != NULL ? (size_t)(slash - text) : strlen(text)};

	q->proto = IPPROTO_TCP;
	if (slash != NULL && strcasecmp(slash + 1, "udp") == 0)
		q->proto = IPPROTO_UDP;
	else if (slash != NULL && strcasecmp(slash + 1, "tcp") != 0)
		return -EINVAL;
	return parse_number(digits, &q->port);
}

/* The name or the address, and where its port begins (NULL: none). */
static struct span
split_target(const char *text, const char **ret_port)
{
	struct span host = {text, strlen(text)};
	const char *end = text[0] == '[' ? strchr(text, ']') : strrchr(text, ':');
	struct addr ignored;

	*ret_port = NULL;
	if (text[0] == '[' && end != NULL && (end[1] == ':' || end[1] == '\0')) {
		*ret_port = end[1] == ':' ? end + 2 : NULL;
		return (struct span){text + 1, (size_t)(end - text - 1)};
	}
	/* the last colon of a bare IPv6 address is its own */
	if (text[0] == '[' || end == NULL || addr_parse(text, host.len, &ignored) == 0)
		return host;
	*ret_port = end + 1;
	return (struct span){text, (size_t)(end - text)};
}

static void
format_target(struct explain_text *t)
{
	const struct explain_question *q = &t->question;
	bool bracket = q->port != 0 && q->address.family == AF_INET6;
	char host[NAME_TEXT_MAX];
	char port[16] = "";

	if (q->address.family != 0)
		addr_format(&q->address, host);
	else
		name_format(&q->name, host);
	if (q->port != 0)
		(void)snprintf(port, sizeof(port), ":%u/%s", q->port,
		    q->proto == IPPROTO_UDP ? "UDP" : "TCP"); /* fits */
	(void)snprintf(t->target, sizeof(t->target), "%s%s%s%s", bracket ? "[" : "", host,
	    bracket ? "]" : "", port); /* fits */
}

static int
parse_target(const char *text, struct explain_text *t)
{
	struct explain_question *q = &t->question;
	const char *port;
	struct span host = split_target(text, &port);

	if (port != NULL && parse_port(port, q) < 0)
		return -EINVAL;
	if (addr_parse(host.text, host.len, &q->address) == 0) {
		format_target(t);
		return 0;
	}
	/* what is left of a URL, or of an address that is none */
	if (host.text != text || memchr(host.text, ':', host.len) != NULL ||
	    memchr(host.text, '/', host.len) != NULL ||
	    name_parse(host.text, host.len, &q->name) < 0)
		return -EINVAL;
	format_target(t);
	return 0;
}

int
explain_text_parse(const char *workload, const char *target,
    struct explain_text *ret_text, const char **ret_reason)
{
	*ret_text = (struct explain_text){0};
	if (parse_workload(workload, ret_text) < 0) {
		*ret_reason = bad_workload;
		return -EINVAL;
	}
	if (parse_target(target, ret_text) < 0) {
		*ret_reason = bad_target;
		return -EINVAL;
	}
	return 0;
}

void
explain_text_configure(struct explain_text *t, const struct config *config)
{
	t->question.internal = config->internal;
	t->question.internal_count = config->internal_count;
	t->question.intercept = config->intercept;
}

static const char *
role_word(enum explain_role role)
{
	switch (role) {
	case EXPLAIN_RULE:
		return "rule";
	case EXPLAIN_NEAR:
		return "near";
	case EXPLAIN_NOTE:
		return "note";
	}
	return "note";
}

static void
write_line(const struct explain_reason *reason, struct buf *out)
{
	buf_printf(out, "  %-4s ", role_word(reason->role));
	if (reason->host != NULL) {
		const struct registry_source *s = &reason->host->source;

		buf_printf(
		    out, "%s/%s (%s:%u): ", s->namespace, s->name, s->file, s->line);
	}
	buf_printf(out, "%s\n", reason->text);
}

static void
write_text(const struct explain_text *t, const struct explanation *e, struct buf *out)
{
	buf_printf(out, "%s%s to %s\n", e->allowed ? ALLOWED : "refused: ", t->workload,
	    t->target);
	for (size_t i = 0; i < e->count; i++)
		write_line(&e->reasons[i], out);
	if (e->dropped > 0)
		buf_printf(out, "  and %zu more\n", e->dropped);
}

static void
write_member(struct buf *out, const char *before, const char *key, const char *value)
{
	buf_printf(out, "%s\"%s\":", before, key);
	buf_json(out, value, strlen(value));
}

static void
write_entry(const struct registry_host *host, struct buf *out)
{
	const struct registry_source *s = &host->source;

	write_member(out, ",\"entry\":{", "kind", s->kind);
	write_member(out, ",", "namespace", s->namespace);
	write_member(out, ",", "name", s->name);
	write_member(out, ",", "host", host->host);
	write_member(out, ",", "file", s->file);
	buf_printf(out, ",\"line\":%u}", s->line);
}

static void
write_json(const struct explain_text *t, const struct explanation *e, struct buf *out)
{
	buf_text(out, e->allowed ? ALLOWED_JSON : "{\"allowed\":false");
	write_member(out, ",", "workload", t->workload);
	write_member(out, ",", "target", t->target);
	buf_text(out, ",\"reasons\":[");
	for (size_t i = 0; i < e->count; i++) {
		const struct explain_reason *reason = &e->reasons[i];

		write_member(out, i > 0 ? ",{" : "{", "role", role_word(reason->role));
		write_member(out, ",", "text", reason->text);
		if (reason->host != NULL)
			write_entry(reason->host, out);
		buf_text(out, "}");
	}
	buf_printf(out, "],\"more\":%zu}\n", e->dropped);
}

void
explain_text_write(
    const struct explain_text *t, const struct explanation *e, bool json, struct buf *out)
{
	if (json)
		write_json(t, e, out);
	else
		write_text(t, e, out);
}

bool
explain_text_allowed(const char *text)
{
	return strncmp(text, ALLOWED, strlen(ALLOWED)) == 0 ||
	       strncmp(text, ALLOWED_JSON, strlen(ALLOWED_JSON)) == 0;
}
