/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/enforcer/privilege.h"

/* What a child does, because there is no way back: 0 when all was as it should be, or the
 * number of the line that was not. */
static int
in_child(int (*act)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0)
			_exit(255);
		_exit(act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define CHECK(condition)                                                                 \
	do                                                                               \
		if (!(condition))                                                        \
			return __LINE__ % 254 + 1;                                       \
	while (0)

struct held {
	uint64_t effective, permitted, inheritable;
};

static struct held
read_held(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	(void)syscall(SYS_capget, &header, data);
	return (struct held){
	    .effective = (uint64_t)data[1].effective << 32 | data[0].effective,
	    .permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted,
	    .inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable,
	};
}

static int
bounding_count(void)
{
	int count = 0, held;

	for (unsigned long i = 0; (held = prctl(PR_CAPBSET_READ, i, 0, 0, 0)) >= 0; i++)
		count += held;
	return count;
}

/* Leave only this one permitted, by hand, so that CAP_SETPCAP is not. */
static int
limit_to(int capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	data[capability / 32].effective = data[capability / 32].permitted =
	    data[capability / 32].inheritable = 1u << capability % 32;
	return (int)syscall(SYS_capset, &header, data);
}

static int
keep_one(void)
{
	const uint64_t admin = 1ull << CAP_NET_ADMIN;
	struct held held;

	CHECK(privilege_keep(CAP_NET_ADMIN) == 0);
	held = read_held();
	CHECK(held.effective == admin && held.permitted == admin);
	CHECK(held.inheritable == 0 && bounding_count() == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	CHECK(prctl(PR_CAPBSET_DROP, CAP_CHOWN, 0, 0, 0) != 0);
	CHECK(unshare(CLONE_NEWNET) != 0 && errno == EPERM);
	return 0;
}

static int
keep_none(void)
{
	struct held held;

	CHECK(privilege_keep(-1) == 0);
	held = read_held();
	CHECK(held.effective == 0 && held.permitted == 0 && held.inheritable == 0);
	CHECK(socket(AF_INET, SOCK_RAW, 1) < 0 && errno == EPERM);
	CHECK(privilege_keep(CAP_NET_ADMIN) == -EPERM); /* no way back */
	CHECK(privilege_keep(-1) == 0);                 /* again is harmless */
	return 0;
}

static int
keep_ambient(void)
{
	const uint64_t admin = 1ull << CAP_NET_ADMIN;
	int before = bounding_count();

	CHECK(limit_to(CAP_NET_ADMIN) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) == 0);
	CHECK(privilege_keep(CAP_NET_ADMIN) == 0);
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_ADMIN, 0, 0) == 0);
	CHECK(read_held().permitted == admin && read_held().inheritable == 0);
	CHECK(bounding_count() == before); /* cannot be dropped without CAP_SETPCAP */
	return 0;
}

static int
keep_what_was_not_held(void)
{
	const uint64_t chown = 1ull << CAP_CHOWN;

	CHECK(limit_to(CAP_CHOWN) == 0);
	CHECK(privilege_keep(CAP_NET_ADMIN) == -EPERM);
	CHECK(read_held().permitted == chown); /* a refusal changes nothing */
	return 0;
}

static void
one_capability_is_kept_and_all_others_go(void **state)
{
	(void)state;
	assert_int_equal(in_child(keep_one), 0);
}

static void
none_is_kept_and_none_comes_back(void **state)
{
	(void)state;
	assert_int_equal(in_child(keep_none), 0);
}

static void
an_ambient_one_is_enough(void **state)
{
	(void)state;
	assert_int_equal(in_child(keep_ambient), 0);
}

static void
what_is_not_held_cannot_be_kept(void **state)
{
	(void)state;
	assert_int_equal(in_child(keep_what_was_not_held), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_capability_is_kept_and_all_others_go),
	    cmocka_unit_test(none_is_kept_and_none_comes_back),
	    cmocka_unit_test(an_ambient_one_is_enough),
	    cmocka_unit_test(what_is_not_held_cannot_be_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
