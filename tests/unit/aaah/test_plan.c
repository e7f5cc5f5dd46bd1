/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Admission, keys, and the messages that come of a registration.
 */
#include "tests/unit/aaah/fixture.h"

enum user_spoil {
	GOOD,
	UNKNOWN,
	OFF,
	ROAM_UNKNOWN,
	ROAM_SUSPENDED,
	ROAM_CARE_OF,
	HA_OFF,
	OTHER_HA,
	OTHER_HOA,
	ANY_HA,
	ANY_HOA,
	DYNAMIC,
	N_SPOILS
};

static void spoil(struct fixture *f, struct request *r, enum user_spoil how)
{
	struct pol_user *u = &f->rows.user;

	u->found = how != UNKNOWN;
	u->enabled = how != OFF;
	u->ha_enabled = how != HA_OFF;
	u->has_hoa = how != DYNAMIC;
	u->roaming = how == ROAM_UNKNOWN     ? POL_ROAM_UNKNOWN
		     : how == ROAM_SUSPENDED ? POL_ROAM_SUSPENDED
		     : how == ROAM_CARE_OF   ? POL_ROAM_CARE_OF
					     : POL_ROAM_OK;
	if (how == OTHER_HA)
		r->ha = GW;
	if (how == ANY_HA)
		r->ha.s_addr = INADDR_BROADCAST;
	if (how == OTHER_HOA)
		r->hoa = ip(10, 1, 0, 11);
	if (how == ANY_HOA || how == DYNAMIC)
		r->hoa.s_addr = 0;
}

static void test_admission(void)
{
	static const uint32_t results[N_SPOILS] = {DM_SUCCESS,
						   DM_USER_UNKNOWN,
						   DM_AUTHORIZATION_REJECTED,
						   DM_AUTHORIZATION_REJECTED,
						   DM_AUTHORIZATION_REJECTED,
						   DM_AUTHORIZATION_REJECTED,
						   DM_HA_NOT_AVAILABLE,
						   DM_NO_FOREIGN_HA_SERVICE,
						   DM_AUTHORIZATION_REJECTED,
						   DM_SUCCESS,
						   DM_SUCCESS,
						   DM_SUCCESS};
	struct aaah_verdict v;
	struct fixture f;

	for (enum user_spoil how = 0; how < N_SPOILS; how++) {
		struct request r = good_request();
		enum plan_address need = 99;
		struct in_addr hoa;
		bool ok;

		fixture_init(&f);
		spoil(&f, &r, how);
		fixture_request(&f, &r);
		ok = plan_admit(&f.rules, &f.amr, &f.rrq, &f.rows, &need, &hoa, &v);
		HARNESS_AT(ok == (results[how] == DM_SUCCESS), "row %d: %s", how, v.text);
		HARNESS_AT(ok || v.result == results[how], "row %d: %u %s", how, v.result, v.text);
		HARNESS_AT(!ok || need == (how == DYNAMIC ? PLAN_HOA_ALLOCATE : PLAN_HOA_KNOWN), "row %d",
			   how);
	}
}

static void test_wrong_key_is_not_told_from_a_switched_off_user(void)
{
	struct request r = good_request();
	enum plan_address need;
	struct aaah_verdict v;
	struct in_addr hoa;
	struct fixture f;

	fixture_init(&f);
	r.key = "another key.....";
	fixture_request(&f, &r);
	f.rows.user.enabled = false;
	CU_ASSERT_FALSE(plan_admit(&f.rules, &f.amr, &f.rrq, &f.rows, &need, &hoa, &v));
	CU_ASSERT_EQUAL(v.result, DM_AUTHENTICATION_REJECTED);
}

static struct plan *make(struct fixture *f, struct aaah_verdict *v, bool expect)
{
	struct plan *p = calloc(1, sizeof(*p));

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	HARNESS_AT(plan_make(&f->rules, &f->amr, &f->rrq, &f->rows, HOA, "aaah;9;9", p, v) == expect, "%s",
		   v->text);
	return p;
}

static void test_first_registration(void)
{
	struct aaah_verdict v;
	struct dm_har har;
	struct fixture f;
	struct plan *p;

	fixture_init(&f);
	p = make(&f, &v, true);
	CU_ASSERT_EQUAL(plan_har(p, &f.amr, &f.rows, &har), 0);
	CU_ASSERT_STRING_EQUAL(har.session, "aaah;9;9");
	CU_ASSERT_STRING_EQUAL(har.dest_host, "ha.home.test");
	CU_ASSERT_EQUAL(har.vpn.n, 2);
	CU_ASSERT_EQUAL(har.vpn.p[0].enc_key.len, AAAH_PROFILE_KEY_LEN);
	CU_ASSERT_NOT_EQUAL(memcmp(har.vpn.p[0].enc_key.data, har.vpn.p[0].auth_key.data, 32), 0);
	CU_ASSERT_EQUAL(har.vpn.p[1].enc_key.len, 0);
	CU_ASSERT_EQUAL(har.auth_lifetime, 1800);
	CU_ASSERT_EQUAL(har.msa_lifetime, 7200);
	CU_ASSERT_EQUAL(har.rrq.len, f.amr.rrq.len);
	CU_ASSERT_TRUE(har.mn_to_ha.present && har.ha_to_mn.present && har.mn_to_fa.present &&
		       har.ha_to_fa.present);
	for (int i = 0; i < har.vpn.n; i++)
		CU_ASSERT_PTR_NULL(vpn_profile_check(&har.vpn.p[i]));
	dm_har_wipe(&har);
	plan_wipe(p);
	free(p);
}

/* RFC 3957: the mobile node derives the same keys from the nonces. */
static void test_session_keys(void)
{
	struct aaah_verdict v;
	struct fixture f;
	struct plan *p;
	uint8_t k[20];

	fixture_init(&f);
	p = make(&f, &v, true);
	mip_keygen_derive("0123456789abcdef", 16, p->msas.mn_to_ha.key.data, p->msas.mn_to_ha.key.len,
			  "alice@home.test", HOA, k);
	CU_ASSERT_EQUAL(memcmp(k, p->msas.ha_to_mn.key.data, 20), 0);
	mip_keygen_derive("0123456789abcdef", 16, p->msas.mn_to_fa.key.data, p->msas.mn_to_fa.key.len,
			  "alice@home.test", HOA, k);
	CU_ASSERT_EQUAL(memcmp(k, p->msas.fa_to_mn.key.data, 20), 0);
	CU_ASSERT_TRUE(p->msas.mn_to_ha.key.len >= 16);
	CU_ASSERT_NOT_EQUAL(memcmp(p->msas.mn_to_ha.key.data, p->msas.mn_to_fa.key.data, 16), 0);
	CU_ASSERT_EQUAL(p->msas.ha_to_mn.spi, 1042);
	CU_ASSERT_EQUAL(p->msas.fa_to_mn.spi, 1040);
	CU_ASSERT_EQUAL(p->msas.ha_to_fa.spi, 1323);
	CU_ASSERT_EQUAL(memcmp(p->msas.ha_to_fa.key.data, p->msas.fa_to_ha.key.data, 20), 0);
	plan_wipe(p);
	free(p);
}

static void test_only_the_keys_that_are_asked_for(void)
{
	static const uint32_t all[] = {0, DM_F_MN_HA_KEY, DM_F_MN_FA_KEY, DM_F_FA_HA_KEY};
	struct aaah_verdict v;
	struct fixture f;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct plan *p;

		fixture_init(&f);
		f.amr.features = all[i];
		p = make(&f, &v, true);
		HARNESS_AT(p->msas.ha_to_mn.present == (all[i] == DM_F_MN_HA_KEY), "features %u", all[i]);
		HARNESS_AT(p->msas.fa_to_mn.present == (all[i] == DM_F_MN_FA_KEY), "features %u", all[i]);
		HARNESS_AT(p->msas.ha_to_fa.present == (all[i] == DM_F_FA_HA_KEY), "features %u", all[i]);
		plan_wipe(p);
		free(p);
	}
}

static void test_vpn_that_is_not_permitted(void)
{
	struct aaah_verdict v;
	struct fixture f;
	struct plan *p;

	fixture_init(&f);
	f.vpn[1] = fixture_vpn(4);
	f.vpn[1].sla_listed = false;
	f.rows.n_vpns = 2;
	p = make(&f, &v, true);
	CU_ASSERT_EQUAL(p->n_left_out, 1);
	CU_ASSERT_EQUAL(p->route.n_foreign, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(p->left_out, "VPN 4: the user is not on the contract's list"));
	free(p);
	f.rules.refuse_not_permitted = true;
	p = make(&f, &v, false);
	CU_ASSERT_EQUAL(v.result, DM_AUTHORIZATION_REJECTED);
	free(p);
	f.vpn[1].required = false;
	p = make(&f, &v, true);
	free(p);
}

static void live(struct fixture *f, struct vpn_profile cached[2])
{
	struct aaah_verdict v;
	struct plan *p = make(f, &v, true);

	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	memcpy(cached, p->route.home, 2 * sizeof(*cached));
	f->rows.cached = cached;
	f->rows.n_cached = 2;
	f->rows.n_vpns = 0; /* as the database answers for a live session */
	f->rows.session.live = true;
	strcpy(f->rows.session.ha_session, "aaah;1;1");
	f->rows.session.fa = FA;
	f->rows.session.hoa = HOA;
	f->rows.session.handoff = p->handoff;
	free(p);
}

static void test_live_session(void)
{
	struct vpn_profile cached[2];
	struct aaah_verdict v;
	struct fixture f;
	struct plan *p;

	fixture_init(&f);
	live(&f, cached);
	p = make(&f, &v, true);
	CU_ASSERT_STRING_EQUAL(p->ha_session, "aaah;1;1");
	CU_ASSERT_TRUE(p->live && !p->moved);
	CU_ASSERT_TRUE(vpn_profile_equal(&p->route.foreign[0], &cached[0]));
	CU_ASSERT_EQUAL(memcmp(&p->handoff, &f.rows.session.handoff, sizeof(p->handoff)), 0);
	free(p);
	f.amr.service_update = true; /* C5: what the database says now, which is nothing here */
	p = make(&f, &v, true);
	CU_ASSERT_EQUAL(p->route.n_home, 0);
	free(p);
}

/* C5: read again, one VPN has another class, one is new, one behind another gateway. */
static void test_service_update_keeps_keys(void)
{
	struct vpn_profile cached[2], pcn;
	struct aaah_verdict v;
	struct fixture f;
	struct plan *p;

	fixture_init(&f);
	live(&f, cached);
	f.amr.service_update = true;
	f.rows.n_vpns = 2;
	f.vpn[0].dscp_up = 10;
	f.vpn[1] = fixture_dynamic_vpn(7);
	p = make(&f, &v, true);
	CU_ASSERT_EQUAL_FATAL(p->route.n_home, 3);
	CU_ASSERT_EQUAL(p->route.home[0].tos_up, 10 << 2);
	for (int i = 0; i < 2; i++) { /* at the home agent and at the foreign one */
		struct vpn_profile got = i ? p->route.foreign[0] : p->route.home[0];

		got.tos_up = cached[0].tos_up;
		HARNESS_AT(vpn_profile_equal(&got, &cached[0]), "profile %d", i);
	}
	pcn = p->route.home[2];
	CU_ASSERT_EQUAL(pcn.enc_key.len, AAAH_PROFILE_KEY_LEN);
	free(p);
	cached[1] = pcn; /* the next time the contract's VPN is gone */
	f.vpn[0] = f.vpn[1];
	f.rows.n_vpns = 1;
	p = make(&f, &v, true);
	CU_ASSERT_EQUAL_FATAL(p->route.n_home, 1);
	CU_ASSERT_TRUE(vpn_profile_equal(&p->route.home[0], &pcn));
	CU_ASSERT_TRUE(vpn_profile_equal(&p->route.foreign[0], &pcn));
	CU_ASSERT_STRING_EQUAL(p->route.home[0].bu_context, pcn.bu_context);
	CU_ASSERT_EQUAL(p->route.foreign[0].bu_key.len, 0);
	free(p);
	/* The gateway has another master key: it would not open the old one's. */
	f.vpn[0].pcn_key.data[0] ^= 1;
	p = make(&f, &v, true);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	CU_ASSERT_TRUE(vpn_profile_equal(&p->route.home[0], &pcn));
	CU_ASSERT_STRING_NOT_EQUAL(p->route.home[0].bu_context, pcn.bu_context);
	free(p);
	f.vpn[0].spi_up++;
	p = make(&f, &v, true);
	CU_ASSERT_NOT_EQUAL(memcmp(&p->route.home[0].enc_key, &pcn.enc_key, sizeof(pcn.enc_key)), 0);
	CU_ASSERT_EQUAL(memcmp(&p->route.home[0].enc_key, &p->route.foreign[0].enc_key, sizeof(pcn.enc_key)),
			0);
	f.vpn[0].spi_up--;
	free(p);
	f.rows.cached_bad = true; /* under another key file */
	p = make(&f, &v, true);
	CU_ASSERT_FALSE(vpn_profile_equal(&p->route.home[0], &pcn));
	free(p);
}

/* Note 16: nobody has asked; what is new is not required, what is not permitted goes. */
static void test_live_change(void)
{
	struct vpn_profile cached[2];
	struct aaah_verdict v;
	struct fixture f;
	struct dm_har u;
	struct plan p;

	fixture_init(&f);
	live(&f, cached);
	f.rules.refuse_not_permitted = true; /* is for registrations */
	f.rows.n_vpns = 1;
	CU_ASSERT_TRUE(plan_live(&f.rules, &f.rows, &p, &v));
	CU_ASSERT_TRUE(plan_live_same(&p, &f.rows));
	f.vpn[0].required = false; /* for the next registration */
	CU_ASSERT_TRUE(plan_live(&f.rules, &f.rows, &p, &v) && plan_live_same(&p, &f.rows));
	f.vpn[0].dscp_down = 0;
	CU_ASSERT_TRUE(plan_live(&f.rules, &f.rows, &p, &v));
	CU_ASSERT_FALSE(plan_live_same(&p, &f.rows));
	CU_ASSERT_EQUAL(memcmp(&p.route.foreign[0].enc_key, &cached[0].enc_key, sizeof(cached[0].enc_key)),
			0);
	f.vpn[1] = fixture_dynamic_vpn(7);
	f.rows.n_vpns = 2;
	CU_ASSERT_TRUE(plan_live(&f.rules, &f.rows, &p, &v));
	CU_ASSERT_EQUAL_FATAL(p.route.n_home, 3);
	CU_ASSERT_TRUE(p.route.home[0].required && p.route.foreign[0].required);
	CU_ASSERT_FALSE(p.route.home[2].required || p.route.foreign[1].required);
	CU_ASSERT_EQUAL(plan_vur(&p, true, &u), 0);
	CU_ASSERT_TRUE(u.vpn.n == 3 && u.vpn.p[2].bu_key.len == 32);
	dm_har_wipe(&u);
	CU_ASSERT_EQUAL(plan_vur(&p, false, &u), 0);
	CU_ASSERT_TRUE(u.vpn.n == 2 && u.vpn.p[1].bu_key.len == 0);
	dm_har_wipe(&u);
	f.vpn[0].sla_listed = false;
	CU_ASSERT_TRUE(plan_live(&f.rules, &f.rows, &p, &v));
	CU_ASSERT_EQUAL(p.route.n_home, 1);
	CU_ASSERT_STRING_EQUAL(p.left_out, "VPN 1: the user is not on the contract's list");
	f.rows.n_vpns = 1;
	CU_ASSERT_TRUE(plan_live(&f.rules, &f.rows, &p, &v));
	CU_ASSERT_TRUE(p.route.n_home == 0 && !plan_live_same(&p, &f.rows));
	plan_wipe(&p);
}

/* Together with a move to another foreign agent. */
static void test_service_update_elsewhere(void)
{
	struct request r = good_request();
	struct vpn_profile cached[2];
	struct aaah_verdict v;
	struct fixture f;
	struct plan *p;

	fixture_init(&f);
	live(&f, cached);
	f.rows.n_vpns = 1;
	r.coa = FA2;
	fixture_request(&f, &r);
	f.amr.service_update = true;
	p = make(&f, &v, true);
	CU_ASSERT_NOT_EQUAL(
		memcmp(&p->route.foreign[0].enc_key, &cached[0].enc_key, sizeof(cached[0].enc_key)), 0);
	CU_ASSERT_EQUAL(
		memcmp(&p->route.foreign[0].enc_key, &p->route.home[0].enc_key, sizeof(cached[0].enc_key)),
		0);
	CU_ASSERT_TRUE(vpn_profile_equal(&p->route.home[1], &cached[1]));
	free(p);
}

static void test_move(void)
{
	struct request r = good_request();
	struct vpn_profile cached[2];
	struct aaah_verdict v;
	struct fixture f;
	struct plan *p;

	fixture_init(&f);
	live(&f, cached);
	r.coa = FA2;
	fixture_request(&f, &r);
	p = make(&f, &v, true);
	CU_ASSERT_TRUE(p->live && p->moved);
	CU_ASSERT_EQUAL(p->route.foreign[0].src_gw.s_addr, FA2.s_addr);
	CU_ASSERT_NOT_EQUAL(
		memcmp(&p->route.foreign[0].enc_key, &cached[0].enc_key, sizeof(cached[0].enc_key)), 0);
	CU_ASSERT_EQUAL(
		memcmp(&p->route.foreign[0].enc_key, &p->route.home[0].enc_key, sizeof(cached[0].enc_key)),
		0);
	CU_ASSERT_TRUE(vpn_profile_equal(&p->route.home[1], &cached[1]));
	free(p);
}

static void test_lifetimes(void)
{
	static const struct {
		uint32_t rules, user, hint, expect;
	} rows[] = {{1800, 0, 0, 1800},
		    {1800, 600, 0, 600},
		    {1800, 3600, 0, 1800},
		    {1800, 0, 60, 60},
		    {1800, 600, 60, 60}};
	struct aaah_verdict v;
	struct fixture f;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan *p;

		fixture_init(&f);
		f.rules.lifetime = rows[i].rules;
		f.rules.msa_lifetime = 100;
		f.rows.user.max_lifetime = rows[i].user;
		f.amr.auth_lifetime = rows[i].hint;
		p = make(&f, &v, true);
		HARNESS_AT(p->lifetime == rows[i].expect, "row %zu: %u", i, p->lifetime);
		HARNESS_AT(p->msa_lifetime >= p->lifetime, "row %zu", i);
		free(p);
	}
}

static void test_answer(void)
{
	struct dm_haa haa = {
		.result = DM_SUCCESS, .fa_to_ha_spi = 2318, .fa_to_mn_spi = 1040, .multi_session = "m"};
	struct aaah_verdict v;
	struct dm_ama ama;
	struct fixture f;
	struct plan *p;

	fixture_init(&f);
	p = make(&f, &v, true);
	CU_ASSERT_EQUAL(plan_ama(p, &f.amr, &haa, &ama), 0);
	CU_ASSERT_EQUAL(ama.result, DM_SUCCESS);
	CU_ASSERT_EQUAL(ama.vpn.n, 1);
	CU_ASSERT_EQUAL(ama.fa_to_ha.spi, 2318);
	CU_ASSERT_STRING_EQUAL(ama.multi_session, "m");
	CU_ASSERT_EQUAL(ama.vpn.handoff.len, AAAH_HANDOFF_KEY_LEN);
	CU_ASSERT_FALSE(ama.has_previous_fa);
	dm_ama_wipe(&ama);
	/* only the home agent knows where the user was: he may have moved without us (D2) */
	haa.has_previous_fa = true;
	haa.previous_fa = FA2;
	CU_ASSERT_EQUAL(plan_ama(p, &f.amr, &haa, &ama), 0);
	CU_ASSERT_TRUE(ama.has_previous_fa && ama.previous_fa.s_addr == FA2.s_addr);
	dm_ama_wipe(&ama);
	p->moved = true; /* seen from the row */
	haa.has_previous_fa = false;
	CU_ASSERT_EQUAL(plan_ama(p, &f.amr, &haa, &ama), 0);
	CU_ASSERT_FALSE(ama.has_previous_fa);
	dm_ama_wipe(&ama);
	haa.result = DM_MIP_REPLY_FAILURE;
	haa.rrp.len = 20;
	CU_ASSERT_EQUAL(plan_ama(p, &f.amr, &haa, &ama), 0);
	CU_ASSERT_EQUAL(ama.result, DM_MIP_REPLY_FAILURE);
	CU_ASSERT_EQUAL(ama.rrp.len, 20);
	CU_ASSERT_EQUAL(ama.vpn.n, 0);
	CU_ASSERT_FALSE(ama.fa_to_mn.present);
	dm_ama_wipe(&ama);
	haa.result = DM_UNABLE_TO_COMPLY;
	haa.rrp.len = 0;
	CU_ASSERT_EQUAL(plan_ama(p, &f.amr, &haa, &ama), 0);
	CU_ASSERT_EQUAL(ama.result, DM_HA_NOT_AVAILABLE);
	dm_ama_wipe(&ama);
	free(p);
}

/* One static gateway and two PCNs in one registration, one of which did not come up and need not. */
static void test_mixed_user(void)
{
	struct dm_haa haa = {
		.result = DM_SUCCESS, .n_refused = 1, .refused = {{8, "the gateway does not answer"}}};
	struct aaah_verdict v;
	struct dm_ama ama;
	struct dm_har har;
	struct fixture f;
	struct plan *p;

	fixture_init(&f);
	f.vpn[1] = fixture_dynamic_vpn(7);
	f.vpn[2] = fixture_dynamic_vpn(8);
	f.vpn[2].gateway = ip(198, 51, 100, 33);
	f.vpn[2].required = false;
	f.rows.n_vpns = 3;
	p = make(&f, &v, true);
	CU_ASSERT_EQUAL(plan_har(p, &f.amr, &f.rows, &har), 0);
	CU_ASSERT_EQUAL_FATAL(har.vpn.n, 4);
	for (int i = 0; i < 4; i++)
		HARNESS_AT((har.vpn.p[i].bu_key.len == 32) == (i >= 2), "profile %d", i);
	CU_ASSERT_EQUAL(plan_ama(p, &f.amr, &haa, &ama), 0);
	CU_ASSERT_EQUAL(ama.result, DM_SUCCESS);
	CU_ASSERT_EQUAL_FATAL(ama.vpn.n, 3);
	CU_ASSERT_EQUAL(ama.vpn.p[2].number, 8);
	CU_ASSERT_EQUAL(ama.vpn.p[1].bu_key.len + ama.vpn.p[2].bu_key.len, 0);
	CU_ASSERT_EQUAL(ama.n_refused, 1);
	CU_ASSERT_EQUAL(ama.refused[0].number, 8);
	CU_ASSERT_STRING_EQUAL(ama.error, "VPN 8: the gateway does not answer");
	dm_ama_wipe(&ama);
	haa.n_refused = DM_REFUSED_MAX;
	for (int i = 0; i < DM_REFUSED_MAX; i++)
		memset(haa.refused[i].text, 'x', DM_ERROR_MAX - 1);
	CU_ASSERT_EQUAL(plan_ama(p, &f.amr, &haa, &ama), 0);
	CU_ASSERT_EQUAL(ama.n_refused, DM_REFUSED_MAX);
	CU_ASSERT_EQUAL(strlen(ama.error), DM_ERROR_MAX - 1);
	dm_ama_wipe(&ama);
	dm_har_wipe(&har);
	plan_wipe(p);
	free(p);
}

static void test_deregistration_has_no_tunnels(void)
{
	struct request r = good_request();
	struct aaah_verdict v;
	struct fixture f;
	struct plan *p;

	fixture_init(&f);
	r.lifetime = 0;
	fixture_request(&f, &r);
	p = make(&f, &v, true);
	CU_ASSERT_TRUE(p->deregister);
	CU_ASSERT_EQUAL(p->route.n_home + p->route.n_foreign, 0);
	free(p);
}

HARNESS_MAIN("aaah/plan", HARNESS_CASE(test_admission),
	     HARNESS_CASE(test_wrong_key_is_not_told_from_a_switched_off_user),
	     HARNESS_CASE(test_first_registration), HARNESS_CASE(test_session_keys),
	     HARNESS_CASE(test_only_the_keys_that_are_asked_for),
	     HARNESS_CASE(test_vpn_that_is_not_permitted), HARNESS_CASE(test_live_session),
	     HARNESS_CASE(test_service_update_keeps_keys), HARNESS_CASE(test_service_update_elsewhere),
	     HARNESS_CASE(test_live_change), HARNESS_CASE(test_move), HARNESS_CASE(test_lifetimes),
	     HARNESS_CASE(test_answer), HARNESS_CASE(test_mixed_user),
	     HARNESS_CASE(test_deregistration_has_no_tunnels))
