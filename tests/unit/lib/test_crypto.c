/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Vectors of RFC 1321, 2202, 4231, 5869 and of the GCM specification; our own formats round trip and refuse
 * changes.
 */
#include "lib/crypto.h"
#include "lib/hex.h"
#include "tests/unit/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The bytes as hex digits, in a static buffer. */
static const char *hex(const void *data, size_t len)
{
	static char text[512];

	hex_encode(data, len, text);
	return text;
}

static const struct {
	enum crypto_mac alg;
	const char *key, *data, *want; /* hex */
} macs[] = {
	/* RFC 2202 */
	{CRYPTO_HMAC_MD5, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	 "9294727a3638bb1c13f48ef8158bfc9d"},
	{CRYPTO_HMAC_MD5, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	 "750c783e6ab0b503eaa86e310a5db738"},
	{CRYPTO_HMAC_SHA1, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	 "b617318655057264e28bc0b6fb378c8ef146be00"},
	{CRYPTO_HMAC_SHA1, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	 "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
	/* RFC 4231 */
	{CRYPTO_HMAC_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
	{CRYPTO_HMAC_SHA256, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	/* MD5("key" "data" "key"), by md5sum */
	{CRYPTO_KEYED_MD5, "6b6579", "64617461", "f187c3c4d29c0b433930f434824025d5"},
};

static void test_macs(void)
{
	for (size_t i = 0; i < sizeof(macs) / sizeof(macs[0]); i++) {
		uint8_t key[64], data[64], out[CRYPTO_MAC_MAX];
		int key_len = hex_decode(macs[i].key, strlen(macs[i].key), key, sizeof(key));
		int len = hex_decode(macs[i].data, strlen(macs[i].data), data, sizeof(data));

		CU_ASSERT_EQUAL(crypto_mac(macs[i].alg, key, (size_t)key_len, data, (size_t)len, out), 0);
		HARNESS_AT(!strcmp(hex(out, crypto_mac_size(macs[i].alg)), macs[i].want), "row %zu: %s", i,
			   hex(out, crypto_mac_size(macs[i].alg)));
		CU_ASSERT_EQUAL(strlen(macs[i].want), 2 * crypto_mac_size(macs[i].alg));
	}
}

static void test_unknown_mac(void)
{
	uint8_t out[CRYPTO_MAC_MAX] = {1}, zero[CRYPTO_MAC_MAX] = {0};

	CU_ASSERT_EQUAL(crypto_mac_size((enum crypto_mac)99), 0);
	CU_ASSERT_EQUAL(crypto_mac((enum crypto_mac)99, "k", 1, "d", 1, out), -1);
	CU_ASSERT_EQUAL(memcmp(out, zero, sizeof(out)), 0);
	CU_ASSERT_EQUAL(crypto_mac(CRYPTO_CHAP_MD5, "k", 1, "d", 1, out),
			-1); /* needs a challenge: mip/auth.c */
	CU_ASSERT_EQUAL(crypto_mac(CRYPTO_HMAC_MD5, "", 0, "d", 1, out), -1);
	CU_ASSERT_EQUAL(crypto_mac(CRYPTO_KEYED_MD5, "", 0, "d", 1, out), -1);
	CU_ASSERT_EQUAL(crypto_mac(CRYPTO_HMAC_MD5, "k", 1, NULL, 0, out), 0);
}

static void test_digests(void)
{
	uint8_t out[32];

	CU_ASSERT_EQUAL(crypto_md5("abc", 3, out), 0);
	CU_ASSERT_STRING_EQUAL(hex(out, 16), "900150983cd24fb0d6963f7d28e17f72");
	CU_ASSERT_EQUAL(crypto_sha256("abc", 3, out), 0);
	CU_ASSERT_STRING_EQUAL(hex(out, 32),
			       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 5869 A.1 */
static void test_hkdf(void)
{
	uint8_t ikm[22], salt[13], info[10], out[42];

	memset(ikm, 0x0b, sizeof(ikm));
	for (uint8_t i = 0; i < sizeof(salt); i++)
		salt[i] = i;
	for (uint8_t i = 0; i < sizeof(info); i++)
		info[i] = (uint8_t)(0xf0 + i);
	CU_ASSERT_EQUAL(crypto_hkdf_sha256(ikm, 22, salt, 13, info, 10, out, 42), 0);
	CU_ASSERT_STRING_EQUAL(hex(out, 42),
			       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf3400720"
			       "8d5b887185865");
}

/* GCM specification, test case 13 (no text) and 14 (16 zero bytes), all with zero key and nonce. */
static void test_open_known(void)
{
	static const uint8_t key[32];
	uint8_t sealed[12 + 16 + 16] = {0}, plain[16], zero[16] = {0};

	hex_decode("530f8afbc74536b9a963b4f1c4cb738b", 32, sealed + 12, 16);
	CU_ASSERT_EQUAL(crypto_open(key, NULL, 0, sealed, 28, plain), 0);
	hex_decode("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919", 64, sealed + 12, 32);
	CU_ASSERT_EQUAL(crypto_open(key, NULL, 0, sealed, sizeof(sealed), plain), 0);
	CU_ASSERT_EQUAL(memcmp(plain, zero, 16), 0);
}

static void test_seal_and_open(void)
{
	static const uint8_t key[32] = {1, 2, 3}, other[32] = {1, 2, 4};
	uint8_t sealed[5 + CRYPTO_SEAL_EXTRA], again[sizeof(sealed)], plain[5];

	CU_ASSERT_EQUAL(crypto_seal(key, "aad", 3, "hello", 5, sealed), 0);
	CU_ASSERT_EQUAL(crypto_seal(key, "aad", 3, "hello", 5, again), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(sealed, again, sizeof(sealed)), 0); /* another nonce */
	CU_ASSERT_EQUAL(crypto_open(key, "aad", 3, sealed, sizeof(sealed), plain), 0);
	CU_ASSERT_EQUAL(memcmp(plain, "hello", 5), 0);
	CU_ASSERT_EQUAL(crypto_open(other, "aad", 3, sealed, sizeof(sealed), plain), -1);
	CU_ASSERT_EQUAL(crypto_open(key, "aae", 3, sealed, sizeof(sealed), plain), -1);
	CU_ASSERT_EQUAL(memcmp(plain, "\0\0\0\0\0", 5), 0); /* nothing unauthenticated comes out */
	for (size_t i = 0; i < sizeof(sealed); i++) {
		memcpy(again, sealed, sizeof(sealed));
		again[i] ^= 0x40;
		HARNESS_AT(crypto_open(key, "aad", 3, again, sizeof(again), plain) == -1, "byte %zu", i);
	}
	for (size_t n = 0; n < CRYPTO_SEAL_EXTRA; n++)
		CU_ASSERT_EQUAL(crypto_open(key, "aad", 3, sealed, n, plain), -1);
}

static void test_wrap_is_bound_to_its_label(void)
{
	static const uint8_t kek[32] = {7};
	uint8_t wrapped[16 + CRYPTO_WRAP_EXTRA], plain[16];

	CU_ASSERT_EQUAL(crypto_wrap(kek, "sla:acme", "0123456789abcdef", 16, wrapped), 0);
	CU_ASSERT_EQUAL(wrapped[0], 1);
	CU_ASSERT_EQUAL(crypto_unwrap(kek, "sla:acme", wrapped, sizeof(wrapped), plain), 0);
	CU_ASSERT_EQUAL(memcmp(plain, "0123456789abcdef", 16), 0);
	CU_ASSERT_EQUAL(crypto_unwrap(kek, "sla:acmf", wrapped, sizeof(wrapped), plain), -1);
	CU_ASSERT_EQUAL(crypto_unwrap(kek, "sla:acme", wrapped, CRYPTO_WRAP_EXTRA - 1, plain), -1);
	wrapped[0] = 2;
	CU_ASSERT_EQUAL(crypto_unwrap(kek, "sla:acme", wrapped, sizeof(wrapped), plain), -1);
}

static void test_random_and_equal(void)
{
	uint8_t a[32] = {0}, b[32] = {0};

	CU_ASSERT_TRUE(crypto_equal(a, b, sizeof(a)));
	CU_ASSERT_TRUE(crypto_equal(NULL, NULL, 0));
	CU_ASSERT_EQUAL(crypto_random(a, sizeof(a)), 0);
	CU_ASSERT_EQUAL(crypto_random(b, sizeof(b)), 0);
	CU_ASSERT_FALSE(crypto_equal(a, b, sizeof(a)));
	crypto_wipe(a, sizeof(a));
	memset(b, 0, sizeof(b));
	CU_ASSERT_EQUAL(memcmp(a, b, sizeof(a)), 0);
}

static void test_hex(void)
{
	uint8_t out[4] = {9, 9, 9, 9};

	CU_ASSERT_EQUAL(hex_decode("00fFa5", 6, out, 4), 3);
	CU_ASSERT_EQUAL(memcmp(out, "\x00\xff\xa5\x09", 4), 0);
	CU_ASSERT_EQUAL(hex_decode("", 0, out, 4), 0);
	CU_ASSERT_EQUAL(hex_decode("000", 3, out, 4), -1);
	CU_ASSERT_EQUAL(hex_decode("0011223344", 10, out, 4), -1);
	CU_ASSERT_EQUAL(hex_decode("00ag", 4, out, 4), -1);
	CU_ASSERT_EQUAL(hex_decode("00/0", 4, out, 4), -1);
	CU_ASSERT_EQUAL(hex_decode("00:0", 4, out, 4), -1);
	CU_ASSERT_STRING_EQUAL(hex("\x01\xab", 2), "01ab");
}

/* --- key files --- */

static char dir[64], path[80];

static void put_file(const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	CU_ASSERT_EQUAL(fchmod(fd, mode), 0);
	close(fd);
}

static void open_dir(void)
{
	strcpy(dir, "/tmp/mipvpn-test-key-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/key", dir);
}

static void close_dir(void)
{
	unlink(path);
	rmdir(dir);
}

static void test_keyfile_create_and_read(void)
{
	uint8_t key[32], zero[32] = {0};
	char err[256];
	struct stat st;

	open_dir();
	CU_ASSERT_EQUAL(crypto_keyfile_create(path, err, sizeof(err)), 0);
	CU_ASSERT_EQUAL(stat(path, &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
	CU_ASSERT_EQUAL(st.st_size, 65);
	CU_ASSERT_EQUAL(crypto_keyfile_read(path, key, err, sizeof(err)), 0);
	CU_ASSERT_NOT_EQUAL(memcmp(key, zero, 32), 0);
	CU_ASSERT_EQUAL(crypto_keyfile_create(path, err, sizeof(err)), -1);
	CU_ASSERT_EQUAL(errno, EEXIST);
	close_dir();
}

#define D "0123456789abcdef"

static const struct {
	const char *text;
	mode_t mode;
	const char *says; /* NULL = is read */
} files[] = {
	{D D D D "\n", 0600, NULL},	      {D D D D "\n", 0640, NULL},
	{D D D D "\n", 0400, NULL},	      {D D D D, 0600, NULL},
	{D D D D "\n", 0644, "mode"},	      {D D D D "\n", 0660, "mode"},
	{D D D D "\n", 0700, "mode"},	      {D D D, 0600, "64 hex digits"},
	{"", 0600, "64 hex digits"},	      {D D D D "\n\n", 0600, "64 hex digits"},
	{D D D D "0", 0600, "64 hex digits"}, {D D D "0123456789abcdex\n", 0600, "64 hex digits"},
};

static void test_keyfile_refusals(void)
{
	uint8_t key[32], zero[32] = {0};
	char err[256];

	open_dir();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int rc;

		put_file(files[i].text, files[i].mode);
		rc = crypto_keyfile_read(path, key, err, sizeof(err));
		HARNESS_AT(rc == (files[i].says ? -1 : 0), "row %zu", i);
		if (files[i].says) {
			HARNESS_AT(strstr(err, files[i].says) && !strstr(err, "89abc"), "row %zu: %s", i,
				   err);
			CU_ASSERT_EQUAL(memcmp(key, zero, 32), 0);
		}
		unlink(path);
	}
	CU_ASSERT_EQUAL(crypto_keyfile_read(path, key, err, sizeof(err)), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "No such file"));
	CU_ASSERT_EQUAL(crypto_keyfile_read(dir, key, err, sizeof(err)), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "not a regular file"));
	close_dir();
}

HARNESS_MAIN("lib/crypto", HARNESS_CASE(test_macs), HARNESS_CASE(test_unknown_mac),
	     HARNESS_CASE(test_digests), HARNESS_CASE(test_hkdf), HARNESS_CASE(test_open_known),
	     HARNESS_CASE(test_seal_and_open), HARNESS_CASE(test_wrap_is_bound_to_its_label),
	     HARNESS_CASE(test_random_and_equal), HARNESS_CASE(test_hex),
	     HARNESS_CASE(test_keyfile_create_and_read), HARNESS_CASE(test_keyfile_refusals))
