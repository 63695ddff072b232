/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A committer on a pair whose other end is the test's: an enforcer that says what the
 * test wants.
 */
#ifndef TESTS_UNIT_COMMIT_BED_H
#define TESTS_UNIT_COMMIT_BED_H

#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/enforcer/pair.h"
#include "daemon/lease/change.h"
#include "daemon/lease/commit.h"

struct fixture {
	struct event_base *base;
	int enforcer;
	struct pair_inbox inbox; /* what came there */
	struct pods pods;
	struct leases *leases;
	struct committer *committer;
	struct addr pod;
	struct name name;
	int lost, dead, dumped, changed;
	int change_result;
};

struct told {
	struct commit_waiter waiter;
	int times;
	int result;
};

extern int64_t fake_now;

int64_t now_ms(void);
/* Let the loop do all that it can do now. */
void commit_turn(struct fixture *f);
/* The next message to the enforcer; its length, or 0 when there is none. */
size_t next(struct fixture *f, struct enforcer_message *m);
void answer(struct fixture *f, uint32_t id, int result);
void change(struct fixture *f);
/* Of a change or a dump; ctx is the fixture. */
void on_changed(void *ctx, int result);
/* Make the table stand. */
void make_ready(struct fixture *f);
int commit_set_up(void **state);
int commit_tear_down(void **state);
struct lease_target target(uint8_t host);
int commit_for(struct fixture *f, uint8_t host, uint32_t timeout_ms, struct told *told);
int commit(struct fixture *f, uint8_t host, struct told *told);
/* A commit, as the enforcer sees it. */
void send_one(
    struct fixture *f, uint8_t host, struct told *told, struct enforcer_message *m);
bool covered(struct fixture *f, uint8_t host);

#endif
