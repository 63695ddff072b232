/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/protocol.h"

#include <netinet/in.h>
#include <strings.h>

#include "base/macros.h"

static const struct protocol protocols[] = {
    {.word = "", .proto = IPPROTO_TCP},
    {.word = "tcp", .proto = IPPROTO_TCP, .tcp = true},
    {.word = "udp", .proto = IPPROTO_UDP},
    {.word = "grpc", .proto = IPPROTO_TCP, .http = true, .dynamic_dns = true},
    {.word = "grpc-web", .proto = IPPROTO_TCP, .http = true},
    {.word = "http", .proto = IPPROTO_TCP, .http = true, .dynamic_dns = true},
    {.word = "http_proxy", .proto = IPPROTO_TCP, .http = true},
    {.word = "http2", .proto = IPPROTO_TCP, .http = true, .dynamic_dns = true},
    {.word = "https", .proto = IPPROTO_TCP, .tls = true, .tcp = true},
    {.word = "tls", .proto = IPPROTO_TCP, .tls = true, .tcp = true, .dynamic_dns = true},
    {.word = "mongo", .proto = IPPROTO_TCP, .tcp = true},
    {.word = "redis", .proto = IPPROTO_TCP, .tcp = true},
    {.word = "mysql", .proto = IPPROTO_TCP, .tcp = true},
};

const struct protocol *
protocol_find(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (strcasecmp(text, protocols[i].word) == 0)
			return &protocols[i];
	return NULL;
}
