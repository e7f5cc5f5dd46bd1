/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which role a packet or a session is for.  Pure.
 */
#ifndef MIPVPN_RUN_WHOSE_H
#define MIPVPN_RUN_WHOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum role_id { ROLE_NONE, ROLE_FA, ROLE_HA, ROLE_PCN };

/* Of a message that came to UDP port 434 of the core side; ROLE_NONE: nobody's. */
enum role_id whose_message(const uint8_t *data, size_t len);
/* A name that the FA gives to tunnels between foreign agents: "handoff-in:...", "handoff-out:...". */
bool whose_is_handoff(const char *session);

#endif
