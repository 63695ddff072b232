/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/control/explain_text.h"

static void
workloads_are_read(void **state)
{
	static const struct {
		const char *text, *namespace, *pod;
	} cases[] = {
	    {"shop/web-1.a", "shop", "web-1.a"},
	    {"shop", "shop", NULL},
	    {"10.244.0.1", NULL, NULL},
	    {"fd00::1", NULL, NULL},
	};
	struct explain_text t;
	const char *reason;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(
		    explain_text_parse(cases[i].text, "a.b", &t, &reason), 0);
		assert_string_equal(t.workload, cases[i].text);
		if (cases[i].namespace == NULL)
			assert_true(t.question.source.family != 0);
		else
			assert_string_equal(t.question.namespace, cases[i].namespace);
		assert_int_equal(t.question.pod != NULL, cases[i].pod != NULL);
		if (cases[i].pod != NULL)
			assert_string_equal(t.question.pod, cases[i].pod);
	}
}

static void
targets_are_read(void **state)
{
	static const struct {
		const char *text, *understood;
	} cases[] = {
	    {"Google.com", "google.com"},
	    {"google.com.", "google.com"},
	    {"google.com:443", "google.com:443/TCP"},
	    {"google.com:443/udp", "google.com:443/UDP"},
	    {"google.com:65535/TCP", "google.com:65535/TCP"},
	    {"192.0.2.1", "192.0.2.1"},
	    {"192.0.2.1:1", "192.0.2.1:1/TCP"},
	    {"2001:db8::1", "2001:db8::1"},
	    {"[2001:db8::1]", "2001:db8::1"},
	    {"[2001:db8::1]:53/udp", "[2001:db8::1]:53/UDP"},
	    {"::1", "::1"},
	};
	struct explain_text t;
	const char *reason;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(
		    explain_text_parse("shop", cases[i].text, &t, &reason), 0);
		assert_string_equal(t.target, cases[i].understood);
	}
}

static void
what_is_neither_is_refused_with_what_would_be(void **state)
{
	static const char *const workloads[] = {"", "/", "shop/", "/web", "Shop", "a b",
	    "shop/web/x", "shop/Web", "10.1.2", "10.0.0.1/web",
	    "a123456789a123456789a123456789a123456789a123456789a123456789a123"};
	static const char *const targets[] = {"", ":443", "a.b:", "a.b:0", "a.b:65536",
	    "a.b:1234567", "a.b:443/", "a.b:443/sctp", "a.b/tcp", "a.b:x", "https://a.b",
	    "https://a.b:443", "[::1", "[::1]443", "[a.b]:443", "[::1]:", "a:b:c", "a..b",
	    "[]"};
	struct explain_text t;
	const char *reason;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(workloads); i++) {
		reason = NULL;
		if (explain_text_parse(workloads[i], "a.b", &t, &reason) != -EINVAL)
			fail_msg("accepted: %s", workloads[i]);
		assert_non_null(strstr(reason, "NAMESPACE"));
	}
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		reason = NULL;
		if (explain_text_parse("shop", targets[i], &t, &reason) != -EINVAL)
			fail_msg("accepted: %s", targets[i]);
		assert_non_null(strstr(reason, ":PORT"));
	}
}

static const struct registry_host host = {
    .source = {.kind = "ServiceEntry",
	.namespace = "shop",
	.name = "e",
	.file = "a \"b\".yaml",
	.line = 7},
    .host = "a.b",
};

/* Both begin with the verdict, which is how egressctl finds its exit code. */
static void
answers_are_written(void **state)
{
	static struct explanation e;
	struct explain_text t;
	const char *reason;
	struct buf out;

	(void)state;
	assert_int_equal(explain_text_parse("shop", "a.b:443", &t, &reason), 0);
	e = (struct explanation){.allowed = true, .dropped = 2};
	explain_say(&e, EXPLAIN_RULE, &host, "because");
	explain_say(&e, EXPLAIN_NEAR, NULL, "almost");
	explain_say(&e, EXPLAIN_NOTE, NULL, "so you know");
	buf_init(&out, EXPLAIN_ANSWER_MAX);
	explain_text_write(&t, &e, false, &out);
	assert_string_equal(out.bytes, "allowed: shop to a.b:443/TCP\n"
				       "  rule shop/e (a \"b\".yaml:7): because\n"
				       "  near almost\n"
				       "  note so you know\n"
				       "  and 2 more\n");
	assert_true(explain_text_allowed(out.bytes));
	buf_clear(&out);
	explain_text_write(&t, &e, true, &out);
	assert_string_equal(out.bytes,
	    "{\"allowed\":true,\"workload\":\"shop\",\"target\":\"a.b:443/TCP\","
	    "\"reasons\":[{\"role\":\"rule\",\"text\":\"because\",\"entry\":{\"kind\":"
	    "\"ServiceEntry\",\"namespace\":\"shop\",\"name\":\"e\",\"host\":\"a.b\","
	    "\"file\":\"a \\\"b\\\".yaml\",\"line\":7}},{\"role\":\"near\",\"text\":"
	    "\"almost\"},{\"role\":\"note\",\"text\":\"so you know\"}],\"more\":2}\n");
	assert_true(explain_text_allowed(out.bytes));
	e.allowed = false;
	for (int json = 0; json < 2; json++) {
		buf_clear(&out);
		explain_text_write(&t, &e, json, &out);
		assert_false(explain_text_allowed(out.bytes));
	}
	buf_done(&out);
}

static void
the_configuration_tells_what_is_internal(void **state)
{
	struct explain_text t;
	const char *reason;
	struct config *c;

	(void)state;
	assert_int_equal(config_defaults(&c), 0);
	assert_int_equal(explain_text_parse("shop", "a.b", &t, &reason), 0);
	explain_text_configure(&t, c);
	assert_int_equal(t.question.internal_count, c->internal_count);
	assert_true(t.question.intercept);
	config_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(workloads_are_read),
	    cmocka_unit_test(targets_are_read),
	    cmocka_unit_test(what_is_neither_is_refused_with_what_would_be),
	    cmocka_unit_test(answers_are_written),
	    cmocka_unit_test(the_configuration_tells_what_is_internal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
