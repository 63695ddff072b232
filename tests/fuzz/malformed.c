/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Broken messages through the daemon's way of a query, by turns as a pod's query and as
 * an upstream's reply in front of the right one.
 *
 *	malformed CORPUS SEED COUNT
 *
 * After each of them a good query must be answered, and in the end no more memory be in
 * use than after the first tenth. What a message costs is CPU time of this thread, its
 * system calls and the right reply's included; what is dearer than all before, as it is
 * when the machine was busy elsewhere, is tried again up to TRIES times, and the least
 * counts. Exit status 1 when something does not hold, and a crash is a crash.
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/loopback.h"
#include "tests/fuzz/mutate.h"

#if defined(__SANITIZE_ADDRESS__) /* gcc */
#define SANITIZED
#elif defined(__has_feature) /* clang */
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif

#ifdef SANITIZED
#define SLOWER 10 /* what the sanitizers make of a millisecond */
size_t __sanitizer_get_current_allocated_bytes(void);
#define allocated_bytes __sanitizer_get_current_allocated_bytes
#else
#define SLOWER 1
static size_t
allocated_bytes(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}
#endif

#define COST_MAX_NS (SLOWER * INT64_C(1000000))
#define TRIES 5
/* The cache drops whole answers: it is never full to the byte. */
#define MEMORY_SLACK (128 * 1024)

static const char manifest[] =
    "apiVersion: networking.istio.io/v1\n"
    "kind: ServiceEntry\n"
    "metadata: {name: listed, namespace: default}\n"
    "spec:\n"
    "  hosts: [good.test, '*.wild.test', one.example, a.test, example.com]\n"
    "  resolution: NONE\n";

struct test {
	struct loopback path;
	struct mutator mutator;
	uint64_t seed, number;
	const char *replied_to; /* the name whose next reply is broken; NULL: none's */
	int64_t worst_ns;
	uint64_t worst;
	uint64_t answered, asked;
	bool failed;
};

static void
complain(struct test *t, const char *what)
{
	(void)fprintf(stderr, "malformed: seed %" PRIu64 ", message %" PRIu64 ": %s\n",
	    t->seed, t->number, what);
	t->failed = true;
}

static int64_t
cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts); /* cannot fail for it */
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* A question for A, in out; its length. */
static size_t
make_query(const char *text, uint8_t *out)
{
	struct name name;
	size_t len = WIRE_HEADER_LEN;

	if (name_parse(text, strlen(text), &name) < 0)
		abort();
	memcpy(out, (uint8_t[WIRE_HEADER_LEN]){0x12, 0x34, 1, 0, 0, 1}, len);
	memcpy(out + len, name.bytes, name.len);
	len += name.len;
	memcpy(out + len, (uint8_t[]){0, TYPE_A, 0, 1}, 4);
	return len + 4;
}

/* The right reply: 198.51.100.7, for an hour; no such record of other types. */
static size_t
reply_right(const uint8_t *question, size_t len, uint8_t *out)
{
	static const uint8_t record[] = {
	    0xc0, 12, 0, TYPE_A, 0, 1, 0, 0, 0x0e, 0x10, 0, 4, 198, 51, 100, 7};
	size_t end = WIRE_HEADER_LEN;
	bool found;

	while (end < len && question[end] != 0)
		end += 1u + question[end];
	end += 5;
	found = question[end - 3] == TYPE_A && question[end - 4] == 0;
	memcpy(out, question, end);
	out[2] = 0x81;
	out[3] = 0x80;
	memset(out + 6, 0, 6);
	out[7] = found;
	memcpy(out + end, record, sizeof(record));
	return end + (found ? sizeof(record) : 0);
}

/* A broken one first, when there is to be one, then the right one. */
static size_t
on_question(
    void *ctx, int i, const uint8_t *question, size_t len, uint8_t out[WIRE_MESSAGE_MAX])
{
	struct test *t = ctx;

	if (i > 0)
		return reply_right(question, len, out);
	return t->replied_to != NULL ? mutator_reply(&t->mutator, question, len, out) : 0;
}

static void
ask_good(struct test *t)
{
	uint8_t query[WIRE_HEADER_LEN + NAME_WIRE_MAX + 4];
	static const uint8_t address[] = {198, 51, 100, 7};
	const struct loopback *n = &t->path;

	loopback_query(&t->path, query, make_query("good.test", query), false);
	if (n->out_len < sizeof(address) || (n->out[3] & 0x0f) != RCODE_NOERROR ||
	    memcmp(n->out + n->out_len - sizeof(address), address, sizeof(address)) != 0)
		complain(t, "the next good query is not answered");
}

static void
run_query(struct test *t)
{
	static uint8_t msg[MUTATE_MAX];
	size_t len = mutator_message(&t->mutator, msg);

	loopback_query(&t->path, msg, len, t->number % 4 == 0);
}

/* As the reply to a question that nobody has asked before: the number says which. */
static void
run_reply(struct test *t)
{
	uint8_t query[WIRE_HEADER_LEN + NAME_WIRE_MAX + 4];
	char name[64];
	int try = mutator_pick(&t->mutator, 1 << 16);

	(void)snprintf(name, sizeof(name), "n%" PRIx64 "-%x-%" PRIx64 ".wild.test",
	    t->number, try, t->asked++); /* fits */
	t->replied_to = name;
	loopback_query(&t->path, query, make_query(name, query), false);
	t->replied_to = NULL;
	t->answered += t->path.out_len > 0 && (t->path.out[3] & 0x0f) == RCODE_NOERROR;
	if (t->path.out_len == 0)
		complain(t, "no reply at all");
}

static int64_t
run_once(struct test *t)
{
	int64_t began_ns;

	mutator_seed(&t->mutator, t->seed << 40 ^ t->number);
	began_ns = cpu_ns();
	if (t->number % 2 == 0)
		run_query(t);
	else
		run_reply(t);
	return cpu_ns() - began_ns;
}

static void
run_message(struct test *t)
{
	int64_t least_ns = run_once(t);

	for (int i = 1; i < TRIES && least_ns > t->worst_ns; i++) {
		int64_t ns = run_once(t);

		least_ns = MIN_OF(least_ns, ns);
	}
	if (least_ns > t->worst_ns) {
		t->worst_ns = least_ns;
		t->worst = t->number;
	}
	if (least_ns > COST_MAX_NS)
		complain(t, "more CPU time than a message may cost");
	ask_good(t);
}

/* What is logged goes to a journal that nobody reads, and whose queue is full from the
 * start: dropped, as when journald hangs. */
static int
open_log(char folder[])
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (mkdtemp(folder) == NULL)
		return -errno;
	(void)snprintf(
	    sun.sun_path, sizeof(sun.sun_path), "%s/journal", folder); /* fits */
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0)
		return -errno;
	log_open(sun.sun_path);
	while (log_counts().dropped == 0)
		log_event(LOG_FAULT, LOG_PRIORITY_INFO, NULL, 0, "nobody reads this");
	return fd;
}

static void
close_log(int fd, const char *folder)
{
	char path[64];

	log_close();
	(void)close(fd); /* what nobody has read is not missed */
	(void)snprintf(path, sizeof(path), "%s/journal", folder); /* fits */
	(void)unlink(path);                                       /* or it stays */
	(void)rmdir(folder);                                      /* as above */
}

static void
run(struct test *t, uint64_t count)
{
	size_t early = 0, late;

	ask_good(t);
	for (; t->number < count && !t->failed; t->number++) {
		run_message(t);
		if (t->number == count / 10)
			early = allocated_bytes();
	}
	late = allocated_bytes();
	if (late > early + MEMORY_SLACK)
		complain(t, "memory is not flat");
	printf("%" PRIu64 " messages, half of them replies, of which %" PRIu64
	       " questions were answered; %zu KiB in use, %zu KiB after the first tenth; "
	       "the dearest, %" PRIu64 ", %" PRId64 " us\n",
	    t->number, t->answered, late / 1024, early / 1024, t->worst,
	    t->worst_ns / 1000);
}

int
main(int argc, char **argv)
{
	static struct test t;
	char folder[] = "/tmp/egressd-malformed-XXXXXX";
	int journal;

	if (argc != 4) {
		(void)fprintf(stderr, "usage: malformed CORPUS SEED COUNT\n");
		return 2;
	}
	journal = open_log(folder);
	if (journal < 0) {
		perror(folder);
		return 2;
	}
	t.seed = strtoull(argv[2], NULL, 10);
	mutator_init(&t.mutator, argv[1], t.seed);
	loopback_init(&t.path, manifest);
	t.path.reply = on_question;
	t.path.ctx = &t;
	run(&t, strtoull(argv[3], NULL, 10));
	loopback_done(&t.path);
	mutator_done(&t.mutator);
	close_log(journal, folder);
	return t.failed ? 1 : 0;
}
