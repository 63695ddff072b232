/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's state and counters, each under one name: for egressctl status, and for
 * Prometheus in its text format 0.0.4, where a counter NAME is egressd_NAME_total, a
 * gauge egressd_NAME, and a text egressd_NAME_info with the text as its label NAME.
 */
#ifndef DAEMON_CONTROL_FIGURES_H
#define DAEMON_CONTROL_FIGURES_H

#include "base/buf.h"

struct daemon;

enum figures_form {
	FIGURES_TEXT, /* a name and a value a line */
	FIGURES_JSON, /* an object */
	FIGURES_METRICS,
};

void figures_write(const struct daemon *d, enum figures_form form, struct buf *out);

#endif
