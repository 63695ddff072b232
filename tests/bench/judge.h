/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a decision takes in registries of several sizes.
 *
 * A decision is what the daemon makes for a question: which pod asks, and what the
 * registry says of the name. Two sets of names are asked. "same": those of the first few
 * entries, which stand in the registry of every size, so that the processor's caches hold
 * what is walked and the difference is the algorithm's. "all": names from all over the
 * registry in random order, so that a large registry also pays for
 * what no cache holds. Sizes take turns, so that whoever compares a round's figures
 * compares what ran at the same time.
 */
#ifndef TESTS_BENCH_JUDGE_H
#define TESTS_BENCH_JUDGE_H

#include <stddef.h>

#include "policy/registry/registry.h"

#define JUDGE_SIZES_MAX 8

struct judge_size {
	size_t entries;
	const struct registry *registry;
};

/* A line of JSON for each size, set of names and kind of name, with the ns of each round;
 * -1 when a verdict is not what it has to be, or memory lacks. */
int judge_run(const struct judge_size *sizes, size_t count, unsigned rounds);

#endif
