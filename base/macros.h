/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiler attributes and the few idioms that every file shares. No state, no functions.
 */
#ifndef BASE_MACROS_H
#define BASE_MACROS_H

#include <stddef.h>
#include <stdint.h>

#ifdef NDEBUG
#error "assertions are part of the product: build without NDEBUG"
#endif

/* A result that the caller has to look at; drop it only by a cast to void with the reason
 * beside it. */
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member)                                                  \
	((type *)((uintptr_t)(ptr)-offsetof(type, member)))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))

#endif
