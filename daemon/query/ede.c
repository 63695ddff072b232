/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/ede.h"

const struct reply_ede ede_none = {.code = EDE_NONE};
const struct reply_ede ede_blocked = {
    .code = EDE_BLOCKED, .text = "not in the egress registry: list it in a ServiceEntry"};
const struct reply_ede ede_forbidden = {
    .code = EDE_BLOCKED, .text = "an external name must not lead to an internal address"};
const struct reply_ede ede_family = {
    .code = EDE_OTHER, .text = "this pod has no known address of that family"};
const struct reply_ede ede_prohibited = {
    .code = EDE_PROHIBITED, .text = "not a pod of this node"};
const struct reply_ede ede_not_ready = {.code = EDE_NOT_READY};
const struct reply_ede ede_busy = {
    .code = EDE_OTHER, .text = "too many lookups under way"};
const struct reply_ede ede_commit = {
    .code = EDE_OTHER, .text = "the kernel did not take the address in time"};
const struct reply_ede ede_limit = {
    .code = EDE_OTHER, .text = "a limit on addresses is reached"};
const struct reply_ede ede_wildcard = {
    .code = EDE_OTHER, .text = "too many names under a wildcard within a minute"};
const struct reply_ede ede_silent = {.code = EDE_NO_REACHABLE_AUTHORITY};
const struct reply_ede ede_network = {.code = EDE_NETWORK_ERROR};

static const struct reply_ede ede_stale = {.code = EDE_STALE};
static const struct reply_ede ede_stale_nxdomain = {.code = EDE_STALE_NXDOMAIN};

const struct reply_ede *
ede_of_answer(const struct answer *a, uint64_t keep, bool old)
{
	if (a->address_count > 0 && keep == 0)
		return &ede_forbidden;
	if (!old)
		return &ede_none;
	return a->rcode == RCODE_NXDOMAIN ? &ede_stale_nxdomain : &ede_stale;
}
