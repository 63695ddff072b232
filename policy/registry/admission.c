/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/registry/admission.h"

#include <errno.h>
#include <string.h>

#include "policy/registry/builder.h"
#include "policy/registry/compile.h"

#define QUIET_FINDINGS_MAX 16 /* of a last good form: none, in truth */

/* Something of a file cannot be told. */
struct admission_hole {
	struct admission_hole *next;
	const char *file;
	size_t filled; /* with last good forms */
};

/* A last good form that counts, unless the object is met. */
struct admission_wish {
	struct admission_wish *next;
	const struct kept_object *form;
	struct admission_hole *hole; /* NULL: the object itself was broken */
};

/* An object that was met elsewhere than before. */
struct admission_later {
	struct admission_later *next;
	const char *file;
	const char *api_version, *kind;
	struct pack pack;
};

int
admission_init(struct registry_builder *b)
{
	struct admission *a = &b->admission;

	a->skip = b->settings->skip;
	a->before = a->skip ? registry_kept(b->settings->before) : NULL;
	a->wishes_end = &a->wishes;
	a->laters_end = &a->laters;
	a->holes_end = &a->holes;
	if (a->skip) {
		a->kept = memory_alloc(&b->image, sizeof(*a->kept));
		if (a->kept == NULL)
			return b->image.lack;
		kept_init(a->kept, &b->settings->hash_key);
	}
	return objects_init(&a->objects, &b->settings->hash_key);
}

void
admission_done(struct registry_builder *b)
{
	objects_done(&b->admission.objects);
}

void
admission_open(struct registry_builder *b, const struct reader *rd)
{
	struct admission *a = &b->admission;

	a->outcome = ADMISSION_UNTOLD;
	a->object = NULL;
	a->errors_before = rd->findings->errors;
	a->fatal_before = a->fatal;
}

static int
put_off(struct registry_builder *b, const struct reader *rd, const struct manifest *m)
{
	struct admission *a = &b->admission;
	struct admission_later *l = memory_alloc(&b->build, sizeof(*l));

	a->outcome = ADMISSION_LATER;
	if (l == NULL)
		return b->build.lack;
	*l = (struct admission_later){
	    .file = rd->file,
	    .api_version = memory_text(&b->build, m->api_version, strlen(m->api_version)),
	    .kind = memory_text(&b->build, m->kind, strlen(m->kind)),
	    .pack = pack_node(m->at, &b->build),
	};
	*a->laters_end = l;
	a->laters_end = &l->next;
	return b->build.lack;
}

static bool
was_elsewhere(const struct admission *a, const char *file, const struct object_id *id)
{
	const struct kept_object *before = kept_find(a->before, id);

	return before != NULL && strcmp(before->at.file, file) != 0;
}

int
admission_ask(struct registry_builder *b, struct reader *rd, struct manifest *m)
{
	struct admission *a = &b->admission;
	bool sound = manifest_metadata(rd, m);
	struct object_id id = {m->kind, m->namespace, m->name};
	struct object_place at = {rd->file, m->at->line, m->at->column};
	struct object *o;
	int r;

	if (m->name == NULL)
		return 0;
	o = objects_find(&a->objects, &id);
	if (o != NULL && (o->state == OBJECT_TAKEN || !a->skip)) {
		a->outcome = ADMISSION_TWICE;
		object_complain_twice(o, &at, rd->findings);
		return sound && !a->skip; /* all that is refused: for its findings */
	}
	if (sound && !a->late && was_elsewhere(a, rd->file, &id))
		return put_off(b, rd, m);
	if (o == NULL) {
		r = objects_add(&a->objects, &b->build, &id, &at, &o);
		if (r < 0)
			return r;
	}
	o->at = at;
	a->object = o;
	a->outcome = ADMISSION_TOLD;
	return sound;
}

static int
wish(struct registry_builder *b, const struct kept_object *form,
    struct admission_hole *hole)
{
	struct admission *a = &b->admission;
	struct admission_wish *w = memory_alloc(&b->build, sizeof(*w));

	if (w == NULL)
		return b->build.lack;
	*w = (struct admission_wish){.form = form, .hole = hole};
	*a->wishes_end = w;
	a->wishes_end = &w->next;
	return 0;
}

static int
take_broken(struct registry_builder *b, size_t errors)
{
	struct admission *a = &b->admission;
	struct object *o = a->object;
	const struct kept_object *form = kept_find(a->before, &o->id);

	o->state = OBJECT_BROKEN;
	o->broken = o->at;
	o->errors += errors;
	return form != NULL ? wish(b, form, NULL) : 0;
}

int
admission_close(struct registry_builder *b, const struct reader *rd,
    const struct manifest *m, enum object_weight weight)
{
	struct admission *a = &b->admission;
	size_t errors = rd->findings->errors - a->errors_before;

	errors -= a->fatal - a->fatal_before;
	switch (a->outcome) {
	case ADMISSION_UNTOLD:
		if (weight != OBJECT_OPENS)
			a->fatal += errors;
		return 0;
	case ADMISSION_LATER:
		return 0;
	case ADMISSION_TWICE:
		a->told += errors;
		if (a->skip && weight != OBJECT_VITAL) {
			a->excused += errors;
			a->left_out++;
		}
		return 0;
	case ADMISSION_TOLD:
		break;
	}
	a->told += errors;
	a->object->weight = weight;
	if (errors > 0)
		return a->restoring ? 0 : take_broken(b, errors);
	a->object->state = OBJECT_TAKEN;
	a->object->restored = a->restoring;
	if (a->kept != NULL)
		kept_add(a->kept, &b->image, rd->file, m);
	return b->image.lack;
}

int
admission_lose(struct registry_builder *b, const char *file, size_t errors)
{
	struct admission *a = &b->admission;
	struct admission_hole *hole;
	int r = 0;

	if (!a->skip || errors == 0)
		return 0;
	a->excused += errors;
	hole = memory_alloc(&b->build, sizeof(*hole));
	if (hole == NULL)
		return b->build.lack;
	hole->file = file;
	*a->holes_end = hole;
	a->holes_end = &hole->next;
	for (const struct kept_object *o = kept_of_file(a->before, file);
	     o != NULL && r == 0; o = o->same_file)
		r = wish(b, o, hole);
	return r;
}

/* The tree of a put-off object or of a last good form, taken as those of files are. */
static int
take_packed(struct registry_builder *b, const char *file, struct findings *findings,
    const struct manifest *words, const struct pack *pack)
{
	struct reader rd = {.file = file, .findings = findings, .memory = &b->build};
	struct manifest m = *words;

	m.at = pack_read(pack, &b->build);
	return m.at != NULL ? builder_take(b, &rd, &m) : b->build.lack;
}

static void
hand_over_errors(struct registry_builder *b, const struct findings *from)
{
	for (size_t i = 0; i < from->len; i++) {
		const struct finding *f = &from->list[i];

		if (f->severity == FINDING_ERROR)
			findings_add(b->findings, f->severity, f->file, f->line,
			    f->column, "%s", f->text);
	}
}

/* Its warnings were told when it was new. Nothing can be wrong with it alone; where it
 * disagrees with another one, that refuses the build. */
static int
restore(struct registry_builder *b, struct admission_wish *w)
{
	struct manifest words = {
	    .api_version = w->form->api_version, .kind = w->form->id.kind};
	const char *file = w->form->at.file;
	struct findings quiet;
	int r;

	file = memory_text(&b->image, file, strlen(file));
	if (file == NULL)
		return b->image.lack;
	findings_init(&quiet, QUIET_FINDINGS_MAX);
	b->admission.restoring = true;
	r = take_packed(b, file, &quiet, &words, &w->form->pack);
	b->admission.restoring = false;
	if (quiet.errors > 0) {
		hand_over_errors(b, &quiet);
	} else if (r == 0) {
		b->admission.last_good++;
		if (w->hole != NULL)
			w->hole->filled++;
	}
	findings_done(&quiet);
	return r;
}

static int
restore_all(struct registry_builder *b, struct admission_wish *first)
{
	int r = 0;

	for (struct admission_wish *w = first; w != NULL && r == 0; w = w->next) {
		const struct object *o =
		    objects_find(&b->admission.objects, &w->form->id);

		if (o == NULL || o->state != OBJECT_TAKEN)
			r = restore(b, w);
	}
	return r;
}

static int
take_laters(struct registry_builder *b)
{
	int r = 0;

	for (struct admission_later *l = b->admission.laters; l != NULL && r == 0;
	     l = l->next) {
		struct manifest words = {.api_version = l->api_version, .kind = l->kind};

		r = take_packed(b, l->file, b->findings, &words, &l->pack);
	}
	return r;
}

/* Pods of every namespace may be under what stands in the root namespace. */
static bool
refuses(const struct registry_builder *b, const struct object *o)
{
	if (o->restored || o->weight == OBJECT_OPENS)
		return false;
	return o->weight == OBJECT_VITAL || strcmp(o->id.namespace, builder_root(b)) == 0;
}

/* One for all that are broken in a namespace would do; the last one goes before. */
static void
close_namespace(struct registry_builder *b, const struct object *o)
{
	struct registry_source source = {
	    .kind = "Sidecar",
	    .namespace = o->id.namespace,
	    .name = o->id.name,
	    .file = o->broken.file,
	    .line = o->broken.line,
	};
	struct sidecar *s = sidecar_closed(&b->build, &source);

	if (s == NULL)
		return; /* the memory's lack is looked at later */
	*b->sidecars_end = s;
	b->sidecars_end = &s->next;
	b->sidecar_count++;
}

static void
report_object(struct registry_builder *b, const struct object *o)
{
	struct admission *a = &b->admission;
	const struct object_place *at = &o->broken;
	bool closes = o->weight == OBJECT_CLOSES && o->state == OBJECT_BROKEN;

	if (refuses(b, o))
		return; /* its errors stand */
	a->excused += o->errors;
	if (o->restored) {
		findings_add(b->findings, FINDING_WARNING, at->file, at->line, at->column,
		    "%s %s/%s keeps its last good form, of %s:%u, until it is mended",
		    o->id.kind, o->id.namespace, o->id.name, o->at.file, o->at.line);
		return;
	}
	a->left_out++;
	findings_add(b->findings, FINDING_WARNING, at->file, at->line, at->column,
	    "%s %s/%s is left out until it is mended%s", o->id.kind, o->id.namespace,
	    o->id.name,
	    closes ? "; meanwhile the pods of its namespace import nothing" : "");
	if (closes)
		close_namespace(b, o);
}

static void
report_hole(struct registry_builder *b, const struct admission_hole *hole)
{
	if (hole->filled > 0) {
		findings_add(b->findings, FINDING_WARNING, hole->file, 0, 0,
		    "%zu objects that were in this file keep their last good form until "
		    "it is mended",
		    hole->filled);
		return;
	}
	b->admission.left_out++;
	findings_add(b->findings, FINDING_WARNING, hole->file, 0, 0,
	    "what cannot be read here is left out until it is mended");
	if (b->admission.untold == NULL)
		b->admission.untold = hole->file;
}

static void
report(struct registry_builder *b)
{
	const struct admission *a = &b->admission;

	for (const struct object *o = a->objects.first; o != NULL; o = o->next)
		if (o->errors > 0)
			report_object(b, o);
	for (const struct admission_hole *h = a->holes; h != NULL; h = h->next)
		report_hole(b, h);
	if (a->kept->unkept > 0)
		findings_add(b->findings, FINDING_WARNING, "registry", 0, 0,
		    "the last good forms of %zu objects do not fit into %zu MiB: these "
		    "would be left out if they broke",
		    a->kept->unkept, KEPT_BYTES_MAX >> 20);
}

int
admission_finish(struct registry_builder *b)
{
	struct admission *a = &b->admission;
	struct admission_wish **more;
	int r;

	if (!a->skip)
		return 0;
	a->late = true;
	r = restore_all(b, a->wishes);
	more = a->wishes_end;
	if (r == 0)
		r = take_laters(b);
	if (r == 0)
		r = restore_all(b, *more); /* of those that are broken where they went */
	if (r == 0)
		r = kept_seal(a->kept, &b->image);
	if (r == 0)
		report(b);
	return r == 0 ? b->build.lack : r;
}

int
admission_check(struct registry_builder *b)
{
	const struct admission *a = &b->admission;

	/* later it is known what held before */
	if (a->untold == NULL || a->before != NULL ||
	    compile_mode(b) != OUTBOUND_ALLOW_ANY)
		return 0;
	findings_add(b->findings, FINDING_ERROR, a->untold, 0, 0,
	    "it might hold the mesh's outboundTrafficPolicy, and nothing else says "
	    "REGISTRY_ONLY: mend it");
	return -EINVAL;
}
