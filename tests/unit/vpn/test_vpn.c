/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VPN room when all goes well, and what it keeps: order of commands, sharing, make before break, the data
 * path.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/harness.h"
#include "tests/unit/vpn/fake_charon.h"
#include "tests/unit/vpn/profiles.h"

static struct room room;

static void open_as(const char *self)
{
	struct vpn_config c = {.self = addr_of(self), .initiate_max = 4};

	room_open(&room, &c);
	room_settle(&room);
	CU_ASSERT_EQUAL(vpn_ready(room.v), 1);
}

/* Takes everything down and proves that nothing is left anywhere. */
static void close_clean(const char *const *sessions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		room_remove(&room, sessions[i]);
	room_pass(&room, 5000);
	CU_ASSERT_TRUE(fake_empty(&room.f));
	CU_ASSERT_TRUE(vpn_idle(room.v));
	CU_ASSERT_EQUAL(room.reports_inside, 0);
	room_close(&room);
}

#define CLOSE(...)                                                                                           \
	do {                                                                                                 \
		static const char *const sessions[] = {__VA_ARGS__};                                         \
		close_clean(sessions, sizeof(sessions) / sizeof(sessions[0]));                               \
	} while (0)

static void test_initiator(void)
{
	struct vpn_profile p = profile_fa_ha(1);
	uint8_t psk[32];
	char id[VPN_ID_MAX];

	open_as(FA);
	CU_ASSERT_EQUAL(room_install(&room, "s1", &p, 1, 4000), 0);
	CU_ASSERT_STRING_EQUAL(room.reports, "");
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_STRING_EQUAL(room.f.commands, "load-shared;load-conn;initiate;unload-conn;unload-shared;");
	CU_ASSERT_STRING_EQUAL(
		room.net, "protect-add 0.0.0.0/0 10.9.0.0/24 0/0;vpn-add 10.1.0.10/32 10.9.0.0/24 184/136;");
	vpn_profile_psk(&p, psk);
	CU_ASSERT_EQUAL(room.f.secret_len, 32);
	CU_ASSERT_EQUAL(memcmp(room.f.secret, psk, 32), 0);
	vpn_profile_ike_id(&p, p.src_gw, id);
	CU_ASSERT_STRING_EQUAL(room.f.owners[0], id);
	vpn_profile_ike_id(&p, p.dst_gw, id);
	CU_ASSERT_STRING_EQUAL(room.f.owners[1], id);
	CU_ASSERT_EQUAL(room.f.n_sas, 1);
	CU_ASSERT_PTR_NOT_NULL(strstr(room.f.sas[0].name, "mipvpn-p1-3e9-"));
	CU_ASSERT_PTR_NOT_NULL(strstr(room.f.sas[0].name, "-198-51-100-21-i"));
	CU_ASSERT_PTR_NULL(strchr(room.f.sas[0].name, '.'));
	CLOSE("s1");
	CU_ASSERT_TRUE(room_net(&room, "vpn-del 10.1.0.10/32"));
	CU_ASSERT_TRUE(room_net(&room, "protect-del"));
}

/* Ready when loaded; the data path opens only when the other end has come, and both secrets go then. */
static void test_responder(void)
{
	struct vpn_profile p = profile_dynamic(1, FA, HA);

	open_as(HA);
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_STRING_EQUAL(room.f.commands, "load-shared;load-conn;");
	CU_ASSERT_FALSE(room_net(&room, "vpn-add"));
	fake_peer_up(&room, "-r");
	CU_ASSERT_STRING_EQUAL(room.f.commands, "load-shared;load-conn;unload-conn;unload-shared;");
	CU_ASSERT_TRUE(room_net(&room, "vpn-add 10.1.0.10/32 10.9.0.0/24 184/136"));
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CLOSE("s1");
}

static void test_home_agent(void)
{
	struct vpn_profile both[2] = {profile_fa_ha(1), profile_ha_gw(1)};

	open_as(HA);
	room_install(&room, "s1", both, 2, 4000);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	CU_ASSERT_FALSE(room_net(&room, "vpn-add")); /* one leg only */
	CU_ASSERT_EQUAL(room.f.secret_len, 7);
	CU_ASSERT_STRING_EQUAL(room.f.owners[0], "ha.home.test");
	CU_ASSERT_STRING_EQUAL(room.f.owners[1], "gw.acme.test");
	fake_peer_up(&room, "-r");
	CU_ASSERT_TRUE(room_net(&room, "vpn-add"));
	room.net[0] = '\0';
	fake_peer_down(&room, "mipvpn-p1");
	CU_ASSERT_TRUE(room_net(&room, "vpn-del"));   /* nothing may leave in the clear */
	CU_ASSERT_TRUE(fake_has_conn(&room.f, "-r")); /* and the other end can come again */
	fake_peer_up(&room, "-r");
	CU_ASSERT_TRUE(room_net(&room, "vpn-add"));
	CLOSE("s1");
}

static void test_sla_is_shared(void)
{
	struct vpn_profile a[2] = {profile_fa_ha(1), profile_ha_gw(1)},
			   b[2] = {profile_fa_ha(2), profile_ha_gw(2)};

	open_as(HA);
	room_install(&room, "s1", a, 2, 4000);
	room_install(&room, "s2", b, 2, 4000);
	room_settle(&room);
	CU_ASSERT_TRUE(room_said(&room, "s1 UP") && room_said(&room, "s2 UP"));
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	CU_ASSERT_EQUAL(room.f.n_sas, 1);
	CU_ASSERT_STRING_EQUAL(room.f.sas[0].name, "mipvpn-sla-acme-198-51-100-31");
	room_remove(&room, "s1");
	room_pass(&room, 3000);
	CU_ASSERT_EQUAL(room.f.n_sas, 1);
	CLOSE("s2");
}

static void test_default_spi(void)
{
	struct vpn_profile p = profile_default(1);
	struct vpn_default_spi d = {.peer = addr_of(HA), .spi = VPN_SPI_DEFAULT, .key = {6, "preset"}};

	open_as(FA);
	vpn_default_spi_set(room.v, &d, room.now);
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_EQUAL(room.f.secret_len, 6);
	CU_ASSERT_EQUAL(memcmp(room.f.secret, "preset", 6), 0);
	CU_ASSERT_STRING_EQUAL(room.f.owners[0], "1-256-256-shared@" FA);
	CLOSE("s1");
}

static void test_reinstall_equal(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	open_as(FA);
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	room.net[0] = room.reports[0] = '\0';
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_STRING_EQUAL(room.net, "");
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	/* Another class: the marks change, the tunnel stays, and no packet is without a path. */
	p.tos_up = 0;
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	CU_ASSERT_STRING_EQUAL(
		room.net, "vpn-add 10.1.0.10/32 10.9.0.0/24 0/136;vpn-del 10.1.0.10/32 10.9.0.0/24 184/136;");
	CLOSE("s1");
}

/* A move: the tunnel to the new foreign agent is ready before the old one goes; the data path stays open. */
static void test_make_before_break(void)
{
	struct vpn_profile old[2] = {profile_fa_ha(1), profile_ha_gw(1)};
	struct vpn_profile new[2] = {profile_of(1, FA2, HA), profile_ha_gw(1)};

	open_as(HA);
	room_install(&room, "s1", old, 2, 4000);
	room_settle(&room);
	fake_peer_up(&room, "-r");
	CU_ASSERT_EQUAL(room.f.n_sas, 2);
	room.net[0] = '\0';
	room.net_silent = true;
	room_install(&room, "s1", new, 2, 4000);
	room_settle(&room);
	CU_ASSERT_TRUE(fake_has_conn(&room.f, "198-51-100-12-r"));
	room.net_silent = false;
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;s1 UP ;");
	fake_peer_up(&room, "198-51-100-12-r");
	room_pass(&room, 3000);
	CU_ASSERT_EQUAL(room.f.n_sas, 2);
	CU_ASSERT_TRUE(strstr(room.f.sas[0].name, "sla") || strstr(room.f.sas[1].name, "sla"));
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	CLOSE("s1");
}

/* A change that fails is undone; what stood still stands. */
static void test_failed_change(void)
{
	struct vpn_profile p = profile_fa_ha(1), q[2] = {profile_fa_ha(1), profile_fa_ha(2)};

	open_as(FA);
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	room.f.outcome = FAKE_AUTH_FAILED;
	room_install(&room, "s1", q, 2, 4000);
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(room_said(&room, "s1 UP ;s1 FAILED gateway 198.51.100.21: "));
	CU_ASSERT_EQUAL(room.f.n_sas, 1);
	CU_ASSERT_EQUAL(room.f.n_conns, 0);
	CU_ASSERT_EQUAL(room.f.n_keys, 0);
	CU_ASSERT_FALSE(vpn_idle(room.v));
	room.f.outcome = FAKE_UP;
	CLOSE("s1");
}

static void test_not_required(void)
{
	struct vpn_profile p[2] = {profile_fa_ha(1), profile_of(2, FA, GW)};

	open_as(HA);
	CU_ASSERT_EQUAL(room_install(&room, "s0", &p[1], 1, 100), -1); /* neither gateway is this one */
	p[1] = profile_ha_gw(2);
	p[1].required = false;
	room.f.outcome = FAKE_AUTH_FAILED;
	room_install(&room, "s1", p, 2, 4000);
	room_pass(&room, 1000);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CLOSE("s1");
}

static void test_encapsulation(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	p.security = VPN_SEC_ENCAP;
	open_as(FA);
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_STRING_EQUAL(room.f.commands, "");
	CU_ASSERT_TRUE(room_net(&room, "ipip-add") &&
		       room_net(&room, "encap-add 10.1.0.10/32 10.9.0.0/24 184/136"));
	CLOSE("s1");
	CU_ASSERT_TRUE(room_net(&room, "encap-del") && room_net(&room, "ipip-del"));
}

static void test_pacing(void)
{
	char id[10][8];

	open_as(FA); /* initiate_max is 4 */
	room.f.outcome = FAKE_HANGS;
	for (unsigned i = 0; i < 10; i++) {
		struct vpn_profile p = profile_fa_ha(i + 1);

		snprintf(id[i], sizeof(id[i]), "s%u", i);
		room_install(&room, id[i], &p, 1, 20000);
	}
	room_settle(&room);
	CU_ASSERT_EQUAL(room.f.initiates, 4);
	room.f.outcome = FAKE_UP;
	room_pass(&room, 30000);
	for (unsigned i = 0; i < 10; i++)
		CU_ASSERT_TRUE(room_said(&room, id[i]));
	CU_ASSERT_EQUAL(room.f.initiates_max, 4);
	for (unsigned i = 0; i < 10; i++)
		room_remove(&room, id[i]);
	CLOSE("s0");
}

/* A request is repeated before the contract's tunnel stands: with other keys, in a session of its own or in
 * the same one.  What is half-made serves on, nothing of it is torn down and begun anew. */
static void test_takes_over_half_made(void)
{
	for (int same = 0; same < 2; same++) {
		struct vpn_profile p[2] = {profile_fa_ha(1), profile_ha_gw(1)};
		const char *second = same ? "s1" : "s2";

		open_as(HA);
		room.f.outcome = FAKE_HANGS;
		room_install(&room, "s1", p, 2, 4000);
		room_settle(&room);
		CU_ASSERT_EQUAL(room.f.initiates, 1);
		memset(p[0].enc_key.data, 'F', 32);
		memset(p[1].enc_key.data, 'F', 32);
		room_install(&room, second, p, 2, 4000);
		if (!same)
			room_remove(&room, "s1");
		room_settle(&room);
		CU_ASSERT_EQUAL(room.f.initiates, 1);
		CU_ASSERT_EQUAL(room.f.n_sas, 1);
		CU_ASSERT_PTR_NULL(strstr(room.f.commands, "terminate"));
		CU_ASSERT_EQUAL(room.f.n_conns, 2); /* the foreign agent's has other keys: another one */
		fake_finish(&room, "sla");
		CU_ASSERT_TRUE(room_said(&room, same ? "s1 UP ;" : "s2 UP ;"));
		CU_ASSERT_EQUAL(room.f.n_sas, 1);
		room_pass(&room, 3000);
		CU_ASSERT_EQUAL(room.f.n_sas, 1);
		CLOSE("s1", "s2");
	}
}

static void test_remove_within_report(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	open_as(FA);
	room.remove_on_report = "s1";
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CLOSE("s1");
}

static void test_remove_while_setting_up(void)
{
	static const enum fake_outcome outcomes[] = {FAKE_HANGS, FAKE_UP, FAKE_TS_SILENT};

	for (size_t i = 0; i < 3; i++) {
		struct vpn_profile p = profile_fa_ha(1);

		open_as(FA);
		room.f.outcome = outcomes[i];
		room_install(&room, "s1", &p, 1, 4000);
		if (i != 1)
			room_settle(&room);
		CLOSE("s1");
		CU_ASSERT_FALSE(room_said(&room, "FAILED"));
	}
}

static void test_json(void)
{
	struct vpn_profile p = profile_fa_ha(1);
	json_t *j;
	char *text;

	open_as(FA);
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	vpn_resync(room.v, room.now);
	room_settle(&room);
	j = vpn_json_vpns(room.v, false);
	text = json_dumps(j, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"observed\": \"up\""));
	CU_ASSERT_PTR_NULL(strstr(text, "45454545")); /* the key in hex */
	free(text);
	json_decref(j);
	j = vpn_json_tunnels(room.v);
	text = json_dumps(j, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"bytesIn\": 4711"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"spiIn\": \"c0ffee01\""));
	free(text);
	json_decref(j);
	CLOSE("s1");
}

/* The room's share of agentd's 8 KiB per binding. */
static void test_memory(void)
{
	const unsigned n = 200;
	size_t before, after;
	char id[16];

	open_as(HA);
	before = mallinfo2().uordblks;
	for (unsigned i = 0; i < n; i++) {
		struct vpn_profile p[2] = {profile_fa_ha(i + 1), profile_ha_gw(i + 1)};

		snprintf(id, sizeof(id), "session;%u", i);
		room_install(&room, id, p, 2, 4000);
		room_settle(&room);
		fake_peer_up(&room, "-r");
	}
	after = mallinfo2().uordblks;
	CU_ASSERT_EQUAL(room.f.n_sas, n + 1);
	printf("(%zu bytes per session) ",
	       (after - before) / n); /* 0 under a sanitizer, which has its own malloc */
	CU_ASSERT_TRUE((after - before) / n < 5 * 1024);
	for (unsigned i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "session;%u", i);
		room_remove(&room, id);
	}
	CLOSE("none");
}

HARNESS_MAIN("vpn/vpn", HARNESS_CASE(test_initiator), HARNESS_CASE(test_responder),
	     HARNESS_CASE(test_home_agent), HARNESS_CASE(test_sla_is_shared), HARNESS_CASE(test_default_spi),
	     HARNESS_CASE(test_reinstall_equal), HARNESS_CASE(test_make_before_break),
	     HARNESS_CASE(test_failed_change), HARNESS_CASE(test_not_required),
	     HARNESS_CASE(test_encapsulation), HARNESS_CASE(test_pacing),
	     HARNESS_CASE(test_takes_over_half_made),
	     HARNESS_CASE(test_remove_within_report), HARNESS_CASE(test_remove_while_setting_up),
	     HARNESS_CASE(test_json), HARNESS_CASE(test_memory))
