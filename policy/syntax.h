/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shapes of names as Kubernetes and Istio check them. Pure predicates; text need not
 * end in NUL.
 */
#ifndef POLICY_SYNTAX_H
#define POLICY_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

/* A DNS label of 1 to 63 letters of either case, digits and inner hyphens. */
bool syntax_label(const char *text, size_t len);
/* The same, lower case only: the name of a namespace (RFC 1123). */
bool syntax_namespace(const char *text, size_t len);
/* Lower-case labels joined by dots, at most 253 bytes: an object's name. */
bool syntax_object(const char *text, size_t len);
/* A host without wildcard: labels, the last not all digits when there are several, one
 * dot behind it allowed. */
bool syntax_fqdn(const char *text, size_t len);
/* The same, where the first label may be "*" or begin with "*" (Istio's
 * ValidateWildcardDomain). "*" alone passes. */
bool syntax_wildcard(const char *text, size_t len);
/* Keys and values of Kubernetes labels. */
bool syntax_label_key(const char *text, size_t len);
bool syntax_label_value(const char *text, size_t len);

#endif
