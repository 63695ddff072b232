/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A control socket whose loop a test turns by hand, and whose clock it puts forward.
 */
#ifndef TESTS_UNIT_CONTROL_BED_H
#define TESTS_UNIT_CONTROL_BED_H

#include "tests/unit/unit.h"

#include <stdbool.h>

#include <event2/event.h>

#include "daemon/control/control.h"
#include "tests/unit/fake_clock.h"

#define LARGE ((size_t)8 * 1024 * 1024) /* what the answer to "large" begins with */

struct bed {
	struct event_base *base;
	struct control *control;
	char path[100];
	unsigned asked;
	size_t word_count;
	char words[CONTROL_WORDS_MAX][CONTROL_REQUEST_MAX];
	char reply[4096];
};

extern struct bed bed;

/*
 * The daemon's side. "refuse" and "fail" are errors, "burst" does not fit, "large" is
 * large, "silent" says nothing, everything else is answered with "hello".
 */
int control_bed_answer(void *ctx, size_t word_count, char **words, struct buf *out);

int set_up(void **state);
int tear_down(void **state);

/* Run the loop so many times. */
void turn(unsigned times);
/* A client of the bed, non-blocking. */
int connect_client(void);
void send_text(int fd, const char *text);
/* Everything up to the end of the stream, which must come. */
const char *reply_of(int fd);
/* Send a text, and what is answered. */
const char *ask(const char *text);
bool is_closed(int fd);

#endif
