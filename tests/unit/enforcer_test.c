/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "daemon/enforcer/enforcer.h"
#include "daemon/enforcer/privilege.h"
#include "tests/unit/enforcer_bed.h"

static void
a_message_is_as_long_as_its_count_says(void **state)
{
	const size_t head = offsetof(struct enforcer_message, body);
	struct enforcer_message m = sample_message(ENFORCER_LEASES, 1, 0);

	(void)state;
	assert_int_equal(enforcer_size(&m), head);
	m.count = 2;
	assert_int_equal(enforcer_size(&m), head + 2 * sizeof(struct enforcer_lease));
	m.count = ENFORCER_LEASES_MAX;
	assert_true(enforcer_size(&m) <= sizeof(m));
	m.count++;
	assert_int_equal(enforcer_size(&m), 0);
	m = sample_message(ENFORCER_TABLE, 1, 0);
	assert_int_equal(enforcer_size(&m), 0);
	m.count = 1;
	assert_int_equal(enforcer_size(&m), head + sizeof(struct enforcer_table));
	m = sample_message(ENFORCER_END, 1, 1);
	assert_int_equal(enforcer_size(&m), 0);
	m.kind = 0;
	assert_int_equal(enforcer_size(&m), 0);
	m.kind = ENFORCER_REFUSED + 1;
	assert_int_equal(enforcer_size(&m), 0);
	for (uint16_t kind = ENFORCER_LEASES; kind <= ENFORCER_REFUSED; kind++) {
		m = sample_message(kind, 1, kind == ENFORCER_TABLE);
		assert_in_range(enforcer_size(&m), head, sizeof(m));
	}
}

static void
a_lease_goes_in_and_comes_back(void **state)
{
	const struct enforcer_table table = sample_table();

	(void)state;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(put_lease(2, "a.example", "192.0.2.1"), 0);
	assert_true(scene_shows("comment \"a.example\""));
	assert_int_equal(dump(), 0);
	assert_int_equal(scene.dumped, 1);
}

static void
our_end_does_not_block_and_is_not_inherited(void **state)
{
	(void)state;
	assert_true(fcntl(scene.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(scene.fd, F_GETFD) & FD_CLOEXEC);
}

/* One line of /proc/PID/status; empty when it is not there. */
static void
status_line(const char *key, char *line, size_t size)
{
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", scene.pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, (int)size, f) != NULL)
		if (strncmp(line, key, strlen(key)) == 0)
			break;
	(void)fclose(f);
}

static uint64_t
status_bits(const char *key)
{
	char line[256] = "";

	status_line(key, line, sizeof(line));
	return strtoull(line + strlen(key), NULL, 16);
}

static void
it_keeps_one_capability_and_few_descriptors(void **state)
{
	const struct dirent *entry;
	char path[64];
	DIR *folder;
	size_t count = 0;

	(void)state;
	assert_int_equal(status_bits("CapEff:\t"), 1u << CAP_NET_ADMIN);
	assert_int_equal(status_bits("CapPrm:\t"), 1u << CAP_NET_ADMIN);
	assert_int_equal(status_bits("CapInh:\t"), 0);
	assert_int_equal(status_bits("CapBnd:\t"), 0);
	assert_int_equal(status_bits("NoNewPrivs:\t"), 1);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", scene.pid);
	folder = opendir(path);
	if (folder == NULL)
		skip(); /* not root: it cannot be looked into, as it should be */
	while ((entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.' && strlen(entry->d_name) < 3)
			/* a tool that the test runs under keeps its own above 99 */
			count++;
	(void)closedir(folder);
	assert_int_equal(count, 3); /* standard error, the pair, netlink */
}

static void
it_ends_with_the_pair_and_leaves_the_table(void **state)
{
	const struct enforcer_table table = sample_table();

	(void)state;
	assert_int_equal(put_table(&table), 0);
	(void)close(scene.fd);
	scene.fd = -1;
	wait_end();
	assert_true(scene_shows("chain refuse"));
}

static void
signals_to_the_group_do_not_end_it(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
	const struct enforcer_table table = sample_table();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		assert_int_equal(kill(scene.pid, signals[i]), 0);
	assert_int_equal(put_table(&table), 0);
}

static void
killed_and_started_again_it_finds_its_leases(void **state)
{
	const struct enforcer_table table = sample_table();

	(void)state;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(put_lease(2, "a.example", "192.0.2.1"), 0);
	assert_int_equal(kill(scene.pid, SIGKILL), 0);
	wait_end();
	assert_false(take());
	(void)close(scene.fd);
	assert_true(scene_shows("192.0.2.1"));
	assert_int_equal(start(), 0);
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(put_lease(3, "b.example", "192.0.2.2"), 0);
	assert_int_equal(dump(), 0);
	assert_int_equal(scene.dumped, 2);
	assert_int_equal(scene.lost, 0);
}

/* Whatever it is, it ends the enforcer, and the table stays. */
static void
expect_end(const void *bytes, size_t len)
{
	const struct enforcer_table table = sample_table();

	assert_int_equal(put_table(&table), 0);
	give_bytes(bytes, len);
	while (take())
		continue;
	wait_end();
	assert_true(scene_shows("chain refuse"));
	(void)close(scene.fd);
	assert_int_equal(start(), 0);
}

static void
a_malformed_message_ends_it(void **state)
{
	static char zeros[sizeof(struct enforcer_message) + 1];
	static char longer[sizeof(struct enforcer_message) + 1];
	struct enforcer_message m = sample_message(ENFORCER_LEASES, 2, 1);

	(void)state;
	expect_end(zeros, 1);
	expect_end(zeros, offsetof(struct enforcer_message, body));
	expect_end(zeros, sizeof(zeros));
	expect_end(&m, enforcer_size(&m) - 1);
	expect_end(&m, enforcer_size(&m) + 1);
	m.count = UINT16_MAX;
	expect_end(&m, sizeof(m));
	m.count = ENFORCER_LEASES_MAX; /* the longest there is, and a byte behind it */
	assert_int_equal(enforcer_size(&m), sizeof(m));
	memcpy(longer, &m, sizeof(m));
	expect_end(longer, sizeof(longer));
	m = sample_message(ENFORCER_RESULT, 2, 0);
	expect_end(&m, enforcer_size(&m));
	m = sample_message(ENFORCER_END, 2, 0);
	expect_end(&m, enforcer_size(&m));
	m = sample_message(ENFORCER_PODS, 2, 1);
	expect_end(&m, enforcer_size(&m));
}

/* Bytes of all sorts behind a right length and kind: refused or done, never a crash. */
static void
random_records_never_crash_it(void **state)
{
	const struct enforcer_table table = sample_table();
	static const uint16_t kinds[] = {ENFORCER_INTERFACES, ENFORCER_PODS,
	    ENFORCER_INTERNAL, ENFORCER_LISTEN, ENFORCER_FIXED, ENFORCER_LEASES,
	    ENFORCER_REVOKE};
	struct enforcer_message m;
	uint32_t seed = 4711;

	(void)state;
	for (uint32_t id = 1; id < 400; id++) {
		m = sample_message(ENFORCER_TABLE, id, 1);
		m.body.table = table;
		give(&m);
		m.kind = kinds[id % ARRAY_LEN(kinds)];
		m.count = (uint16_t)(id % 8);
		for (size_t i = offsetof(struct enforcer_message, deadline_ms);
		     i < enforcer_size(&m); i++) {
			seed = seed * 1664525 + 1013904223;
			((uint8_t *)&m)[i] = (uint8_t)(seed >> 24);
		}
		give(&m);
		m = sample_message(ENFORCER_END, id, 0);
		give(&m);
		assert_in_range(result_of(id) + EPERM, 0, EPERM);
	}
	assert_int_equal(put_table(&table), 0);
}

static void
a_deadline_that_has_passed_is_not_tried(void **state)
{
	const struct enforcer_table table = sample_table();
	const struct enforcer_lease lease =
	    sample_lease("10.244.0.5", "192.0.2.1", 3000000);
	struct enforcer_message m = sample_leases(2, "a.example", &lease, 1);

	(void)state;
	m.deadline_ms = 1; /* since the machine started */
	assert_int_equal(put_table(&table), 0);
	give(&m);
	assert_int_equal(result_of(2), -ETIMEDOUT);
	assert_int_equal(dump(), 0);
	assert_int_equal(scene.dumped, 0);
}

static void
the_loss_of_the_table_is_told_unasked(void **state)
{
	struct enforcer_table table = sample_table();

	(void)state;
	table.own = 0;
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(scene_run("nft delete table inet egressd"), 0);
	assert_true(take());
	assert_int_equal(scene.last.kind, ENFORCER_LOST);
	assert_int_equal(put_lease(2, "a.example", "192.0.2.1"), -ENOENT);
	assert_int_equal(put_table(&table), 0);
	assert_int_equal(put_lease(3, "a.example", "192.0.2.1"), 0);
	assert_int_equal(scene.lost, 0);
}

/* Without the right there is no enforcer, and no process left of the try. */
static void
without_the_capability_it_does_not_start(void **state)
{
	int status, fd = -1, pid = -1;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		if (privilege_keep(-1) != 0)
			_exit(2);
		status = enforcer_start(&fd, &pid);
		_exit(status == -EPERM && fd == -1 && waitpid(-1, NULL, 0) == -1 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message_is_as_long_as_its_count_says),
	    ENFORCER_TEST(a_lease_goes_in_and_comes_back),
	    ENFORCER_TEST(our_end_does_not_block_and_is_not_inherited),
	    ENFORCER_TEST(it_keeps_one_capability_and_few_descriptors),
	    ENFORCER_TEST(it_ends_with_the_pair_and_leaves_the_table),
	    ENFORCER_TEST(signals_to_the_group_do_not_end_it),
	    ENFORCER_TEST(killed_and_started_again_it_finds_its_leases),
	    ENFORCER_TEST(a_malformed_message_ends_it),
	    ENFORCER_TEST(random_records_never_crash_it),
	    ENFORCER_TEST(a_deadline_that_has_passed_is_not_tried),
	    ENFORCER_TEST(the_loss_of_the_table_is_told_unasked),
	    ENFORCER_TEST(without_the_capability_it_does_not_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
