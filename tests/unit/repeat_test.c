/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "daemon/query/repeat.h"
#include "tests/unit/alloc.h"
#include "tests/unit/sample.h"

#define NOW 1000
#define EPOCH 7

static const struct hash_key key = {{1, 2}};

static int
enter(void **state)
{
	struct repeats *r;

	assert_int_equal(repeats_new(&key, &r), 0);
	*state = r;
	return 0;
}

static int
leave(void **state)
{
	repeats_free(*state);
	return 0;
}

/* A pod asks a question, with that id. */
struct asked {
	struct addr source;
	uint8_t msg[REPEAT_QUERY_MAX + 1];
	struct repeat_query query;
};

static struct asked *
ask(struct asked *a, const char *pod, const char *text, uint8_t id)
{
	size_t len = strlen(text);

	a->source = sample_addr(pod);
	a->msg[0] = a->msg[1] = id;
	memcpy(a->msg + 2, text, len);
	a->query =
	    (struct repeat_query){.source = &a->source, .msg = a->msg, .len = len + 2};
	return a;
}

static void
keep(struct repeats *r, struct asked *a, const char *reply, int64_t until_ms)
{
	repeats_keep(
	    r, &a->query, (const uint8_t *)reply, strlen(reply), EPOCH, NOW, until_ms);
}

static bool
finds(const struct repeats *r, struct asked *a, const char *expected, int64_t now_ms)
{
	uint8_t out[REPEAT_REPLY_MAX];
	size_t len = repeats_find(r, &a->query, EPOCH, now_ms, out);

	if (len == 0)
		return false;
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(out, a->msg, 2);
	assert_memory_equal(out + 2, expected + 2, len - 2);
	return true;
}

static void
a_reply_is_found_with_the_id_of_the_query(void **state)
{
	struct asked a;

	assert_false(finds(*state, ask(&a, "10.244.0.2", "one", 1), "", NOW));
	keep(*state, &a, "..reply", NOW + 10);
	assert_true(finds(*state, &a, "..reply", NOW));
	assert_true(finds(*state, ask(&a, "10.244.0.2", "one", 2), "..reply", NOW));
}

static void
another_pod_or_packet_has_none(void **state)
{
	static const struct {
		const char *pod, *text;
	} others[] = {
	    {"10.244.0.3", "one"},
	    {"fd00:10:244::2", "one"},
	    {"10.244.0.2", "One"},
	    {"10.244.0.2", "on"},
	    {"10.244.0.2", "one+"},
	    {"10.244.0.2", ""},
	};
	struct asked a;

	keep(*state, ask(&a, "10.244.0.2", "one", 1), "..reply", NOW + 10);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(
		    finds(*state, ask(&a, others[i].pod, others[i].text, 1), "", NOW));
}

static void
it_ends_with_its_time_and_its_epoch(void **state)
{
	uint8_t out[REPEAT_REPLY_MAX];
	struct asked a;

	keep(*state, ask(&a, "10.244.0.2", "one", 1), "..reply", NOW + 10);
	assert_true(finds(*state, &a, "..reply", NOW + 9));
	assert_false(finds(*state, &a, "", NOW + 10));
	assert_int_equal(repeats_find(*state, &a.query, EPOCH + 1, NOW, out), 0);
	assert_int_equal(repeats_find(*state, &a.query, EPOCH - 1, NOW, out), 0);
	keep(*state, &a, "..other", NOW);
	assert_true(finds(*state, &a, "..reply", NOW)); /* it was over when it came */
}

static void
the_last_reply_to_the_same_counts(void **state)
{
	struct asked a;

	keep(*state, ask(&a, "10.244.0.2", "one", 1), "..reply", NOW + 10);
	keep(*state, &a, "..a longer one", NOW + 20);
	assert_true(finds(*state, &a, "..a longer one", NOW + 19));
}

static void
what_is_too_long_is_not_kept(void **state)
{
	char query[REPEAT_QUERY_MAX + 1] = "", reply[REPEAT_REPLY_MAX + 2] = "";
	struct asked a;

	memset(query, 'q', REPEAT_QUERY_MAX - 2);
	memset(reply, 'r', REPEAT_REPLY_MAX);
	ask(&a, "10.244.0.2", query, 1);
	keep(*state, &a, reply, NOW + 10);
	assert_true(finds(*state, &a, reply, NOW));
	reply[REPEAT_REPLY_MAX] = 'r';
	keep(*state, ask(&a, "10.244.0.3", query, 1), reply, NOW + 10);
	assert_false(finds(*state, &a, "", NOW));
	query[REPEAT_QUERY_MAX - 2] = 'q';
	keep(*state, ask(&a, "10.244.0.2", query, 1), "..reply", NOW + 10);
	assert_false(finds(*state, &a, "", NOW));
	a.query.len = 2; /* an id and nothing else */
	keep(*state, &a, "..reply", NOW + 10);
	assert_false(finds(*state, &a, "", NOW));
}

/* Twice as many as there are places: each is its first one's, until that is over. */
static void
a_reply_that_holds_keeps_its_place(void **state)
{
	static bool kept[2 * REPEATS_MAX];
	size_t first = 0, second = 0;
	struct asked a;

	for (int round = 0; round < 2; round++)
		for (unsigned i = 0; i < ARRAY_LEN(kept); i++) {
			char text[16];

			(void)snprintf(text, sizeof(text), "%u", i); /* fits */
			ask(&a, "10.244.0.2", text, 1);
			if (round == 0)
				keep(*state, &a, "..reply", NOW + 10);
			kept[i] = finds(*state, &a, "..reply", NOW);
			first += round == 0 && kept[i];
			second += round == 1 && kept[i];
		}
	assert_in_range(first, REPEATS_MAX / 2, REPEATS_MAX);
	assert_int_equal(second, first);
	for (unsigned i = 0; i < ARRAY_LEN(kept); i++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "%u", i); /* fits */
		ask(&a, "10.244.0.2", text, 1);
		repeats_keep(*state, &a.query, (const uint8_t *)"..later", 7, EPOCH,
		    NOW + 10, NOW + 20);
		if (!kept[i])
			continue;
		second -= finds(*state, &a, "..later", NOW + 10);
	}
	assert_in_range(
	    second, 0, first / 2); /* most of them, once their place was free */
}

static void
out_of_memory_is_told(void **state)
{
	struct repeats *r;

	(void)state;
	alloc_fail_at(0);
	assert_int_equal(repeats_new(&key, &r), -ENOMEM);
	alloc_reset();
}

#define REPEAT_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    REPEAT_TEST(a_reply_is_found_with_the_id_of_the_query),
	    REPEAT_TEST(another_pod_or_packet_has_none),
	    REPEAT_TEST(it_ends_with_its_time_and_its_epoch),
	    REPEAT_TEST(the_last_reply_to_the_same_counts),
	    REPEAT_TEST(what_is_too_long_is_not_kept),
	    REPEAT_TEST(a_reply_that_holds_keeps_its_place),
	    cmocka_unit_test(out_of_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
