/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Moves at the new foreign agent: by the AAAF's own answer (D2), and through the AAAH.
 */
#include "tests/unit/roles/moves.h"

static struct moves m;

static const struct move_ask usual;

/* Registered at agent 0 through the AAAH; from now on the AAAF answers. */
static void join(void)
{
	moves_init(&m);
	moves_start(&m);
	CU_ASSERT_EQUAL_FATAL(moves_ask(&m, 0, &usual), 0);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "amr install tunnel+ visitor+ reply0");
	moves_pass(&m, 5000);
	moves_trace_clear(&m);
	m.aaa = MV_AAAF;
}

static void test_aaaf(void)
{
	join();
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), 0);
	CU_ASSERT_TRUE(m.amr.has_previous_fa && m.amr.previous_fa.s_addr == moves_coa(0).s_addr);
	CU_ASSERT_STRING_EQUAL(m.trace[1],
			       "amr relay tunnel+ visitor+ install-late handoff-in tunnel+ reply0 bu");
	CU_ASSERT_TRUE(m.right33);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 1), "registered");
	moves_end(&m);
}

/* The next request needs no AAA: authorization, keys and home agent are known. */
static void test_renewal_after(void)
{
	const struct move_ask renewal = {.renewal = true};
	struct role_row row;

	join();
	moves_ask(&m, 1, &usual);
	moves_trace_clear(&m);
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &renewal), 0);
	CU_ASSERT_STRING_EQUAL(m.trace[1], "relay reply0");
	CU_ASSERT_TRUE(m.right33);
	CU_ASSERT_EQUAL(fa_rows(m.fa[1], m.now, &row, 1), 1);
	CU_ASSERT_EQUAL(row.n_profiles, 1);
	CU_ASSERT_STRING_EQUAL(row.session, m.session[1]);
	CU_ASSERT_EQUAL(row.ha.s_addr, addr(HA_ADDR).s_addr);
	moves_end(&m);
}

static void test_needs_both(void)
{
	join();
	m.install[1] = VPN_HANGS;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), -1);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 1), "moving");
	moves_answer(&m, true);
	CU_ASSERT_EQUAL(m.code, 0);
	CU_ASSERT_EQUAL(m.replies, 2);
	CU_ASSERT_PTR_NOT_NULL(strstr(m.trace[1], "handoff-in tunnel+ bu reply0"));
	moves_end(&m);
	join();
	m.ha_silent = true;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), -1);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 1), "moving");
	CU_ASSERT_STRING_EQUAL(m.trace[1], "amr relay tunnel+ visitor+ install-late");
	m.ha_silent = false;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), 0); /* again: it is relayed again, and nothing else */
	CU_ASSERT_STRING_EQUAL(m.trace[1],
			       "amr relay tunnel+ visitor+ install-late relay handoff-in tunnel+ reply0 bu");
	moves_end(&m);
}

static void test_not_early(void)
{
	moves_init(&m);
	m.fc[1].early_ike = false;
	moves_start(&m);
	moves_ask(&m, 0, &usual);
	m.aaa = MV_AAAF;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), 0);
	CU_ASSERT_STRING_EQUAL(m.trace[1],
			       "amr relay tunnel+ visitor+ install-late handoff-in tunnel+ reply0 bu");
	m.ha_silent = true;
	CU_ASSERT_EQUAL(moves_ask(&m, 0, &usual), -1);
	moves_trace_clear(&m);
	m.fc[2].early_ike = false;
	fa_reconfigure(m.fa[2], &m.fc[2], m.now);
	CU_ASSERT_EQUAL(moves_ask(&m, 2, &usual), -1);
	CU_ASSERT_STRING_EQUAL(m.trace[2], "amr relay");
	moves_end(&m);
}

/* Whichever comes first, an attempt that was begun before the reply may have been too early. */
static void test_too_early(void)
{
	join();
	m.install[1] = VPN_HANGS;
	m.ha_silent = true;
	moves_ask(&m, 1, &usual);
	moves_answer(&m, false);
	CU_ASSERT_STRING_EQUAL(m.trace[1], "amr relay tunnel+ visitor+ install-late");
	m.install[1] = VPN_COMES_UP;
	m.ha_silent = false;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), 0);
	moves_end(&m);
	join();
	m.install[1] = VPN_HANGS;
	moves_ask(&m, 1, &usual);
	m.install[1] = VPN_COMES_UP;
	moves_answer(&m, false);
	CU_ASSERT_EQUAL(m.code, 0);
	CU_ASSERT_EQUAL(m.replies, 2);
	moves_end(&m);
}

/* The STR that undoes the AAAF's answer, and no other one: of this session, to the user's realm. */
static void undone(void)
{
	CU_ASSERT_EQUAL(m.strs[1], 1);
	CU_ASSERT_EQUAL(m.str.cause, DM_TERM_BAD_ANSWER);
	CU_ASSERT_STRING_EQUAL(m.str.session, m.session[1]);
	CU_ASSERT_STRING_EQUAL(m.str.dest_realm, "home.test");
	CU_ASSERT_STRING_EQUAL(m.str.dest_host, "");
	CU_ASSERT_EQUAL(m.strs[0], 0);
}

static void nothing_left(int code)
{
	CU_ASSERT_EQUAL(m.code, code);
	CU_ASSERT_EQUAL(m.replies, 2);
	CU_ASSERT_TRUE(m.right33);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 1), "");
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "registered");
	moves_pass(&m, 20000); /* of a handoff that was begun */
	moves_end(&m);
}

static void test_tunnels_fail(void)
{
	join();
	m.install[1] = VPN_FAILS;
	moves_ask(&m, 1, &usual);
	CU_ASSERT_PTR_NOT_NULL(strstr(m.trace[1], "visitor- tunnel- undo reply66"));
	undone();
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 1), "");
	moves_end(&m);
}

static void test_refused(void)
{
	join();
	m.ha_code = MIP_HA_IDENT;
	moves_ask(&m, 1, &usual);
	CU_ASSERT_STRING_EQUAL(m.trace[1],
			       "amr relay tunnel+ visitor+ install-late "
			       "remove visitor- tunnel- undo reply133");
	undone();
	nothing_left(MIP_HA_IDENT);
}

static void test_silence(void)
{
	join();
	m.ha_silent = true;
	moves_ask(&m, 1, &usual);
	moves_pass(&m, 6900);
	CU_ASSERT_EQUAL(m.replies, 1);
	moves_pass(&m, 200);
	undone();
	nothing_left(MIP_FA_TIMEOUT);
}

static void test_tunnels_hang(void)
{
	join();
	m.install[1] = VPN_HANGS;
	moves_ask(&m, 1, &usual);
	moves_pass(&m, 10000);
	CU_ASSERT_EQUAL(m.code, MIP_FA_RESOURCES);
	undone();
	moves_end(&m);
}

static void test_forged_reply(void)
{
	join();
	m.ha_forged = true;
	moves_ask(&m, 1, &usual);
	undone();
	nothing_left(MIP_FA_HA_AUTH);
}

static void test_icmp(void)
{
	struct role_event e = {.type = EV_ICMP_ERROR, .icmp_type = 3, .icmp_code = 3};

	join();
	m.ha_silent = true;
	moves_ask(&m, 1, &usual);
	e.path.dst = addr(HA_ADDR);
	moves_tell(&m, 1, &e);
	undone();
	nothing_left(MIP_FA_HOME_PORT);
}

static void test_asr_and_drop(void)
{
	struct role_event e = {.type = EV_ASR, .session = m.session[1], .token = 5};

	join();
	m.ha_silent = true;
	moves_ask(&m, 1, &usual);
	moves_tell(&m, 1, &e);
	CU_ASSERT_EQUAL(m.strs[1], 0); /* the AAAF has passed the ASR, and forgotten it all */
	nothing_left(MIP_FA_PROHIBITED);
	join();
	m.ha_silent = true;
	moves_ask(&m, 1, &usual);
	e = (struct role_event){.type = EV_DROP, .text = MV_NAI};
	moves_tell(&m, 1, &e);
	undone();
	nothing_left(MIP_FA_PROHIBITED);
}

static void test_poor_answer(void)
{
	join();
	m.no_fa_ha = true;
	moves_ask(&m, 1, &usual);
	CU_ASSERT_STRING_EQUAL(m.trace[1], "amr undo reply64");
	undone();
	moves_end(&m);
}

/* Nobody knows who has answered, or will: the same STR is an undo for the AAAF and ends at the AAAH what
 * it has made of this AMR.  The answer that comes late gets the one that is for it. */
static void test_late_answer(void)
{
	join();
	m.hold_ama = true;
	moves_ask(&m, 1, &usual);
	moves_pass(&m, 9000);
	CU_ASSERT_EQUAL(m.code, MIP_FA_TIMEOUT);
	CU_ASSERT_STRING_EQUAL(m.trace[1], "amr undo reply78");
	undone();
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "registered");
	m.strs[1] = 0;
	moves_ama_arrives(&m, 1);
	undone();
	m.hold_ama = false;
	m.aaa = MV_AAAH;
	moves_ama_arrives(&m, 1);
	CU_ASSERT_EQUAL(m.strs[1], 2);
	CU_ASSERT_EQUAL(m.str.cause, DM_TERM_ADMINISTRATIVE);
	CU_ASSERT_STRING_EQUAL(m.str.dest_host, "aaah.home.test");
	moves_end(&m);
}

static void test_lost_without_previous(void)
{
	const struct move_ask silent = {.no_pfan = true};
	struct role_event e = {.type = EV_AAA_FAILED, .session = m.session[1]};

	for (int i = 0; i < 2; i++) {
		join();
		m.hold_ama = true;
		moves_ask(&m, 1, i ? &silent : &usual);
		moves_tell(&m, 1, &e); /* no answer in time, says the Diameter room */
		CU_ASSERT_EQUAL(m.code, MIP_FA_TIMEOUT);
		CU_ASSERT_EQUAL(m.strs[1], 1);
		CU_ASSERT_EQUAL(m.str.cause, i ? DM_TERM_ADMINISTRATIVE : DM_TERM_BAD_ANSWER);
		moves_end(&m);
	}
}

/* The AAAH's answer to a request with a PFAN: nothing for the AAAF to undo. */
static void test_aaah_answer_unusable(void)
{
	join();
	m.aaa = MV_AAAH;
	m.ha_forged = true;
	moves_ask(&m, 1, &usual);
	CU_ASSERT_EQUAL(m.code, MIP_FA_HA_AUTH);
	CU_ASSERT_EQUAL(m.strs[1], 1);
	CU_ASSERT_EQUAL(m.str.cause, DM_TERM_ADMINISTRATIVE);
	moves_end(&m);
}

/* Between domains the AAAH answers; with or without a PFAN the AMA says where he was. */
static void test_aaah(void)
{
	const struct move_ask silent = {.no_pfan = true};

	for (int i = 0; i < 2; i++) {
		join();
		m.aaa = MV_AAAH;
		CU_ASSERT_EQUAL(moves_ask(&m, 1, i ? &silent : &usual), 0);
		CU_ASSERT_EQUAL(m.amr.has_previous_fa, !i);
		CU_ASSERT_STRING_EQUAL(m.trace[1],
				       "amr tunnel+ visitor+ install-late handoff-in tunnel+ reply0 bu");
		moves_end(&m);
	}
}

static void test_renewal_is_late(void)
{
	join();
	m.aaa = MV_AAAH;
	CU_ASSERT_EQUAL(moves_ask(&m, 0, &usual), 0);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "amr install-late remove reply0");
	CU_ASSERT_EQUAL(m.updates, 0);
	moves_end(&m);
}

static void test_aaah_tunnels_fail(void)
{
	join();
	m.aaa = MV_AAAH;
	m.install[1] = VPN_FAILS;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), MIP_FA_RESOURCES);
	CU_ASSERT_EQUAL(m.strs[1], 1);
	moves_end(&m);
}

static void test_switched_off(void)
{
	moves_init(&m);
	m.fc[1].smooth_handoff = false;
	moves_start(&m);
	moves_ask(&m, 0, &usual);
	m.aaa = MV_AAAF;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), 0);
	CU_ASSERT_FALSE(m.amr.has_previous_fa);
	CU_ASSERT_EQUAL(m.updates, 0);
	moves_end(&m);
}

static void test_no_profiles(void)
{
	moves_init(&m);
	m.n_profiles = 0;
	moves_start(&m);
	moves_ask(&m, 0, &usual);
	m.aaa = MV_AAAF;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), 0);
	CU_ASSERT_STRING_EQUAL(m.trace[1], "amr tunnel+ visitor+ relay tunnel+ reply0 bu");
	moves_end(&m);
}

/* Two requests of the node under way here at once: the route that the first has set serves the second. */
static void test_two_under_way(void)
{
	const struct move_ask other = {.lifetime = 200};

	join();
	m.ha_silent = true;
	moves_ask(&m, 1, &usual);
	moves_pass(&m, 3000);
	moves_ask(&m, 1, &other);
	CU_ASSERT_STRING_EQUAL(m.trace[1], "amr relay tunnel+ visitor+ install-late amr relay install-late");
	moves_trace_clear(&m);
	moves_pass(&m, 4500);
	CU_ASSERT_STRING_EQUAL(m.trace[1], "remove visitor- tunnel- tunnel+ visitor+ undo reply78");
	m.ha_silent = false;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &other), 0);
	CU_ASSERT_PTR_NULL(strstr(m.trace[1], "str"));
	moves_end(&m);
}

/* Both are asked about at the home agent, which takes them in their order; the yes to the later one is here
 * first. */
static void test_older_reply_last(void)
{
	join();
	m.late = true;
	moves_ask(&m, 1, &usual);
	CU_ASSERT_EQUAL(m.n_held, 1);
	moves_late(&m, 0);
	moves_pass(&m, 1003); /* replies are told apart by the low half of the Identification */
	moves_ask(&m, 1, &(struct move_ask){.lifetime = 200});
	moves_late(&m, 1);
	CU_ASSERT_EQUAL_FATAL(m.n_held, 2);
	m.late = false;
	moves_trace_clear(&m);
	moves_late(&m, 1);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 1), "registered");
	CU_ASSERT_PTR_NOT_NULL(strstr(m.trace[1], "reply0"));
	CU_ASSERT_PTR_NOT_NULL(strstr(m.trace[1], "undo")); /* the AAAF's answer to the older one */
	moves_trace_clear(&m);
	moves_late(&m, 0);
	CU_ASSERT_STRING_EQUAL(m.trace[1], "");
	CU_ASSERT_EQUAL(m.strs[1], 1);
	moves_end(&m);
}

/* By UDP: he has left or come again meanwhile. */
static void test_older_relayed_last(void)
{
	static const struct move_ask renewal = {.renewal = true, .lifetime = 200},
				     leave = {.renewal = true, .lifetime = MV_DEREGISTER};

	for (int leaves = 0; leaves < 2; leaves++) {
		join();
		m.late = true;
		moves_ask(&m, 0, leaves ? &renewal : &leave);
		moves_pass(&m, 100);
		moves_ask(&m, 0, leaves ? &leave : &renewal);
		CU_ASSERT_EQUAL_FATAL(m.n_held, 2);
		m.late = false;
		moves_late(&m, 1);
		CU_ASSERT_EQUAL(m.code, 0);
		moves_trace_clear(&m);
		moves_late(&m, 0);
		CU_ASSERT_STRING_EQUAL(m.trace[0], "");
		CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), leaves ? "" : "registered");
		moves_end(&m);
	}
}

HARNESS_MAIN("roles/fa_move", HARNESS_CASE(test_aaaf), HARNESS_CASE(test_renewal_after),
	     HARNESS_CASE(test_needs_both), HARNESS_CASE(test_not_early), HARNESS_CASE(test_too_early),
	     HARNESS_CASE(test_tunnels_fail), HARNESS_CASE(test_refused), HARNESS_CASE(test_silence),
	     HARNESS_CASE(test_tunnels_hang), HARNESS_CASE(test_forged_reply), HARNESS_CASE(test_icmp),
	     HARNESS_CASE(test_asr_and_drop), HARNESS_CASE(test_poor_answer), HARNESS_CASE(test_late_answer),
	     HARNESS_CASE(test_lost_without_previous), HARNESS_CASE(test_aaah_answer_unusable),
	     HARNESS_CASE(test_aaah), HARNESS_CASE(test_renewal_is_late),
	     HARNESS_CASE(test_aaah_tunnels_fail), HARNESS_CASE(test_switched_off),
	     HARNESS_CASE(test_no_profiles), HARNESS_CASE(test_two_under_way),
	     HARNESS_CASE(test_older_reply_last), HARNESS_CASE(test_older_relayed_last))
