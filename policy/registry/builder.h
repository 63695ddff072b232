/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a builder has taken in and a compiler makes a registry of. Inside policy/ only;
 * everybody else sees policy/registry/registry.h.
 */
#ifndef POLICY_REGISTRY_BUILDER_H
#define POLICY_REGISTRY_BUILDER_H

#include <stddef.h>

#include "policy/object/endpoint_slice.h"
#include "policy/object/mesh.h"
#include "policy/object/namespace.h"
#include "policy/object/pod.h"
#include "policy/object/service.h"
#include "policy/object/service_entry.h"
#include "policy/object/sidecar.h"
#include "policy/registry/admission.h"
#include "policy/registry/registry.h"
#include "policy/registry/shelf.h"

struct registry_builder {
	const struct registry_settings *settings;
	struct findings *findings;
	struct memory image;   /* what stays */
	struct memory build;   /* what goes when the builder does */
	struct arena *scratch; /* the tree of one document */
	struct service_entry *entries, **entries_end;
	size_t entry_count;
	struct pod *pods, **pods_end;
	size_t pod_count;
	struct sidecar *sidecars, **sidecars_end;
	size_t sidecar_count;
	struct namespace *namespaces, **namespaces_end;
	size_t namespace_count;
	struct service *services, **services_end;
	size_t service_count;
	struct endpoint_slice *slices, **slices_end;
	size_t slice_count;
	struct workload_entry *workload_entries, **workload_entries_end;
	size_t workload_entry_count;
	struct mesh mesh; /* what manifests say; at the end, what the configuration says
			     besides */
	struct admission admission;
	struct shelf *shelf; /* in the image; NULL: none is wanted */
};

/* Take in one object if its kind says something here. Negative: memory lacks. */
MUST_CHECK int builder_take(
    struct registry_builder *b, struct reader *rd, const struct manifest *object);

/* The mesh's root namespace. */
const char *builder_root(const struct registry_builder *b);

#endif
