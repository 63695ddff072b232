/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/control_bed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/control/client.h"
#include "tests/unit/scratch.h"

#define TURNS 200

struct bed bed;

int
control_bed_answer(void *ctx, size_t word_count, char **words, struct buf *out)
{
	assert_ptr_equal(ctx, &bed);
	bed.asked++;
	bed.word_count = word_count;
	for (size_t i = 0; i < word_count; i++)
		(void)snprintf(bed.words[i], sizeof(bed.words[i]), "%s", words[i]);
	if (strcmp(words[0], "refuse") == 0) {
		buf_text(out, "not\nnow");
		return -EBUSY;
	}
	if (strcmp(words[0], "fail") == 0)
		return -ENOENT;
	if (strcmp(words[0], "burst") == 0)
		out->limit = 4;
	if (strcmp(words[0], "large") == 0)
		for (size_t i = 0; i < LARGE / 8; i++)
			buf_append(out, "12345678", 8);
	if (strcmp(words[0], "silent") != 0)
		buf_text(out, "hello\n");
	return 0;
}

int
set_up(void **state)
{
	(void)state;
	memset(&bed, 0, sizeof(bed));
	scratch_open();
	(void)snprintf(bed.path, sizeof(bed.path), "%s", scratch_path("sock"));
	bed.base = event_base_new();
	assert_non_null(bed.base);
	assert_int_equal(
	    control_new(bed.base, bed.path, control_bed_answer, &bed, &bed.control), 0);
	return 0;
}

int
tear_down(void **state)
{
	(void)state;
	control_free(bed.control);
	event_base_free(bed.base);
	scratch_close();
	return 0;
}

void
turn(unsigned times)
{
	while (times-- > 0)
		assert_true(event_base_loop(bed.base, EVLOOP_NONBLOCK) >= 0);
}

int
connect_client(void)
{
	int fd;

	assert_int_equal(client_open(bed.path, &fd), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

void
send_text(int fd, const char *text)
{
	assert_int_equal(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Everything up to the end of the stream, which must come. */
const char *
reply_of(int fd)
{
	size_t len = 0;
	ssize_t n = -1;

	for (unsigned i = 0; i < TURNS && n != 0; i++) {
		turn(1);
		n = recv(fd, bed.reply + len, sizeof(bed.reply) - 1 - len, 0);
		if (n < 0)
			assert_int_equal(errno, EAGAIN);
		len += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(n, 0);
	bed.reply[len] = '\0';
	return bed.reply;
}

const char *
ask(const char *text)
{
	int fd = connect_client();
	const char *reply;

	send_text(fd, text);
	reply = reply_of(fd);
	assert_int_equal(close(fd), 0);
	turn(2);
	return reply;
}

bool
is_closed(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}
