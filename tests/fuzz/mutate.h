/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DNS messages broken at random, from those of a corpus: the same ones for the same seed.
 *
 * The caller owns the struct and calls mutator_done. Without memory or a corpus that can
 * be read the program ends: it is a test.
 */
#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

#define MUTATE_MAX 4096 /* bytes of a message */

struct mutator {
	uint64_t state;
	size_t count;
	struct sample {
		uint8_t *bytes;
		size_t len;
	} * samples;
};

void mutator_init(struct mutator *m, const char *folder, uint64_t seed);
void mutator_done(struct mutator *m);
/* The same with a new seed, whatever was made before. */
void mutator_seed(struct mutator *m, uint64_t seed);
/* Below limit, which is not 0. */
size_t mutator_pick(struct mutator *m, size_t limit);
/* The next message; its length. */
size_t mutator_message(struct mutator *m, uint8_t out[MUTATE_MAX]);
/* The next one as a reply to this query: with its id and question, most often with QR,
 * and what stood behind the sample's own question. */
size_t mutator_reply(
    struct mutator *m, const uint8_t *query, size_t len, uint8_t out[MUTATE_MAX]);

#endif
