/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations and sizes as people write them: one whole number with one unit. No ownership.
 */
#ifndef DAEMON_CONFIG_QUANTITY_H
#define DAEMON_CONFIG_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"

#define QUANTITY_TEXT_MAX 32

/* "500ms", "30s", "5m", "1h". -EINVAL; -ERANGE above 64 bits of milliseconds. */
MUST_CHECK int quantity_parse_ms(const char *text, size_t len, uint64_t *ret_ms);
/* "512", "64KiB", "32MiB", "1GiB". -EINVAL; -ERANGE above 64 bits. */
MUST_CHECK int quantity_parse_bytes(const char *text, size_t len, uint64_t *ret_bytes);

/* With the largest unit that divides the value; into buf (QUANTITY_TEXT_MAX bytes), which
 * is returned. */
char *quantity_format_ms(uint64_t ms, char *buf);
char *quantity_format_bytes(uint64_t bytes, char *buf);

#endif
