/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VPN room when users move: who makes the CHILD_SA, what stays until the new tunnel carries, and that
 * nothing is left over whatever happens in whatever order (doc/moves.md).
 */
#include <stdio.h>
#include <stdlib.h>

#include "agent/vpn/internal.h"
#include "tests/unit/harness.h"
#include "tests/unit/vpn/fake_charon.h"
#include "tests/unit/vpn/profiles.h"

#define MN "10.1.0.10"
#define FA3 "198.51.100.13"
#define OLD "198-51-100-11-r"
#define NEW "198-51-100-12-r"

static struct room room;
static char err[128];

static void close_clean(void)
{
	static const char *const sessions[] = {"s1", "s2", "h1"};

	for (size_t i = 0; i < 3; i++)
		room_remove(&room, sessions[i]);
	vpn_quit(room.v, room.now);
	room_close_empty(&room);
}

static int late(const char *session, const struct vpn_profile *p, size_t n)
{
	return vpn_install_late(room.v, session, p, n, 4000, room.now, err, sizeof(err));
}

static int move(const char *from, const char *to)
{
	int rc = vpn_move(room.v, "s1", addr_of(from), addr_of(to), 4000, room.now, err, sizeof(err));

	room_settle(&room);
	return rc;
}

/* s1 at the home agent, with its foreign agent's tunnel up. */
static void standing(void)
{
	struct vpn_profile p[2] = {profile_fa_ha(1), profile_ha_gw(1)};

	room_open_as(&room, HA);
	room_install(&room, "s1", p, 2, 4000);
	room_settle(&room);
	fake_peer_up(&room, OLD);
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;");
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "both");
}

/* --- who makes the CHILD_SA --- */

static void test_late_initiator(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	room_open_as(&room, FA);
	CU_ASSERT_EQUAL(late("s1", &p, 1), 0);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.f.commands, "load-shared;load-conn;initiate;");
	CU_ASSERT_EQUAL(fake_children(&room.f, "-i"), 0);
	room_pass(&room, 1000); /* longer than an ordinary one would be given */
	CU_ASSERT_STRING_EQUAL(room.reports, "");
	/* What the other end sends as soon as it can finds its way. */
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "src");
	fake_peer_child(&room, "-i");
	room_pass(&room, 15);
	CU_ASSERT_STRING_EQUAL(room.reports, ""); /* the other end may be installing it */
	room_pass(&room, 10);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;");
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "src");
	/* Lost, it is set up again the same way: the other end may still send through another one. */
	fake_peer_down(&room, "-i");
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(room.f.initiates == 2 && !fake_children(&room.f, "-i"));
	fake_peer_child(&room, "-i");
	CU_ASSERT_EQUAL(fake_children(&room.f, "-i"), 1);
	close_clean();
}

/* Packets come as soon as the other end has made the CHILD_SA: nobody is called before the path is there. */
static void test_late_path_first(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	room_open_as(&room, FA);
	room.net_silent = true;
	CU_ASSERT_EQUAL(late("s1", &p, 1), 0);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.f.commands, "load-shared;load-conn;");
	room.net_silent = false;
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.f.commands, "load-shared;load-conn;initiate;");
	close_clean();
}

static void test_late_never_comes(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	room_open_as(&room, FA);
	late("s1", &p, 1);
	room_pass(&room, 2900);
	CU_ASSERT_STRING_EQUAL(room.reports, "");
	room_pass(&room, 200);
	CU_ASSERT_TRUE(room_said(&room, "s1 FAILED gateway " HA
					": it accepted us but did not make the tunnel in time"));
	close_clean();
}

/* The first message about the IKE_SA is enough, and there is one CHILD_SA. */
static void test_responder_makes_child(void)
{
	struct vpn_profile p = profile_dynamic(1, FA, HA);
	uint64_t start;

	room_open_as(&room, HA);
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(room.carries, "");
	start = room.now;
	fake_peer_ike(&room, "-r");
	CU_ASSERT_EQUAL(room.now, start);
	CU_ASSERT_EQUAL(room.f.n_sas, 1);
	CU_ASSERT_EQUAL(fake_children(&room.f, "-r"), 1);
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;");
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "dst");
	CU_ASSERT_STRING_EQUAL(room.f.commands, "load-shared;load-conn;initiate;unload-conn;unload-shared;");
	close_clean();
}

static void test_responder_leaves_it(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	room_open_as(&room, HA);
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	fake_peer_up(&room, "-r");
	room_pass(&room, 31000); /* an audit, too */
	CU_ASSERT_EQUAL(room.f.initiates, 0);
	CU_ASSERT_EQUAL(room.f.n_sas, 1);
	close_clean();
}

/* A refused CHILD_SA is tried again, later and later, until the wait for the other end is over. */
static void test_responder_refused(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	room_open_as(&room, HA);
	room.f.child_fails = true;
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	fake_peer_ike(&room, "-r");
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	room_pass(&room, 2000);
	CU_ASSERT_EQUAL(room.f.initiates, 3);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	room.f.child_fails = false;
	room_pass(&room, 3000);
	CU_ASSERT_EQUAL(fake_children(&room.f, "-r"), 1);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	fake_peer_down(&room, "-r");
	room.f.child_fails = true;
	fake_peer_ike(&room, "-r");
	room_pass(&room, 9000);
	CU_ASSERT_TRUE(room_said(&room, "s1 DOWN "));
	CU_ASSERT_TRUE(fake_empty(&room.f));
	close_clean();
}

static void test_responder_paced(void)
{
	struct vpn_config c = {.self = addr_of(HA), .initiate_max = 2};
	struct vpn_profile p[6];

	room_open(&room, &c);
	for (unsigned i = 0; i < 6; i++)
		p[i] = profile_fa_ha(i + 1);
	room_install(&room, "s1", p, 6, 4000);
	room_settle(&room);
	fake_peer_ike(&room, "-r");
	CU_ASSERT_EQUAL(fake_children(&room.f, "-r"), 6);
	CU_ASSERT_EQUAL(room.f.initiates, 6);
	close_clean();
}

/* --- make before break --- */

static void test_old_stays(void)
{
	standing();
	CU_ASSERT_EQUAL(move(FA, FA2), 0);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;s1 UP ;");
	room_pass(&room, 3000);
	CU_ASSERT_EQUAL(fake_children(&room.f, OLD), 1);
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;");
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "both");
	room.net[0] = '\0';
	fake_peer_ike(&room, NEW);
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;s1;");
	CU_ASSERT_EQUAL(fake_children(&room.f, OLD), 1); /* for what is on its way */
	room_pass(&room, 1000);
	CU_ASSERT_EQUAL(fake_children(&room.f, OLD), 0);
	CU_ASSERT_EQUAL(fake_children(&room.f, NEW), 1);
	CU_ASSERT_STRING_EQUAL(room.net, ""); /* the data path has never been touched */
	close_clean();
}

/* Its DELETE is lost; the user is back before charon has sent it again.  Nothing takes the old one for up. */
static void test_old_is_missed(void)
{
	standing();
	move(FA, FA2);
	room_pass(&room, 100);
	fake_peer_ike(&room, NEW);
	room.f.stubborn = true;
	room_pass(&room, 700);
	CU_ASSERT_TRUE(room.f.sas[1].deleting);
	room_pass(&room, 8000);
	CU_ASSERT_EQUAL(fake_children(&room.f, OLD), 1); /* charon goes on asking */
	room.carries[0] = '\0';
	move(FA2, FA);
	CU_ASSERT_TRUE(fake_has_conn(&room.f, OLD));
	CU_ASSERT_STRING_EQUAL(room.carries, "");
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "both"); /* through the one that stands */
	fake_peer_ike(&room, OLD);
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;");
	room.f.stubborn = false;
	room_pass(&room, 20000);
	CU_ASSERT_FALSE(room_said(&room, "DOWN"));
	close_clean();
}

/* Packets would take the newest as long as it is here. */
static void test_newest_at_once(void)
{
	standing();
	room_pass(&room, 100);
	move(FA, FA2);
	fake_peer_ike(&room, NEW);
	move(FA2, FA);
	room.f.stubborn = true;
	room_pass(&room, 1000);
	CU_ASSERT_EQUAL(fake_children(&room.f, NEW), 0);
	CU_ASSERT_EQUAL(fake_children(&room.f, OLD), 1);
	room.f.stubborn = false;
	close_clean();
}

static void test_new_never_comes(void)
{
	standing();
	move(FA, FA2);
	room_pass(&room, 6000);
	CU_ASSERT_TRUE(room_said(&room, "s1 DOWN gateway " FA2 " did not set its tunnel up in time"));
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;");
	room_pass(&room, 2000);
	CU_ASSERT_EQUAL(fake_children(&room.f, "-r"), 0);
	close_clean();
}

/* Once retired for good, an old tunnel that goes is not set up again. */
static void test_old_goes_by_itself(void)
{
	standing();
	move(FA, FA2);
	fake_peer_down(&room, OLD);
	CU_ASSERT_FALSE(fake_has_conn(&room.f, OLD));
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "");
	fake_peer_ike(&room, NEW);
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "both");
	CU_ASSERT_FALSE(room_said(&room, "DOWN"));
	close_clean();
}

/* Back before the second gateway has come: the tunnel that still stands is the one. */
static void test_back_at_once(void)
{
	standing();
	move(FA, FA2);
	move(FA2, FA3);
	CU_ASSERT_EQUAL(fake_children(&room.f, OLD), 1);
	move(FA3, FA);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;s1 UP ;s1 UP ;s1 UP ;");
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;s1;");
	room_pass(&room, 6000);
	CU_ASSERT_EQUAL(fake_children(&room.f, OLD), 1);
	CU_ASSERT_EQUAL(room.f.n_sas, 2);
	CU_ASSERT_EQUAL(room.f.n_conns, 0);
	CU_ASSERT_FALSE(room_said(&room, "DOWN"));
	close_clean();
}

/* A change that fails after a move leaves the move as it was. */
static void test_failed_after_move(void)
{
	struct vpn_profile p[3] = {profile_of(1, FA2, HA), profile_ha_gw(1), profile_ha_gw(2)};

	standing();
	move(FA, FA2);
	strcpy(p[2].sla, "other");
	room.f.outcome = FAKE_AUTH_FAILED;
	room_install(&room, "s1", p, 3, 4000);
	room_settle(&room);
	CU_ASSERT_TRUE(room_said(&room, "s1 UP ;s1 UP ;s1 FAILED "));
	CU_ASSERT_EQUAL(fake_children(&room.f, OLD), 1);
	room.f.outcome = FAKE_UP;
	fake_peer_ike(&room, NEW);
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;s1;");
	room_pass(&room, 1000);
	CU_ASSERT_EQUAL(fake_children(&room.f, OLD), 0);
	CU_ASSERT_EQUAL(fake_children(&room.f, NEW), 1);
	close_clean();
}

static void test_move_refusals(void)
{
	room_open_as(&room, HA);
	CU_ASSERT_EQUAL(move(FA, FA2), -1);
	CU_ASSERT_STRING_EQUAL(err, "no such session");
	close_clean();
	standing();
	CU_ASSERT_EQUAL(move(FA, HA), -1);  /* it would be both ends */
	CU_ASSERT_EQUAL(move(FA3, FA2), 0); /* nothing has that gateway: nothing changes */
	room_pass(&room, 1000);
	CU_ASSERT_EQUAL(fake_children(&room.f, OLD), 1);
	CU_ASSERT_STRING_EQUAL(room.carries, "s1;s1;");
	close_clean();
}

/* --- leaving --- */

static void leave(uint32_t linger_ms)
{
	vpn_leave(room.v, "s1", linger_ms, room.now);
	room_settle(&room);
}

static void fa_standing(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	room_open_as(&room, FA);
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "src");
}

static void test_leave(void)
{
	fa_standing();
	leave(10000);
	room_pass(&room, 5000);
	CU_ASSERT_STRING_EQUAL(fake_kernel_open(&room.kernel, MN), "src");
	fake_peer_down(&room, "-i");
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(vpn_idle(room.v));
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	close_clean();
	fa_standing();
	leave(3000);
	room_pass(&room, 2900);
	CU_ASSERT_EQUAL(fake_children(&room.f, "-i"), 1);
	room_pass(&room, 1000);
	CU_ASSERT_TRUE(fake_empty(&room.f) && vpn_idle(room.v));
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;");
	close_clean();
}

static void test_leave_and_return(void)
{
	struct vpn_profile p = profile_fa_ha(1), q = profile_fa_ha(2);

	fa_standing();
	leave(3000);
	room_install(&room, "s1", &p, 1, 4000);
	room_pass(&room, 5000);
	CU_ASSERT_STRING_EQUAL(room.reports, "s1 UP ;s1 UP ;");
	CU_ASSERT_EQUAL(room.f.initiates, 1);
	fake_peer_down(&room, "-i");
	room_pass(&room, 2000);
	CU_ASSERT_EQUAL(fake_children(&room.f, "-i"), 1); /* repaired: it is wanted again */
	leave(3000);
	room.f.outcome = FAKE_AUTH_FAILED;
	room_install(&room, "s1", &q, 1, 1000);
	room_settle(&room);
	CU_ASSERT_TRUE(room_said(&room, "s1 FAILED"));
	room_pass(&room, 1000);
	CU_ASSERT_EQUAL(fake_children(&room.f, "-i"), 1);
	room_pass(&room, 3000); /* it goes on leaving */
	CU_ASSERT_TRUE(fake_empty(&room.f) && vpn_idle(room.v));
	close_clean();
}

static void test_leave_unfinished(void)
{
	struct vpn_profile p = profile_fa_ha(1);

	room_open_as(&room, FA);
	room.f.outcome = FAKE_HANGS;
	room_install(&room, "s1", &p, 1, 4000);
	room_settle(&room);
	leave(5000);
	room_pass(&room, 2000);
	CU_ASSERT_TRUE(vpn_idle(room.v) && fake_empty(&room.f));
	CU_ASSERT_STRING_EQUAL(room.reports, "");
	close_clean();
}

/* --- whatever happens --- */

static unsigned dice(unsigned n)
{
	return (unsigned)rand() % n;
}

static void random_install(const char *session, const char *fa, unsigned number)
{
	struct vpn_profile p[3] = {profile_of(number, fa, HA), profile_ha_gw(number),
				   profile_of(number + 10, fa, HA)};

	p[0].security = number == 2 ? VPN_SEC_ENCAP : VPN_SEC_ESP;
	p[2].security = dice(2) ? VPN_SEC_ENCAP : VPN_SEC_ESP;
	if (dice(4) == 0)
		p[0].tos_up = p[1].tos_up = 0x28;
	p[2].src = p[0].src;
	vpn_prefix_parse("10.8.0.0/24", &p[2].dst);
	p[2].required = dice(2);
	if (dice(2))
		late(session, p, 2 + dice(2));
	else
		room_install(&room, session, p, 2 + dice(2), 500 + dice(3000));
}

static void random_step(void)
{
	static const char *const fas[] = {FA, FA2, FA3}, *const sessions[] = {"s1", "s2"},
				 *const peers[] = {OLD, NEW, "198-51-100-13-r", "p1-", "sla"};
	static const enum fake_outcome outcomes[] = {FAKE_UP, FAKE_UP, FAKE_UP, FAKE_AUTH_FAILED,
						     FAKE_BLACK_HOLE};
	unsigned s = dice(2);

	err[0] = room.reports[0] = room.carries[0] = room.net[0] = room.f.commands[0] = '\0';
	switch (dice(13)) {
	case 0:
		random_install(sessions[s], fas[dice(3)], s + 1);
		break;
	case 1:
	case 2:
	case 3:
		vpn_move(room.v, sessions[s], addr_of(fas[dice(3)]), addr_of(fas[dice(3)]), 200 + dice(4000),
			 room.now, err, sizeof(err));
		break;
	case 4:
		vpn_leave(room.v, sessions[s], dice(5000), room.now);
		break;
	case 5:
		vpn_remove(room.v, sessions[s], room.now);
		break;
	case 6:
		fake_peer_up(&room, peers[dice(5)]);
		break;
	case 7:
	case 8:
		fake_peer_ike(&room, peers[dice(5)]);
		break;
	case 9:
		fake_peer_down(&room, peers[dice(5)]);
		break;
	case 10:
		room.f.outcome = outcomes[dice(5)];
		room.f.child_fails = !dice(4);
		break;
	case 11:
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

/* No tunnel is up or coming for nobody, and nothing that ends is kept loaded. */
static void check_all(unsigned step)
{
	struct tunnel *t, *tmp;
	struct part *p;

	room_settle(&room);
	HASH_ITER(hh, room.v->tunnels, t, tmp)
	{
		LIST_FOREACH(p, &t->parts, in_tunnel)
		HARNESS_AT(!part_ends(p), "step %u: %s lingers without a tunnel", step, t->name);
	}
	HARNESS_AT(HASH_COUNT(room.v->sessions) <= 2, "step %u", step);
	HARNESS_AT(room.f.n_sas < 60 && room.f.n_conns < 30, "step %u: %zu SAs, %zu connections", step,
		   room.f.n_sas, room.f.n_conns);
}

static void test_anything(void)
{
	for (unsigned seed = 1; seed <= 20; seed++) {
		srand(seed);
		room_open_as(&room, HA);
		room.kernel.between = true;
		for (unsigned i = 0; i < 300; i++) {
			random_step();
			if (i % 10 == 9)
				check_all(300 * seed + i);
		}
		room.f.outcome = FAKE_UP;
		room.f.child_fails = false;
		close_clean();
	}
}

/* After whatever has happened a last move comes to its end: one tunnel, and nothing of before. */
static void test_comes_to_rest(void)
{
	for (unsigned seed = 100; seed < 120; seed++) {
		struct vpn_profile p[2] = {profile_of(1, FA2, HA), profile_ha_gw(1)};

		srand(seed);
		room_open_as(&room, HA);
		for (unsigned i = 0; i < 100; i++)
			random_step();
		room.f.outcome = FAKE_UP;
		room.f.child_fails = false;
		room_remove(&room, "s2");
		room_pass(&room, 20000);
		room.carries[0] = '\0';
		late("s1", p, 2);
		room_pass(&room, 1000);
		if (!fake_children(&room.f, NEW))
			fake_peer_ike(&room, NEW);
		room_pass(&room, 2000);
		HARNESS_AT(!strcmp(room.carries, "s1;"), "seed %u: %s", seed, room.carries);
		HARNESS_AT(room.f.n_sas == 2 && fake_children(&room.f, NEW) == 1, "seed %u: %zu SAs", seed,
			   room.f.n_sas);
		HARNESS_AT(!strcmp(fake_kernel_open(&room.kernel, MN), "both"), "seed %u", seed);
		close_clean();
	}
}

HARNESS_MAIN("vpn/moves", HARNESS_CASE(test_late_initiator), HARNESS_CASE(test_late_path_first),
	     HARNESS_CASE(test_late_never_comes), HARNESS_CASE(test_responder_makes_child),
	     HARNESS_CASE(test_responder_leaves_it), HARNESS_CASE(test_responder_refused),
	     HARNESS_CASE(test_responder_paced), HARNESS_CASE(test_old_stays),
	     HARNESS_CASE(test_old_is_missed), HARNESS_CASE(test_newest_at_once),
	     HARNESS_CASE(test_new_never_comes), HARNESS_CASE(test_old_goes_by_itself),
	     HARNESS_CASE(test_back_at_once), HARNESS_CASE(test_failed_after_move),
	     HARNESS_CASE(test_move_refusals), HARNESS_CASE(test_leave), HARNESS_CASE(test_leave_and_return),
	     HARNESS_CASE(test_leave_unfinished), HARNESS_CASE(test_anything),
	     HARNESS_CASE(test_comes_to_rest))
