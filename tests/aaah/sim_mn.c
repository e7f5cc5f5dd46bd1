/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A mobile node's Registration Request, and the AMR that a foreign agent makes of it.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/hex.h"
#include "tests/aaah/sim.h"

static const char *word(const json_t *cmd, const char *name, const char *def)
{
	const char *s = json_string_value(json_object_get(cmd, name));

	return s ? s : def;
}

static uint32_t number(const json_t *cmd, const char *name, uint32_t def)
{
	const json_t *j = json_object_get(cmd, name);

	return json_is_integer(j) ? (uint32_t)json_integer_value(j) : def;
}

static struct in_addr addr(const json_t *cmd, const char *name)
{
	struct in_addr a = {0};

	inet_pton(AF_INET, word(cmd, name, "0.0.0.0"), &a);
	return a;
}

static enum crypto_mac alg_of(const char *name)
{
	return !strcmp(name, "hmac-sha1")     ? CRYPTO_HMAC_SHA1
	       : !strcmp(name, "hmac-sha256") ? CRYPTO_HMAC_SHA256
	       : !strcmp(name, "chap-md5")    ? CRYPTO_CHAP_MD5
					      : CRYPTO_HMAC_MD5;
}

static uint64_t ident_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return mip_ident_from_unix_ms((uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000,
				      (uint32_t)ts.tv_nsec);
}

static void rrq_write(const json_t *cmd, struct wbuf *w)
{
	const char *key_hex = word(cmd, "key", ""), *challenge_hex = word(cmd, "challenge", "");
	uint8_t key[64], challenge[255];
	int key_len = hex_decode(key_hex, strlen(key_hex), key, sizeof(key));
	int challenge_len = hex_decode(challenge_hex, strlen(challenge_hex), challenge, sizeof(challenge));

	mip_rrq_put(w, 0, (uint16_t)number(cmd, "lifetime", 1800), addr(cmd, "hoa"), addr(cmd, "ha"),
		    addr(cmd, "coa"), ident_now());
	mip_ext_put_nai(w, word(cmd, "rrq_nai", word(cmd, "nai", "")));
	mip_ext_put_keygen_req(w, MIP_EXT_MN_HA_KEYGEN_REQ, number(cmd, "mn_ha_spi", 1042));
	mip_ext_put_keygen_req(w, MIP_EXT_MN_FA_KEYGEN_REQ, number(cmd, "mn_fa_spi", 1040));
	if (challenge_len > 0)
		mip_ext_put_challenge(w, challenge, (size_t)challenge_len);
	mip_ext_put_mn_aaa(w, number(cmd, "spi", 256), alg_of(word(cmd, "alg", "hmac-md5")), key,
			   key_len > 0 ? (size_t)key_len : 0, challenge,
			   challenge_len > 0 ? (size_t)challenge_len : 0);
}

static void amr_auth(struct dm_amr *out)
{
	struct mip_rrq rrq;

	if (mip_rrq_decode(out->rrq.data, out->rrq.len, &rrq) != MIP_REJ_OK)
		return;
	out->aaa_spi = rrq.mn_aaa.spi;
	out->auth_input_len = rrq.mn_aaa.covered;
	out->auth_offset = (uint32_t)(rrq.mn_aaa.mac - out->rrq.data);
	out->auth_len = rrq.mn_aaa.mac_len;
	out->challenge.len = (uint8_t)rrq.challenge.len;
	if (rrq.challenge.len)
		memcpy(out->challenge.data, rrq.challenge.data, rrq.challenge.len);
}

bool sim_amr_make(const json_t *cmd, struct dm_amr *out)
{
	const char *session = word(cmd, "session", NULL);
	struct wbuf w;

	memset(out, 0, sizeof(*out));
	if (!session && dm_session_new(out->session))
		return false;
	if (session)
		snprintf(out->session, sizeof(out->session), "%s", session);
	snprintf(out->dest_realm, sizeof(out->dest_realm), "%s", word(cmd, "dest_realm", "home.test"));
	snprintf(out->user, sizeof(out->user), "%s", word(cmd, "nai", ""));
	wbuf_init(&w, out->rrq.data, sizeof(out->rrq.data));
	rrq_write(cmd, &w);
	out->rrq.len = (uint16_t)w.len;
	amr_auth(out);
	if (json_is_true(json_object_get(cmd, "bad_mac")) && out->rrq.len)
		out->rrq.data[out->rrq.len - 1] ^= 1;
	out->features = number(cmd, "features", DM_F_MN_HA_KEY | DM_F_MN_FA_KEY | DM_F_FA_HA_KEY);
	out->ha_to_fa_spi = number(cmd, "fa_spi", 1323);
	out->hoa = addr(cmd, "hoa");
	out->has_hoa = out->hoa.s_addr != 0;
	out->ha = addr(cmd, "ha");
	out->has_ha = out->ha.s_addr != 0;
	out->service_update = json_is_true(json_object_get(cmd, "service_update"));
	out->auth_input_len += number(cmd, "skew_input", 0);
	return wbuf_ok(&w);
}
