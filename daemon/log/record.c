/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/record.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CUT "..."

struct event_row {
	const char *name;
	const char *id;
};

/* Random 128-bit numbers, as `systemd-id128 new` prints them; once released they stay. */
static const struct event_row events[] = {
    [LOG_STARTED] = {"started", "9c36b0f3c9bf4f6791d0326002db659d"},
    [LOG_STOPPED] = {"stopped", "10cf127d66c849a090801390657aedc4"},
    [LOG_REFUSED_LOOKUP] = {"refused_lookup", "b08d81d41b4f464894affcd73d7e5b8a"},
    [LOG_REFUSED_CONNECTION] = {"refused_connection", "c4edd1a96bd542b19d0f1e84158db71f"},
    [LOG_FORBIDDEN_ADDRESS] = {"forbidden_address", "9c81d2f16e574bf6b5696f5331d92fd8"},
    [LOG_RELOADED] = {"reloaded", "e66c0450b58c404bb8b83347641302ab"},
    [LOG_RELOAD_FAILED] = {"reload_failed", "5b98ad0d68784ebdb03593d6322a44df"},
    [LOG_FINDING] = {"finding", "1b2db6a439364b3e9a506176a18d69a1"},
    [LOG_LEFT_OUT] = {"left_out", "72da8c0cd51743da8e67017ac2955703"},
    [LOG_COMMIT_FAILED] = {"commit_failed", "653b22c820f341ca8ca659272fcfb9c2"},
    [LOG_TABLE_LOST] = {"table_lost", "9f836a4d2a594e5fb2776897b4470dc6"},
    [LOG_TABLE_RESTORED] = {"table_restored", "b0e07902f23e40039671bdff28ecb9a0"},
    [LOG_FLOWS_CUT] = {"flows_cut", "2985f49fcfcc4250a48c1951083e5a34"},
    [LOG_LIMIT] = {"limit", "3075dff1f50b41b2be76128c9b5a5210"},
    [LOG_DROPPED] = {"dropped", "8143a08fb0e94821918f05b11e710659"},
    [LOG_FAULT] = {"fault", "bb42a367685c4c93995952e06d25869e"},
};

const char *
record_event_name(enum log_event event)
{
	assert((size_t)event < ARRAY_LEN(events));
	return events[event].name;
}

const char *
record_event_id(enum log_event event)
{
	assert((size_t)event < ARRAY_LEN(events));
	return events[event].id;
}

/* One byte of text as it will be shown, 1 or 4 bytes; into out when that is not NULL. */
static size_t
escape_byte(uint8_t byte, char *out)
{
	if (byte >= 0x20 && byte <= 0x7e) {
		if (out != NULL)
			out[0] = (char)byte;
		return 1;
	}
	if (out != NULL) {
		out[0] = '\\';
		out[1] = (char)('0' + byte / 100);
		out[2] = (char)('0' + byte / 10 % 10);
		out[3] = (char)('0' + byte % 10);
	}
	return 4;
}

/* Bytes that text takes when shown, at most LOG_VALUE_MAX. */
static size_t
escaped_len(const char *text)
{
	size_t len = 0;

	for (; *text != '\0' && len <= LOG_VALUE_MAX; text++)
		len += escape_byte((uint8_t)*text, NULL);
	return MIN_OF(len, LOG_VALUE_MAX);
}

/* Write text with its NUL to at and return where the next one goes. */
static char *
escape(char *at, const char *text)
{
	size_t whole = 0; /* bytes written before the cut must begin */
	size_t len = 0;
	size_t step;

	for (; *text != '\0'; text++) {
		step = escape_byte((uint8_t)*text, NULL);
		if (len + step > LOG_VALUE_MAX) {
			memcpy(at + whole, CUT, sizeof(CUT));
			return at + whole + sizeof(CUT);
		}
		(void)escape_byte((uint8_t)*text, at + len); /* its length is step */
		len += step;
		if (len <= LOG_VALUE_MAX - strlen(CUT))
			whole = len;
	}
	at[len] = '\0';
	return at + len + 1;
}

static bool
key_is_valid(const char *key)
{
	size_t len = strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return len > 0 && len <= RECORD_KEY_MAX && key[len] == '\0';
}

static size_t
space_needed(const char *message, const struct log_field *fields, size_t field_count)
{
	size_t size = escaped_len(message) + 1;

	for (size_t i = 0; i < field_count; i++)
		if (fields[i].value != NULL)
			size +=
			    strlen(fields[i].key) + 1 + escaped_len(fields[i].value) + 1;
	return size;
}

struct record *
record_new(enum log_event event, enum log_priority priority, int64_t time_us,
    const char *message, const struct log_field *fields, size_t field_count)
{
	struct record *r;
	char *at;

	assert((size_t)event < ARRAY_LEN(events) && field_count <= LOG_FIELDS_MAX);
	r = calloc(1, sizeof(*r) + space_needed(message, fields, field_count));
	if (r == NULL)
		return NULL;
	r->event = event;
	r->priority = priority;
	r->time_us = time_us;
	at = (char *)(r + 1);
	r->message = at;
	at = escape(at, message);
	for (size_t i = 0; i < field_count; i++) {
		struct log_field *f = &r->fields[r->field_count];

		assert(key_is_valid(fields[i].key));
		if (fields[i].value == NULL)
			continue;
		f->key = at;
		at = stpcpy(at, fields[i].key) + 1;
		f->value = at;
		at = escape(at, fields[i].value);
		r->field_count++;
	}
	return r;
}

void
record_free(struct record *r)
{
	free(r);
}
