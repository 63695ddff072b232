/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/repeat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ID_LEN 2 /* the first of a message (RFC 1035 section 4.1.1) */

/* The query without its id, and behind it the reply with whatever id. */
struct repeat {
	int64_t until_ms; /* 0: free */
	uint64_t epoch;
	struct addr source;
	uint8_t query_len;
	uint16_t reply_len;
	uint8_t bytes[REPEAT_QUERY_MAX - ID_LEN + REPEAT_REPLY_MAX];
};

struct repeats {
	struct hash_key key;
	struct repeat all[REPEATS_MAX];
};

int
repeats_new(const struct hash_key *key, struct repeats **ret_repeats)
{
	struct repeats *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return -ENOMEM;
	r->key = *key;
	*ret_repeats = r;
	return 0;
}

void
repeats_free(struct repeats *r)
{
	free(r);
}

static size_t
place_of(const struct repeats *r, const struct repeat_query *q)
{
	uint8_t bytes[sizeof(*q->source) + REPEAT_QUERY_MAX];
	size_t len = q->len - ID_LEN;

	memcpy(bytes, q->source, sizeof(*q->source));
	memcpy(bytes + sizeof(*q->source), q->msg + ID_LEN, len);
	return hash_bytes(&r->key, bytes, sizeof(*q->source) + len) % REPEATS_MAX;
}

static bool
fits(const struct repeat_query *q)
{
	return q->len > ID_LEN && q->len <= REPEAT_QUERY_MAX;
}

static bool
is_for(const struct repeat *p, const struct repeat_query *q)
{
	return p->query_len == q->len - ID_LEN && addr_equal(&p->source, q->source) &&
	       memcmp(p->bytes, q->msg + ID_LEN, p->query_len) == 0;
}

size_t
repeats_find(const struct repeats *r, const struct repeat_query *q, uint64_t epoch,
    int64_t now_ms, uint8_t *out)
{
	const struct repeat *p;

	if (!fits(q))
		return 0;
	p = &r->all[place_of(r, q)];
	if (now_ms >= p->until_ms || p->epoch != epoch || !is_for(p, q))
		return 0;
	memcpy(out, p->bytes + p->query_len, p->reply_len);
	memcpy(out, q->msg, ID_LEN);
	return p->reply_len;
}

void
repeats_keep(struct repeats *r, const struct repeat_query *q, const uint8_t *reply,
    size_t len, uint64_t epoch, int64_t now_ms, int64_t until_ms)
{
	struct repeat *p;

	if (!fits(q) || len < ID_LEN || len > REPEAT_REPLY_MAX || until_ms <= now_ms)
		return;
	p = &r->all[place_of(r, q)];
	if (now_ms < p->until_ms && p->epoch == epoch && !is_for(p, q))
		return;
	p->until_ms = until_ms;
	p->epoch = epoch;
	p->source = *q->source;
	p->query_len = (uint8_t)(q->len - ID_LEN);
	p->reply_len = (uint16_t)len;
	memcpy(p->bytes, q->msg + ID_LEN, p->query_len);
	memcpy(p->bytes + p->query_len, reply, len);
}
