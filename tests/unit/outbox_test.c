/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/enforcer/pair.h"
#include "daemon/lease/outbox.h"

#define MIB ((size_t)1024 * 1024)

struct fixture {
	struct event_base *base;
	struct outbox out;
	int near, far;
	struct pair_inbox inbox; /* what came to the far end */
	int broken;
};

static void
on_broken(void *ctx)
{
	((struct fixture *)ctx)->broken++;
}

static int
set_up(void **state)
{
	static struct fixture f;
	int pair[2];

	memset(&f, 0, sizeof(f));
	f.base = event_base_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	f.near = pair[0];
	f.far = pair[1];
	assert_int_equal(outbox_init(&f.out, f.base, f.near, on_broken, &f), 0);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	outbox_done(&f->out);
	outbox_done(&f->out);
	event_base_free(f->base);
	(void)close(f->near); /* the test is over */
	if (f->far >= 0)
		(void)close(f->far); /* as above */
	return 0;
}

static void
turn(struct fixture *f)
{
	assert_true(event_base_loop(f->base, EVLOOP_NONBLOCK) >= 0);
}

static void
add(struct fixture *f, uint32_t id)
{
	struct enforcer_message m = {
	    .kind = ENFORCER_LEASES, .count = ENFORCER_LEASES_MAX, .id = id};

	assert_int_equal(outbox_add(&f->out, &m), 0);
}

/* The id of the next message at the other end, 0 when there is none. */
static uint32_t
take(struct fixture *f)
{
	struct enforcer_message m;

	return pair_take(&f->inbox, f->far, MSG_DONTWAIT, &m) > 0 ? m.id : 0;
}

static void
test_goes_out_in_order_at_the_end_of_the_turn(void **state)
{
	struct fixture *f = *state;

	for (uint32_t id = 1; id <= 3; id++)
		add(f, id);
	assert_int_equal(take(f), 0);
	turn(f);
	for (uint32_t id = 1; id <= 3; id++)
		assert_int_equal(take(f), id);
	assert_int_equal(f->out.frames.len, 0);
}

static void
test_frames_are_given_one_id(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m = {.kind = ENFORCER_END};
	struct buf frames;

	buf_init(&frames, OUTBOX_BYTES_MAX);
	outbox_frame(&frames, &m);
	outbox_frame(&frames, &m);
	outbox_set_id(&frames, 7);
	assert_int_equal(outbox_add_frames(&f->out, &frames), 0);
	buf_done(&frames);
	turn(f);
	assert_int_equal(take(f), 7);
	assert_int_equal(take(f), 7);
	assert_int_equal(take(f), 0);
}

static void
test_what_is_too_much_is_refused_whole(void **state)
{
	struct fixture *f = *state;
	struct enforcer_message m = {.kind = ENFORCER_END, .id = 2};
	size_t len;

	add(f, 1);
	len = f->out.frames.len;
	f->out.frames.limit = len + 8; /* room for the length and a little */
	assert_int_equal(outbox_add(&f->out, &m), -ENOMEM);
	assert_int_equal(f->out.frames.len, len);
	f->out.frames.limit = OUTBOX_BYTES_MAX;
	m.id = 3;
	assert_int_equal(outbox_add(&f->out, &m), 0);
	turn(f);
	assert_int_equal(take(f), 1);
	assert_int_equal(take(f), 3);
}

/* The other end is always a little behind: what was sent must go all the same. */
static void
test_pair_that_is_never_empty_keeps_no_more_than_what_waits(void **state)
{
	struct fixture *f = *state;
	uint32_t in = 1, out = 1;

	while (!f->out.blocked) {
		add(f, in++);
		turn(f);
	}
	for (int i = 0; i < 5000; i++) {
		for (int n = 0; n < 3; n++)
			assert_int_equal(take(f), out++);
		for (int n = 0; n < 3; n++)
			add(f, in++);
		turn(f);
		assert_true(f->out.frames.len < 4 * MIB);
	}
	while (out < in) {
		uint32_t id = take(f);

		if (id != 0)
			assert_int_equal(id, out++);
		turn(f);
	}
	assert_int_equal(f->out.frames.len, 0);
}

static void
test_room_for_one_large_change_goes_back(void **state)
{
	struct fixture *f = *state;

	for (uint32_t id = 1; f->out.frames.len < 4 * MIB; id++)
		add(f, id);
	do
		turn(f);
	while (take(f) != 0);
	assert_int_equal(f->out.frames.len, 0);
	assert_true(f->out.frames.size <= 2 * MIB);
	add(f, 1);
	turn(f);
	assert_int_equal(take(f), 1);
}

static void
frame(struct buf *frames, uint32_t id)
{
	struct enforcer_message m = {.kind = ENFORCER_END, .id = id};

	outbox_frame(frames, &m);
}

static void
test_moved_frames_keep_their_place(void **state)
{
	struct fixture *f = *state;
	struct buf list[3], *const moved[] = {&list[0], &list[1], &list[2]};

	for (size_t i = 0; i < 3; i++)
		buf_init(&list[i], OUTBOX_BYTES_MAX);
	add(f, 1);
	frame(&list[0], 2);
	frame(&list[0], 3);
	frame(&list[2], 4);
	assert_int_equal(outbox_move_frames(&f->out, moved, 3), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(list[i].len, 0);
	add(f, 5);
	frame(&list[1], 6);
	assert_int_equal(outbox_move_frames(&f->out, moved, 3), 0);
	add(f, 7);
	turn(f);
	for (uint32_t id = 1; id <= 7; id++)
		assert_int_equal(take(f), id);
	assert_int_equal(take(f), 0);
	assert_int_equal(f->out.parts_len, 0);
}

/* What else the loop has to do comes between. */
static void
test_a_large_change_goes_in_more_than_one_turn(void **state)
{
	struct fixture *f = *state;
	struct buf frames, *const moved[] = {&frames};
	uint32_t id = 0, taken = 0;
	int turns = 0;

	buf_init(&frames, OUTBOX_BYTES_MAX);
	while (id < 1000)
		frame(&frames, ++id);
	assert_int_equal(outbox_move_frames(&f->out, moved, 1), 0);
	add(f, ++id);
	while (taken < id) {
		uint32_t first = taken;

		assert_int_equal(event_base_loop(f->base, EVLOOP_ONCE), 0);
		turns++;
		while (take(f) == taken + 1)
			taken++;
		assert_in_range(taken - first, 1, 32);
	}
	assert_true(turns > 30);
	assert_int_equal(f->out.parts_len, 0);
}

static void
test_what_waits_is_freed_with_the_box(void **state)
{
	struct fixture *f = *state;
	struct buf frames, *const moved[] = {&frames};

	buf_init(&frames, OUTBOX_BYTES_MAX);
	frame(&frames, 1);
	assert_int_equal(outbox_move_frames(&f->out, moved, 1), 0);
	outbox_done(&f->out);
	assert_int_equal(take(f), 0);
}

static void
test_broken_pair_is_told(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(close(f->far), 0);
	f->far = -1;
	add(f, 1);
	turn(f);
	assert_int_equal(f->broken, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_goes_out_in_order_at_the_end_of_the_turn),
	    TEST(test_frames_are_given_one_id),
	    TEST(test_what_is_too_much_is_refused_whole),
	    TEST(test_pair_that_is_never_empty_keeps_no_more_than_what_waits),
	    TEST(test_room_for_one_large_change_goes_back),
	    TEST(test_moved_frames_keep_their_place),
	    TEST(test_a_large_change_goes_in_more_than_one_turn),
	    TEST(test_what_waits_is_freed_with_the_box),
	    TEST(test_broken_pair_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
