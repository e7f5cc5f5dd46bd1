/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The request against its AVPs, and MN-AAA authentication.
 */
#include "tests/unit/aaah/fixture.h"

static uint32_t check_request(struct fixture *f, struct aaah_verdict *v)
{
	memset(v, 0, sizeof(*v));
	return aaah_request_check(&f->amr, &f->rrq, v) ? DM_SUCCESS : v->result;
}

/* One claim of the foreign agent is wrong. */
enum claim {
	INPUT_LEN,
	OFFSET,
	AUTH_LEN,
	SPI,
	USER,
	CHALLENGE,
	HOME_ADDRESS,
	HOME_AGENT,
	SHORT_RRQ,
	N_CLAIMS
};

static void spoil(struct fixture *f, enum claim c)
{
	struct dm_amr *a = &f->amr;

	switch (c) {
	case INPUT_LEN:
		a->auth_input_len--;
		break;
	case OFFSET:
		a->auth_offset++;
		break;
	case AUTH_LEN:
		a->auth_len = 20;
		break;
	case SPI:
		a->aaa_spi = 257;
		break;
	case USER:
		strcpy(a->user, "bob@home.test");
		break;
	case CHALLENGE:
		a->challenge.data[0] ^= 1;
		break;
	case HOME_ADDRESS:
		a->has_hoa = true;
		a->hoa = ip(10, 1, 0, 99);
		break;
	case HOME_AGENT:
		a->has_ha = true;
		a->ha = GW;
		break;
	default:
		a->rrq.len = 30;
	}
}

static void test_claims_of_the_foreign_agent(void)
{
	static const char *const counters[N_CLAIMS] = {
		"aaah.amr.auth_avp",	     "aaah.amr.auth_avp",	"aaah.amr.auth_avp",
		"aaah.amr.auth_avp",	     "aaah.amr.user_name",	"aaah.amr.challenge_avp",
		"aaah.amr.home_address_avp", "aaah.amr.home_agent_avp", "aaah.amr.rrq"};
	struct request r = good_request();
	struct aaah_verdict v;
	struct fixture f;

	r.challenge = "challenge";
	for (enum claim c = 0; c < N_CLAIMS; c++) {
		fixture_init(&f);
		fixture_request(&f, &r);
		CU_ASSERT_EQUAL(check_request(&f, &v), DM_SUCCESS);
		spoil(&f, c);
		HARNESS_AT(check_request(&f, &v) == DM_INVALID_AVP_VALUE, "claim %d: %u %s", c, v.result,
			   v.text);
		HARNESS_AT(v.counter && !strcmp(v.counter, counters[c]), "claim %d: %s", c, v.counter);
	}
}

static void test_care_of_addresses(void)
{
	static const struct {
		uint32_t coa;
		bool ok;
	} rows[] = {{0xc6336401, true},	 {0x0a000001, true},  {0, false},
		    {0x7f000001, false}, {0x00010203, false}, {0xe0000001, false},
		    {0xffffffff, false}, {0xdffffffe, true},  {0xf0000001, false}};
	struct request r = good_request();
	struct aaah_verdict v;
	struct fixture f;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fixture_init(&f);
		r.coa.s_addr = htonl(rows[i].coa);
		fixture_request(&f, &r);
		HARNESS_AT((check_request(&f, &v) == DM_SUCCESS) == rows[i].ok, "%08x", rows[i].coa);
	}
}

static void test_request_at_every_length(void)
{
	struct aaah_verdict v;
	struct fixture f;
	uint16_t full;

	fixture_init(&f);
	full = f.amr.rrq.len;
	for (uint16_t n = 0; n < full; n++) {
		f.amr.rrq.len = n;
		HARNESS_AT(check_request(&f, &v) != DM_SUCCESS, "%u bytes", n);
	}
}

static const struct auth_row {
	const char *what;
	uint32_t user_spi;
	enum crypto_mac user_alg;
	uint32_t spi;
	enum crypto_mac alg;
	const char *key, *challenge;
	unsigned accepted;
	uint32_t result;
} auth_rows[] = {
	{"md5", 256, CRYPTO_HMAC_MD5, 256, CRYPTO_HMAC_MD5, "0123456789abcdef", NULL, AAAH_ALG_ALL,
	 DM_SUCCESS},
	{"sha1", 300, CRYPTO_HMAC_SHA1, 300, CRYPTO_HMAC_SHA1, "0123456789abcdef", NULL, AAAH_ALG_ALL,
	 DM_SUCCESS},
	{"sha256", 4294967295u, CRYPTO_HMAC_SHA256, 4294967295u, CRYPTO_HMAC_SHA256, "0123456789abcdef", NULL,
	 AAAH_ALG_ALL, DM_SUCCESS},
	{"chap", 2, CRYPTO_CHAP_MD5, 2, CRYPTO_CHAP_MD5, "0123456789abcdef", "abc", AAAH_ALG_ALL, DM_SUCCESS},
	{"chap beside hmac", 256, CRYPTO_HMAC_MD5, 2, CRYPTO_CHAP_MD5, "0123456789abcdef", "abc",
	 AAAH_ALG_ALL, DM_SUCCESS},
	{"with challenge", 256, CRYPTO_HMAC_MD5, 256, CRYPTO_HMAC_MD5, "0123456789abcdef", "abc",
	 AAAH_ALG_ALL, DM_SUCCESS},
	{"wrong key", 256, CRYPTO_HMAC_MD5, 256, CRYPTO_HMAC_MD5, "0123456789abcdeg", NULL, AAAH_ALG_ALL,
	 DM_AUTHENTICATION_REJECTED},
	{"longer key", 256, CRYPTO_HMAC_MD5, 256, CRYPTO_HMAC_MD5, "0123456789abcdef0", NULL, AAAH_ALG_ALL,
	 DM_AUTHENTICATION_REJECTED},
	{"wrong algorithm", 256, CRYPTO_HMAC_SHA1, 256, CRYPTO_HMAC_MD5, "0123456789abcdef", NULL,
	 AAAH_ALG_ALL, DM_AUTHENTICATION_REJECTED},
	{"wrong SPI", 256, CRYPTO_HMAC_MD5, 257, CRYPTO_HMAC_MD5, "0123456789abcdef", NULL, AAAH_ALG_ALL,
	 DM_AUTHENTICATION_REJECTED},
	{"not accepted", 256, CRYPTO_HMAC_MD5, 256, CRYPTO_HMAC_MD5, "0123456789abcdef", NULL,
	 AAAH_ALG_SHA256, DM_AUTHENTICATION_REJECTED},
	{"chap not accepted", 256, CRYPTO_HMAC_MD5, 2, CRYPTO_CHAP_MD5, "0123456789abcdef", "abc",
	 AAAH_ALG_MD5, DM_AUTHENTICATION_REJECTED},
	{"no algorithm in the row", 256, 0, 256, CRYPTO_HMAC_MD5, "0123456789abcdef", NULL, AAAH_ALG_ALL,
	 DM_AUTHENTICATION_REJECTED},
};

static void test_authenticators(void)
{
	struct request r = good_request();
	struct aaah_verdict v;
	struct fixture f;

	for (size_t i = 0; i < sizeof(auth_rows) / sizeof(auth_rows[0]); i++) {
		const struct auth_row *row = &auth_rows[i];

		fixture_init(&f);
		r.spi = row->spi;
		r.alg = row->alg;
		r.key = row->key;
		r.challenge = row->challenge;
		fixture_request(&f, &r);
		CU_ASSERT_EQUAL(check_request(&f, &v), DM_SUCCESS);
		f.rows.user.spi = row->user_spi;
		f.rows.user.alg = row->user_alg;
		v.result = DM_SUCCESS;
		HARNESS_AT(aaah_auth_check(&f.amr, &f.rrq, &f.rows.user, row->accepted, &v) ==
				   (row->result == DM_SUCCESS),
			   "%s: %s", row->what, v.text);
		HARNESS_AT(v.result == row->result, "%s: %u", row->what, v.result);
	}
}

static void test_every_bit_is_covered(void)
{
	struct aaah_verdict v;
	struct fixture f;
	unsigned accepted = 0, covered;

	fixture_init(&f);
	covered = f.rrq.mn_aaa.covered;
	for (unsigned bit = 0; bit < 8u * f.amr.rrq.len; bit++) {
		f.amr.rrq.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		/* the decoded form stays: what is tested is the authenticator, not the decoder */
		accepted += aaah_auth_check(&f.amr, &f.rrq, &f.rows.user, AAAH_ALG_ALL, &v);
		f.amr.rrq.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CU_ASSERT_EQUAL(accepted, 0);
	CU_ASSERT_EQUAL(covered + 16, f.amr.rrq.len);
	CU_ASSERT_TRUE(aaah_auth_check(&f.amr, &f.rrq, &f.rows.user, AAAH_ALG_ALL, &v));
}

static void test_chap_needs_a_challenge(void)
{
	struct request r = good_request();
	struct aaah_verdict v;
	struct fixture f;

	r.spi = 2;
	r.alg = CRYPTO_CHAP_MD5;
	r.challenge = "x";
	fixture_init(&f);
	fixture_request(&f, &r);
	CU_ASSERT_TRUE(aaah_auth_check(&f.amr, &f.rrq, &f.rows.user, AAAH_ALG_ALL, &v));
	f.amr.challenge.len = 0;
	CU_ASSERT_FALSE(aaah_auth_check(&f.amr, &f.rrq, &f.rows.user, AAAH_ALG_ALL, &v));
	CU_ASSERT_STRING_EQUAL(v.counter, "aaah.auth.no_challenge");
}

static void test_key_that_does_not_unwrap(void)
{
	struct aaah_verdict v;
	struct fixture f;

	fixture_init(&f);
	f.rows.user.key_bad = true;
	CU_ASSERT_FALSE(aaah_auth_check(&f.amr, &f.rrq, &f.rows.user, AAAH_ALG_ALL, &v));
	CU_ASSERT_EQUAL(v.result, DM_UNABLE_TO_COMPLY);
}

HARNESS_MAIN("aaah/auth", HARNESS_CASE(test_claims_of_the_foreign_agent),
	     HARNESS_CASE(test_care_of_addresses), HARNESS_CASE(test_request_at_every_length),
	     HARNESS_CASE(test_authenticators), HARNESS_CASE(test_every_bit_is_covered),
	     HARNESS_CASE(test_chap_needs_a_challenge), HARNESS_CASE(test_key_that_does_not_unwrap))
