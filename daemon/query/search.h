/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The search list that Kubernetes gives a pod: "NAMESPACE.svc.DOMAIN", "svc.DOMAIN",
 * "DOMAIN", with ndots:5. A lookup of google.com first asks for
 * google.com.NAMESPACE.svc.DOMAIN; with `autopath` it is answered right there, with a
 * CNAME to the name that was meant, as Istio's agent does.
 */
#ifndef DAEMON_QUERY_SEARCH_H
#define DAEMON_QUERY_SEARCH_H

#include <stdbool.h>

#include "base/name.h"

/*
 * Was n made of a name and the first domain of the search list of a pod in namespace?
 * Then that name. One of a single label is none: it is a Service of the namespace, or
 * was meant to be.
 */
bool search_strip(const char *namespace, const char *domain, const struct name *n,
    struct name *ret_name);

#endif
