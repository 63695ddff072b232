/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/commit_bed.h"

#include <fcntl.h>
#include <sys/socket.h>

int64_t fake_now = 1000000;

int64_t
now_ms(void)
{
	return fake_now;
}

static void
on_lost(void *ctx, int reason)
{
	(void)reason;
	((struct fixture *)ctx)->lost++;
}

static void
on_dead(void *ctx)
{
	((struct fixture *)ctx)->dead++;
}

static void
on_dumped(void *ctx, const struct enforcer_message *m)
{
	((struct fixture *)ctx)->dumped += m->count;
}

void
on_changed(void *ctx, int result)
{
	struct fixture *f = ctx;

	f->changed++;
	f->change_result = result;
}

static void
on_told(struct commit_waiter *waiter, int result)
{
	struct told *told = (struct told *)(void *)waiter;

	told->times++;
	told->result = result;
}

void
commit_turn(struct fixture *f)
{
	for (int i = 0; i < 4; i++)
		assert_true(event_base_loop(f->base, EVLOOP_NONBLOCK) >= 0);
}

size_t
next(struct fixture *f, struct enforcer_message *m)
{
	return pair_take(&f->inbox, f->enforcer, MSG_DONTWAIT, m) > 0 ? enforcer_size(m)
								      : 0;
}

void
answer(struct fixture *f, uint32_t id, int result)
{
	struct enforcer_message m = {.id = id, .kind = ENFORCER_RESULT, .result = result};

	assert_int_equal(send(f->enforcer, &m, enforcer_size(&m), 0), enforcer_size(&m));
}

void
change(struct fixture *f)
{
	struct enforcer_table table = {.enforce = 1};
	struct change c;

	change_begin(&c, &table);
	assert_int_equal(change_end(&c), 0);
	assert_int_equal(committer_change(f->committer, &c, on_changed, f), 0);
	change_done(&c);
	commit_turn(f);
}

void
make_ready(struct fixture *f)
{
	struct enforcer_message m;

	change(f);
	assert_true(next(f, &m) > 0);
	assert_int_equal(m.kind, ENFORCER_TABLE);
	assert_true(next(f, &m) > 0);
	assert_int_equal(m.kind, ENFORCER_END);
	answer(f, m.id, 0);
	commit_turn(f);
	assert_true(committer_ready(f->committer));
}

int
commit_set_up(void **state)
{
	static struct fixture f;
	struct lease_limits limits = {
	    .size = 64, .per_pod = 64, .per_name = 64, .timeout_ms = 3600 * 1000};
	struct committer_hooks hooks = {
	    .ctx = &f, .lost = on_lost, .dead = on_dead, .dumped = on_dumped};
	struct hash_key key = {{1, 2}};
	int pair[2];

	memset(&f, 0, sizeof(f));
	f.base = event_base_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	f.enforcer = pair[1];
	assert_int_equal(pods_init(&f.pods, &key), 0);
	assert_int_equal(leases_new(&limits, &f.pods, &key, &f.leases), 0);
	assert_int_equal(
	    committer_new(f.base, pair[0], f.leases, now_ms, &hooks, &f.committer), 0);
	f.pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	assert_int_equal(name_parse("google.com", 10, &f.name), 0);
	*state = &f;
	return 0;
}

int
commit_tear_down(void **state)
{
	struct fixture *f = *state;

	committer_free(f->committer);
	leases_free(f->leases);
	pods_done(&f->pods);
	if (f->enforcer >= 0)
		(void)close(f->enforcer); /* the test is over */
	event_base_free(f->base);
	return 0;
}

struct lease_target
target(uint8_t host)
{
	return (struct lease_target){
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, host}),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	};
}

int
commit_for(struct fixture *f, uint8_t host, uint32_t timeout_ms, struct told *told)
{
	struct commit_request request = {
	    .name = &f->name, .timeout_ms = timeout_ms, .len = 1};
	struct grant *g = lease_grant(f->leases, &f->pod, &f->name);
	struct lease_target t = target(host);

	*told = (struct told){.waiter = {.done = on_told}};
	request.leases[0] = lease_reserve(f->leases, g, &t, &request.renew[0]);
	lease_grant_release(f->leases, g);
	assert_non_null(request.leases[0]);
	return committer_commit(f->committer, &request, &told->waiter);
}

int
commit(struct fixture *f, uint8_t host, struct told *told)
{
	return commit_for(f, host, 60000, told);
}

void
send_one(struct fixture *f, uint8_t host, struct told *told, struct enforcer_message *m)
{
	assert_int_equal(commit(f, host, told), 0);
	commit_turn(f);
	assert_true(next(f, m) > 0);
}

bool
covered(struct fixture *f, uint8_t host)
{
	struct grant *g = lease_grant(f->leases, &f->pod, &f->name);
	struct lease_target t = target(host);
	bool yes = lease_check(f->leases, g, &t, fake_now + 60000, NULL) == LEASE_COVERED;

	lease_grant_release(f->leases, g);
	return yes;
}
