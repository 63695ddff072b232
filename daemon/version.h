/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The version, which NEWS explains.
 */
#ifndef DAEMON_VERSION_H
#define DAEMON_VERSION_H

#define EGRESSD_VERSION "0.1"

#endif
