/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How near the limits of the leases are: which of them the last writing down came to, or
 * came near to, and how often each has refused a lease. The owner clears it before it
 * looks. Never fails.
 */
#ifndef DAEMON_LEASE_STRAIN_H
#define DAEMON_LEASE_STRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum strain_limit {
	STRAIN_NAME, /* leases of one pod by one name */
	STRAIN_POD,  /* leases of one pod */
	STRAIN_SIZE, /* leases in all */
	STRAIN_LIMITS,
};

struct strain {
	bool near[STRAIN_LIMITS];    /* four fifths are used */
	bool reached[STRAIN_LIMITS]; /* one has been refused */
	uint64_t refused[STRAIN_LIMITS];
};

static inline bool
strain_is_near(const struct strain *s)
{
	return s->near[STRAIN_NAME] || s->near[STRAIN_POD] || s->near[STRAIN_SIZE];
}

/* Forget what was near and what was reached; the counts stay. */
void strain_clear(struct strain *s);
/* One more is written down: so many are used now. */
void strain_grow(struct strain *s, enum strain_limit limit, size_t used, size_t most);
/* Are as many used as there may be? Then one is refused. */
bool strain_refuses(struct strain *s, enum strain_limit limit, size_t used, size_t most);
/* The configuration's name of it. */
const char *strain_option(enum strain_limit limit);

#endif
