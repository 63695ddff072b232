/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/report.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log/history.h"
#include "daemon/log/report_admission.h"
#include "daemon/log/report_fields.h"

/* Of a refused lookup: for machines, and for people. */
static const struct {
	const char *word, *text;
} refusals[] = {
    [REASON_NONE] = {"not-registered", "no ServiceEntry lists it"},
    [REASON_NOT_REGISTERED] = {"not-registered", "no ServiceEntry lists it"},
    [REASON_NOT_EXPORTED] = {"not-exported",
	"registered, but not exported to this pod's namespace"},
    [REASON_NOT_IMPORTED] = {"not-imported",
	"registered, but this pod's Sidecar does not import it"},
};

/* The Sidecar whose doing it is. */
static void
add_sidecar(struct report_fields *f, const struct registry_sidecar *sidecar)
{
	if (sidecar == NULL)
		return;
	(void)snprintf(f->sidecar, sizeof(f->sidecar), "%s/%s (%s:%u)",
	    sidecar->source.namespace, sidecar->source.name, sidecar->source.file,
	    sidecar->source.line); /* cut when longer */
	report_add(f, "SIDECAR", f->sidecar);
}

/* Into the history, with what the fields say. */
static void
remember(struct report *r, struct report_slot *slot, const struct report_fields *f,
    struct history_record *record, int64_t now_ms)
{
	(void)snprintf(record->who, sizeof(record->who), "%s", f->who); /* cut */
	(void)snprintf(record->entry, sizeof(record->entry), "%.*s",
	    HISTORY_ENTRY_MAX - 1, f->place); /* cut */
	slot->place = history_add(r->history, slot->hash, record, now_ms);
}

static void
remember_lookup(struct report *r, struct report_slot *slot, const struct report_fields *f,
    const struct report_subject *s, const struct verdict *verdict, int64_t now_ms)
{
	struct history_record record = {
	    .event = LOG_REFUSED_LOOKUP,
	    .pod = *s->pod,
	    .name = *s->name,
	    .type = s->type,
	    .reason = refusals[verdict->reason].word,
	    .why = refusals[verdict->reason].text,
	};

	remember(r, slot, f, &record, now_ms);
}

void
report_refused(struct report *r, const struct report_subject *s,
    const struct verdict *verdict, int64_t now_ms)
{
	struct report_fields f;
	uint64_t suppressed;
	struct report_slot *slot =
	    report_admit(r, s, LOG_REFUSED_LOOKUP, now_ms, &suppressed);

	if (slot == NULL)
		return;
	report_describe(&f, s, suppressed);
	report_add(&f, "REASON", refusals[verdict->reason].word);
	report_add_entry(&f, verdict->host);
	add_sidecar(&f, verdict->sidecar);
	remember_lookup(r, slot, &f, s, verdict, now_ms);
	log_event(LOG_REFUSED_LOOKUP, LOG_PRIORITY_NOTICE, f.list, f.len,
	    "refused: %s asked for %s %s: %s", f.who, f.name,
	    report_type(s->type, f.type, sizeof(f.type)), refusals[verdict->reason].text);
}

static const char *
reason_text(enum report_reason reason)
{
	switch (reason) {
	case REPORT_UNLISTED:
		return "unlisted";
	case REPORT_NO_LOOKUP:
		return "no-lookup";
	case REPORT_NOT_LISTED_PORT:
		return "not-listed-port";
	case REPORT_LISTED_OTHERWISE:
		return "listed-otherwise";
	}
	return NULL;
}

/* Why, behind the name where one is known. */
static const char *
why_text(const struct report_connection *c)
{
	switch (c->reason) {
	case REPORT_UNLISTED:
		if (c->name == NULL)
			return "no name in the registry is known to lead there";
		return " leads there, but no ServiceEntry opens it to this pod";
	case REPORT_NO_LOOKUP:
		return " leads there, but this pod has not looked it up lately";
	case REPORT_NOT_LISTED_PORT:
		return " is open on other ports only";
	case REPORT_LISTED_OTHERWISE:
		return "an entry lists the address, but not that port, or not for this "
		       "pod";
	}
	return "";
}

static struct report_slot *
admit_connection(struct report *r, const struct report_connection *c, int64_t now_ms,
    uint64_t *ret_suppressed)
{
	const uint8_t rest[] = {
	    LOG_REFUSED_CONNECTION, c->proto, (uint8_t)(c->port >> 8), (uint8_t)c->port};
	uint8_t key[sizeof(rest) + 2 * sizeof(struct addr)];

	memcpy(key, rest, sizeof(rest));
	memcpy(key + sizeof(rest), c->pod, sizeof(*c->pod));
	memcpy(key + sizeof(rest) + sizeof(*c->pod), c->destination,
	    sizeof(*c->destination));
	return report_admit_key(r, c->pod, key, sizeof(key), now_ms, ret_suppressed);
}

static void
remember_connection(struct report *r, struct report_slot *slot,
    const struct report_fields *f, const struct report_connection *c, int64_t now_ms)
{
	struct history_record record = {
	    .event = LOG_REFUSED_CONNECTION,
	    .pod = *c->pod,
	    .destination = *c->destination,
	    .port = c->port,
	    .proto = c->proto,
	    .reason = reason_text(c->reason),
	    .why = why_text(c),
	};

	if (c->name != NULL)
		record.name = *c->name;
	remember(r, slot, f, &record, now_ms);
}

void
report_refused_connection(
    struct report *r, const struct report_connection *c, int64_t now_ms)
{
	char address[ADDR_TEXT_MAX], number[8], where[32], port[8];
	const char *proto = report_proto(c->proto, number, sizeof(number));
	struct report_fields f;
	uint64_t suppressed;
	struct report_slot *slot = admit_connection(r, c, now_ms, &suppressed);

	if (slot == NULL)
		return;
	report_describe_pod(&f, c->pod, c->workload, suppressed);
	if (c->name != NULL)
		report_add(&f, "NAME", name_format(c->name, f.name));
	(void)snprintf(port, sizeof(port), "%u", c->port); /* fits, and below */
	if (c->port != 0)
		(void)snprintf(where, sizeof(where), "port %s/%s", port, proto);
	else
		(void)snprintf(where, sizeof(where), "protocol %s", proto);
	report_add(&f, "ADDRESS", addr_format(c->destination, address));
	report_add(&f, "PROTOCOL", proto);
	report_add(&f, "PORT", c->port != 0 ? port : NULL);
	report_add(&f, "REASON", reason_text(c->reason));
	report_add_entry(&f, c->near);
	remember_connection(r, slot, &f, c, now_ms);
	log_event(LOG_REFUSED_CONNECTION, LOG_PRIORITY_NOTICE, f.list, f.len,
	    "refused: %s to %s %s: %s%s", f.who, address, where,
	    c->name != NULL ? f.name : "", why_text(c));
}

void
report_forbidden(struct report *r, const struct report_subject *s,
    const struct registry_host *host, const struct addr *forbidden, int64_t now_ms)
{
	char address[ADDR_TEXT_MAX];
	struct report_fields f;
	uint64_t suppressed;

	if (report_admit(r, s, LOG_FORBIDDEN_ADDRESS, now_ms, &suppressed) == NULL)
		return;
	report_describe(&f, s, suppressed);
	report_add(&f, "ADDRESS", addr_format(forbidden, address));
	report_add_entry(&f, host);
	log_event(LOG_FORBIDDEN_ADDRESS, LOG_PRIORITY_WARNING, f.list, f.len,
	    "left %s out of the answer for %s to %s: an external name must not lead "
	    "inside; "
	    "list the address in the entry's addresses if it may",
	    address, f.name, f.who);
}

void
report_commit_failed(
    struct report *r, const struct report_subject *s, int result, int64_t now_ms)
{
	char errnum[16];
	struct report_fields f;
	uint64_t suppressed;

	if (report_admit(r, s, LOG_COMMIT_FAILED, now_ms, &suppressed) == NULL)
		return;
	report_describe(&f, s, suppressed);
	(void)snprintf(errnum, sizeof(errnum), "%d", -result); /* fits */
	report_add(&f, "ERRNO", errnum);
	log_event(LOG_COMMIT_FAILED, LOG_PRIORITY_ERROR, f.list, f.len,
	    "answered SERVFAIL for %s to %s: the kernel did not take the lease: %s",
	    f.name, f.who, strerror(-result));
}

void
report_flows(uint32_t cut, uint32_t lost, int result)
{
	char flows[16], left[16];
	const struct log_field fields[] = {{"FLOWS", flows}, {"LOST", left}};

	if (cut == 0 && lost == 0 && result == 0)
		return;
	(void)snprintf(flows, sizeof(flows), "%" PRIu32, cut); /* fits */
	(void)snprintf(left, sizeof(left), "%" PRIu32, lost);  /* fits */
	if (lost == 0 && result == 0)
		log_event(LOG_FLOWS_CUT, LOG_PRIORITY_INFO, fields, ARRAY_LEN(fields),
		    "cut %s established flows that nothing allows any more", flows);
	else
		log_event(LOG_FLOWS_CUT, LOG_PRIORITY_WARNING, fields, ARRAY_LEN(fields),
		    "cut %s established flows that nothing allows any more, and not %s, "
		    "or not all were looked at (%s): what was not cut runs on until it "
		    "ends",
		    flows, left, result < 0 ? strerror(-result) : "in hardware");
}
