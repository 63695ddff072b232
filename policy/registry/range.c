/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/range.h"

#include <string.h>

#define V4(a, b, c, d, length)                                                           \
	{                                                                                \
		{AF_INET, {a, b, c, d}}, length                                          \
	}
#define V6(length, ...)                                                                  \
	{                                                                                \
		{AF_INET6, {__VA_ARGS__}}, length                                        \
	}

/* IANA's special-purpose registries (RFC 6890) as far as they cannot be a public service,
 * without the documentation ranges, which nobody routes anyway. The first that holds the
 * address, or the IPv4 one in it, decides. */
static const struct {
	struct prefix prefix;
	enum range_kind kind;
} ranges[] = {
    /* mapped, RFC 4291: a packet to one leaves as IPv4, and no lease is for that */
    {V6(96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), RANGE_NEVER},
    {V4(0, 0, 0, 0, 8), RANGE_NEVER},        /* this network, RFC 791 */
    {V4(10, 0, 0, 0, 8), RANGE_PRIVATE},     /* RFC 1918 */
    {V4(100, 64, 0, 0, 10), RANGE_PRIVATE},  /* carriers' NAT, RFC 6598 */
    {V4(127, 0, 0, 0, 8), RANGE_NEVER},      /* loopback, RFC 1122 */
    {V4(169, 254, 0, 0, 16), RANGE_NEVER},   /* link-local, RFC 3927; 169.254.169.254 */
    {V4(172, 16, 0, 0, 12), RANGE_PRIVATE},  /* RFC 1918 */
    {V4(192, 0, 0, 0, 24), RANGE_NEVER},     /* protocol assignments, RFC 6890 */
    {V4(192, 168, 0, 0, 16), RANGE_PRIVATE}, /* RFC 1918 */
    {V4(198, 18, 0, 0, 15), RANGE_NEVER},    /* benchmarks, RFC 2544 */
    {V4(224, 0, 0, 0, 4), RANGE_NEVER},      /* multicast, RFC 5771 */
    {V4(240, 0, 0, 0, 4), RANGE_NEVER},      /* reserved and broadcast, RFC 1112 */
    {V6(96, 0), RANGE_NEVER},                /* ::, ::1, IPv4-compatible, RFC 4291 */
    {V6(64, 0x01), RANGE_NEVER},             /* discard only, RFC 6666 */
    {V6(16, 0x5f), RANGE_NEVER},             /* segment identifiers, RFC 9602 */
    /* local NAT64, RFC 8215: what lies behind is the network's own secret */
    {V6(48, 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01), RANGE_NEVER},
    {V6(32, 0x20, 0x01), RANGE_NEVER}, /* Teredo, RFC 4380 */
    {V6(128, 0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54),
	RANGE_NEVER},                    /* fd00:ec2::254, metadata */
    {V6(7, 0xfc), RANGE_PRIVATE},        /* RFC 4193 */
    {V6(10, 0xfe, 0x80), RANGE_NEVER},   /* link-local, RFC 4291 */
    {V6(10, 0xfe, 0xc0), RANGE_PRIVATE}, /* site-local, RFC 3879 */
    {V6(8, 0xff), RANGE_NEVER},          /* multicast, RFC 4291 */
};

static const struct {
	struct prefix prefix;
	size_t offset; /* of the IPv4 address */
} wrappers[] = {
    {V6(96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), 12}, /* mapped, RFC 4291 */
    {V6(96, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff), 12},       /* translated, RFC 2765 */
    {V6(96, 0x00, 0x64, 0xff, 0x9b), 12},                   /* NAT64, RFC 6052 */
    {V6(16, 0x20, 0x02), 2},                                /* 6to4, RFC 3056 */
};

static const struct addr metadata[] = {
    {AF_INET, {169, 254, 169, 254}},
    {AF_INET6, {0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}},
};

struct addr
range_unwrap(const struct addr *a)
{
	if (a->family != AF_INET6)
		return *a;
	for (size_t i = 0; i < ARRAY_LEN(wrappers); i++)
		if (prefix_contains(&wrappers[i].prefix, a))
			return addr_make(AF_INET, a->bytes + wrappers[i].offset);
	return *a;
}

enum range_kind
range_of(const struct addr *a)
{
	struct addr inner = range_unwrap(a);
	bool wrapped = inner.family != a->family;

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (prefix_contains(&ranges[i].prefix, a) ||
		    (wrapped && prefix_contains(&ranges[i].prefix, &inner)))
			return ranges[i].kind;
	return RANGE_PUBLIC;
}

bool
range_covers_metadata(const struct prefix *p)
{
	for (size_t i = 0; i < ARRAY_LEN(metadata); i++)
		if (prefix_contains(p, &metadata[i]))
			return true;
	return false;
}
