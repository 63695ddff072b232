/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One answer out of the answers to several names. The names' first labels say what the
 * server does with them.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "daemon/query/gather.h"
#include "tests/unit/resolver_bed.h"

#define TARGETS 4

static struct name targets_names[TARGETS];
static struct registry_target targets[TARGETS];
static struct prefix endpoints[4];
static struct registry_host host;
static struct question question;

struct gatherer {
	struct gather_waiter waiter;
	bool told;
	int result;
	struct answer *answer; /* a reference */
};

static struct fake_query held;

/* An A or AAAA record behind what is there. */
static size_t
add_record(uint8_t *out, size_t len, uint16_t type, uint32_t record_ttl_s,
    const uint8_t *address)
{
	size_t address_len = type == TYPE_A ? 4 : 16;

	wire_put_record(out + len, WIRE_HEADER_LEN, type, record_ttl_s, address_len);
	memcpy(out + len + WIRE_RECORD_LEN, address, address_len);
	out[7]++;
	return len + WIRE_RECORD_LEN + address_len;
}

/* one: 192.0.2.1 for 60 s; two: 192.0.2.2 and .1 for 40 s; six: an AAAA record; none: no
 * record; gone: NXDOMAIN; fail: SERVFAIL; late: kept in held. */
static void
by_label(struct fake_server *f, const struct fake_query *q)
{
	const char *label = (const char *)q->bytes + WIRE_HEADER_LEN + 1;
	bool v6 = q->bytes[WIRE_HEADER_LEN + q->question_len - 3] == TYPE_AAAA;
	uint8_t out[512];
	size_t len;

	(void)f;
	if (strncasecmp(label, "late", 4) == 0) {
		held = *q;
		return;
	}
	len = fake_reply_head(q,
	    strncasecmp(label, "fail", 4) == 0   ? RCODE_SERVFAIL
	    : strncasecmp(label, "gone", 4) == 0 ? RCODE_NXDOMAIN
						 : 0,
	    out);
	if (strncasecmp(label, "two", 3) == 0 && !v6)
		len = add_record(out, len, TYPE_A, 40, (uint8_t[]){192, 0, 2, 2});
	if ((strncasecmp(label, "one", 3) == 0 || strncasecmp(label, "two", 3) == 0) &&
	    !v6)
		len = add_record(out, len, TYPE_A, 60, (uint8_t[]){192, 0, 2, 1});
	if (strncasecmp(label, "six", 3) == 0 && v6)
		len = add_record(
		    out, len, TYPE_AAAA, 50, (uint8_t[]){0x20, 1, 0xd, 0xb8, [15] = 1});
	fake_server_send(q, out, len);
}

static int
set_up(void **state)
{
	(void)setup(state);
	server.on_query = other.on_query = by_label;
	held.len = 0;
	memset(&host, 0, sizeof(host));
	host.resolution = RESOLUTION_DNS;
	host.targets = targets;
	host.endpoints = endpoints;
	memset(&question, 0, sizeof(question));
	question.name = name;
	question.type = TYPE_A;
	return 0;
}

/* The host's endpoints' names, up to NULL. */
static void
have(const char *const *names)
{
	for (host.target_count = 0; *names != NULL; names++) {
		size_t i = host.target_count++;

		assert_true(i < TARGETS);
		assert_int_equal(
		    name_parse(*names, strlen(*names), &targets_names[i]), 0);
		targets[i] = (struct registry_target){
		    .name = targets_names[i].bytes,
		    .len = targets_names[i].len,
		    .zone = REGISTRY_NO_ZONE,
		};
	}
}
#define HAVE(...) have((const char *[]){__VA_ARGS__, NULL})

static void
have_address(const char *text)
{
	assert_int_equal(
	    prefix_parse(text, strlen(text), &endpoints[host.endpoint_count++]), 0);
}

static void
on_gathered(struct gather_waiter *waiter, int result, struct answer *a)
{
	struct gatherer *g = CONTAINER_OF(waiter, struct gatherer, waiter);

	assert_false(g->told);
	assert_null(waiter->gather);
	assert_int_equal(a != NULL, result == 0);
	g->told = true;
	g->result = result;
	g->answer = a == NULL ? NULL : answer_ref(a);
}

static struct gather_question
asked(void)
{
	return (struct gather_question){
	    .resolver = resolver,
	    .host = &host,
	    .question = &question,
	    .now_ms = now_ms,
	};
}

static int
start(struct gatherer *g)
{
	struct gather_question q = asked();
	int r;

	memset(g, 0, sizeof(*g));
	g->waiter.done = on_gathered;
	r = gather_start(&q, &g->waiter, now_ms(), &g->answer);
	assert_false(g->told); /* not from within */
	assert_int_equal(r == -EINPROGRESS, g->waiter.gather != NULL);
	return r;
}

/* The answer, however long it takes. */
static int
gather(struct gatherer *g)
{
	int r = start(g);

	if (r != -EINPROGRESS)
		return r;
	assert_true(fake_loop_until(base, &g->told, SOON_MS));
	return g->result;
}

static void
expect_addresses(struct gatherer *g, const char *const *list)
{
	const struct answer *a = g->answer;
	size_t n = 0;

	assert_non_null(a);
	for (; list[n] != NULL; n++) {
		struct addr want;

		assert_int_equal(addr_parse(list[n], strlen(list[n]), &want), 0);
		assert_true(n < a->address_count);
		assert_true(addr_equal(&a->addresses[n].addr, &want));
	}
	assert_int_equal(a->address_count, n);
	assert_int_equal(a->rcode, RCODE_NOERROR);
	assert_true(name_equal(&a->name, &name));
	assert_int_equal(a->answer_records, n); /* no alias leads to them */
}
static void
gives(struct gatherer *g, const char *const *list)
{
	assert_int_equal(gather(g), 0);
	expect_addresses(g, list);
}

#define EXPECT(g, ...) expect_addresses(g, (const char *[]){__VA_ARGS__, NULL})
#define GIVES(g, ...) gives(g, (const char *[]){__VA_ARGS__, NULL})
#define GIVES_NONE(g) gives(g, (const char *[]){NULL})

static void
release(struct gatherer *g)
{
	answer_unref(g->answer);
	g->answer = NULL;
}

static void
addresses_are_united_under_the_asked_name(void **state)
{
	struct gatherer g;

	(void)state;
	HAVE("two.t", "one.t");
	GIVES(&g, "192.0.2.2", "192.0.2.1");
	assert_in_range(answer_ttl(g.answer, now_ms()), 39, 40);
	release(&g);
}

static void
what_the_cache_has_is_not_asked_again(void **state)
{
	struct gatherer g;
	struct gather_question q = asked();
	struct answer *a;
	size_t sent;

	(void)state;
	q.known_only = true;
	g.waiter = (struct gather_waiter){.done = on_gathered};
	HAVE("two.t", "one.t");
	assert_int_equal(gather_start(&q, &g.waiter, now_ms(), &a), -EINPROGRESS);
	assert_int_equal(counts().questions, 0);
	assert_int_equal(gather(&g), 0);
	release(&g);
	sent = server.udp_count;
	assert_int_equal(gather_start(&q, &g.waiter, now_ms(), &a), 0);
	assert_int_equal(a->address_count, 2);
	answer_unref(a);
	HAVE("two.t", "one.t", "none.t");
	assert_int_equal(gather(&g), 0);
	release(&g);
	assert_int_equal(server.udp_count, sent + 1);
}

static void
written_addresses_come_first_and_once(void **state)
{
	struct gatherer g;

	(void)state;
	HAVE("one.t", "two.t");
	have_address("192.0.2.9");
	have_address("2001:db8::9");
	have_address("192.0.2.1");
	GIVES(&g, "192.0.2.9", "192.0.2.1", "192.0.2.2");
	assert_in_range(answer_ttl(g.answer, now_ms()), 29, 30);
	release(&g);
	question.type = TYPE_AAAA;
	HAVE("one.t", "six.t");
	GIVES(&g, "2001:db8::9", "2001:db8::1");
	release(&g);
}

static void
each_name_is_asked_where_it_lies(void **state)
{
	struct gatherer g;

	(void)state;
	HAVE("one.t", "two.zone");
	targets[1].zone = 0;
	GIVES(&g, "192.0.2.1", "192.0.2.2");
	release(&g);
	assert_int_equal(server.udp_count, 1);
	assert_int_equal(other.udp_count, 1);
}

static void
a_failing_name_is_left_out(void **state)
{
	struct gatherer g;

	(void)state;
	HAVE("fail.t", "one.t");
	GIVES(&g, "192.0.2.1");
	assert_in_range(answer_ttl(g.answer, now_ms()), 4, GATHER_RETRY_S);
	release(&g);
	server.on_query = fake_server_silent;
	HAVE("one.t", "silent.t");
	GIVES(&g, "192.0.2.1");
	release(&g);
	HAVE("fail.t");
	have_address("2001:db8::9");
	GIVES_NONE(&g);
	release(&g);
}

static void
all_failing_is_a_failure(void **state)
{
	struct gatherer g;

	(void)state;
	HAVE("fail.t", "fail.u");
	assert_int_equal(gather(&g), -EREMOTEIO);
	assert_int_equal(gather(&g), -EREMOTEIO); /* at once */
	server.on_query = fake_server_silent;
	HAVE("silent.t", "silent.u");
	assert_int_equal(gather(&g), -ETIMEDOUT);
}

static void
no_address_at_all_is_no_record(void **state)
{
	struct gatherer g;

	(void)state;
	HAVE("none.t", "gone.t");
	GIVES_NONE(&g);
	assert_true(g.answer->negative);
	release(&g);
	HAVE("gone.t", "fail.t");
	GIVES_NONE(&g);
	release(&g);
}

static void
a_name_without_address_bounds_the_time(void **state)
{
	struct gatherer g;

	(void)state;
	HAVE("none.t", "one.t");
	GIVES(&g, "192.0.2.1");
	assert_in_range(answer_ttl(g.answer, now_ms()), 4, GATHER_RETRY_S);
	release(&g);
}

/* two.t has gone silent, and its answer is over: it serves all the same, and says so. */
static void
an_old_answer_is_as_good_as_none_better(void **state)
{
	struct gatherer g;

	(void)state;
	HAVE("one.t", "two.t");
	assert_int_equal(gather(&g), 0);
	assert_false(g.waiter.old);
	release(&g);
	clock_ahead_ms += 50 * 1000; /* one.t lives on */
	server.on_query = fake_server_silent;
	GIVES(&g, "192.0.2.1", "192.0.2.2");
	assert_true(g.waiter.old);
	assert_in_range(answer_ttl(g.answer, now_ms()), 1, 10);
	release(&g);
	clock_ahead_ms += 50 * 1000;
	assert_int_equal(gather(&g), 0);
	assert_in_range(
	    answer_ttl(g.answer, now_ms()), RESOLVER_OLD_TTL_S - 1, RESOLVER_OLD_TTL_S);
	release(&g);
}

static void
no_more_than_an_answer_holds(void **state)
{
	static struct prefix many[2 * ANSWER_ADDRESSES_MAX + 10];
	struct gatherer g;

	(void)state;
	HAVE("one.t");
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (struct prefix){
		    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, (uint8_t)i}),
		    .len = 32,
		};
	host.endpoints = many;
	host.endpoint_count = ARRAY_LEN(many);
	assert_int_equal(gather(&g), 0);
	assert_int_equal(g.answer->address_count, ANSWER_ADDRESSES_MAX);
	release(&g);
}

static void
cancelled_it_is_not_told(void **state)
{
	struct gatherer g;
	const bool never = false;

	(void)state;
	HAVE("one.t", "late.t");
	assert_int_equal(start(&g), -EINPROGRESS); /* none heard */
	gather_cancel(&g.waiter);
	assert_null(g.waiter.gather);
	gather_cancel(&g.waiter); /* harmless */
	assert_int_equal(start(&g), -EINPROGRESS);
	(void)fake_loop_until(base, &never, QUIET_MS);
	assert_true(held.len > 0); /* one heard */
	gather_cancel(&g.waiter);
	fake_server_reply(&held, 1, 60);
	(void)fake_loop_until(base, &never, QUIET_MS);
	assert_false(g.told);
	/* the questions went on all the same */
	assert_int_equal(start(&g), 0);
	release(&g);
}

/* Two that wait for the same names; the first that is told cancels the other. */
static struct gatherer pair[2];

static void
on_first(struct gather_waiter *waiter, int result, struct answer *a)
{
	on_gathered(waiter, result, a);
	gather_cancel(&pair[1].waiter);
}

static void
one_cancels_the_other(void **state)
{
	(void)state;
	HAVE("one.t", "two.t");
	assert_int_equal(start(&pair[0]), -EINPROGRESS);
	assert_int_equal(start(&pair[1]), -EINPROGRESS);
	pair[0].waiter.done = on_first;
	assert_true(fake_loop_until(base, &pair[0].told, SOON_MS));
	assert_false(pair[1].told);
	release(&pair[0]);
}

static void
the_host_may_go_meanwhile(void **state)
{
	struct gatherer g;

	(void)state;
	HAVE("one.t", "two.t");
	have_address("192.0.2.9");
	assert_int_equal(start(&g), -EINPROGRESS);
	memset(&host, 0xee, sizeof(host));
	memset(targets, 0xee, sizeof(targets));
	memset(targets_names, 0xee, sizeof(targets_names));
	memset(&question, 0xee, sizeof(question));
	assert_true(fake_loop_until(base, &g.told, SOON_MS));
	assert_int_equal(g.result, 0);
	EXPECT(&g, "192.0.2.9", "192.0.2.1", "192.0.2.2");
	release(&g);
}

static void
every_allocation_fails_once(void **state)
{
	struct gatherer g;
	size_t count, failed = 0;

	HAVE("one.t", "two.t");
	alloc_reset();
	assert_int_equal(gather(&g), 0);
	count = alloc_count();
	release(&g);
	assert_true(count > 2);
	for (size_t n = 0; n < count; n++) {
		(void)teardown(state);
		(void)set_up(state);
		HAVE("one.t", "two.t");
		alloc_fail_at(n);
		if (gather(&g) < 0)
			failed++;
		else
			assert_true(g.answer->address_count > 0);
		alloc_reset();
		release(&g);
	}
	assert_true(failed > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(addresses_are_united_under_the_asked_name),
	    TEST(what_the_cache_has_is_not_asked_again),
	    TEST(written_addresses_come_first_and_once),
	    TEST(each_name_is_asked_where_it_lies),
	    TEST(a_failing_name_is_left_out),
	    TEST(all_failing_is_a_failure),
	    TEST(no_address_at_all_is_no_record),
	    TEST(a_name_without_address_bounds_the_time),
	    TEST(an_old_answer_is_as_good_as_none_better),
	    TEST(no_more_than_an_answer_holds),
	    TEST(cancelled_it_is_not_told),
	    TEST(one_cancels_the_other),
	    TEST(the_host_may_go_meanwhile),
	    TEST(every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
