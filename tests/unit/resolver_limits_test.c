/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/resolver_bed.h"

/* Limits. */

static void
questions_are_bounded(void **state)
{
	struct client *clients = calloc(RESOLVER_PENDING_MAX + 1, sizeof(*clients));
	char text[32];
	struct name n;

	(void)state;
	fake_allow_files(RESOLVER_PENDING_MAX + 100);
	assert_non_null(clients);
	server.on_query = fake_server_silent;
	for (size_t i = 0; i <= RESOLVER_PENDING_MAX; i++) {
		(void)snprintf(text, sizeof(text), "n%zu.example", i);
		assert_int_equal(name_parse(text, strlen(text), &n), 0);
		assert_int_equal(try_ask(&clients[i], 0, &n, TYPE_A),
		    i < RESOLVER_PENDING_MAX ? 0 : -EBUSY);
	}
	assert_null(clients[RESOLVER_PENDING_MAX].waiter.pending);
	assert_int_equal(counts().pending, RESOLVER_PENDING_MAX);
	for (size_t i = 0; i < RESOLVER_PENDING_MAX; i++)
		resolver_cancel(resolver, &clients[i].waiter);
	free(clients);
}

static void
waiters_are_bounded(void **state)
{
	struct client *clients = calloc(RESOLVER_WAITERS_MAX + 1, sizeof(*clients));

	(void)state;
	assert_non_null(clients);
	for (size_t i = 0; i < RESOLVER_WAITERS_MAX; i++)
		ask(&clients[i]);
	assert_int_equal(
	    try_ask(&clients[RESOLVER_WAITERS_MAX], 0, &name, TYPE_A), -EBUSY);
	for (size_t i = 0; i < RESOLVER_WAITERS_MAX; i++)
		resolver_cancel(resolver, &clients[i].waiter);
	free(clients);
}

static void
a_group_that_is_not_there_is_refused(void **state)
{
	struct client client;

	(void)state;
	assert_int_equal(try_ask(&client, RESOLVER_GROUPS_MAX, &name, TYPE_A), -EINVAL);
	assert_null(resolver_find(resolver, RESOLVER_GROUPS_MAX, &name, TYPE_A, 0, NULL));
}

static void
settings_out_of_range_are_refused(void **state)
{
	struct resolver_settings bad[8] = {settings, settings, settings, settings,
	    settings, settings, settings, settings};
	struct resolver *r;

	(void)state;
	bad[0].group_count = 0;
	bad[1].group_count = RESOLVER_GROUPS_MAX + 1;
	bad[2].times.deadline_ms = 0;
	bad[3].times.deadline_ms = INT64_MAX;
	bad[4].times.try_ms = 0;
	bad[5].times.try_ms = bad[5].times.deadline_ms + 1;
	bad[6].times.patience_ms = -1;
	bad[7].times.patience_ms = INT64_MAX;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(resolver_new(base, &bad[i], &r), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(questions_are_bounded),
	    TEST(waiters_are_bounded),
	    TEST(a_group_that_is_not_there_is_refused),
	    TEST(settings_out_of_range_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
