/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RDATA of an HTTPS record: what is read is written without ech and without the hints
 * that are not kept, and what was written can be read again and stays as it is.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/svcb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
all(const void *ctx, const struct addr *addr)
{
	(void)ctx;
	(void)addr;
	return true;
}

static bool
even(const void *ctx, const struct addr *addr)
{
	(void)ctx;
	return addr->bytes[3] % 2 == 0;
}

static bool
none(const void *ctx, const struct addr *addr)
{
	(void)ctx;
	(void)addr;
	return false;
}

static void
check(const struct svcb *s, svcb_keep_fn keep)
{
	/* just so long, so that a byte too many is seen */
	uint8_t *out = malloc(s->len), *again = malloc(s->len);
	struct svcb written;
	size_t kept = 0, len;

	assert(out != NULL && again != NULL);
	for (size_t i = 0; i < svcb_hint_count(s); i++) {
		struct addr addr = svcb_hint(s, i);

		kept += keep(NULL, &addr);
	}
	len = svcb_write(s, keep, NULL, out);
	assert(len <= s->len);
	assert(svcb_parse(out, len, &written) == 0);
	assert(svcb_hint_count(&written) == kept);
	assert(written.priority == s->priority && written.params == s->params);
	assert(svcb_write(&written, keep, NULL, again) == len);
	assert(memcmp(out, again, len) == 0);
	free(again);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct svcb s;

	if (size > UINT16_MAX || svcb_parse(data, size, &s) < 0)
		return 0;
	check(&s, all);
	check(&s, even);
	check(&s, none);
	return 0;
}
