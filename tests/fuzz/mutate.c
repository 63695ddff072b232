/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/mutate.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "resolver/wire.h"

#define CHANGES_MAX 4

void
mutator_seed(struct mutator *m, uint64_t seed)
{
	m->state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

/* xorshift64*: S. Vigna, "An experimental exploration of Marsaglia's xorshift generators,
 * scrambled", 2016. */
size_t
mutator_pick(struct mutator *m, size_t limit)
{
	m->state ^= m->state >> 12;
	m->state ^= m->state << 25;
	m->state ^= m->state >> 27;
	return (size_t)((m->state * 0x2545f4914f6cdd1dULL) >> 32) % limit;
}

static _Noreturn void
give_up(const char *what)
{
	perror(what);
	exit(2);
}

static int
visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
sample_read(struct sample *s, const char *folder, const char *file)
{
	char path[PATH_MAX];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, file); /* or is not there */
	f = fopen(path, "rbe");
	s->bytes = malloc(MUTATE_MAX);
	if (f == NULL || s->bytes == NULL)
		give_up(path);
	s->len = fread(s->bytes, 1, MUTATE_MAX, f);
	(void)fclose(f); /* only read */
}

void
mutator_init(struct mutator *m, const char *folder, uint64_t seed)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, visible, alphasort);

	if (count <= 0)
		give_up(folder);
	m->count = (size_t)count;
	m->samples = calloc(m->count, sizeof(*m->samples));
	if (m->samples == NULL)
		give_up(folder);
	for (size_t i = 0; i < m->count; i++) {
		sample_read(&m->samples[i], folder, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	mutator_seed(m, seed);
}

void
mutator_done(struct mutator *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->samples[i].bytes);
	free(m->samples);
}

static void
put_word(uint8_t *out, size_t len, size_t at, uint16_t word)
{
	if (at + 2 > len)
		return;
	out[at] = (uint8_t)(word >> 8);
	out[at + 1] = (uint8_t)word;
}

/* What counts and lengths say is what parsers believe. */
static void
lie(struct mutator *m, uint8_t *out, size_t len)
{
	static const uint16_t words[] = {
	    0, 1, 2, 3, 63, 64, 255, 256, 511, 4095, 4096, 0x7fff, 0x8000, 0xffff};
	uint16_t word = words[mutator_pick(m, ARRAY_LEN(words))];
	size_t at = mutator_pick(m, 3) == 0 ? 4 + 2 * mutator_pick(m, 4)
					    : mutator_pick(m, MAX_OF(len, 1));

	put_word(out, len, at, word);
}

/* To itself, to somewhere before or behind, or a ladder of pointers. */
static void
point(struct mutator *m, uint8_t *out, size_t len)
{
	size_t at = mutator_pick(m, MAX_OF(len, 1));
	size_t to = mutator_pick(m, 4) == 0 ? at : mutator_pick(m, MAX_OF(len, 1));
	size_t rungs = mutator_pick(m, 4) == 0 ? mutator_pick(m, 200) : 1;

	for (size_t i = 0; i < rungs; i++, to = at, at += 2)
		put_word(out, len, at, (uint16_t)(0xc000 | (to & 0x3fff)));
}

/* len bytes to where they were not. */
static size_t
move(struct mutator *m, uint8_t *out, size_t len, const uint8_t *from, size_t from_len)
{
	size_t at = mutator_pick(m, len + 1);
	size_t begin = mutator_pick(m, MAX_OF(from_len, 1));
	size_t count =
	    mutator_pick(m, MIN_OF(from_len - MIN_OF(begin, from_len), 600) + 1);
	uint8_t bytes[600];

	count = MIN_OF(count, MUTATE_MAX - len);
	memcpy(bytes, from + begin, count);
	memmove(out + at + count, out + at, len - at);
	memcpy(out + at, bytes, count);
	return len + count;
}

static size_t
take_out(struct mutator *m, uint8_t *out, size_t len)
{
	size_t at = mutator_pick(m, len + 1);
	size_t count = mutator_pick(m, MIN_OF(len - at, 20) + 1);

	memmove(out + at, out + at + count, len - at - count);
	return len - count;
}

static size_t
fill(struct mutator *m, uint8_t *out, size_t len)
{
	size_t more = mutator_pick(m, MUTATE_MAX - len + 1);
	uint8_t byte = (uint8_t)mutator_pick(m, 256);

	for (size_t i = 0; i < more; i++)
		out[len + i] = (uint8_t)(byte * (i % 7 != 0));
	return len + more;
}

static size_t
change(struct mutator *m, uint8_t *out, size_t len)
{
	const struct sample *other = &m->samples[mutator_pick(m, m->count)];

	switch (mutator_pick(m, 10)) {
	case 0:
		return mutator_pick(m, len + 1); /* cut */
	case 1:
		return take_out(m, out, len);
	case 2:
		return move(m, out, len, out, len);
	case 3:
		return move(m, out, len, other->bytes, other->len);
	case 4:
		return fill(m, out, len);
	case 5:
	case 6:
		lie(m, out, len);
		return len;
	case 7:
		point(m, out, len);
		return len;
	default:
		if (len > 0)
			out[mutator_pick(m, len)] ^= (uint8_t)(1u << mutator_pick(m, 8));
		return len;
	}
}

size_t
mutator_message(struct mutator *m, uint8_t out[MUTATE_MAX])
{
	const struct sample *s = &m->samples[mutator_pick(m, m->count)];
	size_t len = s->len;

	memcpy(out, s->bytes, len);
	for (size_t i = mutator_pick(m, CHANGES_MAX + 1); i > 0; i--)
		len = change(m, out, len);
	return len;
}

/* Where the first question ends, or the header, or the message. */
static size_t
question_end(const uint8_t *msg, size_t len)
{
	struct wire w;

	wire_init(&w, msg, len);
	w.pos = MIN_OF(WIRE_HEADER_LEN, len);
	wire_name(&w, NULL);
	wire_skip(&w, 4);
	return w.failed ? MIN_OF(WIRE_HEADER_LEN, len) : w.pos;
}

size_t
mutator_reply(
    struct mutator *m, const uint8_t *query, size_t len, uint8_t out[MUTATE_MAX])
{
	uint8_t message[MUTATE_MAX];
	size_t message_len = mutator_message(m, message);
	size_t from = question_end(message, message_len);
	size_t to = question_end(query, len);
	size_t rest = MIN_OF(message_len - from, MUTATE_MAX - to);

	memcpy(out, query, to);
	memcpy(out + to, message + from, rest);
	for (size_t i = 2; i < WIRE_HEADER_LEN && i < message_len; i++)
		out[i] = message[i];
	if (mutator_pick(m, 8) != 0) {
		out[2] = (uint8_t)((out[2] & 0x07) | 0x80); /* QR, QUERY */
		put_word(out, to, 4, 1);
	}
	if (mutator_pick(m, 4) != 0)
		out[3] &= 0xf0; /* NOERROR */
	return to + rest;
}
