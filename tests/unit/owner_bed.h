/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An owner in this process, in a network namespace of its own, for tests that say what it
 * is asked and look at what it answers.
 */
#ifndef TESTS_UNIT_OWNER_BED_H
#define TESTS_UNIT_OWNER_BED_H

#include <errno.h>

#include "daemon/enforcer/owner.h"
#include "tests/unit/sample.h"
#include "tests/unit/scene.h"

#define SAID_MAX 4096

/* What the owner said since it was last looked at. */
static struct {
	struct owner *owner;
	struct enforcer_message said[SAID_MAX];
	size_t len;
	size_t lost;
	int64_t now_ms;
} scene;

static inline void
hear(void *ctx, const struct enforcer_message *m)
{
	(void)ctx;
	assert_true(scene.len < SAID_MAX);
	memcpy(&scene.said[scene.len], m, enforcer_size(m));
	scene.len++;
	scene.lost += m->kind == ENFORCER_LOST;
}

static inline int64_t
now_ms(void)
{
	return scene.now_ms;
}

static inline int
start(void)
{
	scene.len = scene.lost = 0;
	scene.now_ms = 1000;
	return owner_new(hear, NULL, now_ms, &scene.owner);
}

static inline int
enter(void **state)
{
	(void)state;
	scene_enter();
	return start();
}

static inline int
leave(void **state)
{
	(void)state;
	owner_free(scene.owner);
	scene.owner = NULL;
	return 0;
}

static inline void
give(const struct enforcer_message *m)
{
	assert_int_equal(owner_take(scene.owner, m), 0);
}

/* The result with this id among what was said. */
static inline int
result_of(uint32_t id)
{
	for (size_t i = 0; i < scene.len; i++)
		if (scene.said[i].kind == ENFORCER_RESULT && scene.said[i].id == id)
			return scene.said[i].result;
	fail_msg("no result for %u", id);
	return 0;
}

static inline int
end(uint32_t id)
{
	const struct enforcer_message m = sample_message(ENFORCER_END, id, 0);

	scene.len = 0;
	give(&m);
	return result_of(id);
}

static inline int
put_table(const struct enforcer_table *table)
{
	sample_begin(1, table, give);
	return end(1);
}

static inline int
put_lease(uint32_t id, const char *name, struct enforcer_lease lease)
{
	const struct enforcer_message m = sample_leases(id, name, &lease, 1);

	scene.len = 0;
	give(&m);
	owner_flush(scene.owner);
	return result_of(id);
}

/* All leases of the kernel, counted; the last one stays in said. */
static inline size_t
dump(void)
{
	const struct enforcer_message m = sample_message(ENFORCER_DUMP, 9999, 0);
	size_t count = 0;

	scene.len = 0;
	give(&m);
	assert_int_equal(result_of(9999), 0);
	for (size_t i = 0; i < scene.len; i++)
		if (scene.said[i].kind == ENFORCER_LEASES)
			count += scene.said[i].count;
	return count;
}

static inline uint32_t
left_ms(const char *destination)
{
	const struct addr a = sample_addr(destination);

	(void)dump();
	for (size_t i = 0; i < scene.len; i++)
		for (size_t j = 0; j < scene.said[i].count; j++)
			if (addr_equal(&scene.said[i].body.leases[j].destination, &a))
				return scene.said[i].body.leases[j].timeout_ms;
	return 0;
}

#define OWNER_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

#endif
