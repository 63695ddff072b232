/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/alive.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/enforcer/look.h"

#define CHILD_FD 3

_Static_assert(sizeof(struct enforcer_live) == 2 * sizeof(struct addr) + 4,
    "no padding: it is compared as bytes");

void
alive_init(struct alive *a, alive_say_fn say, void *ctx)
{
	memset(a, 0, sizeof(*a));
	a->say = say;
	a->ctx = ctx;
	a->fd = -1;
	buf_init(&a->asked, ALIVE_MAX * sizeof(struct enforcer_live));
}

/* The child has ended, or is to. */
static void
reap(struct alive *a)
{
	if (a->fd >= 0)
		(void)close(a->fd); /* only read from */
	a->fd = -1;
	if (a->child == 0)
		return;
	(void)kill(a->child, SIGKILL); /* harmless for one that has ended */
	while (waitpid(a->child, NULL, 0) < 0 && errno == EINTR)
		;
	a->child = 0;
}

static void
forget_question(struct alive *a)
{
	buf_done(&a->asked); /* what it took is not kept between questions */
	buf_init(&a->asked, ALIVE_MAX * sizeof(struct enforcer_live));
	a->refused = 0;
}

void
alive_done(struct alive *a)
{
	reap(a);
	buf_done(&a->asked);
}

static void
say_end(struct alive *a, int result)
{
	a->last.kind = ENFORCER_LIVE;
	a->last.count = 0;
	a->last.result = result;
	a->say(a->ctx, &a->last);
}

/* Keep the pair to the parent and standard error: the loop sees that its enforcer has
 * ended by the pair to it, and the kernel that the table's owner has by its socket. */
static _Noreturn void
child(struct alive *a, int fd, pid_t parent)
{
	if ((fd != CHILD_FD && dup2(fd, CHILD_FD) < 0) ||
	    close_range(CHILD_FD + 1, ~0u, 0) != 0 || close_range(0, 1, 0) != 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent)
		_exit(1);
	/* a name for ps; 15 bytes */
	(void)prctl(PR_SET_NAME, "egressd-look", 0, 0, 0);
	(void)signal(SIGALRM, SIG_DFL); /* cannot fail for this one */
	(void)alarm(LOOK_SECONDS_MAX);
	look_run((void *)a->asked.bytes, a->asked.len / sizeof(struct enforcer_live),
	    CHILD_FD);
	_exit(0);
}

static int
begin(struct alive *a)
{
	const pid_t parent = getpid();
	int fds[2], r;

	/* above the limit, or out of memory */
	if (a->asked.failed)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		return -errno;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0) {
		r = -errno;
		goto fail;
	}
	a->child = fork();
	if (a->child == 0)
		child(a, fds[1], parent);
	if (a->child < 0) {
		r = -errno;
		a->child = 0;
		goto fail;
	}
	(void)close(fds[1]); /* the child has it */
	a->fd = fds[0];
	/* of a child that ends without a word */
	a->last = (struct enforcer_message){.result = -ECHILD};
	return 0;
fail:
	(void)close(fds[0]); /* nothing was written to either */
	(void)close(fds[1]);
	return r;
}

int
alive_ask(struct alive *a, const struct enforcer_message *m, int refused)
{
	int r;

	if (a->child != 0)
		return -EPROTO;
	if (refused < 0)
		a->refused = refused;
	buf_append(&a->asked, m->body.live, m->count * sizeof(m->body.live[0]));
	if (m->count != 0)
		return 0;
	r = a->refused < 0 ? a->refused : begin(a);
	forget_question(a);
	if (r < 0) {
		a->last = (struct enforcer_message){0};
		say_end(a, r);
	}
	return 0;
}

int
alive_fd(const struct alive *a)
{
	return a->fd;
}

void
alive_work(struct alive *a)
{
	ssize_t len;

	if (a->fd < 0)
		return;
	do
		len = recv(a->fd, &a->in, sizeof(a->in), 0);
	while (len < 0 && errno == EINTR);
	if (len < 0 && errno == EAGAIN)
		return;
	if (len >= (ssize_t)offsetof(struct enforcer_message, body) &&
	    a->in.kind == ENFORCER_LIVE && (size_t)len == enforcer_size(&a->in)) {
		if (a->in.count != 0)
			a->say(a->ctx, &a->in);
		else
			a->last = a->in;
		return;
	}
	/* It has closed its end, which a process does when it has given up its memory:
	 * the wait for it is short. */
	reap(a);
	say_end(a, a->last.result);
}
