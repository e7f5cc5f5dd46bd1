/* SPDX-License-Identifier: BSD-3-Clause */
#include "extensions/app_mipvpn_aaah/keys.h"

#include <string.h>

#include "lib/hex.h"

#define BU_KEY_LEN 32u
#define BU_CONTEXT_BYTES 16u	 /* as many hexadecimal digits twice: nobody guesses one */
#define MSA_HMAC_SHA1 2u	 /* MIP-Algorithm-Type, RFC 4004 9.1: the only value */
#define MSA_REPLAY_TIMESTAMPS 2u /* MIP-Replay-Mode */
#define MSA_KEY_LEN 20u

static int key_random(struct vpn_key *k, uint8_t len)
{
	k->len = len;
	return crypto_random(k->data, len);
}

static bool wants_keys(const struct vpn_profile *p)
{
	return p->spi_up != VPN_SPI_DEFAULT && p->dst_gw_type != VPN_GW_STATIC;
}

int aaah_profile_keys_make(struct route_set *set)
{
	for (size_t i = 0; i < set->n_home; i++) {
		struct vpn_profile *h = &set->home[i];

		if (!wants_keys(h))
			continue;
		if (key_random(&h->enc_key, AAAH_PROFILE_KEY_LEN) ||
		    key_random(&h->auth_key, AAAH_PROFILE_KEY_LEN))
			return -1;
		for (size_t j = 0; j < set->n_foreign; j++) {
			struct vpn_profile *f = &set->foreign[j];

			if (f->number == h->number && wants_keys(f)) {
				f->enc_key = h->enc_key;
				f->auth_key = h->auth_key;
			}
		}
	}
	return 0;
}

static const struct pol_vpn *vpn_numbered(const struct pol_vpn *vpns, size_t n, uint32_t number)
{
	for (size_t i = 0; i < n; i++) {
		if (vpns[i].number == number)
			return &vpns[i];
	}
	return NULL;
}

static int bu_key_make(struct vpn_profile *p, const struct pol_vpn *vpn, struct in_addr ha)
{
	uint8_t context[BU_CONTEXT_BYTES];

	if (!vpn || crypto_random(context, sizeof(context)))
		return -1;
	hex_encode(context, sizeof(context), p->bu_context);
	p->bu_key.len = BU_KEY_LEN;
	return vpn_bu_key(&vpn->pcn_key, ha, p->bu_context, p->bu_key.data);
}

int aaah_bu_keys_make(struct route_set *set, const struct pol_vpn *vpns, size_t n, struct in_addr ha)
{
	for (size_t i = 0; i < set->n_home; i++) {
		struct vpn_profile *p = &set->home[i];

		if (p->dst_gw_type == VPN_GW_DYNAMIC &&
		    bu_key_make(p, vpn_numbered(vpns, n, p->number), ha))
			return -1;
	}
	return 0;
}

/* A nonce for the mobile node, and the key that both it and we derive from it. */
static int msa_pair(const struct pol_user *user, const struct mip_rrq *rrq, struct in_addr hoa,
		    struct dm_msa *nonce, struct dm_msa *key)
{
	nonce->present = key->present = true;
	nonce->algorithm = key->algorithm = MSA_HMAC_SHA1;
	nonce->key.len = AAAH_NONCE_LEN;
	key->key.len = MSA_KEY_LEN;
	if (crypto_random(nonce->key.data, AAAH_NONCE_LEN))
		return -1;
	return mip_keygen_derive(user->key.data, user->key.len, nonce->key.data, AAAH_NONCE_LEN, rrq->nai,
				 hoa, key->key.data);
}

static int msa_mn_ha(const struct pol_user *user, const struct mip_rrq *rrq, struct in_addr hoa,
		     struct aaah_msas *out)
{
	out->mn_to_ha.replay = out->ha_to_mn.replay = MSA_REPLAY_TIMESTAMPS;
	out->ha_to_mn.spi = rrq->mn_ha_key.spi; /* the verifier chooses: the mobile node, in extension 42 */
	return msa_pair(user, rrq, hoa, &out->mn_to_ha, &out->ha_to_mn);
}

/* The foreign agent's SPI for what the mobile node sends it has no AVP (doc/protocol.md): it is the one that the
 * foreign agent chose for the home agent, MIP-HA-to-FA-SPI. */
static int msa_mn_fa(const struct pol_user *user, const struct dm_amr *amr, const struct mip_rrq *rrq,
		     struct in_addr hoa, struct aaah_msas *out)
{
	out->mn_to_fa.spi = amr->ha_to_fa_spi ? amr->ha_to_fa_spi : rrq->mn_fa_key.spi;
	out->fa_to_mn.spi = rrq->mn_fa_key.spi;
	return msa_pair(user, rrq, hoa, &out->mn_to_fa, &out->fa_to_mn);
}

static int msa_fa_ha(const struct dm_amr *amr, struct aaah_msas *out)
{
	struct dm_msa *m = &out->ha_to_fa;

	m->present = true;
	m->spi = amr->ha_to_fa_spi;
	m->algorithm = MSA_HMAC_SHA1;
	m->key.len = MSA_KEY_LEN;
	if (crypto_random(m->key.data, MSA_KEY_LEN))
		return -1;
	out->fa_to_ha = *m;
	out->fa_to_ha.spi = 0; /* the home agent chooses it and tells in the HAA */
	return 0;
}

int aaah_msas_make(const struct pol_user *user, const struct dm_amr *amr, const struct mip_rrq *rrq,
		   struct in_addr hoa, struct aaah_msas *out)
{
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if ((amr->features & DM_F_MN_HA_KEY) && rrq->mn_ha_key.present)
		rc |= msa_mn_ha(user, rrq, hoa, out);
	if ((amr->features & DM_F_MN_FA_KEY) && rrq->mn_fa_key.present)
		rc |= msa_mn_fa(user, amr, rrq, hoa, out);
	if ((amr->features & DM_F_FA_HA_KEY) && amr->ha_to_fa_spi >= MIP_SPI_MIN)
		rc |= msa_fa_ha(amr, out);
	if (rc)
		crypto_wipe(out, sizeof(*out));
	return rc ? -1 : 0;
}
