/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node is a byte (its kind, and whether it is plain), then its line as the distance
 * from the node before, its column and its length, each in groups of seven bits, the
 * lowest first. Behind a scalar stand its bytes and a NUL, behind a sequence its
 * children, behind a mapping each child's key and value. A scalar that is a word has the
 * word's number in place of its length and its bytes. No deeper than NODE_DEPTH_MAX.
 */
#include "policy/yaml/pack.h"

#include <assert.h>
#include <string.h>

#include "policy/yaml/word.h"

#define KIND_MASK 3
#define PLAIN 4
#define WORD 8

struct writer {
	uint8_t *out; /* NULL: only count */
	size_t len;
	unsigned line; /* of the node before */
};

static void
write_byte(struct writer *w, uint8_t byte)
{
	if (w->out != NULL)
		w->out[w->len] = byte;
	w->len++;
}

static void
write_number(struct writer *w, size_t value)
{
	for (; value >= 0x80; value >>= 7)
		write_byte(w, (uint8_t)(value | 0x80));
	write_byte(w, (uint8_t)value);
}

static void
write_node(struct writer *w, const struct node *n)
{
	uint8_t word = n->kind == NODE_SCALAR ? word_find(n->text, n->len) : WORD_NONE;

	write_byte(w,
	    (uint8_t)(n->kind | (n->plain ? PLAIN : 0) | (word != WORD_NONE ? WORD : 0)));
	write_number(w, n->line - w->line);
	w->line = n->line;
	write_number(w, n->column);
	if (word != WORD_NONE) {
		write_byte(w, word);
		return;
	}
	write_number(w, n->len);
	if (n->kind == NODE_SCALAR) {
		if (w->out != NULL)
			memcpy(w->out + w->len, n->text, n->len + 1);
		w->len += n->len + 1;
	}
	for (const struct node *c = n->child; c != NULL; c = c->next) {
		if (c->key != NULL)
			write_node(w, c->key);
		write_node(w, c);
	}
}

size_t
pack_size(const struct node *root)
{
	struct writer w = {0};

	write_node(&w, root);
	return w.len;
}

size_t
pack_write(const struct node *root, uint8_t *out)
{
	struct writer w = {.out = out};

	write_node(&w, root);
	return w.len;
}

struct pack
pack_node(const struct node *root, struct memory *m)
{
	size_t size = pack_size(root), len;
	uint8_t *out = memory_alloc(m, size);

	if (out == NULL)
		return (struct pack){0};
	len = pack_write(root, out);
	assert(len == size);
	return (struct pack){.bytes = out, .len = size};
}

struct cursor {
	const uint8_t *at, *end;
	unsigned line;
	struct memory *memory;
};

static uint8_t
read_byte(struct cursor *c)
{
	assert(c->at < c->end);
	return *c->at++;
}

static size_t
read_number(struct cursor *c)
{
	size_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = read_byte(c);
		value |= (size_t)(byte & 0x7f) << shift;
		shift += 7;
	} while ((byte & 0x80) != 0);
	return value;
}

static struct node *read_node(struct cursor *c);

static bool
read_children(struct cursor *c, struct node *n)
{
	const struct node **end = &n->child;

	for (size_t i = 0; i < n->len; i++) {
		struct node *key = NULL, *child;

		if (n->kind == NODE_MAPPING) {
			key = read_node(c);
			if (key == NULL)
				return false;
		}
		child = read_node(c);
		if (child == NULL)
			return false;
		child->key = key;
		*end = child;
		end = &child->next;
	}
	return true;
}

static struct node *
read_node(struct cursor *c)
{
	struct node *n = memory_alloc(c->memory, sizeof(*n));
	uint8_t head;

	if (n == NULL)
		return NULL;
	head = read_byte(c);
	n->kind = (enum node_kind)(head & KIND_MASK);
	n->plain = (head & PLAIN) != 0;
	c->line += (unsigned)read_number(c);
	n->line = c->line;
	n->column = (unsigned)read_number(c);
	if ((head & WORD) != 0) {
		n->text = word_text(read_byte(c));
		n->len = strlen(n->text);
		return n;
	}
	n->len = read_number(c);
	if (n->kind != NODE_SCALAR)
		return read_children(c, n) ? n : NULL;
	assert(n->len < (size_t)(c->end - c->at));
	n->text = (const char *)c->at;
	c->at += n->len + 1;
	return n;
}

const struct node *
pack_read(const struct pack *p, struct memory *m)
{
	struct cursor c = {.at = p->bytes, .end = p->bytes + p->len, .memory = m};

	return read_node(&c);
}
