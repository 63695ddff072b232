/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/lease/change.h"
#include "daemon/lease/commit.h"

struct fixture {
	struct event_base *base;
	int enforcer;
	struct pods pods;
	struct leases *leases;
	struct committer *committer;
	struct addr pod;
	struct name name;
	int lost, dead, dumped, changed;
	int change_result;
};

struct told {
	struct commit_waiter waiter;
	int times;
	int result;
};

static int64_t fake_now = 1000000;

static int64_t
now_ms(void)
{
	return fake_now;
}

static void
on_lost(void *ctx, int reason)
{
	(void)reason;
	((struct fixture *)ctx)->lost++;
}

static void
on_dead(void *ctx)
{
	((struct fixture *)ctx)->dead++;
}

static void
on_dumped(void *ctx, const struct enforcer_message *m)
{
	((struct fixture *)ctx)->dumped += m->count;
}

static void
on_changed(void *ctx, int result)
{
	struct fixture *f = ctx;

	f->changed++;
	f->change_result = result;
}

static void
on_told(struct commit_waiter *waiter, int result)
{
	struct told *told = (struct told *)(void *)waiter;

	told->times++;
	told->result = result;
}

/* Let the loop do all that it can do now. */
static void
turn(struct fixture *f)
{
	for (int i = 0; i < 4; i++)
		assert_true(event_base_loop(f->base, EVLOOP_NONBLOCK) >= 0);
}

/* The next message to the enforcer; its length, or 0 when there is none. */
static size_t
next(struct fixture *f, struct enforcer_message *m)
{
	ssize_t n = recv(f->enforcer, m, sizeof(*m), MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

static void
answer(struct fixture *f, uint32_t id, int result)
{
	struct enforcer_message m = {.id = id, .kind = ENFORCER_RESULT, .result = result};

	assert_int_equal(send(f->enforcer, &m, enforcer_size(&m), 0), enforcer_size(&m));
}

static void
change(struct fixture *f)
{
	struct enforcer_table table = {.enforce = 1};
	struct change c;

	change_begin(&c, &table);
	assert_int_equal(change_end(&c), 0);
	assert_int_equal(committer_change(f->committer, &c, on_changed, f), 0);
	change_done(&c);
	turn(f);
}

/* Make the table stand. */
static void
make_ready(struct fixture *f)
{
	struct enforcer_message m;

	change(f);
	assert_true(next(f, &m) > 0);
	assert_int_equal(m.kind, ENFORCER_TABLE);
	assert_true(next(f, &m) > 0);
	assert_int_equal(m.kind, ENFORCER_END);
	answer(f, m.id, 0);
	turn(f);
	assert_true(committer_ready(f->committer));
}

static int
set_up(void **state)
{
	static struct fixture f;
	struct lease_limits limits = {
	    .size = 64, .per_pod = 64, .per_name = 64, .timeout_ms = 3600 * 1000};
	struct committer_hooks hooks = {
	    .ctx = &f, .lost = on_lost, .dead = on_dead, .dumped = on_dumped};
	struct hash_key key = {{1, 2}};
	int pair[2];

	memset(&f, 0, sizeof(f));
	f.base = event_base_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	f.enforcer = pair[1];
	assert_int_equal(pods_init(&f.pods, &key), 0);
	assert_int_equal(leases_new(&limits, &f.pods, &key, &f.leases), 0);
	assert_int_equal(
	    committer_new(f.base, pair[0], f.leases, now_ms, &hooks, &f.committer), 0);
	f.pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	assert_int_equal(name_parse("google.com", 10, &f.name), 0);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	committer_free(f->committer);
	leases_free(f->leases);
	pods_done(&f->pods);
	if (f->enforcer >= 0)
		(void)close(f->enforcer); /* the test is over */
	event_base_free(f->base);
	return 0;
}

static struct lease_target
target(uint8_t host)
{
	return (struct lease_target){
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, host}),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	};
}

static int
commit_for(struct fixture *f, uint8_t host, uint32_t timeout_ms, struct told *told)
{
	struct commit_request request = {
	    .name = &f->name, .timeout_ms = timeout_ms, .len = 1};
	struct grant *g = lease_grant(f->leases, &f->pod, &f->name);
	struct lease_target t = target(host);

	*told = (struct told){.waiter = {.done = on_told}};
	request.leases[0] = lease_reserve(f->leases, g, &t, &request.renew[0]);
	lease_grant_release(f->leases, g);
	assert_non_null(request.leases[0]);
	return committer_commit(f->committer, &request, &told->waiter);
}

static int
commit(struct fixture *f, uint8_t host, struct told *told)
{
	return commit_for(f, host, 60000, told);
}

/* A commit, as the enforcer sees it. */
static void
send_one(struct fixture *f, uint8_t host, struct told *told, struct enforcer_message *m)
{
	assert_int_equal(commit(f, host, told), 0);
	turn(f);
	assert_true(next(f, m) > 0);
}

static bool
covered(struct fixture *f, uint8_t host)
{
	struct grant *g = lease_grant(f->leases, &f->pod, &f->name);
	struct lease_target t = target(host);
	bool yes = lease_check(f->leases, g, &t, fake_now + 60000) == LEASE_COVERED;

	lease_grant_release(f->leases, g);
	return yes;
}

static void
test_nothing_is_taken_before_the_table_stands(void **state)
{
	struct fixture *f = *state;
	static struct told told; /* may wait until the end */

	assert_int_equal(commit(f, 1, &told), -ENOENT);
	assert_int_equal(leases_counts(f->leases).leases, 0);
	turn(f);
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
	turn(f);
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
	turn(f);
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
	turn(f);
	for (size_t i = 0; i < 3; i++)
		assert_true(next(f, &m[i]) > 0);
	answer(f, m[0].id, 0);
	answer(f, m[1].id, -ENFILE);
	answer(f, m[2].id, 0);
	turn(f);
	assert_true(covered(f, 0));
	assert_false(covered(f, 1));
	assert_true(covered(f, 2));
	assert_int_equal(told[1].result, -ENFILE);
	assert_true(committer_ready(f->committer));
	assert_int_equal(f->lost, 0);
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
	turn(f);
	for (size_t i = 0; i < 2; i++)
		assert_true(next(f, &m[i]) > 0);
	answer(f, m[1].id, 0);
	turn(f);
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
	turn(f);
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
	turn(f);
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
	turn(f);
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
	turn(f);
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
	turn(f);
	assert_true(next(f, &m) > 0);
	assert_int_equal(m.kind, ENFORCER_DUMP);
	lease.id = m.id;
	assert_int_equal(
	    send(f->enforcer, &lease, enforcer_size(&lease), 0), enforcer_size(&lease));
	answer(f, m.id, 0);
	turn(f);
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
	turn(f);
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
			turn(f);
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
	turn(f);
	assert_true(next(f, &first) > 0);
	assert_true(next(f, &second) > 0);
	assert_int_equal(first.body.leases[0].timeout_ms, 60000);
	assert_true(second.body.leases[0].timeout_ms >= 60000);
	answer(f, first.id, 0);
	answer(f, second.id, 0);
	turn(f);
	assert_true(covered(f, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_nothing_is_taken_before_the_table_stands),
	    TEST(test_acknowledged_commit_covers),
	    TEST(test_results_come_in_order_and_one_failure_is_one),
	    TEST(test_result_out_of_order_is_the_end),
	    TEST(test_late_waiter_is_told_once_and_the_lease_is_settled_later),
	    TEST(test_cancelled_waiter_is_not_told),
	    TEST(test_lost_table_refuses_until_it_is_made_again),
	    TEST(test_loss_during_a_change_leaves_it_in_doubt),
	    TEST(test_shorter_commit_behind_a_longer_one_asks_for_as_long),
	    TEST(test_only_one_task_at_a_time),
	    TEST(test_dump_hands_over_what_comes),
	    TEST(test_end_of_the_enforcer),
	    TEST(test_queue_is_bounded_and_the_loop_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
