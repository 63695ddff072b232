/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/sidecar_image.h"

#include <stdio.h>
#include <string.h>

#define ELLIPSIS " ..."

struct list {
	char text[SIDECAR_IMPORTS_MAX];
	size_t len;
	bool full;
};

/* Or dots, once, where it does not fit. */
static void
append(struct list *l, const char *text)
{
	size_t len = strlen(text);

	if (l->full)
		return;
	l->full = l->len + len + sizeof(ELLIPSIS) > sizeof(l->text);
	if (l->full) {
		text = ELLIPSIS;
		len = sizeof(ELLIPSIS) - 1;
	}
	memcpy(l->text + l->len, text, len + 1);
	l->len += len;
}

/* "on port 80: b/x.example.com, b/y.example.com" */
static void
append_listener(struct list *l, const struct egress *e)
{
	char port[32];

	(void)snprintf(port, sizeof(port), "on port %u: ", e->port); /* fits */
	if (e->port != 0)
		append(l, port);
	for (size_t i = 0; i < e->import_count; i++) {
		if (i > 0)
			append(l, ", ");
		append(l, e->imports[i].text);
	}
}

static bool
imports_nothing(const struct sidecar *s)
{
	for (size_t i = 0; i < s->egress_count; i++)
		for (size_t k = 0; k < s->egress[i].import_count; k++)
			if (!s->egress[i].imports[k].exclude)
				return false;
	return true;
}

static const char *
imports(struct memory *image, const struct sidecar *s)
{
	struct list l = {.len = 0};

	if (imports_nothing(s)) {
		append(&l, s->closed ? "nothing, since it is broken" : "nothing");
		return memory_text(image, l.text, l.len);
	}
	for (size_t i = 0; i < s->egress_count; i++) {
		if (i > 0)
			append(&l, "; ");
		append_listener(&l, &s->egress[i]);
	}
	append(&l, " only");
	return memory_text(image, l.text, l.len);
}

static int
make(struct memory *image, struct sidecar *s)
{
	struct registry_sidecar *told = memory_alloc(image, sizeof(*told));
	const struct registry_source *from = &s->source;

	if (told == NULL)
		return image->lack;
	told->source = *from;
	told->source.namespace =
	    memory_text(image, from->namespace, strlen(from->namespace));
	told->source.name = memory_text(image, from->name, strlen(from->name));
	told->states_mode = s->has_outbound;
	if (s->rule != NULL)
		told->imports = imports(image, s);
	s->told = told;
	return image->lack;
}

int
sidecar_image_make(const struct sidecar_image_input *input)
{
	int r = 0;

	for (size_t i = 0; i < input->sidecars->count && r == 0; i++)
		r = make(input->image, input->sidecars->sorted[i]);
	return r;
}

int
sidecar_image_plain(
    const struct sidecar_image_input *input, const struct plain_scope **ret_list)
{
	size_t count = input->sidecars->group_count;
	struct plain_scope *list = memory_array(input->image, count, sizeof(*list));

	if (list == NULL)
		return input->image->lack;
	for (uint32_t id = 0; id < count; id++) {
		const struct sidecar *s = sidecar_set_plain(input->sidecars, id);

		list[id] = (struct plain_scope){
		    .scope_id = scopes_find(input->scopes, s, id),
		    .mode = sidecar_mode(s, input->mode),
		    .sidecar = s != NULL ? s->told : NULL,
		};
	}
	*ret_list = list;
	return 0;
}

enum outbound_mode
sidecar_mode(const struct sidecar *s, enum outbound_mode mesh)
{
	return s != NULL && s->has_outbound ? s->outbound : mesh;
}
