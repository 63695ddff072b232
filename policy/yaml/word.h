/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words that manifests are full of, each with a number of one byte: the keys of Istio's
 * and Kubernetes' objects that this registry is made of, what the tools that write them
 * add, and the commonest values.
 *
 * Numbers are good within one process only.
 */
#ifndef POLICY_YAML_WORD_H
#define POLICY_YAML_WORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

#define WORD_NONE UINT8_MAX

/* The word's number, WORD_NONE when it is none of them. */
uint8_t word_find(const char *text, size_t len);
/* With a NUL behind it; NULL for a number that is no word's. */
const char *word_text(uint8_t i);

#endif
