/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/explain/suggest.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "policy/explain/lister.h"
#include "policy/registry/range.h"
#include "policy/syntax.h"

#define OBJECT_MAX 253 /* Kubernetes */

struct entry {
	const char *namespace;
	const char *host;
	const struct addr *address;       /* NULL: none */
	const struct registry_host *near; /* it is to merge with; NULL: none */
	bool own;                         /* for its namespace only; without near */
	uint16_t port;
	uint8_t proto;
};

static const char *
resolution_text(enum registry_resolution resolution)
{
	switch (resolution) {
	case RESOLUTION_NONE:
		return "NONE";
	case RESOLUTION_STATIC:
		return "STATIC";
	case RESOLUTION_DNS:
		return "DNS";
	case RESOLUTION_DNS_ROUND_ROBIN:
		return "DNS_ROUND_ROBIN";
	case RESOLUTION_DYNAMIC_DNS:
		return "DYNAMIC_DNS";
	}
	return "";
}

static const char *
protocol_text(const struct entry *e)
{
	if (e->proto == IPPROTO_UDP)
		return "UDP";
	return e->port == 443 ? "HTTPS" : e->port == 80 ? "HTTP" : "TCP";
}

/* False: an object's name cannot be that long. */
static bool
write_name(const struct entry *e, struct buf *out)
{
	const char *proto = e->proto == IPPROTO_UDP ? "udp" : "tcp";
	const bool wildcard = e->host[0] == '*';
	char text[OBJECT_MAX + 1];
	int len = snprintf(text, sizeof(text), "suggested%s-%s-%u.%s%s",
	    e->own || e->near != NULL ? "" : "-all", proto, e->port,
	    wildcard ? "any" : "", e->host + (wildcard ? 1 : 0));

	if (len < 0 || len > OBJECT_MAX)
		return false;
	buf_printf(out,
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata:\n"
	    "  name: %s\n  namespace: %s\n",
	    text, e->namespace);
	return true;
}

static void
write_export(const struct entry *e, struct buf *out)
{
	const struct registry_host *h = e->near;

	if (h == NULL) {
		if (e->own)
			buf_text(out, "  exportTo: [\".\"]\n");
		return;
	}
	if (h->exported_to_all) {
		buf_text(out, "  exportTo: [\"*\"]\n");
		return;
	}
	for (size_t i = 0; i < h->exported_count; i++)
		buf_printf(
		    out, "%s\"%s\"", i == 0 ? "  exportTo: [" : ", ", h->exported_to[i]);
	buf_text(out, h->exported_count > 0 ? "]\n" : "  exportTo: [\"~\"]\n");
}

static void
write_entry(const struct entry *e, struct buf *out)
{
	char address[ADDR_TEXT_MAX];
	enum registry_resolution resolution = RESOLUTION_DNS;

	if (e->near != NULL)
		resolution = e->near->resolution;
	else if (e->address != NULL)
		resolution = RESOLUTION_NONE;
	if (!write_name(e, out))
		return;
	buf_printf(out, "spec:\n  hosts: [\"%s\"]\n", e->host);
	if (e->address != NULL)
		buf_printf(
		    out, "  addresses: [\"%s\"]\n", addr_format(e->address, address));
	buf_printf(out, "  ports: [{number: %u, name: %s-%u, protocol: %s}]\n", e->port,
	    e->proto == IPPROTO_UDP ? "udp" : "tcp", e->port, protocol_text(e));
	buf_printf(out, "  resolution: %s\n  location: %s\n", resolution_text(resolution),
	    e->near != NULL && e->near->internal ? "MESH_INTERNAL" : "MESH_EXTERNAL");
	write_export(e, out);
}

static const char *
namespace_of(const struct suggest_refusal *f)
{
	return f->workload != NULL ? f->workload->namespace : "default";
}

static void
suggest_host(const struct suggest_refusal *f, struct buf *manifest, struct buf *remark)
{
	const bool lookup = f->address.family == 0;
	char text[NAME_TEXT_MAX];
	const struct entry e = {
	    .namespace = namespace_of(f),
	    .host = name_format(f->name, text),
	    .own = f->workload != NULL,
	    .port = lookup ? SUGGEST_LOOKUP_PORT : f->port,
	    .proto = lookup ? IPPROTO_TCP : f->proto,
	};

	if (!syntax_fqdn(text, strlen(text))) {
		buf_text(remark, "no ServiceEntry can list that name");
		return;
	}
	write_entry(&e, manifest);
	if (lookup)
		buf_text(remark, "a lookup does not tell the port: 443 is a guess");
}

/* A made-up host: whatever is looked up under it, there is nothing (RFC 6761). */
static void
suggest_address(const struct suggest_refusal *f, struct buf *manifest, struct buf *remark)
{
	struct prefix whole = {
	    .addr = f->address, .len = (uint8_t)(addr_len(&f->address) * 8)};
	char host[ADDR_TEXT_MAX + 16], text[ADDR_TEXT_MAX];
	const struct entry e = {
	    .namespace = namespace_of(f),
	    .host = host,
	    .address = &f->address,
	    .own = f->workload != NULL,
	    .port = f->port,
	    .proto = f->proto,
	};

	if (range_of(&f->address) == RANGE_NEVER || range_covers_metadata(&whole)) {
		buf_text(remark, "loopback, link-local, metadata, multicast and reserved "
				 "addresses are not suggested: list them by hand");
		return;
	}
	(void)snprintf(host, sizeof(host), "ip-%s-only.invalid",
	    addr_format(&f->address, text)); /* fits */
	for (char *c = host; c < host + 3 + strlen(text); c++)
		if (*c == '.' || *c == ':')
			*c = '-';
	write_entry(&e, manifest);
	buf_text(remark, "no name is known to lead there: by its address, for good");
}

static bool
has_port(const struct registry_host *h, const struct suggest_refusal *f)
{
	return registry_port(h->ports, h->port_count, f->port, f->proto) != NULL;
}

/* The pod sees the host, and it lists other ports. */
static void
suggest_port(const struct registry_host *h, const struct suggest_refusal *f,
    struct buf *manifest, struct buf *remark)
{
	const struct entry e = {
	    .namespace = h->source.namespace,
	    .host = h->host,
	    .near = h,
	    .port = f->port,
	    .proto = f->proto,
	};
	const bool alone = h->whole == NULL && !h->service && !h->listed_only &&
			   h->endpoint_count == 0 && h->target_count == 0;

	if (alone)
		write_entry(&e, manifest);
	buf_printf(remark, "%sport %u/%s to %s %s/%s (%s:%u)",
	    h->whole != NULL ? "a Sidecar's listener trims it; add "
	    : alone          ? "or add "
			     : "add ",
	    f->port, protocol_text(&e), h->source.kind, h->source.namespace,
	    h->source.name, h->source.file, h->source.line);
}

static void
suggest_by_name(const struct registry *r, const struct suggest_refusal *f,
    struct buf *manifest, struct buf *remark)
{
	struct verdict v;

	if (name_within(f->name, f->cluster))
		return;
	registry_judge(r, f->workload, f->name, &v);
	switch (v.kind) {
	case VERDICT_OPEN:
	case VERDICT_ZONE:
		return;
	case VERDICT_HOST:
		if (f->address.family == 0)
			return;
		if (has_port(v.host, f))
			buf_text(remark, "open after a lookup of that name by that pod");
		else
			suggest_port(v.host, f, manifest, remark);
		return;
	case VERDICT_PARENT:
		if (f->address.family == 0)
			return; /* it was answered */
		break;
	case VERDICT_REFUSED:
		break;
	}
	if (v.reason == REASON_NOT_IMPORTED)
		buf_printf(remark,
		    "add \"%s/%s\" to the egress hosts of Sidecar %s/%s (%s:%u)",
		    v.host->source.namespace, v.host->host, v.sidecar->source.namespace,
		    v.sidecar->source.name, v.sidecar->source.file,
		    v.sidecar->source.line);
	else
		suggest_host(f, manifest, remark);
}

void
suggest(const struct registry *r, const struct suggest_refusal *f, struct buf *manifest,
    struct buf *remark)
{
	const bool lookup = f->address.family == 0;

	if (f->workload != NULL && f->workload->mode == OUTBOUND_ALLOW_ANY)
		return;
	if (!lookup &&
	    (f->port == 0 || (f->proto != IPPROTO_TCP && f->proto != IPPROTO_UDP))) {
		buf_text(remark, "an entry opens ports of TCP and UDP only");
		return;
	}
	if (!lookup && lister_opens(r, f->workload, &f->address, f->port, f->proto))
		return;
	if (f->name != NULL)
		suggest_by_name(r, f, manifest, remark);
	else
		suggest_address(f, manifest, remark);
}
