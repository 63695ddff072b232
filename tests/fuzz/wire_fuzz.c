/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message from outside, as a client's query and as an upstream's reply to the question
 * in it, up to the reply that the client would get.
 */
#include <assert.h>

#include "resolver/hints.h"
#include "resolver/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of it without some of the hints is a message, and has no others. */
static void
check_hints(const struct answer *a, uint64_t keep)
{
	struct answer *found, *cut, *left;
	size_t kept = 0;

	if (hints_find(a, &found) < 0)
		return;
	if (hints_cut(found, keep, &cut) == 0) {
		assert(cut->len <= a->len && wire_check(cut->image, cut->len) == 0);
		if (hints_find(cut, &left) == 0) {
			for (size_t i = 0; i < found->address_count; i++)
				kept += keep >> i & 1;
			assert(left->address_count == kept);
			answer_unref(left);
		}
		answer_unref(cut);
	}
	answer_unref(found);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t query[WIRE_MESSAGE_MAX], out[WIRE_MESSAGE_MAX];
	struct wire w;
	struct question q;
	struct answer *a;
	size_t len;

	(void)question_parse(data, size, &q); /* not to crash is enough */
	if (wire_check(data, size) < 0)
		return 0;
	wire_init(&w, data, size);
	w.pos = WIRE_HEADER_LEN;
	wire_name(&w, NULL);
	wire_skip(&w, 4);
	for (size_t i = 0; i < w.pos; i++)
		query[i] = i == 2 || (i >= 6 && i < WIRE_HEADER_LEN) ? 0 : data[i];
	if (question_parse(query, w.pos, &q) != QUESTION_OK ||
	    answer_examine(data, size, &q.name, q.type, 0, &a) < 0)
		return 0;
	assert(wire_check(a->image, a->len) == 0);
	len = reply_answer(&q, a, data[0] * UINT64_C(0x0101010101010101),
	    answer_ttl(a, 0), NULL, sizeof(out), out, sizeof(out));
	assert(wire_check(out, len) == 0);
	if (a->address_count == 0)
		check_hints(a, data[0] * UINT64_C(0x0101010101010101));
	answer_unref(a);
	return 0;
}
