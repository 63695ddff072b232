/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Port, bind address and capture mode of a Sidecar's listener, egress or ingress.
 */
#ifndef POLICY_OBJECT_SIDECAR_PORT_H
#define POLICY_OBJECT_SIDECAR_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/yaml/reader.h"

struct sidecar_port {
	uint16_t number; /* 0: a unix socket's */
	bool http_proxy;
};

/* Of listener, which has a port; way is "egress" or "ingress", and only egress has unix
 * sockets. False after error findings. */
bool sidecar_port_read(struct reader *rd, const struct node *listener, const char *way,
    struct sidecar_port *ret_port);

/* An error for each port number, and each unix socket, that an earlier listener has. */
void sidecar_port_check(struct reader *rd, const struct node *listeners);

#endif
