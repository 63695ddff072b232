/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/contents.h"

#include <stdlib.h>

#include "daemon/enforcer/cover.h"
#include "daemon/enforcer/element.h"

static int
put_family(struct netlink *nl, const struct ruleset *rs, uint8_t family)
{
	struct cover_range *pods = NULL, *internal = NULL;
	struct cover_box *fixed = NULL;
	size_t pod_count = 0, internal_count = 0, fixed_count = 0;
	int r;

	r = cover_ranges(rs->pods, rs->pod_count, family, &pods, &pod_count);
	if (r == 0)
		r = cover_ranges(
		    rs->internal, rs->internal_count, family, &internal, &internal_count);
	if (r == 0)
		r = cover_boxes(rs->fixed, rs->fixed_count, family, &fixed, &fixed_count);
	if (r == 0) {
		element_put_ranges(
		    nl, layout_set(family, "pods4", "pods6"), pods, pod_count);
		element_put_ranges(nl, layout_set(family, "internal4", "internal6"),
		    internal, internal_count);
		element_put_boxes(
		    nl, layout_set(family, "fixed4", "fixed6"), fixed, fixed_count);
		element_put_addresses(nl, layout_set(family, "open4", "open6"), family,
		    rs->open, rs->open_count);
		element_put_endpoints(nl, layout_set(family, "listen4", "listen6"),
		    family, rs->listen, rs->listen_count);
	}
	free(pods);
	free(internal);
	free(fixed);
	return r;
}

int
contents_put(struct netlink *nl, const struct ruleset *rs)
{
	int r = put_family(nl, rs, AF_INET);

	return r < 0 ? r : put_family(nl, rs, AF_INET6);
}
