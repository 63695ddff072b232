/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/object/namespace.h"

#include <string.h>

#include "policy/syntax.h"

/* The labels with that of the name, which nobody can set to something else. */
static void
name_label(struct reader *rd, struct namespace *ns)
{
	const struct labels *old = &ns->labels;
	struct label *list = memory_array(rd->memory, old->count + 1, sizeof(*list));
	struct label own = {.key = NAMESPACE_NAME_LABEL, .value = ns->name};
	size_t n = 0, i = 0;

	if (list == NULL)
		return;
	while (i < old->count && strcmp(old->list[i].key, own.key) < 0)
		list[n++] = old->list[i++];
	list[n++] = own;
	if (i < old->count && strcmp(old->list[i].key, own.key) == 0)
		i++;
	while (i < old->count)
		list[n++] = old->list[i++];
	ns->labels = (struct labels){.count = n, .list = list};
}

struct namespace *
namespace_read(struct reader *rd, const struct manifest *m)
{
	struct namespace *ns = memory_alloc(rd->memory, sizeof(*ns));
	size_t errors = rd->errors;

	if (ns == NULL)
		return NULL;
	if (!syntax_namespace(m->name, strlen(m->name))) {
		reader_error(rd, m->at,
		    "a namespace's name is one label in lower case, without a dot");
		return NULL;
	}
	ns->name = memory_text(rd->memory, m->name, strlen(m->name));
	labels_check(rd, m->labels, "metadata.labels", SIZE_MAX);
	labels_read(rd, m->labels, "metadata.labels", &ns->labels);
	name_label(rd, ns);
	return rd->errors == errors && rd->memory->lack == 0 ? ns : NULL;
}
