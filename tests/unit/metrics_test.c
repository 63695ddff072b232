/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/control/metrics.h"
#include "daemon/control/stream_server.h"
#include "tests/unit/alloc.h"

#define PORT 9153
#define TURNS 1000

struct bed {
	struct event_base *base;
	struct metrics *metrics;
	struct endpoint endpoint;
	const char *unready;
	size_t page_len;
	char reply[16384];
};

static struct bed bed;

static void
write_page(void *ctx, struct buf *out)
{
	assert_ptr_equal(ctx, &bed);
	buf_text(out, "egressd_queries_total 7\n");
	for (size_t i = out->len; i < bed.page_len; i++)
		buf_text(out, "#");
}

static const char *
why_unready(void *ctx)
{
	assert_ptr_equal(ctx, &bed);
	return bed.unready;
}

/* Of 127.0.0.0/8 an address that is this process's alone. */
static struct endpoint
own_endpoint(void)
{
	const uint32_t pid = (uint32_t)getpid(); /* below 2^22 */
	const uint8_t bytes[] = {
	    127, (uint8_t)(1 + (pid >> 16)), (uint8_t)(pid >> 8), (uint8_t)pid};

	return (struct endpoint){.addr = addr_make(AF_INET, bytes), .port = PORT};
}

static int
set_up(void **state)
{
	const struct metrics_source source = {
	    .write = write_page, .why_unready = why_unready, .ctx = &bed};

	(void)state;
	memset(&bed, 0, sizeof(bed));
	bed.base = event_base_new();
	assert_non_null(bed.base);
	assert_int_equal(metrics_new(bed.base, &source, &bed.metrics), 0);
	bed.endpoint = own_endpoint();
	assert_int_equal(metrics_listen(bed.metrics, &bed.endpoint), 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	alloc_reset();
	metrics_free(bed.metrics);
	event_base_free(bed.base);
	return 0;
}

/* Negative errno. */
static int
connect_to(const struct endpoint *e)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(e, &ss);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&ss, len) < 0) {
		int r = -errno;

		assert_int_equal(close(fd), 0);
		return r;
	}
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* Everything up to the end of the stream, which must come. */
static const char *
read_reply(int fd)
{
	size_t len = 0;
	ssize_t n = -1;

	for (unsigned i = 0; i < TURNS && n != 0; i++) {
		assert_true(event_base_loop(bed.base, EVLOOP_NONBLOCK) >= 0);
		n = recv(fd, bed.reply + len, sizeof(bed.reply) - 1 - len, 0);
		assert_true(n >= 0 || errno == EAGAIN);
		len += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(n, 0);
	bed.reply[len] = '\0';
	assert_int_equal(close(fd), 0);
	return bed.reply;
}

static const char *
ask_bytes(const char *request, size_t len)
{
	int fd = connect_to(&bed.endpoint);

	assert_true(fd >= 0);
	assert_int_equal(send(fd, request, len, MSG_NOSIGNAL), len);
	return read_reply(fd);
}

static const char *
ask(const char *request)
{
	return ask_bytes(request, strlen(request));
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Status line, fields and a body of as many bytes as they say. */
static void
assert_reply(const char *reply, const char *status, const char *body)
{
	const char *length = strstr(reply, "Content-Length: ");
	const char *end = strstr(reply, "\r\n\r\n");

	assert_true(begins(reply, "HTTP/1.1 "));
	assert_true(begins(reply + strlen("HTTP/1.1 "), status));
	assert_non_null(strstr(reply, "Connection: close\r\n"));
	assert_non_null(end);
	assert_non_null(length);
	assert_string_equal(end + 4, body);
	assert_int_equal(
	    strtoul(length + strlen("Content-Length: "), NULL, 10), strlen(body));
}

static void
the_page_is_in_prometheus_form(void **state)
{
	(void)state;
	assert_reply(ask("GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"),
	    "200 OK", "egressd_queries_total 7\n");
	assert_non_null(strstr(
	    bed.reply, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_reply(ask("GET /metrics?x=y HTTP/1.0\r\n\r\n"), "200 OK",
	    "egressd_queries_total 7\n");
}

static void
probes_are_answered(void **state)
{
	(void)state;
	assert_reply(ask("GET /healthz HTTP/1.1\r\n\r\n"), "200 OK", "ok\n");
	assert_reply(ask("GET /readyz HTTP/1.1\r\n\r\n"), "200 OK", "ok\n");
	bed.unready = "not yet";
	assert_reply(
	    ask("GET /readyz HTTP/1.1\r\n\r\n"), "503 Service Unavailable", "not yet\n");
	assert_reply(ask("GET /healthz HTTP/1.1\r\n\r\n"), "200 OK", "ok\n");
}

static void
a_head_has_the_fields_alone(void **state)
{
	const char *reply = ask("HEAD /metrics HTTP/1.1\r\n\r\n");

	(void)state;
	assert_true(begins(reply, "HTTP/1.1 200 OK\r\n"));
	assert_non_null(strstr(reply, "Content-Length: 24\r\n"));
	assert_string_equal(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
}

static void
other_requests_are_refused_by_name(void **state)
{
	(void)state;
	assert_reply(ask("GET / HTTP/1.1\r\n\r\n"), "404", "404 Not Found\n");
	assert_reply(ask("GET /metricsx HTTP/1.1\r\n\r\n"), "404", "404 Not Found\n");
	assert_reply(ask("POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), "405",
	    "405 Method Not Allowed\n");
	assert_non_null(strstr(bed.reply, "\r\nAllow: GET, HEAD\r\n"));
	assert_reply(
	    ask("get /metrics HTTP/1.1\r\n\r\n"), "405", "405 Method Not Allowed\n");
}

static void
what_is_no_http_is_a_bad_request(void **state)
{
	static const char *const requests[] = {"\r\n\r\n", "GET\r\n\r\n",
	    "GET /metrics\r\n\r\n", "GET  HTTP/1.1\r\n\r\n",
	    "GET /metrics HTTP/2\r\n\r\n", "GET /metrics  HTTP/1.1\r\n\r\n",
	    "\x16\x03\x01 a b\r\n\r\n"};
	static const char with_nul[] = "GET /met\0rics HTTP/1.1\r\n\r\n";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		assert_reply(ask(requests[i]), "400", "400 Bad Request\n");
	assert_reply(
	    ask_bytes(with_nul, sizeof(with_nul) - 1), "400", "400 Bad Request\n");
}

static void
a_request_has_a_limit(void **state)
{
	static char request[METRICS_REQUEST_MAX + 64];
	static const char line[] = "GET /healthz HTTP/1.1\r\nX: ";

	(void)state;
	memset(request, 'x', sizeof(request));
	memcpy(request, line, sizeof(line) - 1);
	memcpy(request + METRICS_REQUEST_MAX - 4, "\r\n\r\n", 4);
	assert_reply(ask_bytes(request, METRICS_REQUEST_MAX), "200 OK", "ok\n");
	memset(request + METRICS_REQUEST_MAX - 4, 'x', 4);
	memcpy(request + METRICS_REQUEST_MAX - 3, "\r\n\r\n", 4);
	assert_reply(ask_bytes(request, METRICS_REQUEST_MAX + 1), "431",
	    "431 Request Header Fields Too Large\n");
}

/* Without what did not fit, it would be a wrong page. */
static void
a_page_that_does_not_fit_is_none(void **state)
{
	(void)state;
	bed.page_len = METRICS_REPLY_MAX + 1;
	assert_string_equal(ask("GET /metrics HTTP/1.1\r\n\r\n"), "");
	bed.page_len = 0;
	assert_reply(
	    ask("GET /metrics HTTP/1.1\r\n\r\n"), "200 OK", "egressd_queries_total 7\n");
}

static void
connections_have_a_limit(void **state)
{
	int fds[STREAM_SERVER_CLIENTS_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = connect_to(&bed.endpoint);
		assert_true(fds[i] >= 0);
	}
	assert_string_equal(read_reply(connect_to(&bed.endpoint)), "");
	assert_int_equal(send(fds[0], "GET /healthz HTTP/1.1\r\n\r\n", 25, 0), 25);
	assert_reply(read_reply(fds[0]), "200 OK", "ok\n");
	for (size_t i = 1; i < ARRAY_LEN(fds); i++)
		assert_int_equal(close(fds[i]), 0);
}

static void
it_listens_elsewhere_or_nowhere_when_told(void **state)
{
	const struct endpoint nowhere = {0}, first = bed.endpoint;

	(void)state;
	assert_int_equal(metrics_listen(bed.metrics, &nowhere), 0);
	assert_int_equal(connect_to(&first), -ECONNREFUSED);
	assert_int_equal(metrics_listen(bed.metrics, &nowhere), 0);
	bed.endpoint.port++;
	assert_int_equal(metrics_listen(bed.metrics, &bed.endpoint), 0);
	assert_int_equal(connect_to(&first), -ECONNREFUSED);
	assert_reply(ask("GET /healthz HTTP/1.1\r\n\r\n"), "200 OK", "ok\n");
	assert_int_equal(metrics_listen(bed.metrics, &bed.endpoint), 0);
	assert_reply(ask("GET /healthz HTTP/1.1\r\n\r\n"), "200 OK", "ok\n");
}

static void
a_port_that_is_taken_may_be_free_later(void **state)
{
	const struct endpoint mine = bed.endpoint;
	struct metrics *other;

	(void)state;
	assert_int_equal(
	    metrics_new(bed.base,
		&(struct metrics_source){
		    .write = write_page, .why_unready = why_unready, .ctx = &bed},
		&other),
	    0);
	assert_int_equal(metrics_listen(other, &mine), -EADDRINUSE);
	assert_int_equal(metrics_listen(other, &mine), -EADDRINUSE);
	assert_int_equal(metrics_listen(bed.metrics, &(struct endpoint){0}), 0);
	assert_int_equal(metrics_listen(other, &mine), 0);
	assert_reply(ask("GET /healthz HTTP/1.1\r\n\r\n"), "200 OK", "ok\n");
	metrics_free(other);
}

static void
a_lack_of_memory_is_told(void **state)
{
	int r = -ENOMEM;

	(void)state;
	assert_int_equal(metrics_listen(bed.metrics, &(struct endpoint){0}), 0);
	for (size_t n = 0; r != 0; n++) {
		alloc_fail_at(n);
		r = metrics_listen(bed.metrics, &bed.endpoint);
		alloc_reset();
		assert_true(r == 0 || r == -ENOMEM);
		if (r < 0)
			assert_int_equal(connect_to(&bed.endpoint), -ECONNREFUSED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(the_page_is_in_prometheus_form),
	    TEST(probes_are_answered),
	    TEST(a_head_has_the_fields_alone),
	    TEST(other_requests_are_refused_by_name),
	    TEST(what_is_no_http_is_a_bad_request),
	    TEST(a_request_has_a_limit),
	    TEST(a_page_that_does_not_fit_is_none),
	    TEST(connections_have_a_limit),
	    TEST(it_listens_elsewhere_or_nowhere_when_told),
	    TEST(a_port_that_is_taken_may_be_free_later),
	    TEST(a_lack_of_memory_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
