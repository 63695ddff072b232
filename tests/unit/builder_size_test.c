/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building from as many entries as there may be on a node.
 */
#include <stdio.h>

#include "base/buf.h"
#include "tests/unit/built.h"

#define MANY 20000

static void
append_entry(struct buf *text, size_t n, const char *namespace, const char *host)
{
	buf_printf(text,
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata:\n"
	    "  name: e%zu\n  namespace: %s\nspec:\n  hosts:\n  - %s\n  ports:\n"
	    "  - number: 443\n    name: https\n    protocol: HTTPS\n  resolution: "
	    "DNS\n---\n",
	    n, namespace, host);
}

/* Each shape would be quadratic somewhere if anything looked at pairs. */
static void
many(void **state)
{
	static const char *const shapes[] = {"distinct", "one host", "one host, merged",
	    "one host, shadowed", "one parent, private"};
	struct buf text;

	(void)state;
	buf_init(&text, 32 << 20);
	for (size_t shape = 0; shape < ARRAY_LEN(shapes); shape++) {
		struct built b;

		buf_clear(&text);
		for (size_t n = 0; n < MANY; n++) {
			char host[64], namespace[64];

			(void)snprintf(host, sizeof(host),
			    shape == 0 || shape == 4 ? "h%zu.example.com"
						     : "h.example.com",
			    n);
			(void)snprintf(namespace, sizeof(namespace),
			    shape == 1 || shape == 4 ? "n%zu" : "same", n);
			append_entry(&text, n, namespace, host);
			if (shape == 4 || (shape == 3 && n % 2 == 1)) {
				text.len -= 4; /* the document's end */
				buf_text(&text, "  exportTo: [.]\n---\n");
			}
		}
		built_open(&b);
		built_add_bytes(&b, "a.yaml", text.bytes, text.len);
		assert_int_equal(built_finish(&b), 0);
		assert_int_equal(registry_counts(b.registry).entries, MANY);
		assert_int_equal(registry_counts(b.registry).hosts,
		    shape == 2 || shape == 3 ? 1 : MANY);
		assert_true(registry_counts(b.registry).bytes < (size_t)MANY * 1024);
		built_close(&b);
	}
	buf_done(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
