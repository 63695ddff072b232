/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of tables, told to the runner, which counts them and the rules that they are
 * for. A row has the number of the rule that it holds the code to, alone or in front
 * of its title: E1 to E42 and W1 to W6 as in policy/object/entry_rules.h, others as in
 * tests/run.py.
 *
 * A test goes through all its rows, adds up what case_failed returns, and asserts 0 at
 * the end.
 */
#ifndef TESTS_UNIT_CASES_H
#define TESTS_UNIT_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* 1 when the row is not good. rule is "" where the title begins with it. */
static inline size_t
case_failed(const char *rule, const char *title, bool good)
{
	(void)printf("case %s: %s%s%s\n", good ? "passed" : "FAILED", rule,
	    rule[0] != '\0' ? " " : "", title);
	return good ? 0 : 1;
}

#endif
