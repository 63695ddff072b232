/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries, Sidecars and pods as texts, in few words.
 */
#ifndef TESTS_UNIT_MESH_TEXT_H
#define TESTS_UNIT_MESH_TEXT_H

#define IN_A "10.0.0.1"
#define IN_B "10.0.0.2"
#define IN_C "10.0.0.3"

#define AGE(time) ", creationTimestamp: '" time "T00:00:00Z'"

#define P443 "ports: [{number: 443, name: https, protocol: HTTPS}]"
#define P80 "ports: [{number: 80, name: http, protocol: HTTP}]"
#define P80_443                                                                          \
	"ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: https, "  \
	"protocol: HTTPS}]"
#define SE(ns, name, more, hosts, spec)                                                  \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "        \
	"{name: " name ", namespace: " ns more                                           \
	"}\nspec: {resolution: NONE, hosts: " hosts ", " spec "}\n"

#define POLICY "outboundTrafficPolicy: {}"
#define SIDECAR(ns, name, more, spec)                                                    \
	"---\napiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: " name \
	", namespace: " ns more "}\nspec: {" spec "}\n"

#define POD(ns, name, ip, more)                                                          \
	"---\napiVersion: v1\nkind: Pod\nmetadata: {name: " name ", namespace: " ns more \
	"}\nstatus: {podIP: " ip ", phase: Running}\n"
#define POD_A POD("a", "pa", IN_A, ", labels: {app: web, tier: front}")
#define POD_B POD("b", "pb", IN_B, "")

#endif
