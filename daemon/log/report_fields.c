/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/report_fields.h"

#include <netinet/in.h>
#include <stdio.h>

#include "resolver/wire.h"

void
report_add(struct report_fields *f, const char *key, const char *value)
{
	if (f->len < REPORT_FIELDS_MAX)
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

void
report_describe_pod(struct report_fields *f, const struct addr *pod,
    const struct workload *w, uint64_t suppressed)
{
	f->len = 0;
	f->place[0] = '\0';
	addr_format(pod, f->pod);
	if (w != NULL)
		(void)snprintf(f->who, sizeof(f->who), "%s/%s", w->namespace,
		    w->name); /* cut when longer */
	else
		(void)snprintf(f->who, sizeof(f->who), "%s", f->pod); /* fits */
	report_add(f, "POD_ADDRESS", f->pod);
	report_add(f, "POD", f->who);
	report_add(f, "NAMESPACE", w != NULL ? w->namespace : NULL);
	if (suppressed == 0)
		return;
	(void)snprintf(f->suppressed, sizeof(f->suppressed), "%llu",
	    (unsigned long long)suppressed); /* fits */
	report_add(f, "SUPPRESSED", f->suppressed);
}

void
report_describe(
    struct report_fields *f, const struct report_subject *s, uint64_t suppressed)
{
	report_describe_pod(f, s->pod, s->workload, suppressed);
	name_format(s->name, f->name);
	report_add(f, "NAME", f->name);
	report_add(f, "TYPE", report_type(s->type, f->type, sizeof(f->type)));
}

void
report_add_entry(struct report_fields *f, const struct registry_host *host)
{
	if (host == NULL)
		return;
	(void)snprintf(f->place, sizeof(f->place), "%s/%s (%s:%u)",
	    host->source.namespace, host->source.name, host->source.file,
	    host->source.line); /* cut when longer */
	report_add(f, "ENTRY", f->place);
}
