/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pods that see a definition, as runs in the lists of pods' addresses.
 */
#ifndef POLICY_AUDIENCE_H
#define POLICY_AUDIENCE_H

#include "base/macros.h"
#include "policy/fixed.h"

/*
 * Once for each definition; all who see it in its own place, that is where no other
 * definition of the host goes before it. A public one that some namespace does not see
 * has only known pods for its audience: what cannot be told apart stays closed.
 */
MUST_CHECK int audience_get(const struct definitions *d, const struct workloads *w,
    struct definition *def, const struct audience **ret_audience);

#endif
