/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clock on which no test waits and that no slow machine hurries: who links this in has
 * another clock_gettime and another epoll_wait, and so have libevent and c-ares.
 *
 * The monotonic clocks stand still while the test works, however long that takes. When an
 * event loop has nothing to do but to wait for its next timer, they go forward to that
 * timer, at once. What the test has sent over the loopback interface is there before.
 */
#ifndef TESTS_UNIT_FAKE_CLOCK_H
#define TESTS_UNIT_FAKE_CLOCK_H

#include <stdint.h>

int64_t fake_clock_ms(void);
void fake_clock_forward(int64_t ms);

#endif
