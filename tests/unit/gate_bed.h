/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gate on a pair whose other end is the test's: an enforcer that says what the test
 * wants.
 */
#ifndef TESTS_UNIT_GATE_BED_H
#define TESTS_UNIT_GATE_BED_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/enforcer/pair.h"
#include "daemon/lease/gate.h"
#include "tests/unit/built.h"

struct fixture {
	struct event_base *base;
	struct gate *gate;
	struct pods pods;
	struct recent *recent;
	struct config config, other_config;
	struct built both, one; /* a and b; a alone */
	bool foresees;          /* each switch is with a forecast */
	int enforcer;
	struct pair_inbox inbox; /* what came there */
	int lost, restored, dead, told, refused;
	uint32_t flows; /* cut, as the enforcer has told */
	struct gate_outcome outcome;
	/* what the enforcer was told since the last look */
	size_t tables, revokes, leases;
	uint32_t longest_ms;
	struct enforcer_table table;
	struct addr open[4];
	size_t open_count;
	size_t cuts;
	char revoked[ADDR_TEXT_MAX];
};

/* For gate_start. */
void bed_on_told(void *ctx, const struct gate_outcome *outcome);
void bed_turn(struct fixture *f);
int bed_set_up(void **state);
int bed_set_up_foreseen(void **state);
int bed_tear_down(void **state);
void bed_say(struct fixture *f, struct enforcer_message m);
void bed_answer(struct fixture *f, uint32_t id, int result);
/* As next, which must be this kind. */
uint32_t bed_expect(struct fixture *f, enum enforcer_kind kind);
/* The kernel holds a lease of 10.244.0.2 for 198.51.100.host. */
void bed_dump_one(
    struct fixture *f, uint32_t id, const char *name, uint8_t host, uint32_t timeout_ms);
/* The dump ends, and so does one without anything new, which is asked for then. */
void bed_dumped(struct fixture *f, uint32_t id);
/* Bring the table up with a.test at .1 and b.test at .2. */
void bed_start(struct fixture *f);
/* The same, and the enforcer says that the table is lost. */
void bed_lose(struct fixture *f);
int bed_switch_to_one(struct fixture *f);
int bed_switch_unforeseen(struct fixture *f);
/* As the enforcer makes a table again after a loss: look, then write. */
void bed_repair(struct fixture *f);
/* Until the timer of the next repair has run. */
void bed_wait_for_repair(struct fixture *f);
bool bed_covers(struct fixture *f, const char *text, uint8_t host, int64_t until_ms);

int64_t bed_now(void);
void bed_pass(int64_t ms);

/* Both ways: all is judged by the switch, and what it leaves to do after a forecast. */
#define TEST(name)                                                                       \
	cmocka_unit_test_setup_teardown(name, bed_set_up, bed_tear_down),                \
	{                                                                                \
#name "_foreseen", name, bed_set_up_foreseen, bed_tear_down, NULL        \
	}

#endif
