/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8, byte by byte.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the valid sequence at p (RFC 3629 section 4), which has left bytes, at least
 * one; 0 when there is none. */
size_t utf8_len(const uint8_t *p, size_t left);

#endif
