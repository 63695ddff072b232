/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "daemon/lease/loss.h"
#include "tests/unit/built.h"

#define POD(name, addresses)                                                             \
	"apiVersion: v1\nkind: Pod\nmetadata: {name: " name                              \
	"}\nstatus: {podIPs: [" addresses "]}\n---\n"
#define FIRST "{ip: 10.244.0.1}, {ip: 'fd00:244::1'}"
#define SECOND "{ip: 10.244.0.2}"
#define OUTSIDE "{ip: 10.1.0.2}"

static struct config cfg;

static int
set_up(void **state)
{
	(void)state;
	memset(&cfg, 0, sizeof(cfg));
	cfg.pod_range_count = 2;
	assert_int_equal(prefix_parse("10.244.0.0/16", 13, &cfg.pod_ranges[0]), 0);
	assert_int_equal(prefix_parse("fd00:244::/64", 13, &cfg.pod_ranges[1]), 0);
	return 0;
}

static void
build(struct built *b, enum outbound_mode mode, const char *pods)
{
	built_open(b);
	b->settings.outbound = mode;
	built_add(b, "a.yaml", pods);
	assert_int_equal(built_finish(b), 0);
}

/* Whose flows end, as text. */
static void
expect(enum outbound_mode before_mode, const char *before, enum outbound_mode now_mode,
    const char *now, const char *expected)
{
	const struct enforcer_table table = {.enforce = 1};
	char list[256] = "", text[ADDR_TEXT_MAX];
	struct enforcer_message m;
	struct built old, new;
	struct change c;
	uint32_t size;

	build(&old, before_mode, before);
	build(&new, now_mode, now);
	change_begin(&c, &table);
	loss_describe(&c, &cfg, old.registry, new.registry);
	assert_int_equal(change_end(&c), 0);
	for (size_t pos = 0; pos < c.frames.len; pos += sizeof(size) + size) {
		memcpy(&size, c.frames.bytes + pos, sizeof(size));
		memcpy(&m, c.frames.bytes + pos + sizeof(size), size);
		for (size_t i = 0; m.kind == ENFORCER_CUT && i < m.count; i++)
			(void)snprintf(list + strlen(list), sizeof(list) - strlen(list),
			    "%s ", prefix_format(&m.body.cuts[i].pods, text));
	}
	assert_string_equal(list, expected);
	change_done(&c);
	built_close(&old);
	built_close(&new);
}

static void
whose_address_is_another_pods(void **state)
{
	const enum outbound_mode only = OUTBOUND_REGISTRY_ONLY;
	const char *two = POD("a", FIRST) POD("b", SECOND);

	(void)state;
	expect(only, two, only, two, "");
	expect(only, two, only, POD("b", SECOND) POD("a", FIRST) POD("c", OUTSIDE), "");
	expect(only, two, only, POD("a", FIRST) POD("c", SECOND), "10.244.0.2/32 ");
	expect(only, two, only, POD("b", SECOND), "10.244.0.1/32 fd00:244::1/128 ");
	/* nobody was known by it */
	expect(only, POD("a", FIRST), only, two, "");
	/* nothing is refused to it */
	expect(only, two, OUTBOUND_ALLOW_ANY, POD("c", SECOND), "");
	/* it was never ours */
	expect(only, POD("a", OUTSIDE), only, POD("c", OUTSIDE), "");
}

static void
who_comes_under_registry_only(void **state)
{
	(void)state;
	expect(OUTBOUND_ALLOW_ANY, POD("a", FIRST), OUTBOUND_REGISTRY_ONLY,
	    POD("a", FIRST), "10.244.0.0/16 fd00:244::/64 ");
	expect(OUTBOUND_ALLOW_ANY, "", OUTBOUND_REGISTRY_ONLY, "",
	    "10.244.0.0/16 fd00:244::/64 ");
	expect(OUTBOUND_ALLOW_ANY, POD("a", FIRST), OUTBOUND_ALLOW_ANY, "", "");
}

#define SIDECAR(mode)                                                                    \
	"apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s}\nspec: " \
	"{workloadSelector: {labels: {app: a}}, outboundTrafficPolicy: {mode: " mode     \
	"}}\n---\n"
#define LABELLED(name, addresses) POD(name ", labels: {app: " name "}", addresses)

static void
whose_own_mode_is_registry_only_now(void **state)
{
	const char *open =
	    LABELLED("a", FIRST) LABELLED("b", SECOND) SIDECAR("ALLOW_ANY");
	const char *shut =
	    LABELLED("a", FIRST) LABELLED("b", SECOND) SIDECAR("REGISTRY_ONLY");
	const char *none = LABELLED("a", FIRST) LABELLED("b", SECOND);
	const enum outbound_mode only = OUTBOUND_REGISTRY_ONLY;

	(void)state;
	expect(only, open, only, shut, "10.244.0.1/32 fd00:244::1/128 ");
	expect(only, open, only, none, "10.244.0.1/32 fd00:244::1/128 ");
	expect(only, shut, only, open, "");
	expect(OUTBOUND_ALLOW_ANY, shut, only, none, "10.244.0.2/32 ");
	/* it has another one's address by now, who may go on */
	expect(only, open, only, LABELLED("b", FIRST) SIDECAR("ALLOW_ANY"),
	    "10.244.0.1/32 10.244.0.2/32 fd00:244::1/128 ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(whose_address_is_another_pods, set_up),
	    cmocka_unit_test_setup(who_comes_under_registry_only, set_up),
	    cmocka_unit_test_setup(whose_own_mode_is_registry_only_now, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
