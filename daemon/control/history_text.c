/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/history_text.h"

#include <inttypes.h>
#include <string.h>

#include "daemon/log/report.h"
#include "policy/explain/suggest.h"

#define MANIFEST_MAX 4096
#define REMARK_MAX 1024

/* A name, or an address and where to there, of a record. */
struct what {
	char name[NAME_TEXT_MAX]; /* "": none */
	char address[ADDR_TEXT_MAX];
	char type_room[12], proto_room[12];
	const char *type, *proto;
};

static void
describe(const struct history_record *r, struct what *w)
{
	w->name[0] = '\0';
	if (r->name.len > 0)
		name_format(&r->name, w->name);
	if (r->event == LOG_REFUSED_LOOKUP) {
		w->type = report_type(r->type, w->type_room, sizeof(w->type_room));
		return;
	}
	addr_format(&r->destination, w->address);
	w->proto = report_proto(r->proto, w->proto_room, sizeof(w->proto_room));
}

/* "google.com A", "192.0.2.1 80/tcp", "192.0.2.1 icmp". */
static void
write_what(const struct history_record *r, const struct what *w, struct buf *out)
{
	if (r->event == LOG_REFUSED_LOOKUP)
		buf_printf(out, "%s %s", w->name, w->type);
	else if (r->port != 0)
		buf_printf(out, "%s %u/%s", w->address, r->port, w->proto);
	else
		buf_printf(out, "%s %s", w->address, w->proto);
}

/* The name of a connection stands in front of its reason. */
static void
write_why(const struct history_record *r, const struct what *w, struct buf *out)
{
	buf_printf(
	    out, "%s%s", r->event == LOG_REFUSED_CONNECTION ? w->name : "", r->why);
}

static void
write_line(const struct history_record *r, int64_t now_ms, struct buf *out)
{
	struct what w;

	describe(r, &w);
	buf_printf(out, "%" PRId64 "s %" PRIu64 " %s ", (now_ms - r->last_ms) / 1000,
	    r->count, r->who);
	write_what(r, &w, out);
	buf_text(out, ": ");
	write_why(r, &w, out);
	if (r->entry[0] != '\0')
		buf_printf(out, "; near: %s", r->entry);
	buf_text(out, "\n");
}

static void
write_member(struct buf *out, const char *key, const char *value)
{
	buf_printf(out, ",\"%s\":", key);
	buf_json(out, value, strlen(value));
}

static void
write_object(const struct history_record *r, int64_t now_ms, struct buf *out)
{
	const bool lookup = r->event == LOG_REFUSED_LOOKUP;
	char pod[ADDR_TEXT_MAX];
	struct what w;

	describe(r, &w);
	buf_printf(out,
	    "{\"event\":\"%s\",\"count\":%" PRIu64 ",\"first_seconds_ago\":%" PRId64
	    ",\"seconds_ago\":%" PRId64,
	    lookup ? "refused_lookup" : "refused_connection", r->count,
	    (now_ms - r->first_ms) / 1000, (now_ms - r->last_ms) / 1000);
	write_member(out, "pod", r->who);
	write_member(out, "pod_address", addr_format(&r->pod, pod));
	if (w.name[0] != '\0')
		write_member(out, "name", w.name);
	if (lookup) {
		write_member(out, "type", w.type);
	} else {
		write_member(out, "address", w.address);
		write_member(out, "protocol", w.proto);
		if (r->port != 0)
			buf_printf(out, ",\"port\":%u", r->port);
	}
	write_member(out, "reason", r->reason);
	if (r->entry[0] != '\0')
		write_member(out, "entry", r->entry);
	buf_text(out, "}");
}

void
history_text_write(const struct history *h, int64_t now_ms, bool json, struct buf *out)
{
	const struct history_record *list[HISTORY_MAX];
	size_t count = history_list(h, list);

	if (json)
		buf_text(out, "[");
	for (size_t i = 0; i < count; i++) {
		if (json && i > 0)
			buf_text(out, ",\n");
		if (json)
			write_object(list[i], now_ms, out);
		else
			write_line(list[i], now_ms, out);
	}
	if (json)
		buf_text(out, "]\n");
}

static void
suggest_for(const struct history_record *r, const struct history_view *view,
    struct buf *manifest, struct buf *remark)
{
	const struct suggest_refusal refusal = {
	    .workload = registry_workload(view->registry, &r->pod),
	    .name = r->name.len > 0 ? &r->name : NULL,
	    .address = r->destination,
	    .port = r->port,
	    .proto = r->proto,
	    .cluster = view->cluster,
	};

	suggest(view->registry, &refusal, manifest, remark);
}

/* "# default/sleep 192.0.2.1 80/tcp, 3 times: remark" */
static void
write_comment(const struct history_record *r, const struct buf *remark, struct buf *out)
{
	struct what w;

	describe(r, &w);
	buf_printf(out, "# %s ", r->who);
	write_what(r, &w, out);
	buf_printf(out, ", %" PRIu64 " times", r->count);
	if (remark->len > 0)
		buf_printf(out, ": %s", remark->bytes);
	buf_text(out, "\n");
}

void
history_text_suggest(
    const struct history *h, const struct history_view *view, struct buf *out)
{
	const struct history_record *list[HISTORY_MAX];
	uint64_t seen[HISTORY_MAX];
	size_t count = history_list(h, list), seen_count = 0;
	struct buf manifest, remark;

	buf_init(&manifest, MANIFEST_MAX);
	buf_init(&remark, REMARK_MAX);
	for (size_t i = 0; i < count && !out->failed; i++) {
		uint64_t hash;
		size_t k = 0;

		buf_clear(&manifest);
		buf_clear(&remark);
		suggest_for(list[i], view, &manifest, &remark);
		if (manifest.failed || (manifest.len == 0 && remark.len == 0))
			continue;
		write_comment(list[i], &remark, out);
		if (manifest.len == 0)
			continue;
		hash = hash_bytes(&view->key, manifest.bytes, manifest.len);
		while (k < seen_count && seen[k] != hash)
			k++;
		if (k < seen_count)
			continue;
		seen[seen_count++] = hash;
		buf_printf(out, "---\n%s", manifest.bytes);
	}
	buf_done(&manifest);
	buf_done(&remark);
}
