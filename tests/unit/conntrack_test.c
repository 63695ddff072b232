/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

#include <libmnl/libmnl.h>

#include "tests/unit/alloc.h"
#include "tests/unit/flows_bed.h"

static int
enter(void **state)
{
	(void)state;
	scene_enter();
	flows_begin();
	/* conntrack works where a rule asks it */
	return scene_run(
	    "nft 'table inet t { chain c { type filter hook output priority 0; "
	    "ct state new accept; }; }'");
}

/* What to do with the one flow that there is. */
struct one {
	struct conntrack conntrack;
	struct conntrack_flow flow;
	size_t count;
	int deleted, again, without;
};

static void
on_flow(void *ctx, const struct conntrack_flow *flow)
{
	struct one *one = ctx;
	struct conntrack_flow nameless = *flow;

	one->flow = *flow;
	one->count++;
	nameless.tuple = NULL;
	one->without = conntrack_delete(&one->conntrack, &nameless);
	one->deleted = conntrack_delete(&one->conntrack, flow);
	one->again = conntrack_delete(&one->conntrack, flow);
}

static void
look_at_one(const char *source, const char *destination)
{
	const struct addr from = sample_addr(source), to = sample_addr(destination);
	struct one one = {.count = 0};
	int r = 0;

	flows_send(source, destination, 443);
	assert_int_equal(flows_from_to(source, destination), 1);
	assert_int_equal(conntrack_open(&one.conntrack), 0);
	assert_int_equal(conntrack_ask(&one.conntrack, from.family), 0);
	while (r == 0)
		r = conntrack_read(&one.conntrack, on_flow, &one);
	assert_int_equal(r, 1);
	assert_int_equal(one.count, 1);
	assert_true(addr_equal(&one.flow.source, &from));
	assert_true(addr_equal(&one.flow.destination, &to));
	assert_int_equal(one.flow.proto, IPPROTO_UDP);
	assert_int_equal(one.flow.port, 443);
	assert_int_equal(one.without, -EINVAL);
	assert_int_equal(one.deleted, 0);
	assert_int_equal(one.again, -ENOENT);
	assert_int_equal(conntrack_read(&one.conntrack, on_flow, &one), -EAGAIN);
	conntrack_close(&one.conntrack);
	assert_int_equal(flows_from_to(source, destination), 0);
}

static void
a_flow_is_read_and_deleted(void **state)
{
	(void)state;
	look_at_one("10.244.0.5", "192.0.2.1");
	look_at_one("fd00:244::5", "2001:db8::1");
}

static void
a_family_is_asked_for_alone(void **state)
{
	(void)state;
	flows_send("10.244.0.5", "192.0.2.1", 443);
	look_at_one("fd00:244::5", "2001:db8::1");
	assert_int_equal(flows_from_to("10.244.0.5", "192.0.2.1"), 1);
}

static void
out_of_memory_leaves_nothing_open(void **state)
{
	struct conntrack c;

	(void)state;
	alloc_fail_at(0);
	assert_int_equal(conntrack_open(&c), -ENOMEM);
	alloc_reset();
	assert_int_equal(c.fd, -1);
	assert_int_equal(c.other, -1);
}

/* Messages of a dump, as the kernel writes them. */
struct dump {
	_Alignas(struct nlmsghdr) char bytes[4096];
	size_t len;
};

static struct nlmsghdr *
put_header(struct dump *d, uint16_t type, uint8_t family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(d->bytes + d->len);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(nlh, sizeof(*header));

	nlh->nlmsg_type = type;
	header->nfgen_family = family;
	return nlh;
}

static void
put_flow(struct dump *d, const char *from, const char *to, uint8_t proto, uint32_t status,
    uint8_t tcp_state)
{
	const struct addr source = sample_addr(from), destination = sample_addr(to);
	const bool four = source.family == AF_INET;
	struct nlmsghdr *nlh = put_header(d, NFNL_SUBSYS_CTNETLINK << 8, source.family);
	struct nlattr *tuple = mnl_attr_nest_start(nlh, CTA_TUPLE_ORIG), *nest, *tcp;

	nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put(
	    nlh, four ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, addr_len(&source), source.bytes);
	mnl_attr_put(nlh, four ? CTA_IP_V4_DST : CTA_IP_V6_DST, addr_len(&destination),
	    destination.bytes);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, proto);
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(443));
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, tuple);
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(status));
	if (proto == IPPROTO_TCP) {
		nest = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
		tcp = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);
		mnl_attr_put_u8(nlh, CTA_PROTOINFO_TCP_STATE, tcp_state);
		mnl_attr_nest_end(nlh, tcp);
		mnl_attr_nest_end(nlh, nest);
	}
	d->len += MNL_ALIGN(nlh->nlmsg_len);
	assert_true(d->len < sizeof(d->bytes) / 2);
}

struct flows {
	struct conntrack_flow list[8];
	size_t count;
};

static void
keep_flow(void *ctx, const struct conntrack_flow *flow)
{
	struct flows *flows = ctx;

	flows->list[flows->count++] = *flow;
}

static int
parse(const struct dump *d, size_t len, uint8_t family, struct flows *flows)
{
	/* exactly as large, so that a sanitizer sees a read behind it */
	char *copy = malloc(len + 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, d->bytes, len);
	flows->count = 0;
	r = conntrack_parse(copy, len, family, keep_flow, flows);
	free(copy);
	return r;
}

static void
both_families_are_read_with_what_is_known_of_a_flow(void **state)
{
	struct dump d = {.len = 0};
	struct flows flows;

	(void)state;
	put_flow(&d, "10.244.0.5", "192.0.2.1", IPPROTO_TCP, IPS_SEEN_REPLY,
	    TCP_CONNTRACK_ESTABLISHED);
	put_flow(&d, "fd00:244::5", "2001:db8::1", IPPROTO_UDP, IPS_CONFIRMED, 0);
	assert_int_equal(parse(&d, d.len, 0, &flows), 0);
	assert_int_equal(flows.count, 2);
	assert_int_equal(flows.list[0].tcp_state, TCP_CONNTRACK_ESTABLISHED);
	assert_int_equal(flows.list[0].status, IPS_SEEN_REPLY);
	assert_int_equal(flows.list[0].port, 443);
	assert_int_equal(flows.list[1].source.family, AF_INET6);
	assert_int_equal(flows.list[1].status, IPS_CONFIRMED);
	assert_int_equal(parse(&d, d.len, AF_INET, &flows), 0);
	assert_int_equal(flows.count, 1);
	assert_int_equal(parse(&d, d.len, AF_INET6, &flows), 0);
	assert_int_equal(flows.count, 1);
	assert_int_equal(flows.list[0].proto, IPPROTO_UDP);
}

static void
the_end_and_errors_are_told(void **state)
{
	struct dump d = {.len = 0};
	struct nlmsghdr *nlh;
	struct nlmsgerr *e;
	struct flows flows;

	(void)state;
	put_flow(&d, "10.244.0.5", "192.0.2.1", IPPROTO_UDP, 0, 0);
	nlh = mnl_nlmsg_put_header(d.bytes + d.len);
	nlh->nlmsg_type = NLMSG_DONE;
	assert_int_equal(parse(&d, d.len + nlh->nlmsg_len, 0, &flows), 1);
	assert_int_equal(flows.count, 1);
	nlh->nlmsg_type = NLMSG_ERROR;
	assert_int_equal(parse(&d, d.len + nlh->nlmsg_len, 0, &flows), -EIO);
	e = mnl_nlmsg_put_extra_header(nlh, sizeof(*e));
	e->error = -EPERM;
	assert_int_equal(parse(&d, d.len + nlh->nlmsg_len, 0, &flows), -EPERM);
}

/* Nothing of it is a flow, and nothing behind it is read. */
static void
what_is_cut_short_is_no_flow(void **state)
{
	struct dump d = {.len = 0};
	struct flows flows;

	(void)state;
	put_flow(&d, "10.244.0.5", "192.0.2.1", IPPROTO_TCP, IPS_SEEN_REPLY,
	    TCP_CONNTRACK_ESTABLISHED);
	for (size_t len = 0; len < d.len; len++) {
		assert_int_equal(parse(&d, len, 0, &flows), 0);
		assert_int_equal(flows.count, 0);
	}
	for (uint32_t len = 0; len < d.len; len++) {
		((struct nlmsghdr *)(void *)d.bytes)->nlmsg_len = len;
		assert_true(parse(&d, d.len, 0, &flows) <= 0);
		for (size_t i = 0; i < flows.count; i++)
			assert_false(conntrack_is_live(&flows.list[i]) && len < 60);
	}
}

static void
what_lives_was_answered_and_is_not_closed(void **state)
{
	static const struct {
		uint32_t status;
		uint8_t proto, tcp_state;
		bool lives;
	} cases[] = {
	    {IPS_SEEN_REPLY, IPPROTO_UDP, 0, true},
	    {IPS_SEEN_REPLY | IPS_ASSURED | IPS_OFFLOAD, IPPROTO_UDP, 0, true},
	    {IPS_CONFIRMED, IPPROTO_UDP, 0, false},
	    {IPS_SEEN_REPLY | IPS_DYING, IPPROTO_UDP, 0, false},
	    {0, IPPROTO_UDP, 0, false},                               /* not told */
	    {IPS_SEEN_REPLY, IPPROTO_TCP, TCP_CONNTRACK_NONE, false}, /* not told */
	    {0, IPPROTO_TCP, TCP_CONNTRACK_SYN_SENT, false},
	    {IPS_SEEN_REPLY, IPPROTO_TCP, TCP_CONNTRACK_SYN_RECV, false},
	    {IPS_SEEN_REPLY, IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED, true},
	    {IPS_CONFIRMED, IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED, false},
	    {IPS_SEEN_REPLY, IPPROTO_TCP, TCP_CONNTRACK_FIN_WAIT, true},
	    {IPS_SEEN_REPLY, IPPROTO_TCP, TCP_CONNTRACK_CLOSE_WAIT, true},
	    {IPS_SEEN_REPLY, IPPROTO_TCP, TCP_CONNTRACK_LAST_ACK, false},
	    {IPS_SEEN_REPLY, IPPROTO_TCP, TCP_CONNTRACK_TIME_WAIT, false},
	    {IPS_SEEN_REPLY, IPPROTO_TCP, TCP_CONNTRACK_CLOSE, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct conntrack_flow flow = {.proto = cases[i].proto,
		    .status = cases[i].status,
		    .tcp_state = cases[i].tcp_state};

		assert_int_equal(conntrack_is_live(&flow), cases[i].lives);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_flow_is_read_and_deleted, enter),
	    cmocka_unit_test_setup(a_family_is_asked_for_alone, enter),
	    cmocka_unit_test(out_of_memory_leaves_nothing_open),
	    cmocka_unit_test(both_families_are_read_with_what_is_known_of_a_flow),
	    cmocka_unit_test(the_end_and_errors_are_told),
	    cmocka_unit_test(what_is_cut_short_is_no_flow),
	    cmocka_unit_test(what_lives_was_answered_and_is_not_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
