/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Another set of VPNs for a user who is on (VUR; note 16): home agent, foreign agent and two PCNs in memory.
 */
#include "tests/unit/roles/world.h"

static struct world w;
static struct mn alice;
static struct vpn_profile vpn[3], set[3];
static struct role_row row;

static void begin(uint8_t n)
{
	world_with_pcns(&w, &alice, vpn, n);
	mn_join(&w, &alice, 300);
	world_pass(&w, 1000);
}

static size_t at_pcn(int i)
{
	return world_at_pcn(&w, i, &row);
}

static void finish(void)
{
	world_with_pcns_end(&w);
}

/* The set of those numbers; 0 ends. */
static void vur_to(int role, const char *session, const uint32_t *numbers)
{
	static struct dm_har h;
	struct role_event e = {
		.type = EV_VUR, .session = session, .har = &h, .token = 4711, .wall_ms = w.wall};

	memset(&h, 0, sizeof(h));
	strcpy(h.user, "alice@home.test");
	h.vpn.p = *numbers ? set : NULL; /* as a decoded message has it */
	for (; *numbers; numbers++)
		set[h.vpn.n++] = vpn[*numbers - 5];
	world_tell(&w, role, &e);
}

#define VUR_HA(...) vur_to(AT_HA, w.har_session, (const uint32_t[]){__VA_ARGS__, 0})
#define VUR_FA(...) vur_to(AT_FA, w.granted, (const uint32_t[]){__VA_ARGS__, 0})

static void said(unsigned n, uint32_t result)
{
	HARNESS_AT(w.vuas == n && w.vua.result == result, "%u answers, the last one %u: %s", w.vuas,
		   w.vua.result, w.vua.error);
	CU_ASSERT_EQUAL(w.vua_token, 4711);
}

static void test_home_agent(void)
{
	begin(3);
	CU_ASSERT_EQUAL(at_pcn(0) + at_pcn(1), 2);
	VUR_HA(5, 7);
	said(1, DM_SUCCESS);
	world_pass(&w, 1000);
	CU_ASSERT_EQUAL(at_pcn(0), 1);
	CU_ASSERT_EQUAL(at_pcn(1), 0); /* by a Binding Update of lifetime 0 */
	VUR_HA(5, 6, 7);
	said(2, DM_SUCCESS);
	CU_ASSERT_EQUAL(at_pcn(1), 1);
	CU_ASSERT_TRUE(row.left_s > 290 && row.left_s < 300); /* no longer than the binding */
	VUR_HA(6); /* no tunnel of the home agent's own any more */
	said(3, DM_SUCCESS);
	world_pass(&w, 1000);
	CU_ASSERT_EQUAL(at_pcn(0), 0);
	VUR_HA(0);
	said(4, DM_SUCCESS);
	world_pass(&w, 1000);
	CU_ASSERT_EQUAL(at_pcn(1), 0);
	CU_ASSERT_EQUAL(ha_count(&w), 1); /* he is on, all the same */
	VUR_HA(5, 7);
	said(5, DM_SUCCESS);
	CU_ASSERT_EQUAL(at_pcn(0), 1);
	CU_ASSERT_EQUAL(alice.replies, 1);
	finish();
}

static void test_nobody(void)
{
	begin(1);
	vur_to(AT_HA, "ha;nobody", (const uint32_t[]){5, 0});
	said(1, DM_UNKNOWN_SESSION);
	vur_to(AT_FA, "fa;nobody", (const uint32_t[]){5, 0});
	said(2, DM_UNKNOWN_SESSION);
	finish();
}

static void test_home_agent_under_way(void)
{
	begin(3);
	w.vpn[AT_HA] = VPN_HANGS;
	VUR_HA(7);
	CU_ASSERT_EQUAL(w.vuas, 0);
	VUR_HA(5);
	said(1, DM_TOO_BUSY);
	CU_ASSERT_EQUAL(at_pcn(0) + at_pcn(1), 2); /* nothing goes before the new set stands */
	world_vpn_answers(&w, AT_HA, true);
	said(2, DM_SUCCESS);
	world_pass(&w, 1000);
	CU_ASSERT_EQUAL(at_pcn(0) + at_pcn(1), 0);
	finish();
}

static void test_home_agent_fails(void)
{
	begin(2);
	w.vpn[AT_HA] = VPN_FAILS;
	VUR_HA(5, 7);
	said(1, DM_UNABLE_TO_COMPLY);
	world_pass(&w, 1000);
	CU_ASSERT_EQUAL(at_pcn(0) + at_pcn(1), 2); /* as before */
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	finish();
}

/* The contract's new connection is not up: all else is done, and the AAAH hears of it. */
static void test_contract_waits(void)
{
	begin(3);
	w.vpn_waits = "VPN 7: gateway 198.51.100.31: it refused our authentication";
	VUR_HA(5, 7);
	said(1, DM_SUCCESS);
	CU_ASSERT_EQUAL(w.vua.n_refused, 1);
	CU_ASSERT_EQUAL(w.vua.refused[0].number, 7);
	CU_ASSERT_STRING_EQUAL(w.vua.refused[0].text,
			       "gateway 198.51.100.31: it refused our authentication");
	world_pass(&w, 1000);
	CU_ASSERT_EQUAL(at_pcn(1), 0);
	w.vpn_waits = "by chance";
	VUR_HA(7);
	said(2, DM_SUCCESS);
	CU_ASSERT_EQUAL(w.vua.n_refused, 0);
	w.vpn_waits = NULL;
	VUR_HA(5, 6, 7);
	said(3, DM_SUCCESS);
	CU_ASSERT_EQUAL(w.vua.n_refused, 0);
	finish();
}

/* What ends the binding, or changes it, answers the update. */
static void test_home_agent_is_overtaken(void)
{
	struct ask again = {
		.lifetime = 300, .keys = true, .with_aaa = true, .with_challenge = true, .with_mn_fa = true};

	for (int how = 0; how < 4; how++) {
		const struct role_event by[] = {
			{.type = EV_ASR, .session = w.har_session, .token = 9},
			{.type = EV_DROP, .text = "alice@home.test"},
			{.type = EV_VPN_DOWN, .session = w.har_session, .text = "lost"},
		};

		begin(how == 2 ? 3 : 2); /* with a tunnel of its own, or without */
		w.vpn[AT_HA] = VPN_HANGS;
		VUR_HA(7);
		CU_ASSERT_EQUAL(w.vuas, 0);
		w.vpn[AT_HA] = VPN_COMES_UP;
		if (how < 3) {
			ha_tell(&w, &by[how]);
			CU_ASSERT_EQUAL(ha_count(&w), 0);
		} else {
			mn_hear(&w, &alice);
			CU_ASSERT_EQUAL(mn_send(&w, &alice, &again), 0);
			CU_ASSERT_EQUAL(ha_count(&w), 1);
		}
		said(1, DM_UNABLE_TO_COMPLY);
		finish();
	}
}

static void test_foreign_agent(void)
{
	begin(3);
	VUR_FA(5, 7);
	said(1, DM_SUCCESS);
	CU_ASSERT_EQUAL(w.vpn_asked[AT_FA], 2);
	fa_rows(w.fa, w.now, &row, 1);
	CU_ASSERT_EQUAL(row.n_profiles, 2);
	VUR_FA(0); /* none at all: what is there is taken down */
	said(2, DM_SUCCESS);
	fa_rows(w.fa, w.now, &row, 1);
	CU_ASSERT_EQUAL(row.n_profiles, 0);
	w.vpn[AT_FA] = VPN_HANGS;
	VUR_FA(6);
	CU_ASSERT_EQUAL(w.vuas, 2);
	VUR_FA(5);
	said(3, DM_TOO_BUSY);
	world_vpn_answers(&w, AT_FA, false);
	said(4, DM_UNABLE_TO_COMPLY);
	CU_ASSERT_EQUAL(fa_count(&w), 1); /* he is on with what he had: nothing */
	VUR_FA(6);
	world_vpn_answers(&w, AT_FA, true);
	said(5, DM_SUCCESS);
	VUR_FA(6, 7);
	world_vpn_answers(&w, AT_FA, false);
	said(6, DM_UNABLE_TO_COMPLY);
	fa_rows(w.fa, w.now, &row, 1);
	CU_ASSERT_EQUAL(row.n_profiles, 1);
	CU_ASSERT_EQUAL(alice.replies, 1);
	finish();
}

static void test_foreign_agent_is_overtaken(void)
{
	struct ask again = {
		.lifetime = 300, .keys = true, .with_aaa = true, .with_challenge = true, .with_mn_fa = true};

	for (int how = 0; how < 3; how++) {
		const struct role_event by[] = {
			{.type = EV_ASR, .session = w.granted, .token = 9},
			{.type = EV_DROP, .text = "alice@home.test"},
		};

		begin(3);
		w.vpn[AT_FA] = VPN_HANGS;
		VUR_FA(5);
		w.vpn[AT_FA] = VPN_COMES_UP;
		if (how < 2) {
			fa_tell(&w, &by[how]);
			said(1, DM_UNKNOWN_SESSION);
		} else {
			mn_hear(&w, &alice);
			CU_ASSERT_EQUAL(mn_send(&w, &alice, &again), 0);
			said(1, DM_TOO_BUSY);
		}
		finish();
	}
}

HARNESS_MAIN("roles/update", HARNESS_CASE(test_home_agent), HARNESS_CASE(test_nobody),
	     HARNESS_CASE(test_home_agent_under_way), HARNESS_CASE(test_home_agent_fails),
	     HARNESS_CASE(test_contract_waits),
	     HARNESS_CASE(test_home_agent_is_overtaken), HARNESS_CASE(test_foreign_agent),
	     HARNESS_CASE(test_foreign_agent_is_overtaken))
