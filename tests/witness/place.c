/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/witness/place.h"

#include <errno.h>
#include <string.h>

static int
place_parse(struct place *p, const char *word)
{
	size_t len = strcspn(word, "=");

	if (len == 0 || len >= sizeof(p->name) || word[len] != '=')
		return -EINVAL;
	memcpy(p->name, word, len);
	word += len;
	while (*word != '\0') {
		word++;
		len = strcspn(word, ",");
		if (p->count == PLACE_ADDRS_MAX)
			return -EINVAL;
		if (addr_parse(word, len, &p->addrs[p->count++]) != 0)
			return -EINVAL;
		word += len;
	}
	return 0;
}

int
places_parse(struct places *p, char *const *words, size_t count)
{
	memset(p, 0, sizeof(*p));
	if (count < 2 || count > PLACES_MAX)
		return -EINVAL;
	for (; p->len < count; p->len++) {
		int err = place_parse(&p->list[p->len], words[p->len]);

		if (err != 0)
			return err;
	}
	return 0;
}

int
places_find(struct places *p)
{
	for (size_t i = 0; i < p->len; i++) {
		p->list[i].index = if_nametoindex(p->list[i].name);
		if (p->list[i].index == 0)
			return -ENODEV;
	}
	return 0;
}

int
places_by_index(const struct places *p, unsigned index)
{
	for (size_t i = 0; i < p->len; i++) {
		if (p->list[i].index == index)
			return (int)i;
	}
	return -1;
}

bool
place_has(const struct place *p, const struct addr *a)
{
	for (size_t i = 0; i < p->count; i++) {
		if (addr_equal(&p->addrs[i], a))
			return true;
	}
	return false;
}

struct addr
place_addr(const struct place *p, uint8_t family)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->addrs[i].family == family)
			return p->addrs[i];
	}
	return (struct addr){0};
}
