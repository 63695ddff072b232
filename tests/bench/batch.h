/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A UDP server that does nothing but receive and send in batches: what the benchmark's
 * programs share.
 */
#ifndef TESTS_BENCH_BATCH_H
#define TESTS_BENCH_BATCH_H

#include <stddef.h>
#include <stdint.h>

#define BATCH_PACKET_MAX 512

/* Turns the query of len bytes into its reply, in place; returns the reply's length, at
 * most BATCH_PACKET_MAX, or 0 for none. */
typedef size_t (*batch_reply_fn)(uint8_t *packet, size_t len);

/* Serves port 53 of the IPv4 address until something fails, which it reports; 1, for the
 * program to exit with. */
int batch_serve(const char *address, batch_reply_fn reply);

#endif
