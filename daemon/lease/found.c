/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/found.h"

#include <stdlib.h>
#include <string.h>

#define STALE_BYTES_MAX ((size_t)64 * 1024 * 1024)

void
found_init(struct found *f)
{
	*f = (struct found){0};
	buf_init(&f->stale, STALE_BYTES_MAX);
}

void
found_done(struct found *f)
{
	buf_done(&f->stale);
}

void
found_clear(struct found *f)
{
	buf_clear(&f->stale);
	f->stale_before = 0;
	f->dumps = 0;
}

void
found_begin(struct found *f, int64_t now_ms)
{
	f->asked_ms = now_ms;
	f->fresh = 0;
	f->dumps++;
}

static struct lease_target
target_of(const struct enforcer_lease *lease)
{
	return (struct lease_target){
	    .addr = lease->destination, .port = lease->port, .proto = lease->proto};
}

void
found_take(struct found *f, struct leases *leases, struct recent *recent,
    const struct enforcer_message *m)
{
	struct name name;
	int named = name_parse(m->name, strnlen(m->name, sizeof(m->name)), &name);

	for (size_t i = 0; i < m->count; i++) {
		const struct enforcer_lease *lease = &m->body.leases[i];
		struct lease_target target = target_of(lease);
		bool known = lease_find(leases, &lease->pod, &target) != NULL;

		/* what was left when the kernel was asked is no more now */
		if (named < 0 || lease->timeout_ms == 0 ||
		    lease_restore(leases, &lease->pod, &name, &target,
			f->asked_ms + lease->timeout_ms) < 0) {
			buf_append(&f->stale, lease, sizeof(*lease));
			continue;
		}
		f->fresh += !known;
		if (recent != NULL)
			recent_note(
			    recent, &lease->pod, &lease->destination, &name, f->asked_ms);
	}
}

size_t
found_stale(const struct found *f)
{
	return f->stale.len / sizeof(struct enforcer_lease);
}

/* All before renew is the key: see daemon/enforcer/element.c. */
static int
compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct enforcer_lease, renew));
}

/* What several dumps had is there once. */
static void
merge_stale(struct found *f)
{
	struct enforcer_lease *list = (void *)f->stale.bytes;
	const size_t count = found_stale(f);
	size_t len = 0;

	if (count == 0)
		return;
	qsort(list, count, sizeof(*list), compare_keys);
	for (size_t i = 0; i < count; i++)
		if (len == 0 || compare_keys(&list[len - 1], &list[i]) != 0)
			list[len++] = list[i];
	f->stale.len = len * sizeof(*list);
}

bool
found_wants_more(struct found *f)
{
	merge_stale(f);
	f->fresh += found_stale(f) - f->stale_before;
	f->stale_before = found_stale(f);
	return (f->dumps < 2 || f->fresh > 0) && found_may_repeat(f);
}

bool
found_may_repeat(const struct found *f)
{
	return f->dumps < FOUND_DUMPS_MAX;
}

void
found_revoke(const struct found *f, const struct leases *leases, struct change *c)
{
	const struct enforcer_lease *list = (const void *)f->stale.bytes;

	for (size_t i = 0; i < found_stale(f); i++) {
		struct lease_target target = target_of(&list[i]);

		if (lease_find(leases, &list[i].pod, &target) == NULL)
			change_revoke(c, &list[i].pod, &target);
	}
}
