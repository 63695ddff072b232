/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve NAME [4|6]: what this C library's getaddrinfo makes of a name, on one line:
 * "ok MILLISECONDS ADDRESS..." or "fail MILLISECONDS REASON". Built with glibc and musl.
 */
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

#include "answer.h"

int
main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	double start;
	int result;

	if (argc < 2)
		return 2;
	if (argc > 2)
		hints.ai_family = family_of(argv[2]);
	start = now_ms();
	result = getaddrinfo(argv[1], NULL, &hints, &found);
	if (result != 0) {
		printf("fail %.3f %s\n", now_ms() - start, gai_strerror(result));
		return 1;
	}
	printf("ok %.3f", now_ms() - start);
	for (const struct addrinfo *a = found; a != NULL; a = a->ai_next)
		print_address(a->ai_family, a->ai_addr);
	printf("\n");
	freeaddrinfo(found);
	return 0;
}
