/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Kubernetes Service, as far as names, addresses and ports of it go.
 *
 * Checked by Kubernetes' own rules for the fields that are read. All lies in the reader's
 * memory.
 */
#ifndef POLICY_OBJECT_SERVICE_H
#define POLICY_OBJECT_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "policy/object/export.h"
#include "policy/object/manifest.h"
#include "policy/object/service_port.h"

#define SERVICE_ADDRESSES_MAX 2 /* of clusterIPs: one a family */
#define SERVICE_EXPORT_ANNOTATION "networking.istio.io/exportTo"

enum service_kind {
	SERVICE_CLUSTER_IP, /* NodePort and LoadBalancer have one too */
	SERVICE_HEADLESS,   /* its endpoints' addresses are its own */
	SERVICE_EXTERNAL_NAME,
};

struct service {
	struct registry_source source;
	unsigned column;
	int64_t created;
	enum service_kind kind;
	size_t address_count; /* 0 where the cluster has not given it one yet */
	struct addr addresses[SERVICE_ADDRESSES_MAX];
	struct service_ports ports;
	bool not_ready_too;        /* publishNotReadyAddresses */
	const char *external_name; /* SERVICE_EXTERNAL_NAME */
	struct export export;
	struct service *next; /* in the builder's list */
};

/* NULL after error findings or when memory lacks. */
struct service *service_read(struct reader *rd, const struct manifest *m);

#endif
