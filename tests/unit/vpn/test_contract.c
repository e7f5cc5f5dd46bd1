/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A contract's connection becomes another one while its users are on (A5): the new one beside the old one,
 * once for all of them, and the old one stays for as long as the new one cannot be set up.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/harness.h"
#include "tests/unit/vpn/fake_charon.h"
#include "tests/unit/vpn/profiles.h"

#define USERS 5
#define OLD "mipvpn-sla-acme-198-51-100-31"
#define NEW "mipvpn-sla-acme-198-51-100-31-2"
#define WHY "VPN 1: gateway 198.51.100.31: it refused our authentication (key or identity)"

static struct room room;

static unsigned sas_named(const char *name)
{
	unsigned n = 0;

	for (size_t i = 0; i < room.f.n_sas; i++)
		n += !strcmp(room.f.sas[i].name, name);
	return n;
}

static const char *session(unsigned user)
{
	static char id[8];

	snprintf(id, sizeof(id), "s%u", user);
	return id;
}

/* The path of this user through the home agent. */
static const char *path(unsigned user)
{
	char mn[INET_ADDRSTRLEN];

	snprintf(mn, sizeof(mn), "10.1.0.%u", 9 + user);
	return fake_kernel_open(&room.kernel, mn);
}

/* What the contract says: version 0 is the first one. */
static void tell(unsigned user, unsigned version)
{
	struct vpn_profile p[2] = {profile_fa_ha(user), profile_ha_gw(user)};

	if (version == 1)
		memcpy(p[1].psk.data, "another", 7);
	if (version == 2)
		strcpy(p[1].ike_local, "ha2.home.test");
	if (version == 3)
		vpn_prefix_parse("10.1.0.0/25", &p[1].sla_src);
	p[1].required = p[0].required = user != 2; /* one is best effort */
	CU_ASSERT_EQUAL(room_install(&room, session(user), p, 2, 4000), 0);
	room_settle(&room);
}

static bool in_udp;

static void standing(void)
{
	room_open_as(&room, HA);
	room.f.udp = in_udp;
	for (unsigned u = 1; u <= USERS; u++) {
		tell(u, 0);
		fake_peer_up(&room, "-r");
	}
	room_pass(&room, 1000);
	CU_ASSERT_EQUAL(sas_named(OLD), 1);
	CU_ASSERT_EQUAL(room.f.n_sas, USERS + 1);
	room.reports[0] = room.net[0] = '\0';
	room.f.initiates = 0;
	room.f.contract_keys_max = 0;
}

static void end(void)
{
	for (unsigned u = 1; u <= USERS; u++)
		room_remove(&room, session(u));
	vpn_quit(room.v, room.now);
	room_close_empty(&room);
}

/* Nobody has lost his path for a moment. */
static void check_untouched(void)
{
	CU_ASSERT_FALSE(room_net(&room, "vpn-del"));
	CU_ASSERT_FALSE(room_net(&room, "protect-del"));
	CU_ASSERT_FALSE(room_said(&room, "FAILED"));
	CU_ASSERT_FALSE(room_said(&room, "DOWN"));
	CU_ASSERT_EQUAL(room.f.n_keys, 0);
	CU_ASSERT_EQUAL(room.f.n_conns, 0);
	for (unsigned u = 1; u <= USERS; u++)
		CU_ASSERT_STRING_EQUAL(path(u), "both");
}

static void test_another_key(void)
{
	standing();
	tell(1, 1);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_EQUAL(memcmp(room.f.secret, "another", 7), 0);
	room_pass(&room, 2000);
	CU_ASSERT_EQUAL(sas_named(OLD) + sas_named(NEW), 2); /* the others have not been told yet */
	for (unsigned u = 2; u <= USERS; u++)
		tell(u, 1);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;s2 UP ;s3 UP ;s4 UP ;s5 UP ;");
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	CU_ASSERT_EQUAL(sas_named(OLD), 1); /* what is on its way still comes */
	room_pass(&room, 2000);
	CU_ASSERT_EQUAL(sas_named(OLD), 0);
	CU_ASSERT_EQUAL(sas_named(NEW), 1);
	check_untouched();
	/* And once more. */
	for (unsigned u = 1; u <= USERS; u++)
		tell(u, 2);
	CU_ASSERT_STRING_EQUAL(room.f.owners[0], "ha2.home.test");
	room_pass(&room, 2000);
	CU_ASSERT_EQUAL(sas_named(OLD), 1);
	CU_ASSERT_EQUAL(room.f.n_sas, USERS + 1);
	check_untouched();
	end();
}

/* User-space IPsec loses the route with the old tunnel, when only the local selector is another one. */
static void test_another_selector(void)
{
	for (int i = 0; i < 4; i++) {
		in_udp = i & 1;
		standing();
		for (unsigned u = 1; u <= USERS; u++)
			tell(u, i & 2 ? 3 : 1);
		CU_ASSERT_EQUAL(room.f.rekeys, 0);
		room_pass(&room, 2000);
		CU_ASSERT_EQUAL(sas_named(NEW), 1);
		CU_ASSERT_EQUAL(room.f.n_sas, USERS + 1);
		CU_ASSERT_EQUAL(room.f.rekeys, i == 3);
		check_untouched();
		end();
	}
	in_udp = false;
}

/* The other gateway does not know of it yet. */
static void test_refused(void)
{
	unsigned tried;

	standing();
	room.f.outcome = FAKE_AUTH_FAILED;
	for (unsigned u = 1; u <= USERS; u++)
		tell(u, 1);
	room_pass(&room, 100);
	CU_ASSERT_TRUE(room_said(&room, "s1 UP " WHY ";"));
	CU_ASSERT_TRUE(room_said(&room, "s2 UP VPN 2: "));
	room_pass(&room, 60000);
	check_untouched();
	CU_ASSERT_EQUAL(sas_named(OLD), 1);
	CU_ASSERT_TRUE(room.f.initiates >= 5 && room.f.initiates <= 14);
	/* Asking does not make it come sooner. */
	tried = room.f.initiates;
	room.reports[0] = '\0';
	for (unsigned i = 0; i < 50; i++)
		tell(1 + i % USERS, 1);
	CU_ASSERT_TRUE(room.f.initiates <= tried + 1);
	CU_ASSERT_TRUE(room_said(&room, "s1 UP " WHY ";s2 UP VPN 2"));
	/* Now it does. */
	room.f.outcome = FAKE_UP;
	room_pass(&room, 20000);
	CU_ASSERT_EQUAL(sas_named(OLD), 0);
	CU_ASSERT_EQUAL(sas_named(NEW), 1);
	room.reports[0] = '\0';
	tell(1, 1);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	check_untouched();
	CU_ASSERT_EQUAL(room.f.contract_keys_max, 1);
	end();
}

/* The old one is lost meanwhile: repaired; or the new one comes in its place, and at once. */
static void test_old_one_lost(void)
{
	standing();
	room.f.outcome = FAKE_BLACK_HOLE;
	for (unsigned u = 1; u <= USERS; u++)
		tell(u, 1);
	room_pass(&room, 10000); /* the second try is under way, or the third */
	fake_peer_down(&room, OLD);
	CU_ASSERT_STRING_EQUAL(path(1), "");
	room_pass(&room, 3000);
	room.f.outcome = FAKE_UP;
	room_pass(&room, 6000);
	CU_ASSERT_EQUAL(sas_named(NEW), 1);
	CU_ASSERT_STRING_EQUAL(path(1), "both");
	room_pass(&room, 3000);
	CU_ASSERT_EQUAL(sas_named(OLD), 0);
	CU_ASSERT_EQUAL(room.f.n_keys, 0);
	CU_ASSERT_EQUAL(room.f.contract_keys_max, 1);
	CU_ASSERT_FALSE(room_said(&room, "DOWN"));
	end();
}

static void test_both_lost(void)
{
	standing();
	room.f.outcome = FAKE_AUTH_FAILED;
	for (unsigned u = 1; u <= USERS; u++)
		tell(u, 1);
	room_pass(&room, 5000);
	fake_peer_down(&room, OLD);
	room_pass(&room, 30000); /* restore_ms, and more */
	CU_ASSERT_TRUE(room_said(&room, "s1 DOWN could not be set up again"));
	CU_ASSERT_FALSE(room_said(&room, "s2 DOWN")); /* best effort */
	CU_ASSERT_EQUAL(room.f.contract_keys_max, 1);
	end();
}

/* The contract is as it was again, or a third one, before the second one ever stood. */
static void test_changed_again(void)
{
	standing();
	room.f.outcome = FAKE_AUTH_FAILED;
	for (unsigned u = 1; u <= USERS; u++)
		tell(u, 1);
	room_pass(&room, 3000);
	room.reports[0] = '\0';
	tell(1, 0);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	for (unsigned u = 1; u <= USERS; u++)
		tell(u, 2);
	room_pass(&room, 3000);
	check_untouched();
	CU_ASSERT_EQUAL(sas_named(OLD), 1);
	room.f.outcome = FAKE_UP;
	room_pass(&room, 20000);
	CU_ASSERT_EQUAL(sas_named(OLD), 0);
	CU_ASSERT_EQUAL(room.f.n_sas, USERS + 1);
	CU_ASSERT_STRING_EQUAL(room.f.owners[0], "ha2.home.test");
	check_untouched();
	end();
}

/* What else happens to him does not wait for it. */
static void test_move_meanwhile(void)
{
	char err[128];

	standing();
	room.f.outcome = FAKE_AUTH_FAILED;
	for (unsigned u = 1; u <= USERS; u++)
		tell(u, 1);
	room_pass(&room, 3000);
	room.carries[0] = room.reports[0] = '\0';
	CU_ASSERT_EQUAL(vpn_move(room.v, "s1", addr_of(FA), addr_of(FA2), 4000, room.now, err, sizeof(err)),
			0);
	room_settle(&room);
	CU_ASSERT_TRUE(room_said(&room, "s1 UP"));
	fake_peer_up(&room, "198-51-100-12-r");
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;");
	room_pass(&room, 3000);
	CU_ASSERT_EQUAL(sas_named(OLD), 1);
	check_untouched();
	/* Who comes newly has nothing that stands in. */
	room_remove(&room, "s5");
	room_pass(&room, 1000);
	room.reports[0] = '\0';
	tell(5, 1);
	room_pass(&room, 5000);
	CU_ASSERT_TRUE(room_said(&room, "s5 FAILED gateway 198.51.100.31: it refused our authentication"));
	CU_ASSERT_STRING_EQUAL(path(1), "both");
	end();
}

HARNESS_MAIN("vpn/contract", HARNESS_CASE(test_another_key), HARNESS_CASE(test_another_selector),
	     HARNESS_CASE(test_refused), HARNESS_CASE(test_old_one_lost), HARNESS_CASE(test_both_lost),
	     HARNESS_CASE(test_changed_again), HARNESS_CASE(test_move_meanwhile))
