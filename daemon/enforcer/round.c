/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/round.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>

/* The result of a request that has none yet. */
#define PENDING 1

static bool
is_late(const struct enforcer_message *m, int64_t now_ms)
{
	return m->deadline_ms != 0 && now_ms > m->deadline_ms;
}

static size_t
add_elements(struct element *list, const struct enforcer_message *m)
{
	for (size_t i = 0; i < m->count; i++)
		list[i] = (struct element){
		    .lease = &m->body.leases[i],
		    .name = m->name,
		    .timeout_ms = m->body.leases[i].timeout_ms,
		    .renew = m->body.leases[i].renew,
		};
	return m->count;
}

/*
 * One transaction of the pending requests among these. An element that is to be renewed
 * may end after the kernel found it and before it deletes it; then there is nothing to
 * delete, and a second time it is sure to be a new one.
 */
static int
try_requests(struct round *round, struct netlink *nl, const struct round_request *list,
    size_t count)
{
	struct netlink_failure failure;
	size_t len = 0;
	int r = 0;

	for (size_t i = 0; i < count; i++)
		if (list[i].result == PENDING)
			len += add_elements(round->elements + len, list[i].message);
	len = element_merge(round->elements, len);
	for (int i = 0; i < 2; i++) {
		netlink_begin(nl);
		element_grant(nl, round->elements, len);
		r = netlink_commit(nl, &failure);
		if (r != -ENOENT || failure.type != NFT_MSG_DELSETELEM)
			return r;
	}
	/* the set is there; what else this may mean nobody knows */
	return -EIO;
}

static void
settle_pending(struct round *round, int result)
{
	for (size_t i = 0; i < round->count; i++)
		if (round->requests[i].result == PENDING)
			round->requests[i].result = result;
}

/* Where full_from has its mark for this request; NULL when it is of both families, or
 * renews and so may need less than it names. */
static size_t *
mark_of(struct round *round, const struct enforcer_message *m)
{
	const uint8_t family = m->body.leases[0].pod.family;

	for (size_t i = 0; i < m->count; i++)
		if (m->body.leases[i].renew || m->body.leases[i].pod.family != family)
			return NULL;
	return &round->full_from[family == AF_INET6];
}

static void
try_alone(struct round *round, struct netlink *nl, struct round_request *request,
    int64_t now_ms)
{
	const struct enforcer_message *m = request->message;
	size_t *full_from = mark_of(round, m);

	if (is_late(m, now_ms)) {
		request->result = -ETIMEDOUT;
		return;
	}
	if (full_from != NULL && *full_from != 0 && m->count >= *full_from) {
		request->result = -ENFILE;
		return;
	}
	request->result = try_requests(round, nl, request, 1);
	if (request->result == -ENFILE && full_from != NULL)
		*full_from = m->count;
}

void
round_commit(struct round *round, struct netlink *nl, int64_t (*now_ms)(void))
{
	const int64_t start_ms = now_ms();
	size_t pending = 0;
	int r;

	round->full_from[0] = round->full_from[1] = 0;
	for (size_t i = 0; i < round->count; i++) {
		struct round_request *request = &round->requests[i];

		request->result = PENDING;
		if (request->message->count == 0)
			request->result = 0;
		else if (is_late(request->message, start_ms))
			request->result = -ETIMEDOUT;
		else
			pending++;
	}
	if (pending == 0)
		return;
	r = try_requests(round, nl, round->requests, round->count);
	if (pending == 1 || r == 0 || r == -ENOENT || r == -EIO) {
		settle_pending(round, r);
		return;
	}
	for (size_t i = 0; i < round->count; i++) {
		if (round->requests[i].result != PENDING)
			continue;
		try_alone(round, nl, &round->requests[i], now_ms());
		if (round->requests[i].result == -ENOENT)
			settle_pending(round, -ENOENT);
	}
}
