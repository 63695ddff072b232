/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/strain.h"

#include <string.h>

#define NEAR_PERCENT 80

void
strain_clear(struct strain *s)
{
	memset(s->near, 0, sizeof(s->near));
	memset(s->reached, 0, sizeof(s->reached));
}

void
strain_grow(struct strain *s, enum strain_limit limit, size_t used, size_t most)
{
	s->near[limit] |= (uint64_t)used * 100 >= (uint64_t)most * NEAR_PERCENT;
}

bool
strain_refuses(struct strain *s, enum strain_limit limit, size_t used, size_t most)
{
	if (used < most)
		return false;
	s->reached[limit] = true;
	s->refused[limit]++;
	return true;
}

const char *
strain_option(enum strain_limit limit)
{
	switch (limit) {
	case STRAIN_NAME:
		return "lease.perName";
	case STRAIN_POD:
		return "lease.perPod";
	case STRAIN_SIZE:
		return "lease.size";
	case STRAIN_LIMITS:
		break;
	}
	return "";
}
