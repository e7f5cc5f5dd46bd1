/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The home agent's side of dynamic gateways, the PCNs being the test (E7, F4, F8, F9): what it tells, how
 * often, whom it believes, what it says to the AAAH, and that it takes everything back.
 */
#include "tests/unit/roles/told.h"

/* --- F4 --- */

static void test_update(void)
{
	struct bind_msg m;
	struct vpn_profile p;
	uint8_t auth[32], seal[32];
	char err[128];

	begin(1);
	CU_ASSERT_EQUAL(join(), -1); /* the reply waits (E8) */
	CU_ASSERT_EQUAL(w.haas, 0);
	CU_ASSERT_EQUAL(told(DYN), 1);
	m = last_update(DYN);
	vpn_bu_auth_key(vpn[0].bu_key.data, auth);
	vpn_bu_seal_key(vpn[0].bu_key.data, seal);
	CU_ASSERT_EQUAL(m.flags, BIND_A | BIND_I);
	CU_ASSERT_EQUAL(m.lifetime, 300);
	CU_ASSERT_EQUAL(m.hoa.s_addr, alice.hoa.s_addr);
	CU_ASSERT_EQUAL(m.coa.s_addr, addr(FA_ADDR).s_addr);
	CU_ASSERT_TRUE(bind_auth_check(&m, auth));
	CU_ASSERT_EQUAL(bind_open_profile(&m, seal, &p, err, sizeof(err)), 0);
	CU_ASSERT_EQUAL(p.bu_key.len, 0); /* does not travel */
	CU_ASSERT_EQUAL(w.told[DYN].path.dst.s_addr, addr("203.0.113.1").s_addr);
	CU_ASSERT_EQUAL(w.told[DYN].path.src.s_addr, addr(HA_ADDR).s_addr);
	answer(DYN, (struct answer){0});
	CU_ASSERT_EQUAL(alice.replies, 1);
	CU_ASSERT_EQUAL(alice.rrp.code, 0);
	CU_ASSERT_EQUAL(w.haa_result, DM_SUCCESS);
	CU_ASSERT_EQUAL(w.haa.n_refused, 0);
	CU_ASSERT_EQUAL(told(DYN), 1);
	finish();
	CU_ASSERT_EQUAL(last_lifetime(DYN), 0);
}

/* 0.5, 1, 2 s and a jitter below 0.1 s; the same message each time; at the deadline 130 with the reason,
 * all taken back. */
static void test_silent_pcn(void)
{
	struct bind_msg first;

	begin(1);
	CU_ASSERT_EQUAL(join(), -1);
	first = last_update(DYN);
	world_pass(&w, 499);
	CU_ASSERT_EQUAL(told(DYN), 1);
	world_pass(&w, 101);
	CU_ASSERT_EQUAL(told(DYN), 2);
	CU_ASSERT_EQUAL(last_update(DYN).ident, first.ident);
	world_pass(&w, 1200);
	CU_ASSERT_EQUAL(told(DYN), 3);
	CU_ASSERT_EQUAL(alice.replies, 0);
	world_pass(&w, 1200); /* vpn_timeout, 3 s */
	CU_ASSERT_EQUAL(alice.replies, 1);
	CU_ASSERT_EQUAL(alice.rrp.code, MIP_HA_RESOURCES);
	CU_ASSERT_PTR_NOT_NULL(strstr(w.haa.error, "VPN 5: the gateway 198.51.100.32: it does not answer"));
	CU_ASSERT_EQUAL(w.haa_result, DM_MIP_REPLY_FAILURE);
	CU_ASSERT_EQUAL(last_lifetime(DYN), 0);
	answer(DYN, (struct answer){0});
	first.lifetime = (uint16_t)told(DYN);
	world_pass(&w, 20000);
	CU_ASSERT_EQUAL(told(DYN), first.lifetime); /* acknowledged: said once */
	finish();
}

static void test_refused(void)
{
	static const uint8_t status[] = {128, 129, 130, 133, 134, 200};

	for (size_t i = 0; i < sizeof(status); i++) {
		begin(3); /* mixed: two dynamic, one local, which is taken back, too (the ledger) */
		w.vpn[AT_HA] = i % 2 ? VPN_COMES_UP : VPN_HANGS;
		CU_ASSERT_EQUAL(join(), -1);
		answer(DYN, (struct answer){.status = status[i]});
		CU_ASSERT_EQUAL(alice.rrp.code, MIP_HA_RESOURCES);
		CU_ASSERT_PTR_NOT_NULL(strstr(w.haa.error, bind_status_str(status[i])));
		CU_ASSERT_EQUAL(last_lifetime(DYN2), 0);
		CU_ASSERT_EQUAL(ha_count(&w), 0);
		answer(DYN2, (struct answer){0});
		finish();
	}
}

static void test_only_dynamic_needs_no_tunnel_here(void)
{
	begin(2);
	w.vpn[AT_HA] = VPN_FAILS; /* it is not asked */
	CU_ASSERT_EQUAL(join(), -1);
	answer(DYN, (struct answer){0});
	CU_ASSERT_EQUAL(alice.replies, 0); /* both are required */
	answer(DYN, (struct answer){0});   /* twice the same does not count twice */
	CU_ASSERT_EQUAL(alice.replies, 0);
	answer(DYN2, (struct answer){0});
	CU_ASSERT_EQUAL(alice.rrp.code, 0);
	finish();
}

static void test_mixed(void)
{
	for (int tunnel_first = 0; tunnel_first < 2; tunnel_first++) {
		begin(3);
		w.vpn[AT_HA] = VPN_HANGS;
		CU_ASSERT_EQUAL(join(), -1);
		if (tunnel_first)
			world_vpn_answers(&w, AT_HA, true);
		answer(DYN, (struct answer){0});
		answer(DYN2, (struct answer){0});
		CU_ASSERT_EQUAL(alice.replies, tunnel_first);
		if (!tunnel_first)
			world_vpn_answers(&w, AT_HA, true);
		CU_ASSERT_EQUAL(alice.replies, 1);
		CU_ASSERT_EQUAL(alice.rrp.code, 0);
		finish();
	}
	begin(3);
	w.vpn[AT_HA] = VPN_HANGS; /* the local one fails */
	CU_ASSERT_EQUAL(join(), -1);
	answer(DYN, (struct answer){0});
	world_vpn_answers(&w, AT_HA, false);
	CU_ASSERT_EQUAL(alice.rrp.code, MIP_HA_RESOURCES);
	CU_ASSERT_EQUAL(last_lifetime(DYN), 0);
	CU_ASSERT_EQUAL(last_lifetime(DYN2), 0);
	finish();
}

/* What the console says of a profile. */
struct seen {
	uint32_t number;
	char text[DM_ERROR_MAX + 32];
};

static void see(void *user, const struct ha_told *t)
{
	struct seen *s = user;

	if (t->profile->number == s->number)
		snprintf(s->text, sizeof(s->text), "%s %u %s", t->state, t->left_s > 0, t->why);
}

static const char *shown(uint32_t number)
{
	static struct seen s;

	s = (struct seen){.number = number};
	ha_told_each(w.ha, w.now, see, &s);
	return s.text;
}

static void test_best_effort(void)
{
	for (int silent = 0; silent < 2; silent++) {
		begin(2);
		vpn[1].required = false;
		CU_ASSERT_EQUAL(join(), -1);
		answer(DYN, (struct answer){0});
		CU_ASSERT_STRING_EQUAL(shown(DYN2), "pending 0 Binding Update 1 is not answered yet");
		CU_ASSERT_EQUAL(alice.replies, 0);
		if (silent)
			world_pass(&w, 3000);
		else
			answer(DYN2, (struct answer){.status = BIND_RESOURCES});
		CU_ASSERT_EQUAL(alice.replies, 1);
		CU_ASSERT_EQUAL(alice.rrp.code, 0);
		CU_ASSERT_EQUAL_FATAL(w.haa.n_refused, 1);
		CU_ASSERT_EQUAL(w.haa.refused[0].number, DYN2);
		CU_ASSERT_PTR_NOT_NULL(
			strstr(w.haa.refused[0].text, silent ? "does not answer" : "insufficient"));
		CU_ASSERT_STRING_EQUAL(shown(DYN), "stands 1 ");
		CU_ASSERT_EQUAL(strncmp(shown(DYN2), "refused 0 VPN 6: the gateway 198.51.100.33: ", 44), 0);
		CU_ASSERT_EQUAL(last_lifetime(DYN), 300);
		world_pass(&w, 10000);
		first_packet("203.0.114.5", "10.1.0.10"); /* tried again when a correspondent calls (F9) */
		CU_ASSERT_EQUAL(last_lifetime(DYN2), 290);
		CU_ASSERT_EQUAL(w.told[DYN2].path.dst.s_addr, addr("203.0.114.5").s_addr);
		answer(DYN2, (struct answer){0});
		finish();
	}
}

/* --- whom to believe --- */

static void test_unauthentic_answers(void)
{
	static const struct answer bad[] = {{.other_key = true},
					    {.other_context = true},
					    {.other_number = true},
					    {.spoil = true},
					    {.ident_off = -1},
					    {.ident_off = 1},
					    {.status = 131, .spoil = true},
					    {.status = 130, .spoil = true},
					    {.status = 131}, /* signed, about a forgery in our name */
					    {.status = 130, .ident_off = -1}};

	begin(1);
	CU_ASSERT_EQUAL(join(), -1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		answer(DYN, bad[i]);
		HARNESS_AT(alice.replies == 0, "row %zu", i);
	}
	answer(DYN, (struct answer){0});
	CU_ASSERT_EQUAL(alice.rrp.code, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		answer(DYN, bad[i]);
	answer(DYN, (struct answer){.status = 130}); /* it has been answered already */
	CU_ASSERT_EQUAL(told(DYN), 1);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	finish();
	begin(1); /* another master key: said to be possible, at the deadline */
	CU_ASSERT_EQUAL(join(), -1);
	answer(DYN, (struct answer){.status = 131, .other_key = true});
	CU_ASSERT_EQUAL(alice.replies, 0);
	world_pass(&w, 3000);
	CU_ASSERT_EQUAL(alice.rrp.code, MIP_HA_RESOURCES);
	CU_ASSERT_PTR_NOT_NULL(strstr(w.haa.error, "another master key (status 131)"));
	finish();
}

static void test_rubbish(void)
{
	uint8_t mem[MIP_MSG_MAX] = {0};
	struct role_event e = {.type = EV_PACKET,
			       .data = mem,
			       .path = {.src = addr("203.0.113.5"), .dst = addr(HA_ADDR), .sport = MIP_PORT}};

	joined(1);
	for (unsigned type = BIND_WARNING; type <= BIND_ACK; type++) {
		memcpy(mem, w.told[DYN].bytes, w.told[DYN].len);
		mem[0] = (uint8_t)type;
		for (e.len = 1; e.len <= w.told[DYN].len; e.len++)
			ha_tell(&w, &e);
	}
	CU_ASSERT_TRUE(told(DYN) <= 3); /* a request among it, and a warning */
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	CU_ASSERT_EQUAL(last_lifetime(DYN), told(DYN) == 1 ? 300 : 299);
	finish();
}

/* --- E7, renewals --- */

static void test_renewal_by_udp(void)
{
	joined(2);
	CU_ASSERT_EQUAL(renew(200), 0); /* nobody waits */
	CU_ASSERT_EQUAL(told(DYN), 2);
	CU_ASSERT_EQUAL(told(DYN2), 2);
	CU_ASSERT_EQUAL(last_lifetime(DYN), 200);
	answer(DYN, (struct answer){0});
	world_pass(&w, 10000); /* the second is silent: the binding stands all the same */
	CU_ASSERT_EQUAL(told(DYN), 2);
	CU_ASSERT_TRUE(told(DYN2) > 3);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	finish();
}

static void test_renewal_by_har(void)
{
	for (int same = 0; same < 2; same++) {
		joined(2);
		w.same_session = same;
		w.n_profiles = 1; /* the second is no longer the user's */
		vpn[0].src_gw = addr("198.51.100.12");
		CU_ASSERT_EQUAL(join(), -1);
		CU_ASSERT_EQUAL(last_update(DYN).coa.s_addr, addr("198.51.100.12").s_addr);
		answer(DYN, (struct answer){0});
		CU_ASSERT_EQUAL(alice.replies, 2);
		CU_ASSERT_EQUAL(alice.rrp.code, 0);
		CU_ASSERT_EQUAL(last_lifetime(DYN), 300);
		CU_ASSERT_EQUAL(last_lifetime(DYN2), 0);
		finish();
		CU_ASSERT_EQUAL(last_lifetime(DYN), 0);
	}
}

/* The binding stands, and so does what the PCNs have for it. */
static void test_renewal_fails(void)
{
	for (int same = 0; same < 2; same++) {
		joined(2);
		w.same_session = same;
		vpn[0].src_gw = addr("198.51.100.12");
		CU_ASSERT_EQUAL(join(), -1);
		answer(DYN, (struct answer){0});
		answer(DYN2, (struct answer){.status = BIND_RESOURCES});
		CU_ASSERT_EQUAL(alice.rrp.code, MIP_HA_RESOURCES);
		CU_ASSERT_EQUAL(ha_count(&w), 1);
		CU_ASSERT_EQUAL(last_update(DYN).coa.s_addr, addr(FA_ADDR).s_addr); /* as it was */
		CU_ASSERT_EQUAL(last_lifetime(DYN), 299);
		CU_ASSERT_EQUAL(last_lifetime(DYN2), 299);
		answer(DYN, (struct answer){0});
		answer(DYN2, (struct answer){0});
		finish();
		CU_ASSERT_EQUAL(last_lifetime(DYN), 0);
	}
}

static void test_superseded(void)
{
	begin(1);
	CU_ASSERT_EQUAL(join(), -1);
	world_pass(&w, 1000);
	CU_ASSERT_EQUAL(join(), -1); /* the first is replaced, the second waits */
	answer(DYN, (struct answer){0});
	CU_ASSERT_EQUAL(last_lifetime(DYN), 300);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	finish();
}

/* What hangs here is of no use to a newer HAR of the same session that has tunnels elsewhere only, or none.
 */
static void test_superseded_without_tunnels(void)
{
	for (uint8_t n = 0; n < 3; n++) {
		begin(3);
		w.vpn[AT_HA] = VPN_HANGS;
		CU_ASSERT_EQUAL(join(), -1);
		world_pass(&w, 1000);
		w.n_profiles = n;
		join();
		for (uint32_t number = DYN; number < DYN + n; number++)
			answer(number, (struct answer){0});
		CU_ASSERT_EQUAL(alice.rrp.code, 0);
		finish();
	}
}

/* --- ends: told with lifetime 0, again until acknowledged, then forgotten --- */

static void test_ends(void)
{
	for (int how = 0; how < ENDS; how++) {
		unsigned before;
		struct bind_msg m;

		joined(2);
		before = told(DYN);
		end_it((enum end)how);
		m = last_update(DYN);
		CU_ASSERT_EQUAL(told(DYN), before + 1);
		CU_ASSERT_EQUAL(m.lifetime, 0);
		CU_ASSERT_EQUAL(m.coa.s_addr, m.hoa.s_addr);
		CU_ASSERT_EQUAL(m.sealed.len, 0);
		CU_ASSERT_EQUAL(ha_count(&w), 0); /* nobody waits for the PCN */
		answer(DYN, (struct answer){0});
		world_pass(&w, 600);
		answer(DYN2, (struct answer){.status = 133}); /* whatever it says: it has heard */
		CU_ASSERT_EQUAL(told(DYN2), 3);
		world_pass(&w, 20000);
		CU_ASSERT_EQUAL(told(DYN), before + 1);
		CU_ASSERT_EQUAL(told(DYN2), 3);
		finish();
	}
	joined(1); /* nobody answers: four times, then it is forgotten */
	end_it(BY_DROP);
	world_pass(&w, 30000);
	CU_ASSERT_EQUAL(told(DYN), 5);
	CU_ASSERT_EQUAL(ha_next(w.ha) > w.now + 600, true);
	finish();
}

/* The agent has been idle for long: the Identification of what it says at its end has to be of now, not of
 * then. */
static void test_shutdown(void)
{
	struct actions out = {0};
	struct bind_msg m = {0};
	unsigned n = 0;

	joined(1);
	ha_shutdown(w.ha, w.now + 60000, &out);
	for (size_t i = 0; i < out.n; i++) {
		if (out.a[i].type != ACT_UDP_SEND)
			continue;
		n++;
		CU_ASSERT_EQUAL(bind_decode(out.a[i].data->data, out.a[i].data->len, &m), MIP_REJ_OK);
		CU_ASSERT_EQUAL(m.lifetime, 0);
		CU_ASSERT_TRUE(mip_ident_diff_ms(m.ident, mip_ident_from_unix_ms(w.wall + 60000, 0)) >=
			       -1000);
	}
	CU_ASSERT_EQUAL(n, 1);
	actions_clear(&out);
	fa_free(w.fa);
	ha_free(w.ha);
}

HARNESS_MAIN("roles/ha_bu", HARNESS_CASE(test_update), HARNESS_CASE(test_silent_pcn),
	     HARNESS_CASE(test_refused), HARNESS_CASE(test_only_dynamic_needs_no_tunnel_here),
	     HARNESS_CASE(test_mixed), HARNESS_CASE(test_best_effort), HARNESS_CASE(test_unauthentic_answers),
	     HARNESS_CASE(test_rubbish), HARNESS_CASE(test_renewal_by_udp), HARNESS_CASE(test_renewal_by_har),
	     HARNESS_CASE(test_renewal_fails), HARNESS_CASE(test_superseded),
	     HARNESS_CASE(test_superseded_without_tunnels), HARNESS_CASE(test_ends),
	     HARNESS_CASE(test_shutdown))
