/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Kubernetes EndpointSlice: a part of the addresses behind a Service.
 *
 * Checked by Kubernetes' own rules for the fields that are read. All lies in the reader's
 * memory.
 */
#ifndef POLICY_OBJECT_ENDPOINT_SLICE_H
#define POLICY_OBJECT_ENDPOINT_SLICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "policy/object/manifest.h"
#include "policy/object/service_port.h"

#define SLICE_SERVICE_LABEL "kubernetes.io/service-name"
#define SLICE_ENDPOINTS_MAX 1000
#define SLICE_ADDRESSES_MAX 100

struct slice_endpoint {
	struct addr address;
	const char *hostname; /* NULL: none */
	bool ready;           /* also when nothing is said of it */
};

struct endpoint_slice {
	const char *namespace;
	const char *service; /* NULL: nobody's */
	struct service_ports ports;
	size_t endpoint_count; /* one for each address; 0 for addressType FQDN */
	struct slice_endpoint *endpoints;
	struct endpoint_slice *next; /* in the builder's list */
};

/* NULL after error findings or when memory lacks. */
struct endpoint_slice *endpoint_slice_read(struct reader *rd, const struct manifest *m);

#endif
