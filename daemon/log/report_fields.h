/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields that records of daemon/log/report.h have in common, with the texts behind
 * them: what is too long for its place is cut.
 *
 * A struct of the caller's; what the fields point at is in it, or borrowed.
 */
#ifndef DAEMON_LOG_REPORT_FIELDS_H
#define DAEMON_LOG_REPORT_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/name.h"
#include "daemon/log/log.h"
#include "daemon/log/report.h"
#include "policy/registry/registry.h"

#define REPORT_FIELDS_MAX 12 /* what is beyond is left out */

struct report_fields {
	struct log_field list[REPORT_FIELDS_MAX];
	size_t len;
	char pod[ADDR_TEXT_MAX];
	char who[256];
	char name[NAME_TEXT_MAX];
	char type[12];
	char suppressed[24];
	char place[512];
	char sidecar[512];
};

/* Whom it is about, first: the fields that every record has. suppressed: how many like it
 * were not told. */
void report_describe_pod(struct report_fields *f, const struct addr *pod,
    const struct workload *w, uint64_t suppressed);
/* The same, and who asked what. */
void report_describe(
    struct report_fields *f, const struct report_subject *s, uint64_t suppressed);
/* key: without the prefix. Both are borrowed. */
void report_add(struct report_fields *f, const char *key, const char *value);
/* Where the host's entry stands; host may be NULL. */
void report_add_entry(struct report_fields *f, const struct registry_host *host);

#endif
