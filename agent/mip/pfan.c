/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Previous Foreign Agent Notification, extension 96 (agent/mip/mip.h; draft-ietf-mobileip-optim-09 4.5):
 *	lifetime 2 | previous FA 4 | new care-of address 4 | SPI 4 | authenticator
 */
#include "agent/mip/mip.h"

#include "agent/mip/binding.h"

#define FIXED_LEN 14 /* in front of the authenticator */
#define RRQ_HOA_AT 4 /* offsets in a Registration Request, RFC 5944 3.3 */
#define RRQ_IDENT_AT 16
#define RRQ_LEN 24
#define COVERED_LEN 28 /* a Binding Update and the head of its authentication extension */

/* What is authenticated is no part of the message that carries it: the Binding Update that the draft has the
 * new foreign agent build, with those values where the draft leaves a choice (doc/protocol.md). */
static bool pfan_mac(const uint8_t *rrq, const struct mip_pfan *p, enum crypto_mac alg, const void *key,
		     size_t key_len, uint8_t out[CRYPTO_MAC_MAX])
{
	uint8_t input[COVERED_LEN];
	struct wbuf w;

	wbuf_init(&w, input, sizeof(input));
	wbuf_u8(&w, BIND_UPDATE);
	wbuf_u8(&w, BIND_A | BIND_I);
	wbuf_u16(&w, p->lifetime);
	wbuf_bytes(&w, rrq + RRQ_HOA_AT, 4);
	wbuf_bytes(&w, &p->coa.s_addr, 4);
	wbuf_bytes(&w, rrq + RRQ_IDENT_AT, 8);
	wbuf_u8(&w, MIP_EXT_GENERAL_AUTH);
	wbuf_u8(&w, BIND_SUBTYPE_HANDOFF);
	wbuf_u16(&w, (uint16_t)(4 + crypto_mac_size(alg)));
	wbuf_u32(&w, p->spi);
	return wbuf_ok(&w) && !crypto_mac(alg, key, key_len, input, w.len, out);
}

bool mip_pfan_get(const struct mip_rrq *q, struct mip_pfan *out)
{
	struct rbuf r;

	*out = (struct mip_pfan){0};
	if (q->pfan.len <= FIXED_LEN)
		return false;
	rbuf_init(&r, q->pfan.data, q->pfan.len);
	out->lifetime = rbuf_u16(&r);
	rbuf_copy(&r, &out->previous_fa.s_addr, 4);
	rbuf_copy(&r, &out->coa.s_addr, 4);
	out->spi = rbuf_u32(&r);
	out->mac_len = (uint16_t)rbuf_left(&r);
	out->mac = rbuf_bytes(&r, out->mac_len);
	return rbuf_ok(&r) && out->spi >= MIP_SPI_MIN;
}

bool mip_pfan_check(const struct mip_rrq *q, enum crypto_mac alg, const void *key, size_t key_len)
{
	uint8_t want[CRYPTO_MAC_MAX];
	struct mip_pfan p;

	return q->raw && mip_pfan_get(q, &p) && p.mac_len == crypto_mac_size(alg) &&
	       pfan_mac(q->raw, &p, alg, key, key_len, want) && crypto_equal(want, p.mac, p.mac_len);
}

void mip_ext_put_pfan(struct wbuf *w, const struct mip_pfan *p, enum crypto_mac alg, const void *key,
		      size_t key_len)
{
	uint8_t mac[CRYPTO_MAC_MAX];
	size_t n = crypto_mac_size(alg);

	if (!wbuf_ok(w) || w->len < RRQ_LEN || !pfan_mac(w->base, p, alg, key, key_len, mac)) {
		w->bad = true;
		return;
	}
	wbuf_u8(w, MIP_EXT_PFAN);
	wbuf_u8(w, (uint8_t)(FIXED_LEN + n));
	wbuf_u16(w, p->lifetime);
	wbuf_bytes(w, &p->previous_fa.s_addr, 4);
	wbuf_bytes(w, &p->coa.s_addr, 4);
	wbuf_u32(w, p->spi);
	wbuf_bytes(w, mac, n);
}
