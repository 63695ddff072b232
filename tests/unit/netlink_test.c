/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

#include "daemon/enforcer/netlink.h"
#include "tests/unit/scene.h"

static int
enter(void **state)
{
	static struct netlink nl;

	scene_enter();
	*state = &nl;
	return netlink_open(&nl);
}

static int
leave(void **state)
{
	netlink_close(*state);
	return 0;
}

static void
add_table(struct netlink *nl)
{
	struct nlmsghdr *nlh = netlink_add(nl, NFT_MSG_NEWTABLE, NLM_F_CREATE);

	assert_non_null(nlh);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NETLINK_TABLE);
	netlink_added(nl, nlh);
}

static void
add_chain(struct netlink *nl, const char *name)
{
	struct nlmsghdr *nlh = netlink_add(nl, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	assert_non_null(nlh);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, NETLINK_TABLE);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, name);
	netlink_added(nl, nlh);
}

static void
delete_chain(struct netlink *nl, const char *name)
{
	struct nlmsghdr *nlh = netlink_add(nl, NFT_MSG_DELCHAIN, 0);

	assert_non_null(nlh);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, NETLINK_TABLE);
	mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, name);
	netlink_added(nl, nlh);
}

static void
a_batch_is_in_force_when_commit_returns(void **state)
{
	struct netlink *nl = *state;
	struct netlink_failure failure;

	netlink_begin(nl);
	add_table(nl);
	add_chain(nl, "one");
	assert_int_equal(netlink_commit(nl, &failure), 0);
	assert_int_equal(failure.error, 0);
	assert_true(scene_shows("chain one"));
}

static void
an_empty_batch_is_nothing(void **state)
{
	netlink_begin(*state);
	assert_int_equal(netlink_commit(*state, NULL), 0);
}

static void
a_refused_batch_changes_nothing_and_names_the_message(void **state)
{
	struct netlink *nl = *state;
	struct netlink_failure failure;

	netlink_begin(nl);
	add_table(nl);
	delete_chain(nl, "missing");
	add_chain(nl, "two");
	assert_int_equal(netlink_commit(nl, &failure), -ENOENT);
	assert_int_equal(failure.error, -ENOENT);
	assert_int_equal(failure.type, NFT_MSG_DELCHAIN);
	assert_int_not_equal(scene_run("nft list table inet egressd 2>/dev/null"), 0);
	/* and the socket is as good as before */
	netlink_begin(nl);
	add_table(nl);
	assert_int_equal(netlink_commit(nl, NULL), 0);
}

static void
an_error_while_making_the_batch_sends_nothing(void **state)
{
	struct netlink *nl = *state;

	netlink_begin(nl);
	add_table(nl);
	netlink_fail(nl, -ENOMEM);
	netlink_fail(nl, -EINVAL); /* the first one counts */
	assert_null(netlink_add(nl, NFT_MSG_NEWTABLE, 0));
	assert_int_equal(netlink_commit(nl, NULL), -ENOMEM);
	assert_int_not_equal(scene_run("nft list table inet egressd 2>/dev/null"), 0);
}

static void
a_batch_grows_beyond_the_default_buffer(void **state)
{
	struct netlink *nl = *state;
	char name[32];

	netlink_begin(nl);
	add_table(nl);
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(name, sizeof(name), "chain%d", i);
		add_chain(nl, name);
	}
	assert_true(nl->len > (size_t)512 * 1024);
	assert_int_equal(netlink_commit(nl, NULL), 0);
	assert_true(scene_shows("chain chain19999"));
}

static void
a_batch_ends_at_its_ceiling(void **state)
{
	struct netlink *nl = *state;
	struct nlmsghdr *nlh;
	static char filler[64000];
	size_t count = 0;

	netlink_begin(nl);
	while ((nlh = netlink_add(nl, NFT_MSG_NEWTABLE, 0)) != NULL) {
		mnl_attr_put(nlh, NFTA_TABLE_USERDATA, sizeof(filler), filler);
		netlink_added(nl, nlh);
		count++;
	}
	assert_true(count * sizeof(filler) < NETLINK_BATCH_MAX);
	assert_int_equal(netlink_commit(nl, NULL), -ENOBUFS);
	assert_null(nl->bytes); /* and gives its memory back */
}

/* A socket that is none of nfnetlink's stands in for a kernel whose words are lost. */
static void
a_lost_acknowledgement_is_unknown(void **state)
{
	struct netlink *nl = *state;
	int pair[2], kept = nl->fd;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	nl->fd = pair[0];
	netlink_begin(nl);
	add_table(nl);
	assert_int_equal(netlink_commit(nl, NULL), -EIO);
	nl->fd = kept;
	(void)close(pair[0]);
	(void)close(pair[1]);
}

/* What the kernel would say about the message with this number. */
static void
say(int fd, const struct netlink *nl, uint32_t seq, int error)
{
	char bytes[64] = {0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(bytes);
	struct nlmsgerr *e = mnl_nlmsg_put_extra_header(nlh, sizeof(*e));

	nlh->nlmsg_type = NLMSG_ERROR;
	nlh->nlmsg_seq = seq;
	nlh->nlmsg_pid = nl->port;
	e->error = error;
	e->msg.nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWTABLE;
	assert_int_equal(send(fd, bytes, nlh->nlmsg_len, 0), nlh->nlmsg_len);
}

/* Commit a batch of two messages to a socket whose answers are already there: each is a
 * number relative to the batch's first message, and an error. */
static int
commit_answered(struct netlink *nl, size_t count, const int answers[][2])
{
	const uint32_t first = nl->seq + 1;
	int pair[2], r, kept = nl->fd;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	for (size_t i = 0; i < count; i++)
		say(pair[1], nl, first + (uint32_t)answers[i][0], answers[i][1]);
	nl->fd = pair[0];
	netlink_begin(nl);
	add_table(nl);
	add_table(nl);
	r = netlink_commit(nl, NULL);
	nl->fd = kept;
	(void)close(pair[0]);
	(void)close(pair[1]);
	return r;
}

static void
every_acknowledgement_is_read_and_matched(void **state)
{
	struct netlink *nl = *state;
	/* begin is 0, the messages are 1 and 2, and 2 asks for its acknowledgement */
	static const int success[][2] = {{2, 0}};
	static const int not_the_last[][2] = {{1, 0}};
	static const int of_another_batch[][2] = {{-1, -EPERM}, {2, 0}};
	static const int only_another_batch[][2] = {{-1, 0}};
	static const int refused[][2] = {{1, -ENFILE}, {2, 0}};
	static const int refused_twice[][2] = {{1, -ENFILE}, {2, -ENOENT}};
	static const int commit_failed[][2] = {{0, -ENOMEM}, {2, 0}};

	assert_int_equal(commit_answered(nl, 1, success), 0);
	assert_int_equal(commit_answered(nl, 1, not_the_last), -EIO);
	assert_int_equal(commit_answered(nl, 2, of_another_batch), 0);
	assert_int_equal(commit_answered(nl, 1, only_another_batch), -EIO);
	assert_int_equal(commit_answered(nl, 2, refused), -ENFILE);
	assert_int_equal(commit_answered(nl, 2, refused_twice), -ENFILE);
	assert_int_equal(commit_answered(nl, 2, commit_failed), -ENOMEM);
}

static void
more_errors_than_the_queue_holds_are_still_a_refusal(void **state)
{
	struct netlink *nl = *state;
	const int small = 1;

	assert_int_equal(
	    setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	netlink_begin(nl);
	add_table(nl);
	for (int i = 0; i < 1000; i++)
		delete_chain(nl, "missing");
	assert_int_equal(netlink_commit(nl, NULL), -ENOENT);
	netlink_begin(nl);
	add_table(nl);
	assert_int_equal(netlink_commit(nl, NULL), 0);
}

static int
count_answer(void *ctx, const struct nlmsghdr *nlh)
{
	int *count = ctx;

	(void)nlh;
	(*count)++;
	return 0;
}

static int
stop(void *ctx, const struct nlmsghdr *nlh)
{
	(void)ctx;
	(void)nlh;
	return -ECANCELED;
}

static int
break_off(void *ctx, const struct nlmsghdr *nlh)
{
	(void)ctx;
	(void)nlh;
	return -ENOMEM;
}

static int
count_one(void *ctx, const struct nlmsghdr *nlh)
{
	(void)nlh;
	++*(int *)ctx;
	return 0;
}

/* The kernel does not begin another one before that has come to its end. */
static void
a_dump_that_breaks_off_is_in_nobodys_way(void **state)
{
	const int chains = 5000;
	struct netlink *nl = *state;
	char name[32];
	int count = 0;

	netlink_begin(nl);
	add_table(nl);
	for (int i = 0; i < chains; i++) {
		(void)snprintf(name, sizeof(name), "chain%d", i);
		add_chain(nl, name);
	}
	assert_int_equal(netlink_commit(nl, NULL), 0);
	assert_int_equal(
	    netlink_ask(
		nl, netlink_question(nl, NFT_MSG_GETCHAIN, NLM_F_DUMP), break_off, NULL),
	    -ENOMEM);
	assert_int_equal(
	    netlink_ask(nl, netlink_question(nl, NFT_MSG_GETCHAIN, NLM_F_DUMP), count_one,
		&count),
	    0);
	assert_int_equal(count, chains);
}

static void
a_question_gets_its_answers(void **state)
{
	struct netlink *nl = *state;
	struct nlmsghdr *nlh;
	int count = 0;

	nlh = netlink_question(nl, NFT_MSG_GETTABLE, 0);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NETLINK_TABLE);
	assert_int_equal(netlink_ask(nl, nlh, count_answer, &count), -ENOENT);
	assert_int_equal(count, 0);

	netlink_begin(nl);
	add_table(nl);
	add_chain(nl, "one");
	add_chain(nl, "two");
	assert_int_equal(netlink_commit(nl, NULL), 0);
	nlh = netlink_question(nl, NFT_MSG_GETTABLE, 0);
	mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, NETLINK_TABLE);
	assert_int_equal(netlink_ask(nl, nlh, count_answer, &count), 0);
	assert_int_equal(count, 1);
	nlh = netlink_question(nl, NFT_MSG_GETCHAIN, NLM_F_DUMP);
	assert_int_equal(netlink_ask(nl, nlh, count_answer, &count), 0);
	assert_int_equal(count, 3);
	nlh = netlink_question(nl, NFT_MSG_GETCHAIN, NLM_F_DUMP);
	assert_int_equal(netlink_ask(nl, nlh, stop, NULL), -ECANCELED);
	/* what was left of that answer is not taken for the next */
	count = 0;
	nlh = netlink_question(nl, NFT_MSG_GETCHAIN, NLM_F_DUMP);
	assert_int_equal(netlink_ask(nl, nlh, count_answer, &count), 0);
	assert_int_equal(count, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_batch_is_in_force_when_commit_returns, enter, leave),
	    cmocka_unit_test_setup_teardown(an_empty_batch_is_nothing, enter, leave),
	    cmocka_unit_test_setup_teardown(
		a_refused_batch_changes_nothing_and_names_the_message, enter, leave),
	    cmocka_unit_test_setup_teardown(
		an_error_while_making_the_batch_sends_nothing, enter, leave),
	    cmocka_unit_test_setup_teardown(
		a_batch_grows_beyond_the_default_buffer, enter, leave),
	    cmocka_unit_test_setup_teardown(a_batch_ends_at_its_ceiling, enter, leave),
	    cmocka_unit_test_setup_teardown(
		a_lost_acknowledgement_is_unknown, enter, leave),
	    cmocka_unit_test_setup_teardown(
		every_acknowledgement_is_read_and_matched, enter, leave),
	    cmocka_unit_test_setup_teardown(
		more_errors_than_the_queue_holds_are_still_a_refusal, enter, leave),
	    cmocka_unit_test_setup_teardown(
		a_dump_that_breaks_off_is_in_nobodys_way, enter, leave),
	    cmocka_unit_test_setup_teardown(a_question_gets_its_answers, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
