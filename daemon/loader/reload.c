/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loader/reload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/config/config.h"
#include "policy/registry/registry.h"

struct reload {
	struct loader_options options;
	reload_done_fn done;
	void *ctx;
	int fd;
	struct event *readable;
	bool running;
	pthread_t thread;
	/* the thread's, until it has been joined */
	struct findings findings;
	struct loader_result loaded;
	int result;
};

static void on_ended(int fd, short what, void *ctx);

int
reload_new(struct event_base *base, const char *path, const struct hash_key *key,
    reload_done_fn done, void *ctx, struct reload **ret_reload)
{
	struct reload *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return -ENOMEM;
	r->options = (struct loader_options){
	    .path = path, .hash_key = *key, .threads = loader_threads(), .shelve = true};
	r->done = done;
	r->ctx = ctx;
	r->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->fd < 0) {
		free(r);
		return -errno;
	}
	r->readable = event_new(base, r->fd, EV_READ | EV_PERSIST, on_ended, r);
	if (r->readable == NULL || event_add(r->readable, NULL) < 0) {
		reload_free(r);
		return -ENOMEM;
	}
	*ret_reload = r;
	return 0;
}

static void *
run(void *ctx)
{
	struct reload *r = ctx;
	uint64_t one = 1;
	ssize_t written;

	r->result = loader_load(&r->options, &r->findings, &r->loaded);
	do {
		written = write(r->fd, &one, sizeof(one));
	} while (written < 0 && errno == EINTR);
	return NULL;
}

int
reload_start(struct reload *r, const struct registry *before)
{
	sigset_t all, unblocked;
	int error;

	if (r->running)
		return -EBUSY;
	r->options.before = before;
	findings_init(&r->findings, FINDINGS_MAX);
	/* signals are the loop's: the thread is born with all of them blocked */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &unblocked);
	error = pthread_create(&r->thread, NULL, run, r);
	pthread_sigmask(SIG_SETMASK, &unblocked, NULL);
	if (error != 0) {
		findings_done(&r->findings);
		return -error;
	}
	r->running = true;
	return 0;
}

static void
join(struct reload *r)
{
	(void)pthread_join(r->thread, NULL); /* fails only for a thread that is none */
	r->running = false;
}

static void
on_ended(int fd, short what, void *ctx)
{
	struct reload *r = ctx;
	struct findings findings;
	struct loader_result loaded;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0 || !r->running)
		return;
	join(r);
	/* done may start the next one, which fills these anew */
	findings = r->findings;
	loaded = r->loaded;
	r->done(r->ctx, r->result, &findings, &loaded);
	findings_done(&findings);
}

void
reload_free(struct reload *r)
{
	if (r == NULL)
		return;
	if (r->running) {
		join(r);
		if (r->result == 0) {
			registry_unref(r->loaded.registry);
			config_free(r->loaded.config);
		}
		findings_done(&r->findings);
	}
	if (r->readable != NULL)
		event_free(r->readable);
	(void)close(r->fd); /* nothing is buffered in it */
	free(r);
}
