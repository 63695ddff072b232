/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of upstream questions share: three servers, in one group, and a question
 * that notes how it ended.
 */
#ifndef TESTS_UNIT_UPSTREAM_BED_H
#define TESTS_UNIT_UPSTREAM_BED_H

#include "tests/unit/unit.h"

#include <string.h>

#include <event2/event.h>

#include "resolver/upstream.h"
#include "tests/unit/alloc.h"
#include "tests/unit/fake_server.h"

#define SOON_MS 3000 /* of the fake clock: more than any test needs */
#define QUIET_MS 20
#define TRY_MS 60
#define DEADLINE_MS 400

static struct event_base *base;
static struct fake_server servers[3];
static struct channel_pool *channels;
static struct server_list list;
static struct server_group *group;
static struct entropy entropy;
static struct upstream upstream;
static struct name name;
static int fill_result;

static struct upstream_question question;
static bool ended;
static int end_result;
static struct answer *end_answer;
static int64_t began_ms, ended_ms;

BED_FUNCTION int
fill(void *out, size_t len)
{
	(void)fake_random_bytes(out, len); /* it cannot fail */
	return fill_result;
}

BED_FUNCTION void
on_done(struct upstream_question *q, int result, struct answer *a)
{
	assert_ptr_equal(q, &question);
	assert_false(ended);
	ended = true;
	ended_ms = fake_clock_ms();
	end_result = result;
	end_answer = a;
	memset(q, 0xa5, sizeof(*q)); /* nothing of it may be touched any more */
}

BED_FUNCTION void
use_servers(size_t count)
{
	struct endpoint endpoints[ARRAY_LEN(servers)];
	struct resolver_group settings = {.servers = endpoints, .server_count = count};

	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		endpoints[i] = servers[i].endpoint;
	server_group_unref(group);
	assert_int_equal(server_group_new(&list, &settings, &group), 0);
}

BED_FUNCTION int
setup(void **state)
{
	struct upstream_settings settings = {
	    .now_ms = fake_clock_ms, .deadline_ms = DEADLINE_MS, .try_ms = TRY_MS};

	(void)state;
	base = event_base_new();
	settings.base = base;
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		fake_server_start(&servers[i], base, fake_server_answers);
	assert_int_equal(channel_pool_new(base, fake_clock_ms, &channels), 0);
	server_list_init(&list, channel_pool_sockets(channels));
	group = NULL;
	use_servers(ARRAY_LEN(servers));
	fill_result = 0;
	entropy_init(&entropy, fill);
	upstream_init(&upstream, &settings, channels, &entropy);
	assert_int_equal(name_parse("www.example.com", 15, &name), 0);
	ended = false;
	end_answer = NULL;
	return 0;
}

BED_FUNCTION int
teardown(void **state)
{
	(void)state;
	alloc_reset();
	if (end_answer != NULL)
		answer_unref(end_answer);
	server_group_unref(group);
	channel_pool_free(channels);
	for (size_t i = 0; i < ARRAY_LEN(servers); i++)
		fake_server_stop(&servers[i]);
	event_base_free(base);
	return 0;
}

BED_FUNCTION int
try_ask(void)
{
	ended = false;
	memset(&question, 0x5a, sizeof(question)); /* it needs no cleaning */
	question.done = on_done;
	question.name = &name;
	question.type = TYPE_A;
	began_ms = fake_clock_ms();
	return upstream_ask(&upstream, group, &question, began_ms);
}

BED_FUNCTION void
ask(void)
{
	assert_int_equal(try_ask(), 0);
	assert_false(ended);
}

BED_FUNCTION void
expect(int result)
{
	assert_true(fake_loop_until(base, &ended, SOON_MS));
	assert_int_equal(end_result, result);
	assert_int_equal(end_answer != NULL, result == 0);
	assert_int_equal(channel_pool_counts(channels).used, 0);
}

BED_FUNCTION void
expect_answer(void)
{
	expect(0);
	assert_int_equal(end_answer->address_count, 1);
	assert_true(name_equal(&end_answer->name, &name));
	answer_unref(end_answer);
	end_answer = NULL;
}

#endif
