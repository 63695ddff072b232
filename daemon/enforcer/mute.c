/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/enforcer/mute.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

/*
 * The filter, in classic BPF. It sees one netlink message (the group is bound with a
 * threshold of 1): a struct nlmsghdr, a struct nfgenmsg, attributes. It lets the kernel
 * look for the attribute of the payload and compares that packet's source, word by word,
 * with each one of the list of its family.
 */
#define PAYLOAD_TYPE NFULA_PAYLOAD
#define ATTRIBUTES (sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg))
#define V4_SOURCE (sizeof(struct nlattr) + 12) /* RFC 791 section 3.1 */
#define V6_SOURCE (sizeof(struct nlattr) + 8)  /* RFC 8200 section 3 */
#define WORDS_MAX 4                            /* of an address */
/* Load and compare for each word, and the verdict. */
#define SOURCE_STEPS (2 * WORDS_MAX + 1)
#define OTHER_STEPS 16 /* beside those of the sources */

struct program {
	unsigned short len;
	struct sock_filter steps[MUTE_MAX * SOURCE_STEPS + OTHER_STEPS];
};

static void
add(struct program *p, uint16_t code, uint8_t if_true, uint8_t if_false, uint32_t k)
{
	p->steps[p->len++] = (struct sock_filter){code, if_true, if_false, k};
}

static uint32_t
word_of(const struct addr *a, size_t i)
{
	const uint8_t *at = a->bytes + 4 * i;

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
	       at[3];
}

/* Drop what comes from this source; go on behind when it is another one. */
static void
add_source(struct program *p, const struct addr *a)
{
	const size_t words = addr_len(a) / 4;
	const uint32_t at = a->family == AF_INET ? V4_SOURCE : V6_SOURCE;

	for (size_t i = 0; i < words; i++) {
		const size_t left = 2 * (words - 1 - i) + 1;

		add(p, BPF_LD | BPF_W | BPF_IND, 0, 0, at + 4 * (uint32_t)i);
		add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, (uint8_t)left, word_of(a, i));
	}
	add(p, BPF_RET | BPF_K, 0, 0, 0);
}

/* Those of one family, when the packet is of it (its version); the jump over them is a
 * long one. */
static void
add_family(struct program *p, const struct mute *m, uint8_t family, uint8_t version)
{
	unsigned short jump;

	add(p, BPF_LD | BPF_B | BPF_IND, 0, 0, sizeof(struct nlattr));
	add(p, BPF_ALU | BPF_RSH | BPF_K, 0, 0, 4);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, version);
	jump = p->len;
	add(p, BPF_JMP | BPF_JA, 0, 0, 0);
	for (size_t i = 0; i < m->count; i++)
		if (m->sources[i].family == family)
			add_source(p, &m->sources[i]);
	p->steps[jump].k = (uint32_t)(p->len - jump - 1);
}

static int
attach(const struct mute *m, int fd)
{
	struct program p = {0};
	struct sock_fprog filter;

	add(&p, BPF_LD | BPF_IMM, 0, 0, ATTRIBUTES);
	add(&p, BPF_LDX | BPF_IMM, 0, 0, PAYLOAD_TYPE);
	add(&p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR));
	add(&p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
	add(&p, BPF_RET | BPF_K, 0, 0, UINT32_MAX);
	add(&p, BPF_MISC | BPF_TAX, 0, 0, 0);
	add_family(&p, m, AF_INET, 4);
	add_family(&p, m, AF_INET6, 6);
	add(&p, BPF_RET | BPF_K, 0, 0, UINT32_MAX);
	filter = (struct sock_fprog){.len = p.len, .filter = p.steps};
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) != 0)
		return -errno;
	return 0;
}

int
mute_add(struct mute *m, int fd, const struct addr *source)
{
	int r;

	for (size_t i = 0; i < m->count; i++)
		if (addr_equal(&m->sources[i], source))
			return 0; /* what was in the buffer already */
	if (m->count == MUTE_MAX)
		return -ENOSPC;
	m->sources[m->count++] = *source;
	r = attach(m, fd);
	if (r < 0)
		m->count--;
	return r;
}

void
mute_clear(struct mute *m, int fd)
{
	const int none = 0;

	if (m->count == 0)
		return;
	m->count = 0;
	/* cannot fail for a socket that has one */
	(void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
}
