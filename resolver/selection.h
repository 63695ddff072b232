/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which records of an upstream's reply answer its question: the aliases that lead away
 * from it, in order, and what stands at their end. Nothing else in the reply counts,
 * whoever sent it.
 *
 * A struct selection is a value; it borrows the message, and refers to records by where
 * they begin in it. Nothing is allocated, and nothing here needs ldns.
 */
#ifndef RESOLVER_SELECTION_H
#define RESOLVER_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"
#include "base/name.h"
#include "resolver/answer.h"
#include "resolver/wire.h"

struct selection {
	const uint8_t *msg;
	size_t len;
	uint16_t type;
	uint16_t counts[4]; /* the reply's, as in its header */
	size_t start;       /* of the answer section */
	uint8_t rcode;
	uint32_t ttl_s; /* the lowest of all that was selected, within the limits */
	size_t links;
	struct name names[ANSWER_CHAIN_MAX + 1]; /* the question's, then each target */
	size_t address_count;
	struct addr addresses[ANSWER_ADDRESSES_MAX]; /* when the type is A or AAAA */
	size_t record_count;
	uint16_t records[ANSWER_RECORDS_MAX]; /* when it is another: where they begin */
	uint16_t soa;                         /* likewise; 0 for none */
};

/* msg has passed wire_check. 0, or -EBADMSG, -ELOOP, -EMSGSIZE, -EREMOTEIO as
 * answer_examine has them. */
MUST_CHECK int selection_make(const uint8_t *msg, size_t len, const struct name *name,
    uint16_t type, struct selection *ret_selection);

/* Is there no record of the type at the chain's end? */
bool selection_is_negative(const struct selection *s);
/* The record that begins at pos. */
void selection_record(
    const struct selection *s, size_t pos, struct wire_record *ret_record);

#endif
