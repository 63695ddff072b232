/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/lease/commit_message.h"

#include <string.h>

bool
commit_message(struct enforcer_message *m, const struct commit_request *request,
    struct leases *leases, int64_t now_ms)
{
	char text[NAME_TEXT_MAX];
	bool leads = false;

	*m = (struct enforcer_message){
	    .kind = ENFORCER_LEASES, .count = (uint16_t)request->len};
	name_format(request->name, text);
	memcpy(m->name, text, strnlen(text, sizeof(m->name) - 1));
	for (size_t i = 0; i < request->len; i++) {
		struct lease *lease = request->leases[i];

		m->body.leases[i] = (struct enforcer_lease){
		    .pod = lease->pod->addr,
		    .destination = lease->target.addr,
		    .port = lease->target.port,
		    .proto = lease->target.proto,
		    .renew = request->renew[i],
		    .to = lease->target.to,
		    .timeout_ms =
			lease_ask(leases, lease, now_ms, now_ms + request->timeout_ms),
		};
		leads |= lease->target.to != 0;
	}
	return leads;
}
