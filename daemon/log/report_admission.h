/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which records of daemon/log/report.h are told, by its limits, and which only counted.
 */
#ifndef DAEMON_LOG_REPORT_ADMISSION_H
#define DAEMON_LOG_REPORT_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/log/report.h"

bool report_is_told(const struct report *r, uint64_t hash, int64_t now_ms);
/* May this be told now, of this pod and what its key says? NULL: no, but the history
 * counts it. ret_suppressed: how many like it were not. */
struct report_slot *report_admit_key(struct report *r, const struct addr *pod,
    const uint8_t *key, size_t len, int64_t now_ms, uint64_t *ret_suppressed);
/* Keyed by event, pod and name. */
struct report_slot *report_admit(struct report *r, const struct report_subject *s,
    enum log_event event, int64_t now_ms, uint64_t *ret_suppressed);

#endif
