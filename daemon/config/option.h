/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all options: the one place that knows their names, ranges and defaults.
 *
 * A row's default is YAML text that goes through the same setter as a user's value, so
 * that the table says nothing that the reader does not do. Rows are static and immutable.
 */
#ifndef DAEMON_CONFIG_OPTION_H
#define DAEMON_CONFIG_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/macros.h"
#include "daemon/config/config.h"
#include "policy/finding.h"
#include "policy/yaml/node.h"

enum option_kind {
	OPTION_MESH,
	OPTION_MILLISECONDS, /* uint32_t */
	OPTION_SECONDS,      /* uint32_t, written as a duration */
	OPTION_NUMBER,       /* uint32_t */
	OPTION_BYTES,        /* size_t */
	OPTION_BOOL,
	OPTION_RCODE,     /* of refused answers */
	OPTION_HTTPS,     /* what HTTPS and SVCB are answered with */
	OPTION_UNLISTED,  /* what happens to a packet */
	OPTION_ERRORS,    /* what happens to a broken manifest */
	OPTION_REVOKE,    /* what goes at a reload */
	OPTION_PATH,      /* of a socket */
	OPTION_PORT,      /* struct endpoint on this node, or none */
	OPTION_DOMAIN,    /* char * */
	OPTION_FOLDERS,   /* this and all behind it are lists */
	OPTION_LISTEN,    /* endpoints on this node */
	OPTION_UPSTREAMS, /* endpoints elsewhere */
	OPTION_PREFIXES,
	OPTION_INTERFACES,
	OPTION_ZONES,
};

/* One row, one option. */
struct option {
	const char *name; /* "key" or "group.key" */
	enum option_kind kind;
	uint64_t min, max;    /* of the value in the kind's unit; of a list's length */
	const char *fallback; /* YAML; NULL: worked out by config_read */
	const char *help;
	size_t offset;       /* of the value in struct config */
	size_t count_offset; /* of a list's length there */
};

/* The i-th row, NULL behind the last. */
const struct option *option_at(size_t i);
/* The names of the options of a group ("": those without one, and the groups), parted by
 * ", ". */
#define OPTION_NAMES_MAX 256
char *option_names(const char *group, char *buf);

#define OPTION_RANGE_MAX 128
/* What is allowed, as the end of a sentence: "a duration from 1s to 1h"; into buf, which
 * is returned. */
char *option_range(const struct option *o, char *buf);

/* Where a value comes from and goes to. */
struct option_target {
	const char *file;
	struct findings *findings;
	struct config *config;
};

/*
 * Check value and put it into its place. -EINVAL after all that is wrong with it went to
 * the findings; -ENOMEM. The place may hold a part of a list after an error.
 */
MUST_CHECK int option_set(
    const struct option *o, const struct node *value, const struct option_target *target);

#endif
