/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of some leases have living flows: the loop asks before they end
 * (daemon/lease/renewal.h), and conntrack knows.
 *
 * The question comes in parts. At its end a child is forked that takes one look at
 * every flow (daemon/enforcer/look.h), so that neither commits nor anything else waits
 * for it. What it finds is said as it comes, and at the end that it was the end. The
 * child has nothing of ours but its copy of the question: no table, no pair to the
 * loop; it ends with us.
 *
 * At most ALIVE_MAX leases are in a question. One that is above that, or refused, or for
 * which there is no process, is answered by a failure. One question at a time: another
 * one meanwhile is no question.
 */
#ifndef DAEMON_ENFORCER_ALIVE_H
#define DAEMON_ENFORCER_ALIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/macros.h"
#include "daemon/enforcer/enforcer.h"

#define ALIVE_MAX 16384

/* m is valid for the call. */
typedef void (*alive_say_fn)(void *ctx, const struct enforcer_message *m);

struct alive {
	alive_say_fn say;
	void *ctx;
	struct buf asked; /* struct enforcer_live */
	int refused; /* what is wrong with the question so far, 0 or negative errno */
	pid_t child; /* 0: none */
	int fd;      /* from it; -1: none */
	struct enforcer_message last; /* the end, with how it went */
	struct enforcer_message in;
};

void alive_init(struct alive *a, alive_say_fn say, void *ctx);
/* Ends the child. */
void alive_done(struct alive *a);

/* A part of a question, its records within bounds or refused; without records: its end.
 * -EPROTO: one is being answered. */
MUST_CHECK int alive_ask(struct alive *a, const struct enforcer_message *m, int refused);

/* When this becomes readable, call alive_work; -1: not now. */
int alive_fd(const struct alive *a);
void alive_work(struct alive *a);

#endif
