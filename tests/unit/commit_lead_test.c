/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A LEAD beside commits and changes: its result is told once, and what it says of the
 * table holds.
 */
#include "tests/unit/commit_bed.h"

static struct {
	int times, result;
} led;

static void
on_led(void *ctx, int result)
{
	(void)ctx;
	led.times++;
	led.result = result;
}

static struct enforcer_message
lead(void)
{
	struct enforcer_message m = {.kind = ENFORCER_LEAD, .count = 1};

	m.body.ways[0].service = 1;
	return m;
}

/* Asked, and as the enforcer sees it. */
static void
send_lead(struct fixture *f, struct enforcer_message *m)
{
	struct enforcer_message asked = lead();

	led.times = 0;
	assert_int_equal(committer_lead(f->committer, &asked, on_led, f), 0);
	assert_true(committer_leads(f->committer));
	commit_turn(f);
	assert_true(next(f, m) > 0);
	assert_int_equal(m->kind, ENFORCER_LEAD);
	assert_int_equal(m->id, asked.id);
}

static void
its_result_is_told_between_commits(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message first, second, m = lead(), sent;
	static struct told one, two; /* may wait until the end */

	make_ready(f);
	send_one(f, 1, &one, &first);
	send_lead(f, &sent);
	assert_int_equal(committer_lead(f->committer, &m, on_led, f), -EBUSY);
	send_one(f, 2, &two, &second);
	answer(f, first.id, 0);
	answer(f, sent.id, 0);
	answer(f, second.id, 0);
	commit_turn(f);
	assert_int_equal(one.times, 1);
	assert_int_equal(two.times, 1);
	assert_int_equal(led.times, 1);
	assert_int_equal(led.result, 0);
	assert_false(committer_leads(f->committer));
	assert_int_equal(f->lost + f->dead, 0);
}

/* The table is gone, or in doubt; other failures say nothing of it. */
static void
a_failure_may_mean_a_loss(void **state)
{
	static const struct {
		int result, lost;
	} cases[] = {{-EPERM, 0}, {-ENOMEM, 0}, {-ENOENT, 1}, {-EIO, 1}};
	struct fixture *f = *state;
	struct enforcer_message m;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		make_ready(f);
		f->lost = 0;
		send_lead(f, &m);
		answer(f, m.id, cases[i].result);
		commit_turn(f);
		assert_int_equal(led.times, 1);
		assert_int_equal(led.result, cases[i].result);
		assert_int_equal(f->lost, cases[i].lost);
		assert_int_equal(committer_ready(f->committer), !cases[i].lost);
	}
}

static void
without_an_enforcer_nothing_is_told(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m, again = lead();

	make_ready(f);
	send_lead(f, &m);
	(void)close(f->enforcer);
	f->enforcer = -1;
	commit_turn(f);
	assert_int_equal(f->dead, 1);
	assert_int_equal(led.times, 0);
	assert_int_equal(committer_lead(f->committer, &again, on_led, f), -EBUSY);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, commit_set_up, commit_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(its_result_is_told_between_commits),
	    TEST(a_failure_may_mean_a_loss),
	    TEST(without_an_enforcer_nothing_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
