/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Smooth handoff (lib/vpn_profile.h): all that the two foreign agents need comes from the session's handoff
 * key, so that nothing but the Binding Update travels between them.  The gateways are part of the derivation:
 * each move has keys of its own, and so has each direction of a move back.
 */
#include "lib/vpn_profile.h"

#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/crypto.h"

#define SALT "mipvpn"
#define KEY_LEN 32
#define SPI_OWN 0x80000000u /* far from the reserved ones and from the default SPI */

static int derive(const struct vpn_key *handoff, const void *info, size_t info_len, uint8_t *out, size_t len)
{
	memset(out, 0, len);
	if (!handoff->len || handoff->len > VPN_KEY_MAX)
		return -1;
	return crypto_hkdf_sha256(handoff->data, handoff->len, SALT, strlen(SALT), info, info_len, out, len);
}

int vpn_handoff_auth_key(const struct vpn_key *handoff, uint8_t out[32])
{
	return derive(handoff, "handoff-auth", 12, out, KEY_LEN);
}

int vpn_handoff_seal_key(const struct vpn_key *handoff, uint8_t out[32])
{
	return derive(handoff, "handoff-seal", 12, out, KEY_LEN);
}

static void take_key(struct rbuf *r, struct vpn_key *key)
{
	key->len = KEY_LEN;
	rbuf_copy(r, key->data, KEY_LEN);
}

/* info = "handoff" || number || new gateway || old gateway; out = both keys, both SPIs. */
static int derive_relation(const struct vpn_key *handoff, struct vpn_profile *p)
{
	uint8_t info[7 + 4 + 4 + 4], okm[2 * KEY_LEN + 8];
	struct wbuf w;
	struct rbuf r;
	int rc;

	wbuf_init(&w, info, sizeof(info));
	wbuf_bytes(&w, "handoff", 7);
	wbuf_u32(&w, p->number);
	wbuf_bytes(&w, &p->src_gw.s_addr, 4); /* in network byte order as they are */
	wbuf_bytes(&w, &p->dst_gw.s_addr, 4);
	rc = derive(handoff, info, w.len, okm, sizeof(okm));
	rbuf_init(&r, okm, sizeof(okm));
	take_key(&r, &p->enc_key);
	take_key(&r, &p->auth_key);
	p->spi_up = rbuf_u32(&r) | SPI_OWN;
	p->spi_down = rbuf_u32(&r) | SPI_OWN;
	crypto_wipe(okm, sizeof(okm));
	return rc;
}

int vpn_handoff_profile(const struct vpn_profile *p, struct in_addr fa_new, struct in_addr fa_old,
			const struct vpn_key *handoff, struct vpn_profile *out)
{
	memset(out, 0, sizeof(*out));
	if (p->security == VPN_SEC_ENCAP)
		return -1;
	out->number = p->number;
	out->src = p->src;
	out->dst = p->dst;
	out->security = p->security;
	snprintf(out->esp_proposal, sizeof(out->esp_proposal), "%s", p->esp_proposal);
	out->src_gw = fa_new;
	out->dst_gw = fa_old;
	out->dst_gw_type = VPN_GW_HANDOFF;
	if (derive_relation(handoff, out) == 0)
		return 0;
	vpn_profile_wipe(out);
	return -1;
}
