/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/entropy.h"

#include <assert.h>
#include <string.h>

void
entropy_init(struct entropy *e, int (*fill)(void *out, size_t len))
{
	e->fill = fill;
	e->left = 0;
}

void
entropy_done(struct entropy *e)
{
	explicit_bzero(e->stock, sizeof(e->stock));
	e->left = 0;
}

int
entropy_take(struct entropy *e, size_t len, void *ret_bytes)
{
	int r;

	assert(len <= sizeof(e->stock));
	if (e->left < len) {
		e->left = 0;
		r = e->fill(e->stock, sizeof(e->stock));
		if (r < 0)
			return r;
		e->left = sizeof(e->stock);
	}
	e->left -= len;
	memcpy(ret_bytes, e->stock + e->left, len);
	explicit_bzero(e->stock + e->left, len);
	return 0;
}
