/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/loader/intake.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/file.h"
#include "daemon/loader/interface.h"

#define LOST_TEXT_MAX 256 /* a quoted name, or a reason, in a sentence */

static int
copy_ranges(struct intake *in, const struct config *c)
{
	size_t own_count = c->pod_range_count + c->internal_count;
	int r;

	in->own = calloc(own_count + INTERFACE_ADDRESSES_MAX, sizeof(*in->own));
	in->zones = calloc(c->zone_count + 1, sizeof(*in->zones));
	if (in->own == NULL || in->zones == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < own_count; i++)
		in->own[i] = i < c->pod_range_count ? c->pod_ranges[i]
						    : c->internal[i - c->pod_range_count];
	r = interface_addresses(
	    in->own, own_count, in->own + own_count, INTERFACE_ADDRESSES_MAX);
	if (r < 0)
		return r;
	own_count += (size_t)r;
	for (size_t i = 0; i < c->zone_count; i++)
		in->zones[i] = c->zones[i].name;
	in->settings.zones = in->zones;
	in->settings.zone_count = c->zone_count;
	in->settings.own = in->own;
	in->settings.own_count = own_count;
	return 0;
}

int
intake_open(struct intake *in, const struct config *config,
    const struct intake_options *options, struct findings *findings)
{
	int r;

	*in = (struct intake){
	    .settings =
		{
		    .has_outbound = config->mesh.has_outbound,
		    .outbound = config->mesh.outbound,
		    .mesh = &config->mesh,
		    .cluster_domain = config->cluster_domain,
		    .hash_key = options->hash_key,
		    .skip = options->skip,
		    .shelve = options->shelve,
		    .before = options->before,
		},
	    .findings = findings,
	};
	r = copy_ranges(in, config);
	if (r == 0)
		in->builder = registry_builder_new(&in->settings, findings);
	if (r == 0 && in->builder == NULL)
		r = -ENOMEM;
	if (r < 0)
		intake_done(in);
	return r;
}

void
intake_done(struct intake *in)
{
	registry_builder_free(in->builder);
	free(in->own);
	free(in->zones);
	*in = (struct intake){0};
}

bool
intake_name_is_good(const char *name)
{
	for (const char *c = name; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

int
intake_lose_name(struct intake *in, const char *place, const char *name)
{
	char quoted[FINDING_QUOTE_MAX], what[LOST_TEXT_MAX];

	(void)snprintf(what, sizeof(what), "control bytes in the file name %s: rename it",
	    finding_quote(name, strlen(name), quoted)); /* fits */
	return registry_builder_lose(in->builder, place, what);
}

int
intake_lose(struct intake *in, const char *file, int result)
{
	char what[LOST_TEXT_MAX];

	(void)snprintf(
	    what, sizeof(what), "the manifest %s", file_reason(result)); /* fits */
	return registry_builder_lose(in->builder, file, what);
}

int
intake_add(struct intake *in, const char *file, const char *text, size_t len)
{
	return registry_builder_add(in->builder, file, text, len);
}

int
intake_add_documents(
    struct intake *in, const char *file, const struct documents *documents)
{
	return registry_builder_add_documents(in->builder, file, documents);
}

int
intake_finish(struct intake *in, struct registry **ret_registry)
{
	struct registry_builder *b = in->builder;

	in->builder = NULL; /* ended whatever the result */
	return registry_builder_finish(b, ret_registry);
}
