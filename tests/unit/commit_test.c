/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/commit_bed.h"

static void
test_nothing_is_taken_before_the_table_stands(void **state)
{
	struct fixture *f = *state;
	static struct told told; /* may wait until the end */

	assert_int_equal(commit(f, 1, &told), -ENOENT);
	assert_int_equal(leases_counts(f->leases).leases, 0);
	commit_turn(f);
	assert_int_equal(told.times, 0);
}

static void
test_acknowledged_commit_covers(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m;
	static struct told told; /* may wait until the end */
	size_t len;

	make_ready(f);
	assert_int_equal(commit(f, 1, &told), 0);
	commit_turn(f);
	len = next(f, &m);
	assert_int_equal(len, enforcer_size(&m));
	assert_int_equal(m.kind, ENFORCER_LEASES);
	assert_string_equal(m.name, "google.com");
	assert_int_equal(m.count, 1);
	assert_int_equal(m.deadline_ms, fake_now + 1000);
	assert_int_equal(m.body.leases[0].timeout_ms, 60000);
	assert_false(covered(f, 1));
	assert_int_equal(told.times, 0);
	answer(f, m.id, 0);
	commit_turn(f);
	assert_int_equal(told.times, 1);
	assert_int_equal(told.result, 0);
	assert_true(covered(f, 1));
}

static void
test_results_come_in_order_and_one_failure_is_one(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m[3];
	static struct told told[3]; /* may wait until the end */

	make_ready(f);
	for (uint8_t i = 0; i < 3; i++)
		assert_int_equal(commit(f, i, &told[i]), 0);
	commit_turn(f);
	for (size_t i = 0; i < 3; i++)
		assert_true(next(f, &m[i]) > 0);
	answer(f, m[0].id, 0);
	answer(f, m[1].id, -ENFILE);
	answer(f, m[2].id, 0);
	commit_turn(f);
	assert_true(covered(f, 0));
	assert_false(covered(f, 1));
	assert_true(covered(f, 2));
	assert_int_equal(told[1].result, -ENFILE);
	assert_true(committer_ready(f->committer));
	assert_int_equal(f->lost, 0);
}

/* Each in a packet of its own, as when the enforcer is the faster one. */
static void
test_results_that_wait_are_taken_in_one_turn(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m[8];
	static struct told told[8]; /* may wait until the end */

	make_ready(f);
	for (uint8_t i = 0; i < 8; i++)
		assert_int_equal(commit(f, i, &told[i]), 0);
	commit_turn(f);
	for (size_t i = 0; i < 8; i++)
		assert_true(next(f, &m[i]) > 0);
	for (size_t i = 0; i < 8; i++)
		answer(f, m[i].id, 0);
	assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
	for (uint8_t i = 0; i < 8; i++)
		assert_int_equal(told[i].times, 1);
}

static void
test_result_out_of_order_is_the_end(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m[2];
	static struct told told[2]; /* may wait until the end */

	make_ready(f);
	for (uint8_t i = 0; i < 2; i++)
		assert_int_equal(commit(f, i, &told[i]), 0);
	commit_turn(f);
	for (size_t i = 0; i < 2; i++)
		assert_true(next(f, &m[i]) > 0);
	answer(f, m[1].id, 0);
	commit_turn(f);
	assert_int_equal(f->dead, 1);
	assert_false(committer_ready(f->committer));
	assert_false(covered(f, 1));
}

static void
test_late_waiter_is_told_once_and_the_lease_is_settled_later(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m;
	static struct told told; /* may wait until the end */

	make_ready(f);
	committer_set_deadline(f->committer, 5);
	send_one(f, 1, &told, &m);
	fake_now += 10;
	while (told.times == 0)
		assert_true(event_base_loop(f->base, EVLOOP_ONCE) >= 0);
	assert_int_equal(told.result, -ETIMEDOUT);
	assert_false(covered(f, 1));
	answer(f, m.id, 0);
	commit_turn(f);
	assert_int_equal(told.times, 1);
	fake_now -= 10;
	assert_true(covered(f, 1));
}

static void
test_cancelled_waiter_is_not_told(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m;
	static struct told told; /* may wait until the end */

	make_ready(f);
	send_one(f, 1, &told, &m);
	committer_cancel(&told.waiter);
	committer_cancel(&told.waiter);
	answer(f, m.id, 0);
	commit_turn(f);
	assert_int_equal(told.times, 0);
	assert_true(covered(f, 1));
}

static void
test_lost_table_refuses_until_it_is_made_again(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m;
	static struct told told; /* may wait until the end */

	make_ready(f);
	send_one(f, 1, &told, &m);
	answer(f, m.id, -ENOENT);
	commit_turn(f);
	assert_int_equal(told.result, -ENOENT);
	assert_int_equal(f->lost, 1);
	assert_int_equal(commit(f, 1, &told), -ENOENT);
	make_ready(f);
	assert_int_equal(commit(f, 1, &told), 0);
}

static void
test_loss_during_a_change_leaves_it_in_doubt(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m, lost = {.kind = ENFORCER_LOST};

	make_ready(f);
	change(f);
	while (next(f, &m) > 0 && m.kind != ENFORCER_END)
		continue;
	assert_int_equal(
	    send(f->enforcer, &lost, enforcer_size(&lost), 0), enforcer_size(&lost));
	answer(f, m.id, 0);
	commit_turn(f);
	assert_int_equal(f->change_result, -ENOENT);
	assert_false(committer_ready(f->committer));
}

static void
test_only_one_task_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct enforcer_table table = {0};
	struct change c;

	change(f);
	change_begin(&c, &table);
	assert_int_equal(change_end(&c), 0);
	assert_int_equal(committer_change(f->committer, &c, on_changed, f), -EBUSY);
	assert_int_equal(committer_dump(f->committer, on_changed, f), -EBUSY);
	change_done(&c);
}

static void
test_dump_hands_over_what_comes(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m, lease = {.kind = ENFORCER_LEASES, .count = 2};

	assert_int_equal(committer_dump(f->committer, on_changed, f), 0);
	commit_turn(f);
	assert_true(next(f, &m) > 0);
	assert_int_equal(m.kind, ENFORCER_DUMP);
	lease.id = m.id;
	assert_int_equal(
	    send(f->enforcer, &lease, enforcer_size(&lease), 0), enforcer_size(&lease));
	answer(f, m.id, 0);
	commit_turn(f);
	assert_int_equal(f->dumped, 2);
	assert_int_equal(f->changed, 1);
	assert_false(committer_ready(f->committer));
}

static void
test_end_of_the_enforcer(void **state)
{
	struct fixture *f = *state;

	make_ready(f);
	assert_int_equal(close(f->enforcer), 0);
	f->enforcer = -1;
	commit_turn(f);
	assert_int_equal(f->dead, 1);
}

/* The end is told to the next commit, before what had been sent is read. */
static void
test_what_was_acknowledged_before_the_end_is_told(void **state)
{
	static struct told told[2]; /* may wait until the end */
	struct fixture *f = *state;
	struct enforcer_message m;

	make_ready(f);
	send_one(f, 1, &told[0], &m);
	assert_int_equal(committer_dump(f->committer, on_changed, f), 0);
	commit_turn(f); /* which is left unread */
	answer(f, m.id, 0);
	assert_int_equal(close(f->enforcer), 0);
	f->enforcer = -1;
	assert_int_equal(commit(f, 2, &told[1]), 0);
	commit_turn(f);
	assert_int_equal(told[0].times, 1);
	assert_int_equal(told[0].result, 0);
	assert_int_equal(told[1].times, 0);
	assert_int_equal(f->dead, 1);
}

static void
test_queue_is_bounded_and_the_loop_does_not_wait(void **state)
{
	static struct told told[COMMIT_QUEUE_MAX + 1];
	struct fixture *f = *state;
	size_t taken = 0;

	make_ready(f);
	/* the same lease again and again: nobody reads at the other end */
	while (taken <= COMMIT_QUEUE_MAX && commit(f, 1, &told[taken]) == 0) {
		taken++;
		if (taken % 64 == 0)
			commit_turn(f);
	}
	assert_int_equal(taken, COMMIT_QUEUE_MAX);
	assert_int_equal(commit(f, 2, &told[COMMIT_QUEUE_MAX]), -EBUSY);
	assert_int_equal(committer_counts(f->committer).waiting, COMMIT_QUEUE_MAX);
}

/* The kernel replaces the first by the second: an answer counts on the first already. */
static void
test_shorter_commit_behind_a_longer_one_asks_for_as_long(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message first, second;
	struct told told[2];

	make_ready(f);
	assert_int_equal(commit_for(f, 1, 60000, &told[0]), 0);
	assert_int_equal(commit_for(f, 1, 2000, &told[1]), 0);
	commit_turn(f);
	assert_true(next(f, &first) > 0);
	assert_true(next(f, &second) > 0);
	assert_int_equal(first.body.leases[0].timeout_ms, 60000);
	assert_true(second.body.leases[0].timeout_ms >= 60000);
	answer(f, first.id, 0);
	answer(f, second.id, 0);
	commit_turn(f);
	assert_true(covered(f, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, commit_set_up, commit_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_nothing_is_taken_before_the_table_stands),
	    TEST(test_acknowledged_commit_covers),
	    TEST(test_results_come_in_order_and_one_failure_is_one),
	    TEST(test_results_that_wait_are_taken_in_one_turn),
	    TEST(test_result_out_of_order_is_the_end),
	    TEST(test_late_waiter_is_told_once_and_the_lease_is_settled_later),
	    TEST(test_cancelled_waiter_is_not_told),
	    TEST(test_lost_table_refuses_until_it_is_made_again),
	    TEST(test_loss_during_a_change_leaves_it_in_doubt),
	    TEST(test_shorter_commit_behind_a_longer_one_asks_for_as_long),
	    TEST(test_only_one_task_at_a_time),
	    TEST(test_dump_hands_over_what_comes),
	    TEST(test_end_of_the_enforcer),
	    TEST(test_what_was_acknowledged_before_the_end_is_told),
	    TEST(test_queue_is_bounded_and_the_loop_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
