/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/config_check.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#define TEXT_MAX 512

struct check {
	const struct config *config;
	const char *file;
	struct findings *findings;
	config_place_fn place;
	void *ctx;
};

static void complain(const struct check *c, enum finding_severity severity,
    const struct node *at, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* at NULL: the file as a whole. */
static void
complain(const struct check *c, enum finding_severity severity, const struct node *at,
    const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof(text), fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	findings_add(c->findings, severity, c->file, at != NULL ? at->line : 0,
	    at != NULL ? at->column : 0, "%s", text);
}

/* The first of these that somebody wrote. */
static const struct node *
first_place(const struct check *c, const char *const *names, size_t count)
{
	const struct node *at = NULL;

	for (size_t i = 0; i < count && at == NULL; i++)
		at = c->place(c->ctx, names[i]);
	return at;
}

/* The i-th element of a list, NULL for a default. */
static const struct node *
element_place(const struct node *list, size_t i)
{
	const struct node *n = list != NULL ? list->child : NULL;

	while (n != NULL && i-- > 0)
		n = n->next;
	return n;
}

static void
check_lease(const struct check *c)
{
	static const char *const names[] = {"lease.cap", "lease.floor", "lease.grace"};
	uint32_t least = c->config->lease_floor_s + c->config->lease_grace_s;

	if (least > c->config->lease_cap_s)
		complain(c, FINDING_ERROR, first_place(c, names, ARRAY_LEN(names)),
		    "lease.floor and lease.grace make %us, more than lease.cap, which is "
		    "%us: raise lease.cap, or lower one of them",
		    least, c->config->lease_cap_s);
}

static void
check_deadlines(const struct check *c)
{
	static const char *const names[] = {"deadline.commit", "deadline.query"};

	if (c->config->commit_deadline_ms > c->config->query_deadline_ms)
		complain(c, FINDING_ERROR, first_place(c, names, ARRAY_LEN(names)),
		    "deadline.commit, %ums, is longer than deadline.query, %ums, of "
		    "which it is a part",
		    c->config->commit_deadline_ms, c->config->query_deadline_ms);
}

/* what: the option that names these upstreams. */
static void
check_upstreams(const struct check *c, const char *what, const struct node *list,
    const struct endpoint *upstreams, size_t count)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < c->config->listen_count; k++)
			if (endpoint_equal(&upstreams[i], &c->config->listen[k]))
				complain(c, FINDING_ERROR, element_place(list, i),
				    "%s: \"%s\" is one of our own listen addresses: "
				    "queries would go round in circles",
				    what, endpoint_format(&upstreams[i], text));
}

static void
check_zones(const struct check *c)
{
	const struct node *list = c->place(c->ctx, "zones");

	for (size_t i = 0; i < c->config->zone_count; i++) {
		const struct config_zone *zone = &c->config->zones[i];

		check_upstreams(c, "zones", node_get(element_place(list, i), "upstreams"),
		    zone->upstreams, zone->upstream_count);
	}
}

static bool
listens_on(const struct config *config, uint8_t family)
{
	for (size_t i = 0; i < config->listen_count; i++)
		if (config->listen[i].addr.family == family)
			return true;
	return false;
}

/* Interception leads to a listen address of the packet's family. Without one the packet
 * meets the table, which refuses it: safe, but hardly what was meant. */
static void
check_intercept(const struct check *c)
{
	static const char *const names[] = {"listen", "pods.cidrs"};
	bool told[2] = {false, false};

	if (!c->config->intercept)
		return;
	for (size_t i = 0; i < c->config->pod_range_count; i++) {
		uint8_t family = c->config->pod_ranges[i].addr.family;
		bool six = family == AF_INET6;

		if (told[six] || listens_on(c->config, family))
			continue;
		told[six] = true;
		complain(c, FINDING_WARNING, first_place(c, names, ARRAY_LEN(names)),
		    "pods.cidrs has %s ranges, but listen no %s address: DNS of those "
		    "pods over %s is refused, not intercepted",
		    six ? "IPv6" : "IPv4", six ? "IPv6" : "IPv4", six ? "IPv6" : "IPv4");
	}
}

void
config_check(const struct config *config, const char *file, struct findings *findings,
    config_place_fn place, void *ctx)
{
	struct check c = {
	    .config = config,
	    .file = file,
	    .findings = findings,
	    .place = place,
	    .ctx = ctx,
	};

	check_lease(&c);
	check_deadlines(&c);
	check_upstreams(&c, "upstreams", place(ctx, "upstreams"), config->upstreams,
	    config->upstream_count);
	check_zones(&c);
	check_intercept(&c);
}
