/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <string.h>

#include "policy/yaml/word.h"

static size_t
count(void)
{
	size_t n = 0;

	while (n < WORD_NONE && word_text((uint8_t)n) != NULL)
		n++;
	return n;
}

static void
every_word_is_found_under_its_number(void **state)
{
	(void)state;
	assert_true(count() > 100);
	for (size_t i = 0; i < count(); i++) {
		const char *text = word_text((uint8_t)i);

		assert_int_equal(word_find(text, strlen(text)), i);
	}
	assert_null(word_text(WORD_NONE));
}

static void
words_are_in_the_order_that_they_are_looked_up_in(void **state)
{
	(void)state;
	for (size_t i = 1; i < count(); i++) {
		const char *one = word_text((uint8_t)(i - 1));
		const char *next = word_text((uint8_t)i);

		assert_true(strlen(one) < strlen(next) ||
			    (strlen(one) == strlen(next) && strcmp(one, next) < 0));
	}
}

/* Nothing behind the length is looked at, nor in front of it passed over. */
static void
what_is_no_word_has_no_number(void **state)
{
	static const char *const texts[] = {"", "?", "8", "888", "Host", "host", "HOSTS",
	    "hostsx", "ServiceEntri", "networking.istio.io/v2",
	    "kubectl.kubernetes.io/last-applied-configuratioN",
	    "kubectl.kubernetes.io/last-applied-configurationx",
	    "a text that is longer than the longest of all the words is, and by far"};
	char word[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(word_find(texts[i], strlen(texts[i])), WORD_NONE);
	for (size_t i = 0; i < count(); i++) {
		size_t len = strlen(word_text((uint8_t)i));

		memcpy(word, word_text((uint8_t)i), len);
		word[len] = '\1';
		assert_int_equal(word_find(word, len + 1), WORD_NONE);
		assert_int_equal(word_find(word, len), i);
	}
	assert_int_equal(word_find("hosts\0of", 8), WORD_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_word_is_found_under_its_number),
	    cmocka_unit_test(words_are_in_the_order_that_they_are_looked_up_in),
	    cmocka_unit_test(what_is_no_word_has_no_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
