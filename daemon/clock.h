/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two things that come from outside into code that has neither: time and chance.
 */
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* CLOCK_MONOTONIC: never set, never jumps. */
int64_t clock_now_ms(void);
/* getrandom(2): 0, or a negative errno before the kernel's pool is ready. */
int clock_random_bytes(void *out, size_t len);

#endif
