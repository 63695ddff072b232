/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/report.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "resolver/wire.h"

#define FIELDS_MAX 12

struct fields {
	struct log_field list[FIELDS_MAX];
	size_t len;
	char pod[ADDR_TEXT_MAX];
	char who[256];
	char name[NAME_TEXT_MAX];
	char type[12];
	char suppressed[24];
	char place[512];
};

void
report_init(struct report *r, const struct hash_key *key)
{
	memset(r, 0, sizeof(*r));
	r->key = *key;
}

static bool
take_token(struct report *r, const struct addr *pod, int64_t now_ms)
{
	uint8_t *told =
	    &r->pod_told[hash_bytes(&r->key, pod, sizeof(*pod)) % REPORT_PODS];

	if (r->second != now_ms / 1000) {
		r->second = now_ms / 1000;
		r->tokens = REPORT_RATE;
		memset(r->pod_told, 0, sizeof(r->pod_told));
	}
	if (r->tokens == 0 || *told == REPORT_POD_RATE)
		return false;
	r->tokens--;
	++*told;
	return true;
}

/* May this be told now? ret_suppressed: how many like it were not. */
static bool
admit(struct report *r, const struct report_subject *s, enum log_event event,
    int64_t now_ms, uint64_t *ret_suppressed)
{
	uint8_t bytes[1 + sizeof(*s->pod) + NAME_WIRE_MAX];
	struct report_slot *slot;
	uint64_t hash;

	bytes[0] = (uint8_t)event;
	memcpy(bytes + 1, s->pod, sizeof(*s->pod));
	memcpy(bytes + 1 + sizeof(*s->pod), s->name->bytes, s->name->len);
	hash = hash_bytes(&r->key, bytes, 1 + sizeof(*s->pod) + s->name->len);
	slot = &r->slots[hash % REPORT_SLOTS];
	if (slot->hash == hash && slot->until_ms > now_ms) {
		slot->suppressed++;
		r->suppressed_total++;
		return false;
	}
	if (!take_token(r, s->pod, now_ms)) {
		r->suppressed++;
		r->suppressed_total++;
		return false;
	}
	*ret_suppressed = r->suppressed + slot->suppressed;
	r->suppressed = 0;
	*slot = (struct report_slot){.hash = hash, .until_ms = now_ms + REPORT_PERIOD_MS};
	return true;
}

static void
add(struct fields *f, const char *key, const char *value)
{
	if (f->len < FIELDS_MAX)
		f->list[f->len++] = (struct log_field){.key = key, .value = value};
}

static const char *
type_text(uint16_t type, char *buf, size_t size)
{
	switch (type) {
	case TYPE_A:
		return "A";
	case TYPE_AAAA:
		return "AAAA";
	case TYPE_CNAME:
		return "CNAME";
	case TYPE_PTR:
		return "PTR";
	case TYPE_MX:
		return "MX";
	case TYPE_TXT:
		return "TXT";
	case TYPE_SRV:
		return "SRV";
	case TYPE_HTTPS:
		return "HTTPS";
	case TYPE_SVCB:
		return "SVCB";
	case TYPE_ANY:
		return "ANY";
	}
	(void)snprintf(buf, size, "TYPE%u", type); /* RFC 3597 section 5; fits */
	return buf;
}

/* Who asked what: the fields that every record has. */
static void
describe(struct fields *f, const struct report_subject *s, uint64_t suppressed)
{
	f->len = 0;
	addr_format(s->pod, f->pod);
	name_format(s->name, f->name);
	if (s->workload != NULL)
		(void)snprintf(f->who, sizeof(f->who), "%s/%s", s->workload->namespace,
		    s->workload->name); /* cut when longer */
	else
		(void)snprintf(f->who, sizeof(f->who), "%s", f->pod); /* fits */
	add(f, "POD_ADDRESS", f->pod);
	add(f, "POD", f->who);
	add(f, "NAMESPACE", s->workload != NULL ? s->workload->namespace : NULL);
	add(f, "NAME", f->name);
	add(f, "TYPE", type_text(s->type, f->type, sizeof(f->type)));
	if (suppressed == 0)
		return;
	(void)snprintf(f->suppressed, sizeof(f->suppressed), "%llu",
	    (unsigned long long)suppressed); /* fits */
	add(f, "SUPPRESSED", f->suppressed);
}

static void
add_entry(struct fields *f, const struct registry_host *host)
{
	if (host == NULL)
		return;
	(void)snprintf(f->place, sizeof(f->place), "%s/%s (%s:%u)",
	    host->source.namespace, host->source.name, host->source.file,
	    host->source.line); /* cut when longer */
	add(f, "ENTRY", f->place);
}

void
report_refused(struct report *r, const struct report_subject *s,
    const struct verdict *verdict, int64_t now_ms)
{
	const char *reason = verdict->reason == REASON_NOT_EXPORTED
				 ? "registered, but not exported to this pod's namespace"
				 : "no ServiceEntry lists it";
	struct fields f;
	uint64_t suppressed;

	if (!admit(r, s, LOG_REFUSED_LOOKUP, now_ms, &suppressed))
		return;
	describe(&f, s, suppressed);
	add(&f, "REASON",
	    verdict->reason == REASON_NOT_EXPORTED ? "not-exported" : "not-registered");
	add_entry(&f, verdict->host);
	log_event(LOG_REFUSED_LOOKUP, LOG_PRIORITY_NOTICE, f.list, f.len,
	    "refused: %s asked for %s %s: %s", f.who, f.name,
	    type_text(s->type, f.type, sizeof(f.type)), reason);
}

void
report_forbidden(struct report *r, const struct report_subject *s,
    const struct registry_host *host, const struct addr *forbidden, int64_t now_ms)
{
	char address[ADDR_TEXT_MAX];
	struct fields f;
	uint64_t suppressed;

	if (!admit(r, s, LOG_FORBIDDEN_ADDRESS, now_ms, &suppressed))
		return;
	describe(&f, s, suppressed);
	add(&f, "ADDRESS", addr_format(forbidden, address));
	add_entry(&f, host);
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
	struct fields f;
	uint64_t suppressed;

	if (!admit(r, s, LOG_COMMIT_FAILED, now_ms, &suppressed))
		return;
	describe(&f, s, suppressed);
	(void)snprintf(errnum, sizeof(errnum), "%d", -result); /* fits */
	add(&f, "ERRNO", errnum);
	log_event(LOG_COMMIT_FAILED, LOG_PRIORITY_ERROR, f.list, f.len,
	    "answered SERVFAIL for %s to %s: the kernel did not take the lease: %s",
	    f.name, f.who, strerror(-result));
}

void
report_limit(struct report *r, const struct report_subject *s, int64_t now_ms)
{
	struct fields f;
	uint64_t suppressed;

	if (!admit(r, s, LOG_LIMIT, now_ms, &suppressed))
		return;
	describe(&f, s, suppressed);
	log_event(LOG_LIMIT, LOG_PRIORITY_WARNING, f.list, f.len,
	    "cut the answer for %s to %s: lease.perName, lease.perPod or lease.size is "
	    "reached",
	    f.name, f.who);
}
