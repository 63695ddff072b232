/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "daemon/enforcer/alive.h"
#include "tests/unit/alloc.h"
#include "tests/unit/flows_bed.h"
#include "tests/unit/owner_bed.h"

#define POD "10.244.0.5"
#define OTHER "10.244.0.6"
#define FAR "192.0.2.1"
#define FAR_TOO "192.0.2.2"
#define POD6 "fd00:244::5"
#define FAR6 "2001:db8::1"

static int
enter_with_table(void **state)
{
	struct enforcer_table table = sample_table();
	int r = enter(state);

	if (r < 0)
		return r;
	table.enforce = 0; /* both ends are on one interface, where pods cannot be */
	flows_begin();
	return put_table(&table);
}

static struct enforcer_live
live(const char *pod, const char *destination, uint16_t port, uint8_t proto)
{
	return (struct enforcer_live){
	    .pod = sample_addr(pod),
	    .destination = sample_addr(destination),
	    .port = port,
	    .proto = proto,
	};
}

/* Give a whole question. */
static void
ask(const struct enforcer_live *list, size_t count)
{
	struct enforcer_message m = sample_message(ENFORCER_LIVE, 0, 0);

	scene.len = 0;
	for (size_t i = 0; i < count; i++) {
		m.body.live[m.count++] = list[i];
		if (m.count == ENFORCER_LIST_MAX) {
			give(&m);
			m.count = 0;
		}
	}
	if (m.count != 0)
		give(&m);
	m.count = 0;
	give(&m);
}

/* Until the answer's end, which it gives. */
static const struct enforcer_message *
answer(void)
{
	while (owner_live_fd(scene.owner) >= 0) {
		struct pollfd fd = {.fd = owner_live_fd(scene.owner), .events = POLLIN};

		assert_int_equal(poll(&fd, 1, 10000), 1);
		owner_live(scene.owner);
	}
	assert_true(scene.len > 0);
	assert_int_equal(scene.said[scene.len - 1].kind, ENFORCER_LIVE);
	assert_int_equal(scene.said[scene.len - 1].count, 0);
	return &scene.said[scene.len - 1];
}

/* How often it was said. */
static size_t
said(struct enforcer_live what)
{
	size_t n = 0;

	for (size_t i = 0; i < scene.len; i++)
		for (size_t j = 0; j < scene.said[i].count; j++)
			n +=
			    memcmp(&scene.said[i].body.live[j], &what, sizeof(what)) == 0;
	return n;
}

static bool
is_live(struct enforcer_live what)
{
	size_t n;

	ask(&what, 1);
	assert_int_equal(answer()->result, 0);
	n = said(what);
	assert_true(n <= 1);
	return n == 1;
}

/* A socket bound to an address, connected or not; the caller closes it. */
static int
open_socket(int kind, const char *at, uint16_t port)
{
	const int on = 1;
	struct endpoint e = {.addr = sample_addr(at), .port = port};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&e, &ss);
	int fd = socket(ss.ss_family, kind | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static int
connect_to(int kind, const char *from, const char *to, uint16_t port)
{
	struct endpoint e = {.addr = sample_addr(to), .port = port};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&e, &ss);
	int fd = open_socket(kind, from, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

struct ends {
	int pod, far;
};

static struct ends
open_tcp(const char *from, const char *to, uint16_t port)
{
	int listener = open_socket(SOCK_STREAM, to, port);
	struct ends ends;

	assert_int_equal(listen(listener, 1), 0);
	ends.pod = connect_to(SOCK_STREAM, from, to, port);
	ends.far = accept(listener, NULL, NULL);
	assert_true(ends.far >= 0);
	(void)close(listener); /* one was enough */
	return ends;
}

/* One there, and one back when it is to be answered. */
static void
exchange_udp(const char *from, const char *to, uint16_t port, bool answered)
{
	int far = open_socket(SOCK_DGRAM, to, port);
	int pod = connect_to(SOCK_DGRAM, from, to, port);
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	char byte = 'x';

	assert_int_equal(send(pod, &byte, 1, 0), 1);
	assert_int_equal(recvfrom(far, &byte, 1, 0, (struct sockaddr *)&peer, &len), 1);
	if (answered) {
		assert_int_equal(
		    sendto(far, &byte, 1, 0, (struct sockaddr *)&peer, len), 1);
		assert_int_equal(recv(pod, &byte, 1, 0), 1);
	}
	(void)close(far); /* what was sent is sent */
	(void)close(pod);
}

static void
tcp_lives_until_both_ends_have_closed(void **state)
{
	static const char *const from[] = {POD, POD6}, *const to[] = {FAR, FAR6};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		struct enforcer_live what = live(from[i], to[i], 443, IPPROTO_TCP);
		struct ends ends;
		char byte;

		assert_false(is_live(what));
		ends = open_tcp(from[i], to[i], 443);
		assert_true(is_live(what));
		assert_int_equal(shutdown(ends.pod, SHUT_WR), 0);
		assert_int_equal(recv(ends.far, &byte, 1, 0), 0);
		assert_true(is_live(what)); /* the other end may still send */
		(void)close(ends.far);      /* this is what is tested */
		assert_int_equal(recv(ends.pod, &byte, 1, 0), 0);
		(void)close(ends.pod);
		assert_false(is_live(what));
	}
}

static void
a_reset_ends_it(void **state)
{
	const struct linger at_once = {.l_onoff = 1};
	struct ends ends;
	char byte;

	(void)state;
	ends = open_tcp(POD, FAR, 443);
	assert_int_equal(
	    setsockopt(ends.pod, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	(void)close(ends.pod); /* this is what is tested */
	assert_true(recv(ends.far, &byte, 1, 0) < 0);
	assert_false(is_live(live(POD, FAR, 443, IPPROTO_TCP)));
	(void)close(ends.far);
}

static void
datagrams_live_once_they_were_answered(void **state)
{
	(void)state;
	exchange_udp(POD, FAR, 443, false);
	exchange_udp(POD6, FAR6, 443, false);
	assert_false(is_live(live(POD, FAR, 443, IPPROTO_UDP)));
	assert_false(is_live(live(POD6, FAR6, 443, IPPROTO_UDP)));
	exchange_udp(POD, FAR, 443, true);
	exchange_udp(POD6, FAR6, 443, true);
	assert_true(is_live(live(POD, FAR, 443, IPPROTO_UDP)));
	assert_true(is_live(live(POD6, FAR6, 443, IPPROTO_UDP)));
}

/* Of the pod, to the address, the port and the protocol of the lease, and begun by it. */
static void
no_other_flow_counts(void **state)
{
	struct ends ends;

	(void)state;
	ends = open_tcp(POD, FAR, 443);
	assert_true(is_live(live(POD, FAR, 443, IPPROTO_TCP)));
	assert_false(is_live(live(OTHER, FAR, 443, IPPROTO_TCP)));
	assert_false(is_live(live(POD, FAR_TOO, 443, IPPROTO_TCP)));
	assert_false(is_live(live(POD, FAR, 80, IPPROTO_TCP)));
	assert_false(is_live(live(POD, FAR, 443, IPPROTO_UDP)));
	(void)close(ends.pod); /* its end is not looked at */
	(void)close(ends.far);
	ends = open_tcp(FAR, POD, 443);
	assert_false(is_live(live(POD, FAR, 443, IPPROTO_TCP)));
	(void)close(ends.pod);
	(void)close(ends.far);
}

static void
each_is_said_once_of_however_many(void **state)
{
	enum { COUNT = 3 * ENFORCER_LIST_MAX + 1 };
	struct enforcer_live list[2 * COUNT];
	const struct enforcer_message *end;

	(void)state;
	for (uint16_t i = 0; i < COUNT; i++) {
		exchange_udp(POD, FAR, (uint16_t)(1000 + i), true);
		list[i] = live(POD, FAR, (uint16_t)(1000 + i), IPPROTO_UDP);
		list[COUNT + i] = live(OTHER, FAR, (uint16_t)(1000 + i), IPPROTO_UDP);
	}
	exchange_udp(POD, FAR, 1000, true); /* a second flow of the same lease */
	list[2 * COUNT - 1] = list[0];      /* asked twice */
	ask(list, ARRAY_LEN(list));
	end = answer();
	assert_int_equal(end->result, 0);
	assert_true(end->packets > COUNT);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(said(list[i]), 1);
	for (size_t i = COUNT; i < 2 * COUNT - 1; i++)
		assert_int_equal(said(list[i]), 0);
}

static void
a_question_without_leases_is_answered(void **state)
{
	(void)state;
	exchange_udp(POD, FAR, 443, true);
	ask(NULL, 0);
	assert_int_equal(answer()->result, 0);
	assert_int_equal(scene.len, 1);
}

static void
what_is_not_a_pods_of_ours_is_refused_and_the_next_question_is_not(void **state)
{
	struct enforcer_live list[] = {
	    live(POD, FAR, 443, IPPROTO_UDP), live("10.245.0.1", FAR, 443, IPPROTO_UDP)};

	(void)state;
	exchange_udp(POD, FAR, 443, true);
	ask(list, ARRAY_LEN(list));
	assert_int_equal(owner_live_fd(scene.owner), -1); /* nobody was sent to look */
	assert_int_equal(answer()->result, -EPERM);
	assert_int_equal(scene.len, 1);
	assert_true(is_live(list[0]));
}

static void
without_a_table_there_is_nothing_to_ask_about(void **state)
{
	const struct enforcer_live what = live(POD, FAR, 443, IPPROTO_UDP);

	(void)state;
	ask(&what, 1);
	assert_int_equal(answer()->result, -ENOENT);
}

static void
more_than_the_limit_are_refused_whole(void **state)
{
	static struct enforcer_live list[ALIVE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(list); i++)
		list[i] = live(POD, FAR, (uint16_t)(1 + i), IPPROTO_UDP);
	ask(list, ARRAY_LEN(list));
	assert_int_equal(answer()->result, -ENOMEM);
	ask(list, ALIVE_MAX);
	assert_int_equal(answer()->result, 0);
}

static void
a_second_question_meanwhile_breaks_the_contract(void **state)
{
	const struct enforcer_live what = live(POD, FAR, 443, IPPROTO_UDP);
	struct enforcer_message m = sample_message(ENFORCER_LIVE, 0, 1);

	(void)state;
	m.body.live[0] = what;
	ask(&what, 1);
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
	m.count = 0;
	assert_int_equal(owner_take(scene.owner, &m), -EPROTO);
	assert_int_equal(answer()->result, 0);
}

static void
commits_do_not_wait_for_it(void **state)
{
	const struct enforcer_live what = live(POD, FAR, 443, IPPROTO_UDP);

	(void)state;
	exchange_udp(POD, FAR, 443, true);
	ask(&what, 1);
	assert_int_equal(put_lease(7, "a.example", sample_lease(POD, FAR, 60000)), 0);
	assert_int_equal(answer()->result, 0);
	assert_int_equal(said(what), 1);
}

/* By whom, nobody knows: those that were not said are not known to have any. */
static void
a_look_that_dies_is_told(void **state)
{
	const struct enforcer_message m = sample_message(ENFORCER_LIVE, 0, 0);
	siginfo_t stopped;
	struct alive a;

	(void)state;
	scene.len = 0;
	alive_init(&a, hear, NULL);
	assert_int_equal(alive_ask(&a, &m, 0), 0);
	assert_true(a.child > 0);
	assert_int_equal(kill(a.child, SIGSTOP), 0);
	assert_int_equal(
	    waitid(P_PID, (id_t)a.child, &stopped, WSTOPPED | WEXITED | WNOWAIT), 0);
	/* what it has said already is thrown away, as if it had not come to it */
	while (recv(a.fd, &a.in, sizeof(a.in), 0) > 0)
		;
	assert_int_equal(kill(a.child, SIGKILL), 0);
	while (alive_fd(&a) >= 0)
		alive_work(&a);
	assert_int_equal(scene.len, 1);
	assert_int_equal(scene.said[0].result, -ECHILD);
	alive_done(&a);
}

static void
its_owners_end_is_its_own(void **state)
{
	const struct enforcer_message m = sample_message(ENFORCER_LIVE, 0, 0);
	struct alive a;
	pid_t child;

	(void)state;
	alive_init(&a, hear, NULL);
	assert_int_equal(alive_ask(&a, &m, 0), 0);
	child = a.child;
	alive_done(&a);
	assert_int_equal(kill(child, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void
a_failure_is_told(void **state)
{
	struct enforcer_message m = sample_message(ENFORCER_LIVE, 0, 1);
	struct alive a;

	(void)state;
	scene.len = 0;
	m.body.live[0] = live(POD, FAR, 443, IPPROTO_UDP);
	alive_init(&a, hear, NULL);
	alloc_fail_at(0);
	assert_int_equal(alive_ask(&a, &m, 0), 0);
	alloc_reset();
	m.count = 0;
	assert_int_equal(alive_ask(&a, &m, 0), 0);
	assert_int_equal(scene.len, 1);
	assert_int_equal(scene.said[0].result, -ENOMEM);
	alive_done(&a);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter_with_table, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(tcp_lives_until_both_ends_have_closed),
	    TEST(a_reset_ends_it),
	    TEST(datagrams_live_once_they_were_answered),
	    TEST(no_other_flow_counts),
	    TEST(each_is_said_once_of_however_many),
	    TEST(a_question_without_leases_is_answered),
	    TEST(what_is_not_a_pods_of_ours_is_refused_and_the_next_question_is_not),
	    OWNER_TEST(without_a_table_there_is_nothing_to_ask_about),
	    TEST(more_than_the_limit_are_refused_whole),
	    TEST(a_second_question_meanwhile_breaks_the_contract),
	    TEST(commits_do_not_wait_for_it),
	    TEST(a_look_that_dies_is_told),
	    TEST(its_owners_end_is_its_own),
	    TEST(a_failure_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
