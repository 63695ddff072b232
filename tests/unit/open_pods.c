/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/open_pods.h"

#include "policy/image.h"

void
open_pods_set(struct registry *r, const struct addr *open, size_t count)
{
	r->open = open;
	r->open_count = count;
}
