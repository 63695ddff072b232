/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/witness/stamp.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ll
/* linux/bpf.h of Linux 6.1 */
#define KTIME_GET_TAI_NS 208
#define KEY_AT (-4) /* from the frame's pointer */
#define RING_LEN (((size_t)STAMP_RING + 1) * sizeof(uint64_t))

#define INSN(op, d, s, o, i)                                                             \
	{                                                                                \
		.code = (op), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)     \
	}
#define MOVE(d, s) INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define OP_IMM(op, d, i) INSN(BPF_ALU64 | (op) | BPF_K, d, 0, 0, i)
#define CALL(i) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, i)
#define EXIT_IF_NULL(d, o) INSN(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, 0)
#define LOAD(d, s) INSN(BPF_LDX | BPF_MEM | BPF_DW, d, s, 0, 0)
#define STORE(d, s) INSN(BPF_STX | BPF_MEM | BPF_DW, d, s, 0, 0)
#define STORE_KEY(s) INSN(BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, s, KEY_AT, 0)
/* ring element of the key on the stack, into register 0 */
#define LOOK_UP(map)                                                                     \
	MOVE(BPF_REG_2, BPF_REG_10), OP_IMM(BPF_ADD, BPF_REG_2, KEY_AT),                 \
	    INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),       \
	    INSN(0, 0, 0, 0, 0), CALL(BPF_FUNC_map_lookup_elem)

static int
bpf(int command, union bpf_attr *attr)
{
	long result = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return result < 0 ? -errno : (int)result;
}

static int
make_ring(struct stamp *s)
{
	union bpf_attr attr = {
	    .map_type = BPF_MAP_TYPE_ARRAY,
	    .key_size = sizeof(uint32_t),
	    .value_size = sizeof(uint64_t),
	    .max_entries = STAMP_RING + 1,
	    .map_flags = BPF_F_MMAPABLE,
	};
	void *ring;

	s->map_fd = bpf(BPF_MAP_CREATE, &attr);
	if (s->map_fd < 0)
		return s->map_fd;
	ring = mmap(NULL, RING_LEN, PROT_READ, MAP_SHARED, s->map_fd, 0);
	if (ring == MAP_FAILED)
		return -errno;
	s->ring = ring;
	return 0;
}

/* ring[1 + count % STAMP_RING] = now; count++; the whole message passes. */
static int
load(struct stamp *s)
{
	const struct bpf_insn code[] = {
	    OP_IMM(BPF_MOV, BPF_REG_1, 0),
	    STORE_KEY(BPF_REG_1),
	    LOOK_UP(s->map_fd),
	    EXIT_IF_NULL(BPF_REG_0, 17),
	    MOVE(BPF_REG_6, BPF_REG_0),
	    LOAD(BPF_REG_7, BPF_REG_6),
	    MOVE(BPF_REG_1, BPF_REG_7),
	    OP_IMM(BPF_AND, BPF_REG_1, STAMP_RING - 1),
	    OP_IMM(BPF_ADD, BPF_REG_1, 1),
	    STORE_KEY(BPF_REG_1),
	    LOOK_UP(s->map_fd),
	    EXIT_IF_NULL(BPF_REG_0, 5),
	    MOVE(BPF_REG_8, BPF_REG_0),
	    CALL(KTIME_GET_TAI_NS),
	    STORE(BPF_REG_8, BPF_REG_0),
	    OP_IMM(BPF_ADD, BPF_REG_7, 1),
	    STORE(BPF_REG_6, BPF_REG_7),
	    OP_IMM(BPF_MOV, BPF_REG_0, -1),
	    INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = {
	    .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
	    .insn_cnt = ARRAY_LEN(code),
	    .insns = (uintptr_t)code,
	    .license = (uintptr_t) "GPL", /* what the clock asks for */
	};

	s->program_fd = bpf(BPF_PROG_LOAD, &attr);
	return MIN_OF(s->program_fd, 0);
}

/* The two clocks differ by whole seconds, as many as leap seconds are known. */
static int64_t
tai_ahead_ns(void)
{
	struct timespec tai, real;

	(void)clock_gettime(CLOCK_TAI, &tai); /* these two clocks cannot fail */
	(void)clock_gettime(CLOCK_REALTIME, &real);
	return ((tai.tv_sec - real.tv_sec) * NS_PER_S + tai.tv_nsec - real.tv_nsec +
		   NS_PER_S / 2) /
	       NS_PER_S * NS_PER_S;
}

int
stamp_attach(struct stamp *s, int netlink_fd)
{
	int err;

	memset(s, 0, sizeof(*s));
	s->map_fd = s->program_fd = -1;
	s->tai_ns = tai_ahead_ns();
	err = make_ring(s);
	if (err == 0)
		err = load(s);
	if (err == 0 && setsockopt(netlink_fd, SOL_SOCKET, SO_ATTACH_BPF, &s->program_fd,
			    sizeof(s->program_fd)) != 0)
		err = -errno;
	return err;
}

void
stamp_done(struct stamp *s)
{
	if (s->ring != NULL)
		(void)munmap((void *)(uintptr_t)s->ring, RING_LEN); /* cannot fail */
	if (s->map_fd >= 0)
		(void)close(s->map_fd); /* nothing was written */
	if (s->program_fd >= 0)
		(void)close(s->program_fd); /* nor here */
	s->ring = NULL;
	s->map_fd = s->program_fd = -1;
}

int
stamp_next(struct stamp *s, uint64_t *ret_ns)
{
	uint64_t count = s->ring[0], at_ns;

	if (count <= s->next || count - s->next > STAMP_RING)
		return -EPIPE;
	at_ns = s->ring[1 + s->next % STAMP_RING];
	/* the next turn around the ring may have come while it was read */
	if (s->ring[0] - s->next > STAMP_RING)
		return -EPIPE;
	s->next++;
	*ret_ns = at_ns - (uint64_t)s->tai_ns;
	return 0;
}
