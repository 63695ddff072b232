/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/sidecar_ingress.h"

#include <string.h>

#include "base/addr.h"
#include "policy/object/sidecar.h"
#include "policy/object/sidecar_port.h"

static const char *const known[] = {
    "port", "bind", "captureMode", "defaultEndpoint", "tls", "connectionPool", NULL};

/* "IP:PORT", ":PORT", or a unix socket. */
static bool
is_endpoint(const char *text)
{
	const char *colon = strrchr(text, ':');
	struct endpoint e;

	if (strncmp(text, "unix://", 7) == 0)
		return text[7] == '/' || text[7] == '@';
	if (colon == NULL || colon[1] == '\0')
		return false;
	if (colon == text)
		return text[1] != '0' &&
		       strspn(text + 1, "0123456789") == strlen(text + 1) &&
		       strlen(text) < 7;
	return endpoint_parse(text, strlen(text), 0, &e) == 0 && e.port != 0;
}

static void
check_listener(struct reader *rd, const struct node *n)
{
	const struct node *endpoint = reader_get(n, "defaultEndpoint");
	struct sidecar_port port;

	reader_known(rd, n, "an ingress listener", known);
	if (reader_get(n, "port") == NULL)
		reader_error(rd, n, "an ingress listener without port: add one");
	else
		(void)sidecar_port_read(rd, n, "ingress", &port); /* for its findings */
	if (reader_text(rd, endpoint, "defaultEndpoint") && endpoint->len > 0 &&
	    !is_endpoint(endpoint->text))
		reader_refuse(rd, endpoint, "defaultEndpoint",
		    "must be of the form 127.0.0.1:PORT, [::1]:PORT, 0.0.0.0:PORT or "
		    "unix:///PATH");
}

void
sidecar_ingress_check(struct reader *rd, const struct node *list)
{
	if (!reader_sequence(rd, list, "ingress", SIDECAR_INGRESS_MAX))
		return;
	for (const struct node *c = list->child; c != NULL; c = c->next) {
		if (node_is_null(c))
			reader_error(rd, c, "an ingress listener may not be null");
		else if (reader_mapping(rd, c, "an ingress listener"))
			check_listener(rd, c);
	}
	sidecar_port_check(rd, list);
}
