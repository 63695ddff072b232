/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases that lead to another port: planned, shared by names, judged again.
 */
#include <string.h>

#include "daemon/lease/plan.h"
#include "daemon/lease/rejudge.h"
#include "resolver/local.h"
#include "tests/unit/built.h"

#define NOW INT64_C(1000000)
#define END (NOW + 60000)
#define ENTRY(host, target)                                                              \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: " \
	"'" host "'}\nspec: {hosts: [" host "], resolution: DNS, ports: [{number: 80, "  \
	"name: web" target "}, {number: 443, name: tls}]}\n"
#define TO(port) ", targetPort: " #port

struct fixture {
	struct pods pods;
	struct leases *leases;
	struct change change;
	struct rejudge rejudge;
	struct config config;
	struct addr pod, address;
	struct commit_request request;
};

static int
set_up(void **state)
{
	static struct fixture f;
	struct lease_limits limits = {
	    .size = 64, .per_pod = 64, .per_name = 64, .timeout_ms = 3600 * 1000};
	struct hash_key key = {{1, 2}};
	struct enforcer_table table = {.enforce = 1};

	memset(&f, 0, sizeof(f));
	assert_int_equal(pods_init(&f.pods, &key), 0);
	assert_int_equal(leases_new(&limits, &f.pods, &key, &f.leases), 0);
	f.config = (struct config){
	    .lease_floor_s = 30, .lease_grace_s = 10, .lease_cap_s = 3600};
	f.config.pod_range_count = 1;
	f.config.pod_ranges[0] = (struct prefix){
	    .addr = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 0}), .len = 16};
	f.pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	f.address = addr_make(AF_INET, (uint8_t[]){198, 51, 100, 1});
	change_begin(&f.change, &table);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	plan_drop(f->leases, &f->request);
	change_done(&f->change);
	leases_free(f->leases);
	pods_done(&f->pods);
	return 0;
}

/* What of an answer with the one address is kept, for a host of this registry. */
static uint64_t
plan(struct fixture *f, const char *text, const char *host)
{
	struct answer *answer = NULL;
	uint64_t keep = 1;
	struct built b;
	struct name name;
	struct verdict v;

	assert_int_equal(built_from(&b, text), 0);
	v = built_judge(&b, NULL, host);
	assert_int_equal(name_parse(host, strlen(host), &name), 0);
	assert_int_equal(local_answer(&name, 1, &f->address, 1, 30, NOW, &answer), 0);
	plan_make(&(struct plan){.leases = f->leases,
		      .config = &f->config,
		      .pod = &f->pod,
		      .name = &name,
		      .host = v.host,
		      .answer = answer,
		      .ttl_s = 30,
		      .reserve = true},
	    NOW, &keep, &f->request);
	answer_unref(answer);
	built_close(&b);
	return keep;
}

/* The kernel takes what was planned, or not. */
static void
settle(struct fixture *f, bool committed)
{
	for (size_t i = 0; i < f->request.len; i++) {
		(void)lease_ask(f->leases, f->request.leases[i], NOW, END);
		lease_settle(f->leases, f->request.leases[i], committed, END);
	}
	f->request.len = 0;
}

static void
judge(struct fixture *f, const char *text)
{
	struct built b;

	assert_int_equal(built_from(&b, text), 0);
	rejudge_run(
	    &f->rejudge, f->leases, b.registry, &f->config, NULL, true, &f->change, NOW);
	assert_int_equal(change_end(&f->change), 0);
	rejudge_settle(&f->rejudge, true);
	built_close(&b);
}

/* Where port 80 leads in the change; 0: to itself, -1: it is not written. */
static int
written(struct fixture *f)
{
	struct enforcer_message m;
	uint32_t len;
	int to = -1;

	for (size_t at = 0; at < f->change.frames.len; at += len) {
		memcpy(&len, f->change.frames.bytes + at, sizeof(len));
		at += sizeof(len);
		memcpy(&m, f->change.frames.bytes + at, len);
		for (size_t i = 0; m.kind == ENFORCER_LEASES && i < m.count; i++)
			if (m.body.leases[i].port == 80)
				to = m.body.leases[i].to;
	}
	return to;
}

static void
each_port_leads_where_its_entry_says(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(plan(f, ENTRY("a.t", TO(8080)), "a.t"), 1);
	assert_int_equal(f->request.len, 2);
	assert_int_equal(f->request.leases[0]->target.to, 8080);
	assert_int_equal(f->request.leases[1]->target.to, 0);
}

static void
a_name_that_leads_elsewhere_gets_no_lease_of_another(void **state)
{
	struct fixture *f = *state;
	static const char both[] = ENTRY("a.t", TO(8080)) ENTRY("b.t", TO(8080))
	    ENTRY("c.t", TO(9090)) ENTRY("d.t", "");

	assert_int_equal(plan(f, both, "a.t"), 1);
	settle(f, true);
	assert_int_equal(plan(f, both, "b.t"), 1);
	settle(f, true);
	assert_int_equal(plan(f, both, "c.t"), 0);
	assert_int_equal(f->request.len, 0);
	assert_int_equal(plan(f, both, "d.t"), 0);
}

static void
a_change_writes_what_leads_elsewhere(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(plan(f, ENTRY("a.t", TO(8080)), "a.t"), 1);
	settle(f, true);
	judge(f, ENTRY("a.t", TO(8080)));
	assert_int_equal(written(f), 8080);
}

static void
a_change_leaves_out_what_does_not(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(plan(f, ENTRY("a.t", TO(8080)), "a.t"), 1);
	settle(f, true);
	judge(f, ENTRY("a.t", ""));
	assert_int_equal(written(f), -1);
	assert_int_equal(f->rejudge.withdrawn, 0);
}

static void
a_new_target_port_is_written(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(plan(f, ENTRY("a.t", ""), "a.t"), 1);
	settle(f, true);
	judge(f, ENTRY("a.t", TO(8080)));
	assert_int_equal(written(f), 8080);
}

/* The map of ports is emptied after a commit that was sent before. */
static void
what_is_still_being_committed_is_written_too(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(plan(f, ENTRY("a.t", TO(8080)), "a.t"), 1);
	for (size_t i = 0; i < f->request.len; i++)
		(void)lease_ask(f->leases, f->request.leases[i], NOW, END);
	judge(f, ENTRY("a.t", TO(8080)));
	assert_int_equal(written(f), 8080);
	settle(f, true);
}

static void
what_two_names_claim_leads_as_the_older_one_says(void **state)
{
	struct fixture *f = *state;
	static const char before[] = ENTRY("a.t", TO(8080)) ENTRY("b.t", TO(8080));

	assert_int_equal(plan(f, before, "a.t"), 1);
	settle(f, true);
	assert_int_equal(plan(f, before, "b.t"), 1);
	settle(f, true);
	judge(f, ENTRY("a.t", TO(9090)) ENTRY("b.t", TO(7070)));
	assert_int_equal(written(f), 9090);
}

#define LEAD_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LEAD_TEST(each_port_leads_where_its_entry_says),
	    LEAD_TEST(a_name_that_leads_elsewhere_gets_no_lease_of_another),
	    LEAD_TEST(a_change_writes_what_leads_elsewhere),
	    LEAD_TEST(a_change_leaves_out_what_does_not),
	    LEAD_TEST(a_new_target_port_is_written),
	    LEAD_TEST(what_is_still_being_committed_is_written_too),
	    LEAD_TEST(what_two_names_claim_leads_as_the_older_one_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
