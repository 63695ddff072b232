/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/element_form.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "daemon/enforcer/layout.h"

/* pod . destination . protocol . port; each field fills whole registers of 4 bytes. */
static bool
read_key(const uint8_t *key, size_t len, uint8_t family, struct enforcer_lease *ret_lease)
{
	const size_t size = family == AF_INET ? 4 : 16;
	uint16_t port;

	if (len != 2 * size + 8)
		return false;
	*ret_lease = (struct enforcer_lease){
	    .pod = addr_make(family, key),
	    .destination = addr_make(family, key + size),
	    .proto = key[2 * size],
	};
	memcpy(&port, key + 2 * size + 4, sizeof(port));
	ret_lease->port = be16toh(port);
	return true;
}

/* In the order of their versions. */
static const struct element_form forms[] = {
    {
	.since = 1,
	.leases = {"leases4", "leases6"},
	.cuts = {"cut4", "cut6"},
	.read_key = read_key,
    },
};

const struct element_form *
element_form_of(uint32_t version)
{
	const struct element_form *form = NULL;

	if (version > LAYOUT_VERSION)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (forms[i].since <= version)
			form = &forms[i];
	return form;
}

const struct element_form *
element_form_present(void)
{
	const struct element_form *form = element_form_of(LAYOUT_VERSION);

	assert(form != NULL);
	return form;
}
