/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Is he who he says (C1): MN-AAA authentication, RFC 4721 section 8 (HMAC styles by SPI, CHAP style for SPI 2).
 * Pure; the comparison takes constant time.
 */
#ifndef MIPVPN_AAAH_AUTH_H
#define MIPVPN_AAAH_AUTH_H

#include "extensions/app_mipvpn_aaah/policy.h"
#include "extensions/app_mipvpn_aaah/request.h"

/* Bits of the algorithms that the operator accepts. */
enum { AAAH_ALG_MD5 = 1, AAAH_ALG_SHA1 = 2, AAAH_ALG_SHA256 = 4, AAAH_ALG_CHAP = 8, AAAH_ALG_ALL = 15 };

/* rrq has passed aaah_request_check().  true, or false with v filled in (4001; 5012 for a key that does not unwrap). */
bool aaah_auth_check(const struct dm_amr *amr, const struct mip_rrq *rrq, const struct pol_user *user,
		     unsigned accepted, struct aaah_verdict *v);

#endif
