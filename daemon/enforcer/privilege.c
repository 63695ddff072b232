/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORDS _LINUX_CAPABILITY_U32S_3

struct sets {
	struct __user_cap_data_struct word[WORDS];
};

static int
read_sets(struct sets *s)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return syscall(SYS_capget, &header, s->word) == 0 ? 0 : -errno;
}

static int
write_sets(const struct sets *s)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return syscall(SYS_capset, &header, s->word) == 0 ? 0 : -errno;
}

/* This capability, or none, and nothing to inherit. */
static struct sets
make_sets(int capability)
{
	struct sets s = {0};

	if (capability >= 0) {
		s.word[CAP_TO_INDEX(capability)].effective = CAP_TO_MASK(capability);
		s.word[CAP_TO_INDEX(capability)].permitted = CAP_TO_MASK(capability);
	}
	return s;
}

static bool
holds(const struct sets *s, int capability)
{
	return s->word[CAP_TO_INDEX(capability)].permitted & CAP_TO_MASK(capability);
}

/* The kernel may know more capabilities than our headers do: it says EINVAL behind its
 * last. */
static int
drop_bounding(void)
{
	int held;

	for (unsigned long i = 0; (held = prctl(PR_CAPBSET_READ, i, 0, 0, 0)) >= 0; i++)
		if (held != 0 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
			return -errno;
	return 0;
}

static bool
bounding_empty(void)
{
	int held;

	for (unsigned long i = 0; (held = prctl(PR_CAPBSET_READ, i, 0, 0, 0)) >= 0; i++)
		if (held != 0)
			return false;
	return true;
}

static bool
ambient_empty(void)
{
	int held;

	for (unsigned long i = 0;
	     (held = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0)) >= 0; i++)
		if (held != 0)
			return false;
	return true;
}

static int
verify(const struct sets *wanted, bool bounding)
{
	struct sets now;
	int r = read_sets(&now);

	if (r < 0)
		return r;
	if (memcmp(&now, wanted, sizeof(now)) != 0 || !ambient_empty() ||
	    (bounding && !bounding_empty()) ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ||
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -EPERM;
	return 0;
}

int
privilege_keep(int capability)
{
	const struct sets wanted = make_sets(capability);
	struct sets held;
	bool bounding;
	int r = read_sets(&held);

	if (r < 0)
		return r;
	if (capability >= 0 && !holds(&held, capability))
		return -EPERM;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -errno;
	/* needs the capability itself, so before it goes */
	bounding = holds(&held, CAP_SETPCAP);
	if (bounding) {
		r = drop_bounding();
		if (r < 0)
			return r;
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return -errno;
	r = write_sets(&wanted);
	if (r < 0)
		return r;
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return -errno;
	return verify(&wanted, bounding);
}
