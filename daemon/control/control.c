/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/control/control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/control/stream_server.h"

#define BACKLOG 16
#define ERROR_TEXT_MAX 1000

struct control {
	char *path;
	dev_t dev; /* of the socket file that we made */
	ino_t ino;
	struct stream_server *server;
	control_answer_fn answer;
	void *ctx;
};

/* "error TEXT", on one line whatever the text holds. */
static void
write_error(struct buf *out, const char *text)
{
	buf_clear(out);
	buf_printf(out, "error %.*s", ERROR_TEXT_MAX, text);
	for (size_t i = 0; i < out->len; i++)
		if ((unsigned char)out->bytes[i] < 0x20 || out->bytes[i] == 0x7f)
			out->bytes[i] = ' ';
	buf_text(out, "\n");
}

/* Part line at its blanks; -E2BIG, or -EINVAL for control bytes. */
static int
split_words(char *line, size_t len, char **words, size_t *ret_count)
{
	size_t count = 0;
	bool inside = false;

	for (size_t i = 0; i < len; i++) {
		if (line[i] == ' ' || line[i] == '\t') {
			line[i] = '\0';
			inside = false;
			continue;
		}
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			return -EINVAL;
		if (!inside && count == CONTROL_WORDS_MAX)
			return -E2BIG;
		if (!inside)
			words[count++] = line + i;
		inside = true;
	}
	line[len] = '\0';
	*ret_count = count;
	return 0;
}

static void
answer_words(struct control *c, size_t word_count, char **words, struct buf *out)
{
	static const char ok[] = "ok\n";
	struct buf said;
	int r;

	buf_text(out, ok);
	r = c->answer(c->ctx, word_count, words, out);
	if (r == 0 && !out->failed)
		return;
	said = *out;
	buf_init(out, CONTROL_REPLY_MAX);
	if (said.failed)
		write_error(out, "the answer is too large, or memory has run out");
	else if (said.len > strlen(ok))
		write_error(out, said.bytes + strlen(ok));
	else
		write_error(out, strerror(-r));
	buf_done(&said);
}

static void
answer_line(void *ctx, char *line, size_t len, struct buf *out)
{
	char *words[CONTROL_WORDS_MAX];
	size_t word_count;
	int r;

	if (line == NULL) {
		write_error(out, "the request is too long");
		return;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	r = split_words(line, len, words, &word_count);
	if (r == -E2BIG)
		write_error(out, "too many words in the request");
	else if (r < 0)
		write_error(out, "control bytes in the request");
	else if (word_count == 0)
		write_error(out, "the request is empty");
	else
		answer_words(ctx, word_count, words, out);
}

/* Only root and ourselves. The mode of the file says the same; a file's mode can be
 * changed. */
static bool
peer_is_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

/* Is the file at to a socket that nobody listens on? Then it is removed. */
static int
remove_dead(const struct sockaddr_un *to)
{
	struct stat st;
	int fd, r = 0;

	if (lstat(to->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const void *)to, sizeof(*to)) == 0 || errno == EAGAIN)
		r = -EADDRINUSE; /* EAGAIN: somebody is there and has a full backlog */
	else if (errno != ECONNREFUSED)
		r = errno == ENOENT ? 0 : -errno;
	else if (unlink(to->sun_path) < 0 && errno != ENOENT)
		r = -errno;
	(void)close(fd); /* it was a question only */
	return r;
}

static int
bind_private(int fd, const struct sockaddr_un *to)
{
	mode_t old = umask(0177);
	int r = bind(fd, (const void *)to, sizeof(*to)) < 0 ? -errno : 0;

	(void)umask(old); /* cannot fail */
	return r;
}

/* A socket that listens, in *ret_fd. */
static int
open_socket(struct control *c, int *ret_fd)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct stat st;
	int fd, r;

	if (strlen(c->path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, c->path, strlen(c->path) + 1);
	r = remove_dead(&to);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	r = bind_private(fd, &to);
	if (r < 0)
		return r;
	if (lstat(c->path, &st) < 0)
		return -errno;
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	return listen(fd, BACKLOG) < 0 ? -errno : 0;
}

int
control_new(struct event_base *base, const char *path, control_answer_fn answer,
    void *ctx, struct control **ret_control)
{
	struct control *c = calloc(1, sizeof(*c));
	const struct stream_server_settings settings = {
	    .end = "\n",
	    .request_max = CONTROL_REQUEST_MAX,
	    .reply_max = CONTROL_REPLY_MAX,
	    .is_welcome = peer_is_allowed,
	    .answer = answer_line,
	    .ctx = c,
	};
	int fd = -1;
	int r = -ENOMEM;

	if (c == NULL)
		return r;
	c->answer = answer;
	c->ctx = ctx;
	c->path = strdup(path);
	if (c->path != NULL)
		r = open_socket(c, &fd);
	if (r == 0)
		r = stream_server_new(base, fd, &settings, &c->server);
	if (r < 0) {
		if (fd >= 0)
			(void)close(fd); /* nobody has it */
		control_free(c);
		return r;
	}
	*ret_control = c;
	return 0;
}

/* The file only when it is still the one that we made. */
static void
remove_file(const struct control *c)
{
	struct stat st;

	if (c->ino != 0 && lstat(c->path, &st) == 0 && st.st_dev == c->dev &&
	    st.st_ino == c->ino)
		(void)unlink(c->path); /* a dead one is replaced at the next start */
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	stream_server_free(c->server);
	if (c->path != NULL)
		remove_file(c);
	free(c->path);
	free(c);
}
