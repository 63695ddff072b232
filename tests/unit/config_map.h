/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder "r" of the scratch folder that is as a mounted ConfigMap: x.yaml ->
 * ..data/x.yaml, ..data -> ..GENERATION. a.yaml and b.yaml of a generation name hosts a
 * and b of it, so that a mix of two is seen.
 */
#ifndef TESTS_UNIT_CONFIG_MAP_H
#define TESTS_UNIT_CONFIG_MAP_H

#include <stdio.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

#define ENTRY_TEXT_MAX 2048

static inline const char *
entry_text(const char *host)
{
	static char text[ENTRY_TEXT_MAX];

	(void)snprintf(text, sizeof(text),
	    "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
	    "metadata: {name: e-%s, namespace: default}\n"
	    "spec:\n  hosts: [%s]\n  location: MESH_EXTERNAL\n  resolution: DNS\n"
	    "  ports: [{number: 443, name: tls, protocol: TLS}]\n",
	    host, host);
	return text;
}

static inline void
write_generation(unsigned generation)
{
	char name[64], host[64];

	(void)snprintf(name, sizeof(name), "r/..%u", generation);
	(void)scratch_mkdir(name);
	for (char c = 'a'; c <= 'b'; c++) {
		(void)snprintf(name, sizeof(name), "r/..%u/%c.yaml", generation, c);
		(void)snprintf(host, sizeof(host), "%c%u.example", c, generation % 2);
		(void)scratch_file(name, entry_text(host));
	}
}

static inline void
remove_generation(unsigned generation)
{
	char name[64];

	for (char c = 'a'; c <= 'b'; c++) {
		(void)snprintf(name, sizeof(name), "r/..%u/%c.yaml", generation, c);
		assert_int_equal(unlink(scratch_path(name)), 0);
	}
	(void)snprintf(name, sizeof(name), "r/..%u", generation);
	assert_int_equal(rmdir(scratch_path(name)), 0);
}

/* As the kubelet does it: a new link beside the old, then one rename. */
static inline void
swap_to(unsigned generation)
{
	char target[64];

	(void)snprintf(target, sizeof(target), "..%u", generation);
	scratch_link(target, "r/..data_tmp");
	assert_int_equal(
	    rename(scratch_path("r/..data_tmp"), scratch_path("r/..data")), 0);
}

static inline void
mount_config_map(void)
{
	write_generation(0);
	swap_to(0);
	scratch_link("..data/a.yaml", "r/a.yaml");
	scratch_link("..data/b.yaml", "r/b.yaml");
}

#endif
