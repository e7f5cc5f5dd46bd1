/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VPN room when things go wrong: every way in which a tunnel fails, a charon that goes, other people's
 * commands.
 */
#include <stdio.h>

#include "agent/vpn/internal.h"
#include "tests/unit/harness.h"
#include "tests/unit/vpn/fake_charon.h"
#include "tests/unit/vpn/profiles.h"

static struct room room;

static void open_as(const char *self)
{
	struct vpn_config c = {.self = addr_of(self),
			       .audit_ms = 1000,
			       .initiate_timeout_ms = 2000,
			       .responder_wait_ms = 5000,
			       .restore_ms = 8000};

	room_open(&room, &c);
}

static void expect_clean(const char *what)
{
	room_pass(&room, 6000);
	HARNESS_AT(fake_empty(&room.f), "%s: something is left in charon", what);
	HARNESS_AT(vpn_idle(room.v), "%s: something is left in the room", what);
	CU_ASSERT_EQUAL(room.reports_inside, 0);
	room_close(&room);
}

static void test_failures(void)
{
	static const struct {
		const char *name;
		enum fake_outcome outcome;
		const char *refuse, *words;
		unsigned within_ms;
		bool stubborn, no_relation;
	} rows[] = {
		{"wrong key", FAKE_AUTH_FAILED, NULL, "refused our authentication", 100, false, false},
		{"no proposal", FAKE_NO_PROPOSAL, NULL, "algorithms", 100, false, false},
		{"no child proposal", FAKE_NO_CHILD_PROPOSAL, NULL, "cannot do the tunnel's security type",
		 100, false, false},
		{"selectors", FAKE_TS_UNACCEPTABLE, NULL, "traffic selectors", 100, false, false},
		{"selectors, no log", FAKE_TS_SILENT, NULL, "accepted us but not the tunnel", 400, false,
		 false},
		{"selectors, stubborn", FAKE_TS_SILENT, NULL, "accepted us but not the tunnel", 400, true,
		 false},
		{"black hole", FAKE_BLACK_HOLE, NULL, "does not answer", 2000, false, false},
		{"black hole, stubborn", FAKE_BLACK_HOLE, NULL, "does not answer", 2000, true, false},
		{"load-shared", FAKE_UP, "load-shared", "charon refused the key: as the test wants", 10,
		 false, false},
		{"load-conn", FAKE_UP, "load-conn", "charon refused the connection", 10, false, false},
		{"initiate", FAKE_UP, "initiate", "charon refused the initiation", 10, false, false},
		{"no preset relation", FAKE_UP, NULL, "no security relation is preset", 10, false, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vpn_profile p = rows[i].no_relation ? profile_default(1) : profile_fa_ha(1);

		open_as(FA);
		room_settle(&room);
		room.f.outcome = rows[i].outcome;
		room.f.refuse = rows[i].refuse;
		room.f.stubborn = rows[i].stubborn;
		room_install(&room, "s1", &p, 1, 3000);
		room_pass(&room, rows[i].within_ms);
		HARNESS_AT(room_said(&room, "s1 FAILED "), "%s: %s", rows[i].name, room.reports);
		HARNESS_AT(room_said(&room, rows[i].words), "%s: %s", rows[i].name, room.reports);
		HARNESS_AT(!room_net(&room, "vpn-add"), "%s", rows[i].name);
		expect_clean(rows[i].name);
	}
}

/* The deadline holds whatever is missing. */
static void test_deadline(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	open_as(FA);
	room.f.absent = true;
	room_install(&room, "s1", &p, 1, 700);
	room_pass(&room, 699);
	CU_ASSERT_STRING_EQUAL(room.reports, "");
	room_pass(&room, 1);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 FAILED gateway 198.51.100.21: charon does not answer;");
	expect_clean("no charon");
	open_as(FA);
	room.net_silent = true;
	room_install(&room, "s1", &p, 1, 700);
	room_pass(&room, 700);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 FAILED the network helper did not answer in time;");
	room.net_silent = false;
	expect_clean("no helper");
}

static void test_net_refuses(void)
{
	static const uint32_t verbs[] = {NH_VPN_ADD, NH_PROTECT_ADD};

	for (size_t i = 0; i < 2; i++) {
		struct vpn_profile p = profile_fa_ha(1);

		open_as(FA);
		room.net_fails = verbs[i];
		room_install(&room, "s1", &p, 1, 3000);
		room_settle(&room);
		CU_ASSERT_STRING_EQUAL(room.reports, "s1 FAILED data path: not allowed;");
		expect_clean("helper refuses");
	}
}

/* charon comes late, is killed, comes again. */
static void test_charon_restarts(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	open_as(FA);
	room.f.absent = true;
	room_install(&room, "s1", &p, 1, 9000);
	room_pass(&room, 2000);
	room.f.absent = false;
	room_pass(&room, 6000);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	for (int i = 0; i < 3; i++) {
		room.net[0] = '\0';
		fake_kill(&room);
		room_settle(&room);
		CU_ASSERT_TRUE(room_net(&room, "vpn-del"));
		room_pass(&room, 1000);
		CU_ASSERT_EQUAL(room.f.n_sas, 1);
		CU_ASSERT_TRUE(room_net(&room, "vpn-add"));
	}
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	room_remove(&room, "s1");
	expect_clean("restarts");
}

static void test_not_restored(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	open_as(FA);
	room_install(&room, "s1", &p, 1, 3000);
	room_settle(&room);
	room.f.outcome = FAKE_AUTH_FAILED;
	fake_peer_down(&room, "mipvpn");
	room_pass(&room, 7000);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	room_pass(&room, 2000);
	CU_ASSERT_TRUE(
		room_said(&room, "s1 DOWN could not be set up again: gateway 198.51.100.21: it refused"));
	room_remove(&room, "s1");
	expect_clean("not restored");
}

static void test_restored(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	open_as(FA);
	room_install(&room, "s1", &p, 1, 3000);
	room_settle(&room);
	room.f.outcome = FAKE_BLACK_HOLE;
	fake_peer_down(&room, "mipvpn");
	room_pass(&room, 4000);
	CU_ASSERT_TRUE(room.f.initiates >= 2);
	room.f.outcome = FAKE_UP;
	room_pass(&room, 20000);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_EQUAL(room.f.n_sas, 1);
	room_remove(&room, "s1");
	expect_clean("restored");
}

/* Nothing else holds the packets to a dynamic gateway back: its flow stays while the tunnel is away (E3). */
static void test_dynamic_never_in_clear(void)
{
	struct vpn_profile p = profile_of(1, FA, GW);

	p.dst_gw_type = VPN_GW_DYNAMIC;
	open_as(FA);
	room_install(&room, "s1", &p, 1, 3000);
	room_settle(&room);
	CU_ASSERT_TRUE(room_net(&room, "vpn-add"));
	CU_ASSERT_FALSE(room_net(&room, "protect-add"));
	room.f.outcome = FAKE_BLACK_HOLE;
	fake_peer_down(&room, "mipvpn");
	room_pass(&room, 4000);
	CU_ASSERT_FALSE(room_net(&room, "vpn-del"));
	room_remove(&room, "s1");
	room_settle(&room);
	CU_ASSERT_TRUE(room_net(&room, "vpn-del"));
	expect_clean("dynamic");
}

static void test_nobody_comes(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	open_as(HA);
	room_install(&room, "s1", &p, 1, 3000);
	room_pass(&room, 4900);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_EQUAL(room.f.n_conns, 1);
	room_pass(&room, 200);
	CU_ASSERT_STRING_EQUAL(room.reports,
			       "s1 UP ;s1 DOWN gateway 198.51.100.11 did not set its tunnel up in time;");
	CU_ASSERT_TRUE(fake_empty(&room.f));
	room_remove(&room, "s1");
	expect_clean("nobody comes");
}

/* Another administrator's reload takes our things; the audit brings back what is still needed. */
static void test_foreign_reload(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	open_as(HA);
	room_install(&room, "s1", &p, 1, 3000);
	room_settle(&room);
	fake_unload_all(&room.f);
	CU_ASSERT_FALSE(fake_has_conn(&room.f, "-r"));
	room_pass(&room, 1100);
	CU_ASSERT_TRUE(fake_has_conn(&room.f, "-r"));
	CU_ASSERT_EQUAL(room.f.n_keys, 1);
	fake_peer_up(&room, "-r");
	room_pass(&room, 2100);
	CU_ASSERT_EQUAL(room.f.n_conns, 0);
	room_remove(&room, "s1");
	expect_clean("reload");
}

/* An SA that vanished without an event is noticed by the audit. */
static void test_audit_finds_loss(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	open_as(FA);
	room_install(&room, "s1", &p, 1, 3000);
	room_settle(&room);
	room.f.n_sas = 0;
	room_pass(&room, 1100);
	CU_ASSERT_EQUAL(room.f.initiates, 2);
	CU_ASSERT_EQUAL(room.f.n_sas, 1);
	room_remove(&room, "s1");
	expect_clean("loss");
}

/* What a former agent left goes, what is not ours stays. */
static void test_orphans(void)
{
	struct fake *f = &room.f;

	open_as(FA);
	strcpy(f->conns[0], "mipvpn-p9-64-0badcafe-198-51-100-21-i");
	strcpy(f->conns[1], "mipvpn2-p9-64-0badcafe-198-51-100-21-i");
	strcpy(f->conns[2], "office");
	f->n_conns = 3;
	strcpy(f->keys[0], "mipvpn-p9-64-0badcafe-198-51-100-21-i");
	strcpy(f->keys[1], "mipvpn");
	f->n_keys = 2;
	for (int i = 0; i < 2; i++) {
		strcpy(f->sas[i].name, i ? "office" : "mipvpn-sla-acme-198-51-100-31");
		f->sas[i].id = (uint32_t)i + 1;
		f->sas[i].established = f->sas[i].child = true;
	}
	f->n_sas = 2;
	room_pass(&room, 5000);
	CU_ASSERT_EQUAL(f->n_conns, 2);
	CU_ASSERT_STRING_EQUAL(f->conns[0], "mipvpn2-p9-64-0badcafe-198-51-100-21-i");
	CU_ASSERT_STRING_EQUAL(f->conns[1], "office");
	CU_ASSERT_EQUAL(f->n_keys, 1);
	CU_ASSERT_EQUAL(f->n_sas, 1);
	CU_ASSERT_STRING_EQUAL(f->sas[0].name, "office");
	CU_ASSERT_TRUE(vpn_idle(room.v));
	room_close(&room);
}

/* The peer lost its SAs and tries anew while we have unloaded its connection: charon's log tells. */
static void test_knock(void)
{
	struct vpn_profile p = profile_fa_ha(1);
	char msg[400], id[VPN_ID_MAX];

	for (int by_id = 0; by_id < 2; by_id++) {
		open_as(HA);
		room_install(&room, "s1", &p, 1, 3000);
		room_settle(&room);
		fake_peer_up(&room, "-r");
		room_pass(&room, 2000);
		CU_ASSERT_EQUAL(room.f.n_conns, 0);
		vpn_profile_ike_id(&p, p.src_gw, id);
		if (by_id)
			snprintf(msg, sizeof(msg), "looking for peer configs matching " HA "[x]..." FA "[%s]",
				 id);
		else
			snprintf(msg, sizeof(msg),
				 "no IKE config found for " HA "..." FA ", sending NO_PROPOSAL_CHOSEN");
		fake_log(&room, NULL, msg);
		room_settle(&room);
		CU_ASSERT_EQUAL(room.f.n_conns, 1);
		CU_ASSERT_EQUAL(room.f.n_keys, 1);
		fake_peer_up(&room, "-r");
		CU_ASSERT_EQUAL(room.f.n_conns, 0);
		CU_ASSERT_EQUAL(room.f.n_keys, 0);
		/* Nobody comes behind a knock: unloaded again. */
		room_pass(&room, 2000);
		fake_log(&room, NULL, msg);
		room_pass(&room, 11000);
		CU_ASSERT_EQUAL(room.f.n_conns, 0);
		CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
		room_remove(&room, "s1");
		expect_clean("knock");
	}
}

static void test_bad_profiles(void)
{
	struct vpn_profile many[VPN_PROFILES_MAX + 1], p = profile_fa_ha(1);

	open_as(GW);
	room_settle(&room);
	CU_ASSERT_EQUAL(room_install(&room, "s1", &p, 1, 1000), -1); /* neither gateway is this one */
	p = profile_of(1, GW, HA);
	p.spi_up = 3;
	CU_ASSERT_EQUAL(room_install(&room, "s1", &p, 1, 1000), -1);
	for (unsigned i = 0; i <= VPN_PROFILES_MAX; i++)
		many[i] = profile_of(i + 1, GW, HA);
	CU_ASSERT_EQUAL(room_install(&room, "s1", many, VPN_PROFILES_MAX + 1, 1000), -1);
	CU_ASSERT_EQUAL(room_install(&room, "s1", many, VPN_PROFILES_MAX, 1000), 0);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_EQUAL(room_install(&room, "s2", NULL, 0, 1000), 0);
	room_settle(&room);
	CU_ASSERT_TRUE(room_said(&room, "s2 UP"));
	room_remove(&room, "s1");
	room_remove(&room, "s2");
	expect_clean("bad profiles");
}

/* Names lead back to tunnels, and nothing else does. */
static void test_names(void)
{
	static const char *const not_ours[] = {"mipvpn",     "mipvpn-", "mipvpn-p",    "mipvpn-px",
					       "mipvpn2-p1", "office",	"mipvpn-slack"};
	static const char *const no_ids[] = {"", "x", "1-2-3", "1-2-3-4@", "1-2-3-4@host", "alice@home.test"};
	struct vpn_profile p = profile_fa_ha(7);
	char name[TUNNEL_NAME_MAX], back[TUNNEL_NAME_MAX], id[VPN_ID_MAX];

	open_as(HA);
	for (size_t i = 0; i < sizeof(not_ours) / sizeof(not_ours[0]); i++)
		HARNESS_AT(!vpn_name_ours(room.v, not_ours[i]), "%s", not_ours[i]);
	for (size_t i = 0; i < sizeof(no_ids) / sizeof(no_ids[0]); i++)
		HARNESS_AT(!vpn_name_from_ike_id(room.v, no_ids[i], back), "%s", no_ids[i]);
	vpn_name_profile(room.v, &p, false, name);
	CU_ASSERT_TRUE(vpn_name_ours(room.v, name));
	vpn_profile_ike_id(&p, p.src_gw, id);
	CU_ASSERT_TRUE(vpn_name_from_ike_id(room.v, id, back));
	CU_ASSERT_STRING_EQUAL(name, back);
	room_close(&room);
}

/* --- gateways that come before we are told of them --- */

static void test_early(void)
{
	struct vpn_config c = {.self = addr_of(HA), .take_early = true, .audit_ms = 1000};

	room_open(&room, &c);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.f.commands, "load-conn;");
	CU_ASSERT_TRUE(fake_has_conn(&room.f, "mipvpn-any"));
	CU_ASSERT_EQUAL(room.f.n_keys, 0);
	CU_ASSERT_FALSE(vpn_idle(room.v));
	fake_unload_all(&room.f);
	room_pass(&room, 1100);
	CU_ASSERT_TRUE(fake_has_conn(&room.f, "mipvpn-any"));
	fake_kill(&room);
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(fake_has_conn(&room.f, "mipvpn-any"));
	vpn_quit(room.v, room.now);
	CU_ASSERT_FALSE(vpn_idle(room.v));
	room_settle(&room);
	CU_ASSERT_TRUE(vpn_idle(room.v) && fake_empty(&room.f));
	expect_clean("early");
	/* One that an agent has left, which is not to have it, goes. */
	open_as(HA);
	room_settle(&room);
	snprintf(room.f.conns[room.f.n_conns++], FAKE_NAME, "mipvpn-any");
	vpn_resync(room.v, room.now);
	room_settle(&room);
	CU_ASSERT_FALSE(fake_has_conn(&room.f, "mipvpn-any"));
	expect_clean("left over");
}

HARNESS_MAIN("vpn/faults", HARNESS_CASE(test_failures), HARNESS_CASE(test_deadline),
	     HARNESS_CASE(test_net_refuses), HARNESS_CASE(test_charon_restarts),
	     HARNESS_CASE(test_not_restored), HARNESS_CASE(test_restored), HARNESS_CASE(test_nobody_comes),
	     HARNESS_CASE(test_foreign_reload), HARNESS_CASE(test_audit_finds_loss),
	     HARNESS_CASE(test_orphans), HARNESS_CASE(test_knock), HARNESS_CASE(test_bad_profiles),
	     HARNESS_CASE(test_names), HARNESS_CASE(test_dynamic_never_in_clear), HARNESS_CASE(test_early))
