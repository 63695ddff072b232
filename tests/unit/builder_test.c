/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building under lack of memory and of room.
 */
#include <errno.h>

#include "tests/unit/alloc.h"
#include "tests/unit/built.h"

static const char all_kinds[] =
    "apiVersion: v1\nkind: List\nitems:\n"
    "- {apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: a, "
    "namespace: x, labels: {a: b}}, spec: {hosts: [a.t, '*.b.t'], addresses: [1.2.3.4, "
    "'2001:db8::/32'], exportTo: [., z], ports: [{number: 1, name: a, protocol: TLS}]}}\n"
    "- {apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: b, "
    "namespace: x, labels: {a: b}}, spec: {hosts: [a.t], exportTo: [., z], ports: "
    "[{number: 2, name: a, protocol: TLS}]}}\n"
    "- {apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: c, "
    "namespace: z}, spec: {hosts: [a.t], exportTo: ['*'], resolution: STATIC, endpoints: "
    "[{address: "
    "1.2.3.4, ports: {a: 9}}], ports: [{number: 2, name: a, protocol: TLS}]}}\n"
    "- {apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: d, "
    "namespace: x}, spec: {hosts: [a.t], resolution: DNS, ports: [{number: 2, name: a, "
    "protocol: TLS}]}}\n"
    "- {apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: e, "
    "namespace: x}, spec: {hosts: [e.t], resolution: DNS, endpoints: [{address: f.t}, "
    "{address: 1.2.3.4}]}}\n"
    "- {apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: f, "
    "namespace: x}, spec: {hosts: [e.t], resolution: DNS}}\n"
    "- {apiVersion: v1, kind: Pod, metadata: {name: p, namespace: x}, status: {podIPs: "
    "[{ip: 10.0.0.1}, {ip: 'fd00::1'}]}}\n"
    "- {apiVersion: v1, kind: Pod, metadata: {name: q, namespace: z}, status: {podIPs: "
    "[{ip: 10.0.0.1}]}}\n"
    "---\napiVersion: v1\nkind: PodList\nitems: []\n"
    "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\ndata: {mesh: "
    "'{outboundTrafficPolicy: {}, rootNamespace: x, defaultServiceExportTo: [x, z, .], "
    "discoverySelectors: [{matchLabels: {d: e}, matchExpressions: [{key: d, operator: "
    "In, values: [e, f]}]}]}'}\n"
    "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: x, labels: {d: e}}\n"
    "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: z, labels: {d: e, z: f}}\n"
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: x, annotations: "
    "{networking.istio.io/exportTo: '., z'}}\nspec: {ports: [{port: 1}], clusterIP: "
    "10.9.0.1}\n"
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: t, namespace: x}\nspec: "
    "{ports: "
    "[{port: 1, name: a}], clusterIP: None}\n"
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: u, namespace: x}\nspec: {type: "
    "ExternalName, externalName: u.t}\n"
    "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: t, "
    "namespace: x, labels: {kubernetes.io/service-name: t}}\naddressType: IPv4\n"
    "endpoints: [{addresses: [10.9.0.2], hostname: t-0}, {addresses: [10.9.0.3], "
    "hostname: "
    "t-1}]\nports: [{port: 2}]\n"
    "---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: w, "
    "namespace: x, labels: {a: b}}\nspec: {address: 10.9.0.4, ports: {p: 9}, labels: {c: "
    "d}}\n"
    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: v, "
    "namespace: x}\nspec: {hosts: [v.t], resolution: STATIC, ports: [{number: 1, name: "
    "p, "
    "protocol: TLS}], workloadSelector: {labels: {a: b, c: d}}}\n"
    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: h, "
    "namespace: hidden}\nspec: {hosts: [h.t]}\n";

/* All that may happen is that it is built, or a lack is told. */
static int
try_build(size_t bytes_max)
{
	struct built b;
	int r;

	built_open(&b);
	b.settings.bytes_max = bytes_max;
	b.builder = registry_builder_new(&b.settings, &b.findings);
	if (b.builder == NULL) {
		built_close(&b);
		return -ENOMEM;
	}
	r = registry_builder_add(b.builder, "a.yaml", all_kinds, sizeof(all_kinds) - 1);
	if (r == 0)
		r = built_finish(&b);
	assert_int_equal(b.findings.errors, 0);
	if (r == 0)
		assert_int_equal(built_judge(&b, NULL, "t").kind, VERDICT_PARENT);
	built_close(&b);
	return r;
}

static void
every_allocation_fails_once(void **state)
{
	size_t count;

	(void)state;
	alloc_reset();
	assert_int_equal(try_build(0), 0);
	count = alloc_count();
	assert_true(count > 10);
	for (size_t n = 0; n < count; n++) {
		int r;

		alloc_fail_at(n);
		r = try_build(0);
		alloc_reset();
		/* a finding that is lost for lack of memory does not stop the build */
		assert_true(r == -ENOMEM || r == 0);
	}
}

static void
every_size_limit(void **state)
{
	bool built = false;
	int r;

	(void)state;
	for (size_t limit = 1; limit < 64 * 1024; limit += 61) {
		r = try_build(limit);
		assert_true(r == 0 || r == -ENOSPC || r == -ENOMEM);
		/* once there is room there is room */
		assert_true(!built || r == 0);
		built = r == 0;
	}
	assert_true(built);
}

static void
refused_after_an_earlier_error(void **state)
{
	struct built b;

	(void)state;
	built_open(&b);
	findings_add(&b.findings, FINDING_ERROR, "egressd.yaml", 1, 1, "earlier");
	assert_int_equal(built_finish(&b), -EINVAL);
	assert_null(b.registry);
	built_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_allocation_fails_once),
	    cmocka_unit_test(every_size_limit),
	    cmocka_unit_test(refused_after_an_earlier_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
