/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two prefixes are disjoint or one holds the other. So boxes of the same protocol and
 * port overlap only where the pods of one lie in the pods of the other. The records are
 * sorted so that a wider pod prefix comes before all that lie in it, and the destinations
 * of each pod prefix are merged into a run of sorted ranges. A run is then put out
 * without what the runs of the wider pod prefixes around it cover already.
 */
#include "daemon/enforcer/cover.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Prefixes around one another differ in length: 0 to 128. */
#define DEPTH_MAX 129

struct cover_range
cover_range(const struct prefix *p)
{
	const size_t size = addr_len(&p->addr);
	struct cover_range r = {.first = p->addr, .last = p->addr};

	for (size_t i = 0; i < size; i++) {
		const size_t bits = i * 8;

		if (bits >= p->len)
			r.last.bytes[i] = 0xff;
		else if (p->len - bits < 8)
			r.last.bytes[i] |= (uint8_t)(0xff >> (p->len - bits));
	}
	return r;
}

static int
compare(const struct addr *a, const struct addr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool
cover_next(const struct addr *a, struct addr *ret_next)
{
	struct addr next = *a;

	for (size_t i = addr_len(a); i-- > 0;)
		if (++next.bytes[i] != 0) {
			*ret_next = next;
			return true;
		}
	return false;
}

struct addr
cover_previous(const struct addr *a)
{
	struct addr previous = *a;

	for (size_t i = addr_len(a); i-- > 0;)
		if (previous.bytes[i]-- != 0)
			break;
	return previous;
}

static int
compare_ranges(const void *a, const void *b)
{
	const struct cover_range *left = a, *right = b;
	int order = compare(&left->first, &right->first);

	return order != 0 ? order : compare(&left->last, &right->last);
}

/* Append r to the sorted list, or join it to the last range there. */
static void
join(struct cover_range *list, size_t *count, const struct cover_range *r)
{
	struct cover_range *last = *count != 0 ? &list[*count - 1] : NULL;
	struct addr behind;

	if (last != NULL &&
	    (!cover_next(&last->last, &behind) || compare(&r->first, &behind) <= 0)) {
		if (compare(&r->last, &last->last) > 0)
			last->last = r->last;
		return;
	}
	list[(*count)++] = *r;
}

int
cover_ranges(const struct prefix *list, size_t count, uint8_t family,
    struct cover_range **ret_ranges, size_t *ret_count)
{
	struct cover_range *ranges = NULL;
	size_t len = 0, joined = 0;

	for (size_t i = 0; i < count; i++)
		len += list[i].addr.family == family;
	if (len != 0) {
		ranges = calloc(len, sizeof(*ranges));
		if (ranges == NULL)
			return -ENOMEM;
		len = 0;
		for (size_t i = 0; i < count; i++)
			if (list[i].addr.family == family)
				ranges[len++] = cover_range(&list[i]);
		qsort(ranges, len, sizeof(*ranges), compare_ranges);
		for (size_t i = 0; i < len; i++)
			join(ranges, &joined, &ranges[i]);
	}
	*ret_ranges = ranges;
	*ret_count = joined;
	return 0;
}

/* One record, and the order that the sweep needs. */
struct record {
	struct cover_range pods;
	struct cover_range destinations;
	uint16_t port;
	uint8_t proto;
};

static int
compare_records(const void *a, const void *b)
{
	const struct record *left = a, *right = b;
	int order = left->proto - right->proto;

	if (order == 0)
		order = left->port - right->port;
	if (order == 0)
		order = compare(&left->pods.first, &right->pods.first);
	if (order == 0) /* the wider one first */
		order = compare(&right->pods.last, &left->pods.last);
	if (order == 0)
		order = compare_ranges(&left->destinations, &right->destinations);
	return order;
}

/* The destinations of one pod prefix, protocol and port: merged ranges. */
struct run {
	struct cover_range pods;
	uint16_t port;
	uint8_t proto;
	const struct cover_range *ranges;
	size_t len;
};

static bool
run_holds(const struct run *outer, const struct record *r)
{
	return outer->proto == r->proto && outer->port == r->port &&
	       compare(&outer->pods.first, &r->pods.first) <= 0 &&
	       compare(&outer->pods.last, &r->pods.last) >= 0;
}

static bool
same_run(const struct record *a, const struct record *b)
{
	return a->proto == b->proto && a->port == b->port &&
	       compare_ranges(&a->pods, &b->pods) == 0;
}

/* The first range of a run that ends at or behind a. */
static const struct cover_range *
range_at(const struct run *run, const struct addr *a)
{
	size_t low = 0, high = run->len;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (compare(&run->ranges[middle].last, a) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < run->len ? &run->ranges[low] : NULL;
}

struct sweep {
	struct run around[DEPTH_MAX]; /* each holds the next */
	size_t depth;
	struct cover_box *boxes;
	size_t len, size;
};

static int
put_box(struct sweep *s, const struct run *run, const struct cover_range *destinations)
{
	const size_t size = s->size != 0 ? s->size * 2 : 64;
	struct cover_box *boxes;

	if (s->len == s->size) {
		boxes = reallocarray(s->boxes, size, sizeof(*boxes));
		if (boxes == NULL)
			return -ENOMEM;
		s->boxes = boxes;
		s->size = size;
	}
	s->boxes[s->len++] = (struct cover_box){
	    .pods = run->pods,
	    .destinations = *destinations,
	    .port = run->port,
	    .proto = run->proto,
	};
	return 0;
}

/* Of the runs around: the range that covers a, or else the nearest one behind a. */
static const struct cover_range *
nearest(const struct sweep *s, const struct addr *a)
{
	const struct cover_range *best = NULL;

	for (size_t i = 0; i < s->depth; i++) {
		const struct cover_range *r = range_at(&s->around[i], a);

		if (r != NULL && (best == NULL || compare(&r->first, &best->first) < 0))
			best = r;
	}
	return best;
}

/* Put out what of destinations no run around covers. */
static int
put_uncovered(
    struct sweep *s, const struct run *run, const struct cover_range *destinations)
{
	struct cover_range left = *destinations;
	const struct cover_range *taken;
	struct cover_range piece;
	int r;

	while ((taken = nearest(s, &left.first)) != NULL &&
	       compare(&taken->first, &left.last) <= 0) {
		if (compare(&taken->first, &left.first) > 0) {
			piece = (struct cover_range){
			    .first = left.first,
			    .last = cover_previous(&taken->first),
			};
			r = put_box(s, run, &piece);
			if (r < 0)
				return r;
		}
		if (compare(&taken->last, &left.last) >= 0 ||
		    !cover_next(&taken->last, &left.first))
			return 0;
	}
	return put_box(s, run, &left);
}

/* Sorted records to boxes; ranges has room for one range a record. */
static int
sweep_records(struct sweep *s, const struct record *records, size_t count,
    struct cover_range *ranges)
{
	size_t end;
	int r;

	for (size_t i = 0; i < count; i = end) {
		struct run run = {
		    .pods = records[i].pods,
		    .port = records[i].port,
		    .proto = records[i].proto,
		    .ranges = ranges + i,
		};

		for (end = i; end < count && same_run(&records[i], &records[end]); end++)
			join(ranges + i, &run.len, &records[end].destinations);
		while (s->depth != 0 && !run_holds(&s->around[s->depth - 1], &records[i]))
			s->depth--;
		for (size_t j = 0; j < run.len; j++) {
			r = put_uncovered(s, &run, &run.ranges[j]);
			if (r < 0)
				return r;
		}
		if (s->depth ==
		    DEPTH_MAX) /* prefixes with host bits: not ours to accept */
			return -EINVAL;
		s->around[s->depth++] = run;
	}
	return 0;
}

static size_t
make_records(const struct enforcer_fixed *list, size_t count, uint8_t family,
    struct record *records)
{
	struct prefix pods;
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		if (list[i].destination.addr.family != family)
			continue;
		pods = list[i].pods;
		pods.addr.family = family;
		records[len++] = (struct record){
		    .pods = cover_range(&pods),
		    .destinations = cover_range(&list[i].destination),
		    .port = list[i].port,
		    .proto = list[i].proto,
		};
	}
	return len;
}

int
cover_boxes(const struct enforcer_fixed *list, size_t count, uint8_t family,
    struct cover_box **ret_boxes, size_t *ret_count)
{
	struct record *records = calloc(count + 1, sizeof(*records));
	struct cover_range *ranges = calloc(count + 1, sizeof(*ranges));
	struct sweep *s = calloc(1, sizeof(*s));
	int r = -ENOMEM;

	if (records != NULL && ranges != NULL && s != NULL) {
		count = make_records(list, count, family, records);
		qsort(records, count, sizeof(*records), compare_records);
		r = sweep_records(s, records, count, ranges);
	}
	if (r == 0) {
		*ret_boxes = s->boxes;
		*ret_count = s->len;
	} else if (s != NULL) {
		free(s->boxes);
	}
	free(s);
	free(ranges);
	free(records);
	return r;
}
