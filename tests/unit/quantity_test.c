/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "daemon/config/quantity.h"

static void
durations_and_sizes_are_one_number_and_one_unit(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} durations[] = {
	    {"0s", 0, 0},
	    {"500ms", 0, 500},
	    {"30s", 0, 30000},
	    {"5m", 0, 300000},
	    {"1h", 0, 3600000},
	    {"", -EINVAL, 0},
	    {"s", -EINVAL, 0},
	    {"5", -EINVAL, 0},
	    {"-5s", -EINVAL, 0},
	    {"+5s", -EINVAL, 0},
	    {"5 s", -EINVAL, 0},
	    {"1.5h", -EINVAL, 0},
	    {"1h30m", -EINVAL, 0},
	    {"5S", -EINVAL, 0},
	    {"18446744073709551615ms", 0, UINT64_MAX},
	    {"18446744073709551616ms", -ERANGE, 0},
	    {"18446744073709551615s", -ERANGE, 0},
	};
	uint64_t value;
	char buf[QUANTITY_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
		value = 0;
		assert_int_equal(quantity_parse_ms(durations[i].text,
				     strlen(durations[i].text), &value),
		    durations[i].result);
		assert_int_equal(value, durations[i].value);
	}
	assert_int_equal(quantity_parse_bytes("32MiB", 5, &value), 0);
	assert_int_equal(value, 32 << 20);
	assert_int_equal(quantity_parse_bytes("32MiBx", 5, &value), 0);
	assert_int_equal(quantity_parse_bytes("7", 1, &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(quantity_parse_bytes("7MB", 3, &value), -EINVAL);
	assert_string_equal(quantity_format_ms(90000, buf), "90s");
	assert_string_equal(quantity_format_ms(1500, buf), "1500ms");
	assert_string_equal(quantity_format_ms(7200000, buf), "2h");
	assert_string_equal(quantity_format_ms(0, buf), "0s");
	assert_string_equal(quantity_format_bytes(65536, buf), "64KiB");
	assert_string_equal(quantity_format_bytes(65537, buf), "65537");
	assert_string_equal(quantity_format_bytes(1 << 30, buf), "1GiB");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_and_sizes_are_one_number_and_one_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
