/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The smooth handoff: the tunnels between the two foreign agents, and what they are to the data path.
 */
#include <stdio.h>
#include <stdlib.h>

#include "agent/vpn/internal.h"
#include "tests/unit/harness.h"
#include "tests/unit/vpn/fake_charon.h"
#include "tests/unit/vpn/profiles.h"

#define MN "10.1.0.10"

static struct room room;
static char err[128];

static void close_clean(void)
{
	room_remove(&room, "s1");
	room_remove(&room, "h1");
	room_close_empty(&room);
}

static int handoff(const char *peer, bool newcomer)
{
	struct vpn_key key = {.len = 32, .data = {1, 2, 3}};
	int rc = vpn_handoff(room.v, "h1", "s1", addr_of(peer), newcomer, &key, 4000, room.now, err,
			     sizeof(err));

	room_settle(&room);
	return rc;
}

/* s1 at a foreign agent, up. */
static void standing(const char *self, struct vpn_profile p)
{
	room_open_as(&room, self);
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "src");
}

/* The old foreign agent initiates; until its tunnel is up nothing changes, then the flow has two legs. */
static void test_previous(void)
{
	standing(FA, profile_fa_ha(1));
	room.f.outcome = FAKE_HANGS;
	CU_ASSERT_EQUAL(handoff(FA2, false), 0);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "src");
	CU_ASSERT_PTR_NOT_NULL(strstr(room.f.sas[1].name, "-198-51-100-12-i"));
	CU_ASSERT_EQUAL(room.f.secret_len, 32);
	CU_ASSERT_PTR_NOT_NULL(strstr(room.f.owners[0], "@" FA));
	CU_ASSERT_PTR_NOT_NULL(strstr(room.f.owners[1], "@" FA2));
	room.f.sas[1].established = true;
	fake_peer_child(&room, "-12-i");
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;h1 UP ;");
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "both");
	vpn_leave(room.v, "s1", 10000, room.now);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "both");
	room.net[0] = '\0';
	fake_peer_down(&room, "-21-i"); /* the home agent's end of the old tunnel */
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "dst");
	CU_ASSERT_STRING_EQUAL(room.net, "vpn-add " MN "/32 10.9.0.0/24 184/136;" /* new before old */
					 "vpn-del " MN "/32 10.9.0.0/24 184/136;");
	fake_peer_down(&room, "-12-i");
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "");
	CU_ASSERT_EQUAL(room.kernel.protects, 1); /* and nothing goes in clear */
	close_clean();
}

static void test_newcomer(void)
{
	struct vpn_profile p = profile_of(1, FA2, HA);

	standing(FA2, p);
	CU_ASSERT_EQUAL(handoff(FA, true), 0);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;h1 UP ;");
	CU_ASSERT_TRUE(fake_has_conn(&room.f, "-198-51-100-11-r"));
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "src");
	room.net[0] = '\0';
	fake_peer_up(&room, "-11-r");
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "src");
	CU_ASSERT_STRING_EQUAL(room.net, "");
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;h1;");
	close_clean();
}

/* The handoff that does not come about leaves the rest alone, and says so. */
static void test_fails(void)
{
	standing(FA, profile_fa_ha(1));
	room.f.outcome = FAKE_AUTH_FAILED;
	handoff(FA2, false);
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(room_said(&room, "h1 FAILED gateway " FA2 ": it refused our authentication"));
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "src");
	CU_ASSERT_EQUAL(room.f.n_sas, 1);
	close_clean();
	standing(FA2, profile_of(1, FA2, HA));
	handoff(FA, true);
	room_pass(&room, 6000);
	CU_ASSERT_TRUE(room_said(&room, "h1 DOWN gateway " FA " did not set its tunnel up in time"));
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "src");
	close_clean();
}

/* Behind a PCN nothing is protected: there it is the flow that stays, and lets nothing out in clear. */
static void test_dynamic(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	p.dst_gw_type = VPN_GW_DYNAMIC;
	standing(FA, p);
	handoff(FA2, false);
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "both");
	CU_ASSERT_EQUAL(room.kernel.protects, 0);
	vpn_remove(room.v, "s1", room.now);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "dst");
	room.f.outcome = FAKE_BLACK_HOLE;
	fake_peer_down(&room, "-12-i");
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "dst");
	close_clean();
}

static void test_which_profiles(void)
{
	struct vpn_profile p[3] = {profile_fa_ha(1), profile_default(2), profile_fa_ha(3)};
	struct vpn_default_spi d = {.peer = addr_of(HA), .spi = VPN_SPI_DEFAULT, .key = {6, "preset"}};

	p[2].security = VPN_SEC_ENCAP;
	room_open_as(&room, FA);
	vpn_default_spi_set(room.v, &d, room.now);
	room_install(&room, "s1", p, 3, 4000);
	room_settle(&room);
	CU_ASSERT_EQUAL(handoff(FA2, false), 0);
	CU_ASSERT_EQUAL(fake_children(&room.f, "-12-i"), 2);
	CU_ASSERT_EQUAL(fake_children(&room.f, "p2-100-shared-198-51-100-12"), 0); /* with keys of its own */
	close_clean();
	standing(FA, profile_fa_ha(1));
	room_remove(&room, "s1");
	CU_ASSERT_EQUAL(handoff(FA2, false), -1);
	CU_ASSERT_STRING_EQUAL(err, "no such session");
	close_clean();
	p[2] = profile_fa_ha(1);
	p[2].security = VPN_SEC_ENCAP;
	room_open_as(&room, FA);
	room_install(&room, "s1", &p[2], 1, 4000);
	room_settle(&room);
	CU_ASSERT_EQUAL(handoff(FA2, false), 0);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;h1 UP ;");
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;h1;");
	close_clean();
}

static const struct vpn_profile *handoff_of(unsigned number)
{
	struct session *s = session_find(room.v, "h1");
	const struct part *p;

	LIST_FOREACH(p, &s->parts, in_session)
	{
		if (p->p.number == number)
			return &p->p;
	}
	return NULL;
}

/* Each handoff's selectors are wider than every tunnel's that they touch, so no packet up takes its way. */
static void test_selectors(void)
{
	static const char *const rows[][3] = {
		/* profile 1, profile 2, selector of handoff 1 */
		{"10.9.0.0/24", "10.8.0.0/24", "10.9.0.0/23"}, {"10.9.0.0/24", "10.9.1.0/24", "10.9.0.0/23"},
		{"10.9.0.0/24", "10.0.0.0/8", "10.0.0.0/7"},   {"10.9.0.0/24", "0.0.0.0/1", "0.0.0.0/0"},
		{"10.9.0.0/24", "10.9.0.0/22", "10.9.0.0/21"}, {"10.9.0.7/32", "10.9.0.6/32", "10.9.0.6/31"},
		{"0.0.0.0/0", "10.9.0.0/24", "0.0.0.0/0"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vpn_profile p[2] = {profile_fa_ha(1), profile_fa_ha(2)};
		char text[VPN_PREFIX_STRLEN];

		p[1].src = p[0].src;
		vpn_prefix_parse(rows[i][0], &p[0].dst);
		vpn_prefix_parse(rows[i][1], &p[1].dst);
		room_open_as(&room, FA);
		room_install(&room, "s1", p, 2, 4000);
		room_settle(&room);
		handoff(FA2, false);
		HARNESS_AT(!strcmp(vpn_prefix_str(&handoff_of(1)->sla_dst, text), rows[i][2]), "row %zu: %s",
			   i, text);
		HARNESS_AT(handoff_of(1)->sla_src.len == (p[0].dst.len ? 32 : 31), "row %zu", i);
		HARNESS_AT(vpn_prefix_equal(&handoff_of(1)->dst, &p[0].dst), "row %zu", i);
		close_clean();
	}
}

/* --- whatever happens --- */

static unsigned dice(unsigned n)
{
	return (unsigned)rand() % n;
}

static void random_install(void)
{
	struct vpn_profile p[3] = {profile_fa_ha(1), profile_fa_ha(2), profile_of(3, FA, HA)};

	p[1].src = p[2].src = p[0].src;
	p[1].dst_gw_type = dice(2) ? VPN_GW_DYNAMIC : VPN_GW_AGENT;
	vpn_prefix_parse("10.8.0.0/24", &p[1].dst);
	vpn_prefix_parse("10.7.0.0/16", &p[2].dst);
	p[2].security = VPN_SEC_ENCAP;
	memset(p[0].enc_key.data, 'a' + (int)dice(2), 32); /* renewed, perhaps */
	(dice(2) ? vpn_install_late : vpn_install)(room.v, "s1", p, 1 + dice(3), 500 + dice(3000), room.now,
						   err, sizeof(err));
}

static void random_step(void)
{
	static const char *const names[] = {"-21-i", "-12-i", "-12-r", "p1-"};
	static const enum fake_outcome outcomes[] = {FAKE_UP, FAKE_UP, FAKE_UP, FAKE_AUTH_FAILED,
						     FAKE_BLACK_HOLE};
	struct vpn_key key = {.len = 32, .data = {9}};

	err[0] = room.reports[0] = room.carries[0] = room.net[0] = room.f.commands[0] = '\0';
	switch (dice(12)) {
	case 0:
	case 1:
		random_install();
		break;
	case 2:
	case 3:
		vpn_handoff(room.v, "h1", "s1", addr_of(FA2), dice(2), &key, 500 + dice(4000), room.now, err,
			    sizeof(err));
		break;
	case 4:
		vpn_leave(room.v, dice(4) ? "s1" : "h1", dice(6000), room.now);
		break;
	case 5:
		vpn_remove(room.v, dice(2) ? "s1" : "h1", room.now);
		break;
	case 6:
		fake_peer_up(&room, names[dice(4)]);
		break;
	case 7:
		fake_peer_child(&room, names[dice(4)]);
		break;
	case 8:
		fake_peer_down(&room, names[dice(4)]);
		break;
	case 9:
		room.f.outcome = outcomes[dice(5)];
		if (!dice(10))
			fake_kill(&room);
		break;
	default:
		room_pass(&room, dice(3000));
		break;
	}
	if (dice(3))
		room_settle(&room);
}

/* Open as a destination gateway only while the handoff's tunnel has been up: never on the way into the
 * clear. */
static void check_flows(unsigned step)
{
	struct flow *f, *tmp;
	struct part *p;

	room_settle(&room);
	HASH_ITER(hh, room.v->flows, f, tmp)
	{
		bool up = f->key.encap, stays = false;

		LIST_FOREACH(p, &f->parts, in_flow)
		{
			up |= p->tunnel && (tunnel_is_up(p->tunnel) || p->tunnel->late);
			stays |= !p->protect[0];
		}
		HARNESS_AT(!f->installed || up || stays, "step %u: a path without a tunnel", step);
	}
	HARNESS_AT(HASH_COUNT(room.v->sessions) <= 2 && room.f.n_sas < 60, "step %u", step);
}

static void test_anything(void)
{
	for (unsigned seed = 1; seed <= 20; seed++) {
		srand(seed);
		room_open_as(&room, FA);
		for (unsigned i = 0; i < 300; i++) {
			random_step();
			if (i % 10 == 9)
				check_flows(300 * seed + i);
		}
		room.f.outcome = FAKE_UP;
		close_clean();
	}
}

HARNESS_MAIN("vpn/handoff", HARNESS_CASE(test_previous), HARNESS_CASE(test_newcomer),
	     HARNESS_CASE(test_fails), HARNESS_CASE(test_dynamic), HARNESS_CASE(test_which_profiles),
	     HARNESS_CASE(test_selectors), HARNESS_CASE(test_anything))
