/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every unit test includes: cmocka and what it needs before it, in the order that it
 * needs.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
