/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: the least that any server of DNS must do for a query over UDP. Every query
 * goes back as it came, marked as a reply.
 */
#include <stdio.h>

#include "tests/bench/batch.h"

#define HEADER_LEN 12 /* RFC 1035 section 4.1.1 */
#define FLAG_QR 0x80  /* in byte 2 */

static size_t
echo(uint8_t *packet, size_t len)
{
	if (len < HEADER_LEN)
		return 0;
	packet[2] |= FLAG_QR;
	return len;
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: echo ADDRESS\n");
		return 2;
	}
	return batch_serve(argv[1], echo);
}
