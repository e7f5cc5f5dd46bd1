/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One good registration, as the database and the foreign agent describe it; each case spoils one thing of it.
 */
#ifndef MIPVPN_TESTS_UNIT_AAAH_FIXTURE_H
#define MIPVPN_TESTS_UNIT_AAAH_FIXTURE_H

#include <string.h>

#include "extensions/app_mipvpn_aaah/plan.h"
#include "tests/unit/harness.h"

static inline struct in_addr ip(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return (struct in_addr){htonl(a << 24 | b << 16 | c << 8 | d)};
}
static inline struct vpn_prefix net(unsigned a, unsigned b, unsigned c, unsigned d, uint8_t len)
{
	return (struct vpn_prefix){ip(a, b, c, d), len};
}

#define FA ip(198, 51, 100, 11)
#define FA2 ip(198, 51, 100, 12)
#define HA ip(198, 51, 100, 21)
#define GW ip(198, 51, 100, 31)
#define PCN ip(198, 51, 100, 32)
#define HOA ip(10, 1, 0, 10)

struct fixture {
	struct pol_rows rows;
	struct pol_vpn vpn[3];
	struct dm_amr amr;
	struct mip_rrq rrq;
	struct plan_rules rules;
};

static inline void fixture_user(struct pol_user *u)
{
	u->found = u->enabled = u->ha_enabled = true;
	u->key.len = 16;
	memcpy(u->key.data, "0123456789abcdef", 16);
	u->spi = 256;
	u->alg = CRYPTO_HMAC_MD5;
	u->has_hoa = true;
	u->hoa = HOA;
	u->ha = HA;
	strcpy(u->ha_host, "ha.home.test");
	strcpy(u->ha_realm, "home.test");
	u->roaming = POL_ROAM_OK;
}

static inline struct pol_vpn fixture_vpn(uint32_t number)
{
	struct pol_vpn v = {
		.number = number,
		.share_own = true,
		.dst = net(10, 9, 0, 0, 24),
		.dscp_up = 46,
		.dscp_down = 34,
		.spi_up = 4097,
		.spi_down = 4098,
		.security = VPN_SEC_ESP,
		.proposal = "aes256gcm16",
		.required = true,
		.has_gateway = true,
		.gateway = GW,
		.kind = VPN_GW_STATIC,
		.has_sla = true,
		.sla_enabled = true,
		.sla_valid = true,
		.sla_listed = true,
		.sla = "acme",
		.sla_security = VPN_SEC_ESP,
		.sla_domain = net(10, 9, 0, 0, 24),
		.sla_home = net(10, 1, 0, 0, 24),
		.ike_local = "ha.home.test",
		.ike_proposal = "aes256-sha256-x25519",
		.esp_proposal = "aes128-sha256",
		.psk = {3, "psk"},
	};

	return v;
}

struct request {
	struct in_addr hoa, ha, coa;
	const char *nai;
	uint16_t lifetime;
	uint32_t spi;
	enum crypto_mac alg;
	const char *key, *challenge;
};

/* The Registration Request and an AMR that describes it rightly. */
static inline void fixture_request(struct fixture *f, const struct request *r)
{
	struct dm_amr *amr = &f->amr;
	struct wbuf w;

	memset(amr, 0, sizeof(*amr));
	wbuf_init(&w, amr->rrq.data, sizeof(amr->rrq.data));
	mip_rrq_put(&w, 0, r->lifetime, r->hoa, r->ha, r->coa, UINT64_C(0x1122334455667788));
	if (r->nai)
		mip_ext_put_nai(&w, r->nai);
	mip_ext_put_keygen_req(&w, MIP_EXT_MN_HA_KEYGEN_REQ, 1042);
	mip_ext_put_keygen_req(&w, MIP_EXT_MN_FA_KEYGEN_REQ, 1040);
	if (r->challenge)
		mip_ext_put_challenge(&w, r->challenge, strlen(r->challenge));
	mip_ext_put_mn_aaa(&w, r->spi, r->alg, r->key, strlen(r->key), r->challenge,
			   r->challenge ? strlen(r->challenge) : 0);
	amr->rrq.len = (uint16_t)w.len;
	CU_ASSERT_EQUAL_FATAL(mip_rrq_decode(amr->rrq.data, amr->rrq.len, &f->rrq), MIP_REJ_OK);
	amr->aaa_spi = f->rrq.mn_aaa.spi;
	amr->auth_input_len = f->rrq.mn_aaa.covered;
	amr->auth_len = f->rrq.mn_aaa.mac_len;
	amr->auth_offset = (uint32_t)(f->rrq.mn_aaa.mac - amr->rrq.data);
	if (r->challenge) {
		amr->challenge.len = (uint8_t)strlen(r->challenge);
		memcpy(amr->challenge.data, r->challenge, amr->challenge.len);
	}
	strcpy(amr->user, "alice@home.test");
	strcpy(amr->session, "fa.visited.test;1;2");
	strcpy(amr->origin_host, "fa.visited.test");
	strcpy(amr->origin_realm, "visited.test");
	amr->features = DM_F_MN_HA_KEY | DM_F_MN_FA_KEY | DM_F_FA_HA_KEY;
	amr->ha_to_fa_spi = 1323;
}

/* The same, behind a gateway that can be told. */
static inline struct pol_vpn fixture_dynamic_vpn(uint32_t number)
{
	struct pol_vpn v = fixture_vpn(number);

	v.kind = VPN_GW_DYNAMIC;
	v.has_sla = false;
	v.gateway = PCN;
	v.pcn_key = (struct vpn_key){32, "the master key of the gateway..."};
	return v;
}

static inline struct request good_request(void)
{
	return (struct request){
		HOA, HA, FA, "alice@home.test", 1800, 256, CRYPTO_HMAC_MD5, "0123456789abcdef", NULL};
}

static inline void fixture_init(struct fixture *f)
{
	struct request r = good_request();

	memset(f, 0, sizeof(*f));
	fixture_user(&f->rows.user);
	f->vpn[0] = fixture_vpn(1);
	f->rows.vpns = f->vpn;
	f->rows.n_vpns = 1;
	f->rules = (struct plan_rules){AAAH_ALG_ALL, 1800, 7200, 30, false};
	fixture_request(f, &r);
}

#endif
