/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "daemon/log/history.h"
#include "daemon/log/report.h"

/* Without a sink what is written counts as dropped: both together are what was told. */
static uint64_t
told(void)
{
	struct log_counts counts = log_counts();

	return counts.written + counts.dropped + counts.waiting;
}

static void
refuse(struct report *r, const char *text, uint8_t pod, int64_t now_ms)
{
	struct addr addr = addr_make(AF_INET, (uint8_t[]){10, 244, 0, pod});
	struct verdict verdict = {
	    .kind = VERDICT_REFUSED, .reason = REASON_NOT_REGISTERED};
	struct name name;
	struct report_subject s = {.pod = &addr, .name = &name, .type = 1};

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	report_refused(r, &s, &verdict, now_ms);
}

static void
test_one_record_a_pod_and_name_in_a_period(void **state)
{
	static struct report r;
	struct hash_key key = {{1, 2}};
	uint64_t before = told();

	(void)state;
	report_init(&r, &key, NULL);
	refuse(&r, "a.test", 1, 1000);
	refuse(&r, "a.test", 1, 1001);
	refuse(&r, "a.test", 1, 1000 + REPORT_PERIOD_MS - 1);
	assert_int_equal(told() - before, 1);
	refuse(&r, "a.test", 2, 1002);
	refuse(&r, "b.test", 1, 1002);
	assert_int_equal(told() - before, 3);
	refuse(&r, "a.test", 1, 1000 + REPORT_PERIOD_MS);
	assert_int_equal(told() - before, 4);
	assert_int_equal(r.suppressed_total, 2);
}

static void
refuse_connection(struct report *r, uint8_t pod, uint8_t host, uint8_t proto,
    uint16_t port, int64_t now_ms)
{
	const struct addr source = addr_make(AF_INET, (uint8_t[]){10, 244, 0, pod});
	const struct addr destination = addr_make(AF_INET, (uint8_t[]){192, 0, 2, host});
	const struct report_connection c = {
	    .pod = &source, .destination = &destination, .proto = proto, .port = port};

	report_refused_connection(r, &c, now_ms);
}

static void
test_one_record_a_pod_and_destination_in_a_period(void **state)
{
	static struct report r;
	struct hash_key key = {{1, 2}};
	uint64_t before = told();

	(void)state;
	report_init(&r, &key, NULL);
	refuse_connection(&r, 1, 1, IPPROTO_TCP, 443, 1000);
	refuse_connection(&r, 1, 1, IPPROTO_TCP, 443, 1001);
	refuse_connection(&r, 1, 1, IPPROTO_TCP, 443, 1000 + REPORT_PERIOD_MS - 1);
	assert_int_equal(told() - before, 1);
	refuse_connection(&r, 2, 1, IPPROTO_TCP, 443, 1002);
	refuse_connection(&r, 1, 2, IPPROTO_TCP, 443, 1002);
	refuse_connection(&r, 1, 1, IPPROTO_UDP, 443, 1002);
	refuse_connection(&r, 1, 1, IPPROTO_TCP, 80, 1002);
	refuse_connection(&r, 1, 1, IPPROTO_ICMP, 0, 1002);
	assert_int_equal(told() - before, 6);
	refuse_connection(&r, 1, 1, IPPROTO_TCP, 443, 1000 + REPORT_PERIOD_MS);
	assert_int_equal(told() - before, 7);
	assert_int_equal(r.suppressed_total, 2);
}

/* Whatever one pod does, in the same second another one is heard. */
static void
test_one_pod_takes_only_its_share(void **state)
{
	static struct report r;
	struct hash_key key = {{1, 2}};
	uint64_t before = told();

	(void)state;
	report_init(&r, &key, NULL);
	for (uint16_t port = 1; port <= 10 * REPORT_RATE; port++)
		refuse_connection(&r, 1, 1, IPPROTO_TCP, port, 5000);
	assert_int_equal(told() - before, REPORT_POD_RATE);
	refuse_connection(&r, 2, 1, IPPROTO_TCP, 443, 5000);
	refuse(&r, "a.test", 3, 5000);
	assert_int_equal(told() - before, REPORT_POD_RATE + 2);
	refuse_connection(&r, 1, 1, IPPROTO_TCP, 9999, 6000);
	assert_int_equal(told() - before, REPORT_POD_RATE + 3);
}

static void
test_a_flood_of_names_is_bounded(void **state)
{
	static struct report r;
	struct hash_key key = {{1, 2}};
	uint64_t before = told();
	char text[32];

	(void)state;
	report_init(&r, &key, NULL);
	for (int i = 0; i < 10 * REPORT_RATE; i++) {
		(void)snprintf(text, sizeof(text), "n%d.test", i); /* fits */
		refuse(&r, text, 1, 5000);
	}
	assert_int_equal(told() - before, REPORT_POD_RATE);
	assert_int_equal(r.suppressed, 10 * REPORT_RATE - REPORT_POD_RATE);
	refuse(&r, "later.test", 1, 6000);
	assert_int_equal(told() - before, REPORT_POD_RATE + 1);
	assert_int_equal(r.suppressed, 0);
}

static void
test_one_pod_does_not_hide_another(void **state)
{
	static struct report r;
	struct hash_key key = {{1, 2}};
	uint64_t before = told();
	char text[32];

	(void)state;
	report_init(&r, &key, NULL);
	for (int i = 0; i < 2 * REPORT_RATE; i++) {
		(void)snprintf(text, sizeof(text), "n%d.test", i); /* fits */
		refuse(&r, text, 1, 5000);
	}
	refuse(&r, "quiet.test", 2, 5000);
	assert_int_equal(told() - before, REPORT_POD_RATE + 1);
}

static void
test_all_pods_together_are_bounded(void **state)
{
	static struct report r;
	struct hash_key key = {{1, 2}};
	uint64_t before = told();

	(void)state;
	report_init(&r, &key, NULL);
	for (uint8_t pod = 1; pod < 2 * REPORT_RATE; pod++)
		refuse(&r, "a.test", pod, 5000);
	assert_int_equal(told() - before, REPORT_RATE);
}

/* The history counts what the journal is not told again, and keeps to its limit. */
static void
test_the_history_counts_repeats(void **state)
{
	const struct history_record *list[HISTORY_MAX];
	static struct report r;
	struct hash_key key = {{1, 2}};
	struct history *history;
	char text[32];

	(void)state;
	assert_int_equal(history_new(&history), 0);
	report_init(&r, &key, history);
	for (int i = 0; i < 7; i++)
		refuse(&r, "a.test", 1, 1000 + i * REPORT_PERIOD_MS / 2);
	refuse_connection(&r, 1, 1, IPPROTO_TCP, 443, 1000 + 7 * REPORT_PERIOD_MS);
	assert_int_equal(history_list(history, list), 2);
	assert_int_equal(list[0]->event, LOG_REFUSED_CONNECTION);
	assert_string_equal(list[0]->reason, "unlisted");
	assert_int_equal(list[1]->event, LOG_REFUSED_LOOKUP);
	assert_int_equal(list[1]->count, 7);
	assert_string_equal(list[1]->who, "10.244.0.1");
	assert_string_equal(list[1]->entry, "");
	for (int i = 0; i < 100 * REPORT_POD_RATE; i++) {
		(void)snprintf(text, sizeof(text), "n%d.test", i); /* fits */
		refuse(&r, text, 2, 200000 + i * 10);
	}
	assert_int_equal(history_list(history, list), 2 + HISTORY_POD_MAX);
	history_free(history);
}

static void
near(struct report *r, const char *text, uint8_t pod, enum strain_limit limit,
    int64_t now_ms)
{
	struct addr addr = addr_make(AF_INET, (uint8_t[]){10, 244, 0, pod});
	struct name name;
	struct report_subject s = {.pod = &addr, .name = &name, .type = 1};

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	report_near(r, &s, limit, now_ms);
}

static void
test_a_limit_that_is_near_is_told_once(void **state)
{
	static struct report r;
	struct hash_key key = {{1, 2}};
	uint64_t before = told();

	(void)state;
	report_init(&r, &key, NULL);
	for (int i = 0; i < 2; i++) { /* one in all, one a pod, one a pod and name */
		near(&r, "a.test", 1, STRAIN_SIZE, 1000);
		near(&r, "b.test", 2, STRAIN_SIZE, 1000);
		near(&r, "a.test", 1, STRAIN_POD, 1000);
		near(&r, "b.test", 1, STRAIN_POD, 1000);
		near(&r, "a.test", 1, STRAIN_NAME, 1000);
		near(&r, "b.test", 1, STRAIN_NAME, 1000);
		assert_int_equal(told() - before, 4);
	}
	near(&r, "a.test", 1, STRAIN_SIZE, 1000 + REPORT_NEAR_MS - 1);
	assert_int_equal(told() - before, 4);
	assert_int_equal(r.suppressed_total, 0); /* it is one thing that goes on */
	near(&r, "a.test", 1, STRAIN_SIZE, 1000 + REPORT_NEAR_MS);
	assert_int_equal(told() - before, 5);
}

static void
exceed(struct report *r, const struct workload *w, uint8_t pod, int64_t now_ms)
{
	const struct addr addr = addr_make(AF_INET, (uint8_t[]){10, 244, 0, pod});
	const struct registry_host host = {.host = "*.wild.test", .wildcard = true};
	const struct report_wildcard s = {
	    .pod = &addr, .workload = w, .host = &host, .option = "some.limit"};

	report_wildcard(r, &s, now_ms);
}

/* Which address it asks from does not matter where it is known. */
static void
test_names_under_wildcards_are_told_once_a_pod_and_minute(void **state)
{
	static struct report r;
	struct hash_key key = {{1, 2}};
	const struct workload one = {.namespace = "n", .name = "one", .identity = 1};
	const struct workload two = {.namespace = "n", .name = "two", .identity = 2};
	uint64_t before = told();

	(void)state;
	report_init(&r, &key, NULL);
	exceed(&r, &one, 1, 1000);
	exceed(&r, &one, 2, 1001);
	exceed(&r, &one, 1, 1000 + REPORT_WILDCARD_MS - 1);
	assert_int_equal(told() - before, 1);
	exceed(&r, &two, 1, 1002);
	exceed(&r, NULL, 1, 1002);
	exceed(&r, NULL, 2, 1002);
	exceed(&r, NULL, 1, 1003);
	assert_int_equal(told() - before, 4);
	exceed(&r, &one, 2, 1000 + REPORT_WILDCARD_MS);
	assert_int_equal(told() - before, 5);
	assert_int_equal(r.suppressed_total, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_record_a_pod_and_name_in_a_period),
	    cmocka_unit_test(test_one_record_a_pod_and_destination_in_a_period),
	    cmocka_unit_test(test_one_pod_takes_only_its_share),
	    cmocka_unit_test(test_a_flood_of_names_is_bounded),
	    cmocka_unit_test(test_one_pod_does_not_hide_another),
	    cmocka_unit_test(test_the_history_counts_repeats),
	    cmocka_unit_test(test_all_pods_together_are_bounded),
	    cmocka_unit_test(test_a_limit_that_is_near_is_told_once),
	    cmocka_unit_test(test_names_under_wildcards_are_told_once_a_pod_and_minute),
	};

	/* a path that no journal listens at: records wait, and count */
	log_open("/nonexistent/egressd-test.sock");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
