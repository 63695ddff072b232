/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/built.h"

#include <netinet/in.h>

#include "policy/explain/suggest.h"

#define SE(name, spec)                                                                   \
	"---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: "        \
	"{name: " name ", namespace: default}\nspec: {" spec "}\n"
#define HTTPS "ports: [{number: 443, name: https, protocol: HTTPS}]"

static const char registry[] =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n"
    "status: {podIPs: [{ip: 10.244.0.1}]}\n" SE(
	"open", "hosts: [open.example], resolution: DNS, " HTTPS) SE("wild",
	"hosts: [\"*.wild.example\"], resolution: NONE, exportTo: [shop, "
	"bank], " HTTPS)
	SE("own", "hosts: [own.example], exportTo: [\".\"], resolution: DNS, " HTTPS)
	    SE("behind", "hosts: [behind.example], resolution: STATIC, endpoints: "
			 "[{address: 192.0.2.7}], " HTTPS)
		SE("list", "hosts: [list.example], addresses: [203.0.113.0/24], " HTTPS);

struct bed {
	struct built built;
	struct buf manifest, remark;
	struct name name, cluster;
};

static struct bed bed;

static int
enter(void **state)
{
	(void)state;
	memset(&bed, 0, sizeof(bed));
	built_open(&bed.built);
	built_add(&bed.built, "r.yaml", registry);
	assert_int_equal(built_finish(&bed.built), 0);
	buf_init(&bed.manifest, 4096);
	buf_init(&bed.remark, 4096);
	assert_int_equal(name_parse("cluster.local", 13, &bed.cluster), 0);
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	buf_done(&bed.manifest);
	buf_done(&bed.remark);
	built_close(&bed.built);
	return 0;
}

static struct addr
address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, strlen(text), &a), 0);
	return a;
}

/* pod, name and destination may be NULL. */
static struct suggest_refusal
refusal(const char *pod, const char *name, const char *destination, uint16_t port)
{
	struct suggest_refusal f = {
	    .port = port, .proto = IPPROTO_TCP, .cluster = &bed.cluster};
	struct addr a;

	if (pod != NULL) {
		a = address(pod);
		f.workload = registry_workload(bed.built.registry, &a);
	}
	if (destination != NULL)
		f.address = address(destination);
	if (name != NULL) {
		assert_int_equal(name_parse(name, strlen(name), &bed.name), 0);
		f.name = &bed.name;
	}
	return f;
}

static void
ask(const struct suggest_refusal *f)
{
	buf_clear(&bed.manifest);
	buf_clear(&bed.remark);
	suggest(bed.built.registry, f, &bed.manifest, &bed.remark);
}

/* Load what is suggested beside what was there, for pod. */
static void
take(const char *pod, struct suggest_refusal *f)
{
	struct addr a;

	ask(f);
	assert_true(bed.manifest.len > 0);
	built_close(&bed.built);
	built_open(&bed.built);
	built_add(&bed.built, "r.yaml", registry);
	built_add(&bed.built, "s.yaml", bed.manifest.bytes);
	if (built_finish(&bed.built) < 0)
		fail_msg("refused: %s", bed.manifest.bytes);
	if (pod == NULL)
		return;
	a = address(pod);
	f->workload = registry_workload(bed.built.registry, &a);
}

static bool
has_port(const struct registry_port *ports, size_t count, uint16_t port, uint8_t proto)
{
	for (size_t i = 0; i < count; i++)
		if (ports[i].number == port && ports[i].proto == proto)
			return true;
	return false;
}

/* Does the name open these ports and no other now? */
static void
expect_ports(const struct suggest_refusal *f, const uint16_t *ports, size_t count)
{
	struct verdict v;

	registry_judge(bed.built.registry, f->workload, f->name, &v);
	assert_int_equal(v.kind, VERDICT_HOST);
	assert_int_equal(v.host->port_count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(
		    has_port(v.host->ports, v.host->port_count, ports[i], f->proto));
	ask(f); /* what is open needs no more */
	assert_int_equal(bed.manifest.len, 0);
}

static void
a_name_that_nobody_lists(void **state)
{
	struct suggest_refusal f = refusal("10.244.0.1", "new.example", NULL, 0);

	(void)state;
	take("10.244.0.1", &f);
	expect_ports(&f, (uint16_t[]){443}, 1);
	/* and for nobody else */
	f.workload = NULL;
	ask(&f);
	assert_true(bed.manifest.len > 0);
}

static void
who_is_not_known_gets_what_is_open_to_all(void **state)
{
	struct suggest_refusal f = refusal(NULL, "new.example", NULL, 0);

	(void)state;
	take(NULL, &f);
	expect_ports(&f, (uint16_t[]){443}, 1);
}

static void
a_name_of_another_namespace(void **state)
{
	struct suggest_refusal f = refusal("10.244.0.1", "own.example", NULL, 0);

	(void)state;
	take("10.244.0.1", &f);
	expect_ports(&f, (uint16_t[]){443}, 1);
}

static void
another_port_of_an_entry_adds_to_it(void **state)
{
	struct suggest_refusal f =
	    refusal("10.244.0.1", "open.example", "192.0.2.1", 8443);

	(void)state;
	take("10.244.0.1", &f);
	expect_ports(&f, (uint16_t[]){443, 8443}, 2);
	assert_string_equal(
	    bed.remark.bytes, "open after a lookup of that name by that pod");
}

static void
another_port_of_a_wildcard_with_an_export(void **state)
{
	struct suggest_refusal f =
	    refusal("10.244.0.1", "a.wild.example", "192.0.2.1", 80);

	(void)state;
	take("10.244.0.1", &f);
	expect_ports(&f, (uint16_t[]){443, 80}, 2);
}

static void
an_entry_with_endpoints_is_edited_by_hand(void **state)
{
	const struct suggest_refusal f =
	    refusal("10.244.0.1", "behind.example", "192.0.2.7", 80);

	(void)state;
	ask(&f);
	assert_int_equal(bed.manifest.len, 0);
	assert_non_null(strstr(bed.remark.bytes,
	    "add port 80/HTTP to ServiceEntry default/behind (r.yaml:"));
}

/* Whom would the address be open to? */
static bool
is_fixed(const struct suggest_refusal *f)
{
	struct registry_fixed x;

	for (size_t i = 0; registry_fixed(bed.built.registry, i, &x); i++)
		if (prefix_contains(&x.destination, &f->address) && x.port == f->port &&
		    x.proto == f->proto)
			return true;
	return false;
}

static void
an_address_without_a_name(void **state)
{
	static const char *const destinations[] = {
	    "198.51.100.7", "2001:db8::", "2620:fe::fe", "203.0.113.7"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(destinations); i++) {
		struct suggest_refusal f =
		    refusal("10.244.0.1", NULL, destinations[i], 8080);
		bool known = f.address.family == AF_INET;

		f.proto = i == 0 ? IPPROTO_UDP : IPPROTO_TCP;
		take("10.244.0.1", &f);
		assert_int_equal(is_fixed(&f), known); /* web has no IPv6 address */
		ask(&f);
		assert_int_equal(bed.manifest.len + bed.remark.len, 0);
	}
}

static void
what_no_entry_should_open(void **state)
{
	static const char *const destinations[] = {"169.254.169.254", "fd00:ec2::254",
	    "127.0.0.1", "224.0.0.1", "ff02::1", "fe80::1", "0.0.0.0"};
	struct suggest_refusal f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(destinations); i++) {
		f = refusal("10.244.0.1", NULL, destinations[i], 80);
		ask(&f);
		assert_int_equal(bed.manifest.len, 0);
		assert_true(bed.remark.len > 0);
	}
	f = refusal("10.244.0.1", NULL, "198.51.100.7", 0);
	f.proto = IPPROTO_ICMP;
	ask(&f);
	assert_int_equal(bed.manifest.len, 0);
	assert_true(bed.remark.len > 0);
}

static void
a_search_list_gets_nothing_and_odd_names_a_remark(void **state)
{
	struct suggest_refusal f =
	    refusal("10.244.0.1", "open.example.shop.svc.cluster.local", NULL, 0);

	(void)state;
	ask(&f);
	assert_int_equal(bed.manifest.len + bed.remark.len, 0);
	f = refusal("10.244.0.1", "_ldap._tcp.example", NULL, 0);
	ask(&f);
	assert_int_equal(bed.manifest.len, 0);
	assert_true(bed.remark.len > 0);
	f = refusal("10.244.0.1", "a\\\"\\010b.example", NULL, 0);
	ask(&f);
	assert_int_equal(bed.manifest.len, 0);
}

static void
the_longest_names(void **state)
{
	char text[256];
	struct suggest_refusal f;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[63] = text[127] = text[191] = '.';
	text[220] = '\0';
	f = refusal("10.244.0.1", text, NULL, 0);
	take("10.244.0.1", &f);
	/* an object's name must not be that long */
	text[220] = 'a';
	text[253] = '\0';
	f = refusal("10.244.0.1", text, NULL, 0);
	ask(&f);
	assert_int_equal(bed.manifest.len, 0);
}

#define SUGGEST_TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SUGGEST_TEST(a_name_that_nobody_lists),
	    SUGGEST_TEST(who_is_not_known_gets_what_is_open_to_all),
	    SUGGEST_TEST(a_name_of_another_namespace),
	    SUGGEST_TEST(another_port_of_an_entry_adds_to_it),
	    SUGGEST_TEST(another_port_of_a_wildcard_with_an_export),
	    SUGGEST_TEST(an_entry_with_endpoints_is_edited_by_hand),
	    SUGGEST_TEST(an_address_without_a_name),
	    SUGGEST_TEST(what_no_entry_should_open),
	    SUGGEST_TEST(a_search_list_gets_nothing_and_odd_names_a_remark),
	    SUGGEST_TEST(the_longest_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
