/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/forecast_bed.h"

#include <string.h>

#include <event2/event.h>

#include "tests/unit/alloc.h"

int
foreseen_set_up(void **state)
{
	static struct fixture f;
	struct lease_limits limits = {
	    .size = LEASES_MAX, .per_pod = 64, .per_name = 64, .timeout_ms = 3600 * 1000};
	struct hash_key key = {{1, 2}};

	memset(&f, 0, sizeof(f));
	f.base = event_base_new();
	assert_non_null(f.base);
	assert_int_equal(pods_init(&f.pods, &key), 0);
	assert_int_equal(leases_new(&limits, &f.pods, &key, &f.leases), 0);
	assert_int_equal(
	    built_from(&f.both, ENTRY("a", "*.a.test") ENTRY("b", "*.b.test")), 0);
	assert_int_equal(built_from(&f.one, ENTRY("a", "*.a.test")), 0);
	*state = &f;
	return 0;
}

int
foreseen_tear_down(void **state)
{
	struct fixture *f = *state;

	alloc_reset();
	forecast_free(f->forecast);
	leases_free(f->leases);
	pods_done(&f->pods);
	built_close(&f->both);
	built_close(&f->one);
	event_base_free(f->base);
	return 0;
}

struct addr
foreseen_pod_at(unsigned pod)
{
	return addr_make(
	    AF_INET, (uint8_t[]){10, 244, (uint8_t)(pod >> 8), (uint8_t)pod});
}

struct lease_target
foreseen_https_at(uint8_t host)
{
	return (struct lease_target){
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, host}),
	    .port = 443,
	    .proto = IPPROTO_TCP,
	};
}

/* Held by the test until it releases it. */
struct grant *
foreseen_grant_of(struct fixture *f, unsigned pod, const char *text)
{
	const struct addr source = foreseen_pod_at(pod);
	struct grant *g;
	struct name name;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	g = lease_grant(f->leases, &source, &name);
	assert_non_null(g);
	return g;
}

/* What the kernel was found to hold, as it stands under "both". */
void
foreseen_hold_at(struct fixture *f, unsigned pod, const char *text, uint8_t host)
{
	const struct addr source = foreseen_pod_at(pod);
	const struct lease_target target = foreseen_https_at(host);
	struct verdict verdict;
	struct grant *g;
	struct name name;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	registry_judge(f->both.registry, NULL, &name, &verdict);
	assert_int_equal(
	    lease_restore(f->leases, &source, &name, &target, NOW + 60000), 0);
	g = foreseen_grant_of(f, pod, text);
	g->origin = verdict.host->origin;
	lease_grant_release(f->leases, g);
}

void
foreseen_hold(struct fixture *f, unsigned pod, const char *text)
{
	foreseen_hold_at(f, pod, text, 1);
}

bool
foreseen_is_found(struct fixture *f, unsigned pod, uint8_t host)
{
	const struct addr source = foreseen_pod_at(pod);
	const struct lease_target target = foreseen_https_at(host);

	return lease_find(f->leases, &source, &target) != NULL;
}

void
foreseen_on_done(void *ctx)
{
	struct fixture *f = ctx;

	f->done++;
}

void
foreseen_begin(struct fixture *f, const struct built *registry)
{
	assert_int_equal(forecast_new(f->base, f->leases, registry->registry, true,
			     foreseen_on_done, f, &f->forecast),
	    0);
}

void
foreseen_turn(struct fixture *f)
{
	assert_true(event_base_loop(f->base, EVLOOP_ONCE) >= 0);
}

void
foreseen_finish(struct fixture *f)
{
	while (f->done == 0)
		foreseen_turn(f);
	assert_int_equal(f->done, 1);
}

size_t
foreseen_listed(const struct fixture *f)
{
	size_t n = 0;

	while (forecast_grant(f->forecast, n) != NULL)
		n++;
	return n;
}

size_t
foreseen_withdrawn(const struct fixture *f)
{
	const struct withdrawal *w = forecast_withdrawal(f->forecast);

	return w->len - w->taken_back;
}
