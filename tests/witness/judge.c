/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/witness/judge.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/witness/packet.h"

#define NS_PER_S 1000000000ull
#define DNS_PORT 53
#define DISCARD_PORT 9 /* where other witnesses send what marks a place in their record */
#define LINE_MAX 256

struct flow_key {
	struct addr src, dst;
	uint16_t sport, dport;
	uint8_t proto;
};

struct flow {
	struct table_link link;
	struct flow_key key;
	bool open;
	uint64_t came_ns; /* its last packet from the pod that may open it; 0: none */
	const struct lease_seen *lease; /* by which it was opened; NULL: a fixed one */
};

static const char *const names[FINDINGS] = {
    [FINDING_EARLY] = "answered before it was in the set",
    [FINDING_SHORT] = "answered for longer than it is in the set",
    [FINDING_UNANSWERED] = "left without an answer to this pod",
    [FINDING_UNLISTED] = "left without a lease",
    [FINDING_WITHDRAWN] = "left after its lease was withdrawn",
    [FINDING_IDLE] = "left by a lease that was renewed for nothing",
    [FINDING_STRANGE] = "left from nobody",
    [FINDING_UNREAD] = "answer not understood",
};

const char *
finding_name(enum finding f)
{
	return names[f];
}

int
judge_init(struct judge *j, const struct places *places, judge_tell_fn tell)
{
	int err;

	memset(j, 0, sizeof(*j));
	j->places = places;
	j->tell = tell;
	j->notices.sets = &j->sets;
	err = sets_init(&j->sets);
	return err != 0 ? err : table_init(&j->flows, JUDGE_FLOWS_MAX);
}

void
judge_done(struct judge *j)
{
	struct table_link *link =
	    j->flows.buckets == NULL ? NULL : table_first(&j->flows);

	while (link != NULL) {
		struct table_link *next = table_next(&j->flows, link);

		free(CONTAINER_OF(link, struct flow, link));
		link = next;
	}
	table_done(&j->flows);
	sets_done(&j->sets);
}

static void
find(struct judge *j, enum finding f, const struct record *r, const struct addr *about)
{
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX], extra[ADDR_TEXT_MAX], line[LINE_MAX];

	if (j->found[f]++ >= JUDGE_TOLD_MAX)
		return;
	(void)snprintf(line, sizeof(line),
	    "%s: %s port %u to %s port %u protocol %u flags %#x%s%s at %llu.%09llu",
	    names[f], r->src.family == 0 ? "?" : addr_format(&r->src, src), r->sport,
	    r->dst.family == 0 ? "?" : addr_format(&r->dst, dst), r->dport, r->proto,
	    r->flags, about == NULL ? "" : ": ",
	    about == NULL ? "" : addr_format(about, extra),
	    (unsigned long long)(r->at_ns / NS_PER_S),
	    (unsigned long long)(r->at_ns % NS_PER_S));
	j->tell(line);
}

static void
put_time(char *line, size_t size, const char *what, uint64_t then_ns, uint64_t at_ns)
{
	size_t len = strlen(line);

	if (then_ns != SETS_NEVER)
		(void)snprintf(line + len, size - len, ", %s %+.3f ms", what,
		    (double)((int64_t)(then_ns - at_ns)) / 1e6);
}

/* What was known of the leases by which something might have been right. */
static void
tell_leases(
    struct judge *j, enum finding f, const struct reach *reach, const struct record *r)
{
	const struct lease_seen *l = reach == NULL ? NULL : reach->leases;

	if (j->found[f] > JUDGE_TOLD_MAX)
		return;
	if (l == NULL)
		j->tell("  it never had a lease");
	for (; l != NULL; l = l->next) {
		char line[LINE_MAX];

		(void)snprintf(line, sizeof(line), "  lease of protocol %u port %u",
		    l->proto, l->port);
		put_time(line, sizeof(line), "begun", l->now.from_ns, r->at_ns);
		put_time(line, sizeof(line), "ends", l->now.end_ns, r->at_ns);
		put_time(line, sizeof(line), "withdrawn", l->now.gone_ns, r->at_ns);
		if (l->before.from_ns != SETS_NEVER) {
			put_time(line, sizeof(line), "before that begun",
			    l->before.from_ns, r->at_ns);
			put_time(line, sizeof(line), "ended", l->before.end_ns, r->at_ns);
		}
		j->tell(line);
	}
}

static bool
flow_matches(const struct table_link *link, const void *key)
{
	const struct flow_key *a = &CONTAINER_OF(link, struct flow, link)->key, *b = key;

	return addr_equal(&a->src, &b->src) && addr_equal(&a->dst, &b->dst) &&
	       a->sport == b->sport && a->dport == b->dport && a->proto == b->proto;
}

/* The record's flow, made if there is none yet. NULL: no room. */
static struct flow *
flow_of(struct judge *j, const struct record *r)
{
	const struct flow_key key = {r->src, r->dst, r->sport, r->dport, r->proto};
	uint8_t bytes[37];
	struct table_link *link;
	struct flow *f;
	uint64_t hash;

	memcpy(bytes, r->src.bytes, 16);
	memcpy(bytes + 16, r->dst.bytes, 16);
	memcpy(bytes + 32, &r->sport, 2);
	memcpy(bytes + 34, &r->dport, 2);
	bytes[36] = r->proto;
	hash = hash_bytes(&j->sets.key, bytes, sizeof(bytes));
	link = table_find(&j->flows, hash, flow_matches, &key);
	if (link != NULL)
		return CONTAINER_OF(link, struct flow, link);
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->key = key;
	if (table_add(&j->flows, hash, &f->link) == 0)
		return f;
	free(f);
	return NULL;
}

/* The pod of that address; NULL: none. */
static const struct place *
pod_of(const struct judge *j, const struct addr *a)
{
	for (size_t i = 1; i < j->places->len; i++) {
		if (place_has(&j->places->list[i], a))
			return &j->places->list[i];
	}
	return NULL;
}

static bool
is_link_local(const struct addr *a)
{
	static const struct addr none = {.family = AF_INET6};

	return a->family == AF_INET6 &&
	       (addr_equal(a, &none) ||
		   (a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80));
}

static bool
is_own(const struct judge *j, const struct record *r)
{
	bool icmp = r->proto == IPPROTO_ICMP || r->proto == IPPROTO_ICMPV6;

	if (is_link_local(&r->src))
		return icmp || r->proto == IPPROTO_HOPOPTS; /* listener reports */
	if (!place_has(&j->places->list[0], &r->src))
		return false;
	return icmp || r->dport == DNS_PORT || r->dport == DISCARD_PORT;
}

static bool
opens(const struct record *r)
{
	return r->proto != IPPROTO_TCP ||
	       (r->flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN;
}

/* Marks the flow open when it may be. */
static void
judge_opening(struct judge *j, struct flow *f, const struct record *r)
{
	const struct reach *reach;
	struct lease_seen *lease;
	uint64_t from_ns = f->came_ns != 0 ? f->came_ns : r->at_ns;

	j->opened++;
	if (sets_open(&j->sets, &r->src) ||
	    sets_fixed(&j->sets, &r->src, &r->dst, r->proto, r->dport)) {
		f->open = true;
		f->lease = NULL;
		return;
	}
	reach = sets_reach(&j->sets, &r->src, &r->dst, false);
	lease = reach == NULL ? NULL : reach_lease(reach, r->proto, r->dport);
	if (lease == NULL ||
	    !lease_seen_within(lease, from_ns, r->at_ns + SETS_EDGE_NS)) {
		find(j, FINDING_UNLISTED, r, NULL);
		tell_leases(j, FINDING_UNLISTED, reach, r);
		return;
	}
	if (reach->answered_ns > r->at_ns)
		find(j, FINDING_UNANSWERED, r, NULL);
	if (lease->due_ns < from_ns && from_ns - lease->due_ns > JUDGE_IDLE_NS) {
		find(j, FINDING_IDLE, r, NULL);
		tell_leases(j, FINDING_IDLE, reach, r);
	}
	lease->used = true;
	f->open = true;
	f->lease = lease;
}

static int
judge_leaves(struct judge *j, const struct record *r)
{
	struct flow *f;

	j->left++;
	if (pod_of(j, &r->src) == NULL) {
		j->own++;
		if (!is_own(j, r))
			find(j, FINDING_STRANGE, r, NULL);
		return 0;
	}
	f = flow_of(j, r);
	if (f == NULL)
		return -ENOSPC;
	if (!f->open || (r->proto == IPPROTO_TCP && opens(r)))
		judge_opening(j, f, r);
	else if (f->lease != NULL && f->lease->now.gone_ns != SETS_NEVER &&
		 f->lease->now.gone_ns + JUDGE_CUT_NS < r->at_ns)
		find(j, FINDING_WITHDRAWN, r, NULL);
	return 0;
}

static int
judge_from_pod(struct judge *j, const struct record *r)
{
	struct flow *f;

	if (pod_of(j, &r->src) == NULL)
		return 0; /* it must not leave, and is judged if it does */
	f = flow_of(j, r);
	if (f == NULL)
		return -ENOSPC;
	f->came_ns = r->at_ns;
	return 0;
}

/* Until when one of its leases surely lets the pod, which is answered, reach the address;
 * 0: none does. */
static uint64_t
open_until(const struct reach *reach, uint64_t at_ns)
{
	uint64_t until_ns = 0;

	for (struct lease_seen *l = reach->leases; l != NULL; l = l->next) {
		if (!lease_seen_at(l, at_ns))
			continue;
		until_ns = MAX_OF(until_ns, l->now.end_ns);
		l->due_ns = l->now.end_ns; /* the answer is its reason */
	}
	return until_ns;
}

static int
judge_address(struct judge *j, const struct record *r, const struct packet_answer *a)
{
	struct addr pod = place_addr(&j->places->list[r->place], a->addr.family);
	struct reach *reach = sets_reach(&j->sets, &pod, &a->addr, true);
	uint64_t until_ns;

	if (reach == NULL)
		return -ENOSPC;
	j->addresses++;
	reach->answered_ns = MIN_OF(reach->answered_ns, r->at_ns);
	if (sets_open(&j->sets, &pod) || sets_fixed_any(&j->sets, &pod, &a->addr))
		return 0;
	until_ns = open_until(reach, r->at_ns);
	if (until_ns == 0) {
		find(j, FINDING_EARLY, r, &a->addr);
		tell_leases(j, FINDING_EARLY, reach, r);
	} else if (until_ns + SETS_EDGE_NS < r->at_ns + a->ttl_s * NS_PER_S) {
		find(j, FINDING_SHORT, r, &a->addr);
		tell_leases(j, FINDING_SHORT, reach, r);
	}
	return 0;
}

static int
judge_message(struct judge *j, const struct record *r, const uint8_t *message, size_t len)
{
	struct packet_answer list[PACKET_ANSWERS_MAX];
	int count = packet_answers(message, len, list), err = 0;

	if (count < 0) {
		find(j, FINDING_UNREAD, r, NULL);
		return 0;
	}
	j->answers += count > 0;
	for (int i = 0; i < count && err == 0; i++)
		err = judge_address(j, r, &list[i]);
	return err;
}

/* Of TCP, messages that begin where a segment begins and end in it. */
static int
judge_answer(struct judge *j, const struct record *r)
{
	size_t pos = 0;
	int err = 0;

	if (r->proto == IPPROTO_UDP)
		return judge_message(j, r, r->data, r->len);
	while (pos + 2 <= r->len && err == 0) {
		size_t len = (size_t)(r->data[pos] << 8 | r->data[pos + 1]);

		if (pos + 2 + len > r->len) {
			find(j, FINDING_UNREAD, r, NULL);
			return 0;
		}
		err = judge_message(j, r, r->data + pos + 2, len);
		pos += 2 + len;
	}
	return err;
}

int
judge_take(struct judge *j, const struct record *r)
{
	switch ((enum record_kind)r->kind) {
	case RECORD_NFT:
		return notices_take(&j->notices, r->at_ns, r->data, r->len);
	case RECORD_FROM_POD:
		return judge_from_pod(j, r);
	case RECORD_ANSWER:
		return judge_answer(j, r);
	case RECORD_LEAVES:
		return judge_leaves(j, r);
	}
	return -EPROTO;
}
