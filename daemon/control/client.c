/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/control/control.h"

#define CHUNK_SIZE ((size_t)16 * 1024)

int
client_open(const char *path, int *ret_fd)
{
	static const struct timeval wait = {.tv_sec = CLIENT_WAIT_S};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd, r;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0 ||
	    connect(fd, (const void *)&to, sizeof(to)) < 0) {
		r = -errno;
		(void)close(fd); /* never was connected */
		return r;
	}
	*ret_fd = fd;
	return 0;
}

static int
send_request(int fd, size_t word_count, char *const *words)
{
	struct buf line;
	ssize_t n = 0;
	int r = 0;

	buf_init(&line, CONTROL_REQUEST_MAX);
	for (size_t i = 0; i < word_count; i++) {
		buf_text(&line, i > 0 ? " " : "");
		buf_text(&line, words[i]);
	}
	buf_text(&line, "\n");
	if (line.failed || word_count > CONTROL_WORDS_MAX)
		r = -E2BIG;
	for (size_t sent = 0; r == 0 && sent < line.len; sent += (size_t)n) {
		n = send(fd, line.bytes + sent, line.len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			n = 0;
		/* A daemon that closed at once may have said why. */
		if (n < 0 && errno == EPIPE)
			break;
		if (n < 0)
			r = -errno;
	}
	buf_done(&line);
	return r;
}

/* What a reply's first line has told so far. */
enum state {
	FIRST_LINE,
	GOOD,
};

struct reply {
	enum state state;
	char line[CLIENT_ERROR_MAX + sizeof("error \n")];
	size_t len; /* of line */
	FILE *out;
	struct buf *error;
};

/* The first line is whole. */
static int
judge_line(struct reply *reply)
{
	static const char refused[] = "error ";

	reply->line[reply->len] = '\0';
	if (strcmp(reply->line, "ok") == 0) {
		reply->state = GOOD;
		return 0;
	}
	if (strncmp(reply->line, refused, strlen(refused)) != 0)
		return -EPROTO;
	buf_text(reply->error, reply->line + strlen(refused));
	return -EREMOTEIO;
}

static int
take_bytes(struct reply *reply, const char *bytes, size_t len)
{
	size_t used = 0;
	int r;

	while (reply->state == FIRST_LINE && used < len) {
		if (bytes[used] == '\n') {
			r = judge_line(reply);
			if (r < 0)
				return r;
		} else if (reply->len == sizeof(reply->line) - 1) {
			return -EPROTO;
		} else {
			reply->line[reply->len++] = bytes[used];
		}
		used++;
	}
	if (used < len && fwrite(bytes + used, 1, len - used, reply->out) != len - used)
		return -EIO;
	return 0;
}

static int
read_reply(int fd, struct reply *reply)
{
	char chunk[CHUNK_SIZE];
	ssize_t n;
	int r;

	for (;;) {
		n = recv(fd, chunk, sizeof(chunk), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return -ETIMEDOUT;
		if (n < 0 && errno != ECONNRESET)
			return -errno;
		if (n < 0 || (n == 0 && reply->state == FIRST_LINE))
			return -EPROTO;
		if (n == 0)
			return fflush(reply->out) == 0 ? 0 : -EIO;
		r = take_bytes(reply, chunk, (size_t)n);
		if (r < 0)
			return r;
	}
}

int
client_ask(int fd, size_t word_count, char *const *words, FILE *out, struct buf *error)
{
	struct reply reply = {.out = out, .error = error};
	int r = send_request(fd, word_count, words);

	return r < 0 ? r : read_reply(fd, &reply);
}
