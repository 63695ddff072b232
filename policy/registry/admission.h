/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which objects get into a registry. Inside policy/ only.
 *
 * By default one error anywhere refuses the whole build. With registry_settings.skip what
 * is wrong is left out alone:
 *
 *	an object that is broken, but says which one it is: its last good form counts, if
 *		there is one
 *	what says of nothing which object it is (a document that is no YAML, a file that
 *		cannot be read): the last good forms of all objects of its file count that
 *		were not met elsewhere, since one that was deleted cannot be told from one
 *		that cannot be read
 *	one object at two places: the place where it was before counts, else the first
 *	a Sidecar without a last good form: pods of its namespace are under REGISTRY_ONLY
 *		and import nothing until it is mended; in the root namespace, or where it
 *		does not say which one it is, it refuses the build
 *	a vital object (one that speaks for the whole mesh, and a Sidecar, without which
 *		its pods see more) without a last good form, and two of the mesh that
 *		disagree, refuse the build all the same: without them everything might be
 *		open
 *
 * Each error is a finding in any case; those that do not refuse the build are excused.
 * Objects that stand elsewhere than before, and last good forms, are taken at the end,
 * when it is known what else was met.
 */
#ifndef POLICY_REGISTRY_ADMISSION_H
#define POLICY_REGISTRY_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"
#include "policy/object/manifest.h"
#include "policy/registry/kept.h"
#include "policy/registry/object.h"

struct registry_builder;

enum admission_outcome {
	ADMISSION_UNTOLD, /* it was not asked for, or cannot be told which object it is */
	ADMISSION_TOLD,
	ADMISSION_TWICE, /* and out */
	ADMISSION_LATER,
};

struct admission {
	bool skip;
	bool late;      /* at the end */
	bool restoring; /* a last good form */
	const struct kept *before;
	struct kept *kept; /* NULL without skip */
	struct objects objects;
	size_t told;    /* errors of objects that said which they are */
	size_t fatal;   /* of them: between objects */
	size_t excused; /* of all errors */
	struct admission_wish *wishes, **wishes_end;
	struct admission_later *laters, **laters_end;
	struct admission_hole *holes, **holes_end;
	size_t left_out, last_good;
	const char *untold; /* a file of which something is left out, NULL: none */
	/* of the object that is being taken */
	enum admission_outcome outcome;
	struct object *object;
	size_t errors_before, fatal_before;
};

/* -ENOMEM. */
MUST_CHECK int admission_init(struct registry_builder *b);
void admission_done(struct registry_builder *b);

/* Before an object is read: of what follows up to admission_close, each error is its. */
void admission_open(struct registry_builder *b, const struct reader *rd);
/* Reads its metadata. 1: take it; 0: do not; negative: memory lacks. */
MUST_CHECK int admission_ask(
    struct registry_builder *b, struct reader *rd, struct manifest *m);
/* It was taken, unless there was an error. Negative: memory lacks. */
MUST_CHECK int admission_close(struct registry_builder *b, const struct reader *rd,
    const struct manifest *m, enum object_weight weight);

/* Errors were found in the file, or in its place, that are no told object's. */
MUST_CHECK int admission_lose(
    struct registry_builder *b, const char *file, size_t errors);

/* Last good forms, and what stands elsewhere than before. Negative: memory lacks. */
MUST_CHECK int admission_finish(struct registry_builder *b);
/* When the mode is known. -EINVAL, after an error, when everything would be open and what
 * cannot be told might have said otherwise. */
MUST_CHECK int admission_check(struct registry_builder *b);

#endif
