/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Agent Advertisement and Solicitation: ICMP router discovery (RFC 1256) with the extensions of RFC 5944 2.1
 * (16, 19) and RFC 4721 2 (24).
 */
#include "agent/mip/wire.h"

#include <string.h>

#define ICMP_ADVERTISEMENT 9
#define ICMP_SOLICITATION 10
#define CODE_ROUTER 0
#define CODE_NO_ROUTER 16
#define ADV_EXT_MOBILITY 16
#define ADV_EXT_PREFIX 19
#define ADV_EXT_CHALLENGE 24
#define NO_PREFIX 255

static bool checksum_ok(const void *icmp, size_t len)
{
	return mip_sum_fold(mip_sum(0, icmp, len)) == 0;
}

/* The part of RFC 1256; the cursor is behind the type then. */
static enum mip_reject adv_fixed(struct rbuf *r, struct mip_adv *a, uint8_t *n_addrs)
{
	uint8_t entry_words;
	const uint8_t *entries;

	a->icmp_code = rbuf_u8(r);
	rbuf_u16(r);
	*n_addrs = rbuf_u8(r);
	entry_words = rbuf_u8(r);
	a->icmp_lifetime = rbuf_u16(r);
	entries = rbuf_bytes(r, 4u * *n_addrs * entry_words);
	if (!rbuf_ok(r))
		return MIP_REJ_TRUNCATED;
	if (a->icmp_code != CODE_ROUTER && a->icmp_code != CODE_NO_ROUTER)
		return MIP_REJ_TYPE;
	if (*n_addrs && entry_words < 2)
		return MIP_REJ_HEADER;
	a->has_router = *n_addrs > 0;
	if (a->has_router)
		memcpy(&a->router.s_addr, entries, 4);
	return MIP_REJ_OK;
}

static enum mip_reject adv_mobility(struct rbuf *e, struct mip_adv *a)
{
	size_t len = rbuf_left(e);

	if (len < 6 || (len - 6) % 4)
		return MIP_REJ_EXT_LENGTH;
	a->sequence = rbuf_u16(e);
	a->reg_lifetime = rbuf_u16(e);
	a->flags = rbuf_u16(e);
	while (rbuf_left(e) && a->n_coa < MIP_ADV_COA_MAX)
		rbuf_copy(e, &a->coa[a->n_coa++].s_addr, 4);
	return (a->flags & MIP_ADV_F) && !a->n_coa ? MIP_REJ_EXT_LENGTH : MIP_REJ_OK;
}

static enum mip_reject adv_prefix(struct rbuf *e, struct mip_adv *a, uint8_t n_addrs)
{
	if (rbuf_left(e) != n_addrs)
		return MIP_REJ_EXT_LENGTH;
	if (n_addrs)
		a->prefix_len = rbuf_u8(e);
	return n_addrs && a->prefix_len > 32 ? MIP_REJ_EXT_LENGTH : MIP_REJ_OK;
}

static enum mip_reject adv_challenge(struct rbuf *e, struct mip_adv *a)
{
	size_t len = rbuf_left(e);

	if (!len || len > MIP_CHALLENGE_MAX)
		return MIP_REJ_EXT_LENGTH;
	a->challenge_len = (uint8_t)len;
	rbuf_copy(e, a->challenge, len);
	return MIP_REJ_OK;
}

static enum mip_reject adv_ext(uint8_t type, struct rbuf *e, struct mip_adv *a, uint8_t n_addrs)
{
	switch (type) {
	case ADV_EXT_MOBILITY:
		return adv_mobility(e, a);
	case ADV_EXT_PREFIX:
		return adv_prefix(e, a, n_addrs);
	case ADV_EXT_CHALLENGE:
		return adv_challenge(e, a);
	default:
		return type < MIP_FIRST_SKIPPABLE ? MIP_REJ_EXT_UNKNOWN : MIP_REJ_OK;
	}
}

static enum mip_reject adv_extensions(struct rbuf *r, struct mip_adv *a, uint8_t n_addrs)
{
	uint32_t seen = 0; /* bit per type below 32 */

	while (rbuf_left(r)) {
		uint8_t type = rbuf_u8(r);
		uint32_t bit = type < 32 ? UINT32_C(1) << type : 0;
		struct rbuf e;
		enum mip_reject rej;

		if (type == MIP_EXT_PAD)
			continue;
		e = rbuf_sub(r, rbuf_u8(r));
		if (!rbuf_ok(r))
			return MIP_REJ_TRUNCATED;
		if (seen & bit)
			return MIP_REJ_EXT_DUPLICATE;
		seen |= bit;
		rej = adv_ext(type, &e, a, n_addrs);
		if (rej)
			return rej;
	}
	/* An ordinary router's advertisement is none of an agent. */
	return seen & UINT32_C(1) << ADV_EXT_MOBILITY ? MIP_REJ_OK : MIP_REJ_TYPE;
}

enum mip_reject mip_adv_decode(const void *icmp, size_t len, struct mip_adv *out)
{
	struct rbuf r;
	uint8_t n_addrs;
	enum mip_reject rej;

	memset(out, 0, sizeof(*out));
	out->prefix_len = NO_PREFIX;
	if (len > MIP_MSG_MAX)
		return MIP_REJ_TOO_LONG;
	rbuf_init(&r, icmp, len);
	if (rbuf_u8(&r) != ICMP_ADVERTISEMENT)
		return len ? MIP_REJ_TYPE : MIP_REJ_TRUNCATED;
	if (len >= 8 && !checksum_ok(icmp, len))
		return MIP_REJ_CHECKSUM;
	rej = adv_fixed(&r, out, &n_addrs);
	return rej ? rej : adv_extensions(&r, out, n_addrs);
}

static void put_checksum(struct wbuf *w, size_t start)
{
	if (wbuf_ok(w))
		wbuf_patch_u16(w, start + 2, mip_sum_fold(mip_sum(0, w->base + start, w->len - start)));
}

static void put_adv_extensions(struct wbuf *w, const struct mip_adv *a)
{
	wbuf_u8(w, ADV_EXT_MOBILITY);
	wbuf_u8(w, (uint8_t)(6 + 4 * a->n_coa));
	wbuf_u16(w, a->sequence);
	wbuf_u16(w, a->reg_lifetime);
	wbuf_u16(w, a->flags);
	for (unsigned i = 0; i < a->n_coa; i++)
		wbuf_bytes(w, &a->coa[i].s_addr, 4);
	if (a->has_router && a->prefix_len != NO_PREFIX) {
		wbuf_u8(w, ADV_EXT_PREFIX);
		wbuf_u8(w, 1);
		wbuf_u8(w, a->prefix_len);
	}
	if (a->challenge_len) {
		wbuf_u8(w, ADV_EXT_CHALLENGE);
		wbuf_u8(w, a->challenge_len);
		wbuf_bytes(w, a->challenge, a->challenge_len);
	}
}

void mip_adv_put(struct wbuf *w, const struct mip_adv *a)
{
	size_t start = w->len;

	if (a->n_coa > MIP_ADV_COA_MAX || a->challenge_len > MIP_CHALLENGE_MAX) {
		w->bad = true;
		return;
	}
	wbuf_u8(w, ICMP_ADVERTISEMENT);
	wbuf_u8(w, a->icmp_code);
	wbuf_u16(w, 0);
	wbuf_u8(w, a->has_router);
	wbuf_u8(w, 2);
	wbuf_u16(w, a->icmp_lifetime);
	if (a->has_router) {
		wbuf_bytes(w, &a->router.s_addr, 4);
		wbuf_u32(w, 0); /* preference */
	}
	put_adv_extensions(w, a);
	put_checksum(w, start);
}

bool mip_solicit_ok(const void *icmp, size_t len)
{
	const uint8_t *b = icmp;

	return len >= 8 && b[0] == ICMP_SOLICITATION && b[1] == 0 && checksum_ok(icmp, len);
}

void mip_solicit_put(struct wbuf *w)
{
	size_t start = w->len;

	wbuf_u8(w, ICMP_SOLICITATION);
	wbuf_u8(w, 0);
	wbuf_u16(w, 0);
	wbuf_u32(w, 0);
	put_checksum(w, start);
}
