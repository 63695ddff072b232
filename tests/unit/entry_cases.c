/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/entry_cases.h"

#include <errno.h>

#include "base/buf.h"
#include "tests/unit/built.h"
#include "tests/unit/cases.h"

#define TEXT_MAX (1 << 20)

static void
build_case(struct built *b, const struct entry_case *c)
{
	struct buf text;

	buf_init(&text, TEXT_MAX);
	buf_printf(&text,
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: "
	    "e%s%s}\n",
	    c->metadata[0] != '\0' ? ", " : "", c->metadata);
	if (c->spec != NULL && c->spec[0] == '\n')
		buf_printf(&text, "spec:%s\n", c->spec);
	else if (c->spec != NULL)
		buf_printf(&text, "spec: {%s}\n", c->spec);
	(void)built_from(b, text.bytes); /* each case looks at the result itself */
	buf_done(&text);
}

static bool
as_expected(const struct built *b, const struct entry_case *c)
{
	switch (c->expect) {
	case REFUSED:
		return b->result == -EINVAL && b->registry == NULL &&
		       built_says(b, FINDING_ERROR, c->words);
	case WARNED:
		return b->result == 0 && built_says(b, FINDING_WARNING, c->words);
	case CLEAN:
		return b->result == 0 && b->findings.warnings == 0;
	case QUIET:
		return b->result == 0 && !built_says(b, FINDING_WARNING, c->words);
	case ACCEPTED:
		return b->result == 0;
	}
	return false;
}

static bool
placed(const struct built *b)
{
	for (size_t i = 0; i < b->findings.len; i++)
		if (b->findings.list[i].line == 0)
			return false;
	return true;
}

void
entry_cases_run(const struct entry_case *cases, size_t count)
{
	size_t failed = 0;

	for (size_t i = 0; i < count; i++) {
		struct built b;
		bool good;

		build_case(&b, &cases[i]);
		good = as_expected(&b, &cases[i]) && placed(&b);
		if (!good)
			built_print(&b);
		failed += case_failed("", cases[i].title, good);
		built_close(&b);
	}
	assert_int_equal(failed, 0);
}
