/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon: everything put together, from the start to the end.
 *
 * start     load configuration and registry, open the sockets, fork the enforcer, give up
 * all capabilities,
 *           bring the table up, then begin to read queries
 * reload    on SIGHUP: load beside, switch in one transaction, or keep everything stop
 * on SIGTERM and SIGINT: leave what is not read to the next one, finish what is, go; the
 * table stays
 *
 * When the enforcer ends, so does the daemon, and the other way round: the service
 * manager starts both again, and the table denies meanwhile.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/macros.h"
#include "daemon/lease/backend.h"
#include "daemon/lease/forecast.h"
#include "daemon/lease/gate.h"
#include "daemon/lease/pod.h"
#include "daemon/lease/renewal.h"
#include "daemon/loader/loader.h"
#include "daemon/log/history.h"
#include "daemon/log/refusal.h"
#include "daemon/log/report.h"
#include "daemon/notify.h"
#include "daemon/query/queries.h"

#define DAEMON_DRAIN_MS 6000 /* longer than any lookup may take */

struct event;
struct event_base;

struct daemon_options {
	const char *config_path; /* NULL: the default */
	bool debug;
};

struct daemon {
	const struct daemon_options *options;
	struct hash_key key;
	struct event_base *base;
	struct loader_result loaded; /* in force */
	struct loader_result next;   /* while a switch to it is under way */
	struct notify_socket sockets[NOTIFY_SOCKETS_MAX];
	size_t socket_count;
	struct pods pods;
	struct report report;
	struct history *history;
	struct recent *recent;
	struct rate *rate;
	struct wildcard *wildcard;
	struct repeats *repeats;
	struct refusal refusal;
	struct queries queries;
	struct gate *gate;
	struct resolver *resolver;
	struct backends *backends;
	struct udp *udp;
	struct tcp *tcp;
	struct control *control;
	struct metrics *metrics;
	struct reload *reload;
	struct renewal *renewal;
	struct forecast *forecast; /* of next, until the switch has begun */
	struct event *signals[3];
	struct event *tick;        /* every second */
	struct event *drain;       /* while stopping */
	struct event *names_timer; /* the start waits for services' names; else NULL */
	int enforcer_fd;           /* until the gate takes it */
	int enforcer_pid;
	bool reload_again; /* SIGHUP came while one was under way */
	bool foreseeing;   /* the forecast is not done */
	bool switching;
	bool stopping;
	/* the service manager wants WATCHDOG=1; a second is often enough */
	bool watched;
	bool ready_owed; /* READY=1 did not go through yet */
	int64_t started_ms, loaded_ms, drain_until_ms;
	uint64_t reloads, reload_failures;
	int exit_code;
};

#define DAEMON_EXIT_LATER_TABLE 3

/* Runs until told to stop. The process's exit code: 0 after SIGTERM or SIGINT, 1 when
 * it could not start or go on, DAEMON_EXIT_LATER_TABLE when the kernel's table is of a
 * later layout than ours. */
int daemon_run(const struct daemon_options *options);

/* Everything but the table, once the rights are given up. What fails is told. */
MUST_CHECK int daemon_assemble(struct daemon *d);

/* Log why the daemon cannot go on, and remember it for the exit code. Returns result. */
int daemon_fault(struct daemon *d, const char *what, int result);

/* daemon/control/status.c: answers on the control socket. */
int status_answer(void *ctx, size_t word_count, char **words, struct buf *out);

#endif
