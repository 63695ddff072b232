/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/control_bed.h"
#include "tests/unit/scratch.h"

static void
the_socket_is_private_and_the_umask_stays(void **state)
{
	struct stat st;
	mode_t mask = umask(022);

	(void)state;
	control_free(bed.control);
	assert_int_equal(
	    control_new(bed.base, bed.path, control_bed_answer, &bed, &bed.control), 0);
	assert_int_equal(stat(bed.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(umask(mask), 022);
}

static void
a_living_daemon_is_not_replaced(void **state)
{
	struct control *second = NULL;

	(void)state;
	assert_int_equal(
	    control_new(bed.base, bed.path, control_bed_answer, &bed, &second),
	    -EADDRINUSE);
	assert_null(second);
	turn(4);
	assert_string_equal(ask("status\n"), "ok\nhello\n");
}

/* Somebody listens, and has as many waiting as the kernel takes. */
static void
a_daemon_with_a_full_backlog_is_a_living_one(void **state)
{
	struct control *second = NULL;
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fds[64];
	size_t count = 0;

	(void)state;
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", bed.path);
	do {
		fds[count] =
		    socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		assert_true(fds[count] >= 0);
		count++;
	} while (connect(fds[count - 1], (void *)&to, sizeof(to)) == 0 &&
		 count < ARRAY_LEN(fds));
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(
	    control_new(bed.base, bed.path, control_bed_answer, &bed, &second),
	    -EADDRINUSE);
	while (count > 0)
		assert_int_equal(close(fds[--count]), 0);
}

static void
bind_dead(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&at, sizeof(at)), 0);
	assert_int_equal(close(fd), 0);
}

static void
a_dead_socket_is_replaced(void **state)
{
	(void)state;
	control_free(bed.control);
	bed.control = NULL;
	bind_dead(bed.path);
	assert_int_equal(
	    control_new(bed.base, bed.path, control_bed_answer, &bed, &bed.control), 0);
	assert_string_equal(ask("status\n"), "ok\nhello\n");
}

static void
nothing_but_a_socket_is_replaced(void **state)
{
	const char *file = scratch_file("precious", "data");
	struct control *c = NULL;
	char path[200];

	(void)state;
	assert_int_equal(
	    control_new(bed.base, file, control_bed_answer, &bed, &c), -EEXIST);
	assert_int_equal(access(file, F_OK), 0);
	scratch_link("nowhere", "dangling");
	assert_int_equal(
	    control_new(bed.base, scratch_path("dangling"), control_bed_answer, &bed, &c),
	    -EEXIST);
	assert_int_equal(control_new(bed.base, scratch_path("no/folder"),
			     control_bed_answer, &bed, &c),
	    -ENOENT);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(
	    control_new(bed.base, path, control_bed_answer, &bed, &c), -ENAMETOOLONG);
	assert_null(c);
}

static void
the_end_removes_our_file_and_no_other(void **state)
{
	(void)state;
	control_free(bed.control);
	assert_int_equal(access(bed.path, F_OK), -1);
	assert_int_equal(
	    control_new(bed.base, bed.path, control_bed_answer, &bed, &bed.control), 0);
	assert_int_equal(unlink(bed.path), 0);
	(void)scratch_file("sock", "somebody else's");
	control_free(bed.control);
	bed.control = NULL;
	assert_int_equal(access(bed.path, F_OK), 0);
	control_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(the_socket_is_private_and_the_umask_stays),
	    TEST(a_living_daemon_is_not_replaced),
	    TEST(a_daemon_with_a_full_backlog_is_a_living_one),
	    TEST(a_dead_socket_is_replaced),
	    TEST(nothing_but_a_socket_is_replaced),
	    TEST(the_end_removes_our_file_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
