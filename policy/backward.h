/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host name written from the right, "com.google." for google.com: what is equal to a
 * name or below it begins with the name's text, and stands together when sorted.
 */
#ifndef POLICY_BACKWARD_H
#define POLICY_BACKWARD_H

#include <stddef.h>

#include "base/macros.h"
#include "policy/memory.h"

/* A host name as syntax_wildcard passes it, "*." in front passed over; "" for "*". In
 * lower case; NULL when memory lacks. */
const char *backward_text(struct memory *m, const char *host);

#endif
