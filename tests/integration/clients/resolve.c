/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve NAME [4|6]: what this C library's getaddrinfo makes of a name, on one line:
 * "ok MILLISECONDS ADDRESS..." or "fail MILLISECONDS REASON". Built with glibc and musl.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static double
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void
print_address(const struct addrinfo *a)
{
	char text[INET6_ADDRSTRLEN] = "?";
	const void *bytes =
	    a->ai_family == AF_INET
		? (const void *)&((const struct sockaddr_in *)(const void *)a->ai_addr)
		      ->sin_addr
		: (const void *)&((const struct sockaddr_in6 *)(const void *)a->ai_addr)
		      ->sin6_addr;

	(void)inet_ntop(a->ai_family, bytes, text, sizeof(text));
	printf(" %s", text);
}

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
		hints.ai_family = strcmp(argv[2], "6") == 0 ? AF_INET6 : AF_INET;
	start = now_ms();
	result = getaddrinfo(argv[1], NULL, &hints, &found);
	if (result != 0) {
		printf("fail %.3f %s\n", now_ms() - start, gai_strerror(result));
		return 1;
	}
	printf("ok %.3f", now_ms() - start);
	for (const struct addrinfo *a = found; a != NULL; a = a->ai_next)
		print_address(a);
	printf("\n");
	freeaddrinfo(found);
	return 0;
}
