/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Key generator: keys of the profiles (C3), and the mobility security associations of RFC 4004 section 9.
 * No state; randomness comes from the library.
 */
#ifndef MIPVPN_AAAH_KEYS_H
#define MIPVPN_AAAH_KEYS_H

#include "agent/mip/mip.h"
#include "extensions/app_mipvpn_aaah/route.h"

#define AAAH_PROFILE_KEY_LEN 32 /* bytes, encryption and authentication key each */
#define AAAH_NONCE_LEN 20	/* RFC 4004: at least 16 */
#define AAAH_HANDOFF_KEY_LEN 32

/* Fresh keys for every profile whose SPI is not the default one; a VPN has the same keys in both halves of the set.
 * Profiles of contracts (VPN_GW_STATIC) keep the contract's key.  0, -1 = no randomness. */
int aaah_profile_keys_make(struct route_set *set);

/* For the Binding Updates of the home agent ha: bu_context (random) and bu_key of every dynamic profile of set->home, whose
 * master key stands in vpns under its number.  0, -1 = no randomness, or a VPN without a master key. */
int aaah_bu_keys_make(struct route_set *set, const struct pol_vpn *vpns, size_t n, struct in_addr ha);

/* A live session that is read again (C5): profiles of set that stand in rows->cached as they are, but for marks and
 * "required", get the keys that they have there; dynamic ones the key of their Binding Updates, if it is still that of the
 * gateway's master key.  After the two above. */
void aaah_keys_keep(struct route_set *set, const struct pol_rows *rows, struct in_addr ha);

struct aaah_msas {
	struct dm_msa mn_to_ha, mn_to_fa; /* nonces, for the mobile node: HAR */
	struct dm_msa ha_to_mn, ha_to_fa; /* keys: HAR */
	struct dm_msa fa_to_mn, fa_to_ha; /* keys: AMA; their SPIs come with the HAA */
};
/* What features ask for (RFC 4004 7.5): K1 = MN-HA, K2 = MN-FA derived from the user's key and a nonce (RFC 3957),
 * K3 = FA-HA random.  0 or -1 (all zero then). */
int aaah_msas_make(const struct pol_user *user, const struct dm_amr *amr, const struct mip_rrq *rrq,
		   struct in_addr hoa, struct aaah_msas *out);

#endif
