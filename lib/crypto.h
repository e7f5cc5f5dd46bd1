/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The few cryptographic operations that the project needs, over OpenSSL 3.  Nothing here logs.  All return 0,
 * or -1 when OpenSSL refuses (out of memory, algorithm switched off by policy); outputs are zeroed then.
 */
#ifndef MIPVPN_CRYPTO_H
#define MIPVPN_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Authenticators of Mobile IP (RFC 5944 5.2, RFC 4721, RFC 3957). */
enum crypto_mac {
	CRYPTO_HMAC_MD5 = 1,	/* 16 bytes: default of RFC 5944 */
	CRYPTO_HMAC_SHA1 = 2,	/* 20 bytes: RFC 4004 keys */
	CRYPTO_HMAC_SHA256 = 5,	/* 32 bytes */
	CRYPTO_KEYED_MD5 = 100,	/* 16 bytes: MD5(key, data, key), RFC 2002 peers only */
	CRYPTO_CHAP_MD5 = 101	/* 16 bytes: the CHAP style MN-AAA authenticator, SPI 2; see mip_auth.h */
};
#define CRYPTO_MAC_MAX 32

/* An empty key is refused: a key that was never set must not authenticate anything. */
size_t crypto_mac_size(enum crypto_mac alg);	/* bytes; 0 = unknown algorithm */
int crypto_mac(enum crypto_mac alg, const void *key, size_t key_len, const void *data, size_t len,
	       uint8_t out[CRYPTO_MAC_MAX]);
int crypto_md5(const void *data, size_t len, uint8_t out[16]);
int crypto_sha256(const void *data, size_t len, uint8_t out[32]);
int crypto_hkdf_sha256(const void *ikm, size_t ikm_len, const void *salt, size_t salt_len, const void *info,
		       size_t info_len, uint8_t *out, size_t out_len);

/* AES-256-GCM.  sealed = 12 bytes nonce (random) | ciphertext (len) | 16 bytes tag; aad may be NULL. */
#define CRYPTO_SEAL_EXTRA 28
int crypto_seal(const uint8_t key[32], const void *aad, size_t aad_len, const void *plain, size_t len,
		uint8_t *sealed);
/* plain takes sealed_len - CRYPTO_SEAL_EXTRA bytes; -1 also when the tag is wrong. */
int crypto_open(const uint8_t key[32], const void *aad, size_t aad_len, const void *sealed, size_t sealed_len,
		uint8_t *plain);

int crypto_random(void *out, size_t len);
bool crypto_equal(const void *a, const void *b, size_t len);	/* constant time */
void crypto_wipe(void *p, size_t len);				/* OPENSSL_cleanse */

/* Key files (requirement A6): 32 random bytes as 64 hex digits and a newline, mode 0600 or 0640.
 * 0, or -1 with errno and a reason in err (never the content). */
int crypto_keyfile_read(const char *path, uint8_t key[32], char *err, size_t err_len);
int crypto_keyfile_create(const char *path, char *err, size_t err_len);	/* refuses to overwrite */

/* A wrapped key as the database keeps it: 0x01 | crypto_seal(key file, aad = label, plain).
 * label binds the wrapping to its place, e.g. "subscriber:alice@home.test", "sla:acme", "pcn:192.0.2.1". */
#define CRYPTO_WRAP_EXTRA (1 + CRYPTO_SEAL_EXTRA)
int crypto_wrap(const uint8_t kek[32], const char *label, const void *plain, size_t len, uint8_t *wrapped);
int crypto_unwrap(const uint8_t kek[32], const char *label, const void *wrapped, size_t wrapped_len,
		  uint8_t *plain);

#endif
