/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes an allocation of the code under test fail.
 *
 * Every unit test is linked with malloc, calloc, realloc, reallocarray and mmap wrapped:
 * those of our own code are counted here, those inside of libraries are not. Call
 * alloc_reset before a test ends, else its failure reaches the next one.
 */
#ifndef TESTS_UNIT_ALLOC_H
#define TESTS_UNIT_ALLOC_H

#include <stddef.h>

/* The n-th allocation from here on fails, once; the first is 0. */
void alloc_fail_at(size_t n);
/* No allocation fails any more; the count starts at 0. */
void alloc_reset(void);
/* Allocations tried since alloc_reset or alloc_fail_at. */
size_t alloc_count(void);

#endif
