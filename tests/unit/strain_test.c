/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "daemon/lease/strain.h"

static void
four_fifths_are_near(void **state)
{
	struct strain s = {0};

	(void)state;
	strain_grow(&s, STRAIN_POD, 79, 100);
	assert_false(strain_is_near(&s));
	strain_grow(&s, STRAIN_POD, 80, 100);
	assert_true(strain_is_near(&s) && s.near[STRAIN_POD]);
	assert_false(s.near[STRAIN_NAME] || s.near[STRAIN_SIZE]);
	strain_grow(&s, STRAIN_POD, 1, 100); /* another pod's: it stays said */
	assert_true(s.near[STRAIN_POD]);
	strain_clear(&s);
	assert_false(strain_is_near(&s));
	strain_grow(&s, STRAIN_NAME, 1, 1);
	strain_grow(&s, STRAIN_SIZE, SIZE_MAX / 100, SIZE_MAX / 100);
	assert_true(s.near[STRAIN_NAME] && s.near[STRAIN_SIZE]);
}

static void
what_is_used_up_is_refused_and_counted(void **state)
{
	struct strain s = {0};

	(void)state;
	assert_false(strain_refuses(&s, STRAIN_SIZE, 9, 10));
	assert_false(s.reached[STRAIN_SIZE]);
	assert_true(strain_refuses(&s, STRAIN_SIZE, 10, 10));
	assert_true(strain_refuses(&s, STRAIN_SIZE, 11, 10)); /* the limit came down */
	assert_true(s.reached[STRAIN_SIZE]);
	assert_false(s.reached[STRAIN_NAME] || s.reached[STRAIN_POD]);
	strain_clear(&s);
	assert_false(s.reached[STRAIN_SIZE]);
	assert_int_equal(s.refused[STRAIN_SIZE], 2);
	assert_int_equal(s.refused[STRAIN_NAME], 0);
}

static void
each_limit_is_an_option(void **state)
{
	(void)state;
	assert_string_equal(strain_option(STRAIN_NAME), "lease.perName");
	assert_string_equal(strain_option(STRAIN_POD), "lease.perPod");
	assert_string_equal(strain_option(STRAIN_SIZE), "lease.size");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(four_fifths_are_near),
	    cmocka_unit_test(what_is_used_up_is_refused_and_counted),
	    cmocka_unit_test(each_limit_is_an_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
