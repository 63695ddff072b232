/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the resolver share: a resolver with two groups, and its clients. */
#ifndef TESTS_UNIT_RESOLVER_BED_H
#define TESTS_UNIT_RESOLVER_BED_H

#include "tests/unit/unit.h"

#include <string.h>

#include <event2/event.h>

#include "resolver/resolver.h"
#include "resolver/wire.h"
#include "tests/unit/alloc.h"
#include "tests/unit/fake_server.h"

#define SOON_MS 3000 /* of the fake clock: more than any test needs */
#define QUIET_MS 20

struct client {
	struct resolver_waiter waiter;
	bool told;
	int result;
	struct answer *answer; /* a reference */
	struct client *victim; /* cancelled when this one is told */
	struct client *next;   /* asks the same when this one is told */
};

static struct event_base *base;
static struct fake_server server, other;
static struct resolver *resolver;
static struct resolver_settings settings;
static struct resolver_group groups[2];
static struct name name;
static int64_t clock_ahead_ms;
static uint32_t ttl_s;

BED_FUNCTION int64_t
now_ms(void)
{
	return fake_clock_ms() + clock_ahead_ms;
}

BED_FUNCTION void
answers(struct fake_server *f, const struct fake_query *q)
{
	(void)f;
	fake_server_reply(q, 1, ttl_s);
}

static int try_ask(struct client *c, size_t group, const struct name *n, uint16_t type);

BED_FUNCTION void
on_done(struct resolver_waiter *waiter, int result, struct answer *a)
{
	struct client *c = CONTAINER_OF(waiter, struct client, waiter);

	assert_false(c->told);
	assert_int_equal(a != NULL, result == 0);
	c->told = true;
	c->result = result;
	c->answer = a == NULL ? NULL : answer_ref(a);
	if (c->victim != NULL)
		resolver_cancel(resolver, &c->victim->waiter);
	if (c->next != NULL)
		assert_int_equal(try_ask(c->next, 0, &name, TYPE_A), 0);
}

BED_FUNCTION int
try_ask(struct client *c, size_t group, const struct name *n, uint16_t type)
{
	int r;

	c->waiter.done = on_done;
	c->told = false;
	r = resolver_ask(resolver, group, n, type, &c->waiter, now_ms());
	assert_false(c->told); /* not from within */
	return r;
}

BED_FUNCTION void
ask(struct client *c)
{
	assert_int_equal(try_ask(c, 0, &name, TYPE_A), 0);
}

BED_FUNCTION void
forget(struct client *c)
{
	if (c->answer != NULL)
		answer_unref(c->answer);
	c->answer = NULL;
}

BED_FUNCTION void
expect(struct client *c, int result)
{
	assert_true(fake_loop_until(base, &c->told, SOON_MS));
	assert_int_equal(c->result, result);
	forget(c);
}

BED_FUNCTION struct resolver_counts
counts(void)
{
	return resolver_counts(resolver);
}

BED_FUNCTION int
setup(void **state)
{
	(void)state;
	clock_ahead_ms = 0;
	ttl_s = 60;
	base = event_base_new();
	fake_server_start(&server, base, answers);
	fake_server_start(&other, base, answers);
	groups[0].servers = &server.endpoint;
	groups[1].servers = &other.endpoint;
	groups[0].server_count = groups[1].server_count = 1;
	settings = (struct resolver_settings){
	    .groups = groups,
	    .group_count = ARRAY_LEN(groups),
	    .times = {.deadline_ms = 150, .try_ms = 50},
	    .cache = {1 << 20, .ttl_max_s = 3600, .negative_max_s = 60,
		.old_max_s = 7200},
	    .hash_key = {.k = {3, 4}},
	    .random_bytes = fake_random_bytes,
	    .now_ms = now_ms,
	};
	assert_int_equal(resolver_new(base, &settings, &resolver), 0);
	assert_int_equal(name_parse("www.example.com", 15, &name), 0);
	return 0;
}

BED_FUNCTION int
teardown(void **state)
{
	(void)state;
	alloc_reset();
	resolver_free(resolver);
	fake_server_stop(&server);
	fake_server_stop(&other);
	event_base_free(base);
	return 0;
}

#endif
