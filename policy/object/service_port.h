/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ports of a Kubernetes Service or EndpointSlice.
 */
#ifndef POLICY_OBJECT_SERVICE_PORT_H
#define POLICY_OBJECT_SERVICE_PORT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/object/service_entry.h"
#include "policy/yaml/reader.h"

#define SERVICE_PORTS_MAX 256

struct service_ports {
	size_t count;
	struct entry_port *list;
};

/*
 * Of list, into the reader's memory; what Kubernetes would refuse is an error finding.
 * SCTP is left out with a note. number_needed: a Service's ports have one; a port of a
 * slice without a number stands for all, and opens none.
 */
void service_port_read(struct reader *rd, const struct node *list, bool number_needed,
    struct service_ports *ret_ports);

#endif
