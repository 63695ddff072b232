/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an explanation says of Sidecars: which applies, what it hides, trims and sets.
 */
#include "policy/explain/explain.h"
#include "tests/unit/built.h"
#include "tests/unit/mesh_text.h"

#define WORLD                                                                            \
	POD_A POD_B SE("a", "ea", "", "[a.com]", P80_443)                                \
	    SE("b", "eb", "", "[b.com]", P443)                                           \
		SE("b", "ep", "", "[p.com]", P443 ", exportTo: [.]")                     \
		    SE("b", "el", "", "[l.com]", "addresses: [192.0.2.1], " P80_443)
#define ONLY_OWN "egress: [{hosts: ['./*']}]"
#define PORT_80 "egress: [{port: {number: 80}, hosts: ['*/*']}]"

struct explain_case {
	const char *title;
	const char *text;
	const char *who; /* a namespace, or an address of a pod */
	const char *what;
	uint16_t port;
	bool allowed;
	const char *says; /* some reason's text has it */
};

static const struct explain_case cases[] = {
    {"no Sidecar", WORLD, IN_A, "b.com", 443, true, "host b.com"},
    {"which one hides", WORLD SIDECAR("a", "s", "", ONLY_OWN), IN_A, "b.com", 443, false,
	"host b.com is the name, but Sidecar a/s (a.yaml:"},
    {"what it imports", WORLD SIDECAR("a", "s", "", ONLY_OWN), IN_A, "b.com", 443, false,
	"does not import it: it imports ./* only"},
    {"one that imports nothing",
	WORLD SIDECAR("a", "s", "", "egress: [{hosts: ['~/*']}]"), IN_A, "b.com", 443,
	false, ") applies: it imports nothing"},
    {"for any pod of the namespace", WORLD SIDECAR("a", "s", "", ONLY_OWN), "a", "b.com",
	443, false, "but Sidecar a/s (a.yaml:"},
    {"for any pod of a namespace under the root's",
	WORLD SIDECAR("istio-system", "s", "", ONLY_OWN), "a", "b.com", 443, false,
	"but Sidecar istio-system/s (a.yaml:"},
    {"for who is not known", WORLD SIDECAR("istio-system", "s", "", ONLY_OWN), "10.9.9.9",
	"b.com", 443, false, "but Sidecar istio-system/s (a.yaml:"},
    {"an entry that is not exported is not the Sidecar's doing",
	WORLD SIDECAR("a", "s", "", ONLY_OWN), IN_A, "p.com", 443, false,
	"host p.com is the name, but is exported to the namespace b only"},
    {"which one trims", WORLD SIDECAR("a", "s", "", PORT_80), IN_A, "a.com", 443, false,
	"host a.com lists 443/HTTPS, but no listener that imports the host serves that "
	"port under Sidecar a/s (a.yaml:"},
    {"what is left", WORLD SIDECAR("a", "s", "", PORT_80), IN_A, "a.com", 80, true,
	"host a.com, port 80/HTTP"},
    {"what applies", WORLD SIDECAR("a", "s", "", PORT_80), IN_A, "a.com", 80, true,
	") applies: it imports on port 80: */* only"},
    {"which one sets the mode",
	WORLD SIDECAR("a", "s", "", "outboundTrafficPolicy: {mode: ALLOW_ANY}"), IN_A,
	"x.y", 25, true, ") applies: it sets the mode ALLOW_ANY and imports everything"},
    {"and for who is under none",
	WORLD SIDECAR("a", "s", "", "outboundTrafficPolicy: {mode: ALLOW_ANY}"), IN_B,
	"x.y", 25, false, "no entry that this workload sees"},
    {"an address under ALLOW_ANY of its own",
	WORLD SIDECAR("a", "s", "", "outboundTrafficPolicy: {mode: ALLOW_ANY}"), IN_A,
	"198.51.100.1", 25, true, "the mode is ALLOW_ANY"},
    {"port 53 under ALLOW_ANY of its own",
	WORLD SIDECAR("a", "s", "", "outboundTrafficPolicy: {mode: ALLOW_ANY}"), IN_A,
	"198.51.100.1", 53, true, "the mode is ALLOW_ANY"},
    {"an address that is hidden", WORLD SIDECAR("a", "s", "", ONLY_OWN), IN_A,
	"192.0.2.1", 443, false, "does not import host l.com: it imports ./* only"},
    {"an address that others see", WORLD SIDECAR("a", "s", "", ONLY_OWN), IN_B,
	"192.0.2.1", 443, true, "the entry of host l.com lists the address"},
    {"an address on a trimmed port", WORLD SIDECAR("a", "s", "", PORT_80), IN_A,
	"192.0.2.1", 80, true, "open without a lookup on 80/HTTP"},
    {"an address on another port", WORLD SIDECAR("a", "s", "", PORT_80), IN_A,
	"192.0.2.1", 443, false,
	"lists the address, but not port 443/TCP; it lists 80/HTTP"},
};

static void
ask(const struct built *b, const struct explain_case *c, struct explanation *e)
{
	struct explain_question q = {
	    .port = c->port, .proto = IPPROTO_TCP, .intercept = true};

	if (addr_parse(c->who, strlen(c->who), &q.source) < 0)
		q.namespace = c->who;
	if (addr_parse(c->what, strlen(c->what), &q.address) < 0)
		assert_int_equal(name_parse(c->what, strlen(c->what), &q.name), 0);
	explain(b->registry, &q, e);
}

static bool
says(const struct explanation *e, const char *words)
{
	for (size_t i = 0; i < e->count; i++)
		if (strstr(e->reasons[i].text, words) != NULL)
			return true;
	return false;
}

static void
sidecars_are_named(void **state)
{
	static struct explanation e;
	size_t failed = 0;
	struct built b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(built_from(&b, cases[i].text), 0);
		ask(&b, &cases[i], &e);
		if (e.allowed != cases[i].allowed || !says(&e, cases[i].says)) {
			print_error("%s: allowed %d\n", cases[i].title, e.allowed);
			for (size_t k = 0; k < e.count; k++)
				print_error("  %s\n", e.reasons[k].text);
			failed++;
		}
		built_close(&b);
	}
	assert_int_equal(failed, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sidecars_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
