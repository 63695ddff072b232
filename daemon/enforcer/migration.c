/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/migration.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/enforcer/element_dump.h"

/* So that withdrawing (element_revoke), which makes before it deletes, finds room. */
#define ROOM 1024
#define DUMPS_MAX 4

void
migration_init(struct migration *m)
{
	*m = (struct migration){.whole = true};
	lease_list_init(&m->leases.from);
	lease_list_init(&m->cuts.from);
}

static void
part_done(struct migration_part *part)
{
	free(part->list);
	lease_list_done(&part->from);
}

void
migration_done(struct migration *m)
{
	part_done(&m->leases);
	part_done(&m->cuts);
	migration_init(m);
}

void
migration_give_up(struct migration *m)
{
	migration_done(m);
	m->whole = false;
}

static int
note_lease(void *ctx, const struct enforcer_lease *lease, const char *name)
{
	if (lease->timeout_ms != 0) /* none of ours does not come over */
		lease_list_add(ctx, lease, name);
	return 0;
}

static int
dump_part(struct migration_part *part, struct netlink *nl,
    const struct element_form *form, const char *const sets[2], bool *ret_whole)
{
	int r = element_dump_all(nl, form, sets, note_lease, &part->from);

	if (lease_list_failed(&part->from)) {
		lease_list_done(&part->from);
		lease_list_init(&part->from);
		r = -ENOBUFS;
	}
	*ret_whole = r == 0;
	free(part->list);
	part->list = NULL;
	return lease_list_elements(&part->from, 0, &part->list, &part->count);
}

/* Until nothing new comes, as far as there is room: a dump may pass over some
 * (daemon/lease/found.h). ret_whole: everything could be read. */
static int
read_part(struct migration_part *part, struct netlink *nl,
    const struct element_form *form, const char *const sets[2], bool *ret_whole)
{
	size_t before;
	int r;

	for (int i = 0; i < DUMPS_MAX; i++) {
		before = part->count;
		r = dump_part(part, nl, form, sets, ret_whole);
		if (r < 0 || part->count == before || !*ret_whole ||
		    part->count + lease_list_len(&part->from) > LEASE_LIST_MAX)
			break;
	}
	return r;
}

int
migration_read(struct migration *m, struct netlink *nl, const struct layout_found *found)
{
	const struct element_form *form = element_form_of(found->version);
	bool whole;
	int r;

	migration_done(m);
	if (form == NULL) {
		m->whole = false;
		return 0;
	}
	r = read_part(&m->leases, nl, form, form->leases, &m->whole);
	/* without these, replies to flows that were cut long ago are all that may pass */
	if (r == 0)
		r = read_part(&m->cuts, nl, form, form->cuts, &whole);
	return r;
}

uint32_t
migration_set_size(const struct migration *m, uint32_t wished)
{
	return MAX_OF(wished, (uint32_t)m->leases.count + ROOM);
}

void
migration_put(const struct migration *m, struct netlink *nl)
{
	element_grant(nl, m->leases.list, m->leases.count);
	element_put_cuts(nl, m->cuts.list, m->cuts.count);
}
