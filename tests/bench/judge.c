/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/judge.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/macros.h"
#include "tests/bench/sample.h"

#define SAME_ENTRIES 10 /* the least size */
#define DECISIONS 20000 /* a round */

static const struct {
	const char *name;
	enum verdict_kind verdict;
} kinds[SAMPLE_KINDS] = {
    [SAMPLE_EXACT] = {"exact", VERDICT_HOST},
    [SAMPLE_WILDCARD] = {"wildcard", VERDICT_HOST},
    [SAMPLE_UNKNOWN] = {"unknown", VERDICT_REFUSED},
    [SAMPLE_HIDDEN] = {"hidden", VERDICT_REFUSED},
    [SAMPLE_PARENT] = {"parent", VERDICT_PARENT},
};

/* One kind of name of one registry. */
struct batch_of_names {
	const struct registry *registry;
	size_t entries;
	enum sample_kind kind;
	bool all;
	struct name *names;
	size_t count;
	double *ns; /* of each round */
};

static double
cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* every Linux has it */
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void
shuffle(struct name *names, size_t count)
{
	uint64_t state = 1;

	for (size_t i = count; i > 1; i--) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		size_t k = (state >> 33) % i;
		struct name swap = names[k];

		names[k] = names[i - 1];
		names[i - 1] = swap;
	}
}

static int
fill(struct batch_of_names *b, unsigned rounds)
{
	size_t entries = b->all ? b->entries : SAME_ENTRIES;
	size_t step = MAX_OF(entries / (2 * DECISIONS), (size_t)1);
	char text[SAMPLE_TEXT_MAX];

	b->names = calloc(entries, sizeof(*b->names));
	b->ns = calloc(rounds, sizeof(*b->ns));
	if (b->names == NULL || b->ns == NULL)
		return -1;
	/* an entry of each stretch; which of the turn it is changes from one to the next
	 */
	for (size_t i = 0; i < entries; i++) {
		size_t len = i / 10 % step == 0 ? sample_name(text, b->kind, i) : 0;

		if (len > 0 && name_parse(text, len, &b->names[b->count++]) < 0)
			return -1;
	}
	shuffle(b->names, b->count);
	return b->count > 0 ? 0 : -1;
}

static int
ask(const struct batch_of_names *b, size_t i)
{
	struct addr asker = sample_asker();
	struct verdict v;

	registry_judge(
	    b->registry, registry_workload(b->registry, &asker), &b->names[i], &v);
	return v.kind == kinds[b->kind].verdict ? 0 : -1;
}

static int
measure(struct batch_of_names *b, unsigned round)
{
	size_t passes = MAX_OF(DECISIONS / b->count, (size_t)1);
	double begin;
	int r = 0;

	begin = cpu_ns();
	for (size_t pass = 0; pass < passes; pass++)
		for (size_t i = 0; i < b->count; i++)
			r |= ask(b, i);
	b->ns[round] = (cpu_ns() - begin) / (double)(passes * b->count);
	return r;
}

static void
report(const struct batch_of_names *b, unsigned rounds)
{
	printf("{\"entries\": %zu, \"names\": \"%s\", \"kind\": \"%s\", \"ns\": [",
	    b->entries, b->all ? "all" : "same", kinds[b->kind].name);
	for (unsigned i = 0; i < rounds; i++)
		printf("%s%.2f", i > 0 ? ", " : "", b->ns[i]);
	printf("]}\n");
}

int
judge_run(const struct judge_size *sizes, size_t count, unsigned rounds)
{
	struct batch_of_names batches[JUDGE_SIZES_MAX * 2 * SAMPLE_KINDS] = {0};
	size_t n = 0;
	int r = 0;

	/* the sizes stand next to each other, so that what is compared ran together */
	for (int all = 0; all <= 1; all++)
		for (int kind = 0; kind < SAMPLE_KINDS; kind++)
			for (size_t i = 0; i < count && r == 0; i++) {
				batches[n] = (struct batch_of_names){
				    .registry = sizes[i].registry,
				    .entries = sizes[i].entries,
				    .kind = (enum sample_kind)kind,
				    .all = all != 0,
				};
				r = fill(&batches[n++], rounds);
			}
	for (unsigned round = 0; round < rounds; round++)
		for (size_t i = 0; i < n && r == 0; i++)
			r = measure(&batches[i], round);
	for (size_t i = 0; i < n; i++) {
		if (r == 0)
			report(&batches[i], rounds);
		free(batches[i].names);
		free(batches[i].ns);
	}
	return r;
}
