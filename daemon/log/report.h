/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the journal is told about a pod's lookups and refused connections: at most one
 * record in REPORT_PERIOD_MS for each pod, name or destination, and kind of event,
 * REPORT_POD_RATE a second for each pod, so that a noisy one does not hide the others,
 * and REPORT_RATE a second in all. What is left out is counted, and the count stands in
 * the next record. What was refused is remembered beside that (daemon/log/history.h).
 */
#ifndef DAEMON_LOG_REPORT_H
#define DAEMON_LOG_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/name.h"
#include "daemon/lease/strain.h"
#include "daemon/log/log.h"
#include "policy/registry/registry.h"

#define REPORT_PERIOD_MS 10000
#define REPORT_NEAR_MS 600000
#define REPORT_WILDCARD_MS 60000
#define REPORT_RATE 100 /* records a second */
#define REPORT_POD_RATE 25
/* Pods counted apart; two that share one of these share its rate. A node runs some
 * hundred. */
#define REPORT_PODS 1024
/* (pod, name, event) remembered; two that share a slot displace each other */
#define REPORT_SLOTS 8192

struct history;

struct report {
	struct hash_key key;
	struct history *history; /* borrowed; NULL: none */
	int64_t second;          /* that tokens are for */
	uint32_t tokens;
	uint8_t pod_told[REPORT_PODS]; /* in this second */
	uint64_t suppressed;           /* not told of in any record yet */
	uint64_t suppressed_total;
	struct report_slot {
		uint64_t hash;
		int64_t until_ms;
		uint32_t suppressed;
		uint32_t place; /* in the history */
	} slots[REPORT_SLOTS];
};

struct report_subject {
	const struct addr *pod;
	const struct workload *workload; /* NULL: not known */
	const struct name *name;
	uint16_t type;
};

enum report_reason {
	REPORT_UNLISTED,  /* no name is known that leads there, or that opens anything */
	REPORT_NO_LOOKUP, /* one is, but the pod did not look it up, or its lease ended */
	REPORT_NOT_LISTED_PORT,  /* the pod looked it up, and it opens other ports */
	REPORT_LISTED_OTHERWISE, /* an entry's addresses hold it: not for that port, or
				    not for that pod; no name is known */
};

struct report_connection {
	const struct addr *pod;
	const struct workload *workload; /* NULL: not known */
	const struct addr *destination;
	uint16_t port; /* 0: none */
	uint8_t proto;
	enum report_reason reason;
	const struct name *name;          /* NULL: not known */
	const struct registry_host *near; /* that nearly opened it; NULL: none */
};

struct report_wildcard {
	const struct addr *pod;
	const struct workload *workload;  /* NULL: not known */
	const struct registry_host *host; /* the wildcard that this name is under */
	const char *option;               /* the limit that is reached */
	uint32_t names;                   /* that went out in this minute */
	size_t bytes;
};

void report_init(struct report *r, const struct hash_key *key, struct history *history);

/* A lookup was refused. */
void report_refused(struct report *r, const struct report_subject *s,
    const struct verdict *verdict, int64_t now_ms);
/* The kernel has refused a packet. */
void report_refused_connection(
    struct report *r, const struct report_connection *c, int64_t now_ms);
/* An address was taken out of an answer. */
void report_forbidden(struct report *r, const struct report_subject *s,
    const struct registry_host *host, const struct addr *forbidden, int64_t now_ms);
/* An answer could not be recorded: result as in daemon/lease/commit.h. */
void report_commit_failed(
    struct report *r, const struct report_subject *s, int result, int64_t now_ms);
/* A pod sends more queries than it may. */
void report_rate(
    struct report *r, const struct addr *pod, const struct workload *w, int64_t now_ms);
/* A pod asks for more names under wildcards than it may. Told once in REPORT_WILDCARD_MS
 * for each pod that is known, whatever address it asks from; else for each address. */
void report_wildcard(
    struct report *r, const struct report_wildcard *subject, int64_t now_ms);
/* The enforcer has cut established flows; lost: and could not cut these. */
void report_flows(uint32_t cut, uint32_t lost, int result);
/* A limit left nothing of an answer, or a part of it. */
void report_limit(struct report *r, const struct report_subject *s,
    const struct strain *strain, int64_t now_ms);
/* With this answer a limit is nearly reached: told once in REPORT_NEAR_MS. */
void report_near(struct report *r, const struct report_subject *s,
    enum strain_limit limit, int64_t now_ms);

/* The type of a question, the protocol of a packet, as people call them: a constant, or
 * written into buf, of which 12 bytes are enough. */
const char *report_type(uint16_t type, char *buf, size_t size);
const char *report_proto(uint8_t proto, char *buf, size_t size);

#endif
