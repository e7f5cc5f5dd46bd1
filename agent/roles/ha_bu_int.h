/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What ha_bu*.c share.
 */
#ifndef MIPVPN_HA_BU_INT_H
#define MIPVPN_HA_BU_INT_H

#include "agent/roles/ha_bu.h"

struct ha_bu_set *ha_bu_set_find(const struct ha *ha, struct in_addr hoa);
void ha_bu_state(struct ha_bu *u, enum ha_bu_state to, enum log_level level, const char *why,
		 struct actions *out);
/* A new Binding Update (new Identification) of lifetime s, 0 = forget; sent now and again until it is
 * answered. */
void ha_bu_update(struct ha *ha, struct ha_bu *u, uint16_t lifetime, uint64_t wall_ms, role_ms now,
		  struct actions *out);
/* The present one once more. */
void ha_bu_send(struct ha *ha, struct ha_bu *u, role_ms now, struct actions *out);
void ha_bu_answered(struct ha *ha, struct ha_bu *u, uint8_t status, role_ms now, struct actions *out);

/* Of the binding that it belongs to: seconds left, 0 = none. */
uint16_t ha_bu_left_s(const struct ha *ha, const struct ha_bu *u, role_ms now);

#endif
