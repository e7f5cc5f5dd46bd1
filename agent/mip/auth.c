/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Authenticators of registration messages (RFC 5944 5.2, RFC 4721 5 and 8) and keys made of key generation
 * nonces (RFC 3957 5).  A MAC covers the message from its first byte up to and with the SPI of its own
 * extension, whose length field has its final value by then; never the authenticator, never IP or UDP
 * headers.
 */
#include "agent/mip/mip.h"

#include <string.h>

#define CHAP_CHALLENGE_TAIL 237
#define CHAP_INPUT_MAX (1 + 512 + 16 + CHAP_CHALLENGE_TAIL)

/* RFC 4721 8: MD5(first byte of the challenge, key, MD5(message), last bytes of the challenge).  A node
 * without a foreign agent has no challenge and takes the value zero (3.2). */
static int chap_mac(const void *key, size_t key_len, const void *data, size_t len, const uint8_t *challenge,
		    size_t challenge_len, uint8_t out[CRYPTO_MAC_MAX])
{
	static const uint8_t zero[1];
	uint8_t input[CHAP_INPUT_MAX], inner[16];
	struct wbuf w;
	size_t tail;
	int rc;

	if (!challenge_len) {
		challenge = zero;
		challenge_len = 1;
	}
	tail = challenge_len < CHAP_CHALLENGE_TAIL ? challenge_len : CHAP_CHALLENGE_TAIL;
	memset(out, 0, CRYPTO_MAC_MAX);
	wbuf_init(&w, input, sizeof(input));
	wbuf_u8(&w, challenge[0]);
	wbuf_bytes(&w, key, key_len);
	rc = crypto_md5(data, len, inner);
	wbuf_bytes(&w, inner, sizeof(inner));
	wbuf_bytes(&w, challenge + challenge_len - tail, tail);
	if (rc || !key_len || !wbuf_ok(&w))
		rc = -1;
	else
		rc = crypto_md5(input, w.len, out);
	crypto_wipe(input, sizeof(input));
	return rc;
}

static int mn_aaa_mac(enum crypto_mac alg, const void *key, size_t key_len, const void *data, size_t len,
		      const void *challenge, size_t challenge_len, uint8_t out[CRYPTO_MAC_MAX])
{
	if (alg == CRYPTO_CHAP_MD5)
		return chap_mac(key, key_len, data, len, challenge, challenge_len, out);
	return crypto_mac(alg, key, key_len, data, len, out);
}

void mip_ext_put_auth(struct wbuf *w, uint8_t type, uint32_t spi, enum crypto_mac alg, const void *key,
		      size_t key_len)
{
	uint8_t mac[CRYPTO_MAC_MAX];
	size_t n = crypto_mac_size(alg);

	wbuf_u8(w, type);
	wbuf_u8(w, (uint8_t)(4 + n));
	wbuf_u32(w, spi);
	if (!wbuf_ok(w) || crypto_mac(alg, key, key_len, w->base, w->len, mac) < 0)
		w->bad = true;
	else
		wbuf_bytes(w, mac, n);
}

void mip_ext_put_mn_aaa(struct wbuf *w, uint32_t spi, enum crypto_mac alg, const void *key, size_t key_len,
			const void *challenge, size_t challenge_len)
{
	uint8_t mac[CRYPTO_MAC_MAX];
	size_t n = crypto_mac_size(alg);

	wbuf_u8(w, MIP_EXT_GENERAL_AUTH);
	wbuf_u8(w, 1);
	wbuf_u16(w, (uint16_t)(4 + n));
	wbuf_u32(w, alg == CRYPTO_CHAP_MD5 ? MIP_SPI_CHAP : spi);
	if (!wbuf_ok(w) || mn_aaa_mac(alg, key, key_len, w->base, w->len, challenge, challenge_len, mac) < 0)
		w->bad = true;
	else
		wbuf_bytes(w, mac, n);
}

static bool mac_right(enum crypto_mac alg, const uint8_t want[CRYPTO_MAC_MAX], const uint8_t *mac,
		      size_t mac_len)
{
	return mac_len && mac_len == crypto_mac_size(alg) && crypto_equal(want, mac, mac_len);
}

bool mip_auth_check(const struct mip_auth *a, const uint8_t *msg, enum crypto_mac alg, const void *key,
		    size_t key_len)
{
	uint8_t want[CRYPTO_MAC_MAX];

	return a->present && !crypto_mac(alg, key, key_len, msg, a->covered, want) &&
	       mac_right(alg, want, a->mac, a->mac_len);
}

bool mip_mn_aaa_check(const uint8_t *input, size_t input_len, const uint8_t *mac, size_t mac_len,
		      enum crypto_mac alg, const void *key, size_t key_len, const void *challenge,
		      size_t challenge_len)
{
	uint8_t want[CRYPTO_MAC_MAX];

	return !mn_aaa_mac(alg, key, key_len, input, input_len, challenge, challenge_len, want) &&
	       mac_right(alg, want, mac, mac_len);
}

int mip_keygen_derive(const void *aaa_key, size_t key_len, const void *nonce, size_t nonce_len,
		      const char *nai, struct in_addr hoa, uint8_t out[20])
{
	uint8_t input[1024], mac[CRYPTO_MAC_MAX];
	struct wbuf w;
	int rc = -1;

	wbuf_init(&w, input, sizeof(input));
	wbuf_bytes(&w, nonce, nonce_len);
	if (nai[0])
		wbuf_bytes(&w, nai, strlen(nai));
	else
		wbuf_bytes(&w, &hoa.s_addr, 4);
	memset(out, 0, 20);
	if (wbuf_ok(&w))
		rc = crypto_mac(CRYPTO_HMAC_SHA1, aaa_key, key_len, input, w.len, mac);
	if (!rc)
		memcpy(out, mac, 20);
	crypto_wipe(mac, sizeof(mac));
	return rc;
}
