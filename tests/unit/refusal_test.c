/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "daemon/log/refusal.h"
#include "tests/unit/built.h"
#include "tests/unit/sample.h"

#define NOW_MS 5000

static const char registry_text[] =
    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
    "metadata: {name: open, namespace: default}\n"
    "spec:\n  hosts: [open.example]\n  resolution: NONE\n"
    "  ports: [{number: 443, name: https, protocol: HTTPS}]\n---\n"
    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
    "metadata: {name: own, namespace: shop}\n"
    "spec:\n  hosts: [own.example]\n  resolution: NONE\n  exportTo: ['.']\n"
    "  ports: [{number: 443, name: https, protocol: HTTPS}]\n";

static struct {
	struct built built;
	struct recent *recent;
	struct report report;
	struct refusal refusal;
} scene;

static int
enter(void **state)
{
	static const struct hash_key key = {{1, 2}};

	(void)state;
	memset(&scene, 0, sizeof(scene));
	built_open(&scene.built);
	built_add(&scene.built, "r.yaml", registry_text);
	assert_int_equal(built_finish(&scene.built), 0);
	assert_int_equal(recent_new(&key, &scene.recent), 0);
	report_init(&scene.report, &key, NULL);
	scene.refusal = (struct refusal){.report = &scene.report, .recent = scene.recent};
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	recent_free(scene.recent);
	built_close(&scene.built);
	return 0;
}

static struct refusal_view
view(void)
{
	return (struct refusal_view){.registry = scene.built.registry, .now_ms = NOW_MS};
}

static struct enforcer_refused
flow_to(uint16_t port, uint8_t proto)
{
	return (struct enforcer_refused){
	    .source = sample_addr("10.244.0.5"),
	    .destination = sample_addr("192.0.2.1"),
	    .port = port,
	    .proto = proto,
	};
}

static void
answered(const char *pod, const char *text)
{
	const struct addr p = sample_addr(pod), a = sample_addr("192.0.2.1");
	struct name name;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	recent_note(scene.recent, &p, &a, &name, NOW_MS - 1);
}

/* entry: the name of the one that is near. */
static void
expect_near(uint16_t port, uint8_t proto, enum report_reason reason, const char *text,
    const char *entry)
{
	const struct enforcer_refused flow = flow_to(port, proto);
	const struct refusal_view v = view();
	struct report_connection c = {.pod = &flow.source,
	    .destination = &flow.destination,
	    .workload = registry_workload(v.registry, &flow.source)};
	char found[NAME_TEXT_MAX];

	refusal_explain(&scene.refusal, &v, &flow, &c);
	assert_int_equal(c.reason, reason);
	assert_int_equal(c.name == NULL, text == NULL);
	if (text != NULL)
		assert_string_equal(name_format(c.name, found), text);
	assert_int_equal(c.near == NULL, entry == NULL);
	if (entry != NULL)
		assert_string_equal(c.near->source.name, entry);
}

static void
expect(uint16_t port, uint8_t proto, enum report_reason reason, const char *text)
{
	expect_near(port, proto, reason, text, text != NULL ? "open" : NULL);
}

static void
what_nobody_looked_up_is_unlisted(void **state)
{
	(void)state;
	expect(443, IPPROTO_TCP, REPORT_UNLISTED, NULL);
}

static void
what_the_pod_looked_up_is_open_on_other_ports(void **state)
{
	(void)state;
	answered("10.244.0.5", "open.example");
	expect(80, IPPROTO_TCP, REPORT_NOT_LISTED_PORT, "open.example");
	expect(443, IPPROTO_UDP, REPORT_NOT_LISTED_PORT, "open.example");
	/* its lease has ended */
	expect(443, IPPROTO_TCP, REPORT_NO_LOOKUP, "open.example");
}

static void
what_another_looked_up_is_to_be_looked_up(void **state)
{
	(void)state;
	answered("10.244.0.6", "open.example");
	expect(443, IPPROTO_TCP, REPORT_NO_LOOKUP, "open.example");
	expect(80, IPPROTO_TCP, REPORT_NO_LOOKUP, "open.example");
	/* its own name goes before that of others */
	answered("10.244.0.5", "open.example");
	answered("10.244.0.6", "other.example");
	expect(80, IPPROTO_TCP, REPORT_NOT_LISTED_PORT, "open.example");
}

static void
a_name_that_the_pod_may_not_see_opens_nothing(void **state)
{
	(void)state;
	answered("10.244.0.6", "own.example");
	expect_near(443, IPPROTO_TCP, REPORT_UNLISTED, "own.example", "own");
	answered("10.244.0.6", "gone.example");
	expect_near(443, IPPROTO_TCP, REPORT_UNLISTED, "gone.example", NULL);
}

static void
an_address_that_is_listed_otherwise(void **state)
{
	static const char text[] =
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	    "metadata: {name: range, namespace: default}\n"
	    "spec:\n  hosts: [range.example]\n  resolution: NONE\n"
	    "  addresses: [192.0.2.0/24]\n"
	    "  ports: [{number: 443, name: https, protocol: HTTPS}]\n";

	(void)state;
	built_close(&scene.built);
	built_open(&scene.built);
	built_add(&scene.built, "r.yaml", text);
	assert_int_equal(built_finish(&scene.built), 0);
	expect_near(80, IPPROTO_TCP, REPORT_LISTED_OTHERWISE, NULL, "range");
}

static void
a_message_is_counted_and_told(void **state)
{
	const struct refusal_view v = view();
	struct enforcer_message m = sample_message(ENFORCER_REFUSED, 0, 2);
	struct log_counts before = log_counts(), after;

	(void)state;
	m.packets = 70;
	m.lost = 50;
	m.body.refused[0] = flow_to(443, IPPROTO_TCP);
	m.body.refused[1] = flow_to(80, IPPROTO_TCP);
	refusal_take(&scene.refusal, &v, &m);
	assert_int_equal(scene.refusal.counts.packets, 70);
	assert_int_equal(scene.refusal.counts.unread, 50);
	m = sample_message(ENFORCER_REFUSED, 0, 0);
	m.result = -EBUSY;
	refusal_take(&scene.refusal, &v, &m);
	after = log_counts();
	assert_int_equal(after.written + after.waiting + after.dropped -
			     (before.written + before.waiting + before.dropped),
	    3);
}

#define REFUSAL_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    REFUSAL_TEST(what_nobody_looked_up_is_unlisted),
	    REFUSAL_TEST(what_the_pod_looked_up_is_open_on_other_ports),
	    REFUSAL_TEST(what_another_looked_up_is_to_be_looked_up),
	    REFUSAL_TEST(a_name_that_the_pod_may_not_see_opens_nothing),
	    REFUSAL_TEST(an_address_that_is_listed_otherwise),
	    REFUSAL_TEST(a_message_is_counted_and_told),
	};

	/* a path that no journal listens at */
	log_open("/nonexistent/egressd-test.sock");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
