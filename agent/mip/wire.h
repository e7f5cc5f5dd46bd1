/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the codecs of this room share: the extension walker, one reader per extension, the Internet checksum.
 * Private to agent/mip/.
 */
#ifndef MIPVPN_MIP_WIRE_H
#define MIPVPN_MIP_WIRE_H

#include "agent/mip/mip.h"

#define MIP_FIRST_SKIPPABLE 128 /* unknown types from here on are skipped, below they spoil the message */

struct mip_ext {
	uint8_t type;
	uint8_t subtype;     /* long form only */
	const uint8_t *data; /* behind the header; borrowed */
	uint16_t len;
	uint16_t start;	  /* offset of the type byte in the message */
	uint16_t data_at; /* offset of data */
};

/* Calls take for each extension, padding aside, until one is refused. */
enum mip_reject mip_ext_walk(struct rbuf *r, const uint8_t *msg,
			     enum mip_reject (*take)(const struct mip_ext *e, void *message), void *message);
/* What an extension of this type behind the last one of a message is. */
enum mip_reject mip_ext_behind(uint8_t last, uint8_t type);

/* Each fills its target, or says why not; a target that is filled already is MIP_REJ_EXT_DUPLICATE. */
enum mip_reject mip_ext_get_auth(const struct mip_ext *e, struct mip_auth *out);
enum mip_reject mip_ext_get_mn_aaa(const struct mip_ext *e, struct mip_auth *out);
enum mip_reject mip_ext_get_bytes(const struct mip_ext *e, struct mip_bytes *out);
enum mip_reject mip_ext_get_challenge(const struct mip_ext *e, struct mip_bytes *out);
enum mip_reject mip_ext_get_nai(const struct mip_ext *e, char out[MIP_NAI_MAX + 1]);
/* Subtype 1 into ha, 2 into aaah; others are skipped. */
enum mip_reject mip_ext_get_nai_carry(const struct mip_ext *e, char ha[MIP_NAI_MAX + 1],
				      char aaah[MIP_NAI_MAX + 1]);
enum mip_reject mip_ext_get_keygen_req(const struct mip_ext *e, struct mip_keygen_req *out);
enum mip_reject mip_ext_get_keygen_rep(const struct mip_ext *e, struct mip_keygen_rep *out);
/* CVSE: no critical vendor extension is ours, so a well-formed one is one that we cannot interpret. */
enum mip_reject mip_ext_get_cvse(const struct mip_ext *e, bool *strange);
enum mip_reject mip_ext_get_nvse(const struct mip_ext *e, bool *service_update);
enum mip_reject mip_ext_get_message(const struct mip_ext *e, struct mip_bytes *text, uint8_t *from);
enum mip_reject mip_ext_get_fa_error(const struct mip_ext *e, uint8_t *status);

/* Ones' complement sum of data added to sum; mip_sum_fold() makes the checksum of it (RFC 1071). */
uint32_t mip_sum(uint32_t sum, const void *data, size_t len);
uint16_t mip_sum_fold(uint32_t sum);

#endif
