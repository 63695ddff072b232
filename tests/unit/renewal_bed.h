/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renewal on a pair whose other end is the test's: an enforcer that finds the flows that
 * the test wants. Pods are 10.NET.0.HOST, and of 10.244.0.0/16; time stands still unless
 * a test moves it, but for the wait until the next question.
 */
#ifndef TESTS_UNIT_RENEWAL_BED_H
#define TESTS_UNIT_RENEWAL_BED_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/enforcer/alive.h"
#include "daemon/enforcer/pair.h"
#include "daemon/lease/renewal.h"
#include "tests/unit/built.h"

/* Without grace: a question each 250 ms, about what ends within 1,000 ms. */
#define WINDOW_MS 1000
#define FLOOR_S 30

struct fixture {
	struct event_base *base;
	int enforcer;
	struct pair_inbox inbox; /* what came there */
	struct pods pods;
	struct leases *leases;
	struct committer *committer;
	struct config config;
	const struct config *now_config;
	struct built both, one; /* a and b; a alone */
	const struct registry *registry;
	struct renewal *renewal;
	struct enforcer_message m; /* the newest to the enforcer */
	struct enforcer_live asked[ALIVE_MAX + 1];
	size_t asked_count;
	int dead;
	int64_t now_ms;
};

/* The registry holds a.test and b.test. */
int renewal_set_up(void **state);
int renewal_set_up_begun(void **state);
/* As renewal_new. */
int renewal_begin(struct fixture *f);
int renewal_tear_down(void **state);

/* The kind of the next message to the enforcer, which is in m; 0: there is none. */
int renewal_next(struct fixture *f);
void renewal_answer(struct fixture *f, uint32_t id, int result);

struct addr renewal_pod(uint8_t net, uint8_t host);
struct lease_target renewal_target(uint16_t host);
/* The kernel holds a lease of this pod, or of 10.244.0.2, to 198.51.HOST. */
void renewal_hold_for(
    struct fixture *f, struct addr who, const char *text, uint16_t host, int64_t left_ms);
void renewal_hold(struct fixture *f, const char *text, uint16_t host, int64_t left_ms);
int64_t renewal_left_ms(struct fixture *f, uint16_t host);

/* Wait until a whole question has been asked: how many leases it is about. */
size_t renewal_question(struct fixture *f);
bool renewal_is_asked(const struct fixture *f, uint16_t host);
/* The time of one question and a half goes by: is there none? */
bool renewal_is_silent(struct fixture *f);
/* Those of the question from first on have living flows; and so the question ends. */
void renewal_tell_live(
    struct fixture *f, size_t first, size_t count, int result, uint32_t cost_us);

#endif
