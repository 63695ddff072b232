/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "policy/yaml/pack.h"
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#define ARENA_MAX ((size_t)1 << 26)

struct bed {
	struct memory memory;
	struct findings findings;
	struct pack pack;
	bool same;
};

static bool
same(const struct node *a, const struct node *b)
{
	if ((a == NULL) != (b == NULL))
		return false;
	if (a == NULL)
		return true;
	if (a->kind != b->kind || a->plain != b->plain || a->line != b->line ||
	    a->column != b->column || a->len != b->len || !same(a->key, b->key))
		return false;
	if (a->kind == NODE_SCALAR)
		return memcmp(a->text, b->text, a->len + 1) == 0;
	a = a->child;
	b = b->child;
	for (; a != NULL && b != NULL; a = a->next, b = b->next)
		if (!same(a, b))
			return false;
	return a == b;
}

static int
take(void *ctx, const struct node *root)
{
	struct bed *bed = ctx;
	const struct node *again;

	bed->pack = pack_node(root, &bed->memory);
	if (bed->pack.bytes == NULL)
		return bed->memory.lack;
	assert_int_equal(bed->pack.len, pack_size(root));
	again = pack_read(&bed->pack, &bed->memory);
	if (again == NULL)
		return bed->memory.lack;
	bed->same = same(root, again);
	return 0;
}

static int
try_text(struct bed *bed, const char *text, size_t len)
{
	int r;

	memset(bed, 0, sizeof(*bed));
	findings_init(&bed->findings, FINDINGS_MAX);
	r = memory_init(&bed->memory, ARENA_MAX);
	if (r == 0)
		r = node_read(
		    "f", text, len, bed->memory.arena, &bed->findings, take, bed);
	return r;
}

static void
done(struct bed *bed)
{
	memory_done(&bed->memory);
	findings_done(&bed->findings);
}

static void
every_shape_comes_back(void **state)
{
	static const char *const texts[] = {
	    "a",
	    "''",
	    "[]",
	    "{}",
	    "a:\nb: ''\nc: null\n",
	    "\n\n\n- 1\n-\n- 'x'\n- {a: [b, {c: d}], e: f}\n- |\n  several\n  lines\n",
	    "? a\n: b\n",
	    "{\"json\": [true, 1, \"\\u00e9\\u4e2d\"]}",
	    "hosts:\n- 'hosts'\n- host\nkind: {kind: ServiceEntry, '*': \".\"}\n",
	    "deep: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[end]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
	};
	struct bed bed;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(try_text(&bed, texts[i], strlen(texts[i])), 0);
		assert_true(bed.same);
		done(&bed);
	}
}

/* A number in seven bits, in fourteen, and in more: of texts, of elements, of lines. */
static void
every_length_comes_back(void **state)
{
	static const size_t counts[] = {127, 128, 129, 16383, 16384, 20000};
	struct bed bed;
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 22);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		buf_clear(&text);
		buf_text(&text, "- '");
		for (size_t n = 0; n < counts[i]; n++)
			buf_text(&text, "x");
		buf_text(&text, "'\n");
		for (size_t n = 1; n < counts[i]; n++)
			buf_text(&text, "\n- a");
		assert_int_equal(try_text(&bed, text.bytes, text.len), 0);
		assert_true(bed.same);
		done(&bed);
	}
	buf_done(&text);
}

/* Half of this one's bytes are frequent words. */
static void
a_pack_is_smaller_than_its_text(void **state)
{
	static const char text[] =
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	    "metadata:\n  name: google\n  namespace: default\n"
	    "spec:\n  hosts:\n  - google.com\n  location: MESH_EXTERNAL\n"
	    "  ports:\n  - number: 443\n    name: https\n    protocol: HTTPS\n"
	    "  resolution: DNS\n";
	struct bed bed;

	(void)state;
	assert_int_equal(try_text(&bed, text, sizeof(text) - 1), 0);
	assert_true(bed.pack.len < sizeof(text));
	done(&bed);
}

static void
a_lack_of_memory_is_told(void **state)
{
	static const char text[] = "a: [b, {c: d}]";
	struct bed bed;

	(void)state;
	for (size_t n = 0;; n++) {
		int r;

		alloc_fail_at(n);
		r = try_text(&bed, text, sizeof(text) - 1);
		if (alloc_count() <= n) {
			alloc_reset();
			assert_int_equal(r, 0);
			done(&bed);
			return;
		}
		alloc_reset();
		assert_true(r == -ENOMEM || r == -EINVAL || bed.same);
		done(&bed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_shape_comes_back),
	    cmocka_unit_test(every_length_comes_back),
	    cmocka_unit_test(a_pack_is_smaller_than_its_text),
	    cmocka_unit_test(a_lack_of_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
