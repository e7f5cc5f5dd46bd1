/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Smooth handoff (F5): Binding Update, hold, tunnels, forwarding, and how all of it ends.
 */
#include "tests/unit/roles/moves.h"

static struct moves m;

static const struct move_ask usual, soft = {.soft = true};

static void join(uint8_t n_profiles)
{
	moves_init(&m);
	m.n_profiles = n_profiles;
	moves_start(&m);
	CU_ASSERT_EQUAL_FATAL(moves_ask(&m, 0, &usual), 0);
	moves_pass(&m, 5000);
	moves_trace_clear(&m);
	m.aaa = MV_AAAF;
}

static void moved(const struct move_ask *how)
{
	join(1);
	CU_ASSERT_EQUAL(moves_ask(&m, 1, how), 0);
}

static uint64_t count(const char *name)
{
	return counter_get(name);
}

static void test_hard(void)
{
	moved(&usual);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "hold+ handoff-out leave tunnel+ forward+ hold- ba0");
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "handed-off");
	CU_ASSERT_EQUAL(m.status, BIND_OK);
	moves_end(&m);
}

static void test_soft(void)
{
	moved(&soft);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "handoff-out leave tunnel+ forward+ ba0");
	moves_end(&m);
}

static void test_waits(void)
{
	join(1);
	m.handoff[0] = VPN_HANGS;
	moves_ask(&m, 1, &usual);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "hold+ handoff-out leave tunnel+");
	moves_bu(&m, 0);     /* the same again: nothing twice, and no answer yet */
	moves_pass(&m, 700); /* and so does a later one */
	CU_ASSERT_EQUAL(m.updates, 2);
	CU_ASSERT_EQUAL(m.acks, 0);
	moves_answer(&m, true);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "hold+ handoff-out leave tunnel+ forward+ hold- ba0");
	moves_pass(&m, 3000);
	CU_ASSERT_EQUAL(m.updates, 2);
	moves_end(&m);
}

static void test_without_vpn(void)
{
	join(0);
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), 0);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "hold+ tunnel+ forward+ hold- ba0");
	moves_end(&m);
}

static void test_fails(void)
{
	join(1);
	m.handoff[0] = VPN_FAILS;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), 0);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "hold+ handoff-out leave tunnel+ tunnel- hold- ba130");
	CU_ASSERT_EQUAL(m.status, BIND_RESOURCES);
	CU_ASSERT_PTR_NOT_NULL(strstr(m.trace[1], "bu remove-in tunnel-"));
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "handed-off"); /* and no STR for it: */
	moves_pass(&m, 10100);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "");
	CU_ASSERT_EQUAL(m.strs[0], 0);
	moves_end(&m);
}

static void test_newcomer_fails(void)
{
	join(1);
	m.handoff[1] = VPN_FAILS;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), 0);
	CU_ASSERT_EQUAL(m.updates, 0);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "registered");
	moves_end(&m);
}

static void test_lifetime(void)
{
	const struct move_ask three = {.pfan_lifetime = 3}, long_one = {.pfan_lifetime = 600};

	moved(&three);
	moves_trace_clear(&m);
	moves_pass(&m, 2900);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "");
	moves_pass(&m, 200);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "forward- remove-out tunnel- visitor- tunnel- remove");
	CU_ASSERT_EQUAL(m.strs[0], 0);
	moves_pass(&m, 1000);
	CU_ASSERT_STRING_EQUAL(m.trace[1], "remove-in tunnel-");
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 1), "registered");
	moves_end(&m);
	moved(&long_one);
	moves_pass(&m, 10100); /* handoff-lifetime */
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "");
	moves_end(&m);
}

static void test_updates_are_lost(void)
{
	join(1);
	m.lose_bu = true;
	moves_ask(&m, 1, &usual);
	moves_pass(&m, 30000);
	CU_ASSERT_EQUAL(m.updates, 4);
	CU_ASSERT_PTR_NOT_NULL(strstr(m.trace[1], "reply0 bu bu bu bu remove-in tunnel-"));
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "registered");
	moves_end(&m);
}

static void test_acks_are_lost(void)
{
	join(1);
	m.lose_ba = true;
	moves_ask(&m, 1, &usual);
	moves_pass(&m, 5000);
	CU_ASSERT_EQUAL(m.updates, 4);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "hold+ handoff-out leave tunnel+ forward+ hold- ba0 ba0 ba0 ba0");
	moves_end(&m);
}

/* The pauses: 0.5, 1 and 2 s, with up to 0.1 s. */
static void test_pauses(void)
{
	static const struct {
		role_ms pass;
		unsigned updates;
	} steps[] = {{0, 1}, {499, 1}, {102, 2}, {898, 2}, {202, 3}, {1799, 3}, {401, 4}, {5000, 4}};

	join(1);
	m.lose_bu = true;
	moves_ask(&m, 1, &usual);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		moves_pass(&m, steps[i].pass);
		HARNESS_AT(m.updates == steps[i].updates, "step %zu: %u", i, m.updates);
	}
	moves_end(&m);
}

/* A message of our own making, from agent 1. */
struct forge {
	uint16_t lifetime;
	int64_t clock_ms;
	bool no_ident, no_seal, cvse, spoil, route;
	const char *coa, *src, *hoa;
	uint64_t ident;
	bool old_request; /* of a registration before the one here */
};

static uint8_t auth[32], seal[32];

static void forged_ext(struct wbuf *w, const struct forge *f)
{
	struct bind_handoff h = {.request = f->old_request ? m.ident - 1 : 0};

	if (!f->no_seal)
		bind_put_handoff(w, &h, seal);
	if (f->cvse)
		wbuf_bytes(w, "\x26\x00\x00\x06\x00\x00\x00\x09\x00\x01", 10);
	bind_put_auth(w, f->route ? BIND_SUBTYPE_ROUTE : BIND_SUBTYPE_HANDOFF, 256, auth);
	if (f->spoil)
		w->base[w->len - 1] ^= 1;
}

static int forged(const struct forge *f)
{
	struct vpn_key key = {.len = 32};
	uint8_t mem[512];
	struct wbuf w;
	struct in_addr coa = f->coa ? addr(f->coa) : moves_coa(1);
	struct bind_msg b = {.type = BIND_UPDATE,
			     .flags = BIND_A,
			     .lifetime = f->lifetime,
			     .coa = coa,
			     .has_ident = !f->no_ident,
			     .ident = f->ident};
	struct role_event e = {.type = EV_PACKET, .data = mem};
	unsigned before = m.acks;

	memcpy(key.data, "of the handoffs of the session", 31);
	vpn_handoff_auth_key(&key, auth);
	vpn_handoff_seal_key(&key, seal);
	b.hoa = addr(f->hoa ? f->hoa : MV_HOA);
	if (!b.ident)
		b.ident = mip_ident_from_unix_ms((uint64_t)((int64_t)m.wall + f->clock_ms), 0);
	wbuf_init(&w, mem, sizeof(mem));
	bind_put(&w, &b);
	forged_ext(&w, f);
	e.len = w.len;
	e.path = (struct role_path){.src = f->src ? addr(f->src) : coa, .dst = moves_coa(0)};
	moves_tell(&m, 0, &e);
	return m.acks == before ? -1 : m.status;
}

static void test_refusals(void)
{
	static const struct {
		const char *counter;
		struct forge f;
		int status;
	} cases[] = {
		{"not_handoff", {.lifetime = 5, .route = true}, -1},
		{"no_visitor", {.lifetime = 5, .hoa = "10.1.0.99"}, -1},
		{"other_sender", {.lifetime = 5, .src = "198.51.100.66"}, -1},
		{"not_authentic", {.lifetime = 5, .spoil = true}, -1},
		{"cvse", {.lifetime = 5, .cvse = true}, BIND_POOR},
		{"own_address", {.lifetime = 5, .coa = "198.51.100.11"}, BIND_POOR},
		{"own_address", {.lifetime = 5, .coa = MV_HOA}, BIND_POOR},
		{"no_identification", {.lifetime = 5, .no_ident = true}, BIND_IDENT},
		{"stale", {.lifetime = 5, .clock_ms = -7100}, BIND_IDENT},
		{"stale", {.lifetime = 5, .clock_ms = 7100}, BIND_IDENT},
		{"bad_handoff", {.lifetime = 5, .no_seal = true}, BIND_POOR},
		{"old_move", {.lifetime = 5, .old_request = true}, BIND_IDENT},
	};
	char name[64];

	join(1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t before;

		snprintf(name, sizeof(name), "fa.bu.%s", cases[i].counter);
		before = count(name);
		HARNESS_AT(forged(&cases[i].f) == cases[i].status, "%s: %d", name, m.status);
		HARNESS_AT(count(name) == before + 1, "%s", name);
		CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "registered");
	}
	moves_end(&m);
}

static void test_replay(void)
{
	struct forge f = {.lifetime = 5};

	join(1);
	CU_ASSERT_EQUAL(forged(&f), BIND_OK);
	f.clock_ms = -1000;
	CU_ASSERT_EQUAL(forged(&f), BIND_IDENT);
	f.clock_ms = 0;
	CU_ASSERT_EQUAL(forged(&f), BIND_OK); /* the same again */
	f.coa = "198.51.100.13";	      /* the same for somebody else */
	CU_ASSERT_EQUAL(forged(&f), BIND_IDENT);
	moves_end(&m);
}

static void test_no_key(void)
{
	struct forge f = {.lifetime = 5};
	uint64_t before = count("fa.bu.no_key");

	moves_init(&m);
	m.no_handoff_key = true;
	moves_start(&m);
	moves_ask(&m, 0, &usual);
	CU_ASSERT_EQUAL(forged(&f), -1);
	CU_ASSERT_EQUAL(count("fa.bu.no_key"), before + 1);
	m.aaa = MV_AAAF;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), 0);
	CU_ASSERT_EQUAL(m.updates, 0);
	moves_end(&m);
}

static void test_disabled(void)
{
	moves_init(&m);
	m.fc[0].smooth_handoff = false;
	moves_start(&m);
	moves_ask(&m, 0, &usual);
	m.aaa = MV_AAAF;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), 0);
	CU_ASSERT_EQUAL(m.status, BIND_PROHIBITED);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "registered");
	moves_end(&m);
}

static void test_forget(void)
{
	const struct move_ask forget = {.pfan_lifetime = MV_DEREGISTER};

	moved(&forget);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "ba0 visitor- tunnel- remove");
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "");
	CU_ASSERT_EQUAL(m.strs[0], 0);
	moves_pass(&m, 5000);
	CU_ASSERT_EQUAL(m.updates, 1);
	moves_end(&m);
}

static void test_chain(void)
{
	moved(&usual);
	moves_pass(&m, 1000);
	moves_trace_clear(&m);
	CU_ASSERT_EQUAL(moves_ask(&m, 2, &usual), 0);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "");
	CU_ASSERT_STRING_EQUAL(m.trace[1], "hold+ handoff-out leave tunnel+ forward+ hold- ba0");
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "handed-off");
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 1), "handed-off");
	moves_pass(&m, 12000);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 1), "");
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 2), "registered");
	CU_ASSERT_EQUAL(m.strs[0] + m.strs[1] + m.strs[2], 0);
	moves_end(&m);
}

static void test_return(void)
{
	moved(&usual);
	moves_pass(&m, 1000);
	moves_trace_clear(&m);
	CU_ASSERT_EQUAL(moves_ask(&m, 0, &usual), 0);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "amr relay install-late forward- remove-out tunnel- handoff-in "
					   "tunnel+ remove reply0 bu");
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "registered");
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 1), "handed-off");
	moves_pass(&m, 15000);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "registered");
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 1), "");
	CU_ASSERT_EQUAL(m.strs[0] + m.strs[1], 0);
	moves_end(&m);
}

/* He is on his way back when the entry that was left of him here expires: his path does not go with it. */
static void test_expires_during_return(void)
{
	moved(&usual);
	m.install[0] = VPN_HANGS;
	moves_pass(&m, 8000);
	moves_ask(&m, 0, &usual);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "handed-off");
	moves_trace_clear(&m);
	moves_pass(&m, 3000);
	HARNESS_AT(strstr(m.trace[0], "remove") != NULL, "%s", m.trace[0]); /* the old session has gone */
	HARNESS_AT(strstr(m.trace[0], "visitor") == NULL, "%s", m.trace[0]);
	moves_answer(&m, true);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "registered");
	moves_end(&m);
}

/* Between domains: what the destination gateway sends by the new tunnel must not go where he was. */
static void test_return_by_the_home_network(void)
{
	join(1);
	m.aaa = MV_AAAH;
	CU_ASSERT_EQUAL(moves_ask(&m, 1, &usual), 0);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "handed-off");
	moves_trace_clear(&m);
	m.install[0] = VPN_HANGS;
	moves_ask(&m, 0, &usual);
	CU_ASSERT_STRING_EQUAL(m.trace[0],
			       "amr forward- remove-out tunnel- install-late handoff-in tunnel+ bu");
	moves_answer(&m, true);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "registered");
	moves_end(&m);
}

/* Back before agent 1's Binding Update was heard here: it is about an older registration. */
static void test_old_move(void)
{
	uint64_t before = count("fa.bu.old_move");
	uint8_t first[256];
	size_t len;
	struct role_path path;

	join(1);
	m.lose_bu = true;
	moves_ask(&m, 1, &usual);
	len = m.bu_len;
	path = m.bu_path;
	memcpy(first, m.bu, len);
	CU_ASSERT_EQUAL(moves_ask(&m, 0, &usual), 0);
	memcpy(m.bu, first, len);
	m.bu_len = len;
	m.bu_path = path;
	moves_bu(&m, 0);
	CU_ASSERT_EQUAL(count("fa.bu.old_move"), before + 1);
	CU_ASSERT_EQUAL(m.status, BIND_IDENT);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "registered");
	moves_end(&m);
}

/* From here to 1, and before that was known to the node, from here to 2. */
static void test_second_move_from_here(void)
{
	const struct move_ask from_zero = {.previous = 1};

	for (int hang = 0; hang < 2; hang++) {
		join(1);
		m.handoff[0] = hang ? VPN_HANGS : VPN_COMES_UP;
		moves_ask(&m, 1, &usual);
		m.handoff[0] = VPN_COMES_UP;
		moves_trace_clear(&m);
		moves_pass(&m, 10);
		CU_ASSERT_EQUAL(moves_ask(&m, 2, &from_zero), 0);
		CU_ASSERT_STRING_EQUAL(
			m.trace[0], hang ? "remove-out tunnel- handoff-out leave tunnel+ forward+ hold- ba0"
					 : "hold+ forward- remove-out tunnel- handoff-out leave tunnel+ "
					   "forward+ hold- ba0");
		CU_ASSERT_EQUAL(m.status, BIND_OK);
		moves_pass(&m, 20000);
		CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "");
		moves_end(&m);
	}
}

static void test_ends(void)
{
	struct role_event asr = {.type = EV_ASR, .token = 1}, drop = {.type = EV_DROP, .text = MV_NAI},
			  down = {.type = EV_VPN_DOWN, .text = "lost", .session = "handoff-out:" MV_HOA};
	char old[DM_SESSION_MAX];

	moved(&usual);
	memcpy(old, m.session[0], sizeof(old));
	asr.session = old;
	moves_tell(&m, 0, &asr);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "");
	moves_end(&m);
	moved(&usual);
	moves_tell(&m, 0, &drop);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "");
	CU_ASSERT_EQUAL(m.strs[0], 0);
	moves_end(&m);
	moved(&usual);
	moves_trace_clear(&m);
	moves_tell(&m, 0, &down);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "forward- remove-out tunnel-");
	memcpy(old, m.session[0], sizeof(old));
	down.session = old; /* the home agent takes the old tunnel down */
	moves_tell(&m, 0, &down);
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 0), "handed-off");
	down.session = "handoff-in:" MV_HOA;
	moves_tell(&m, 1, &down);
	CU_ASSERT_PTR_NOT_NULL(strstr(m.trace[1], "remove-in tunnel-"));
	CU_ASSERT_STRING_EQUAL(moves_state(&m, 1), "registered");
	moves_end(&m);
}

static void test_visitor_ends_before(void)
{
	struct role_event drop = {.type = EV_DROP, .text = MV_NAI};

	moved(&usual);
	moves_trace_clear(&m);
	moves_tell(&m, 1, &drop);
	CU_ASSERT_STRING_EQUAL(m.trace[1], "remove-in tunnel- visitor- tunnel- remove str");
	moves_end(&m);
}

static void test_shutdown_while_holding(void)
{
	join(1);
	m.handoff[0] = VPN_HANGS;
	moves_ask(&m, 1, &usual);
	moves_trace_clear(&m);
	moves_end(&m);
	CU_ASSERT_STRING_EQUAL(m.trace[0], "remove-out tunnel- hold- visitor- tunnel- remove");
	CU_ASSERT_EQUAL(m.strs[0], 0);
}

/* What an acknowledgement that is none may do: nothing. */
static void test_bad_acks(void)
{
	struct role_event e = {.type = EV_PACKET};
	uint8_t mem[128], key[32];
	struct wbuf w;
	struct vpn_key handoff = {.len = 32};
	struct bind_msg b = {.type = BIND_ACK, .status = BIND_RESOURCES, .has_ident = true, .ident = 1};
	uint64_t old = count("fa.ba.old"), forged_ones = count("fa.ba.not_authentic"),
		 strange = count("fa.ba.no_match");

	join(1);
	m.lose_ba = true;
	moves_ask(&m, 1, &usual);
	memcpy(handoff.data, "of the handoffs of the session", 31);
	vpn_handoff_auth_key(&handoff, key);
	b.hoa = addr(MV_HOA);
	for (int i = 0; i < 3; i++) {
		wbuf_init(&w, mem, sizeof(mem));
		bind_put(&w, &b);
		key[0] ^= i == 1;
		bind_put_auth(&w, BIND_SUBTYPE_HANDOFF, 256, key);
		e.data = mem;
		e.len = w.len;
		e.path.src = i == 2 ? moves_coa(2) : moves_coa(0);
		moves_tell(&m, 1, &e);
	}
	CU_ASSERT_EQUAL(count("fa.ba.old"), old + 1);
	CU_ASSERT_EQUAL(count("fa.ba.not_authentic"), forged_ones + 1);
	CU_ASSERT_EQUAL(count("fa.ba.no_match"), strange + 1);
	CU_ASSERT_PTR_NULL(strstr(m.trace[1], "remove-in"));
	moves_end(&m);
}

HARNESS_MAIN("roles/handoff", HARNESS_CASE(test_hard), HARNESS_CASE(test_soft), HARNESS_CASE(test_waits),
	     HARNESS_CASE(test_without_vpn), HARNESS_CASE(test_fails), HARNESS_CASE(test_newcomer_fails),
	     HARNESS_CASE(test_lifetime), HARNESS_CASE(test_updates_are_lost),
	     HARNESS_CASE(test_acks_are_lost), HARNESS_CASE(test_pauses), HARNESS_CASE(test_refusals),
	     HARNESS_CASE(test_replay), HARNESS_CASE(test_no_key), HARNESS_CASE(test_disabled),
	     HARNESS_CASE(test_forget), HARNESS_CASE(test_chain), HARNESS_CASE(test_return),
	     HARNESS_CASE(test_expires_during_return), HARNESS_CASE(test_return_by_the_home_network),
	     HARNESS_CASE(test_old_move), HARNESS_CASE(test_second_move_from_here), HARNESS_CASE(test_ends),
	     HARNESS_CASE(test_visitor_ends_before), HARNESS_CASE(test_shutdown_while_holding),
	     HARNESS_CASE(test_bad_acks))
