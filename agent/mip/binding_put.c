/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing binding messages (agent/mip/binding.h).  As in put.c, what does not fit makes the buffer bad.
 */
#include "agent/mip/binding.h"

#include <string.h>

#include "lib/crypto.h"

#define WIRE_MAX 1024 /* a profile in type-length-value form is a few hundred bytes */

static void put_addr(struct wbuf *w, struct in_addr a)
{
	wbuf_bytes(w, &a.s_addr, 4); /* is in network byte order */
}

void bind_put(struct wbuf *w, const struct bind_msg *m)
{
	wbuf_u8(w, (uint8_t)m->type);
	if (m->type == BIND_UPDATE) {
		wbuf_u8(w, (uint8_t)(m->has_ident ? m->flags | BIND_I : m->flags & ~BIND_I));
		wbuf_u16(w, m->lifetime);
	} else {
		wbuf_u16(w, 0);
		wbuf_u8(w, m->type == BIND_ACK ? m->status : 0);
	}
	put_addr(w, m->hoa);
	if (m->type == BIND_UPDATE)
		put_addr(w, m->coa);
	if (m->type == BIND_WARNING) {
		for (size_t i = 0; i < m->n_targets && i < BIND_TARGETS_MAX; i++)
			put_addr(w, m->targets[i]);
	} else if (m->type != BIND_UPDATE || m->has_ident) {
		wbuf_u64(w, m->ident);
	}
}

static void put_vendor(struct wbuf *w, uint16_t vendor_type, size_t body)
{
	wbuf_u8(w, MIP_EXT_CVSE);
	wbuf_u8(w, 0);
	wbuf_u16(w, (uint16_t)(6 + body));
	wbuf_u32(w, MIP_VENDOR);
	wbuf_u16(w, vendor_type);
}

/* Header of our vendor extension and the key's name; body is what comes behind. */
static void put_key_name(struct wbuf *w, uint16_t vendor_type, const struct bind_msg *m, size_t body)
{
	size_t n = strlen(m->key_context);

	if (!n || n >= VPN_NAME_MAX)
		w->bad = true;
	put_vendor(w, vendor_type, 4 + 4 + 1 + n + body);
	put_addr(w, m->key_ha);
	wbuf_u32(w, m->profile);
	wbuf_u8(w, (uint8_t)n);
	wbuf_bytes(w, m->key_context, n);
}

void bind_put_profile(struct wbuf *w, const struct bind_msg *m, const struct vpn_profile *p,
		      const uint8_t key[32])
{
	uint8_t plain[WIRE_MAX], sealed[WIRE_MAX + CRYPTO_SEAL_EXTRA];
	size_t n = vpn_wire_encode(p, plain, sizeof(plain));

	put_key_name(w, BIND_CVSE_PROFILE, m, n + CRYPTO_SEAL_EXTRA);
	if (!n || !wbuf_ok(w) || crypto_seal(key, w->base, w->len, plain, n, sealed) < 0)
		w->bad = true;
	else
		wbuf_bytes(w, sealed, n + CRYPTO_SEAL_EXTRA);
	crypto_wipe(plain, sizeof(plain));
}

void bind_put_handoff(struct wbuf *w, const struct bind_handoff *h, const uint8_t key[32])
{
	uint8_t mem[16], sealed[sizeof(mem) + CRYPTO_SEAL_EXTRA];
	struct wbuf plain;

	wbuf_init(&plain, mem, sizeof(mem));
	wbuf_u8(&plain, BIND_HANDOFF_SOFT);
	wbuf_u16(&plain, 1);
	wbuf_u8(&plain, h->soft);
	if (h->request) {
		wbuf_u8(&plain, BIND_HANDOFF_REQUEST);
		wbuf_u16(&plain, 8);
		wbuf_u64(&plain, h->request);
	}
	put_vendor(w, BIND_CVSE_HANDOFF, plain.len + CRYPTO_SEAL_EXTRA);
	if (!wbuf_ok(&plain) || !wbuf_ok(w) || crypto_seal(key, w->base, w->len, mem, plain.len, sealed) < 0)
		w->bad = true;
	else
		wbuf_bytes(w, sealed, plain.len + CRYPTO_SEAL_EXTRA);
}

void bind_put_number(struct wbuf *w, const struct bind_msg *m)
{
	put_key_name(w, BIND_CVSE_NUMBER, m, 0);
}

void bind_put_auth(struct wbuf *w, uint8_t subtype, uint32_t spi, const uint8_t key[32])
{
	uint8_t mac[CRYPTO_MAC_MAX];
	size_t n = crypto_mac_size(CRYPTO_HMAC_SHA256);

	wbuf_u8(w, MIP_EXT_GENERAL_AUTH);
	wbuf_u8(w, subtype);
	wbuf_u16(w, (uint16_t)(4 + n));
	wbuf_u32(w, spi);
	if (!wbuf_ok(w) || crypto_mac(CRYPTO_HMAC_SHA256, key, 32, w->base, w->len, mac) < 0)
		w->bad = true;
	else
		wbuf_bytes(w, mac, n);
}

const char *bind_status_str(uint8_t status)
{
	switch (status) {
	case BIND_OK:
		return "accepted";
	case BIND_UNSPECIFIED:
		return "refused for an unspecified reason";
	case BIND_PROHIBITED:
		return "administratively prohibited";
	case BIND_RESOURCES:
		return "insufficient resources";
	case BIND_AUTH:
		return "authentication failed";
	case BIND_IDENT:
		return "Identification mismatch";
	case BIND_POOR:
		return "poorly formed Binding Update";
	default:
		return "unknown status";
	}
}
