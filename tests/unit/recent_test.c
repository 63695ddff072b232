/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "daemon/lease/recent.h"
#include "tests/unit/alloc.h"
#include "tests/unit/sample.h"

static const struct hash_key key = {{1, 2}};

static struct name
named(const char *text)
{
	struct name n;

	assert_int_equal(name_parse(text, strlen(text), &n), 0);
	return n;
}

static int
enter(void **state)
{
	struct recent *r;

	assert_int_equal(recent_new(&key, &r), 0);
	*state = r;
	return 0;
}

static int
leave(void **state)
{
	recent_free(*state);
	return 0;
}

static void
note(struct recent *r, const char *pod, const char *address, const char *name,
    int64_t now_ms)
{
	const struct addr p = pod != NULL ? sample_addr(pod) : (struct addr){0};
	const struct addr a = sample_addr(address);
	const struct name n = named(name);

	recent_note(r, &p, &a, &n, now_ms);
}

/* Does this address have this name, NULL: none? */
static bool
is(const struct recent *r, const char *pod, const char *address, const char *name,
    int64_t now_ms)
{
	const struct addr a = sample_addr(address);
	struct addr p = {0};
	const struct name *found;
	struct name wanted;

	if (pod != NULL)
		p = sample_addr(pod);
	found = recent_find(r, pod != NULL ? &p : NULL, &a, now_ms);
	if (name == NULL || found == NULL)
		return name == NULL && found == NULL;
	wanted = named(name);
	return name_equal(found, &wanted);
}

static void
the_last_name_of_the_pod_and_of_anybody(void **state)
{
	struct recent *r = *state;

	note(r, "10.0.0.1", "192.0.2.1", "a.example", 1000);
	note(r, "10.0.0.2", "192.0.2.1", "b.example", 1001);
	assert_true(is(r, "10.0.0.1", "192.0.2.1", "a.example", 1002));
	assert_true(is(r, "10.0.0.2", "192.0.2.1", "b.example", 1002));
	assert_true(is(r, "10.0.0.3", "192.0.2.1", NULL, 1002));
	assert_true(is(r, NULL, "192.0.2.1", "b.example", 1002));
	assert_true(is(r, NULL, "192.0.2.2", NULL, 1002));
	note(r, "10.0.0.1", "192.0.2.1", "c.example", 1003);
	assert_true(is(r, "10.0.0.1", "192.0.2.1", "c.example", 1004));
	assert_true(is(r, NULL, "192.0.2.1", "c.example", 1004));
}

static void
a_pod_that_is_not_known_is_anybody(void **state)
{
	struct recent *r = *state;

	note(r, NULL, "2001:db8::1", "a.example", 1000);
	assert_true(is(r, NULL, "2001:db8::1", "a.example", 1000));
	assert_true(is(r, "fd00::1", "2001:db8::1", NULL, 1000));
}

static void
it_forgets(void **state)
{
	struct recent *r = *state;

	note(r, "10.0.0.1", "192.0.2.1", "a.example", 1000);
	assert_true(is(r, NULL, "192.0.2.1", "a.example", 1000 + RECENT_MS - 1));
	assert_true(is(r, NULL, "192.0.2.1", NULL, 1000 + RECENT_MS));
	assert_true(is(r, "10.0.0.1", "192.0.2.1", NULL, 1000 + RECENT_MS));
}

/* More than it holds: what is found is right, and most of the slots are in use. */
static void
it_is_bounded_and_never_wrong(void **state)
{
	struct recent *r = *state;
	char address[32], name[32];
	size_t found = 0;

	for (unsigned i = 0; i < 4 * RECENT_SLOTS; i++) {
		(void)snprintf(address, sizeof(address), "10.9.%u.%u", i / 256, i % 256);
		(void)snprintf(name, sizeof(name), "n%u.example", i);
		note(r, NULL, address, name, 1000);
	}
	for (unsigned i = 0; i < 4 * RECENT_SLOTS; i++) {
		(void)snprintf(address, sizeof(address), "10.9.%u.%u", i / 256, i % 256);
		(void)snprintf(name, sizeof(name), "n%u.example", i);
		if (is(r, NULL, address, name, 1001))
			found++;
		else
			assert_true(is(r, NULL, address, NULL, 1001));
	}
	assert_in_range(found, RECENT_SLOTS / 2, RECENT_SLOTS);
}

static void
only_kept_addresses_of_an_answer(void **state)
{
	struct recent *r = *state;
	struct answer_address addresses[3] = {{.addr = sample_addr("192.0.2.1")},
	    {.addr = sample_addr("192.0.2.2")}, {.addr = sample_addr("192.0.2.3")}};
	const struct answer a = {.addresses = addresses, .address_count = 3};
	const struct addr pod = sample_addr("10.0.0.1");
	const struct name n = named("a.example");

	recent_note_answer(r, &pod, &a, 5, &n, 1000);
	assert_true(is(r, NULL, "192.0.2.1", "a.example", 1000));
	assert_true(is(r, NULL, "192.0.2.2", NULL, 1000));
	assert_true(is(r, "10.0.0.1", "192.0.2.3", "a.example", 1000));
}

static void
the_other_familys_pod_did_not_ask_for_it(void **state)
{
	struct recent *r = *state;
	struct answer_address addresses[2] = {
	    {.addr = sample_addr("192.0.2.1")}, {.addr = sample_addr("2001:db8::1")}};
	const struct answer a = {.addresses = addresses, .address_count = 2};
	const struct addr pod = sample_addr("10.0.0.1");
	const struct name n = named("a.example");

	recent_note_answer(r, &pod, &a, 3, &n, 1000);
	assert_true(is(r, "10.0.0.1", "192.0.2.1", "a.example", 1000));
	assert_true(is(r, NULL, "2001:db8::1", NULL, 1000));
}

static void
without_memory_there_is_none(void **state)
{
	struct recent *r;

	(void)state;
	alloc_fail_at(0);
	assert_int_equal(recent_new(&key, &r), -ENOMEM);
	alloc_reset();
	recent_free(NULL);
}

#define RECENT_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    RECENT_TEST(the_last_name_of_the_pod_and_of_anybody),
	    RECENT_TEST(a_pod_that_is_not_known_is_anybody),
	    RECENT_TEST(it_forgets),
	    RECENT_TEST(it_is_bounded_and_never_wrong),
	    RECENT_TEST(only_kept_addresses_of_an_answer),
	    RECENT_TEST(the_other_familys_pod_did_not_ask_for_it),
	    cmocka_unit_test(without_memory_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
