/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/name.h"

#define LABEL_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define LABEL_61 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"

static struct name
name_of(const char *text)
{
	struct name n;

	assert_int_equal(name_parse(text, strlen(text), &n), 0);
	return n;
}

static void
assert_wire(const struct name *n, const char *wire, size_t len, unsigned labels)
{
	assert_int_equal(n->len, len);
	assert_int_equal(n->labels, labels);
	assert_memory_equal(n->bytes, wire, len);
}

static void
text_becomes_lower_case_wire_form(void **state)
{
	struct name n = name_of("WWW.Google.com");

	(void)state;
	assert_wire(&n, "\3www\6google\3com", 16, 3);
	n = name_of("google.com.");
	assert_wire(&n, "\6google\3com", 12, 2);
	n = name_of("*.google.com");
	assert_wire(&n, "\1*\6google\3com", 14, 3);
}

static void
the_root_is_a_dot(void **state)
{
	struct name n = name_of(".");
	char buf[NAME_TEXT_MAX];

	(void)state;
	assert_wire(&n, "", 1, 0);
	assert_string_equal(name_format(&n, buf), ".");
}

static void
empty_names_and_labels_are_refused(void **state)
{
	static const char *const texts[] = {
	    "", "..", ".a", ".a.", "a..", "a..b", "a.b..", "...", ". "};
	struct name n = {.len = 77};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(name_parse(texts[i], strlen(texts[i]), &n), -EINVAL);
	assert_int_equal(n.len, 77);
}

static void
length_ends_the_text(void **state)
{
	struct name n;

	(void)state;
	assert_int_equal(name_parse("google.com", 8, &n), 0);
	assert_wire(&n, "\6google\1c", 10, 2);
	assert_int_equal(name_parse("a\\046", 4, &n), -EINVAL);
	assert_int_equal(name_parse("a\\046", 2, &n), -EINVAL);
}

static void
a_label_has_at_most_63_bytes(void **state)
{
	struct name n = name_of(LABEL_63);

	(void)state;
	assert_int_equal(n.len, 65);
	assert_int_equal(n.bytes[0], 63);
	assert_int_equal(name_parse(LABEL_63 "a", 64, &n), -EINVAL);
	assert_int_equal(name_parse("b." LABEL_63 "a.c", 68, &n), -EINVAL);
}

static void
a_name_has_at_most_255_bytes(void **state)
{
	static const char most[] = LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61;
	static const char more[] = LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61 "a";
	static const char dotted[] = LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61 ".a";
	struct name n = name_of(most);

	(void)state;
	assert_int_equal(n.len, NAME_WIRE_MAX);
	assert_int_equal(n.bytes[NAME_WIRE_MAX - 1], 0);
	assert_int_equal(name_parse(most, sizeof(most) - 1, &n), 0);
	assert_int_equal(name_parse(more, sizeof(more) - 1, &n), -EINVAL);
	assert_int_equal(name_parse(dotted, sizeof(dotted) - 1, &n), -EINVAL);
}

static void
a_name_has_at_most_127_labels(void **state)
{
	char text[2 * (NAME_LABELS_MAX + 1)];
	struct name n;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "a.", 2);
	assert_int_equal(name_parse(text, (size_t)2 * NAME_LABELS_MAX, &n), 0);
	assert_int_equal(n.labels, NAME_LABELS_MAX);
	assert_int_equal(n.len, NAME_WIRE_MAX);
	assert_int_equal(name_parse(text, sizeof(text), &n), -EINVAL);
}

static void
escapes_are_bytes_of_the_label(void **state)
{
	struct name n;

	(void)state;
	n = name_of("a\\.b.c");
	assert_wire(&n, "\3a.b\1c", 7, 2);
	n = name_of("a\\046b.c");
	assert_wire(&n, "\3a.b\1c", 7, 2);
	n = name_of("\\000\\255");
	assert_wire(&n, "\2\0\377", 4, 1);
	n = name_of("\\\\");
	assert_wire(&n, "\1\\", 3, 1);
	n = name_of("\\065\\A");
	assert_wire(&n, "\2aa", 4, 1);
	n = name_of("a\\.");
	assert_wire(&n, "\2a.", 4, 1);
}

static void
broken_escapes_are_refused(void **state)
{
	static const char *const texts[] = {"\\", "a\\", "\\0", "\\04", "\\256", "\\999",
	    "\\1a2", "\\12a", "a.\\1", "a\\25.b", "\\300.b"};
	struct name n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(name_parse(texts[i], strlen(texts[i]), &n), -EINVAL);
}

static void
raw_nul_and_high_bytes_are_data(void **state)
{
	struct name n;

	(void)state;
	assert_int_equal(name_parse("a\0b", 3, &n), 0);
	assert_wire(&n, "\3a\0b", 5, 1);
	assert_int_equal(name_parse("\303\204", 2, &n), 0); /* not folded: RFC 4343 */
	assert_wire(&n, "\2\303\204", 4, 1);
}

static void
unusual_bytes_format_escaped(void **state)
{
	struct name n;
	char buf[NAME_TEXT_MAX];

	(void)state;
	n = name_of("*.a-b_c.09");
	assert_string_equal(name_format(&n, buf), "*.a-b_c.09");
	n = name_of("\\000\\010\\027\\032.\\\"\\..\\\\.\\127\\200\\255");
	assert_string_equal(name_format(&n, buf),
	    "\\000\\010\\027\\032.\\034\\046.\\092.\\127\\200\\255");
}

static void
every_byte_survives_text_and_back(void **state)
{
	char text[NAME_TEXT_MAX];
	struct name again;

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		uint8_t wire[] = {2, 'x', (uint8_t)byte, 1, (uint8_t)byte, 0};
		struct name n;

		name_from_wire(wire, sizeof(wire), &n);
		name_format(&n, text);
		assert_int_equal(name_parse(text, strlen(text), &again), 0);
		assert_true(name_equal(&n, &again));
	}
}

static void
the_longest_text_fits_its_buffer(void **state)
{
	static const size_t lens[] = {63, 63, 63, 61};
	uint8_t wire[NAME_WIRE_MAX] = {0};
	char text[NAME_TEXT_MAX];
	struct name n;
	size_t pos = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		wire[pos++] = (uint8_t)lens[i];
		memset(wire + pos, 0xff, lens[i]);
		pos += lens[i];
	}
	name_from_wire(wire, sizeof(wire), &n);
	assert_true(strlen(name_format(&n, text)) < sizeof(text));
	assert_int_equal(name_parse(text, strlen(text), &n), 0);
	assert_memory_equal(n.bytes, wire, sizeof(wire));
}

static void
wire_form_folds_letters_and_not_lengths(void **state)
{
	/* no length is a capital letter, because no label has 65 bytes; but data is */
	static const uint8_t wire[] = "\4A@[Z\2\0Z";
	struct name n;

	(void)state;
	name_from_wire(wire, sizeof(wire), &n);
	assert_wire(&n, "\4a@[z\2\0z", 9, 2);
	name_from_wire((const uint8_t *)"", 1, &n);
	assert_wire(&n, "", 1, 0);
}

static void
wire_form_may_be_read_in_place(void **state)
{
	struct name n = name_of("www.google.com");

	(void)state;
	n.bytes[1] = 'W';
	name_from_wire(n.bytes, n.len, &n);
	assert_wire(&n, "\3www\6google\3com", 16, 3);
}

/* Does this end in an assert? Tried in a child of our own, on memory of exactly that
 * size, zero behind what is given. */
static bool
aborts(const uint8_t wire[4], size_t len)
{
	struct rlimit no_core = {0};
	uint8_t *exact = calloc(1, len + (len == 0));
	struct name n;
	int status;
	pid_t child;

	assert_non_null(exact);
	memcpy(exact, wire, MIN_OF(len, 4));
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core); /* only tidier */
		(void)close(STDERR_FILENO);             /* the assert's own text */
		name_from_wire(exact, len, &n);
		_exit(0);
	}
	free(exact);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
wire_form_that_is_not_well_formed_is_caught(void **state)
{
	static const struct {
		uint8_t wire[4];
		size_t len;
	} rows[] = {
	    {{0}, 0},              /* nothing */
	    {{1, 'a'}, 2},         /* no root label */
	    {{2, 'a', 0}, 3},      /* a label that takes the root label in */
	    {{0, 0}, 2},           /* something behind the root label */
	    {{64, 'a', 0}, 3},     /* a label of 64 */
	    {{0xc0, 12, 0}, 3},    /* a pointer */
	    {{1, 'a', 0, 0}, 256}, /* above 255 */
	};
	static const uint8_t good[4] = {1, 'a', 0};

	(void)state;
	assert_false(aborts(good, 3));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_true(aborts(rows[i].wire, rows[i].len));
}

static void
equality_is_of_wire_forms(void **state)
{
	struct name a = name_of("google.com");
	struct name b = name_of("GOOGLE.COM.");
	struct name dot = name_of("google\\.com");
	struct name other = name_of("google.con");
	struct name longer = name_of("google.com.com");

	(void)state;
	assert_true(name_equal(&a, &b));
	assert_false(name_equal(&a, &dot));
	assert_false(name_equal(&a, &other));
	assert_false(name_equal(&a, &longer));
}

static void
parents_lead_to_the_root(void **state)
{
	struct name n = name_of("a.b\\.c.d");

	(void)state;
	name_parent(&n, &n);
	assert_wire(&n, "\3b.c\1d", 7, 2);
	name_parent(&n, &n);
	assert_wire(&n, "\1d", 3, 1);
	name_parent(&n, &n);
	assert_wire(&n, "", 1, 0);
}

static void
within_goes_by_whole_labels(void **state)
{
	static const struct {
		const char *name, *ancestor;
		bool within;
	} rows[] = {
	    {"google.com", "google.com", true},
	    {"www.google.com", "google.com", true},
	    {"a.b.google.com", "google.com", true},
	    {"google.com", "com", true},
	    {"google.com", ".", true},
	    {".", ".", true},
	    {".", "com", false},
	    {"com", "google.com", false},
	    {"notgoogle.com", "google.com", false},
	    {"google.com.evil", "google.com", false},
	    {"not\\.google.com", "google.com", false},
	    {"xgoogle.com", "ogle.com", false},
	    {"a.google.net", "google.com", false},
	    /* the bytes of the ancestor's wire form inside of one label */
	    {"a\\006google\\003com", "google.com", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct name n = name_of(rows[i].name);
		struct name ancestor = name_of(rows[i].ancestor);

		assert_int_equal(name_within(&n, &ancestor), rows[i].within);
	}
}

static void
within_stays_inside_of_both_names(void **state)
{
	static const char most[] = LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_61;
	struct name ancestor = name_of(most);
	char text[2 * NAME_LABELS_MAX];
	struct name *n = malloc(sizeof(*n));

	(void)state;
	assert_non_null(n);
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "a.", 2);
	assert_int_equal(name_parse(text, sizeof(text), n), 0);
	assert_false(name_within(n, &ancestor)); /* its last 4 labels are 9 bytes */
	free(n);
}

static void
equal_names_hash_equal_under_one_key(void **state)
{
	struct hash_key key = {{1, 2}};
	struct hash_key other_key = {{1, 3}};
	struct name a = name_of("google.com");
	struct name b = name_of("GOOGLE.com.");
	struct name c = name_of("google.con");

	(void)state;
	memset(b.bytes + b.len, 0xee, sizeof(b.bytes) - b.len); /* bytes behind the end */
	assert_int_equal(name_hash(&key, &a), name_hash(&key, &b));
	assert_int_not_equal(name_hash(&key, &a), name_hash(&key, &c));
	assert_int_not_equal(name_hash(&key, &a), name_hash(&other_key, &a));
}

static void
folding_touches_a_to_z_only(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++)
		assert_int_equal(name_fold((uint8_t)byte),
		    byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_becomes_lower_case_wire_form),
	    cmocka_unit_test(the_root_is_a_dot),
	    cmocka_unit_test(empty_names_and_labels_are_refused),
	    cmocka_unit_test(length_ends_the_text),
	    cmocka_unit_test(a_label_has_at_most_63_bytes),
	    cmocka_unit_test(a_name_has_at_most_255_bytes),
	    cmocka_unit_test(a_name_has_at_most_127_labels),
	    cmocka_unit_test(escapes_are_bytes_of_the_label),
	    cmocka_unit_test(broken_escapes_are_refused),
	    cmocka_unit_test(raw_nul_and_high_bytes_are_data),
	    cmocka_unit_test(unusual_bytes_format_escaped),
	    cmocka_unit_test(every_byte_survives_text_and_back),
	    cmocka_unit_test(the_longest_text_fits_its_buffer),
	    cmocka_unit_test(wire_form_folds_letters_and_not_lengths),
	    cmocka_unit_test(wire_form_may_be_read_in_place),
	    cmocka_unit_test(wire_form_that_is_not_well_formed_is_caught),
	    cmocka_unit_test(equality_is_of_wire_forms),
	    cmocka_unit_test(parents_lead_to_the_root),
	    cmocka_unit_test(within_goes_by_whole_labels),
	    cmocka_unit_test(within_stays_inside_of_both_names),
	    cmocka_unit_test(equal_names_hash_equal_under_one_key),
	    cmocka_unit_test(folding_touches_a_to_z_only),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
