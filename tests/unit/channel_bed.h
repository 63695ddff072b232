/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of channels share: a pool, one server, and a use that notes what became
 * of it.
 */
#ifndef TESTS_UNIT_CHANNEL_BED_H
#define TESTS_UNIT_CHANNEL_BED_H

#include "tests/unit/unit.h"

#include <string.h>

#include <event2/event.h>

#include "resolver/channel.h"
#include "tests/unit/alloc.h"
#include "tests/unit/fake_server.h"

#define SOON_MS 3000 /* of the fake clock: more than any test needs */
#define QUIET_MS 20

static struct event_base *base;
static struct fake_server server;
static struct channel_pool *pool;
static struct server_list list;
static struct server_group *group;
static struct entropy entropy;

/* One use and what became of it. */
struct job {
	struct channel_use use;
	struct packet packet;
	bool ended, doubted;
	int result, sign;
	size_t len;
	uint8_t msg[FAKE_MESSAGE_MAX];
};

static struct job job;

BED_FUNCTION void
on_done(struct channel_use *use, int result, const uint8_t *msg, size_t len)
{
	struct job *j = CONTAINER_OF(use, struct job, use);

	assert_false(j->ended);
	assert_null(use->channel);
	j->ended = true;
	j->result = result;
	j->len = len;
	if (len > 0)
		memcpy(j->msg, msg, len);
}

BED_FUNCTION void
on_doubt(struct channel_use *use, int sign)
{
	struct job *j = CONTAINER_OF(use, struct job, use);

	j->doubted = true;
	j->sign = sign;
}

BED_FUNCTION int
setup(void **state)
{
	struct resolver_group settings = {.servers = &server.endpoint, .server_count = 1};

	(void)state;
	base = event_base_new();
	fake_server_start(&server, base, fake_server_answers);
	assert_int_equal(channel_pool_new(base, fake_clock_ms, &pool), 0);
	server_list_init(&list, channel_pool_sockets(pool));
	assert_int_equal(server_group_new(&list, &settings, &group), 0);
	entropy_init(&entropy, fake_random_bytes);
	memset(&job, 0, sizeof(job));
	return 0;
}

BED_FUNCTION int
teardown(void **state)
{
	(void)state;
	alloc_reset();
	channel_cancel(&job.use);
	server_group_unref(group);
	channel_pool_free(pool);
	fake_server_stop(&server);
	event_base_free(base);
	return 0;
}

BED_FUNCTION int
try_ask_name(struct job *j, const struct name *n, enum carrier_transport transport)
{
	const struct packet_form form = {.bare = false};

	assert_int_equal(packet_make(n, TYPE_A, form, &entropy, &j->packet), 0);
	j->ended = j->doubted = false;
	j->use = (struct channel_use){
	    .done = on_done,
	    .doubt = on_doubt,
	    .packet = &j->packet,
	    .wrong_left = CHANNEL_WRONG_MAX,
	};
	return channel_ask(pool, group->servers[0], transport, &j->use);
}

BED_FUNCTION int
try_ask(struct job *j, enum carrier_transport transport)
{
	struct name n;

	assert_int_equal(name_parse("www.example.com", 15, &n), 0);
	return try_ask_name(j, &n, transport);
}

BED_FUNCTION void
ask(enum carrier_transport transport)
{
	assert_int_equal(try_ask(&job, transport), 0);
	assert_false(job.ended);
}

BED_FUNCTION void
expect(int result)
{
	assert_true(fake_loop_until(base, &job.ended, SOON_MS));
	assert_int_equal(job.result, result);
	assert_null(job.use.channel);
}

BED_FUNCTION void
expect_nothing(void)
{
	assert_false(fake_loop_until(base, &job.ended, QUIET_MS));
}

#endif
