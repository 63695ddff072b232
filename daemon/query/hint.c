/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/hint.h"

#include "daemon/query/queries.h"
#include "daemon/query/route.h"
#include "resolver/hints.h"
#include "resolver/wire.h"

bool
hint_is_asked(const struct query *q)
{
	const struct verdict *v = &q->verdict;

	return q->all->config->https_lease && v->kind == VERDICT_HOST &&
	       (q->question.type == TYPE_HTTPS || q->question.type == TYPE_SVCB) &&
	       route_group(v) < ROUTE_GATHERED;
}

bool
hint_has_source(const struct query *q, const struct addr *addr)
{
	return !hint_is_asked(q) || addr->family == q->from.family ||
	       addr->family == q->other.family;
}

static int
replace(struct query *q, int result, struct answer *answer)
{
	if (result < 0)
		return result;
	answer_unref(q->answer);
	q->answer = answer;
	return 0;
}

int
hint_find(struct query *q)
{
	struct answer *found = NULL;
	int r;

	if (!hint_is_asked(q))
		return 0;
	r = hints_find(q->answer, &found);
	return replace(q, r, found);
}

int
hint_cut(struct query *q)
{
	struct answer *cut = NULL;
	int r;

	if (!hint_is_asked(q))
		return 0;
	r = hints_cut(q->answer, q->keep, &cut);
	return replace(q, r, cut);
}
