/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry's side of the differential test (tests/model/run.py): reads orders from
 * standard input, a line each, and prints a line for each one that asks something.
 *
 *	settings MODE			begin anew; MODE: REGISTRY_ONLY, ALLOW_ANY or -
 *	zone NAME, own PREFIX, probe ADDRESS
 *	file LEN			and LEN bytes behind the line: manifests
 *	build				built MODE COUNTS, or the first errors
 *	judge SOURCE NAME		the verdict
 *	reach SOURCE ADDRESS PORT PROTO	is it open without a lookup?
 *	mode SOURCE
 *
 * What is wrong with an order ends the program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/registry/registry.h"

#define ZONES_MAX 8
#define OWN_MAX 8
#define PROBES_MAX 64
#define STATIC_MAX 256
#define FILE_MAX (1 << 20)

struct judge {
	struct registry_settings settings;
	struct name zones[ZONES_MAX];
	struct prefix own[OWN_MAX];
	struct addr probes[PROBES_MAX];
	size_t probe_count;
	struct findings findings;
	struct registry_builder *builder;
	struct registry *registry;
};

static const char *const mode_words[] = {
    [OUTBOUND_REGISTRY_ONLY] = "REGISTRY_ONLY", [OUTBOUND_ALLOW_ANY] = "ALLOW_ANY"};

static _Noreturn void
give_up(const char *what, const char *value)
{
	(void)fprintf(stderr, "judge: %s: %s\n", what, value);
	exit(2);
}

static struct addr
address(const char *text)
{
	struct addr a;

	if (addr_parse(text, strlen(text), &a) < 0)
		give_up("no address", text);
	return a;
}

static struct prefix
prefix(const char *text)
{
	struct prefix p;

	if (prefix_parse(text, strlen(text), &p) < 0)
		give_up("no prefix", text);
	return p;
}

static struct name
domain(const char *text)
{
	struct name n;

	if (name_parse(text, strlen(text), &n) < 0)
		give_up("no name", text);
	return n;
}

static char *
word(char **line)
{
	char *w = strsep(line, " ");

	if (w == NULL)
		give_up("a word is missing", "");
	return w;
}

static void
forget(struct judge *j)
{
	registry_builder_free(j->builder);
	registry_unref(j->registry);
	findings_done(&j->findings);
	memset(j, 0, sizeof(*j));
}

static void
order_settings(struct judge *j, char *line)
{
	const char *mode = word(&line);

	forget(j);
	findings_init(&j->findings, FINDINGS_MAX);
	j->settings = (struct registry_settings){
	    .has_outbound = strcmp(mode, "-") != 0,
	    .outbound = strcmp(mode, mode_words[OUTBOUND_ALLOW_ANY]) == 0
			    ? OUTBOUND_ALLOW_ANY
			    : OUTBOUND_REGISTRY_ONLY,
	    .zones = j->zones,
	    .own = j->own,
	    .hash_key = {{1, 2}},
	};
}

static void
order_zone(struct judge *j, char *line)
{
	if (j->settings.zone_count == ZONES_MAX)
		give_up("more zones than there is room for", line);
	j->zones[j->settings.zone_count++] = domain(word(&line));
}

static void
order_own(struct judge *j, char *line)
{
	if (j->settings.own_count == OWN_MAX)
		give_up("more ranges than there is room for", line);
	j->own[j->settings.own_count++] = prefix(word(&line));
}

static void
order_probe(struct judge *j, char *line)
{
	if (j->probe_count == PROBES_MAX)
		give_up("more probes than there is room for", line);
	j->probes[j->probe_count++] = address(word(&line));
}

static void
order_file(struct judge *j, char *line)
{
	size_t len = strtoul(word(&line), NULL, 10);
	char *text = malloc(len + 1);

	if (text == NULL || len > FILE_MAX || fread(text, 1, len, stdin) != len)
		give_up("cannot read the file", "");
	if (j->builder == NULL)
		j->builder = registry_builder_new(&j->settings, &j->findings);
	if (j->builder == NULL ||
	    registry_builder_add(j->builder, "m.yaml", text, len) < 0)
		give_up("no memory", "");
	free(text);
}

static void
order_build(struct judge *j, char *line)
{
	struct registry_counts counts;

	(void)line;
	if (j->builder == NULL)
		give_up("nothing to build", "");
	if (registry_builder_finish(j->builder, &j->registry) == 0) {
		counts = registry_counts(j->registry);
		(void)printf("built %s entries=%zu pods=%zu\n",
		    mode_words[registry_mode(j->registry)], counts.entries, counts.pods);
	} else {
		(void)printf("refused");
		for (size_t i = 0; i < j->findings.len; i++)
			if (j->findings.list[i].severity == FINDING_ERROR)
				(void)printf(" [%s]", j->findings.list[i].text);
		(void)printf("\n");
	}
	j->builder = NULL;
}

static const struct workload *
source(const struct judge *j, const char *text)
{
	struct addr a = address(text);

	return registry_workload(j->registry, &a);
}

static enum outbound_mode
mode_of(const struct judge *j, const struct workload *w)
{
	return w != NULL ? w->mode : registry_mode(j->registry);
}

static void
print_ports(const struct registry_host *h)
{
	(void)printf(" ports=");
	for (size_t i = 0; i < h->port_count; i++)
		(void)printf(
		    "%s%u/%u", i > 0 ? "," : "", h->ports[i].number, h->ports[i].proto);
}

static void
print_permits(const struct judge *j, const struct registry_host *h)
{
	(void)printf(" permits=");
	for (size_t i = 0; i < j->probe_count; i++)
		(void)putchar(
		    registry_permits(j->registry, h, &j->probes[i]) ? '1' : '0');
}

static void
print_static(const struct registry_host *h)
{
	struct addr list[STATIC_MAX];
	char text[ADDR_TEXT_MAX];
	size_t n = registry_static(h, list, STATIC_MAX);

	if (n > 0)
		(void)printf(" static=");
	for (size_t i = 0; i < n; i++)
		(void)printf("%s%s", i > 0 ? "," : "", addr_format(&list[i], text));
}

/* Each with the zone that it is asked in, -1 for none. */
static void
print_targets(const struct registry_host *h)
{
	char text[NAME_TEXT_MAX];
	struct name n;

	if (h->target_count > 0)
		(void)printf(" targets=");
	for (size_t i = 0; i < h->target_count; i++) {
		name_from_wire(h->targets[i].name, h->targets[i].len, &n);
		(void)printf("%s%s@%d", i > 0 ? "," : "", name_format(&n, text),
		    (int)h->targets[i].zone);
	}
}

static void
print_host(const struct judge *j, const struct registry_host *h)
{
	(void)printf("host %s %s/%s %s resolution=%d%s", h->source.kind,
	    h->source.namespace, h->source.name, h->host, h->resolution,
	    h->internal ? " internal" : "");
	print_ports(h);
	print_permits(j, h);
	if (h->in_zone) {
		(void)printf(" zone=%u", h->zone);
		return;
	}
	print_targets(h);
	print_static(h);
}

static void
order_judge(struct judge *j, char *line)
{
	static const char *const reasons[] = {[REASON_NONE] = "for no reason",
	    [REASON_NOT_REGISTERED] = "not registered",
	    [REASON_NOT_EXPORTED] = "not exported",
	    [REASON_NOT_IMPORTED] = "not imported"};
	const struct workload *w = source(j, word(&line));
	struct name n = domain(word(&line));
	struct verdict v;

	registry_judge(j->registry, w, &n, &v);
	switch (v.kind) {
	case VERDICT_REFUSED:
		(void)printf("%s", reasons[v.reason]);
		break;
	case VERDICT_PARENT:
		(void)printf("parent");
		break;
	case VERDICT_HOST:
		print_host(j, v.host);
		break;
	case VERDICT_ZONE:
		(void)printf("zone %zu", v.zone);
		break;
	case VERDICT_OPEN:
		(void)printf("open");
		break;
	}
	(void)printf("\n");
}

static bool
is_fixed(const struct judge *j, const struct addr *from, const struct addr *to,
    unsigned long port, unsigned long proto)
{
	struct registry_fixed f;

	for (size_t i = 0; registry_fixed(j->registry, i, &f); i++)
		if (f.port == port && f.proto == proto &&
		    prefix_contains(&f.destination, to) && prefix_contains(&f.pods, from))
			return true;
	return false;
}

static bool
is_free(const struct judge *j, const struct addr *from)
{
	struct addr a;

	if (registry_mode(j->registry) == OUTBOUND_ALLOW_ANY)
		return true;
	for (size_t i = 0; registry_open(j->registry, i, &a); i++)
		if (addr_equal(&a, from))
			return true;
	return false;
}

static void
order_reach(struct judge *j, char *line)
{
	struct addr from = address(word(&line));
	struct addr to = address(word(&line));
	unsigned long port = strtoul(word(&line), NULL, 10);
	unsigned long proto = strtoul(word(&line), NULL, 10);

	if (is_free(j, &from))
		(void)printf("anything\n");
	else
		(void)printf(
		    "%s\n", is_fixed(j, &from, &to, port, proto) ? "open" : "shut");
}

static void
order_mode(struct judge *j, char *line)
{
	(void)printf("%s\n", mode_words[mode_of(j, source(j, word(&line)))]);
}

static const struct {
	const char *word;
	bool asks; /* of a registry that is built */
	void (*fn)(struct judge *j, char *line);
} orders[] = {
    {"settings", false, order_settings},
    {"zone", false, order_zone},
    {"own", false, order_own},
    {"probe", false, order_probe},
    {"file", false, order_file},
    {"build", false, order_build},
    {"judge", true, order_judge},
    {"reach", true, order_reach},
    {"mode", true, order_mode},
};

static void
obey(struct judge *j, char *line)
{
	const char *first = word(&line);

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		if (strcmp(orders[i].word, first) != 0)
			continue;
		if (orders[i].asks && j->registry == NULL)
			(void)printf("no registry\n");
		else
			orders[i].fn(j, line);
		return;
	}
	give_up("unknown order", first);
}

int
main(void)
{
	struct judge j = {0};
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	findings_init(&j.findings, FINDINGS_MAX);
	while ((len = getline(&line, &size, stdin)) > 0) {
		line[len - 1] = '\0'; /* each line ends */
		obey(&j, line);
	}
	free(line);
	forget(&j);
	return fflush(stdout) == 0 ? 0 : 2;
}
