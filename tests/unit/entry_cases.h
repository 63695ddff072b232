/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules for a ServiceEntry, as a spec that breaks one and the words that the finding must
 * have, or as one that just does not. Strings are borrowed.
 */
#ifndef TESTS_UNIT_ENTRY_CASES_H
#define TESTS_UNIT_ENTRY_CASES_H

#include <stddef.h>

enum entry_expectation {
	REFUSED,  /* with an error that has the words */
	WARNED,   /* accepted, with a warning that has the words */
	CLEAN,    /* accepted, without any warning */
	QUIET,    /* accepted, without a warning that has the words */
	ACCEPTED, /* whatever is said */
};

struct entry_case {
	const char *title; /* with the rule's number in front: entry_rules.h */
	enum entry_expectation expect;
	const char *words;    /* of the finding */
	const char *metadata; /* beside the name, "" for nothing */
	const char *spec;     /* in JSON, a part of YAML; or lines that begin with \n;
				 NULL: none */
};

/* Each finding of each case must have a place. */
void entry_cases_run(const struct entry_case *cases, size_t count);

#endif
