/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/lease.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/lease/claim.h"
#include "daemon/lease/going.h"
#include "daemon/lease/ring.h"
#include "daemon/lease/strain.h"

struct leases {
	struct lease_limits limits;
	struct pods *pods;
	struct hash_key key;
	struct table table; /* of struct lease */
	struct grants grants;
	size_t highest;
	uint64_t refused;
	struct strain strain;
	uint64_t losses;
	bool doubt;
	struct going going;
	struct ring ring;
};

struct lease_key {
	struct addr pod;
	struct addr addr;
	uint8_t proto;
	uint8_t zero;
	uint16_t port;
};

int
leases_new(const struct lease_limits *limits, struct pods *pods,
    const struct hash_key *key, struct leases **ret_leases)
{
	struct leases *l = calloc(1, sizeof(*l));
	int r;

	if (l == NULL)
		return -ENOMEM;
	*l = (struct leases){.limits = *limits, .pods = pods, .key = *key};
	r = table_init(&l->table, limits->size);
	if (r == 0)
		r = grants_init(&l->grants, limits->size, pods, key);
	if (r < 0) {
		table_done(&l->table);
		free(l);
		return r;
	}
	*ret_leases = l;
	return 0;
}

void
leases_set_limits(struct leases *l, const struct lease_limits *limits)
{
	l->limits = *limits;
	/* the tables keep the size that they were made with */
	l->limits.size = MIN_OF(limits->size, l->table.limit);
}

static struct lease_key
make_key(const struct addr *pod, const struct lease_target *t)
{
	/* no padding: it is hashed as bytes */
	return (struct lease_key){
	    .pod = *pod, .addr = t->addr, .proto = t->proto, .port = t->port};
}

static bool
lease_match(const struct table_link *link, const void *data)
{
	const struct lease *lease = CONTAINER_OF(link, const struct lease, link);
	const struct lease_key *key = data;

	return lease->target.port == key->port && lease->target.proto == key->proto &&
	       addr_equal(&lease->target.addr, &key->addr) &&
	       addr_equal(&lease->pod->addr, &key->pod);
}

/* Gone or not. */
static struct lease *
find_any(const struct leases *l, const struct addr *pod, const struct lease_target *t)
{
	struct lease_key key = make_key(pod, t);
	struct table_link *link = table_find(
	    &l->table, hash_bytes(&l->key, &key, sizeof(key)), lease_match, &key);

	return link != NULL ? CONTAINER_OF(link, struct lease, link) : NULL;
}

struct lease *
lease_find(const struct leases *l, const struct addr *pod, const struct lease_target *t)
{
	struct lease *lease = find_any(l, pod, t);

	return lease != NULL && !going_is_gone(&l->going, lease) ? lease : NULL;
}

struct grant *
lease_grant(struct leases *l, const struct addr *pod, const struct name *name)
{
	struct grant *g;

	going_make_room(&l->going, l->grants.table.len >= l->grants.table.limit);
	g = grants_get(&l->grants, pod, name);
	if (g == NULL) /* as many as there may be leases */
		l->refused += strain_refuses(
		    &l->strain, STRAIN_SIZE, l->grants.table.len, l->grants.table.limit);
	return g;
}

struct grant *
lease_grant_hold(struct grant *g)
{
	g->holds++;
	return g;
}

void
lease_grant_release(struct leases *l, struct grant *g)
{
	assert(g->holds > 0);
	g->holds--;
	grants_drop(&l->grants, g);
}

static struct claim *
claim_add(struct leases *l, struct lease *lease, struct grant *g)
{
	struct claim *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->lease = lease;
	c->grant = g;
	LIST_INSERT_HEAD(&lease->claims, c, in_lease);
	LIST_INSERT_HEAD(&g->claims, c, in_grant);
	g->len++;
	g->pod->claims++;
	strain_grow(&l->strain, STRAIN_NAME, g->len, l->limits.per_name);
	strain_grow(&l->strain, STRAIN_POD, g->pod->claims, l->limits.per_pod);
	grants_changed(&l->grants, g);
	return c;
}

bool
lease_claimed(
    const struct leases *l, const struct grant *g, const struct lease_target *target)
{
	const struct lease *lease = lease_find(l, &g->pod->addr, target);

	return lease != NULL && claim_find(lease, g) != NULL;
}

void
lease_need(struct leases *l, const struct grant *g, const struct lease_target *target,
    int64_t until_ms)
{
	const struct lease *lease = lease_find(l, &g->pod->addr, target);
	struct claim *c = lease != NULL ? claim_find(lease, g) : NULL;

	if (c != NULL)
		c->until_ms = MAX_OF(c->until_ms, until_ms);
}

static struct lease *
lease_new(struct leases *l, struct pod *pod, const struct lease_target *target)
{
	struct lease_key key = make_key(&pod->addr, target);
	struct lease *lease = calloc(1, sizeof(*lease));

	if (lease == NULL || table_add(&l->table, hash_bytes(&l->key, &key, sizeof(key)),
				 &lease->link) < 0) {
		free(lease);
		return NULL;
	}
	lease->pod = pod_ref(pod);
	lease->target = *target;
	pod->leases++;
	strain_grow(&l->strain, STRAIN_SIZE, l->table.len, l->limits.size);
	l->highest = MAX_OF(l->highest, l->table.len);
	return lease;
}

static void
lease_free(struct leases *l, struct lease *lease)
{
	assert(LIST_EMPTY(&lease->claims) && lease->pending == 0);
	pods_put(l->pods, lease->pod);
	free(lease);
}

/* Out of the table; freed at once, or by the settling of its last commit. */
static void
lease_remove(struct leases *l, struct lease *lease)
{
	table_remove(&l->table, &lease->link);
	l->losses++;
	lease->pod->leases--;
	if (lease->deadline_ms != 0)
		LIST_REMOVE(lease, in_slot);
	going_end(&l->going, lease);
	lease->revoked = true;
	if (lease->pending == 0)
		lease_free(l, lease);
}

void
lease_forget(struct leases *l, struct lease *lease)
{
	struct claim *c;

	while ((c = LIST_FIRST(&lease->claims)) != NULL) {
		struct grant *g = c->grant;

		claim_free(c);
		grants_drop(&l->grants, g);
	}
	lease_remove(l, lease);
}

/* The lease, and when it is there but gone, room for another one. */
static struct lease *
find_present(struct leases *l, const struct grant *g, const struct lease_target *target)
{
	struct lease *lease = find_any(l, &g->pod->addr, target);

	if (lease == NULL || !going_is_gone(&l->going, lease))
		return lease;
	lease_forget(l, lease);
	return NULL;
}

enum lease_cover
lease_check(struct leases *l, struct grant *g, const struct lease_target *target,
    int64_t until_ms, int64_t *least_ms)
{
	struct lease *lease;
	struct claim *c;

	going_make_room(&l->going, g->len >= l->limits.per_name ||
				       g->pod->claims >= l->limits.per_pod ||
				       l->table.len >= l->limits.size);
	c = claim_near(g, target);
	if (c != NULL && !going_is_gone(&l->going, c->lease)) {
		lease = c->lease;
	} else {
		lease = find_present(l, g, target);
		c = lease != NULL ? claim_find(lease, g) : NULL;
	}
	if (c == NULL &&
	    (strain_refuses(&l->strain, STRAIN_NAME, g->len, l->limits.per_name) ||
		strain_refuses(
		    &l->strain, STRAIN_POD, g->pod->claims, l->limits.per_pod)))
		goto full;
	if (lease == NULL
		? strain_refuses(&l->strain, STRAIN_SIZE, l->table.len, l->limits.size)
		: lease->target.to != target->to)
		goto full; /* one flow cannot lead two ways */
	if (lease == NULL || lease->deadline_ms < until_ms)
		return LEASE_SHORT;
	if (c == NULL && (c = claim_add(l, lease, g)) == NULL)
		goto full;
	c->until_ms = MAX_OF(c->until_ms, until_ms);
	if (least_ms != NULL)
		*least_ms = MIN_OF(*least_ms, lease->deadline_ms);
	return LEASE_COVERED;
full:
	l->refused++;
	return LEASE_FULL;
}

struct lease *
lease_reserve(
    struct leases *l, struct grant *g, const struct lease_target *target, bool *ret_renew)
{
	struct lease *lease = find_present(l, g, target);
	bool known = lease != NULL;

	if (!known)
		lease = lease_new(l, g->pod, target);
	if (lease == NULL)
		return NULL;
	if (claim_find(lease, g) == NULL && claim_add(l, lease, g) == NULL) {
		if (!known)
			lease_remove(l, lease);
		return NULL;
	}
	assert(lease->pending < UINT16_MAX); /* the committer's queue is shorter */
	lease->pending++;
	*ret_renew = known || l->doubt;
	return lease;
}

uint32_t
lease_ask(struct leases *l, struct lease *lease, int64_t now_ms, int64_t end_ms)
{
	int64_t last_ms = now_ms + l->limits.timeout_ms;

	lease->asked_ms = MIN_OF(MAX_OF(lease->asked_ms, end_ms), last_ms);
	if (last_ms < lease->deadline_ms) {
		lease->deadline_ms = last_ms;
		l->losses++;
	}
	return (uint32_t)(lease->asked_ms - now_ms);
}

void
leases_set_doubt(struct leases *l)
{
	l->doubt = true;
}

void
lease_settle(struct leases *l, struct lease *lease, bool committed, int64_t deadline_ms)
{
	assert(lease->pending > 0);
	lease->pending--;
	if (lease->revoked) {
		if (lease->pending == 0)
			lease_free(l, lease);
		return;
	}
	/* a limit may have come down since it was asked for */
	deadline_ms = MIN_OF(deadline_ms, lease->asked_ms);
	if (committed && deadline_ms > lease->deadline_ms) {
		bool placed = lease->deadline_ms != 0;

		lease->deadline_ms = deadline_ms;
		if (!placed)
			ring_put(&l->ring, lease);
	}
	if (lease->deadline_ms == 0 && lease->pending == 0)
		lease_forget(l, lease);
}

int
lease_restore(struct leases *l, const struct addr *pod, const struct name *name,
    const struct lease_target *target, int64_t deadline_ms)
{
	struct grant *g = lease_grant(l, pod, name);
	struct lease *lease;
	struct claim *c;
	bool renew;

	if (g == NULL)
		return -ENOMEM;
	lease = lease_reserve(l, g, target, &renew);
	c = lease != NULL ? claim_find(lease, g) : NULL;
	if (c != NULL && c->until_ms == 0)
		c->until_ms = deadline_ms;
	lease_grant_release(l, g);
	if (lease == NULL)
		return -ENOSPC;
	lease->asked_ms = MAX_OF(lease->asked_ms, deadline_ms);
	lease_settle(l, lease, true, deadline_ms);
	return 0;
}

bool
lease_drop_claim(struct leases *l, struct claim *c)
{
	struct lease *lease = c->lease;

	claim_free(c);
	if (!LIST_EMPTY(&lease->claims))
		return false;
	lease_remove(l, lease);
	return true;
}

/* Of those that no answer counts on any more, all but the latest, for the lease to hang
 * on and to be renewed by. */
static void
claims_expire(struct leases *l, struct lease *lease, int64_t now_ms)
{
	const struct claim *latest = claim_latest(lease);
	struct claim *next;

	for (struct claim *c = LIST_FIRST(&lease->claims); c != NULL; c = next) {
		struct grant *g = c->grant;

		next = LIST_NEXT(c, in_lease);
		if (c->until_ms >= now_ms || c == latest)
			continue;
		lease->renamed |= next == NULL;
		claim_free(c);
		grants_drop(&l->grants, g);
	}
}

static void
sweep_slot(void *ctx, struct slot *slot, int64_t now_ms)
{
	struct leases *l = ctx;
	struct lease *next;

	for (struct lease *lease = LIST_FIRST(slot); lease != NULL; lease = next) {
		next = LIST_NEXT(lease, in_slot);
		if (lease->pending == 0 &&
		    lease->deadline_ms + LEASE_LINGER_MS <= now_ms) {
			lease_forget(l, lease);
			continue;
		}
		if (lease->pending == 0)
			claims_expire(l, lease, now_ms);
		LIST_REMOVE(lease, in_slot);
		ring_put(&l->ring, lease); /* in front, when it is this slot again */
	}
}

void
leases_sweep(struct leases *l, int64_t now_ms)
{
	const uint64_t losses = l->losses;

	ring_turn(&l->ring, now_ms, sweep_slot, l);
	l->losses = losses; /* nobody counted on what had ended */
}

void
leases_free(struct leases *l)
{
	struct table_link *link;

	if (l == NULL)
		return;
	while ((link = table_first(&l->table)) != NULL)
		lease_forget(l, CONTAINER_OF(link, struct lease, link));
	assert(l->grants.table.len == 0);
	table_done(&l->table);
	grants_done(&l->grants);
	free(l);
}

struct grants *
leases_grants(struct leases *l)
{
	return &l->grants;
}

struct strain *
leases_strain(struct leases *l)
{
	return &l->strain;
}

struct going *
leases_going(struct leases *l)
{
	return &l->going;
}

const struct ring *
leases_ring(const struct leases *l)
{
	return &l->ring;
}

struct lease_counts
leases_counts(const struct leases *l)
{
	return (struct lease_counts){
	    .leases = l->table.len - (l->going.gone ? l->going.len : 0),
	    .grants = l->grants.table.len,
	    .limit = l->limits.size,
	    .highest = l->highest,
	    .refused = l->refused,
	};
}

uint64_t
leases_losses(const struct leases *l)
{
	return l->losses;
}
