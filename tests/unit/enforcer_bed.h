/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An enforcer in a process of its own and a network namespace, for tests that are its
 * loop. What ends without an answer ends the test.
 */
#ifndef TESTS_UNIT_ENFORCER_BED_H
#define TESTS_UNIT_ENFORCER_BED_H

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "daemon/enforcer/enforcer.h"
#include "daemon/enforcer/pair.h"
#include "tests/unit/sample.h"
#include "tests/unit/scene.h"

#define WAIT_MS 20000

static struct {
	int fd;
	int pid;
	size_t lost;
	size_t dumped;
	struct pair_inbox inbox;
	struct enforcer_message last;
} scene;

static inline int
start(void)
{
	scene.lost = 0;
	scene.inbox.pos = scene.inbox.len = 0;
	return enforcer_start(&scene.fd, &scene.pid);
}

static inline int
enter(void **state)
{
	(void)state;
	scene_enter();
	return start();
}

static inline void
wait_end(void)
{
	int status;

	assert_int_equal(waitpid(scene.pid, &status, 0), scene.pid);
	scene.pid = -1;
}

static inline int
leave(void **state)
{
	(void)state;
	if (scene.fd >= 0)
		(void)close(scene.fd);
	scene.fd = -1;
	if (scene.pid > 0)
		wait_end();
	return 0;
}

static inline void
give_bytes(const void *bytes, size_t len)
{
	struct pollfd p = {.fd = scene.fd, .events = POLLOUT};

	while (send(scene.fd, bytes, len, MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN)
			return; /* it has ended; the test looks at that */
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	}
}

static inline void
give(const struct enforcer_message *m)
{
	give_bytes(m, enforcer_size(m));
}

/* The next message; false at the end of the pair. */
static inline bool
take(void)
{
	struct pollfd p = {.fd = scene.fd, .events = POLLIN};

	if (!pair_left(&scene.inbox))
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	return pair_take(&scene.inbox, scene.fd, MSG_DONTWAIT, &scene.last) > 0;
}

static inline int
result_of(uint32_t id)
{
	scene.dumped = 0;
	while (take()) {
		if (scene.last.kind == ENFORCER_RESULT) {
			assert_int_equal(scene.last.id, id);
			return scene.last.result;
		}
		if (scene.last.kind == ENFORCER_LOST)
			scene.lost++;
		if (scene.last.kind == ENFORCER_LEASES)
			scene.dumped += scene.last.count;
	}
	return -EPIPE;
}

static inline int
put_table(const struct enforcer_table *table)
{
	const struct enforcer_message m = sample_message(ENFORCER_END, 1, 0);

	sample_begin(1, table, give);
	give(&m);
	return result_of(1);
}

static inline int
put_lease(uint32_t id, const char *name, const char *destination)
{
	const struct enforcer_lease lease =
	    sample_lease("10.244.0.5", destination, 3000000);
	const struct enforcer_message m = sample_leases(id, name, &lease, 1);

	give(&m);
	return result_of(id);
}

static inline int
dump(void)
{
	const struct enforcer_message m = sample_message(ENFORCER_DUMP, 7, 0);

	give(&m);
	return result_of(7);
}

#define ENFORCER_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

#endif
