/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading extensions of registration messages (agent/mip/wire.h).  Layouts: RFC 5944 1.8-1.11 (short, long),
 * 3115 (vendor), 4721 (36), 3957 (40-43), 3846 (136), 4636 (45), 4917 (145).
 */
#include "agent/mip/wire.h"

#include <string.h>

#define AUTH_MIN 5	  /* SPI and at least one byte */
#define MN_AAA_MIN 20	  /* RFC 4721 5 */
#define NONCE_MIN 16	  /* RFC 3957 5 */
#define VENDOR_CVSE_MIN 6 /* vendor, type */
#define VENDOR_NVSE_MIN 8 /* reserved, vendor, type */

static bool long_form(uint8_t type)
{
	return type == MIP_EXT_GENERAL_AUTH ||
	       (type >= MIP_EXT_MN_FA_KEYGEN_REQ && type <= MIP_EXT_MN_HA_KEYGEN_REP);
}

static void ext_header(struct rbuf *r, struct mip_ext *e)
{
	if (long_form(e->type) || e->type == MIP_EXT_CVSE) {
		e->subtype = rbuf_u8(r);
		e->len = rbuf_u16(r);
	} else {
		e->len = rbuf_u8(r);
	}
}

static enum mip_reject ext_next(struct rbuf *r, const uint8_t *msg, struct mip_ext *e)
{
	memset(e, 0, sizeof(*e));
	e->start = (uint16_t)(r->p - msg);
	e->type = rbuf_u8(r);
	if (e->type == MIP_EXT_PAD)
		return MIP_REJ_OK;
	ext_header(r, e);
	e->data_at = (uint16_t)(r->p - msg);
	e->data = rbuf_bytes(r, e->len);
	return rbuf_ok(r) ? MIP_REJ_OK : MIP_REJ_TRUNCATED;
}

enum mip_reject mip_ext_walk(struct rbuf *r, const uint8_t *msg,
			     enum mip_reject (*take)(const struct mip_ext *e, void *message), void *message)
{
	enum mip_reject rej = MIP_REJ_OK;

	while (!rej && rbuf_left(r)) {
		struct mip_ext e;

		rej = ext_next(r, msg, &e);
		if (!rej && e.type != MIP_EXT_PAD)
			rej = take(&e, message);
	}
	return rej;
}

enum mip_reject mip_ext_behind(uint8_t last, uint8_t type)
{
	return type == last ? MIP_REJ_EXT_DUPLICATE : MIP_REJ_EXT_ORDER;
}

static void auth_fill(const struct mip_ext *e, struct mip_auth *out)
{
	struct rbuf r;

	rbuf_init(&r, e->data, e->len);
	out->present = true;
	out->spi = rbuf_u32(&r);
	out->mac_len = (uint16_t)rbuf_left(&r);
	out->mac = rbuf_bytes(&r, out->mac_len);
	out->start = e->start;
	out->covered = (uint16_t)(e->data_at + 4);
}

enum mip_reject mip_ext_get_auth(const struct mip_ext *e, struct mip_auth *out)
{
	if (out->present)
		return MIP_REJ_EXT_DUPLICATE;
	if (e->len < AUTH_MIN)
		return MIP_REJ_EXT_LENGTH;
	auth_fill(e, out);
	return out->spi < MIP_SPI_MIN ? MIP_REJ_SPI : MIP_REJ_OK;
}

enum mip_reject mip_ext_get_mn_aaa(const struct mip_ext *e, struct mip_auth *out)
{
	if (e->subtype != 1)
		return MIP_REJ_EXT_UNKNOWN;
	if (out->present)
		return MIP_REJ_EXT_DUPLICATE;
	if (e->len < MN_AAA_MIN)
		return MIP_REJ_EXT_LENGTH;
	auth_fill(e, out);
	return out->spi < MIP_SPI_MIN && out->spi != MIP_SPI_CHAP ? MIP_REJ_SPI : MIP_REJ_OK;
}

enum mip_reject mip_ext_get_bytes(const struct mip_ext *e, struct mip_bytes *out)
{
	if (out->len)
		return MIP_REJ_EXT_DUPLICATE;
	if (!e->len)
		return MIP_REJ_EXT_LENGTH;
	*out = (struct mip_bytes){.data = e->data, .len = e->len, .start = e->start};
	return MIP_REJ_OK;
}

enum mip_reject mip_ext_get_challenge(const struct mip_ext *e, struct mip_bytes *out)
{
	return e->len > MIP_CHALLENGE_MAX ? MIP_REJ_EXT_LENGTH : mip_ext_get_bytes(e, out);
}

/* Names travel into logs, identities and SQL parameters: visible ASCII only, and not two realms. */
static enum mip_reject nai_copy(const uint8_t *data, size_t len, char out[MIP_NAI_MAX + 1])
{
	unsigned ats = 0;

	if (out[0])
		return MIP_REJ_EXT_DUPLICATE;
	if (!len || len > MIP_NAI_MAX)
		return MIP_REJ_NAI;
	for (size_t i = 0; i < len; i++) {
		ats += data[i] == '@';
		if (data[i] <= 0x20 || data[i] >= 0x7f)
			return MIP_REJ_NAI;
	}
	if (ats > 1)
		return MIP_REJ_NAI;
	memcpy(out, data, len);
	out[len] = '\0';
	return MIP_REJ_OK;
}

enum mip_reject mip_ext_get_nai(const struct mip_ext *e, char out[MIP_NAI_MAX + 1])
{
	return nai_copy(e->data, e->len, out);
}

enum mip_reject mip_ext_get_nai_carry(const struct mip_ext *e, char ha[MIP_NAI_MAX + 1],
				      char aaah[MIP_NAI_MAX + 1])
{
	if (!e->len)
		return MIP_REJ_EXT_LENGTH;
	switch (e->data[0]) {
	case 1:
		return nai_copy(e->data + 1, e->len - 1u, ha);
	case 2:
		return nai_copy(e->data + 1, e->len - 1u, aaah);
	default:
		return MIP_REJ_OK;
	}
}

enum mip_reject mip_ext_get_keygen_req(const struct mip_ext *e, struct mip_keygen_req *out)
{
	struct rbuf r;

	if (e->subtype != 1)
		return MIP_REJ_EXT_UNKNOWN;
	if (out->present)
		return MIP_REJ_EXT_DUPLICATE;
	if (e->len != 4)
		return MIP_REJ_EXT_LENGTH;
	rbuf_init(&r, e->data, e->len);
	out->present = true;
	out->spi = rbuf_u32(&r);
	return out->spi < MIP_SPI_MIN ? MIP_REJ_SPI : MIP_REJ_OK;
}

enum mip_reject mip_ext_get_keygen_rep(const struct mip_ext *e, struct mip_keygen_rep *out)
{
	bool mn_ha = e->type == MIP_EXT_MN_HA_KEYGEN_REP;
	struct rbuf r;

	if (e->subtype != 1)
		return MIP_REJ_EXT_UNKNOWN;
	if (out->present)
		return MIP_REJ_EXT_DUPLICATE;
	if (e->len < (mn_ha ? 16 : 14) + NONCE_MIN)
		return MIP_REJ_EXT_LENGTH;
	rbuf_init(&r, e->data, e->len);
	out->present = true;
	out->lifetime = rbuf_u32(&r);
	out->aaa_spi = rbuf_u32(&r);
	out->spi = rbuf_u32(&r);
	out->algorithm = rbuf_u16(&r);
	out->replay = mn_ha ? rbuf_u16(&r) : 0;
	out->nonce.len = (uint16_t)rbuf_left(&r);
	out->nonce.data = rbuf_bytes(&r, out->nonce.len);
	out->nonce.start = e->start;
	return out->spi < MIP_SPI_MIN ? MIP_REJ_SPI : MIP_REJ_OK;
}

enum mip_reject mip_ext_get_cvse(const struct mip_ext *e, bool *strange)
{
	if (e->len < VENDOR_CVSE_MIN)
		return MIP_REJ_CVSE;
	*strange = true;
	return MIP_REJ_OK;
}

enum mip_reject mip_ext_get_nvse(const struct mip_ext *e, bool *service_update)
{
	struct rbuf r;

	if (e->len < VENDOR_NVSE_MIN)
		return MIP_REJ_EXT_LENGTH;
	rbuf_init(&r, e->data, e->len);
	rbuf_u16(&r);
	if (rbuf_u32(&r) == MIP_VENDOR && rbuf_u16(&r) == MIP_VENDOR_SERVICE_UPDATE)
		*service_update = true;
	return MIP_REJ_OK;
}

/* The home agent and the foreign agent may each add one: the first one told why. */
enum mip_reject mip_ext_get_message(const struct mip_ext *e, struct mip_bytes *text, uint8_t *from)
{
	if (!e->len)
		return MIP_REJ_EXT_LENGTH;
	if (*from || (e->data[0] != 1 && e->data[0] != 2))
		return MIP_REJ_OK;
	*from = e->data[0];
	*text = (struct mip_bytes){.data = e->data + 1, .len = (uint16_t)(e->len - 1), .start = e->start};
	return MIP_REJ_OK;
}

enum mip_reject mip_ext_get_fa_error(const struct mip_ext *e, uint8_t *status)
{
	if (e->len != 2)
		return MIP_REJ_EXT_LENGTH;
	if (e->data[0] != 0)
		return MIP_REJ_EXT_UNKNOWN;
	if (*status)
		return MIP_REJ_EXT_DUPLICATE;
	*status = e->data[1];
	return MIP_REJ_OK;
}
