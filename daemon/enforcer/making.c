/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/making.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/enforcer/cut.h"
#include "daemon/enforcer/element.h"
#include "daemon/enforcer/interceptor.h"
#include "daemon/enforcer/layout.h"
#include "daemon/enforcer/migration.h"

/* Ways to make the table that may have to be tried: without owner, without log, replaced,
 * replaced without leases, without a mark, and once more because the table changed
 * between looking and writing. */
#define TRIES_MAX 7

struct attempt {
	struct netlink *nl;
	const struct transaction *t;
	const struct interceptor_alone *alone;
	struct layout_found found;
	struct layout_way way;
	struct migration migration;
	bool forget;     /* the leases that are there are too many for one batch */
	bool unfinished; /* a pass of daemon/enforcer/cut.h was, when we came */
	bool markless;   /* its set is too full for the mark */
};

/* There is nothing to renew, which would take two more messages for each lease. */
static bool
begins_empty(const struct attempt *a)
{
	return (!a->found.exists || a->way.replace) && a->migration.leases.count == 0;
}

/* The leases that a transaction takes away, then those that it makes. */
static int
put_leases(const struct attempt *a)
{
	struct element *list = NULL;
	size_t count = 0;
	int r = transaction_revokes(a->t, &list, &count);

	if (r < 0)
		return r;
	element_revoke(a->nl, list, count);
	free(list);
	r = transaction_grants(a->t, &list, &count);
	if (r < 0)
		return r;
	if (begins_empty(a))
		for (size_t i = 0; i < count; i++)
			list[i].renew = false;
	element_grant(a->nl, list, count);
	free(list);
	return 0;
}

/* What the table that goes leaves to the one that comes. */
static int
read_leases(struct attempt *a, const struct ruleset *rs)
{
	if (!a->found.exists || !a->way.replace || !rs->table.adopt)
		migration_done(&a->migration);
	else if (a->forget)
		migration_give_up(&a->migration);
	else
		return migration_read(&a->migration, a->nl, &a->found);
	return 0;
}

static int
try_way(struct attempt *a)
{
	struct ruleset rs = transaction_ruleset(a->t);
	int r = layout_find(a->nl, &a->found);

	rs.alone = a->alone;
	if (r == 0)
		r = layout_check(a->nl, &a->found);
	if (r < 0)
		return r;
	if (a->found.exists && (!rs.table.adopt || a->found.version < LAYOUT_VERSION))
		a->way.replace = true;
	a->unfinished = a->found.exists && cut_is_marked(a->nl);
	r = read_leases(a, &rs);
	if (r < 0)
		return r;
	if (a->migration.leases.count != 0)
		rs.table.set_size = migration_set_size(&a->migration, rs.table.set_size);
	netlink_begin(a->nl);
	r = ruleset_put(a->nl, &rs, &a->found, &a->way);
	migration_put(&a->migration, a->nl);
	if ((a->unfinished || a->t->cuts.len != 0) && !a->markless)
		cut_mark(a->nl);
	if (r == 0)
		r = put_leases(a);
	return r < 0 ? r : netlink_commit(a->nl, NULL);
}

/* What to do without after this failure; false: nothing helps. */
static bool
change_way(struct attempt *a, int failure)
{
	struct layout_way *way = &a->way;

	if ((failure == -EOPNOTSUPP || failure == -EINVAL) && way->own) {
		way->own = false;
		return true;
	}
	if (failure == -EEXIST && a->found.exists && !way->replace) {
		way->replace = true;
		return true;
	}
	if ((failure == -ENOBUFS || failure == -EMSGSIZE) &&
	    a->migration.leases.count != 0) {
		a->forget = true;
		return true;
	}
	if (failure == -ENFILE && !a->markless) {
		a->markless = true;
		return true;
	}
	if (failure == -ENOENT && way->log) {
		way->log = false;
		return true;
	}
	return false;
}

void
making_settle(struct netlink *nl, const struct transaction *t,
    struct interceptor_alone *alone, bool *look)
{
	struct ruleset rs = transaction_ruleset(t);

	if (!interceptor_settle(&rs, alone, look))
		return;
	rs.alone = alone;
	netlink_begin(nl);
	layout_flush_chain(nl, "query");
	layout_flush_chain(nl, "reply");
	interceptor_put(nl, &rs);
	if (netlink_commit(nl, NULL) < 0)
		*alone = (struct interceptor_alone){0}; /* it serves as well without */
}

int
making_run(struct netlink *nl, const struct transaction *t, struct making *making)
{
	struct attempt a = {
	    .nl = nl,
	    .t = t,
	    .alone = making->alone,
	    .way = {.own = t->table.own, .log = making->log},
	};
	int r = 0;

	migration_init(&a.migration);
	for (int i = 0; i < TRIES_MAX; i++) {
		r = try_way(&a);
		if (r == 0 || !change_way(&a, r))
			break;
	}
	if (r == 0) {
		making->log = a.way.log;
		making->existed = a.found.exists;
		making->whole = a.migration.whole;
		making->unfinished = a.unfinished;
	}
	migration_done(&a.migration);
	return r == -ENOENT ? -EOPNOTSUPP : r;
}
