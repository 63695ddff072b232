/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder for one test: made by mkdtemp, emptied and removed behind it.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include "tests/unit/unit.h"

#define SCRATCH_FOLDER_MAX 64

extern char scratch_folder[SCRATCH_FOLDER_MAX];

void scratch_open(void);
void scratch_close(void);

/* The path of a name in the folder; the last 16 of them stay valid. */
const char *scratch_path(const char *name);
/* Write a file, mode 0644 whatever the umask, and return its path. */
const char *scratch_file(const char *name, const char *text);
const char *scratch_mkdir(const char *name);
void scratch_link(const char *target, const char *name);

#endif
