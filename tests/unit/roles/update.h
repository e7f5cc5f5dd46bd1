/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Binding Updates for the PCN's tests: update.c builds them.
 */
#ifndef MIPVPN_TESTS_ROLES_UPDATE_H
#define MIPVPN_TESTS_ROLES_UPDATE_H

#include "tests/unit/roles/world.h"

#define CN "203.0.113.5"
#define HOA "10.1.0.10"

/* A Binding Update, right or wrong in one chosen respect. */
struct update {
	uint16_t lifetime;
	const char *src, *dst, *coa, *hoa, *key_ha, *profile_gw, *profile_dst, *profile_hoa, *profile_coa;
	const char *context; /* NULL = "s-1", "" = no vendor extension */
	int64_t off_ms;
	uint64_t ident; /* 0 = by the clock */
	uint32_t number, profile_number, spi;
	enum vpn_gw_type gw_type; /* 0 = dynamic */
	int subtype; /* -1 = no authenticator */
	bool no_ident, no_profile, other_master, other_seal, spoil, cvse, is_request, empty_prefix;
};
extern struct world w;
/* The last one, where it goes, and its Identification. */
extern uint8_t bu[MIP_MSG_MAX];
extern size_t bu_len;
extern struct role_path bu_path;
extern uint64_t last_ident;

void update_keys(const struct update *u, const char *context, uint8_t auth[32], uint8_t seal[32]);
void update_build(const struct update *u);

#endif
