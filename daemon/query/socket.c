/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/query/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int
set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int
set_options(int fd, const struct endpoint *e, int type)
{
	bool v6 = e->addr.family == AF_INET6;
	int r = 0;

	if (v6)
		r = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (r == 0)
		r = v6 ? set_int(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1)
		       : set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);
	if (r == 0 && type == SOCK_STREAM)
		r = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r < 0 || type == SOCK_STREAM)
		return r;
	/* needs CAP_NET_ADMIN; without it what net.core.rmem_max allows has to do */
	if (set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_RECEIVE_BUFFER) < 0)
		r = set_int(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_RECEIVE_BUFFER);
	return r;
}

static int
open_bound(const struct endpoint *e, int type, int *ret_fd)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(e, &ss);
	int fd = socket(ss.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = set_options(fd, e, type);
	if (r == 0 && bind(fd, (struct sockaddr *)&ss, len) < 0)
		r = -errno;
	if (r == 0 && type == SOCK_STREAM && listen(fd, SOCKET_BACKLOG) < 0)
		r = -errno;
	if (r < 0) {
		(void)close(fd); /* nothing was done with it */
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int
socket_udp(const struct endpoint *e, int *ret_fd)
{
	return open_bound(e, SOCK_DGRAM, ret_fd);
}

int
socket_tcp(const struct endpoint *e, int *ret_fd)
{
	return open_bound(e, SOCK_STREAM, ret_fd);
}

bool
socket_is_local(const struct addr *a)
{
	struct endpoint e = {.addr = *a, .port = 0};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&e, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool local;

	if (fd < 0)
		return false;
	local = bind(fd, (struct sockaddr *)&ss, len) == 0;
	(void)close(fd); /* nothing was done with it */
	return local;
}
