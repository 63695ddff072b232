/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging every lease again: what a new registry withdraws from the leases, and what it
 * adds.
 *
 * Writes both into a change. New leases are reserved; the owner of the struct settles
 * them with rejudge_settle when the change's result is in, on every path.
 */
#ifndef DAEMON_LEASE_REJUDGE_H
#define DAEMON_LEASE_REJUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/config/config.h"
#include "daemon/lease/change.h"
#include "daemon/lease/forecast.h"
#include "daemon/lease/lease.h"
#include "policy/registry/registry.h"

struct rejudge {
	struct leases *leases;
	const struct registry *registry;
	const struct config *config; /* which says whose addresses are pods' */
	struct forecast *forecast;   /* NULL: all are to be judged; during the run */
	struct change *change;
	bool cut; /* flows of what is withdrawn, too */
	int64_t now_ms;
	size_t withdrawn, added; /* leases */
	struct reserved {
		struct lease *lease;
		int64_t end_ms;
	} * reserved;
	size_t reserved_len, reserved_size;
	bool renamed; /* some lease is to be written under another name */
	bool led;     /* some lease leads to another port: all such are written */
	/* out of memory: a lease was left out; its next lookup makes it */
	bool failed;
};

/*
 * Judge all leases, or with a forecast for this registry that is whole those in its list,
 * and take its withdrawal, which is to be applied when the change has been sent:
 * those that registry does not allow go, ports newly allowed on known
 * addresses come. Those of a pod whose address is another pod's by now, or nobody's, go
 * too, and those of an address that is no pod's by config; its flows the table does not
 * look at any more. A forecast knows nothing of that: none where config has other pods
 * than before. Of an address that nobody was known by, and of a lease that was found in
 * the kernel, it is not known who asked: they stay as far as they are allowed. cut: the
 * flows of leases that go are to go with them.
 */
void rejudge_run(struct rejudge *j, struct leases *leases,
    const struct registry *registry, const struct config *config,
    struct forecast *forecast, bool cut, struct change *change, int64_t now_ms);
/* The change was made, or was not. */
void rejudge_settle(struct rejudge *j, bool committed);

/* Behind a run, before its change is sent: write every lease into it again, for a table
 * that has been lost. */
void rejudge_repeat(struct rejudge *j, int64_t now_ms);

#endif
