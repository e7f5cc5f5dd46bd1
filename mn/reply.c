/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Whether a Registration Reply is what it claims to be: RFC 5944 3.6.2.1, with the keys of RFC 3957.
 */
#include "mn/mn_impl.h"

#include <string.h>

/* Of an attempt that has been accepted, the transmissions behind the accepted one were on their way, and the
 * home agent follows the newest: so do we, or its keys would not be ours any more. */
static bool waited_for(const struct mn *mn, unsigned transmission)
{
	const struct mn_attempt *a = &mn->attempt;

	if (a->active)
		return true;
	return a->kind == MN_REGISTER && a->answered > 0 && transmission > a->answered && mn->registered &&
	       mn->reg_coa.s_addr == mn->agent->coa.s_addr;
}

unsigned mn_reply_transmission(const struct mn *mn, uint32_t low)
{
	const struct mn_attempt *a = &mn->attempt;

	for (unsigned n = a->sent; n > 0 && a->sent - n < MN_IDENTS; n--)
		if (a->idents[(n - 1) % MN_IDENTS] == low)
			return n;
	return 0;
}

bool mn_reply_pending(const struct mn *mn, const uint8_t *data, size_t len)
{
	struct rbuf r;
	uint8_t type;
	uint32_t low;
	unsigned n;

	rbuf_init(&r, data, len);
	type = rbuf_u8(&r);
	rbuf_bytes(&r, 15); /* code .. home agent, high half of the Identification */
	low = rbuf_u32(&r);
	if (!rbuf_ok(&r) || type != MIP_RRP)
		return false;
	n = mn_reply_transmission(mn, low);
	return n > 0 && waited_for(mn, n);
}

static bool alg_known(uint16_t algorithm)
{
	return algorithm == CRYPTO_HMAC_MD5 || algorithm == CRYPTO_HMAC_SHA1 ||
	       algorithm == CRYPTO_HMAC_SHA256;
}

/* RFC 3957 5: the nonce of a key-generation reply and the MN-AAA key give the new one. */
static bool derive(const struct mn *mn, const struct mip_keygen_rep *k, struct in_addr hoa, struct mn_sa *out)
{
	const struct vpn_key *aaa = &mn->c.aaa.key;

	if (aaa->len == 0 || !alg_known(k->algorithm) ||
	    mip_keygen_derive(aaa->data, aaa->len, k->nonce.data, k->nonce.len, mn->c.nai, hoa,
			      out->key.data) != 0)
		return false;
	out->key.len = 20;
	out->spi = k->spi;
	out->alg = (enum crypto_mac)k->algorithm;
	out->expires = k->lifetime == UINT32_MAX ? MN_NEVER : mn->now + (mn_ms)k->lifetime * 1000;
	return true;
}

static bool proves(const struct mip_auth *a, const uint8_t *data, const struct mn_sa *sa)
{
	return a->present && sa->key.len > 0 && mip_auth_check(a, data, sa->alg, sa->key.data, sa->key.len);
}

static const char *check_ha(const struct mn *mn, const uint8_t *data, struct mn_reply *r)
{
	bool accepted = r->rrp.code < 64;

	if (r->rrp.mn_ha_key.present) {
		if (!derive(mn, &r->rrp.mn_ha_key, r->rrp.hoa, &r->ha))
			return "it offers a key that cannot be made";
		if (!proves(&r->rrp.mn_ha, data, &r->ha))
			return "the home agent's authenticator does not go with the key that was made";
		r->authentic = true;
		return NULL;
	}
	if (mn->keys.ha.key.len > 0 && r->rrp.mn_ha.present) {
		r->authentic = proves(&r->rrp.mn_ha, data, &mn->keys.ha);
		return r->authentic ? NULL : "the home agent's authenticator is wrong";
	}
	if (accepted)
		return "it accepts, but nothing proves that it is from the home agent";
	return NULL; /* a refusal that nobody signed: believed as far as it costs nothing */
}

static const char *check_fa(const struct mn *mn, const uint8_t *data, struct mn_reply *r)
{
	bool ours = mn->keys.fa.key.len > 0 && mn->agent != NULL &&
		    mn->keys.fa_coa.s_addr == mn->agent->coa.s_addr;

	if (r->rrp.mn_fa_key.present) {
		if (derive(mn, &r->rrp.mn_fa_key, r->rrp.hoa, &r->fa) && proves(&r->rrp.mn_fa, data, &r->fa))
			r->authentic = true;
		else
			crypto_wipe(&r->fa, sizeof(r->fa)); /* RFC 3957 5: no association; the rest stands */
		return NULL;
	}
	if (mn->attempt.pfan_sent && !ours && r->rrp.code < 64) {
		r->fa_moved =
			proves(&r->rrp.mn_fa, data, &mn->keys.fa); /* else no association; the rest stands */
		return NULL;
	}
	if (!ours || !r->rrp.mn_fa.present)
		return ours && r->rrp.code < 64 ? "the foreign agent did not sign it" : NULL;
	if (!proves(&r->rrp.mn_fa, data, &mn->keys.fa))
		return "the foreign agent's authenticator is wrong";
	if (!r->from_ha)
		r->authentic = true;
	return NULL;
}

const char *mn_reply_check(const struct mn *mn, const uint8_t *data, size_t len, struct mn_reply *out)
{
	enum mip_reject reject = mip_rrp_decode(data, len, &out->rrp);
	const char *why;

	crypto_wipe(&out->ha, sizeof(out->ha));
	crypto_wipe(&out->fa, sizeof(out->fa));
	out->authentic = out->fa_moved = false;
	if (reject != MIP_REJ_OK)
		return mip_reject_str(reject);
	out->from_ha = out->rrp.code < 64 || out->rrp.code >= 128;
	if (out->rrp.code == MIP_FA_INVALID_HA)
		out->from_ha = false;
	why = out->from_ha ? check_ha(mn, data, out) : NULL;
	if (why == NULL && mn->attempt.kind != MN_LEAVE_HOME)
		why = check_fa(mn, data, out);
	if (why == NULL && out->rrp.code < 64 && mn->home_address.s_addr != 0 &&
	    out->rrp.hoa.s_addr != mn->home_address.s_addr)
		return "it is for another home address";
	return why;
}
