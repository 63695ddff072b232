/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry that the benchmarks load: ServiceEntries as kubectl prints them, any
 * number of them, the same on every run.
 *
 * Of ten entries in a row six have one or two exact hosts, one a wildcard, one is
 * exported to nobody else, one to two namespaces, and one lists addresses (every other
 * such one is STATIC with endpoints). They belong to SAMPLE_NAMESPACES namespaces. Beside
 * them stand as many pods as a node has.
 */
#ifndef TESTS_BENCH_SAMPLE_H
#define TESTS_BENCH_SAMPLE_H

#include <stddef.h>

#include "base/addr.h"

#define SAMPLE_NAMESPACES 50
#define SAMPLE_PODS 110 /* the kubelet's default maxPods */
#define SAMPLE_TEXT_MAX 4096
#define SAMPLE_PODS_TEXT_MAX ((size_t)128 * 1024)

/* What sample_name makes. */
enum sample_kind {
	SAMPLE_EXACT,    /* a registered host */
	SAMPLE_WILDCARD, /* below a registered wildcard */
	SAMPLE_UNKNOWN,  /* a sibling of a registered host */
	SAMPLE_HIDDEN,   /* registered, for another namespace than the asker's */
	SAMPLE_PARENT,   /* above a registered host */
	SAMPLE_KINDS,
};

/* The manifest of entry i; its length. generation: 0, or another number for entries of
 * which every tenth has another host and another tenth another port. */
size_t sample_entry(char text[SAMPLE_TEXT_MAX], size_t i, unsigned generation);
/* The manifests of all pods; the mesh, which is REGISTRY_ONLY. */
size_t sample_pods(char text[SAMPLE_PODS_TEXT_MAX]);
size_t sample_mesh(char text[SAMPLE_TEXT_MAX]);

/* A name of that kind which concerns the entry in a registry of generation 0, for who
 * asks from sample_asker; its length, or 0 when the entry is of no use for it. */
size_t sample_name(char text[SAMPLE_TEXT_MAX], enum sample_kind kind, size_t i);
/* The address of one of the pods. */
struct addr sample_asker(void);

#endif
