/* SPDX-License-Identifier: Apache-2.0 */
/* What daemon/log/report.h tells of limits. */
#include "daemon/log/report.h"

#include <inttypes.h>
#include <string.h>

#include "daemon/log/report_admission.h"
#include "daemon/log/report_fields.h"

void
report_limit(struct report *r, const struct report_subject *s,
    const struct strain *strain, int64_t now_ms)
{
	const char *option = NULL;
	struct report_fields f;
	uint64_t suppressed;

	if (report_admit(r, s, LOG_LIMIT, now_ms, &suppressed) == NULL)
		return;
	for (size_t i = 0; i < STRAIN_LIMITS && option == NULL; i++)
		option = strain->reached[i] ? strain_option(i) : NULL;
	report_describe(&f, s, suppressed);
	report_add(&f, "LIMIT", option);
	if (option != NULL)
		log_event(LOG_LIMIT, LOG_PRIORITY_WARNING, f.list, f.len,
		    "cut the answer for %s to %s: %s is reached", f.name, f.who, option);
	else
		log_event(LOG_LIMIT, LOG_PRIORITY_WARNING, f.list, f.len,
		    "cut the answer for %s to %s: it needs more leases than one answer "
		    "can open, or some that lead elsewhere, or memory",
		    f.name, f.who);
}

void
report_near(struct report *r, const struct report_subject *s, enum strain_limit limit,
    int64_t now_ms)
{
	/* one in all, one a pod, one a pod and name */
	const size_t pod_len = limit == STRAIN_SIZE ? 0 : sizeof(*s->pod);
	const size_t name_len = limit == STRAIN_NAME ? s->name->len : 0;
	uint8_t key[2 + sizeof(*s->pod) + NAME_WIRE_MAX] = {LOG_LIMIT, (uint8_t)limit};
	struct report_slot *slot;
	struct report_fields f;
	uint64_t suppressed;

	memcpy(key + 2, s->pod, pod_len);
	memcpy(key + 2 + pod_len, s->name->bytes, name_len);
	if (report_is_told(r, hash_bytes(&r->key, key, 2 + pod_len + name_len), now_ms))
		return; /* it goes on: not worth counting */
	slot =
	    report_admit_key(r, s->pod, key, 2 + pod_len + name_len, now_ms, &suppressed);
	if (slot == NULL)
		return;
	slot->until_ms = now_ms + REPORT_NEAR_MS;
	report_describe(&f, s, suppressed);
	report_add(&f, "LIMIT", strain_option(limit));
	log_event(LOG_LIMIT, LOG_PRIORITY_WARNING, f.list, f.len,
	    "four fifths of %s are used with the answer for %s to %s: beyond it answers "
	    "are cut, or fail",
	    strain_option(limit), f.name, f.who);
}

void
report_rate(
    struct report *r, const struct addr *pod, const struct workload *w, int64_t now_ms)
{
	uint8_t key[1 + sizeof(*pod)];
	struct report_fields f;
	uint64_t suppressed;

	key[0] = LOG_LIMIT;
	memcpy(key + 1, pod, sizeof(*pod));
	if (report_admit_key(r, pod, key, sizeof(key), now_ms, &suppressed) == NULL)
		return;
	report_describe_pod(&f, pod, w, suppressed);
	log_event(LOG_LIMIT, LOG_PRIORITY_WARNING, f.list, f.len,
	    "dropped queries of %s: it sends more than pods.queriesPerSecond lets it",
	    f.who);
}

static struct report_slot *
admit_wildcard(struct report *r, const struct report_wildcard *subject, int64_t now_ms,
    uint64_t *ret_suppressed)
{
	const struct workload *w = subject->workload;
	const void *who = w != NULL ? (const void *)&w->identity : subject->pod;
	const size_t len = w != NULL ? sizeof(w->identity) : sizeof(*subject->pod);
	uint8_t key[2 + MAX_OF(sizeof(w->identity), sizeof(*subject->pod))] = {
	    LOG_LIMIT, STRAIN_LIMITS};

	memcpy(key + 2, who, len);
	return report_admit_key(r, subject->pod, key, 2 + len, now_ms, ret_suppressed);
}

void
report_wildcard(struct report *r, const struct report_wildcard *subject, int64_t now_ms)
{
	struct report_slot *slot;
	struct report_fields f;
	uint64_t suppressed;

	slot = admit_wildcard(r, subject, now_ms, &suppressed);
	if (slot == NULL)
		return;
	slot->until_ms = now_ms + REPORT_WILDCARD_MS;
	report_describe_pod(&f, subject->pod, subject->workload, suppressed);
	report_add(&f, "LIMIT", subject->option);
	report_add_entry(&f, subject->host);
	log_event(LOG_LIMIT, LOG_PRIORITY_WARNING, f.list, f.len,
	    "answered SERVFAIL to %s: with %" PRIu32 " names of %zu bytes under "
	    "wildcards, now %s, %s is reached for this minute",
	    f.who, subject->names, subject->bytes, subject->host->host, subject->option);
}
