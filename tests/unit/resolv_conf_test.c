/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include "daemon/config/resolv_conf.h"
#include "tests/unit/config_bed.h"

static void
upstreams_come_from_resolv_conf(void **state)
{
	const char *path = scratch_file("r",
	    "search a b\n nameserver 192.0.2.1\n#nameserver 192.0.2.2\n"
	    "nameserver 169.254.20.10\nnameserver\t127.0.0.53 \nnameserver 127.0.0.53\n"
	    "nameserver fe80::1%eth0\nnameserver\nnameserver 0.0.0.0\n"
	    "nameserversomething 192.0.2.7\nnameserver 2001:db8::53");

	(void)state;
	assert_int_equal(
	    config_read(scratch_file("c.yaml", ""), path, &bed.findings, &bed.config), 0);
	assert_int_equal(bed.config->upstream_count, 2);
	assert_true(has_endpoint(&bed.config->upstreams[0], "127.0.0.53:53"));
	assert_true(has_endpoint(&bed.config->upstreams[1], "[2001:db8::53]:53"));
	assert_int_equal(bed.findings.warnings, 2);
	assert_true(found(FINDING_WARNING, 7, 1, "\"fe80::1%eth0\""));
	assert_true(found(FINDING_WARNING, 9, 1, "\"0.0.0.0\""));
}

static void
more_nameservers_than_the_limit_are_left_out(void **state)
{
	struct endpoint list[2];

	(void)state;
	assert_int_equal(
	    resolv_conf_read(
		scratch_file("r",
		    "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"),
		NULL, 0, &bed.findings, list, 2),
	    2);
	assert_true(has_endpoint(&list[1], "192.0.2.2:53"));
}

static void
without_any_upstream_there_is_no_start(void **state)
{
	const char *config = scratch_file("c.yaml", "");
	const char *itself = scratch_file("r", "nameserver 169.254.20.10\n");

	(void)state;
	assert_int_equal(
	    config_read(config, itself, &bed.findings, &bed.config), -EINVAL);
	assert_true(found(FINDING_ERROR, 0, 0, "names no server"));
	assert_int_equal(
	    config_read(config, scratch_path("absent"), &bed.findings, &bed.config),
	    -EINVAL);
	assert_true(found(FINDING_ERROR, 0, 0, "does not exist"));
	/* Whoever names upstreams needs no resolv.conf. */
	assert_int_equal(config_read(scratch_file("d.yaml", "upstreams: [192.0.2.1]\n"),
			     scratch_path("absent"), &bed.findings, &bed.config),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(upstreams_come_from_resolv_conf),
	    TEST(more_nameservers_than_the_limit_are_left_out),
	    TEST(without_any_upstream_there_is_no_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
