/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KEY_PREFIX "EGRESSD_"

int
journal_open(int *ret_fd)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* The protocol's length: 64 bits, little endian. */
static void
append_le64(struct buf *b, uint64_t value)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
	buf_append(b, bytes, sizeof(bytes));
}

void
journal_field(struct buf *b, const char *key, const char *value, size_t len)
{
	buf_text(b, key);
	if (memchr(value, '\n', len) == NULL) {
		buf_append(b, "=", 1);
	} else {
		buf_append(b, "\n", 1);
		append_le64(b, len);
	}
	buf_append(b, value, len);
	buf_append(b, "\n", 1);
}

/* What every record has; the part that is sent in any case. */
static void
append_head(struct buf *b, const struct record *r)
{
	buf_printf(b, "PRIORITY=%d\n", (int)r->priority);
	buf_text(b, "SYSLOG_IDENTIFIER=egressd\n");
	buf_printf(b, "MESSAGE_ID=%s\n", record_event_id(r->event));
	journal_field(b, "MESSAGE", r->message, strlen(r->message));
	journal_field(b, KEY_PREFIX "EVENT", record_event_name(r->event),
	    strlen(record_event_name(r->event)));
}

static void
append_fields(struct buf *b, const struct record *r)
{
	char key[sizeof(KEY_PREFIX) + RECORD_KEY_MAX];

	for (size_t i = 0; i < r->field_count; i++) {
		(void)snprintf(key, sizeof(key), KEY_PREFIX "%s",
		    r->fields[i].key); /* fits: see RECORD_KEY_MAX */
		journal_field(b, key, r->fields[i].value, strlen(r->fields[i].value));
	}
}

static int
send_bytes(int fd, const struct sockaddr_un *to, const char *bytes, size_t len)
{
	ssize_t n;

	do {
		n = sendto(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL, (const void *)to,
		    sizeof(*to));
	} while (n < 0 && errno == EINTR);
	/* ENOBUFS: the kernel has no memory just now; the record may come again. */
	if (n < 0)
		return errno == ENOBUFS ? -EAGAIN : -errno;
	return 0;
}

int
journal_send(int fd, const char *path, const struct record *r)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct buf b;
	size_t head_len;
	int result;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path) + 1);
	buf_init(&b, JOURNAL_RECORD_MAX);
	append_head(&b, r);
	head_len = b.len;
	append_fields(&b, r);
	if (b.failed) {
		buf_done(&b);
		return -ENOMEM;
	}
	result = send_bytes(fd, &to, b.bytes, b.len);
	if (result == -EMSGSIZE)
		result = send_bytes(fd, &to, b.bytes, head_len);
	buf_done(&b);
	return result;
}
