/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/svcb.h"

#include <errno.h>
#include <string.h>

#include "base/name.h"
#include "resolver/wire.h"

#define PARAM_LEN 4 /* key and length */

static void
skip_target(struct wire *w)
{
	size_t start = w->pos;
	uint8_t label;

	while ((label = wire_u8(w)) != 0 && label <= NAME_LABEL_MAX)
		wire_skip(w, label);
	if (label != 0 || w->pos - start > NAME_WIRE_MAX)
		w->failed = true;
}

/* Keys that rise, none of them "mandatory" itself (section 8). Whether they are there is
 * seen as the others come. */
static bool
mandatory_is_sound(struct wire *value)
{
	unsigned last = SVCB_MANDATORY;

	do {
		unsigned key = wire_u16(value);

		if (key <= last)
			return false;
		last = key;
	} while (!value->failed && value->pos < value->len);
	return !value->failed;
}

/* Identifiers, each with its length and none of them empty (section 7.1.1). */
static bool
alpn_is_sound(struct wire *value)
{
	do {
		uint8_t len = wire_u8(value);

		if (len == 0)
			return false;
		wire_skip(value, len);
	} while (!value->failed && value->pos < value->len);
	return !value->failed;
}

/* value ends where the parameter does. */
static bool
value_is_sound(unsigned key, struct wire value)
{
	size_t len = value.len - value.pos;

	switch (key) {
	case SVCB_MANDATORY:
		return mandatory_is_sound(&value);
	case SVCB_ALPN:
		return alpn_is_sound(&value);
	case SVCB_NO_DEFAULT_ALPN:
		return len == 0;
	case SVCB_PORT:
		return len == 2;
	case SVCB_IPV4HINT:
		return len > 0 && len % 4 == 0;
	case SVCB_IPV6HINT:
		return len > 0 && len % 16 == 0;
	case SVCB_INVALID:
		return false;
	default:
		return true;
	}
}

static void
note_value(struct svcb *s, unsigned key, size_t pos, uint16_t len)
{
	struct svcb_value value = {.pos = pos, .len = len};

	if (key == SVCB_MANDATORY)
		s->mandatory = value;
	else if (key == SVCB_IPV4HINT)
		s->v4 = value;
	else if (key == SVCB_IPV6HINT)
		s->v6 = value;
}

static int
parse_params(struct svcb *s, struct wire *w)
{
	struct wire wanted = {.failed = true}; /* what is left of "mandatory" */
	unsigned next = 0;                     /* of it; 0: nothing is left */
	bool alpn = false;
	int last = -1;

	while (w->pos < s->len) {
		unsigned key = wire_u16(w);
		uint16_t len = wire_u16(w);
		struct wire value = *w;

		wire_skip(w, len);
		value.len = w->pos;
		if (w->failed || (int)key <= last || !value_is_sound(key, value))
			return -EBADMSG;
		last = (int)key;
		note_value(s, key, value.pos, len);
		if (key == SVCB_MANDATORY) {
			wanted = value;
			next = wire_u16(&wanted);
		} else if (next != 0 && key >= next) {
			if (key > next)
				return -EBADMSG;
			next = wire_u16(&wanted); /* 0 past its end */
		}
		alpn = alpn || key == SVCB_ALPN;
		if (key == SVCB_NO_DEFAULT_ALPN && !alpn)
			return -EBADMSG;
	}
	return next == 0 ? 0 : -EBADMSG;
}

int
svcb_parse(const uint8_t *rdata, size_t len, struct svcb *ret_svcb)
{
	struct svcb s = {.rdata = rdata, .len = len};
	struct wire w;
	int r;

	wire_init(&w, rdata, len);
	s.priority = wire_u16(&w);
	skip_target(&w);
	if (w.failed)
		return -EBADMSG;
	s.params = w.pos;
	r = parse_params(&s, &w);
	if (r < 0)
		return r;
	if (s.priority == 0)
		s.mandatory = s.v4 = s.v6 = (struct svcb_value){0};
	*ret_svcb = s;
	return 0;
}

size_t
svcb_hint_count(const struct svcb *s)
{
	return s->v4.len / 4u + s->v6.len / 16u;
}

struct addr
svcb_hint(const struct svcb *s, size_t i)
{
	size_t v4 = s->v4.len / 4u;

	if (i < v4)
		return addr_make(AF_INET, s->rdata + s->v4.pos + 4 * i);
	return addr_make(AF_INET6, s->rdata + s->v6.pos + 16 * (i - v4));
}

/* The hints of one family that are kept, one behind the other; out NULL: only counted.
 * Their length. */
static size_t
put_hints(
    const struct svcb *s, unsigned key, svcb_keep_fn keep, const void *ctx, uint8_t *out)
{
	size_t v4 = s->v4.len / 4u;
	size_t i = key == SVCB_IPV4HINT ? 0 : v4;
	size_t end = key == SVCB_IPV4HINT ? v4 : svcb_hint_count(s);
	size_t len = 0;

	for (; i < end; i++) {
		struct addr addr = svcb_hint(s, i);

		if (!keep(ctx, &addr))
			continue;
		if (out != NULL)
			memcpy(out + len, addr.bytes, addr_len(&addr)); /* it fitted */
		len += addr_len(&addr);
	}
	return len;
}

/* The keys of "mandatory" that do not go. Their length. */
static size_t
put_mandatory(const struct svcb *s, svcb_keep_fn keep, const void *ctx, uint8_t *out)
{
	struct wire w;
	size_t len = 0;

	wire_init(&w, s->rdata, s->mandatory.pos + s->mandatory.len);
	w.pos = s->mandatory.pos;
	while (w.pos < w.len) {
		uint16_t key = wire_u16(&w);
		bool hint = key == SVCB_IPV4HINT || key == SVCB_IPV6HINT;

		if (key == SVCB_ECH || (hint && put_hints(s, key, keep, ctx, NULL) == 0))
			continue;
		wire_put_u16(out + len, key);
		len += 2;
	}
	return len;
}

/* Key and length in front of a value that stands there; without one there is none. */
static size_t
put_param(unsigned key, size_t len, uint8_t *out)
{
	if (len == 0)
		return 0;
	wire_put_u16(out, (uint16_t)key);
	wire_put_u16(out + 2, (uint16_t)len);
	return PARAM_LEN + len;
}

size_t
svcb_write(const struct svcb *s, svcb_keep_fn keep, const void *ctx, uint8_t *out)
{
	size_t len = s->params;
	struct wire w;

	memcpy(out, s->rdata, len); /* never longer than what was read */
	if (s->priority == 0)
		return len;
	wire_init(&w, s->rdata, s->len);
	w.pos = s->params;
	while (w.pos < w.len) {
		size_t start = w.pos;
		unsigned key = wire_u16(&w);

		wire_skip(&w, wire_u16(&w));
		switch (key) {
		case SVCB_ECH:
			break;
		case SVCB_MANDATORY:
			len += put_param(key,
			    put_mandatory(s, keep, ctx, out + len + PARAM_LEN),
			    out + len);
			break;
		case SVCB_IPV4HINT:
		case SVCB_IPV6HINT:
			len += put_param(key,
			    put_hints(s, key, keep, ctx, out + len + PARAM_LEN),
			    out + len);
			break;
		default: /* of parameters not known to us there is no end */
			memcpy(out + len, s->rdata + start, w.pos - start);
			len += w.pos - start;
		}
	}
	return len;
}
