/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "daemon/loader/interface.h"

static struct prefix
prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, strlen(text), &p), 0);
	return p;
}

static int
find(const struct prefix *list, int len, const char *text)
{
	struct prefix p = prefix(text);

	for (int i = 0; i < len; i++)
		if (memcmp(&list[i], &p, sizeof(p)) == 0)
			return 1;
	return 0;
}

static void
loopback_is_found_unless_it_is_known(void **state)
{
	struct prefix known = prefix("127.0.0.0/8");
	struct prefix list[INTERFACE_ADDRESSES_MAX];
	int n;

	(void)state;
	n = interface_addresses(NULL, 0, list, INTERFACE_ADDRESSES_MAX);
	assert_true(n >= 1);
	assert_true(find(list, n, "127.0.0.1/32"));
	n = interface_addresses(&known, 1, list, INTERFACE_ADDRESSES_MAX);
	assert_true(n >= 0);
	assert_false(find(list, n, "127.0.0.1/32"));
}

static void
no_more_than_there_is_room_for(void **state)
{
	struct prefix list[1];

	(void)state;
	assert_int_equal(interface_addresses(NULL, 0, list, 0), 0);
	assert_true(interface_addresses(NULL, 0, list, 1) <= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(loopback_is_found_unless_it_is_known),
	    cmocka_unit_test(no_more_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
