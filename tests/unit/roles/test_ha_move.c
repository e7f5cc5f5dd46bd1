/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The user moves (doc/moves.md): by UDP with the session's FA-HA key, by HAR, with and without tunnels;
 * whose word
 * counts, what waits for what, and where the packets go meanwhile.
 */
#include "tests/unit/roles/ha_moves.h"

#define S "s-1"
#define IS(a, b) CU_ASSERT_STRING_EQUAL(a, b)

static void joined(bool local, uint8_t dynamic)
{
	begin(local, dynamic);
	by_har(S, FA_ADDR, 300);
	CU_ASSERT_EQUAL_FATAL(w.haa.result, DM_SUCCESS);
	IS(bound(), FA_ADDR);
	world_pass(&w, 3000);
	CU_ASSERT_EQUAL(tunnels(), 1);
}

/* F2: the reply waits for the VPN room, the packets for the tunnel, the old tunnel for what is in it. */
static void test_f2(void)
{
	joined(true, 0);
	w.vpn[AT_HA] = VPN_HANGS;
	CU_ASSERT_EQUAL(move_to(FA_B), -1);
	CU_ASSERT_EQUAL(w.moved.n, 1);
	CU_ASSERT_EQUAL(w.moved.from.s_addr, addr(FA_ADDR).s_addr);
	CU_ASSERT_EQUAL(w.moved.to.s_addr, addr(FA_B).s_addr);
	IS(w.moved.session, S);
	IS(bound(), FA_ADDR);
	world_vpn_answers(&w, AT_HA, true);
	CU_ASSERT_EQUAL(last_reply(FA_B), 0);
	CU_ASSERT_TRUE(rrp.fa_ha.present);
	CU_ASSERT_EQUAL(rrp.ident, alice.ident);
	CU_ASSERT_EQUAL(rrp.lifetime, 300);
	IS(bound(), FA_B);
	CU_ASSERT_TRUE(packets_go_to(FA_ADDR));
	CU_ASSERT_EQUAL(tunnels(), 2);
	world_pass(&w, 100);
	CU_ASSERT_TRUE(packets_go_to(FA_ADDR));
	carries(S);
	CU_ASSERT_TRUE(packets_go_to(FA_B));
	world_pass(&w, 1999);
	CU_ASSERT_EQUAL(tunnels(), 2);
	world_pass(&w, 1);
	CU_ASSERT_EQUAL(tunnels(), 1);
	CU_ASSERT_EQUAL(move_to(FA_ADDR), -1); /* and back again */
	world_vpn_answers(&w, AT_HA, true);
	CU_ASSERT_EQUAL(last_reply(FA_ADDR), 0);
	w.vpn[AT_HA] = VPN_COMES_UP;
	world_pass(&w, 999); /* nothing carries: in time all the same */
	CU_ASSERT_TRUE(packets_go_to(FA_B));
	world_pass(&w, 1);
	CU_ASSERT_TRUE(packets_go_to(FA_ADDR));
	finish();
}

static void test_proof(void)
{
	static const struct {
		int code;
		struct from f;
	} rows[] = {
		{MIP_HA_PROHIBITED, {FA_B, 300, ABSENT, NULL, NULL, 0}},
		{-1, {FA_B, 300, WRONG, NULL, NULL, 0}},
		{MIP_HA_PROHIBITED, {FA_B, 300, RIGHT, NULL, FA_C, 0}}, /* of another one's care-of address */
		{MIP_HA_PROHIBITED, {FA_B, 300, RIGHT, NULL, FA_ADDR, 0}},
	};

	for (int local = 0; local < 2; local++) {
		joined(local, (uint8_t)!local);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			HARNESS_AT(by_udp(&rows[i].f) == rows[i].code, "row %zu: %d", i, rrp.code);
			IS(bound(), FA_ADDR);
		}
		CU_ASSERT_EQUAL(w.moved.n, 0);
		CU_ASSERT_EQUAL(w.told[DYN].n, !local);
		CU_ASSERT_EQUAL(move_to(FA_B), 0);
		IS(bound(), FA_B);
		finish();
	}
}

/* Whoever fails: code 130 with the reason, and all is as it was. */
static void test_failures(void)
{
	enum { ROOM_FAILS, ROOM_SILENT, PCN_REFUSES, PCN_SILENT, ALL };

	for (int i = 0; i < ALL; i++) {
		joined(true, 1);
		w.vpn[AT_HA] = i == ROOM_FAILS ? VPN_FAILS : i == ROOM_SILENT ? VPN_HANGS : VPN_COMES_UP;
		w.vpn[AT_PCN] = i == PCN_REFUSES ? VPN_FAILS : VPN_COMES_UP;
		w.cut[AT_PCN] = i == PCN_SILENT;
		move_to(FA_B);
		w.vpn[AT_PCN] = VPN_COMES_UP;
		world_pass(&w, i == ROOM_SILENT ? 3500 : i == PCN_SILENT ? 3000 : 0);
		w.cut[AT_PCN] = false;
		HARNESS_AT(last_reply(FA_B) == MIP_HA_RESOURCES, "%d: %d", i, rrp.code);
		IS(bound(), FA_ADDR);
		CU_ASSERT_TRUE(packets_go_to(FA_ADDR));
		CU_ASSERT_EQUAL(tunnels(), 1);
		CU_ASSERT_EQUAL(w.moved.to.s_addr, addr(i == ROOM_FAILS ? FA_B : FA_ADDR).s_addr);
		CU_ASSERT_EQUAL(w.moved.n,
				i == ROOM_FAILS ? 1 : 2); /* the room goes back by itself, or is told */
		world_pass(&w, 5000);
		IS(at_pcn(0), FA_ADDR);
		w.vpn[AT_HA] = VPN_COMES_UP;
		w.vpn_session[AT_HA][0] = 0;
		CU_ASSERT_EQUAL(move_to(FA_B), 0);
		IS(bound(), FA_B);
		IS(at_pcn(0), FA_B);
		finish();
	}
}

static void test_again(void)
{
	uint64_t first;

	joined(true, 0);
	w.vpn[AT_HA] = VPN_HANGS;
	CU_ASSERT_EQUAL(move_to(FA_B), -1);
	first = alice.ident;
	CU_ASSERT_EQUAL(by_udp(&(struct from){.fa = FA_B, .lifetime = 300, .ident = first}), -1);
	CU_ASSERT_EQUAL(move_to(FA_B), -1);
	CU_ASSERT_EQUAL(w.moved.n, 1);
	CU_ASSERT_TRUE(alice.ident != first);
	world_vpn_answers(&w, AT_HA, true);
	CU_ASSERT_EQUAL(last_reply(FA_B), 0);
	CU_ASSERT_EQUAL(rrp.ident, alice.ident);
	CU_ASSERT_EQUAL(by_udp(&(struct from){.fa = FA_B, .lifetime = 300, .ident = alice.ident}),
			MIP_HA_IDENT);
	finish();
}

/* Of two moves the later Identification wins, in whichever order they arrive. */
static void test_one_winner(void)
{
	struct from early = {.fa = FA_B, .lifetime = 300};

	for (int back = 0; back < 2; back++) {
		const char *second = back ? FA_ADDR : FA_C;

		joined(true, 1);
		early.ident = mip_ident_from_unix_ms(w.wall, 0);
		w.vpn[AT_HA] = VPN_HANGS;
		CU_ASSERT_EQUAL(by_udp(&early), -1);
		move_to(second);
		CU_ASSERT_EQUAL(last_reply(FA_B), MIP_HA_RESOURCES); /* the superseded one hears so */
		CU_ASSERT_EQUAL(w.moved.from.s_addr, addr(FA_B).s_addr);
		CU_ASSERT_EQUAL(w.moved.to.s_addr, addr(second).s_addr);
		w.ha_len = 0;
		world_vpn_answers(&w, AT_HA, true);
		CU_ASSERT_EQUAL(last_reply(second), 0);
		IS(bound(), second);
		IS(at_pcn(0), second);
		CU_ASSERT_EQUAL(tunnels(), 2 - back);
		CU_ASSERT_EQUAL(by_udp(&early), MIP_HA_IDENT);
		IS(bound(), second);
		finish();
	}
}

/* The second of two moves fails: back to where the binding is, however far the first had come. */
static void test_second_fails(void)
{
	for (int up = 0; up < 2; up++) {
		joined(true, 1);
		w.vpn[AT_HA] = up ? VPN_COMES_UP : VPN_HANGS;
		w.vpn[AT_PCN] = VPN_HANGS;
		CU_ASSERT_EQUAL(move_to(FA_B), -1);
		w.vpn[AT_PCN] = VPN_COMES_UP;
		w.vpn[AT_HA] = VPN_HANGS;
		move_to(FA_C);
		w.vpn[AT_HA] = VPN_COMES_UP;
		world_vpn_answers(&w, AT_HA, false);
		CU_ASSERT_EQUAL(last_reply(FA_C), MIP_HA_RESOURCES);
		CU_ASSERT_EQUAL(w.moved.n, up ? 3 : 2);
		CU_ASSERT_EQUAL(w.moved.to.s_addr, addr(up ? FA_ADDR : FA_C).s_addr);
		IS(bound(), FA_ADDR);
		world_pass(&w, 3000);
		IS(at_pcn(0), FA_ADDR);
		finish();
	}
}

/* To and fro within the second: one switch pending, and tunnels that were used before are used again. */
static void test_to_and_fro(void)
{
	joined(true, 0);
	for (int i = 0; i < 40; i++) {
		CU_ASSERT_EQUAL(move_to(i % 3 == 0 ? FA_B : i % 3 == 1 ? FA_C : FA_ADDR), 0);
		CU_ASSERT_TRUE(tunnels() <= 3);
		if (i % 5 == 0)
			carries(S);
	}
	world_pass(&w, 1000);
	CU_ASSERT_TRUE(packets_go_to(FA_B));
	world_pass(&w, 2000);
	CU_ASSERT_EQUAL(tunnels(), 1);
	finish();
}

static void test_binding_ends(void)
{
	enum { DROP, ASR, EXPIRY, DEREGISTRATION, TUNNEL, WAYS };
	static const struct role_event ends[WAYS] = {
		[DROP] = {.type = EV_DROP, .text = "alice@home.test"},
		[ASR] = {.type = EV_ASR, .session = S},
		[TUNNEL] = {.type = EV_VPN_DOWN, .session = S, .text = "lost"}};

	for (int i = 0; i < WAYS; i++) {
		joined(true, 1);
		world_pass(&w, i == EXPIRY ? 296000 : 0);
		w.vpn[AT_HA] = w.vpn[AT_PCN] = VPN_HANGS;
		CU_ASSERT_EQUAL(move_to(FA_B), -1);
		if (i == EXPIRY)
			world_pass(&w, 1000);
		else if (i == DEREGISTRATION)
			by_udp(&(struct from){.fa = FA_ADDR, .auth = ABSENT});
		else
			ha_tell(&w, &ends[i]);
		CU_ASSERT_EQUAL(ha_count(&w), 0);
		if (i != DEREGISTRATION) /* there the last reply is another one's */
			CU_ASSERT_EQUAL(last_reply(FA_B), MIP_HA_RESOURCES);
		w.vpn[AT_HA] = w.vpn[AT_PCN] = VPN_COMES_UP;
		finish();
	}
}

/* A deregistration of where the user was going only ends that. */
static void test_deregistered_there(void)
{
	joined(true, 0);
	w.vpn[AT_HA] = VPN_HANGS;
	CU_ASSERT_EQUAL(move_to(FA_B), -1);
	CU_ASSERT_EQUAL(by_udp(&(struct from){.fa = FA_B, .auth = ABSENT}), 0);
	CU_ASSERT_EQUAL(ha_count(&w), 1);
	IS(bound(), FA_ADDR);
	CU_ASSERT_EQUAL(w.moved.to.s_addr, addr(FA_ADDR).s_addr);
	finish();
}

/* D2: the HAA names where the binding was, whatever the AAAH has seen. */
static void test_previous_fa(void)
{
	joined(true, 0);
	CU_ASSERT_FALSE(w.haa.has_previous_fa);
	by_har("s-2", FA_ADDR, 300);
	CU_ASSERT_FALSE(w.haa.has_previous_fa);
	by_har("s-3", FA_B, 300);
	CU_ASSERT_TRUE(w.haa.has_previous_fa);
	CU_ASSERT_EQUAL(w.haa.previous_fa.s_addr, addr(FA_ADDR).s_addr);
	CU_ASSERT_EQUAL(move_to(FA_C), 0);
	by_har("s-3", FA_ADDR, 300);
	CU_ASSERT_EQUAL(w.haa.previous_fa.s_addr, addr(FA_C).s_addr);
	finish();
}

static void test_plain_path(void)
{
	joined(false, 0); /* no VPN, by UDP: at once, and the session's key serves there too */
	CU_ASSERT_EQUAL(move_to(FA_B), 0);
	CU_ASSERT_TRUE(rrp.fa_ha.present);
	CU_ASSERT_TRUE(packets_go_to(FA_B));
	CU_ASSERT_EQUAL(tunnels(), 2);
	by_har("s-2", FA_C, 300);
	IS(bound(), FA_C);
	world_pass(&w, 199);
	CU_ASSERT_TRUE(packets_go_to(FA_B));
	world_pass(&w, 1);
	CU_ASSERT_TRUE(packets_go_to(FA_C));
	finish();
	joined(true, 0); /* tunnels of the home agent: when they carry */
	by_har("s-2", FA_C, 300);
	world_pass(&w, 500);
	CU_ASSERT_TRUE(packets_go_to(FA_ADDR));
	carries("s-2");
	CU_ASSERT_TRUE(packets_go_to(FA_C));
	finish();
}

/* The tunnel carries before the PCN is ready: then the packets follow the grant at once. */
static void test_carries_early(void)
{
	joined(true, 1);
	w.vpn[AT_PCN] = VPN_HANGS;
	CU_ASSERT_EQUAL(move_to(FA_B), -1);
	carries(S);
	CU_ASSERT_TRUE(packets_go_to(FA_ADDR));
	w.vpn[AT_PCN] = VPN_COMES_UP;
	world_vpn_answers(&w, AT_PCN, true);
	CU_ASSERT_EQUAL(last_reply(FA_B), 0);
	CU_ASSERT_TRUE(packets_go_to(FA_B));
	finish();
}

/* F5: the PCN has to be ready before the reply leaves; nothing is waited for that is not required. */
static void test_f5(void)
{
	for (int required = 0; required < 2; required++) {
		begin(false, 2);
		vpn[1].required = required;
		by_har(S, FA_ADDR, 300);
		CU_ASSERT_EQUAL_FATAL(w.haa.result, DM_SUCCESS);
		w.vpn[AT_PCN] = VPN_HANGS;
		w.cut[AT_PCN2] = !required;
		CU_ASSERT_EQUAL(move_to(FA_B), -1);
		CU_ASSERT_EQUAL(w.moved.n, 0);
		CU_ASSERT_EQUAL(w.told[DYN].n, 2);
		w.vpn[AT_PCN] = VPN_COMES_UP;
		world_vpn_answers(&w, AT_PCN, true);
		CU_ASSERT_EQUAL(last_reply(FA_B), 0);
		IS(at_pcn(0), FA_B);
		w.cut[AT_PCN2] = false;
		world_pass(&w, 2000);
		IS(at_pcn(1), FA_B);
		CU_ASSERT_EQUAL(w.told[DYN].n, 2);
		finish();
	}
}

/* F5 to and fro before the first move is done; the PCN's room answers for the last only. */
static void test_f5_to_and_fro(void)
{
	joined(false, 1);
	w.vpn[AT_PCN] = VPN_HANGS;
	CU_ASSERT_EQUAL(move_to(FA_B), -1);
	move_to(FA_ADDR);
	move_to(FA_C);
	CU_ASSERT_EQUAL(last_reply(FA_ADDR), MIP_HA_RESOURCES);
	w.vpn[AT_PCN] = VPN_COMES_UP;
	world_vpn_answers(&w, AT_PCN, true);
	CU_ASSERT_EQUAL(last_reply(FA_C), 0);
	IS(at_pcn(0), FA_C);
	IS(bound(), FA_C);
	finish();
}

/* F6: another session with fresh keys and another gateway; it fails first, then it works. */
static void test_f6(void)
{
	struct role_row r;

	joined(false, 1);
	vpn[0] = world_dynamic(&w, DYN, 0, "s-2");
	vpn[0].enc_key.data[0] ^= 1;
	w.vpn[AT_PCN] = VPN_HANGS;
	by_har("s-2", FA_B, 200);
	CU_ASSERT_EQUAL(w.hars, w.haas + 1);
	w.vpn[AT_PCN] = VPN_FAILS;
	w.cut[AT_HA] = true; /* so that nobody repairs what this test is about */
	world_vpn_answers(&w, AT_PCN, false);
	CU_ASSERT_EQUAL_FATAL(pcn_rows(w.pcn[0], w.now, &r, 1), 1);
	CU_ASSERT_EQUAL(r.coa.s_addr, addr(FA_ADDR).s_addr);
	CU_ASSERT_EQUAL(r.lifetime_s, 300);
	w.cut[AT_HA] = false;
	w.vpn[AT_PCN] = VPN_COMES_UP;
	world_pass(&w, 5000);
	CU_ASSERT_EQUAL(w.hars, w.haas);
	IS(bound(), FA_ADDR);
	IS(at_pcn(0), FA_ADDR);
	by_har("s-3", FA_B, 200);
	CU_ASSERT_EQUAL(w.haa.result, DM_SUCCESS);
	CU_ASSERT_EQUAL(w.haa.previous_fa.s_addr, addr(FA_ADDR).s_addr);
	IS(at_pcn(0), FA_B);
	finish();
}

/* A HAR under way, and a later request by UDP: it wins; the other way round, too. */
static void test_har_and_udp(void)
{
	joined(true, 0);
	w.vpn[AT_HA] = VPN_HANGS;
	by_har("s-2", FA_B, 300);
	CU_ASSERT_EQUAL(w.hars, w.haas + 1);
	w.vpn[AT_HA] = VPN_COMES_UP;
	CU_ASSERT_EQUAL(move_to(FA_C), 0);
	CU_ASSERT_EQUAL(w.hars, w.haas);
	CU_ASSERT_EQUAL(w.haa.result, DM_MIP_REPLY_FAILURE);
	IS(bound(), FA_C);
	w.vpn[AT_HA] = VPN_HANGS;
	CU_ASSERT_EQUAL(move_to(FA_ADDR), -1);
	w.vpn[AT_HA] = VPN_COMES_UP;
	w.ha_len = 0;
	by_har("s-3", FA_B, 300);
	CU_ASSERT_EQUAL(last_reply(FA_ADDR), MIP_HA_RESOURCES);
	CU_ASSERT_EQUAL(w.haa.result, DM_SUCCESS);
	CU_ASSERT_EQUAL(w.haa.previous_fa.s_addr, addr(FA_C).s_addr);
	IS(bound(), FA_B);
	finish();
}

/* What the HA's VPN room has been asked for last: by whose keys, and from which gateway. */
static bool room_has(char key, const char *fa)
{
	const struct vpn_profile *p = &w.vpn_first[AT_HA];

	return p->enc_key.data[0] == (uint8_t)key && p->src_gw.s_addr == addr(fa).s_addr;
}

static void har_with(char key, const char *session, const char *fa)
{
	for (int i = 0; i < 3; i++)
		vpn[i].enc_key.data[0] = (uint8_t)key;
	by_har(session, fa, 300);
}

/* A HAR that is under way when he is back already, by UDP: its keys are nobody's, and its tunnels go. */
static void test_back_before_har(void)
{
	for (int n = 0; n < 2; n++) { /* n: to another foreign agent, or new keys at the same one */
		joined(true, 0);
		har_with('0', S, FA_ADDR);
		CU_ASSERT_TRUE(room_has('0', FA_ADDR));
		w.vpn[AT_HA] = VPN_HANGS;
		har_with('1', S, n ? FA_ADDR : FA_B);
		CU_ASSERT_TRUE(room_has('1', n ? FA_ADDR : FA_B));
		CU_ASSERT_EQUAL(w.hars, w.haas + 1);
		w.vpn[AT_HA] = VPN_COMES_UP;
		CU_ASSERT_EQUAL(by_udp(&(struct from){.fa = FA_ADDR, .lifetime = 200}), 0);
		CU_ASSERT_EQUAL(w.haa.result, DM_MIP_REPLY_FAILURE);
		CU_ASSERT_TRUE(room_has('0', FA_ADDR));
		CU_ASSERT_EQUAL(w.hars, w.haas);
		IS(bound(), FA_ADDR);
		CU_ASSERT_EQUAL(row.lifetime_s, 200);
		CU_ASSERT_EQUAL(move_to(FA_C), 0); /* and the next move is one of what is there */
		CU_ASSERT_EQUAL(w.moved.from.s_addr, addr(FA_ADDR).s_addr);
		finish();
	}
}

/* The tunnels are ready, a PCN is still being told: he is back, or the next HAR comes to nothing. */
static void test_back_before_pcn(void)
{
	for (int n = 0; n < 2; n++) {
		joined(true, 1);
		har_with('0', S, FA_ADDR);
		w.cut[AT_PCN] = true;
		har_with('1', S, FA_B);
		CU_ASSERT_EQUAL(w.hars, w.haas + 1);
		CU_ASSERT_TRUE(room_has('1', FA_B));
		if (n) {
			w.vpn[AT_HA] = VPN_HANGS;
			har_with('2', S, FA_C);
			CU_ASSERT_TRUE(room_has('2', FA_C));
			w.vpn[AT_HA] = VPN_COMES_UP;
			world_vpn_answers(&w, AT_HA, false);
		} else {
			CU_ASSERT_EQUAL(move_to(FA_ADDR), 0);
		}
		CU_ASSERT_EQUAL(w.hars, w.haas);
		CU_ASSERT_TRUE(room_has('0', FA_ADDR));
		IS(bound(), FA_ADDR);
		w.cut[AT_PCN] = false;
		finish();
	}
}

/* He has left while a HAR was under way: it does not bring him back. */
static void test_left_before_har(void)
{
	joined(true, 0);
	w.vpn[AT_HA] = VPN_HANGS;
	by_har("s-2", FA_B, 300);
	CU_ASSERT_EQUAL(by_udp(&(struct from){.fa = FA_B, .auth = ABSENT, .coa = "10.1.0.10"}), 0);
	CU_ASSERT_EQUAL(w.hars, w.haas);
	CU_ASSERT_EQUAL(w.haa.result, DM_MIP_REPLY_FAILURE);
	CU_ASSERT_EQUAL(ha_count(&w), 0);
	w.vpn[AT_HA] = VPN_COMES_UP;
	finish();
}

/* Two first registrations: the VPN room hears of the new one first, so that what both mean is taken over. */
static void test_new_before_old(void)
{
	begin(true, 0);
	w.vpn[AT_HA] = VPN_HANGS;
	by_har("s-1", FA_ADDR, 300);
	by_har("s-2", FA_ADDR, 300);
	IS(w.vpn_order, "+s-1 +s-2 -s-1 ");
	CU_ASSERT_EQUAL(w.hars, w.haas + 1);
	w.vpn[AT_HA] = VPN_COMES_UP;
	world_vpn_answers(&w, AT_HA, true);
	CU_ASSERT_EQUAL(w.haa.result, DM_SUCCESS);
	finish();
}

HARNESS_MAIN("roles/ha_move", HARNESS_CASE(test_f2), HARNESS_CASE(test_proof), HARNESS_CASE(test_failures),
	     HARNESS_CASE(test_again), HARNESS_CASE(test_one_winner), HARNESS_CASE(test_second_fails),
	     HARNESS_CASE(test_to_and_fro), HARNESS_CASE(test_binding_ends),
	     HARNESS_CASE(test_deregistered_there), HARNESS_CASE(test_previous_fa),
	     HARNESS_CASE(test_plain_path), HARNESS_CASE(test_carries_early), HARNESS_CASE(test_f5),
	     HARNESS_CASE(test_f5_to_and_fro), HARNESS_CASE(test_f6), HARNESS_CASE(test_har_and_udp),
	     HARNESS_CASE(test_back_before_har), HARNESS_CASE(test_back_before_pcn),
	     HARNESS_CASE(test_left_before_har), HARNESS_CASE(test_new_before_old))
