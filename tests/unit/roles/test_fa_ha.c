/* SPDX-License-Identifier: BSD-3-Clause
 *
 * F1 in memory: a mobile node, the FA, the AAAH's stand-in, the HA.  Whatever begins must end, in every way
 * that it can.
 */
#include <malloc.h>

#include "tests/unit/roles/world.h"

static struct world w;
static struct mn alice, bob;

static void begin(uint8_t profiles)
{
	world_init(&w, true);
	w.n_profiles = profiles;
	w.aaah_relays_end = true;
	world_mn(&w, &alice, "alice@home.test", "10.1.0.10");
	world_mn(&w, &bob, "bob@home.test", "10.1.0.11");
	world_start(&w);
}

static const struct ask rereg = {
	.lifetime = 300, .with_mn_ha = true, .with_mn_fa = true, .with_challenge = true};
static const struct ask dereg = {.with_mn_ha = true, .with_mn_fa = true, .with_challenge = true};
static const struct ask join = {.lifetime = 300, .keys = true, .with_aaa = true, .with_challenge = true};

static void test_f1(void)
{
	begin(1);
	mn_join(&w, &alice, 300);
	CU_ASSERT_EQUAL(alice.rrp.lifetime, 300);
	CU_ASSERT_EQUAL(alice.rrp.ha.s_addr, addr(HA_ADDR).s_addr);
	CU_ASSERT_STRING_EQUAL(alice.rrp.ha_nai, "ha.home.test@home.test");
	CU_ASSERT_STRING_EQUAL(alice.rrp.aaah_nai, "aaah.home.test@home.test");
	CU_ASSERT_EQUAL(alice.rrp.challenge.len, 16);
	CU_ASSERT_FALSE(alice.rrp.fa_ha.present);
	CU_ASSERT_EQUAL(alice.path.dport, 4000);
	CU_ASSERT_EQUAL(alice.path.src.s_addr, addr(FA_LINK_ADDR).s_addr);
	CU_ASSERT_EQUAL(w.amr.features, DM_F_MN_HA_KEY | DM_F_MN_FA_KEY | DM_F_FA_HA_KEY);
	CU_ASSERT_TRUE(w.amr.ha_to_fa_spi >= MIP_SPI_MIN);
	CU_ASSERT_EQUAL(fa_count(&w), 1);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	world_end(&w);
}

/* A VPN that the user can do without, and that the home agent could not set up: the reply does not wait for
 * it and says so, the VPN room gets it afterwards. */
static void test_without_a_best_effort_vpn(void)
{
	static const char text[] = "VPN 2: it does not answer";

	for (uint8_t n = 1; n <= 3; n++) {
		begin(n);
		w.refused = n == 1 ? 1 : 2;
		w.vpn[AT_FA] = VPN_HANGS;
		mn_hear(&w, &alice);
		if (n == 1) { /* nothing to wait for */
			CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), 0);
			CU_ASSERT_EQUAL(w.vpn_asked[AT_FA], 1);
			world_vpn_answers(&w, AT_FA, false);
		} else {
			CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), -1);
			CU_ASSERT_EQUAL(w.vpn_asked[AT_FA], n - 1);
			world_vpn_answers(&w, AT_FA, true);
			CU_ASSERT_EQUAL(alice.rrp.code, 0);
			CU_ASSERT_EQUAL(w.vpn_asked[AT_FA], n);
			CU_ASSERT_TRUE(alice.rrp.message.len == strlen(text) &&
				       memcmp(alice.rrp.message.data, text, strlen(text)) == 0);
			CU_ASSERT_EQUAL(alice.rrp.message_from, 2);
			world_vpn_answers(&w, AT_FA, n == 2);
		}
		CU_ASSERT_EQUAL(fa_count(&w), 1);
		CU_ASSERT_TRUE(alice.right33);
		world_end(&w);
	}
}

/* E8: no reply before the tunnels of both ends stand. */
static void test_reply_comes_last(void)
{
	struct role_event up = {.type = EV_VPN_UP};
	char session[2][DM_SESSION_MAX];

	begin(2);
	w.vpn[AT_FA] = w.vpn[AT_HA] = VPN_HANGS;
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), -1);
	CU_ASSERT_TRUE(w.vpn_session[AT_HA][0]);
	CU_ASSERT_FALSE(w.vpn_session[AT_FA][0]);
	for (int i = AT_HA; i >= AT_FA; i--) {
		memcpy(session[i], w.vpn_session[i], sizeof(session[i]));
		w.vpn_session[i][0] = 0;
		up.session = session[i];
		CU_ASSERT_EQUAL(alice.replies, 0);
		if (i == AT_HA)
			ha_tell(&w, &up);
		else
			fa_tell(&w, &up);
	}
	CU_ASSERT_EQUAL(alice.replies, 1);
	CU_ASSERT_EQUAL(alice.rrp.code, 0);
	CU_ASSERT_TRUE(alice.right33);
	world_end(&w);
}

static void test_reregistration_goes_direct(void)
{
	begin(1);
	mn_join(&w, &alice, 300);
	unsigned sessions = w.sessions;

	for (int i = 0; i < 5; i++) {
		world_pass(&w, 200000);
		CU_ASSERT_EQUAL(mn_send(&w, &alice, &rereg), 0);
		CU_ASSERT_TRUE(alice.right32 && alice.right33);
		CU_ASSERT_EQUAL(alice.rrp.lifetime, 300);
	}
	CU_ASSERT_EQUAL(w.sessions, sessions);
	CU_ASSERT_EQUAL(w.to_ha, 5);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	world_end(&w);
}

/* What is granted directly must not outlast what the AAAH has authorized. */
static void test_authorization_runs_out(void)
{
	struct ask a = join;

	begin(1);
	w.auth_lifetime = 560;
	mn_join(&w, &alice, 300);
	CU_ASSERT_EQUAL(alice.rrp.mn_fa_key.lifetime, 560);
	world_pass(&w, 250000);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &rereg), 0);
	world_pass(&w, 20000);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &rereg), MIP_FA_MN_AUTH);
	CU_ASSERT_EQUAL(w.to_ha, 1);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0); /* with the challenge of the refusal */
	CU_ASSERT_EQUAL(w.sessions, 2);
	CU_ASSERT_EQUAL(w.strs[AT_FA] + w.strs[AT_HA], 0);
	CU_ASSERT_EQUAL(fa_count(&w), 1);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	world_end(&w);
}

/* A refusal of the HA to a relayed request is believed: it has 34. */
static void test_refusal_is_authenticated(void)
{
	struct ask a = rereg;

	begin(1);
	mn_join(&w, &alice, 300);
	a.clock_off_ms = 60000;
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), MIP_HA_IDENT);
	CU_ASSERT_TRUE(alice.right32 && alice.right33);
	a.clock_off_ms = 0;
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0);
	world_end(&w);
}

static void test_authorization_limits_lifetime(void)
{
	begin(1);
	w.auth_lifetime = 100;
	mn_join(&w, &alice, 300);
	CU_ASSERT_EQUAL(alice.rrp.lifetime, 100);
	world_pass(&w, 100000);
	CU_ASSERT_EQUAL(fa_count(&w) + ha_count(&w), 0);
	world_end(&w);
}

/* Asks again while the tunnels take their time: one answer, that of the newer request. */
static void test_newer_request_gets_the_answer(void)
{
	uint64_t before = counter_get("fa.rrp.superseded");

	begin(2);
	w.vpn[AT_HA] = VPN_HANGS;
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), -1);
	world_pass(&w, 1200);
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), -1);
	CU_ASSERT_EQUAL(counter_get("fa.rrp.superseded"), before + 1);
	CU_ASSERT_EQUAL(alice.replies, 0);
	world_vpn_answers(&w, AT_HA, true);
	CU_ASSERT_EQUAL(alice.replies, 1);
	CU_ASSERT_EQUAL(alice.rrp.code, 0);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	world_end(&w);
}

/* Of the one visitor. */
static const char *fa_session(void)
{
	static struct role_row rows[4];

	CU_ASSERT_EQUAL(fa_rows(w.fa, w.now, rows, 4), 1);
	return rows[0].session;
}

/* Both are granted, and the older one still waits for its tunnels: home agent and AAAH have the newer
 * session, so the older one ends with what it has set up. */
static void test_newer_request_stays(void)
{
	char session[DM_SESSION_MAX];

	begin(1);
	w.same_session = true;
	w.vpn[AT_FA] = VPN_HANGS;
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), -1);
	w.vpn[AT_FA] = VPN_COMES_UP;
	world_pass(&w, 1200);
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), 0);
	w.reply_before_vpn = 0; /* those of the older one are not what it waits for */
	snprintf(session, sizeof(session), "%s", w.amr.session);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	CU_ASSERT_STRING_EQUAL(fa_session(), session);
	CU_ASSERT_EQUAL(alice.replies, 1);
	world_pass(&w, 30000); /* past every deadline of the older one */
	CU_ASSERT_STRING_EQUAL(fa_session(), session);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &rereg), 0);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &dereg), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	world_end(&w);
}

static void test_vpn_fails_at_ha(void)
{
	begin(2);
	w.vpn[AT_HA] = VPN_FAILS;
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), MIP_HA_RESOURCES);
	CU_ASSERT_EQUAL(w.haa_result, DM_MIP_REPLY_FAILURE);
	CU_ASSERT_TRUE(alice.right32);
	CU_ASSERT_EQUAL(alice.rrp.message_from, 1);
	CU_ASSERT_EQUAL(memcmp(alice.rrp.message.data, "gateway does not answer", 23), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	w.vpn[AT_HA] = VPN_COMES_UP;
	world_pass(&w, 1000);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), 0);
	world_end(&w);
}

static void test_vpn_fails_at_fa(void)
{
	begin(1);
	w.vpn[AT_FA] = VPN_FAILS;
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), MIP_FA_RESOURCES);
	CU_ASSERT_EQUAL(alice.rrp.message_from, 2);
	CU_ASSERT_EQUAL(memcmp(alice.rrp.message.data, "gateway does not answer", 23), 0);
	CU_ASSERT_EQUAL(w.strs[AT_FA], 1);
	CU_ASSERT_EQUAL(w.str_cause, DM_TERM_ADMINISTRATIVE);
	CU_ASSERT_TRUE(world_balanced(&w)); /* the STR ended it at the HA too */
	CU_ASSERT_EQUAL(ha_count(&w), 0);
	world_end(&w);
}

static void test_vpn_never_answers(void)
{
	for (int at = AT_FA; at <= AT_HA; at++) {
		begin(1);
		w.vpn[at] = VPN_HANGS;
		mn_hear(&w, &alice);
		CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), -1);
		world_pass(&w, 6000);
		CU_ASSERT_EQUAL(alice.replies, 1);
		CU_ASSERT_EQUAL(alice.rrp.code, at == AT_FA ? MIP_FA_RESOURCES : MIP_HA_RESOURCES);
		CU_ASSERT_TRUE(world_balanced(&w));
		world_end(&w);
	}
}

static void test_replay(void)
{
	uint8_t first[MIP_MSG_MAX], second[MIP_MSG_MAX];
	size_t n1, n2;

	begin(1);
	mn_hear(&w, &alice);
	n1 = mn_build(&w, &alice, &join, first);
	CU_ASSERT_EQUAL(mn_send_bytes(&w, &alice, &join, first, n1), 0);
	n2 = mn_build(&w, &alice, &rereg, second);
	CU_ASSERT_EQUAL(mn_send_bytes(&w, &alice, &rereg, second, n2), 0);
	CU_ASSERT_EQUAL(mn_send_bytes(&w, &alice, &join, first, n1), MIP_FA_CHALLENGE_STALE);
	world_pass(&w, 1000);
	CU_ASSERT_EQUAL(mn_send_bytes(&w, &alice, &rereg, second, n2), MIP_FA_CHALLENGE_STALE);
	/* Straight to the HA, without the FA in between: the Identification is old. */
	struct role_event e = {.type = EV_HAR};
	struct dm_har *h = calloc(1, sizeof(*h));

	snprintf(h->session, sizeof(h->session), "again");
	snprintf(h->user, sizeof(h->user), "alice@home.test");
	memcpy(h->rrq.data, first, n1);
	h->rrq.len = (uint16_t)n1;
	e.har = h;
	ha_tell(&w, &e);
	CU_ASSERT_EQUAL(w.haa_result, DM_MIP_REPLY_FAILURE);
	/* Neither does it count after the node has deregistered. */
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &dereg), 0);
	w.haa_result = 0;
	ha_tell(&w, &e);
	CU_ASSERT_EQUAL(w.haa_result, DM_MIP_REPLY_FAILURE);
	free(h);
	CU_ASSERT_EQUAL(ha_count(&w), 0);
	world_end(&w);
}

static void test_clock(void)
{
	struct ask a = join;

	begin(0);
	for (int sign = -1; sign <= 1; sign += 2) {
		a.clock_off_ms = sign * 60000;
		world_pass(&w, 2000);
		mn_hear(&w, &alice);
		CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), MIP_HA_IDENT);
		CU_ASSERT_TRUE(alice.right32);
		CU_ASSERT_EQUAL((uint32_t)alice.rrp.ident, (uint32_t)alice.ident);
		CU_ASSERT_EQUAL(alice.rrp.ident >> 32, w.wall / 1000 + MIP_NTP_UNIX);
	}
	a.clock_off_ms = 0;
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0); /* at once, with the challenge of the refusal */
	world_end(&w);
}

static void test_dynamic_address(void)
{
	struct mn dave;

	for (int assigned = 0; assigned < 2; assigned++) {
		begin(0);
		world_mn(&w, &dave, "dave@home.test", "0.0.0.0");
		w.assign = assigned ? "10.1.0.77" : NULL;
		mn_join(&w, &dave, 300);
		CU_ASSERT_EQUAL(dave.path.dst.s_addr, INADDR_BROADCAST);
		CU_ASSERT_TRUE(w.amr.features & DM_F_HOA_REQUESTED);
		CU_ASSERT_FALSE(w.amr.has_hoa);
		CU_ASSERT_EQUAL(dave.rrp.hoa.s_addr == addr("10.1.0.77").s_addr, assigned);
		CU_ASSERT_TRUE((ntohl(dave.rrp.hoa.s_addr) & 0xffffff00) == 0x0a010000);
		CU_ASSERT_EQUAL(mn_send(&w, &dave, &rereg), 0);
		CU_ASSERT_EQUAL(mn_send(&w, &dave, &dereg), 0);
		CU_ASSERT_TRUE(world_balanced(&w));
		world_end(&w);
	}
}

static void test_dynamic_home_agent(void)
{
	struct ask a = join;

	begin(0);
	a.ha = "0.0.0.0";
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0);
	CU_ASSERT_FALSE(w.amr.has_ha);
	CU_ASSERT_EQUAL(w.amr.features & (DM_F_HA_REQUESTED | DM_F_HOA_HOME_ONLY), DM_F_HA_REQUESTED);
	CU_ASSERT_EQUAL(alice.rrp.ha.s_addr, addr(HA_ADDR).s_addr);
	a.ha = "255.255.255.255";
	world_pass(&w, 2000);
	mn_hear(&w, &bob);
	CU_ASSERT_EQUAL(mn_send(&w, &bob, &a), 0);
	CU_ASSERT_EQUAL(w.amr.features & (DM_F_HA_REQUESTED | DM_F_HOA_HOME_ONLY),
			DM_F_HA_REQUESTED | DM_F_HOA_HOME_ONLY);
	world_end(&w);
}

static void test_reverse_tunnel(void)
{
	struct ask a = join;

	begin(0);
	a.flags = MIP_T;
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0);
	a = rereg; /* T off: the reverse tunnel goes */
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0);
	a.flags = MIP_T;
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0);
	world_end(&w);
}

/* FA-HA key of the AAAH that does not fit: 68, and nothing stays behind. */
static void test_fa_ha_wrong(void)
{
	begin(1);
	w.spoil_fa_ha = true;
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &join), MIP_FA_HA_AUTH);
	CU_ASSERT_EQUAL(w.strs[AT_FA], 1);
	CU_ASSERT_TRUE(world_balanced(&w));
	world_end(&w);
}

static void new_session_replaces(bool same)
{
	struct ask a = join;

	begin(2);
	w.same_session = same;
	mn_join(&w, &alice, 300);
	for (int i = 0; i < 3; i++) { /* the node restarts: no 32, no 33 */
		world_pass(&w, 2000);
		mn_hear(&w, &alice);
		CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0);
	}
	CU_ASSERT_EQUAL(w.sessions, 4);
	CU_ASSERT_EQUAL(fa_count(&w), 1);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	w.n_profiles = 0; /* and has no VPN any more */
	world_pass(&w, 2000);
	mn_hear(&w, &alice);
	CU_ASSERT_EQUAL(mn_send(&w, &alice, &a), 0);
	for (size_t i = 0; i < w.n_ledger; i++)
		CU_ASSERT_PTR_NULL(strstr(w.ledger[i].what, "vpn"));
	world_end(&w);
}

static void test_new_session_replaces(void)
{
	new_session_replaces(false);
	new_session_replaces(true);
}

/* The renewal through the AAA fails at one end, in one of two ways: what the AAAH believes is what stands. */
static void test_renewal_fails(void)
{
	for (int i = 0; i < 8; i++) {
		int at = i & 1 ? AT_HA : AT_FA;
		enum vpn_policy how = i & 2 ? VPN_HANGS : VPN_FAILS;

		begin(1);
		w.same_session = i & 4;
		mn_join(&w, &alice, 300);
		w.vpn[at] = how;
		world_pass(&w, 1000);
		mn_hear(&w, &alice);
		int code = mn_send(&w, &alice, &join);

		world_pass(&w, 6000);
		code = code < 0 ? alice.rrp.code : code;
		HARNESS_AT(code == (at == AT_HA ? MIP_HA_RESOURCES : MIP_FA_RESOURCES), "case %d: %d", i,
			   code);
		if (at == AT_FA) { /* the HA had granted it, and was told */
			CU_ASSERT_EQUAL(fa_count(&w) + ha_count(&w), 0);
			CU_ASSERT_TRUE(world_balanced(&w));
		} else if (how == VPN_FAILS) {
			CU_ASSERT_EQUAL(fa_count(&w) + ha_count(&w), 2);
			CU_ASSERT_EQUAL(mn_send(&w, &alice, &rereg), 0);
		}
		world_end(&w);
	}
}

/* A HAR with another care-of address: the binding moves, and one user's address is never another's. */
static void test_other_fa_and_other_user(void)
{
	struct ask a = join;
	uint8_t buf[MIP_MSG_MAX];
	size_t len;
	struct dm_har *h = calloc(1, sizeof(*h));
	struct role_event e = {.type = EV_HAR, .har = h};
	struct role_row row;

	begin(0);
	mn_join(&w, &alice, 300);
	w.wall += 1000;
	fa_free(w.fa); /* alice has gone to another one */
	w.fa = NULL;
	w.n_ledger = 0;
	w.ledger_errors = 0;
	ha_free(w.ha);
	w.ha = ha_new(&w.hc, w.now);
	a.coa = "198.51.100.12";
	snprintf(h->user, sizeof(h->user), "alice@home.test");
	snprintf(h->origin_realm, sizeof(h->origin_realm), "home.test");
	for (int i = 0; i < 2; i++) {
		snprintf(h->session, sizeof(h->session), "s%d", i);
		len = mn_build(&w, &alice, &a, buf);
		memcpy(h->rrq.data, buf, len);
		h->rrq.len = (uint16_t)len;
		h->ha_to_mn = (struct dm_msa){.present = true, .algorithm = 2, .key = {20, "k"}};
		h->mn_to_ha = h->ha_to_mn;
		ha_tell(&w, &e);
		CU_ASSERT_EQUAL(w.haa_result, DM_SUCCESS);
		CU_ASSERT_EQUAL(ha_rows(w.ha, w.now, &row, 1), 1);
		CU_ASSERT_EQUAL(row.coa.s_addr, addr(a.coa).s_addr);
		a.coa = FA_ADDR;
		w.wall += 1000;
	}
	snprintf(h->user, sizeof(h->user), "mallory@home.test");
	alice.nai = "mallory@home.test";
	len = mn_build(&w, &alice, &a, buf);
	memcpy(h->rrq.data, buf, len);
	h->rrq.len = (uint16_t)len;
	ha_tell(&w, &e);
	CU_ASSERT_EQUAL(w.haa_result, DM_MIP_REPLY_FAILURE);
	CU_ASSERT_EQUAL(ha_rows(w.ha, w.now, &row, 1), 1);
	CU_ASSERT_STRING_EQUAL(row.nai, "alice@home.test");
	free(h);
	world_end(&w);
}

static void test_thousand(void)
{
	static char nai[1000][32];
	static struct mn m;
	unsigned bad = 0;
	size_t before;

	world_init(&w, true);
	w.hc.home_prefix = (struct vpn_prefix){addr("10.1.0.0"), 16};
	w.n_profiles = 1;
	world_start(&w);
	before = mallinfo2().uordblks;
	for (int i = 0; i < 1000; i++) {
		snprintf(nai[i], sizeof(nai[i]), "u%d@home.test", i);
		w.n_mn = 0;
		world_mn(&w, &m, nai[i], "0.0.0.0");
		m.hoa.s_addr = htonl(0x0a010100u + (uint32_t)i);
		m.mac[4] = (uint8_t)(i >> 8);
		m.mac[3] = (uint8_t)i;
		mn_hear(&w, &m);
		bad += mn_send(&w, &m, &join) != 0;
		world_pass(&w, 50);
	}
	CU_ASSERT_EQUAL(bad, 0);
	/* A visitor and a binding together (the sanitizers' allocator says 0). */
	CU_ASSERT_TRUE(mallinfo2().uordblks < before + 1000 * 3072);
	CU_ASSERT_EQUAL(fa_count(&w), 1000);
	CU_ASSERT_EQUAL(ha_count(&w), 1000);
	world_pass(&w, 400000);
	CU_ASSERT_EQUAL(fa_count(&w) + ha_count(&w), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	world_end(&w);
}

HARNESS_MAIN("roles/fa_ha", HARNESS_CASE(test_f1), HARNESS_CASE(test_without_a_best_effort_vpn),
	     HARNESS_CASE(test_reply_comes_last), HARNESS_CASE(test_reregistration_goes_direct),
	     HARNESS_CASE(test_authorization_runs_out), HARNESS_CASE(test_refusal_is_authenticated),
	     HARNESS_CASE(test_authorization_limits_lifetime),
	     HARNESS_CASE(test_newer_request_gets_the_answer), HARNESS_CASE(test_newer_request_stays),
	     HARNESS_CASE(test_vpn_fails_at_ha), HARNESS_CASE(test_vpn_fails_at_fa),
	     HARNESS_CASE(test_vpn_never_answers),
	     HARNESS_CASE(test_replay), HARNESS_CASE(test_clock), HARNESS_CASE(test_dynamic_address),
	     HARNESS_CASE(test_dynamic_home_agent), HARNESS_CASE(test_reverse_tunnel),
	     HARNESS_CASE(test_fa_ha_wrong), HARNESS_CASE(test_new_session_replaces),
	     HARNESS_CASE(test_renewal_fails), HARNESS_CASE(test_other_fa_and_other_user),
	     HARNESS_CASE(test_thousand))
