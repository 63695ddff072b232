/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/rate.h"

#include <errno.h>
#include <stdlib.h>

/* Tokens are counted in thousandths, so that a millisecond's worth is a whole number. */
#define TOKEN 1000

struct bucket {
	struct addr source; /* family 0: free */
	int64_t filled_ms;
	int64_t tokens;
};

struct rate {
	struct hash_key key;
	struct bucket *last; /* of the last call: packets of one source come in runs */
	struct bucket buckets[RATE_SETS][RATE_WAYS];
};

int
rate_new(const struct hash_key *key, struct rate **ret_rate)
{
	struct rate *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return -ENOMEM;
	r->key = *key;
	r->last = &r->buckets[0][0];
	*ret_rate = r;
	return 0;
}

void
rate_free(struct rate *r)
{
	free(r);
}

/* The source's bucket, or the one in its set that has been left alone longest. */
static struct bucket *
find(struct rate *r, const struct addr *source)
{
	struct bucket *set =
	    r->buckets[hash_bytes(&r->key, source, sizeof(*source)) % RATE_SETS];
	struct bucket *oldest = set;

	for (size_t i = 0; i < RATE_WAYS; i++) {
		if (addr_equal(&set[i].source, source))
			return &set[i];
		if (set[i].filled_ms < oldest->filled_ms)
			oldest = &set[i];
	}
	return oldest;
}

static void
fill(struct bucket *b, const struct rate_limit *limit, int64_t now_ms)
{
	const int64_t most = (int64_t)limit->burst * TOKEN;
	const int64_t passed_ms = now_ms - b->filled_ms;

	b->filled_ms = now_ms;
	if (passed_ms >= 1000)
		b->tokens = most;
	else
		b->tokens = MIN_OF(b->tokens + passed_ms * limit->per_second, most);
}

bool
rate_take(struct rate *r, const struct addr *source, const struct rate_limit *limit,
    int64_t now_ms)
{
	struct bucket *b = r->last;

	if (limit->per_second == 0)
		return true;
	if (!addr_equal(&b->source, source))
		b = find(r, source);
	r->last = b;
	if (!addr_equal(&b->source, source))
		*b = (struct bucket){.source = *source,
		    .filled_ms = now_ms,
		    .tokens = (int64_t)limit->burst * TOKEN};
	else if (b->filled_ms != now_ms)
		fill(b, limit, now_ms);
	if (b->tokens < TOKEN)
		return false;
	b->tokens -= TOKEN;
	return true;
}
