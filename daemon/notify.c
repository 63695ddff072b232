/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#define STATUS_MAX 256

/*
 * sd_notify(3) waits for as long as the manager does not read; this never does. The
 * protocol is one datagram to the socket that the environment names, sd_notify(3) again.
 */
static int
tell(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;
	int fd, r = 0;

	if (len == 0 || len >= sizeof(to.sun_path))
		return 0;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@') /* in the abstract namespace, unix(7) */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		r = -errno;
	(void)close(fd); /* the datagram is on its way or is not */
	return r;
}

int
notify_ready(void)
{
	return tell("READY=1") == -EAGAIN ? -EAGAIN : 0;
}

void
notify_reloading(int64_t now_us)
{
	char text[64];

	/* fits */
	(void)snprintf(
	    text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIi64, now_us);
	(void)tell(text); /* READY=1 comes behind it in any case */
}

void
notify_stopping(void)
{
	(void)tell("STOPPING=1"); /* the end of the process says it too */
}

void
notify_status(const char *fmt, ...)
{
	char text[7 + STATUS_MAX] = "STATUS=";
	size_t head = strlen(text);
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(text + head, sizeof(text) - head, fmt, args) < 0)
		text[head] = '\0';
	va_end(args);
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	(void)tell(text); /* only for people to read */
}

void
notify_watchdog(void)
{
	(void)tell("WATCHDOG=1"); /* a manager that does not read does not count either */
}

int64_t
notify_watchdog_interval_ms(void)
{
	uint64_t usec;

	if (sd_watchdog_enabled(0, &usec) <= 0)
		return 0;
	return (int64_t)MAX_OF(usec / 2000, (uint64_t)1);
}

static int
find_kind(int fd, enum notify_kind *ret_kind)
{
	if (sd_is_socket(fd, AF_UNSPEC, SOCK_DGRAM, -1) > 0)
		*ret_kind = NOTIFY_DATAGRAM;
	else if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0)
		*ret_kind = NOTIFY_STREAM;
	else
		return -EPROTOTYPE;
	return 0;
}

static int
find_local(int fd, struct endpoint *ret_local)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	struct endpoint local;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
		return -errno;
	if (endpoint_from_sockaddr((struct sockaddr *)&ss, &local) < 0)
		memset(&local, 0, sizeof(local)); /* a local socket */
	*ret_local = local;
	return 0;
}

static int
take_socket(int fd, const char *name, struct notify_socket *ret_socket)
{
	struct notify_socket s = {.fd = fd};
	int flags = fcntl(fd, F_GETFL);
	int r;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	r = find_kind(fd, &s.kind);
	if (r == 0)
		r = find_local(fd, &s.local);
	if (r < 0)
		return r;
	(void)snprintf(s.name, sizeof(s.name), "%s",
	    name != NULL ? name : ""); /* NOTIFY_NAME_MAX is what names may have */
	*ret_socket = s;
	return 0;
}

int
notify_listen(struct notify_socket list[NOTIFY_SOCKETS_MAX])
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names);
	int r = count > NOTIFY_SOCKETS_MAX ? -E2BIG : 0;

	for (int i = 0; i < count && r == 0; i++)
		r = take_socket(
		    SD_LISTEN_FDS_START + i, names != NULL ? names[i] : NULL, &list[i]);
	for (int i = 0; i < count && r < 0; i++)
		(void)close(SD_LISTEN_FDS_START + i); /* refused: nothing in it */
	for (int i = 0; names != NULL && i < count; i++)
		free(names[i]);
	free(names);
	return r < 0 ? r : count;
}
