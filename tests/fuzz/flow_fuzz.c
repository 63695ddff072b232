/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first bytes of a refused packet, whatever a pod has sent.
 */
#include <assert.h>

#include "daemon/enforcer/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct enforcer_refused flow;

	if (flow_parse(data, size, &flow) < 0)
		return 0;
	assert(flow.source.family == (data[0] >> 4 == 4 ? AF_INET : AF_INET6));
	assert(flow.source.family == flow.destination.family);
	return 0;
}
