/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests that need the kernel: a network namespace of their own, nft to look into it,
 * and messages to the enforcer in few words. Include it after tests/unit/unit.h.
 *
 * Every function ends the test where it cannot do its work.
 */
#ifndef TESTS_UNIT_SCENE_H
#define TESTS_UNIT_SCENE_H

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/enforcer.h"

#define SCENE_OUTPUT_MAX ((size_t)1024 * 1024)

/* A fresh network namespace for this process; and a user namespace around it, once, for
 * who is not root. */
static inline void
scene_enter(void)
{
	const int flags = geteuid() != 0 ? CLONE_NEWUSER | CLONE_NEWNET : CLONE_NEWNET;

	if (unshare(CLONE_NEWNET) != 0 && unshare(flags) != 0)
		fail_msg("no network namespace of our own");
	assert_int_equal(setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1), 0);
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

static inline struct addr
scene_addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, strlen(text), &a), 0);
	return a;
}

static inline struct prefix
scene_prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, strlen(text), &p), 0);
	return p;
}

static inline struct endpoint
scene_endpoint(const char *text)
{
	struct endpoint e;

	assert_int_equal(endpoint_parse(text, strlen(text), 53, &e), 0);
	return e;
}

static inline struct enforcer_lease
scene_lease(const char *pod, const char *destination, uint32_t timeout_ms)
{
	return (struct enforcer_lease){
	    .pod = scene_addr(pod),
	    .destination = scene_addr(destination),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	    .timeout_ms = timeout_ms,
	};
}

static inline struct enforcer_fixed
scene_fixed(const char *pods, const char *destination)
{
	return (struct enforcer_fixed){
	    .pods = scene_prefix(pods),
	    .destination = scene_prefix(destination),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	};
}

static inline struct enforcer_table
scene_table(void)
{
	return (struct enforcer_table){
	    .enforce = 1,
	    .intercept = 1,
	    .adopt = 1,
	    .own = 1,
	    .set_size = 1000,
	    .timeout_max_ms = 3600 * 1000,
	    .log_group = 5,
	};
}

/* A message whose body is set by the caller. */
static inline struct enforcer_message
scene_message(enum enforcer_kind kind, uint32_t id, uint16_t count)
{
	struct enforcer_message m;

	memset(&m, 0, sizeof(m));
	m.kind = (uint16_t)kind;
	m.id = id;
	m.count = count;
	return m;
}

static inline struct enforcer_message
scene_leases(
    uint32_t id, const char *name, const struct enforcer_lease *leases, size_t count)
{
	struct enforcer_message m = scene_message(ENFORCER_LEASES, id, (uint16_t)count);

	assert_true(count <= ENFORCER_LEASES_MAX);
	(void)snprintf(m.name, sizeof(m.name), "%s", name);
	memcpy(m.body.leases, leases, count * sizeof(*leases));
	return m;
}

/* The messages of a table transaction, from TABLE to END, given to a function one by one:
 * pods 10.244.0.0/16 and fd00:244::/64 on veth*, and a listener of each family. */
static inline void
scene_begin(uint32_t id, const struct enforcer_table *table,
    void (*give)(const struct enforcer_message *m))
{
	struct enforcer_message m = scene_message(ENFORCER_TABLE, id, 1);

	m.body.table = *table;
	give(&m);
	m = scene_message(ENFORCER_INTERFACES, id, 1);
	(void)snprintf(m.body.interfaces[0].pattern, IFNAMSIZ, "veth*");
	give(&m);
	m = scene_message(ENFORCER_PODS, id, 2);
	m.body.ranges[0] = scene_prefix("10.244.0.0/16");
	m.body.ranges[1] = scene_prefix("fd00:244::/64");
	give(&m);
	m = scene_message(ENFORCER_LISTEN, id, 2);
	m.body.listen[0] = scene_endpoint("169.254.20.10:53");
	m.body.listen[1] = scene_endpoint("[fd00:53::10]:53");
	give(&m);
}

#endif
