/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests that need the kernel: a network namespace of their own, and nft to look into
 * it.
 *
 * Every function ends the test where it cannot do its work.
 */
#ifndef TESTS_UNIT_SCENE_H
#define TESTS_UNIT_SCENE_H

#include "tests/unit/unit.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define SCENE_OUTPUT_MAX ((size_t)1024 * 1024)

static inline void
scene_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* A user namespace where we are root, so that what we run is too. */
static inline void
scene_become_root(void)
{
	const unsigned user = geteuid(), group = getegid();
	char map[32];

	if (unshare(CLONE_NEWUSER) != 0)
		fail_msg("no user namespace of our own: run this as root");
	scene_write("/proc/self/setgroups", "deny");
	(void)snprintf(map, sizeof(map), "0 %u 1", user);
	scene_write("/proc/self/uid_map", map);
	(void)snprintf(map, sizeof(map), "0 %u 1", group);
	scene_write("/proc/self/gid_map", map);
}

/* A fresh network namespace for this process; and a user namespace around it, once, for
 * who is not root. */
static inline void
scene_enter(void)
{
	if (geteuid() != 0)
		scene_become_root();
	if (unshare(CLONE_NEWNET) != 0)
		fail_msg("no network namespace of our own");
	assert_int_equal(setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1), 0);
}

/* End the test as skipped before Linux 6.9, which has no tables with an owner that
 * outlive it; tests/integration/test_loss.py has what holds there. */
static inline void
scene_needs_persist(void)
{
	struct utsname name;
	int major, minor;

	assert_int_equal(uname(&name), 0);
	assert_int_equal(sscanf(name.release, "%d.%d", &major, &minor), 2);
	if (major < 6 || (major == 6 && minor < 9))
		skip();
}

/* The exit status of a command. */
static inline int
scene_run(const char *command)
{
	int status = system(command);

	return status == -1 ? -1 : WEXITSTATUS(status);
}

/* What a command prints; the caller frees it. */
static inline char *
scene_output(const char *command)
{
	char *text = calloc(1, SCENE_OUTPUT_MAX);
	FILE *f = popen(command, "r");
	size_t len;

	assert_non_null(text);
	assert_non_null(f);
	len = fread(text, 1, SCENE_OUTPUT_MAX - 1, f);
	text[len] = '\0';
	(void)pclose(f);
	return text;
}

/* Does nft's listing of the table hold this text? */
static inline bool
scene_shows(const char *text)
{
	char *listing = scene_output("nft list table inet egressd 2>&1");
	bool found = strstr(listing, text) != NULL;

	free(listing);
	return found;
}

#endif
