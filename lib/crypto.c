/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cryptographic operations over OpenSSL 3 (lib/crypto.h).  No state of our own: OpenSSL's default library
 * context is safe to use from several threads.
 */
#include "lib/crypto.h"

#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#define GCM_NONCE 12
#define GCM_TAG 16
#define WRAP_VERSION 0x01

size_t crypto_mac_size(enum crypto_mac alg)
{
	switch (alg) {
	case CRYPTO_HMAC_MD5:
	case CRYPTO_KEYED_MD5:
	case CRYPTO_CHAP_MD5:
		return 16;
	case CRYPTO_HMAC_SHA1:
		return 20;
	case CRYPTO_HMAC_SHA256:
		return 32;
	}
	return 0;
}

struct piece {
	const void *data;
	size_t len;
};

static int digest(const EVP_MD *md, const struct piece *pieces, size_t n, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(ctx, pieces[i].data, pieces[i].len) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -1;
}

static const EVP_MD *hmac_digest(enum crypto_mac alg)
{
	switch (alg) {
	case CRYPTO_HMAC_MD5:
		return EVP_md5();
	case CRYPTO_HMAC_SHA1:
		return EVP_sha1();
	case CRYPTO_HMAC_SHA256:
		return EVP_sha256();
	default:
		return NULL;
	}
}

int crypto_mac(enum crypto_mac alg, const void *key, size_t key_len, const void *data, size_t len,
	       uint8_t out[CRYPTO_MAC_MAX])
{
	const EVP_MD *md = hmac_digest(alg);
	const struct piece keyed[] = {{key, key_len}, {data, len}, {key, key_len}};

	memset(out, 0, CRYPTO_MAC_MAX);
	if (!key_len || key_len > INT_MAX)
		return -1;
	if (alg == CRYPTO_KEYED_MD5)
		return digest(EVP_md5(), keyed, 3, out);
	if (!md)
		return -1;
	return HMAC(md, key, (int)key_len, data, len, out, NULL) ? 0 : -1;
}

int crypto_md5(const void *data, size_t len, uint8_t out[16])
{
	memset(out, 0, 16);
	return digest(EVP_md5(), &(struct piece){data, len}, 1, out);
}

int crypto_sha256(const void *data, size_t len, uint8_t out[32])
{
	memset(out, 0, 32);
	return digest(EVP_sha256(), &(struct piece){data, len}, 1, out);
}

int crypto_hkdf_sha256(const void *ikm, size_t ikm_len, const void *salt, size_t salt_len, const void *info,
		       size_t info_len, uint8_t *out, size_t out_len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)ikm, ikm_len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_len),
		OSSL_PARAM_construct_end(),
	};
	int ok = ctx ? EVP_KDF_derive(ctx, out, out_len, params) : 0;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	if (ok == 1)
		return 0;
	crypto_wipe(out, out_len);
	return -1;
}

/* One pass of AES-256-GCM; the tag is left in (seal) or taken from (open) tag. */
static bool gcm(bool seal, const uint8_t key[32], const uint8_t *nonce, const void *aad, size_t aad_len,
		const uint8_t *in, size_t len, uint8_t *out, uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t none[1];
	int n;
	bool ok = ctx && len <= INT_MAX && aad_len <= INT_MAX &&
		  EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, seal) == 1;

	if (aad_len)
		ok = ok && EVP_CipherUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1;
	if (len)
		ok = ok && EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1;
	if (!seal)
		ok = ok && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, GCM_TAG, tag) == 1;
	ok = ok && EVP_CipherFinal_ex(ctx, none, &n) == 1;
	if (seal)
		ok = ok && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, GCM_TAG, tag) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

int crypto_seal(const uint8_t key[32], const void *aad, size_t aad_len, const void *plain, size_t len,
		uint8_t *sealed)
{
	uint8_t *body = sealed + GCM_NONCE;

	if (!crypto_random(sealed, GCM_NONCE) &&
	    gcm(true, key, sealed, aad, aad_len, plain, len, body, body + len))
		return 0;
	crypto_wipe(sealed, len + CRYPTO_SEAL_EXTRA);
	return -1;
}

int crypto_open(const uint8_t key[32], const void *aad, size_t aad_len, const void *sealed, size_t sealed_len,
		uint8_t *plain)
{
	const uint8_t *s = sealed;
	uint8_t tag[GCM_TAG];
	size_t len;

	if (sealed_len < CRYPTO_SEAL_EXTRA)
		return -1;
	len = sealed_len - CRYPTO_SEAL_EXTRA;
	memcpy(tag, s + GCM_NONCE + len, GCM_TAG);
	if (gcm(false, key, s, aad, aad_len, s + GCM_NONCE, len, plain, tag))
		return 0;
	crypto_wipe(plain, len);
	return -1;
}

int crypto_random(void *out, size_t len)
{
	if (len <= INT_MAX && RAND_bytes(out, (int)len) == 1)
		return 0;
	memset(out, 0, len);
	return -1;
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return !len || CRYPTO_memcmp(a, b, len) == 0;
}

void crypto_wipe(void *p, size_t len)
{
	if (len)
		OPENSSL_cleanse(p, len);
}

int crypto_wrap(const uint8_t kek[32], const char *label, const void *plain, size_t len, uint8_t *wrapped)
{
	wrapped[0] = WRAP_VERSION;
	return crypto_seal(kek, label, strlen(label), plain, len, wrapped + 1);
}

int crypto_unwrap(const uint8_t kek[32], const char *label, const void *wrapped, size_t wrapped_len,
		  uint8_t *plain)
{
	const uint8_t *w = wrapped;

	if (wrapped_len < CRYPTO_WRAP_EXTRA || w[0] != WRAP_VERSION)
		return -1;
	return crypto_open(kek, label, strlen(label), w + 1, wrapped_len - 1, plain);
}
