/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/lease/forecast.h"
#include "daemon/lease/recent.h"
#include "tests/unit/gate_bed.h"

#define ENTRY(name)                                                                      \
	"apiVersion: networking.istio.io/v1\n"                                           \
	"kind: ServiceEntry\n"                                                           \
	"metadata: {name: " name "}\n"                                                   \
	"spec: {hosts: [" name ".test], resolution: DNS,\n"                              \
	"  ports: [{number: 443, name: https, protocol: HTTPS}]}\n---\n"

static int64_t fake_now;

static int64_t
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
on_restored(void *ctx)
{
	((struct fixture *)ctx)->restored++;
}

static void
on_dead(void *ctx)
{
	((struct fixture *)ctx)->dead++;
}

static void
on_refused(void *ctx, const struct enforcer_message *m)
{
	((struct fixture *)ctx)->refused += m->count;
}

static void
on_flows(void *ctx, const struct enforcer_message *m)
{
	((struct fixture *)ctx)->flows += m->packets;
}

void
bed_on_told(void *ctx, const struct gate_outcome *outcome)
{
	struct fixture *f = ctx;

	f->told++;
	f->outcome = *outcome;
}

void
bed_turn(struct fixture *f)
{
	for (int i = 0; i < 4; i++)
		assert_true(event_base_loop(f->base, EVLOOP_NONBLOCK) >= 0);
}

int
bed_set_up(void **state)
{
	static struct fixture f;
	struct gate_settings settings = {
	    .now_ms = now_ms,
	    .pods = &f.pods,
	    .ctx = &f,
	    .lost = on_lost,
	    .restored = on_restored,
	    .dead = on_dead,
	    .refused = on_refused,
	    .flows = on_flows,
	    .hash_key = {{1, 2}},
	};
	struct endpoint listen = {
	    .addr = addr_make(AF_INET, (uint8_t[]){169, 254, 20, 10}), .port = 53};
	struct gate_state now;
	int pair[2];

	memset(&f, 0, sizeof(f));
	fake_now = 1000000;
	f.config = (struct config){
	    .lease_size = 64,
	    .lease_per_pod = 64,
	    .lease_per_name = 64,
	    .lease_floor_s = 30,
	    .lease_grace_s = 30,
	    .lease_cap_s = 3600,
	    .commit_deadline_ms = 1000,
	    .revoke_flows = true,
	};
	f.config.pod_range_count = 2;
	f.config.pod_ranges[0] = (struct prefix){
	    .addr = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 0}), .len = 16};
	f.config.pod_ranges[1] = (struct prefix){
	    .addr = addr_make(AF_INET6, (uint8_t[16]){0xfd, 0x00}), .len = 16};
	f.other_config = f.config;
	assert_int_equal(built_from(&f.both, ENTRY("a") ENTRY("b")), 0);
	assert_int_equal(built_from(&f.one, ENTRY("a")), 0);
	f.base = event_base_new();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	f.enforcer = pair[1];
	assert_int_equal(pods_init(&f.pods, &settings.hash_key), 0);
	assert_int_equal(recent_new(&settings.hash_key, &f.recent), 0);
	settings.recent = f.recent;
	settings.fd = pair[0];
	settings.listen = &listen;
	settings.listen_count = 1;
	now = (struct gate_state){.config = &f.config, .registry = f.both.registry};
	assert_int_equal(gate_new(f.base, &settings, &now, &f.gate), 0);
	*state = &f;
	return 0;
}

int
bed_tear_down(void **state)
{
	struct fixture *f = *state;

	gate_free(f->gate);
	recent_free(f->recent);
	pods_done(&f->pods);
	event_base_free(f->base);
	if (f->enforcer >= 0)
		(void)close(f->enforcer); /* the test is over */
	built_close(&f->both);
	built_close(&f->one);
	return 0;
}

void
bed_say(struct fixture *f, struct enforcer_message m)
{
	assert_int_equal(send(f->enforcer, &m, enforcer_size(&m), 0), enforcer_size(&m));
}

void
bed_answer(struct fixture *f, uint32_t id, int result)
{
	bed_say(f, (struct enforcer_message){
		       .id = id, .kind = ENFORCER_RESULT, .result = result});
	bed_turn(f);
}

static void
note(struct fixture *f, const struct enforcer_message *m)
{
	if (m->kind == ENFORCER_TABLE) {
		f->tables++;
		f->table = m->body.table;
	} else if (m->kind == ENFORCER_REVOKE) {
		f->revokes += m->count;
		addr_format(&m->body.leases[0].destination, f->revoked);
	} else if (m->kind == ENFORCER_CUT) {
		f->cuts += m->count;
	} else if (m->kind == ENFORCER_OPEN) {
		for (size_t i = 0; i < m->count; i++)
			f->open[f->open_count++ % ARRAY_LEN(f->open)] = m->body.open[i];
	} else if (m->kind == ENFORCER_LEASES) {
		f->leases += m->count;
		for (size_t i = 0; i < m->count; i++)
			f->longest_ms =
			    MAX_OF(f->longest_ms, m->body.leases[i].timeout_ms);
	}
}

/* Everything up to the message that waits for a result: its kind, 0 for none; ret_id is
 * what to answer. */
static int
next(struct fixture *f, uint32_t *ret_id)
{
	struct enforcer_message m;
	bool inside = false;

	f->tables = f->revokes = f->leases = f->open_count = f->cuts = 0;
	f->longest_ms = 0;
	while (pair_take(&f->inbox, f->enforcer, MSG_DONTWAIT, &m) > 0) {
		note(f, &m);
		inside |= m.kind == ENFORCER_TABLE;
		*ret_id = m.id;
		if (m.kind == ENFORCER_END || m.kind == ENFORCER_DUMP || !inside)
			return m.kind;
	}
	return 0;
}

uint32_t
bed_expect(struct fixture *f, enum enforcer_kind kind)
{
	uint32_t id = 0;

	bed_turn(f);
	assert_int_equal(next(f, &id), kind);
	return id;
}

void
bed_dump_one(
    struct fixture *f, uint32_t id, const char *name, uint8_t host, uint32_t timeout_ms)
{
	struct enforcer_message m = {.id = id, .kind = ENFORCER_LEASES, .count = 1};

	(void)snprintf(m.name, sizeof(m.name), "%s", name); /* fits */
	m.body.leases[0] = (struct enforcer_lease){
	    .pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2}),
	    .destination = addr_make(AF_INET, (uint8_t[]){198, 51, 100, host}),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	    .timeout_ms = timeout_ms,
	};
	bed_say(f, m);
}

void
bed_dumped(struct fixture *f, uint32_t id)
{
	bed_answer(f, id, 0);
	bed_answer(f, bed_expect(f, ENFORCER_DUMP), 0);
}

void
bed_start(struct fixture *f)
{
	uint32_t id;

	assert_int_equal(gate_start(f->gate, bed_on_told), 0);
	id = bed_expect(f, ENFORCER_DUMP);
	bed_dump_one(f, id, "a.test", 1, 60000);
	bed_dump_one(f, id, "b.test", 2, 60000);
	bed_dumped(f, id);
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
	assert_true(gate_ready(f->gate));
	assert_int_equal(f->told, 1);
	assert_int_equal(f->outcome.result, 0);
}

void
bed_lose(struct fixture *f)
{
	bed_start(f);
	bed_say(f, (struct enforcer_message){.kind = ENFORCER_LOST});
}

int
bed_set_up_foreseen(void **state)
{
	(void)bed_set_up(state);
	((struct fixture *)*state)->foresees = true;
	return 0;
}

static void
on_foreseen(void *ctx)
{
	(void)ctx;
}

static struct forecast *
foresee(struct fixture *f, const struct gate_state *state)
{
	struct forecast *forecast = NULL;

	assert_int_equal(forecast_new(f->base, gate_leases(f->gate), state->registry,
			     gate_cuts(state), on_foreseen, f, &forecast),
	    0);
	while (!forecast_is_whole(forecast))
		bed_turn(f);
	return forecast;
}

int
bed_switch_unforeseen(struct fixture *f)
{
	struct gate_state state = {
	    .config = &f->other_config, .registry = f->one.registry};

	return gate_switch(f->gate, &state, NULL, bed_on_told);
}

int
bed_switch_to_one(struct fixture *f)
{
	struct gate_state state = {
	    .config = &f->other_config, .registry = f->one.registry};
	struct forecast *forecast = f->foresees ? foresee(f, &state) : NULL;
	int r = gate_switch(f->gate, &state, forecast, bed_on_told);

	if (r < 0)
		forecast_free(forecast);
	return r;
}

void
bed_repair(struct fixture *f)
{
	bed_answer(f, bed_expect(f, ENFORCER_DUMP), -ENOENT);
	bed_answer(f, bed_expect(f, ENFORCER_END), 0);
}

void
bed_wait_for_repair(struct fixture *f)
{
	struct timeval tv = {.tv_usec = (GATE_REPAIR_MS + 50) * 1000};

	assert_int_equal(event_base_loopexit(f->base, &tv), 0);
	assert_true(event_base_dispatch(f->base) >= 0);
}

bool
bed_covers(struct fixture *f, const char *text, uint8_t host, int64_t until_ms)
{
	struct addr pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	struct leases *l = gate_leases(f->gate);
	struct lease_target t = {
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, host}),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	};
	struct grant *g;
	struct name name;
	bool yes;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	g = lease_grant(l, &pod, &name);
	assert_non_null(g);
	yes = lease_check(l, g, &t, until_ms, NULL) == LEASE_COVERED;
	lease_grant_release(l, g);
	return yes;
}

int64_t
bed_now(void)
{
	return fake_now;
}

void
bed_pass(int64_t ms)
{
	fake_now += ms;
}
