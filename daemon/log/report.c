/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/report.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log/history.h"
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
	char sidecar[512];
};

void
report_init(struct report *r, const struct hash_key *key, struct history *history)
{
	memset(r, 0, sizeof(*r));
	r->key = *key;
	r->history = history;
}

/* No pod may take all of them: the others would not be heard of. */
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

static bool
is_told(const struct report *r, uint64_t hash, int64_t now_ms)
{
	const struct report_slot *slot = &r->slots[hash % REPORT_SLOTS];

	return slot->hash == hash && slot->until_ms > now_ms;
}

/* May this be told now, of this pod and what its key says? NULL: no, but the history
 * counts it. ret_suppressed: how many like it were not. */
static struct report_slot *
admit_key(struct report *r, const struct addr *pod, const uint8_t *key, size_t len,
    int64_t now_ms, uint64_t *ret_suppressed)
{
	const uint64_t hash = hash_bytes(&r->key, key, len);
	struct report_slot *slot = &r->slots[hash % REPORT_SLOTS];

	if (is_told(r, hash, now_ms)) {
		slot->suppressed++;
		r->suppressed_total++;
		history_repeat(r->history, slot->place, hash, now_ms);
		return NULL;
	}
	if (!take_token(r, pod, now_ms)) {
		r->suppressed++;
		r->suppressed_total++;
		return NULL;
	}
	*ret_suppressed = r->suppressed + slot->suppressed;
	r->suppressed = 0;
	*slot = (struct report_slot){
	    .hash = hash, .until_ms = now_ms + REPORT_PERIOD_MS, .place = HISTORY_MAX};
	return slot;
}

static struct report_slot *
admit(struct report *r, const struct report_subject *s, enum log_event event,
    int64_t now_ms, uint64_t *ret_suppressed)
{
	uint8_t key[1 + sizeof(*s->pod) + NAME_WIRE_MAX];

	key[0] = (uint8_t)event;
	memcpy(key + 1, s->pod, sizeof(*s->pod));
	memcpy(key + 1 + sizeof(*s->pod), s->name->bytes, s->name->len);
	return admit_key(
	    r, s->pod, key, 1 + sizeof(*s->pod) + s->name->len, now_ms, ret_suppressed);
}

static void
add(struct fields *f, const char *key, const char *value)
{
	if (f->len < FIELDS_MAX)
		f->list[f->len++] = (struct log_field){.key = key, .value = value};
}

const char *
report_type(uint16_t type, char *buf, size_t size)
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

/* Whom it is about: the fields that every record has. */
static void
describe_pod(struct fields *f, const struct addr *pod, const struct workload *w,
    uint64_t suppressed)
{
	f->len = 0;
	f->place[0] = '\0';
	addr_format(pod, f->pod);
	if (w != NULL)
		(void)snprintf(f->who, sizeof(f->who), "%s/%s", w->namespace,
		    w->name); /* cut when longer */
	else
		(void)snprintf(f->who, sizeof(f->who), "%s", f->pod); /* fits */
	add(f, "POD_ADDRESS", f->pod);
	add(f, "POD", f->who);
	add(f, "NAMESPACE", w != NULL ? w->namespace : NULL);
	if (suppressed == 0)
		return;
	(void)snprintf(f->suppressed, sizeof(f->suppressed), "%llu",
	    (unsigned long long)suppressed); /* fits */
	add(f, "SUPPRESSED", f->suppressed);
}

/* Who asked what. */
static void
describe(struct fields *f, const struct report_subject *s, uint64_t suppressed)
{
	describe_pod(f, s->pod, s->workload, suppressed);
	name_format(s->name, f->name);
	add(f, "NAME", f->name);
	add(f, "TYPE", report_type(s->type, f->type, sizeof(f->type)));
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
add_sidecar(struct fields *f, const struct registry_sidecar *sidecar)
{
	if (sidecar == NULL)
		return;
	(void)snprintf(f->sidecar, sizeof(f->sidecar), "%s/%s (%s:%u)",
	    sidecar->source.namespace, sidecar->source.name, sidecar->source.file,
	    sidecar->source.line); /* cut when longer */
	add(f, "SIDECAR", f->sidecar);
}

/* Into the history, with what the fields say. */
static void
remember(struct report *r, struct report_slot *slot, const struct fields *f,
    struct history_record *record, int64_t now_ms)
{
	(void)snprintf(record->who, sizeof(record->who), "%s", f->who); /* cut */
	(void)snprintf(record->entry, sizeof(record->entry), "%.*s",
	    HISTORY_ENTRY_MAX - 1, f->place); /* cut */
	slot->place = history_add(r->history, slot->hash, record, now_ms);
}

static void
remember_lookup(struct report *r, struct report_slot *slot, const struct fields *f,
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
	struct fields f;
	uint64_t suppressed;
	struct report_slot *slot = admit(r, s, LOG_REFUSED_LOOKUP, now_ms, &suppressed);

	if (slot == NULL)
		return;
	describe(&f, s, suppressed);
	add(&f, "REASON", refusals[verdict->reason].word);
	add_entry(&f, verdict->host);
	add_sidecar(&f, verdict->sidecar);
	remember_lookup(r, slot, &f, s, verdict, now_ms);
	log_event(LOG_REFUSED_LOOKUP, LOG_PRIORITY_NOTICE, f.list, f.len,
	    "refused: %s asked for %s %s: %s", f.who, f.name,
	    report_type(s->type, f.type, sizeof(f.type)), refusals[verdict->reason].text);
}

const char *
report_proto(uint8_t proto, char *buf, size_t size)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "ipv6-icmp"; /* as in /etc/protocols */
	}
	(void)snprintf(buf, size, "%u", proto); /* fits */
	return buf;
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
	return admit_key(r, c->pod, key, sizeof(key), now_ms, ret_suppressed);
}

static void
remember_connection(struct report *r, struct report_slot *slot, const struct fields *f,
    const struct report_connection *c, int64_t now_ms)
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
	struct fields f;
	uint64_t suppressed;
	struct report_slot *slot = admit_connection(r, c, now_ms, &suppressed);

	if (slot == NULL)
		return;
	describe_pod(&f, c->pod, c->workload, suppressed);
	if (c->name != NULL)
		add(&f, "NAME", name_format(c->name, f.name));
	(void)snprintf(port, sizeof(port), "%u", c->port); /* fits, and below */
	if (c->port != 0)
		(void)snprintf(where, sizeof(where), "port %s/%s", port, proto);
	else
		(void)snprintf(where, sizeof(where), "protocol %s", proto);
	add(&f, "ADDRESS", addr_format(c->destination, address));
	add(&f, "PROTOCOL", proto);
	add(&f, "PORT", c->port != 0 ? port : NULL);
	add(&f, "REASON", reason_text(c->reason));
	add_entry(&f, c->near);
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
	struct fields f;
	uint64_t suppressed;

	if (admit(r, s, LOG_FORBIDDEN_ADDRESS, now_ms, &suppressed) == NULL)
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

	if (admit(r, s, LOG_COMMIT_FAILED, now_ms, &suppressed) == NULL)
		return;
	describe(&f, s, suppressed);
	(void)snprintf(errnum, sizeof(errnum), "%d", -result); /* fits */
	add(&f, "ERRNO", errnum);
	log_event(LOG_COMMIT_FAILED, LOG_PRIORITY_ERROR, f.list, f.len,
	    "answered SERVFAIL for %s to %s: the kernel did not take the lease: %s",
	    f.name, f.who, strerror(-result));
}

void
report_limit(struct report *r, const struct report_subject *s,
    const struct strain *strain, int64_t now_ms)
{
	const char *option = NULL;
	struct fields f;
	uint64_t suppressed;

	if (admit(r, s, LOG_LIMIT, now_ms, &suppressed) == NULL)
		return;
	for (size_t i = 0; i < STRAIN_LIMITS && option == NULL; i++)
		option = strain->reached[i] ? strain_option(i) : NULL;
	describe(&f, s, suppressed);
	add(&f, "LIMIT", option);
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
	struct fields f;
	uint64_t suppressed;

	memcpy(key + 2, s->pod, pod_len);
	memcpy(key + 2 + pod_len, s->name->bytes, name_len);
	if (is_told(r, hash_bytes(&r->key, key, 2 + pod_len + name_len), now_ms))
		return; /* it goes on: not worth counting */
	slot = admit_key(r, s->pod, key, 2 + pod_len + name_len, now_ms, &suppressed);
	if (slot == NULL)
		return;
	slot->until_ms = now_ms + REPORT_NEAR_MS;
	describe(&f, s, suppressed);
	add(&f, "LIMIT", strain_option(limit));
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
	struct fields f;
	uint64_t suppressed;

	key[0] = LOG_LIMIT;
	memcpy(key + 1, pod, sizeof(*pod));
	if (admit_key(r, pod, key, sizeof(key), now_ms, &suppressed) == NULL)
		return;
	describe_pod(&f, pod, w, suppressed);
	log_event(LOG_LIMIT, LOG_PRIORITY_WARNING, f.list, f.len,
	    "dropped queries of %s: it sends more than pods.queriesPerSecond lets it",
	    f.who);
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
