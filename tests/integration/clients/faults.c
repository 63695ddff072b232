/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library that is loaded before the daemon's own (LD_PRELOAD): calls fail as a plan
 * says, which lies in a file that both the test and the daemon's processes map
 * (EGRESSD_FAULTS; faults.py writes it).
 *
 * Of the calls of its kind in the process that it names, the one numbered nth from the
 * moment on when the plan was armed fails, and those behind it, count of them in all.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum call {
	CALL_NONE,
	CALL_SEND,    /* to netlink */
	CALL_RECEIVE, /* from netlink; what there is stays there */
	CALL_LOSE,    /* from netlink; what there is is lost */
	CALL_ALLOCATE,
};

struct plan {
	_Atomic uint32_t call;
	uint32_t process; /* 0: any */
	uint32_t nth;     /* from 1 on */
	uint32_t count;
	int32_t error;
	_Atomic uint32_t seen, failed;
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static struct plan *plan;

__attribute__((constructor)) static void
find_plan(void)
{
	const char *path = getenv("EGRESSD_FAULTS");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *page;

	if (fd < 0)
		abort();
	page = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (page == MAP_FAILED)
		abort();
	plan = page;
}

static int
fails(enum call call)
{
	uint32_t number;

	if (plan == NULL || plan->call != (uint32_t)call ||
	    (plan->process != 0 && plan->process != (uint32_t)getpid()))
		return 0;
	number = ++plan->seen;
	if (number < plan->nth || number - plan->nth >= plan->count)
		return 0;
	plan->failed++;
	return 1;
}

static int
is_netlink(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	       domain == AF_NETLINK;
}

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	if (plan->call == CALL_SEND && is_netlink(fd) && fails(CALL_SEND)) {
		errno = plan->error;
		return -1;
	}
	return sendto(fd, bytes, len, flags, NULL, 0);
}

ssize_t
recv(int fd, void *bytes, size_t size, int flags)
{
	const uint32_t call = plan->call;

	if ((call == CALL_RECEIVE || call == CALL_LOSE) && is_netlink(fd) &&
	    fails(call)) {
		if (call == CALL_LOSE)
			(void)recvfrom(fd, bytes, size, flags, NULL, NULL);
		errno = plan->error;
		return -1;
	}
	return recvfrom(fd, bytes, size, flags, NULL, NULL);
}

void *
malloc(size_t size)
{
	return fails(CALL_ALLOCATE) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return fails(CALL_ALLOCATE) ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
	return fails(CALL_ALLOCATE) ? NULL : __libc_realloc(old, size);
}

void *
reallocarray(void *old, size_t count, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(count, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, all);
}
