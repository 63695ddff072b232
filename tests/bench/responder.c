/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The benchmark's upstream: knows every name. An A question gets one address, made of the
 * number in the name's first label, so that names with different numbers have different
 * addresses; everything else gets no records.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/bench/batch.h"

/* RFC 1035 sections 4.1.1 to 4.1.3 */
#define HEADER_LEN 12
#define TYPE_A 1
#define FIXED_LEN 4   /* of a question behind its name */
#define RECORD_LEN 16 /* of an A record whose name is a pointer */

/* 172.16.0.0/12, RFC 1918: nobody's, and large enough for one address a name. */
#define RANGE 0xac100000U
#define RANGE_LEN 0x100000U

/* The question's end, 0 when it has none that we can read; its name's number and type. */
static size_t
question_end(const uint8_t *packet, size_t len, uint32_t *ret_number, uint16_t *ret_type)
{
	size_t at = HEADER_LEN;
	uint32_t number = 0;

	if (len < HEADER_LEN + 1)
		return 0;
	for (size_t i = 1; i <= packet[at] && at + i < len; i++)
		if (packet[at + i] >= '0' && packet[at + i] <= '9')
			number = number * 10 + (packet[at + i] - (uint8_t)'0');
	while (at < len && packet[at] != 0)
		at += 1 + (size_t)packet[at];
	at += 1 + FIXED_LEN;
	if (at > len)
		return 0;
	*ret_number = number % RANGE_LEN;
	*ret_type = (uint16_t)(packet[at - 4] << 8 | packet[at - 3]);
	return at;
}

/* At the question's end; an hour to live, longer than any run. */
static void
record_put(uint8_t *at, uint32_t number)
{
	uint32_t address = RANGE + number;
	const uint8_t record[RECORD_LEN] = {0xc0, HEADER_LEN, 0, TYPE_A, 0, 1, 0, 0, 0x0e,
	    0x10, 0, 4, (uint8_t)(address >> 24), (uint8_t)(address >> 16),
	    (uint8_t)(address >> 8), (uint8_t)address};

	memcpy(at, record, sizeof(record));
}

static size_t
answer(uint8_t *packet, size_t len)
{
	uint32_t number;
	uint16_t type;
	size_t end = question_end(packet, len, &number, &type);

	if (end == 0 || end + RECORD_LEN > BATCH_PACKET_MAX)
		return 0;
	bool found = type == TYPE_A;
	/* QR, RD as asked, RA; one question, nothing else but our answer: no OPT. */
	packet[2] = (uint8_t)(0x80 | (packet[2] & 1));
	packet[3] = 0x80;
	memset(packet + 4, 0, HEADER_LEN - 4);
	packet[5] = 1;
	packet[7] = found;
	if (found)
		record_put(packet + end, number);
	return end + (found ? RECORD_LEN : 0);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: responder ADDRESS\n");
		return 2;
	}
	return batch_serve(argv[1], answer);
}
