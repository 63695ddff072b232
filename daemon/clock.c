/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/clock.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

int64_t
clock_now_ms(void)
{
	struct timespec ts;

	/* cannot fail for this clock; the vDSO answers without a system call */
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
clock_random_bytes(void *out, size_t len)
{
	char *p = out;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
