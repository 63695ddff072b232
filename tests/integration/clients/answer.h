/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs that look up a name have in common: the time, the family asked for,
 * and an address as it is printed. A file for each program: this is included, not linked.
 */
#ifndef TESTS_INTEGRATION_CLIENTS_ANSWER_H
#define TESTS_INTEGRATION_CLIENTS_ANSWER_H

#include <arpa/inet.h>
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

/* "4" or "6" */
static int
family_of(const char *word)
{
	return strcmp(word, "6") == 0 ? AF_INET6 : AF_INET;
}

/* With a space in front. */
static void
print_address(int family, const struct sockaddr *at)
{
	char text[INET6_ADDRSTRLEN] = "?";
	const void *bytes =
	    family == AF_INET
		? (const void *)&((const struct sockaddr_in *)(const void *)at)->sin_addr
		: (const void *)&((const struct sockaddr_in6 *)(const void *)at)
		      ->sin6_addr;

	(void)inet_ntop(family, bytes, text, sizeof(text));
	printf(" %s", text);
}

#endif
