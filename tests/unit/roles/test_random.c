/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Thousands of steps in no order: four mobile nodes register, renew, deregister, replay and send rubbish,
 * tunnels fail or hang, operators drop, the AAAH ends sessions or says nothing, time goes by.  Whatever
 * happens: each ADD has its DEL, each HAR its HAA, and after the last lifetime nothing is left.  The seed is
 * fixed, so is every run.
 */
#include "tests/unit/roles/world.h"

#define NODES 4
#define STEPS 6000

static struct world w;
static struct mn node[NODES];
static char old_session[2][DM_SESSION_MAX];
static uint8_t old_bytes[MIP_MSG_MAX];
static size_t old_len;
static uint32_t seed;

static uint32_t dice(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static void tell(int role, const struct role_event *e)
{
	if (role == AT_FA)
		fa_tell(&w, e);
	else
		ha_tell(&w, e);
}

static void any_request(void)
{
	struct mn *m = &node[dice(NODES)];
	struct ask a = {.lifetime = dice(4) ? (uint16_t)(1 + dice(600)) : 0, .with_challenge = dice(8) != 0};
	uint8_t buf[MIP_MSG_MAX];
	size_t len;

	if (dice(2))
		mn_hear(&w, m);
	a.with_challenge = a.with_challenge && m->challenge_len;
	a.keys = a.with_aaa = dice(3) != 0;
	a.with_mn_ha = m->mn_ha.have && dice(3);
	a.with_mn_fa = m->mn_fa.have && dice(3);
	a.flags = dice(3) ? 0 : MIP_T;
	a.spoil_aaa = !dice(10);
	a.spoil_mn_ha = !dice(20);
	a.spoil_mn_fa = !dice(20);
	a.ha = dice(6) ? NULL : "0.0.0.0";
	len = mn_build(&w, m, &a, buf);
	if (!dice(10))
		buf[dice((uint32_t)len)] ^= (uint8_t)(1u << dice(8));
	if (!dice(20))
		len = dice((uint32_t)len);
	if (!dice(5))
		m->mac[3] ^= 1; /* the station has changed */
	mn_send_bytes(&w, m, &a, buf, len);
	if (!dice(4)) {
		memcpy(old_bytes, buf, len);
		old_len = len;
	}
}

static void home_or_replay(void)
{
	struct mn *m = &node[dice(NODES)];
	struct ask a = {.with_mn_ha = m->mn_ha.have, .coa = "10.1.0.10"};

	if (dice(2) && old_len)
		mn_send_bytes(&w, m, &a, old_bytes, old_len);
	else
		mn_send_home(&w, m, &a);
}

static void any_session_event(void)
{
	static const enum role_event_type types[] = {EV_ASR, EV_VPN_DOWN};
	int role = (int)dice(2);
	const char *now = role == AT_FA ? w.amr_session : w.har_session;
	struct role_event e = {.type = types[dice(2)], .text = "by chance"};

	if (w.vpn_session[role][0] && dice(3)) { /* what hangs comes to an end */
		world_vpn_answers(&w, role, dice(2));
		return;
	}
	e.session = dice(2) ? now : old_session[role];
	if (strcmp(e.session, w.vpn_session[role]) == 0)
		e.type = EV_ASR; /* a tunnel that never stood is not lost */
	tell(role, &e);
	snprintf(old_session[role], sizeof(old_session[role]), "%s", now);
}

static void any_drop(void)
{
	static const char *const text[] = {"n0@home.test", "n1@home.test", "10.1.0.12", "nobody", ""};
	struct role_event e = {.type = EV_DROP, .text = text[dice(5)]};

	tell((int)dice(2), &e);
}

static void step(void)
{
	w.vpn[AT_FA] = dice(6) ? VPN_COMES_UP : (enum vpn_policy)dice(3);
	w.vpn[AT_HA] = dice(6) ? VPN_COMES_UP : (enum vpn_policy)dice(3);
	/* One hanging install at a time can be answered by the stand-in. */
	for (int i = 0; i < 2; i++)
		w.vpn[i] = w.vpn_session[i][0] && w.vpn[i] == VPN_HANGS ? VPN_FAILS : w.vpn[i];
	w.deaf = !dice(12);
	w.n_profiles = (uint8_t)dice(3);
	w.same_session = dice(2);
	w.aaah_relays_end = dice(2);
	w.hold_ama = !dice(4);
	while (w.n_held && (dice(2) || w.n_held > 4))
		world_ama_arrives(&w, dice((uint32_t)w.n_held));
	switch (dice(12)) {
	case 0:
		any_session_event();
		break;
	case 1:
		any_drop();
		break;
	case 2:
		home_or_replay();
		break;
	case 3:
	case 4:
	case 5:
		world_pass(&w, dice(4000));
		break;
	case 6:
		world_pass(&w, dice(200000));
		break;
	default:
		any_request();
	}
}

static void run(uint32_t first, bool aaa)
{
	static char nai[NODES][32];

	seed = first;
	world_init(&w, aaa);
	w.random = true;
	old_len = 0;
	for (int i = 0; i < NODES; i++) {
		char hoa[20];

		snprintf(nai[i], sizeof(nai[i]), "n%d@home.test", i);
		snprintf(hoa, sizeof(hoa), i == 3 ? "0.0.0.0" : "10.1.0.%d", 10 + i);
		world_mn(&w, &node[i], nai[i], hoa);
	}
	world_start(&w);
	for (int i = 0; i < STEPS; i++)
		step();
	CU_ASSERT_TRUE(counter_get("fa.visitor.added") > 50);
	w.vpn_session[AT_FA][0] = 0;
	w.hold_ama = false;
	while (w.n_held)
		world_ama_arrives(&w, 0);
	world_pass(&w, 1000000);
	CU_ASSERT_EQUAL(fa_count(&w), 0);
	CU_ASSERT_EQUAL(ha_count(&w), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	CU_ASSERT_EQUAL(w.hars, w.haas);
	w.reply_before_vpn = 0;
	world_end(&w);
}

static void test_random(void)
{
	for (uint32_t s = 1; s <= 5; s++)
		run(s, true);
}

HARNESS_MAIN("roles/random", HARNESS_CASE(test_random))
