/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager: what we tell it, and the sockets that it hands us. A thin layer on
 * libsystemd.
 *
 * Without a manager (no NOTIFY_SOCKET, no LISTEN_FDS) all of it does nothing, without an
 * error. Nothing here logs, and nothing waits: what a manager that hangs does not take is
 * lost, but for READY=1, of which the caller is told.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macros.h"

#define NOTIFY_SOCKETS_MAX 32
#define NOTIFY_NAME_MAX 256 /* FileDescriptorName= allows 255 bytes, systemd.socket(5) */

/* READY=1, at the end of the start and of every reload. -EAGAIN: say it again later. */
MUST_CHECK int notify_ready(void);
/* RELOADING=1 with the time that Type=notify-reload wants, CLOCK_MONOTONIC. */
void notify_reloading(int64_t now_us);
void notify_stopping(void);
/* STATUS=, one line for `systemctl status`; control bytes in it become blanks. */
void notify_status(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* WATCHDOG=1. */
void notify_watchdog(void);
/* How often to call notify_watchdog, half of what the manager allows; 0: it does not
 * watch us. */
int64_t notify_watchdog_interval_ms(void);

enum notify_kind {
	NOTIFY_DATAGRAM,
	NOTIFY_STREAM, /* listening */
};

struct notify_socket {
	int fd; /* the caller's; non-blocking and close-on-exec */
	enum notify_kind kind;
	struct endpoint local; /* family 0 when it is neither IPv4 nor IPv6 */
	char name[NOTIFY_NAME_MAX];
};

/*
 * The sockets that the manager passed, at most NOTIFY_SOCKETS_MAX into list. Takes them
 * out of the environment, so a second call finds none. Their number; -EPROTOTYPE when one
 * is no datagram or listening stream socket, -E2BIG when there are more; other negative
 * errno. After an error all of them are closed.
 */
MUST_CHECK int notify_listen(struct notify_socket list[NOTIFY_SOCKETS_MAX]);

#endif
