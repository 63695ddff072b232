/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/target.h"

#include <string.h>

#include "policy/registry/way.h"

int
targets_init(struct targets *t, struct memory *image, size_t count)
{
	size_t size = MIN_OF(count, REGISTRY_TARGETS_MAX);

	*t = (struct targets){.size = size};
	t->list = memory_array(image, size, sizeof(*t->list));
	return t->list != NULL ? 0 : image->lack;
}

static bool
has(const struct targets *t, const uint8_t *name, uint8_t len)
{
	for (size_t i = 0; i < t->len; i++)
		if (t->list[i].len == len && memcmp(t->list[i].name, name, len) == 0)
			return true;
	return false;
}

int
targets_add(
    struct targets *t, struct memory *image, const struct tree *tree, const char *text)
{
	struct registry_target target;
	struct name name;
	uint8_t *copy;
	int r;

	r = name_parse(text, strlen(text), &name);
	if (r < 0)
		return r;
	if (has(t, name.bytes, name.len))
		return 0;
	if (t->len == t->size) {
		t->left_out++;
		return 1;
	}
	copy = memory_alloc(image, name.len);
	if (copy == NULL)
		return image->lack;
	memcpy(copy, name.bytes, name.len);
	target = (struct registry_target){
	    .name = copy,
	    .len = name.len,
	    .zone = tree_zone(tree, &name),
	};
	return targets_join(t, &target);
}

int
targets_join(struct targets *t, const struct registry_target *target)
{
	if (has(t, target->name, target->len))
		return 0;
	if (t->len == t->size) {
		t->left_out++;
		return 1;
	}
	t->list[t->len++] = *target;
	return 0;
}

/* Where the host's ports lead at what this target gives. */
static uint64_t
ports_sum(const struct registry_host *host, const struct registry_target *t,
    const struct hash_key *key)
{
	uint8_t bytes[NAME_WIRE_MAX + 5];
	uint64_t sum = 0;

	memcpy(bytes, t->name, t->len);
	for (size_t i = 0; i < host->port_count; i++) {
		const struct registry_port *p = &host->ports[i];
		const uint16_t to = way_target_port(t, p);

		memcpy(bytes + t->len, &p->number, sizeof(p->number));
		memcpy(bytes + t->len + 2, &to, sizeof(to));
		bytes[t->len + 4] = p->proto;
		sum += hash_bytes(key, bytes, t->len + 5u);
	}
	return sum;
}

uint64_t
targets_origin(const struct registry_host *host, const struct hash_key *key)
{
	const bool differs = way_differs(host);
	uint64_t sum = 0;

	if (host->target_count == 0)
		return 0;
	for (size_t i = 0; i < host->target_count; i++) {
		sum += hash_bytes(key, host->targets[i].name, host->targets[i].len);
		if (differs)
			sum += ports_sum(host, &host->targets[i], key);
	}
	for (size_t i = 0; i < host->endpoint_count; i++) {
		const struct addr *a = &host->endpoints[i].addr;

		sum += hash_bytes(key, a->bytes, addr_len(a));
	}
	return MAX_OF(sum, 1);
}
