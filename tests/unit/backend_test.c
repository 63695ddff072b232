/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names behind services' addresses, resolved by a real resolver, and told to the
 * kernel. The names' first labels say what the server does with them.
 */
#include "tests/unit/built.h"

#include <errno.h>
#include <strings.h>

#include "daemon/lease/lead.h"
#include "tests/unit/resolver_bed.h"

#define ENTRY(name, address, endpoints)                                                  \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "        \
	"{name: " name ", namespace: ns}\nspec: {hosts: [" name ".t], addresses: ["      \
	"" address "], resolution: DNS, location: MESH_EXTERNAL, ports: [{number: 80, "  \
	"name: web, protocol: HTTP}]" endpoints "}\n"
#define NAMES(list) ", endpoints: [" list "]"

static struct backends *backends;
static struct lead lead;
static struct change change;
static struct built built, other_built;
static uint64_t changes;
static bool changed;  /* since that was waited for */
static unsigned told; /* of changes and of names heard for the first time */
/* What the server says: how many addresses, the last byte of the first of them, and in
 * which order. */
static struct {
	uint8_t count, first;
	bool backwards, fails;
	bool held; /* not answered at all */
} says;
static unsigned asked[2]; /* for IPv4, for IPv6 */

static size_t
add_address(uint8_t *out, size_t len, uint8_t last)
{
	wire_put_record(out + len, WIRE_HEADER_LEN, TYPE_A, ttl_s, 4);
	memcpy(out + len + WIRE_RECORD_LEN, (uint8_t[]){203, 0, 113, last}, 4);
	out[7]++;
	return len + WIRE_RECORD_LEN + 4;
}

/* inside.t: an address that an external host may not have, before a good one. */
static void
by_label(struct fake_server *f, const struct fake_query *q)
{
	const char *label = (const char *)q->bytes + WIRE_HEADER_LEN + 1;
	bool v6 = q->bytes[WIRE_HEADER_LEN + q->question_len - 3] == TYPE_AAAA;
	uint8_t out[1024];
	size_t len;

	(void)f;
	asked[v6]++;
	if (says.held)
		return;
	len = fake_reply_head(q, says.fails ? RCODE_SERVFAIL : 0, out);
	if (strncasecmp(label, "inside", 6) == 0 && !v6) {
		wire_put_record(out + len, WIRE_HEADER_LEN, TYPE_A, ttl_s, 4);
		memcpy(out + len + WIRE_RECORD_LEN, (uint8_t[]){10, 0, 0, 1}, 4);
		out[7]++;
		len += WIRE_RECORD_LEN + 4;
	}
	for (uint8_t i = 0; i < says.count && !v6 && !says.fails; i++)
		len = add_address(out, len,
		    (uint8_t)(says.first + (says.backwards ? says.count - 1 - i : i)));
	fake_server_send(q, out, len);
}

static void
on_changed(void *ctx)
{
	(void)ctx;
	told++;
	changed = changed || backends_changes(backends) != changes;
	changes = backends_changes(backends);
}

static int
set_up(void **state)
{
	const struct backends_settings bs = {
	    .now_ms = now_ms, .hash_key = {.k = {5, 6}}, .changed = on_changed};
	struct backends_settings made = bs;

	(void)setup(state);
	server.on_query = other.on_query = by_label;
	memset(&says, 0, sizeof(says));
	says.count = says.first = 1;
	changes = told = asked[0] = asked[1] = 0;
	changed = false;
	memset(&change, 0, sizeof(change));
	memset(&built, 0, sizeof(built));
	memset(&other_built, 0, sizeof(other_built));
	made.resolver = resolver;
	assert_int_equal(backends_new(&made, &backends), 0);
	lead_init(&lead, backends);
	return 0;
}

static int
tear_down(void **state)
{
	alloc_reset();
	lead_done(&lead);
	change_done(&change);
	backends_free(backends);
	built_close(&built);
	if (other_built.builder != NULL || other_built.registry != NULL)
		built_close(&other_built);
	return teardown(state);
}

static void
use(struct built *b, const char *entries)
{
	assert_int_equal(built_from(b, entries), 0);
	assert_int_equal(backends_use(backends, b->registry), 0);
}

/* Until some name leads elsewhere. */
static void
wait_changed(void)
{
	assert_true(fake_loop_until(base, &changed, SOON_MS));
	changed = false;
}

/* Until no question is under way. */
static void
wait_heard(void)
{
	bool never = false;

	while (counts().pending > 0)
		(void)fake_loop_until(base, &never, 5);
}

/* All ways of a service, "ADDRESS:PORT*WEIGHT " each. */
static const char *
ways(const struct built *b, size_t service)
{
	static char out[8192];
	struct backends_walk walk = {0};
	char text[ADDR_TEXT_MAX];
	struct way way;
	size_t len = 0;

	out[0] = '\0';
	while (backends_way(backends, b->registry, service, &walk, &way))
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s:%u*%u ",
		    addr_format(&way.addr, text), way.port, way.weight);
	return out;
}

static void
a_name_leads_to_what_it_has(void **state)
{
	(void)state;
	says.count = 2;
	use(&built, ENTRY("a", "192.0.2.1",
			NAMES("{address: b.t, weight: 3, ports: {web: 81}}, {address: "
			      "198.51.100.1}")));
	assert_string_equal(ways(&built, 1), "198.51.100.1:80*1 ");
	assert_int_equal(backends_counts(backends).unheard, 1);
	wait_changed();
	wait_heard();
	assert_string_equal(
	    ways(&built, 1), "203.0.113.1:81*3 203.0.113.2:81*3 198.51.100.1:80*1 ");
	assert_int_equal(backends_counts(backends).names, 1);
	assert_int_equal(backends_counts(backends).unheard, 0);
	assert_int_equal(asked[0], 1);
	assert_int_equal(asked[1], 1);
}

static void
an_entry_without_endpoints_leads_to_its_host(void **state)
{
	(void)state;
	use(&built, ENTRY("a", "192.0.2.1", ""));
	wait_changed();
	assert_string_equal(ways(&built, 1), "203.0.113.1:80*1 ");
}

static void
a_name_is_asked_once_for_all_services(void **state)
{
	(void)state;
	use(&built, ENTRY("a", "192.0.2.1", NAMES("{address: c.t}"))
			ENTRY("b", "192.0.2.2", NAMES("{address: C.t}")));
	wait_changed();
	wait_heard();
	assert_int_equal(asked[0], 1);
	assert_string_equal(ways(&built, 2), "203.0.113.1:80*1 ");
}

static void
what_an_answer_may_not_have_is_left_out(void **state)
{
	(void)state;
	use(&built, ENTRY("a", "192.0.2.1", NAMES("{address: inside.t}")));
	wait_changed();
	assert_string_equal(ways(&built, 1), "203.0.113.1:80*1 ");
}

/* As round robin does it: nothing has changed. */
static void
the_order_of_an_answer_does_not_matter(void **state)
{
	(void)state;
	says.count = 12;
	use(&built, ENTRY("a", "192.0.2.1", ""));
	wait_changed();
	wait_heard();
	says.backwards = true;
	clock_ahead_ms += 61000;
	backends_tick(backends);
	wait_heard();
	assert_int_equal(asked[0], 2);
	assert_int_equal(changes, 1);
	assert_int_equal(told, 2); /* the second was that there is no AAAA */
	assert_non_null(strstr(ways(&built, 1), "203.0.113.8:80*1 "));
	assert_null(strstr(ways(&built, 1), "203.0.113.9:80*1 "));
}

static void
a_name_is_asked_again_when_its_ttl_is_over(void **state)
{
	(void)state;
	use(&built, ENTRY("a", "192.0.2.1", ""));
	wait_changed();
	wait_heard();
	clock_ahead_ms += 58000;
	backends_tick(backends);
	wait_heard();
	assert_int_equal(asked[0], 1);
	assert_int_equal(asked[1], 2); /* that there is none was said without a TTL */
	clock_ahead_ms += 3000;
	says.first = 7;
	backends_tick(backends);
	wait_changed();
	assert_string_equal(ways(&built, 1), "203.0.113.7:80*1 ");
	wait_heard();
	says.count = 0; /* it has none any more */
	clock_ahead_ms += 61000;
	backends_tick(backends);
	wait_changed();
	assert_string_equal(ways(&built, 1), "");
}

static void
a_short_ttl_is_not_followed(void **state)
{
	(void)state;
	ttl_s = 0;
	use(&built, ENTRY("a", "192.0.2.1", ""));
	wait_changed();
	wait_heard();
	clock_ahead_ms += BACKEND_TTL_MIN_S * 1000 - 200;
	backends_tick(backends);
	assert_int_equal(counts().pending, 0);
	clock_ahead_ms += 300;
	backends_tick(backends);
	assert_int_equal(counts().pending, 2);
}

static void
a_name_that_fails_keeps_what_it_had(void **state)
{
	(void)state;
	use(&built, ENTRY("a", "192.0.2.1", ""));
	wait_changed();
	wait_heard();
	says.fails = true;
	clock_ahead_ms += 7300000; /* the cache has nothing old either */
	backends_tick(backends);
	wait_heard();
	assert_int_equal(backends_counts(backends).failing, 1);
	assert_string_equal(ways(&built, 1), "203.0.113.1:80*1 ");
	says.fails = false;
	says.first = 9;
	clock_ahead_ms += (BACKEND_RETRY_S + 60) * 1000;
	backends_tick(backends);
	wait_changed();
	wait_heard();
	assert_int_equal(backends_counts(backends).failing, 0);
	assert_string_equal(ways(&built, 1), "203.0.113.9:80*1 ");
}

static void
a_name_that_stays_keeps_what_it_had(void **state)
{
	(void)state;
	use(&built, ENTRY("a", "192.0.2.1", NAMES("{address: c.t}, {address: d.t}")));
	wait_changed();
	wait_heard();
	says.held = true;
	use(&other_built,
	    ENTRY("x", "192.0.2.9", NAMES("{address: d.t}, {address: e.t}")));
	assert_string_equal(ways(&other_built, 1), "203.0.113.1:80*1 ");
	assert_int_equal(backends_counts(backends).names, 2);
	assert_int_equal(backends_counts(backends).unheard, 1);
}

static void
only_some_are_asked_at_a_time(void **state)
{
	char text[32768];
	size_t len = 0;

	(void)state;
	says.held = true;
	for (unsigned i = 0; i < BACKEND_ASKING_MAX; i++) {
		char entry[512];

		(void)snprintf(
		    entry, sizeof(entry), ENTRY("n%u", "198.51.100.%u", ""), i, i, i + 1);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", entry);
	}
	use(&built, text);
	assert_int_equal(counts().pending, BACKEND_ASKING_MAX);
	backends_tick(backends);
	assert_int_equal(counts().pending, BACKEND_ASKING_MAX);
	says.held = false; /* failing ones make room for the others */
	wait_heard();
	for (unsigned i = 0; i < 20 && backends_counts(backends).unheard > 0; i++) {
		clock_ahead_ms += BACKEND_RETRY_S * 1000;
		backends_tick(backends);
		wait_heard();
	}
	assert_int_equal(backends_counts(backends).unheard, 0);
}

static void
without_memory_a_name_leads_nowhere(void **state)
{
	(void)state;
	assert_int_equal(
	    built_from(&built, ENTRY("a", "192.0.2.1", NAMES("{address: c.t}"))), 0);
	alloc_fail_at(0);
	assert_int_equal(backends_use(backends, built.registry), -ENOMEM);
	alloc_reset();
	assert_string_equal(ways(&built, 1), "");
	assert_int_equal(backends_use(backends, built.registry), 0);
	wait_changed();
	assert_string_equal(ways(&built, 1), "203.0.113.1:80*1 ");
}

static void
each_service_is_told_once_for_each_change(void **state)
{
	const struct enforcer_table table = {.enforce = 1};
	struct enforcer_message m;

	(void)state;
	use(&built, ENTRY("a", "192.0.2.1", NAMES("{address: c.t}"))
			ENTRY("b", "192.0.2.2", NAMES("{address: d.t}")));
	assert_false(lead_next(&lead, built.registry, &m)); /* nothing was described */
	change_begin(&change, &table);
	lead_describe(&lead, &change, built.registry);
	assert_false(lead_next(&lead, built.registry, &m));
	wait_changed();
	wait_heard();
	for (uint32_t i = 1; i <= 2; i++) {
		assert_true(lead_next(&lead, built.registry, &m));
		assert_int_equal(m.kind, ENFORCER_LEAD);
		assert_int_equal(m.count, 2);
		assert_int_equal(m.body.ways[0].service, i);
		assert_int_equal(m.body.ways[0].weight, 0);
		assert_int_equal(m.body.ways[1].service, i);
		assert_int_equal(m.body.ways[1].port, 80);
	}
	assert_false(lead_next(&lead, built.registry, &m));
	lead_forget(&lead);
	assert_true(lead_next(&lead, built.registry, &m));
	assert_true(lead_next(&lead, built.registry, &m));
	assert_false(lead_next(&lead, built.registry, &m));
	/* numbers are of one registry */
	use(&other_built, ENTRY("x", "192.0.2.9", NAMES("{address: e.t}")));
	assert_false(lead_next(&lead, other_built.registry, &m));
}

static void
a_change_without_memory_is_told_later(void **state)
{
	const struct enforcer_table table = {.enforce = 1};
	struct enforcer_message m;

	(void)state;
	use(&built, ENTRY("a", "192.0.2.1", ""));
	wait_changed();
	wait_heard();
	change_begin(&change, &table);
	alloc_fail_at(0);
	lead_describe(&lead, &change, built.registry);
	assert_null(lead.told);
	alloc_fail_at(0);
	assert_false(lead_next(&lead, built.registry, &m));
	alloc_reset();
	assert_true(lead_next(&lead, built.registry, &m));
	assert_int_equal(m.count, 2);
	assert_false(lead_next(&lead, built.registry, &m));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_name_leads_to_what_it_has),
	    TEST(an_entry_without_endpoints_leads_to_its_host),
	    TEST(a_name_is_asked_once_for_all_services),
	    TEST(what_an_answer_may_not_have_is_left_out),
	    TEST(the_order_of_an_answer_does_not_matter),
	    TEST(a_name_is_asked_again_when_its_ttl_is_over),
	    TEST(a_short_ttl_is_not_followed),
	    TEST(a_name_that_fails_keeps_what_it_had),
	    TEST(a_name_that_stays_keeps_what_it_had),
	    TEST(only_some_are_asked_at_a_time),
	    TEST(without_memory_a_name_leads_nowhere),
	    TEST(each_service_is_told_once_for_each_change),
	    TEST(a_change_without_memory_is_told_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
