/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of manifests: whatever it holds, it becomes a registry or findings.
 */
#include <stdint.h>
#include <stdlib.h>

#include "policy/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct registry_settings settings = {.has_outbound = true};
	struct registry *registry = NULL;
	struct registry_builder *builder;
	struct findings findings;
	int r;

	findings_init(&findings, 100);
	builder = registry_builder_new(&settings, &findings);
	if (builder == NULL)
		abort();
	r = registry_builder_add(builder, "fuzz.yaml", (const char *)data, size);
	if (r == 0 && registry_builder_finish(builder, &registry) == 0)
		registry_unref(registry);
	if (r < 0)
		registry_builder_free(builder);
	findings_done(&findings);
	return 0;
}
