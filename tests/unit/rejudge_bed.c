/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/rejudge_bed.h"

#include <string.h>

#include <event2/event.h>

int
leased_set_up(void **state)
{
	static struct fixture f;
	struct lease_limits limits = {
	    .size = 64, .per_pod = 64, .per_name = 64, .timeout_ms = 3600 * 1000};
	struct hash_key key = {{1, 2}};
	struct enforcer_table table = {.enforce = 1};

	memset(&f, 0, sizeof(f));
	assert_int_equal(pods_init(&f.pods, &key), 0);
	assert_int_equal(leases_new(&limits, &f.pods, &key, &f.leases), 0);
	f.pod = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2});
	f.config.pod_range_count = 1;
	f.config.pod_ranges[0] = (struct prefix){
	    .addr = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 0}), .len = 16};
	change_begin(&f.change, &table);
	f.rejudge = (struct rejudge){.leases = f.leases, .change = &f.change};
	*state = &f;
	return 0;
}

/* What a forecast names is all that there is to be done. */
int
leased_set_up_foreseen(void **state)
{
	struct fixture *f;

	(void)leased_set_up(state);
	f = *state;
	f->base = event_base_new();
	return f->base != NULL ? 0 : -1;
}

int
leased_tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->base != NULL)
		event_base_free(f->base);
	change_done(&f->change);
	leases_free(f->leases);
	pods_done(&f->pods);
	return 0;
}

struct registry *
leased_build(const char *text)
{
	struct registry_settings settings = {0};
	struct registry *registry = NULL;
	struct registry_builder *b;
	struct findings findings;

	findings_init(&findings, FINDINGS_MAX);
	b = registry_builder_new(&settings, &findings);
	assert_non_null(b);
	assert_int_equal(registry_builder_add(b, "test.yaml", text, strlen(text)), 0);
	assert_int_equal(registry_builder_finish(b, &registry), 0);
	findings_done(&findings);
	return registry;
}

void
leased_hold(struct fixture *f, const char *text, uint8_t host, uint16_t port)
{
	struct lease_target t = {
	    .addr = addr_make(AF_INET, (uint8_t[]){198, 51, 100, host}),
	    .port = port,
	    .proto = IPPROTO_TCP,
	};
	struct name name;

	assert_int_equal(name_parse(text, strlen(text), &name), 0);
	assert_int_equal(lease_restore(f->leases, &f->pod, &name, &t, NOW + 60000), 0);
}

static void
on_foreseen(void *ctx)
{
	(void)ctx;
}

void
leased_judge(struct fixture *f, const char *text)
{
	const struct enforcer_table table = {.enforce = 1};
	struct registry *registry = leased_build(text);
	struct forecast *forecast = NULL;

	change_done(&f->change); /* the last one's */
	change_begin(&f->change, &table);
	if (f->base != NULL) {
		assert_int_equal(forecast_new(f->base, f->leases, registry, true,
				     on_foreseen, NULL, &forecast),
		    0);
		assert_int_equal(event_base_dispatch(f->base), 1); /* nothing is left */
		assert_true(forecast_is_whole(forecast));
	}
	rejudge_run(&f->rejudge, f->leases, registry, &f->config, forecast, true,
	    &f->change, NOW);
	if (forecast != NULL)
		forecast_apply(forecast, on_foreseen, NULL);
	forecast_free(forecast);
	assert_int_equal(change_end(&f->change), 0);
	registry_unref(registry);
}

/* The next message of the change, from *part and *pos on. */
static bool
next_message(struct fixture *f, size_t *part, size_t *pos, struct enforcer_message *ret_m)
{
	const struct buf *parts[] = {
	    &f->change.frames, &f->change.ahead[0], &f->change.ahead[1], &f->change.rest};
	uint32_t size;

	while (*part < ARRAY_LEN(parts) && *pos == parts[*part]->len) {
		++*part;
		*pos = 0;
	}
	if (*part == ARRAY_LEN(parts))
		return false;
	memcpy(&size, parts[*part]->bytes + *pos, sizeof(size));
	memcpy(ret_m, parts[*part]->bytes + *pos + sizeof(size), size);
	*pos += sizeof(size) + size;
	return true;
}

size_t
leased_records(struct fixture *f, enum enforcer_kind kind, const char *name)
{
	struct enforcer_message m;
	size_t n = 0, part = 0, pos = 0;

	while (next_message(f, &part, &pos, &m))
		if (m.kind == kind && strcmp(m.name, name) == 0)
			n += m.count;
	return n;
}

bool
leased_message(struct fixture *f, struct enforcer_message *m)
{
	size_t part = 0, pos = 0;

	while (next_message(f, &part, &pos, m))
		if (m->kind == ENFORCER_LEASES)
			return true;
	return false;
}
