/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing registration messages and their extensions, but for the authenticators (auth.c).  What does not fit
 * its field makes the buffer bad: the caller checks wbuf_ok() once.
 */
#include "agent/mip/mip.h"

#include <string.h>

#define SHORT_MAX 255

static void put_addr(struct wbuf *w, struct in_addr a)
{
	wbuf_bytes(w, &a.s_addr, 4); /* is in network byte order */
}

void mip_rrq_put(struct wbuf *w, uint8_t flags, uint16_t lifetime, struct in_addr hoa, struct in_addr ha,
		 struct in_addr coa, uint64_t ident)
{
	wbuf_u8(w, MIP_RRQ);
	wbuf_u8(w, flags);
	wbuf_u16(w, lifetime);
	put_addr(w, hoa);
	put_addr(w, ha);
	put_addr(w, coa);
	wbuf_u64(w, ident);
}

void mip_rrp_put(struct wbuf *w, uint8_t code, uint16_t lifetime, struct in_addr hoa, struct in_addr ha,
		 uint64_t ident)
{
	wbuf_u8(w, MIP_RRP);
	wbuf_u8(w, code);
	wbuf_u16(w, lifetime);
	put_addr(w, hoa);
	put_addr(w, ha);
	wbuf_u64(w, ident);
}

static void put_short(struct wbuf *w, uint8_t type, size_t len)
{
	if (len > SHORT_MAX)
		w->bad = true;
	wbuf_u8(w, type);
	wbuf_u8(w, (uint8_t)len);
}

static void put_long(struct wbuf *w, uint8_t type, uint8_t subtype, size_t len)
{
	if (len > UINT16_MAX)
		w->bad = true;
	wbuf_u8(w, type);
	wbuf_u8(w, subtype);
	wbuf_u16(w, (uint16_t)len);
}

void mip_ext_put_nai(struct wbuf *w, const char *nai)
{
	size_t len = strlen(nai);

	if (!len || len > MIP_NAI_MAX)
		w->bad = true;
	put_short(w, MIP_EXT_NAI, len);
	wbuf_bytes(w, nai, len);
}

void mip_ext_put_nai_carry(struct wbuf *w, uint8_t subtype, const char *nai)
{
	size_t len = strlen(nai);

	if (!len || len > MIP_NAI_MAX)
		w->bad = true;
	put_short(w, MIP_EXT_NAI_CARRY, 1 + len);
	wbuf_u8(w, subtype);
	wbuf_bytes(w, nai, len);
}

void mip_ext_put_challenge(struct wbuf *w, const void *challenge, size_t len)
{
	if (!len || len > MIP_CHALLENGE_MAX)
		w->bad = true;
	put_short(w, MIP_EXT_CHALLENGE, len);
	wbuf_bytes(w, challenge, len);
}

void mip_ext_put_keygen_req(struct wbuf *w, uint8_t type, uint32_t spi)
{
	put_long(w, type, 1, 4);
	wbuf_u32(w, spi);
}

void mip_ext_put_keygen_rep(struct wbuf *w, uint8_t type, uint32_t lifetime, uint32_t aaa_spi, uint32_t spi,
			    uint16_t algorithm, uint16_t replay, const void *nonce, size_t nonce_len)
{
	bool mn_ha = type == MIP_EXT_MN_HA_KEYGEN_REP;

	put_long(w, type, 1, (mn_ha ? 16 : 14) + nonce_len);
	wbuf_u32(w, lifetime);
	wbuf_u32(w, aaa_spi);
	wbuf_u32(w, spi);
	wbuf_u16(w, algorithm);
	if (mn_ha)
		wbuf_u16(w, replay);
	wbuf_bytes(w, nonce, nonce_len);
}

/* Bytes of text up to most that end with a whole UTF-8 character. */
static size_t utf8_cut(const char *text, size_t most)
{
	size_t n = strnlen(text, most + 1);

	if (n <= most)
		return n;
	n = most;
	while (n && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

void mip_ext_put_message(struct wbuf *w, uint8_t from, const char *text)
{
	size_t len = utf8_cut(text, 253);

	put_short(w, MIP_EXT_MESSAGE, 1 + len);
	wbuf_u8(w, from);
	wbuf_bytes(w, text, len);
}

void mip_ext_put_fa_error(struct wbuf *w, uint8_t status)
{
	put_short(w, MIP_EXT_FA_ERROR, 2);
	wbuf_u8(w, 0);
	wbuf_u8(w, status);
}

void mip_ext_put_encap_style(struct wbuf *w)
{
	put_short(w, MIP_EXT_ENCAP_STYLE, 0);
}

void mip_ext_put_nvse(struct wbuf *w, uint32_t vendor, uint16_t type, const void *value, size_t len)
{
	put_short(w, MIP_EXT_NVSE, 8 + len);
	wbuf_u16(w, 0);
	wbuf_u32(w, vendor);
	wbuf_u16(w, type);
	wbuf_bytes(w, value, len);
}
