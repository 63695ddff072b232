/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One element of a Sidecar's egress.hosts: "NAMESPACE/NAME", what it imports, or with a
 * "~" in front, what it takes out again.
 *
 * It lies in the reader's memory and holds nothing of the tree.
 */
#ifndef POLICY_OBJECT_IMPORT_H
#define POLICY_OBJECT_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/yaml/reader.h"

enum import_where {
	IMPORT_ANYWHERE, /* "*" */
	IMPORT_OWN,      /* ".", the namespace of the pod */
	IMPORT_NAMED,
};

enum import_what {
	IMPORT_ALL,   /* "*" */
	IMPORT_EXACT, /* a name */
	IMPORT_BELOW, /* "*.name" */
};

struct import {
	bool exclude;
	enum import_where where;
	const char *namespace; /* IMPORT_NAMED */
	enum import_what what;
	const char *key;  /* the name, as policy/backward.h has it; "" for IMPORT_ALL */
	const char *text; /* as written */
};

/* False after an error finding, or when the reader's memory lacks. */
bool import_read(struct reader *rd, const struct node *n, struct import *ret_import);

/* Warnings for those of the list that stand twice or are covered by another that takes
 * all. own: the Sidecar's namespace. */
void import_check(struct reader *rd, const struct node *hosts, const char *own);

#endif
