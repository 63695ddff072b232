/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/json_line.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TAIL_CUT ",\"cut\":true}\n"

static const char *
level_name(enum log_priority priority)
{
	switch (priority) {
	case LOG_PRIORITY_ERROR:
		return "error";
	case LOG_PRIORITY_WARNING:
		return "warning";
	case LOG_PRIORITY_NOTICE:
		return "notice";
	case LOG_PRIORITY_INFO:
		return "info";
	case LOG_PRIORITY_DEBUG:
		return "debug";
	}
	return "error";
}

/* "2026-11-23T04:12:00.123456Z" (RFC 3339). */
static void
append_time(struct buf *b, int64_t time_us)
{
	time_t seconds = (time_t)(time_us / 1000000);
	char text[sizeof("-2147481748-12-31T23:59:60")];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		text[0] = '\0';
	buf_printf(b, "\"%s.%06dZ\"", text, (int)(time_us % 1000000));
}

/* One ,"PREFIXKEY":VALUE pair; false, and nothing appended, when it would not leave room
 * for the longest tail in a line that began at start. */
static bool
append_pair(
    struct buf *b, size_t start, const char *prefix, const char *key, const char *value)
{
	struct buf pair;
	bool fits;

	buf_init(&pair, JSON_LINE_MAX);
	buf_printf(&pair, ",\"%s%s\":", prefix, key);
	buf_json(&pair, value, strlen(value));
	fits =
	    !pair.failed && b->len - start + pair.len <= JSON_LINE_MAX - strlen(TAIL_CUT);
	if (fits)
		buf_append(b, pair.bytes, pair.len);
	buf_done(&pair);
	return fits;
}

void
json_line_format(struct buf *b, const struct record *r)
{
	size_t start = b->len;
	bool whole = true;

	buf_text(b, "{\"time\":");
	append_time(b, r->time_us);
	buf_printf(b, ",\"level\":\"%s\",\"event\":\"%s\"", level_name(r->priority),
	    record_event_name(r->event));
	/* Always fits: each of its LOG_VALUE_MAX bytes takes at most two here. */
	(void)append_pair(b, start, "", "message", r->message);
	for (size_t i = 0; i < r->field_count; i++)
		if (!append_pair(
			b, start, "EGRESSD_", r->fields[i].key, r->fields[i].value))
			whole = false;
	buf_text(b, whole ? "}\n" : TAIL_CUT);
}

/* Would fd take JSON_LINE_MAX bytes at once? */
static int
check_room(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (poll(&p, 1, 0) < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if (p.revents & POLLNVAL)
		return -EBADF;
	if (p.revents & (POLLERR | POLLHUP))
		return -EPIPE;
	return p.revents & POLLOUT ? 0 : -EAGAIN;
}

int
json_line_write(int fd, const struct record *r)
{
	struct buf b;
	ssize_t n;
	int result;

	result = check_room(fd);
	if (result < 0)
		return result;
	buf_init(&b, JSON_LINE_MAX);
	json_line_format(&b, r);
	if (b.failed) {
		buf_done(&b);
		return -ENOMEM;
	}
	do {
		n = write(fd, b.bytes, b.len);
	} while (n < 0 && errno == EINTR);
	result = n < 0 ? -errno : 0;
	buf_done(&b);
	return result;
}
