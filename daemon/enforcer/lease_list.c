/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/lease_list.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A lease, and where its name is. */
struct record {
	struct enforcer_lease lease;
	uint32_t name;
};

void
lease_list_init(struct lease_list *l)
{
	*l = (struct lease_list){0};
	buf_init(&l->records, LEASE_LIST_MAX * sizeof(struct record));
	buf_init(&l->names, LEASE_LIST_NAMES_MAX);
}

void
lease_list_done(struct lease_list *l)
{
	buf_done(&l->records);
	buf_done(&l->names);
}

void
lease_list_add(struct lease_list *l, const struct enforcer_lease *lease, const char *name)
{
	struct record record;

	if (l->names.len == 0 || strcmp(l->names.bytes + l->name, name) != 0) {
		l->name = l->names.len;
		buf_append(&l->names, name, strlen(name) + 1);
	}
	if (l->names.failed)
		return; /* there is no such name */
	/* no byte of the padding is left to chance */
	memset(&record, 0, sizeof(record));
	record.lease = *lease;
	record.name = (uint32_t)l->name;
	buf_append(&l->records, &record, sizeof(record));
}

bool
lease_list_failed(const struct lease_list *l)
{
	return l->records.failed || l->names.failed;
}

static const struct record *
get_record(const struct lease_list *l, size_t i)
{
	return (const struct record *)(const void *)l->records.bytes + i;
}

size_t
lease_list_len(const struct lease_list *l)
{
	return l->records.len / sizeof(struct record);
}

const struct enforcer_lease *
lease_list_get(const struct lease_list *l, size_t i)
{
	assert(i < lease_list_len(l));
	return &get_record(l, i)->lease;
}

int
lease_list_elements(const struct lease_list *l, uint32_t timeout_ms,
    struct element **ret_list, size_t *ret_count)
{
	const size_t count = lease_list_len(l);
	struct element *list = NULL;

	if (count != 0) {
		list = calloc(count, sizeof(*list));
		if (list == NULL)
			return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++) {
		const struct record *record = get_record(l, i);

		list[i] = (struct element){
		    .lease = &record->lease,
		    .name = l->names.bytes + record->name,
		    .timeout_ms = timeout_ms != 0 ? timeout_ms : record->lease.timeout_ms,
		    .renew = record->lease.renew,
		};
	}
	*ret_list = list;
	*ret_count = element_merge(list, count);
	return 0;
}
