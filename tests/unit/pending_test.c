/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "resolver/pending.h"

static const struct hash_key hash_key = {.k = {1, 2}};

struct client {
	struct resolver_waiter waiter;
	unsigned told;
	int result;
	struct client *victim; /* whom it cancels when told */
};

static void
done(struct resolver_waiter *waiter, int result, struct answer *a)
{
	struct client *c = CONTAINER_OF(waiter, struct client, waiter);

	assert_null(a);
	c->told++;
	c->result = result;
	if (c->victim != NULL)
		pending_leave(&c->victim->waiter);
}

static struct name
name_of(const char *text)
{
	struct name n;

	assert_int_equal(name_parse(text, strlen(text), &n), 0);
	return n;
}

static void
every_part_of_the_key_counts(void **state)
{
	struct name n = name_of("a.example"), m = name_of("b.example");
	const struct pending_key key = {
	    .generation = 1, .group = 2, .name = &n, .type = 3};
	struct pending_key others[4] = {key, key, key, key};
	uint64_t hash = pending_hash(&hash_key, &key);
	struct pending p;
	struct table t;

	(void)state;
	others[0].generation = 2;
	others[1].group = 3;
	others[2].name = &m;
	others[3].type = 4;
	assert_int_equal(table_init(&t, 4), 0);
	pending_init(&p, &key);
	assert_int_equal(table_add(&t, hash, &p.link), 0);
	assert_ptr_equal(pending_find(&t, hash, &key), &p);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_int_not_equal(pending_hash(&hash_key, &others[i]), hash);
		assert_null(pending_find(&t, hash, &others[i]));
	}
	table_done(&t);
}

static void
start(struct pending *p)
{
	struct name n = name_of("a.example");
	const struct pending_key key = {.name = &n};

	pending_init(p, &key);
}

static void
join(struct pending *p, struct client *c)
{
	*c = (struct client){.waiter.done = done};
	assert_int_equal(pending_join(p, &c->waiter), 0);
}

static void
every_waiter_is_told_once(void **state)
{
	struct client clients[3];
	struct pending p;

	(void)state;
	start(&p);
	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		join(&p, &clients[i]);
	pending_tell(&p, -ETIMEDOUT, NULL, false);
	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		assert_int_equal(clients[i].told, 1);
		assert_int_equal(clients[i].result, -ETIMEDOUT);
		assert_null(clients[i].waiter.pending);
	}
}

static void
who_has_left_is_not_told(void **state)
{
	struct client a, b;
	struct pending p;

	(void)state;
	start(&p);
	join(&p, &a);
	join(&p, &b);
	pending_leave(&a.waiter);
	pending_leave(&a.waiter);
	pending_tell(&p, -ETIMEDOUT, NULL, false);
	assert_int_equal(a.told, 0);
	assert_int_equal(b.told, 1);
}

static void
a_waiter_may_cancel_the_others_and_itself_when_told(void **state)
{
	struct client a, b, c;
	struct pending p;

	(void)state;
	start(&p);
	join(&p, &a);
	join(&p, &b);
	join(&p, &c);
	a.victim = &b;
	c.victim = &c;
	pending_tell(&p, -ETIMEDOUT, NULL, false);
	assert_int_equal(a.told, 1);
	assert_int_equal(b.told, 0);
	assert_int_equal(c.told, 1);
}

static void
waiters_are_bounded(void **state)
{
	static struct client clients[RESOLVER_WAITERS_MAX];
	struct client late = {.waiter.done = done};
	struct pending p;

	(void)state;
	start(&p);
	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		join(&p, &clients[i]);
	assert_int_equal(pending_join(&p, &late.waiter), -EBUSY);
	assert_null(late.waiter.pending);
	pending_leave(&clients[7].waiter);
	assert_int_equal(pending_join(&p, &late.waiter), 0);
	pending_tell(&p, 0, NULL, false);
	assert_int_equal(late.told, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_part_of_the_key_counts),
	    cmocka_unit_test(every_waiter_is_told_once),
	    cmocka_unit_test(who_has_left_is_not_told),
	    cmocka_unit_test(a_waiter_may_cancel_the_others_and_itself_when_told),
	    cmocka_unit_test(waiters_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
