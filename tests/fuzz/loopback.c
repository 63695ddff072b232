/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/loopback.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "daemon/clock.h"

/* Small, so that it is full early and memory can be seen to be flat. */
#define CACHE_BYTES (256 * 1024)
/* What a datagram's reply may have: as in daemon/query/udp.c. */
#define DATAGRAM_MAX 1280

static const struct hash_key key = {{1, 2}};

static void
need(bool there, const char *what)
{
	if (there)
		return;
	(void)fprintf(stderr, "malformed: %s\n", what);
	exit(2);
}

static void
on_question(int fd, short what, void *ctx)
{
	static uint8_t question[WIRE_MESSAGE_MAX], out[WIRE_MESSAGE_MAX];
	struct loopback *n = ctx;
	struct sockaddr_in peer;
	socklen_t peer_len = sizeof(peer);
	ssize_t len;

	(void)what;
	len = recvfrom(
	    fd, question, sizeof(question), 0, (struct sockaddr *)&peer, &peer_len);
	if (len < (ssize_t)WIRE_HEADER_LEN)
		return;
	n->asked++;
	for (int i = 0; i < LOOPBACK_REPLIES_MAX; i++) {
		size_t size = n->reply(n->ctx, i, question, (size_t)len, out);

		if (size > 0)
			(void)sendto(fd, out, size, 0, (struct sockaddr *)&peer,
			    peer_len); /* it may have moved on */
	}
}

static struct endpoint
make_server(struct loopback *n)
{
	struct sockaddr_in sin = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);

	n->server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	need(n->server >= 0 &&
		 bind(n->server, (struct sockaddr *)&sin, sizeof(sin)) == 0 &&
		 getsockname(n->server, (struct sockaddr *)&sin, &len) == 0,
	    "no UDP socket on 127.0.0.1");
	n->readable = event_new(n->base, n->server, EV_READ | EV_PERSIST, on_question, n);
	need(n->readable != NULL && event_add(n->readable, NULL) == 0, "no memory");
	return (struct endpoint){
	    .addr = addr_make(AF_INET, &sin.sin_addr), .port = ntohs(sin.sin_port)};
}

static void
make_resolver(struct loopback *n)
{
	const struct endpoint server = make_server(n);
	const struct resolver_group group = {.servers = &server, .server_count = 1};
	const struct resolver_settings settings = {
	    .groups = &group,
	    .group_count = 1,
	    .times = {.deadline_ms = 4000, .try_ms = 800},
	    .cache = {CACHE_BYTES, 3600, 3600, 3600},
	    .hash_key = key,
	    .random_bytes = clock_random_bytes,
	    .now_ms = clock_now_ms,
	};

	need(resolver_new(n->base, &settings, &n->resolver) == 0, "no resolver");
}

static void
make_registry(struct loopback *n, const char *manifest)
{
	const struct registry_settings settings = {
	    .has_outbound = true,
	    .outbound = OUTBOUND_REGISTRY_ONLY,
	    .hash_key = key,
	};
	struct registry_builder *b;

	findings_init(&n->findings, FINDINGS_MAX);
	b = registry_builder_new(&settings, &n->findings);
	need(b != NULL &&
		 registry_builder_add(b, "a.yaml", manifest, strlen(manifest)) == 0 &&
		 registry_builder_finish(b, &n->registry) == 0,
	    "the registry is refused");
}

void
loopback_init(struct loopback *n, const char *manifest)
{
	memset(n, 0, sizeof(*n));
	n->base = event_base_new();
	need(n->base != NULL && config_defaults(&n->config) == 0 &&
		 pods_init(&n->pods, &key) == 0 && recent_new(&key, &n->recent) == 0 &&
		 rate_new(&key, &n->rate) == 0 && wildcard_new(&key, &n->wildcard) == 0,
	    "no memory");
	n->config->pod_rate = 0;
	n->config->wildcard_names = 0;
	n->config->wildcard_bytes = 0;
	n->config->pod_range_count = 1;
	n->config->pod_ranges[0] = (struct prefix){
	    .addr = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 0}), .len = 16};
	make_registry(n, manifest);
	make_resolver(n);
	report_init(&n->report, &key, NULL);
	n->queries = (struct queries){.pods = &n->pods,
	    .resolver = n->resolver,
	    .report = &n->report,
	    .recent = n->recent,
	    .rate = n->rate,
	    .wildcard = n->wildcard,
	    .now_ms = clock_now_ms,
	    .config = n->config,
	    .registry = n->registry,
	    .started = true};
	need(queries_init(&n->queries, n->base) == 0, "no memory");
}

void
loopback_done(struct loopback *n)
{
	queries_done(&n->queries);
	resolver_free(n->resolver);
	event_free(n->readable);
	(void)close(n->server); /* nothing waits in it that matters */
	registry_unref(n->registry);
	findings_done(&n->findings);
	wildcard_free(n->wildcard);
	rate_free(n->rate);
	recent_free(n->recent);
	pods_done(&n->pods);
	config_free(n->config);
	event_base_free(n->base);
}

static void
on_reply(struct query *q, const uint8_t *reply, size_t len)
{
	struct loopback *n = q->channel;

	memcpy(n->out, reply, len); /* both QUERY_REPLY_MAX long */
	n->out_len = len;
	n->ended = true;
}

void
loopback_query(struct loopback *n, const uint8_t *msg, size_t len, bool stream)
{
	static const struct query_transport transports[] = {
	    {.stream = false, .send = on_reply}, {.stream = true, .send = on_reply}};
	const struct endpoint source = {
	    .addr = addr_make(AF_INET, (uint8_t[]){10, 244, 0, 2}), .port = 40000};
	int64_t now_ms = clock_now_ms();
	struct query *q = query_new(&n->queries, &source, now_ms);
	bool waiting;

	need(q != NULL, "a query is left over");
	q->transport = &transports[stream];
	q->channel = n;
	n->ended = false;
	n->out_len = query_start(q, msg, len, now_ms, n->out,
	    stream ? sizeof(n->out) : DATAGRAM_MAX, &waiting);
	while (waiting && !n->ended)
		need(event_base_loop(n->base, EVLOOP_ONCE) == 0,
		    "nothing left to wait for");
}
