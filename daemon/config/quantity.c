/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first, for formatting. */
static const struct unit durations[] = {
    {"h", 3600 * 1000}, {"m", 60 * 1000}, {"s", 1000}, {"ms", 1}};
static const struct unit sizes[] = {
    {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}};

static int
parse(const char *text, size_t len, const struct unit *units, size_t unit_count,
    uint64_t *ret_value)
{
	uint64_t value = 0;
	size_t digits = 0;

	for (; digits < len && text[digits] >= '0' && text[digits] <= '9'; digits++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[digits] - '0'), &value))
			return -ERANGE;
	if (digits == 0)
		return -EINVAL;
	for (size_t i = 0; i < unit_count; i++) {
		if (strlen(units[i].name) != len - digits ||
		    memcmp(units[i].name, text + digits, len - digits) != 0)
			continue;
		if (__builtin_mul_overflow(value, units[i].factor, &value))
			return -ERANGE;
		*ret_value = value;
		return 0;
	}
	return -EINVAL;
}

static char *
format(uint64_t value, const struct unit *units, size_t unit_count, const char *zero,
    char *buf)
{
	size_t i = 0;

	while (i + 1 < unit_count && value % units[i].factor != 0)
		i++;
	if (value == 0)
		(void)snprintf(buf, QUANTITY_TEXT_MAX, "%s", zero); /* fits */
	else
		(void)snprintf(buf, QUANTITY_TEXT_MAX, "%" PRIu64 "%s",
		    value / units[i].factor, units[i].name); /* 20 digits and a unit */
	return buf;
}

int
quantity_parse_ms(const char *text, size_t len, uint64_t *ret_ms)
{
	return parse(text, len, durations, ARRAY_LEN(durations), ret_ms);
}

int
quantity_parse_bytes(const char *text, size_t len, uint64_t *ret_bytes)
{
	return parse(text, len, sizes, ARRAY_LEN(sizes), ret_bytes);
}

char *
quantity_format_ms(uint64_t ms, char *buf)
{
	return format(ms, durations, ARRAY_LEN(durations), "0s", buf);
}

char *
quantity_format_bytes(uint64_t bytes, char *buf)
{
	return format(bytes, sizes, ARRAY_LEN(sizes), "0", buf);
}
