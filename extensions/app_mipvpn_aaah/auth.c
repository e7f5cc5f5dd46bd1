/* SPDX-License-Identifier: BSD-3-Clause */
#include "extensions/app_mipvpn_aaah/auth.h"

static unsigned alg_bit(enum crypto_mac alg)
{
	switch (alg) {
	case CRYPTO_HMAC_MD5:
		return AAAH_ALG_MD5;
	case CRYPTO_HMAC_SHA1:
		return AAAH_ALG_SHA1;
	case CRYPTO_HMAC_SHA256:
		return AAAH_ALG_SHA256;
	case CRYPTO_CHAP_MD5:
		return AAAH_ALG_CHAP;
	default:
		return 0;
	}
}

/* The challenge is what makes a CHAP style authenticator fresh: without one it would be a replay for ever. */
static bool chap_challenge(const struct dm_amr *amr, const struct mip_rrq *rrq, struct aaah_verdict *v)
{
	if (amr->challenge.len == 0 || rrq->challenge.len == 0)
		return aaah_refuse(v, DM_AUTHENTICATION_REJECTED, "aaah.auth.no_challenge",
				   "CHAP style MN-AAA needs MIP-FA-Challenge and the challenge extension");
	return true;
}

bool aaah_auth_check(const struct dm_amr *amr, const struct mip_rrq *rrq, const struct pol_user *user,
		     unsigned accepted, struct aaah_verdict *v)
{
	const struct mip_auth *a = &rrq->mn_aaa;
	enum crypto_mac alg = a->spi == MIP_SPI_CHAP ? CRYPTO_CHAP_MD5 : user->alg;

	if (user->key_bad)
		return aaah_refuse(v, DM_UNABLE_TO_COMPLY, "aaah.auth.key_unwrap",
				   "the user's key cannot be unwrapped");
	if (a->spi != MIP_SPI_CHAP && a->spi != user->spi)
		return aaah_refuse(v, DM_AUTHENTICATION_REJECTED, "aaah.auth.spi",
				   "MN-AAA SPI %u is not the user's", a->spi);
	if (!(alg_bit(alg) & accepted))
		return aaah_refuse(v, DM_AUTHENTICATION_REJECTED, "aaah.auth.algorithm",
				   "the algorithm of MN-AAA SPI %u is not accepted here", a->spi);
	if (alg == CRYPTO_CHAP_MD5 && !chap_challenge(amr, rrq, v))
		return false;
	if (!mip_mn_aaa_check(rrq->raw, a->covered, a->mac, a->mac_len, alg, user->key.data, user->key.len,
			      rrq->challenge.data, rrq->challenge.len))
		return aaah_refuse(v, DM_AUTHENTICATION_REJECTED, "aaah.auth.mac",
				   "MN-AAA authenticator is wrong");
	return true;
}
