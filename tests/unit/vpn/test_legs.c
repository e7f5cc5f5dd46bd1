/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Encapsulation only in the VPN room, and a home agent whose two legs are of different kinds: encapsulation
 * to the foreign agent, IPsec to the enterprise.  Nothing may leave in clear, so neither opens without the
 * other.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/harness.h"
#include "tests/unit/vpn/fake_charon.h"
#include "tests/unit/vpn/profiles.h"

#define MN "10.1.0.10"
#define MN2 "10.1.0.11"
#define FA3 "198.51.100.13"

static struct room room;
static char err[128];

static void close_clean(void)
{
	static const char *const sessions[] = {"s1", "s2", "s3"};

	for (size_t i = 0; i < 3; i++)
		room_remove(&room, sessions[i]);
	vpn_quit(room.v, room.now);
	room_close_empty(&room);
}

static int move(const char *from, const char *to)
{
	int rc = vpn_move(room.v, "s1", addr_of(from), addr_of(to), 4000, room.now, err, sizeof(err));

	room_settle(&room);
	return rc;
}

/* --- encapsulation alone --- */

static void test_encapsulated(void)
{
	struct vpn_profile p = profile_dynamic(1, FA, HA);

	p.security = VPN_SEC_ENCAP;
	room_open_as(&room, HA);
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;");
	CU_ASSERT_EQUAL(fake_kernel_peer(&room.kernel, MN).s_addr, inet_addr(FA));
	move(FA, FA2);
	CU_ASSERT_EQUAL(fake_kernel_peer(&room.kernel, MN).s_addr, inet_addr(FA2));
	move(FA2, FA); /* its device still stands */
	CU_ASSERT_EQUAL(fake_kernel_peer(&room.kernel, MN).s_addr, inet_addr(FA));
	room_pass(&room, 1000);
	CU_ASSERT_EQUAL(fake_kernel_peer(&room.kernel, MN).s_addr, inet_addr(FA));
	/* A change that fails: the path is the old one again. */
	p = profile_dynamic(1, FA3, HA);
	p.security = VPN_SEC_ENCAP;
	room.net_silent = true;
	room_install(&room, "s1", &p, 1, 1000);
	room_pass(&room, 1100);
	CU_ASSERT_TRUE(room_said(&room, "s1 FAILED"));
	CU_ASSERT_EQUAL(fake_kernel_peer(&room.kernel, MN).s_addr, inet_addr(FA));
	room.net_silent = false;
	room_settle(&room);
	close_clean();
}

/* Two that want the same packets: the last one has them, and the room comes to rest. */
static void test_encapsulated_twice(void)
{
	struct vpn_profile p[2] = {profile_dynamic(1, FA, HA), profile_dynamic(1, FA2, HA)};

	p[0].security = p[1].security = VPN_SEC_ENCAP;
	room_open_as(&room, HA);
	room_install(&room, "s1", p, 2, 4000);
	room_settle(&room);
	room_install(&room, "s1", p, 2, 4000);
	room_pass(&room, 1000);
	CU_ASSERT_EQUAL(fake_kernel_peer(&room.kernel, MN).s_addr, inet_addr(FA2));
	room_install(&room, "s1", p, 1, 4000);
	room_pass(&room, 1000);
	CU_ASSERT_EQUAL(fake_kernel_peer(&room.kernel, MN).s_addr, inet_addr(FA));
	close_clean();
}

/* What has been made for a path that the helper then refuses goes, too. */
static void test_encapsulated_refused(void)
{
	struct vpn_profile p = profile_dynamic(1, FA, HA);

	p.security = VPN_SEC_ENCAP;
	room_open_as(&room, HA);
	room.net_fails = NH_ENCAP_ADD;
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	CU_ASSERT_TRUE(room_said(&room, "s1 FAILED data path: not allowed"));
	close_clean();
}

/* --- from one kind to the other --- */

static struct vpn_profile of_kind(bool encap)
{
	struct vpn_profile p = profile_dynamic(1, FA, HA);

	p.security = encap ? VPN_SEC_ENCAP : VPN_SEC_ESP;
	return p;
}

static bool has_kind(bool encap)
{
	bool ip = fake_kernel_peer(&room.kernel, MN).s_addr, esp = fake_kernel_open(&room.kernel, MN)[0];

	return encap ? ip && !esp : esp && !ip;
}

/* The session lives through it, and so does its other VPN; the old path goes when the new tunnel is up. */
static void test_kind_changes(void)
{
	static const char *const selves[] = {FA, HA};

	for (int n = 0; n < 4; n++) {
		bool encap = n % 2;
		struct vpn_profile p[2] = {of_kind(encap), profile_dynamic(2, FA, HA)};

		room_open_as(&room, selves[n / 2]);
		room_install(&room, "s1", p, 2, 4000);
		room_settle(&room);
		fake_peer_up(&room, "-r");
		CU_ASSERT_TRUE(has_kind(encap));
		p[0].security = encap ? VPN_SEC_ESP : VPN_SEC_ENCAP;
		room.f.outcome = FAKE_HANGS;
		room.reports[0] = 0;
		room_install(&room, "s1", p, 2, 4000);
		room_settle(&room);
		CU_ASSERT_TRUE(has_kind(true)); /* what needs no tunnel is there at once, the other waits */
		fake_finish(&room, "-i");
		fake_peer_up(&room, "-p1-");
		room_pass(&room, 1000);
		CU_ASSERT_TRUE(has_kind(!encap));
		CU_ASSERT_TRUE(room_said(&room, "s1 UP"));
		CU_ASSERT_PTR_NULL(strstr(room.reports, "FAILED"));
		CU_ASSERT_STRING_NOT_EQUAL(fake_kernel_open(&room.kernel, MN2), "");
		room.f.outcome = FAKE_UP;
		close_clean();
	}
}

/* It does not come up: all is as it was. */
static void test_kind_change_fails(void)
{
	for (int encap = 0; encap < 2; encap++) {
		struct vpn_profile p = of_kind(encap);

		room_open_as(&room, FA);
		room_install(&room, "s1", &p, 1, 4000);
		room_settle(&room);
		p.security = encap ? VPN_SEC_ESP : VPN_SEC_ENCAP;
		room.f.outcome = FAKE_AUTH_FAILED;
		room.net_fails = NH_ENCAP_ADD;
		room_install(&room, "s1", &p, 1, 1000);
		room_pass(&room, 1100);
		CU_ASSERT_TRUE(room_said(&room, "s1 FAILED"));
		room.net_fails = 0;
		room_pass(&room, 1000);
		CU_ASSERT_TRUE(has_kind(encap));
		room.f.outcome = FAKE_UP;
		close_clean();
	}
}

/* --- with the contract's leg behind it --- */

static void open_between(void)
{
	room_open_as(&room, HA);
	room.kernel.between = true;
}

static void install(const char *session, unsigned number, uint8_t tos)
{
	struct vpn_profile p[2] = {profile_fa_ha(number), profile_ha_gw(number)};

	p[0].security = VPN_SEC_ENCAP;
	p[0].tos_up = p[1].tos_up = tos;
	room_install(&room, session, p, 2, 4000);
	room_settle(&room);
}

static bool is_open(const char *mn, const char *fa)
{
	return !strcmp(fake_kernel_open(&room.kernel, mn), "src") &&
	       fake_kernel_peer(&room.kernel, mn).s_addr == inet_addr(fa);
}

static bool is_shut(const char *mn)
{
	return !strcmp(fake_kernel_open(&room.kernel, mn), "") && !fake_kernel_peer(&room.kernel, mn).s_addr;
}

/* room.net has both, the one before the other. */
static bool in_order(const char *first, const char *second)
{
	const char *a = strstr(room.net, first), *b = strstr(room.net, second);

	return a && b && a < b;
}

static void between_standing(void)
{
	open_between();
	install("s1", 1, 0xb8);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;");
	CU_ASSERT_TRUE(is_open(MN, FA));
	room.net[0] = '\0';
}

/* At a home agent it is the one leg of two; the contract's stays what it is. */
static void test_kind_changes_between(void)
{
	struct vpn_profile p[2] = {profile_fa_ha(1), profile_ha_gw(1)};

	between_standing();
	room_install(&room, "s1", p, 2, 4000);
	room_settle(&room);
	CU_ASSERT_TRUE(is_open(MN, FA)); /* the foreign agent has not come yet */
	fake_peer_up(&room, "-r");
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "both");
	CU_ASSERT_EQUAL(fake_kernel_peer(&room.kernel, MN).s_addr, 0);
	room_pass(&room, 1000);
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "both");
	install("s1", 1, 0xb8);
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(is_open(MN, FA));
	CU_ASSERT_PTR_NULL(strstr(room.reports, "FAILED"));
	close_clean();
}

static void test_waits_for_the_tunnel(void)
{
	open_between();
	room.f.outcome = FAKE_HANGS;
	install("s1", 1, 0xb8);
	room_pass(&room, 500);
	CU_ASSERT_TRUE(is_shut(MN));
	CU_ASSERT_FALSE(room_net(&room, "ipip-add"));
	room.f.outcome = FAKE_UP;
	room_pass(&room, 10000);
	room_remove(&room, "s1");
	room_settle(&room);
	install("s1", 1, 0xb8);
	CU_ASSERT_TRUE(is_open(MN, FA));
	CU_ASSERT_TRUE(in_order("vpn-add", "encap-add"));
	close_clean();
}

/* Requested is not enough. */
static void test_waits_for_the_helper(void)
{
	open_between();
	room.net_silent = true;
	install("s1", 1, 0xb8);
	CU_ASSERT_TRUE(room_net(&room, "vpn-add"));
	CU_ASSERT_FALSE(room_net(&room, "encap-add"));
	CU_ASSERT_STRING_EQUAL(room.reports, "");
	room.net_silent = false;
	room_settle(&room);
	CU_ASSERT_TRUE(is_open(MN, FA));
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	close_clean();
}

static void test_closes_together(void)
{
	between_standing();
	room.f.outcome = FAKE_HANGS;
	fake_peer_down(&room, "sla");
	CU_ASSERT_TRUE(is_shut(MN));
	CU_ASSERT_TRUE(in_order("encap-del", "vpn-del"));
	room.f.outcome = FAKE_UP;
	room_pass(&room, 7000);
	CU_ASSERT_TRUE(is_open(MN, FA));
	room.net[0] = '\0';
	room_remove(&room, "s1");
	room_settle(&room);
	CU_ASSERT_TRUE(is_shut(MN));
	CU_ASSERT_TRUE(in_order("encap-del", "vpn-del"));
	close_clean();
}

static void test_lost_with_charon(void)
{
	between_standing();
	room.f.outcome = FAKE_HANGS;
	fake_kill(&room);
	room_pass(&room, 300);
	CU_ASSERT_TRUE(is_shut(MN));
	room.f.outcome = FAKE_UP;
	room_pass(&room, 7000);
	CU_ASSERT_TRUE(is_open(MN, FA));
	close_clean();
}

static void test_refused(void)
{
	static const uint32_t verbs[] = {NH_VPN_ADD, NH_ENCAP_ADD};

	for (size_t i = 0; i < 2; i++) {
		open_between();
		room.net_fails = verbs[i];
		install("s1", 1, 0xb8);
		HARNESS_AT(room_said(&room, "s1 FAILED data path: not allowed"), "%zu: %s", i, room.reports);
		HARNESS_AT(is_shut(MN), "%zu", i);
		HARNESS_AT(room_net(&room, "encap-add") == (i > 0), "%zu: %s", i, room.net);
		close_clean();
	}
}

/* The encapsulated leg goes to another foreign agent; the contract's stays as it is. */
static void test_moves_on(void)
{
	between_standing();
	CU_ASSERT_EQUAL(move(FA, FA2), 0);
	CU_ASSERT_TRUE(is_open(MN, FA2));
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(is_open(MN, FA2));
	CU_ASSERT_TRUE(in_order("encap-add", "encap-del"));
	CU_ASSERT_FALSE(room_net(&room, "vpn-"));
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;s1;");
	move(FA2, FA); /* and back, to where a moment later the old one ends */
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(is_open(MN, FA));
	close_clean();
}

/* The contract's tunnel is lost while both foreign agents' paths stand: only the new one comes back. */
static void test_lost_while_moving(void)
{
	between_standing();
	move(FA, FA2);
	room.f.outcome = FAKE_HANGS;
	fake_peer_down(&room, "sla");
	CU_ASSERT_TRUE(is_shut(MN));
	room.net[0] = '\0';
	room.f.outcome = FAKE_UP;
	room_pass(&room, 7000);
	CU_ASSERT_TRUE(is_open(MN, FA2));
	CU_ASSERT_EQUAL(move(FA2, FA3), 0);
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(is_open(MN, FA3));
	close_clean();
}

/* A move that fails leaves it as it was. */
static void test_move_fails(void)
{
	between_standing();
	room.net_silent = true;
	move(FA, FA2);
	room_pass(&room, 4100);
	CU_ASSERT_TRUE(room_said(&room, "s1 FAILED the network helper did not answer in time"));
	room.net_silent = false;
	room_settle(&room);
	CU_ASSERT_TRUE(is_open(MN, FA));
	close_clean();
}

static void test_users_share_the_contract(void)
{
	struct vpn_profile esp[2] = {profile_fa_ha(3), profile_ha_gw(3)};

	between_standing();
	install("s2", 2, 0xb8);
	room_install(&room, "s3", esp, 2, 4000);
	room_settle(&room);
	fake_peer_up(&room, "-r");
	CU_ASSERT_TRUE(is_open(MN, FA) && is_open(MN2, FA));
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, "10.1.0.12"), "both");
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	room.f.outcome = FAKE_HANGS;
	fake_peer_down(&room, "sla");
	CU_ASSERT_TRUE(is_shut(MN) && is_shut(MN2) && is_shut("10.1.0.12"));
	room.f.outcome = FAKE_UP;
	room_pass(&room, 7000);
	CU_ASSERT_TRUE(is_open(MN, FA) && is_open(MN2, FA));
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, "10.1.0.12"), "both");
	room_remove(&room, "s1");
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(is_shut(MN) && is_open(MN2, FA));
	close_clean();
}

/* Other marks on the way on are set without a packet that has no way on. */
static void test_other_class(void)
{
	between_standing();
	install("s1", 1, 0x28);
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(is_open(MN, FA));
	CU_ASSERT_TRUE(room_net(&room, "encap-add 10.1.0.10/32 10.9.0.0/24 40/136"));
	CU_ASSERT_TRUE(room_net(&room, "vpn-add 10.1.0.10/32 10.9.0.0/24 40/136"));
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	close_clean();
}

/* An agent's part alone would let in what nothing takes on. */
static void test_never_alone(void)
{
	struct vpn_profile p[2] = {profile_fa_ha(1), profile_fa_ha(2)};

	open_between();
	p[0].security = VPN_SEC_ENCAP;
	room_install(&room, "s1", p, 2, 4000);
	room_settle(&room);
	fake_peer_up(&room, "-r");
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(is_shut(MN) && is_shut(MN2));
	close_clean();
}

HARNESS_MAIN("vpn/legs", HARNESS_CASE(test_encapsulated), HARNESS_CASE(test_encapsulated_twice),
	     HARNESS_CASE(test_encapsulated_refused),
	     HARNESS_CASE(test_kind_changes), HARNESS_CASE(test_kind_change_fails),
	     HARNESS_CASE(test_kind_changes_between), HARNESS_CASE(test_waits_for_the_tunnel),
	     HARNESS_CASE(test_waits_for_the_helper), HARNESS_CASE(test_closes_together),
	     HARNESS_CASE(test_lost_with_charon), HARNESS_CASE(test_refused), HARNESS_CASE(test_moves_on),
	     HARNESS_CASE(test_lost_while_moving), HARNESS_CASE(test_move_fails),
	     HARNESS_CASE(test_users_share_the_contract), HARNESS_CASE(test_other_class),
	     HARNESS_CASE(test_never_alone))
