/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/lease/change.h"
#include "tests/unit/alloc.h"
#include "tests/unit/renewal_bed.h"

#define ENTRY(name)                                                                      \
	"apiVersion: networking.istio.io/v1\n"                                           \
	"kind: ServiceEntry\n"                                                           \
	"metadata: {name: " name "}\n"                                                   \
	"spec: {hosts: [" name ".test], resolution: DNS,\n"                              \
	"  ports: [{number: 443, name: https, protocol: HTTPS}]}\n---\n"

static struct fixture fixture;

static int64_t
now_ms(void)
{
	return fixture.now_ms;
}

static void
on_lost(void *ctx, int reason)
{
	(void)ctx;
	(void)reason;
}

static void
on_dead(void *ctx)
{
	((struct fixture *)ctx)->dead++;
}

static void
on_changed(void *ctx, int result)
{
	(void)ctx;
	assert_int_equal(result, 0);
}

static void
turn(struct fixture *f)
{
	for (int i = 0; i < 4; i++)
		assert_true(event_base_loop(f->base, EVLOOP_NONBLOCK) >= 0);
}

int
renewal_next(struct fixture *f)
{
	turn(f);
	return pair_take(&f->inbox, f->enforcer, MSG_DONTWAIT, &f->m) > 0 ? f->m.kind : 0;
}

static void
say(struct fixture *f, struct enforcer_message m)
{
	assert_int_equal(send(f->enforcer, &m, enforcer_size(&m), 0), enforcer_size(&m));
	turn(f);
}

void
renewal_answer(struct fixture *f, uint32_t id, int result)
{
	say(f, (struct enforcer_message){
		   .id = id, .kind = ENFORCER_RESULT, .result = result});
}

static void
make_ready(struct fixture *f)
{
	const struct enforcer_table table = {.enforce = 1};
	struct change c;

	change_begin(&c, &table);
	assert_int_equal(change_end(&c), 0);
	assert_int_equal(committer_change(f->committer, &c, on_changed, f), 0);
	change_done(&c);
	assert_int_equal(renewal_next(f), ENFORCER_TABLE);
	assert_int_equal(renewal_next(f), ENFORCER_END);
	renewal_answer(f, f->m.id, 0);
}

int
renewal_set_up(void **state)
{
	struct fixture *f = &fixture;
	struct lease_limits limits = {
	    .size = 8192, .per_pod = 8192, .per_name = 8192, .timeout_ms = 3600 * 1000};
	struct committer_hooks hooks = {.ctx = f, .lost = on_lost, .dead = on_dead};
	struct hash_key key = {{1, 2}};
	int pair[2];

	memset(f, 0, sizeof(*f));
	f->now_ms = 1000000;
	f->config = (struct config){
	    .lease_floor_s = FLOOR_S,
	    .lease_cap_s = 3600,
	    .lease_flows_s = 3600,
	    .pod_range_count = 1,
	    .pod_ranges[0] = {.addr = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 0}),
		.len = 16},
	};
	f->now_config = &f->config;
	assert_int_equal(built_from(&f->both, ENTRY("a") ENTRY("b")), 0);
	assert_int_equal(built_from(&f->one, ENTRY("a")), 0);
	f->registry = f->both.registry;
	f->base = event_base_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	f->enforcer = pair[1];
	assert_int_equal(pods_init(&f->pods, &key), 0);
	assert_int_equal(leases_new(&limits, &f->pods, &key, &f->leases), 0);
	assert_int_equal(
	    committer_new(f->base, pair[0], f->leases, now_ms, &hooks, &f->committer), 0);
	make_ready(f);
	leases_sweep(f->leases, f->now_ms);
	*state = f;
	return 0;
}

int
renewal_begin(struct fixture *f)
{
	const struct renewal_settings settings = {
	    .leases = f->leases,
	    .committer = f->committer,
	    .now_ms = now_ms,
	    .config = &f->now_config,
	    .registry = &f->registry,
	};

	return renewal_new(f->base, &settings, &f->renewal);
}

int
renewal_set_up_begun(void **state)
{
	int r = renewal_set_up(state);

	return r < 0 ? r : renewal_begin(*state);
}

int
renewal_tear_down(void **state)
{
	struct fixture *f = *state;

	alloc_reset();
	assert_int_equal(f->dead, 0);
	renewal_free(f->renewal);
	committer_free(f->committer);
	leases_free(f->leases);
	pods_done(&f->pods);
	event_base_free(f->base);
	(void)close(f->enforcer); /* the test is over */
	built_close(&f->both);
	built_close(&f->one);
	return 0;
}

struct addr
renewal_pod(uint8_t net, uint8_t host)
{
	return addr_make(AF_INET, (uint8_t[]){10, net, 0, host});
}

struct lease_target
renewal_target(uint16_t host)
{
	return (struct lease_target){
	    .addr = addr_make(
		AF_INET, (uint8_t[]){198, 51, (uint8_t)(host >> 8), (uint8_t)host}),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	};
}

void
renewal_hold_for(
    struct fixture *f, struct addr who, const char *text, uint16_t host, int64_t left_ms)
{
	struct lease_target t = renewal_target(host);
	struct name name;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	assert_int_equal(
	    lease_restore(f->leases, &who, &name, &t, f->now_ms + left_ms), 0);
}

void
renewal_hold(struct fixture *f, const char *text, uint16_t host, int64_t left_ms)
{
	renewal_hold_for(f, renewal_pod(244, 2), text, host, left_ms);
}

int64_t
renewal_left_ms(struct fixture *f, uint16_t host)
{
	struct addr who = renewal_pod(244, 2);
	struct lease_target t = renewal_target(host);
	struct lease *lease = lease_find(f->leases, &who, &t);

	assert_non_null(lease);
	return lease->deadline_ms - f->now_ms;
}

size_t
renewal_question(struct fixture *f)
{
	int kind;

	f->asked_count = 0;
	for (;;) {
		while ((kind = renewal_next(f)) == 0)
			assert_true(event_base_loop(f->base, EVLOOP_ONCE) >= 0);
		assert_int_equal(kind, ENFORCER_LIVE);
		if (f->m.count == 0)
			return f->asked_count;
		memcpy(&f->asked[f->asked_count], f->m.body.live,
		    f->m.count * sizeof(f->m.body.live[0]));
		f->asked_count += f->m.count;
	}
}

bool
renewal_is_silent(struct fixture *f)
{
	const struct timeval tv = {.tv_usec = 375000};

	assert_int_equal(event_base_loopexit(f->base, &tv), 0);
	assert_true(event_base_dispatch(f->base) >= 0);
	return renewal_next(f) == 0;
}

void
renewal_tell_live(
    struct fixture *f, size_t first, size_t count, int result, uint32_t cost_us)
{
	struct enforcer_message m = {.kind = ENFORCER_LIVE};

	for (size_t i = first; i < first + count; i++) {
		m.body.live[m.count++] = f->asked[i];
		if (m.count == ENFORCER_LIST_MAX || i + 1 == first + count) {
			say(f, m);
			m.count = 0;
		}
	}
	m.result = result;
	m.lost = cost_us;
	m.packets = 7;
	say(f, m);
}

bool
renewal_is_asked(const struct fixture *f, uint16_t host)
{
	struct lease_target t = renewal_target(host);

	for (size_t i = 0; i < f->asked_count; i++)
		if (addr_equal(&f->asked[i].destination, &t.addr))
			return true;
	return false;
}
