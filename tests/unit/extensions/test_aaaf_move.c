/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Moves within the domain (D2): what the cache of app_mipvpn_aaaf answers, and how such
 * sessions end.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "agent/mip/mip.h"
#include "extensions/app_mipvpn_aaaf/aaaf.h"
#include "tests/unit/harness.h"

#define TEXT(member, text) snprintf(member, sizeof(member), "%s", text)

#define T0 1000000u
#define HOA "10.1.0.10"
#define HA "198.51.100.21"
#define FA1 "198.51.100.11"
#define FA2 "198.51.100.12"
#define IDENT UINT64_C(0xe8000000aaaaaaaa)
#define SPI 4321u	/* of the foreign agent, 323 */

/* What a move is made of; each test spoils one thing of it. */
struct mover {
	const char *session, *user, *fa, *previous, *pfan_previous, *pfan_coa, *hoa, *ha, *realm, *nai;
	uint64_t ident;
	uint16_t lifetime;
	uint32_t spi, features;
	uint8_t key;
	bool no_pfan, no_mn_ha, mn_ha_key, service_update;
};
static const struct mover good = {
	.session = "s2", .user = "alice@home.test", .fa = FA2, .previous = FA1, .pfan_previous = FA1,
	.pfan_coa = FA2, .hoa = HOA, .ha = HA, .realm = "visited.test", .nai = "alice@home.test",
	.ident = IDENT + 1, .lifetime = 100, .spi = SPI, .key = 7,
};

static struct in_addr inet(const char *text)
{
	struct in_addr a = { 0 };

	inet_pton(AF_INET, text, &a);
	return a;
}

static struct dm_amr amr_of(const struct mover *m)
{
	struct dm_amr a = { .origin_host = "fa2.visited.test", .dest_realm = "home.test" };
	struct mip_pfan pfan = { .lifetime = 10, .previous_fa = inet(m->pfan_previous),
				 .coa = inet(m->pfan_coa), .spi = m->spi };
	uint8_t key[20], other[16] = { 1 };
	struct wbuf w;

	memset(key, m->key, sizeof(key));
	TEXT(a.session, m->session);
	TEXT(a.user, m->user);
	TEXT(a.origin_realm, m->realm);
	a.has_previous_fa = true;
	a.previous_fa = inet(m->previous);
	a.features = m->features;
	wbuf_init(&w, a.rrq.data, sizeof(a.rrq.data));
	mip_rrq_put(&w, 0, m->lifetime, inet(m->hoa), inet(m->ha), inet(m->fa), m->ident);
	mip_ext_put_nai(&w, m->nai);
	mip_ext_put_keygen_req(&w, MIP_EXT_MN_FA_KEYGEN_REQ, 1040);
	if (m->mn_ha_key)
		mip_ext_put_keygen_req(&w, MIP_EXT_MN_HA_KEYGEN_REQ, 1042);
	if (!m->no_pfan)
		mip_ext_put_pfan(&w, &pfan, CRYPTO_HMAC_SHA1, key, sizeof(key));
	a.service_update = m->service_update;
	if (!m->no_mn_ha)
		mip_ext_put_auth(&w, MIP_EXT_MN_HA, 1042, CRYPTO_HMAC_SHA1, other, sizeof(other));
	CU_ASSERT_TRUE(wbuf_ok(&w));
	a.rrq.len = (uint16_t)w.len;
	return a;
}

/* The session s1 that alice has at FA1, through her home network. */
static enum aaaf_put put_at(struct aaaf_cache *c, const char *session, const char *fa, uint32_t key_lifetime,
			    uint64_t ident)
{
	struct mover m = good;
	struct aaaf_session s;
	struct dm_amr amr;
	struct dm_ama ama = { .result = DM_SUCCESS, .auth_lifetime = 200, .msa_lifetime = key_lifetime };
	const struct dm_msa msa = { .present = true, .spi = 300, .algorithm = 2, .key.len = 20 };

	ama.fa_to_mn = ama.fa_to_ha = msa;
	memset(ama.fa_to_mn.key.data, 7, 20);
	ama.fa_to_ha.spi = 301;
	TEXT(ama.origin_host, "aaah.home.test");
	m.session = session;
	m.fa = fa;
	m.ident = ident;
	m.no_pfan = true;
	amr = amr_of(&m);
	amr.ha_to_fa_spi = SPI;
	TEXT(amr.origin_host, "fa.visited.test");
	ama.hoa = inet(HOA);
	ama.ha = inet(HA);
	ama.vpn.n = 2;
	ama.vpn.p = calloc(2, sizeof(*ama.vpn.p));
	ama.vpn.p[0].src_gw = inet(fa);
	ama.vpn.p[1].src_gw = inet(HA);
	ama.vpn.handoff.len = 32;
	aaaf_session_make(&s, &amr, &ama, T0, 1000);
	return aaaf_cache_put(c, &s, 100);
}

static void settle_at(struct aaaf_cache *c, const char *session, const char *fa, uint32_t key_lifetime)
{
	CU_ASSERT_EQUAL(put_at(c, session, fa, key_lifetime, IDENT), AAAF_PUT_CACHED);
}

static const char *move_at(struct aaaf_cache *c, const struct mover *m, uint64_t now, struct dm_ama *out)
{
	struct dm_amr amr = amr_of(m);

	return aaaf_cache_move(c, &amr, now, 100, out);
}

static void test_move_is_answered(void)
{
	struct aaaf_cache *c = aaaf_cache_new();
	struct dm_ama a;
	const char *why;

	settle_at(c, "s1", FA1, 300);
	why = move_at(c, &good, T0 + 10500, &a);
	HARNESS_AT(!why, "%s", why);
	CU_ASSERT_EQUAL(a.result, DM_SUCCESS);
	CU_ASSERT_STRING_EQUAL(a.session, "s2");
	CU_ASSERT_STRING_EQUAL(a.user, "alice@home.test");
	CU_ASSERT_EQUAL(a.auth_lifetime, 189);	/* what is left, not what was granted */
	CU_ASSERT_EQUAL(a.msa_lifetime, 289);
	CU_ASSERT_EQUAL(a.rrp.len, 0);
	CU_ASSERT_TRUE(a.has_hoa && a.has_ha && a.has_previous_fa);
	CU_ASSERT_EQUAL(a.hoa.s_addr, inet(HOA).s_addr);
	CU_ASSERT_EQUAL(a.ha.s_addr, inet(HA).s_addr);
	CU_ASSERT_EQUAL(a.previous_fa.s_addr, inet(FA1).s_addr);
	CU_ASSERT_EQUAL(a.ha_to_fa_spi, SPI);
	CU_ASSERT_EQUAL(a.fa_to_mn.spi, 300);
	CU_ASSERT_EQUAL(a.fa_to_ha.spi, 301);
	CU_ASSERT_EQUAL(a.fa_to_mn.key.data[19], 7);
	CU_ASSERT_EQUAL(a.vpn.handoff.len, 32);
	CU_ASSERT_EQUAL_FATAL(a.vpn.n, 2);
	CU_ASSERT_EQUAL(a.vpn.p[0].src_gw.s_addr, inet(FA2).s_addr);
	CU_ASSERT_EQUAL(a.vpn.p[1].src_gw.s_addr, inet(HA).s_addr);
	dm_ama_wipe(&a);
	CU_ASSERT_TRUE(aaaf_cache_get(c, "s1", T0, NULL, NULL));
	CU_ASSERT_TRUE(aaaf_cache_get(c, "s2", T0, NULL, NULL));
	aaaf_cache_free(c);
}

static void test_move_goes_home(void)
{
	static const struct {
		const char *why;
		struct mover m;
	} cases[] = {
		{ "unknown", { .user = "bob@home.test" } },
		{ "unknown", { .previous = "198.51.100.13" } },
		{ "unknown", { .session = "s1" } },
		{ "same_fa", { .fa = FA1 } },
		{ "realm", { .realm = "other.test" } },
		{ "user", { .nai = "bob@home.test" } },
		{ "home_address", { .hoa = "10.1.0.11" } },
		{ "home_address", { .hoa = "0.0.0.0" } },
		{ "home_agent", { .ha = "198.51.100.22" } },
		{ "mn_ha_key", { .mn_ha_key = true } },
		{ "mn_ha_key", { .features = DM_F_MN_HA_KEY } },
		{ "service_update", { .service_update = true } },
		{ "no_mn_ha", { .no_mn_ha = true } },
		{ "lifetime", { .lifetime = 199 } },
		{ "lifetime", { .lifetime = 0xffff } },
		{ "no_pfan", { .no_pfan = true } },
		{ "previous_fa", { .pfan_previous = "198.51.100.13" } },
		{ "care_of", { .pfan_coa = "198.51.100.13" } },
		{ "spi", { .spi = SPI + 1 } },
		{ "authenticator", { .key = 8 } },
		{ "replay", { .ident = IDENT } },
		{ "replay", { .ident = IDENT - 1 } },
	};
	struct aaaf_cache *c = aaaf_cache_new();
	struct dm_ama a;

	settle_at(c, "s1", FA1, 300);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct mover *d = &cases[i].m;
		struct mover m = good;
		const char *why;

#define TAKE(x) if (d->x) m.x = d->x
		TAKE(user); TAKE(previous); TAKE(session); TAKE(fa); TAKE(realm); TAKE(nai); TAKE(hoa);
		TAKE(ha); TAKE(mn_ha_key); TAKE(features); TAKE(service_update); TAKE(no_mn_ha);
		TAKE(lifetime); TAKE(no_pfan); TAKE(pfan_previous); TAKE(pfan_coa); TAKE(spi); TAKE(key);
		TAKE(ident);
		why = move_at(c, &m, T0, &a);
		HARNESS_AT(why && !strcmp(why, cases[i].why), "%s: %s", cases[i].why, why ? why : "answered");
		HARNESS_AT(!a.result && !a.vpn.p && !a.fa_to_mn.present, "%s: keys", cases[i].why);
		dm_ama_wipe(&a);
	}
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 1);
	/* none of it has used the Identification up */
	CU_ASSERT_PTR_NULL(move_at(c, &good, T0, &a));
	dm_ama_wipe(&a);
	aaaf_cache_free(c);
}

static void test_move_lifetimes(void)
{
	struct aaaf_cache *c = aaaf_cache_new();
	struct mover m = good;
	struct dm_ama a;

	m.lifetime = 198;	/* and 2 s */
	settle_at(c, "s1", FA1, 199);
	CU_ASSERT_STRING_EQUAL(move_at(c, &m, T0, &a), "key_lifetime");
	settle_at(c, "s1", FA1, 300);
	CU_ASSERT_STRING_EQUAL(move_at(c, &m, T0 + 1, &a), "lifetime");
	/* over, and still in the cache for its end by message */
	CU_ASSERT_STRING_EQUAL(move_at(c, &good, T0 + 200000, &a), "lifetime");
	CU_ASSERT_STRING_EQUAL(move_at(c, &good, T0 + 210000, &a), "unknown");
	m.lifetime = 0;
	CU_ASSERT_STRING_EQUAL(move_at(c, &m, T0, &a), "deregistration");
	m.lifetime = 198;
	CU_ASSERT_PTR_NULL(move_at(c, &m, T0, &a));
	dm_ama_wipe(&a);
	aaaf_cache_free(c);
}

/* A request is good once, whichever session it names as the previous one. */
static void test_move_replayed(void)
{
	struct aaaf_cache *c = aaaf_cache_new();
	struct mover m = good;
	struct dm_ama a;

	settle_at(c, "s1", FA1, 300);
	CU_ASSERT_PTR_NULL(move_at(c, &good, T0, &a));
	dm_ama_wipe(&a);
	m.session = "s3";
	CU_ASSERT_STRING_EQUAL(move_at(c, &m, T0, &a), "replay");
	/* an answer of the home network that comes late does not bring it back */
	settle_at(c, "s1", FA1, 300);
	CU_ASSERT_STRING_EQUAL(move_at(c, &m, T0, &a), "replay");
	m.ident++;
	CU_ASSERT_PTR_NULL(move_at(c, &m, T0, &a));
	dm_ama_wipe(&a);
	aaaf_cache_free(c);
}

#define SECOND (UINT64_C(1) << 32)

/* Two requests at a time, and the answer to the older one comes last: home has the later one's session. */
static void test_older_answer_last(void)
{
	struct aaaf_cache *c = aaaf_cache_new();
	struct aaaf_end_to to;

	CU_ASSERT_EQUAL(put_at(c, "s2", FA1, 300, IDENT + SECOND), AAAF_PUT_CACHED);
	CU_ASSERT_EQUAL(put_at(c, "s1", FA2, 300, IDENT), AAAF_PUT_OLDER);
	CU_ASSERT_TRUE(aaaf_cache_get(c, "s2", T0, NULL, NULL));
	CU_ASSERT_FALSE(aaaf_cache_get(c, "s1", T0, NULL, NULL));
	CU_ASSERT_EQUAL(aaaf_cache_end_by_home(c, "s2", "aaah.home.test", &to), AAAF_END_PASS);
	/* the other order, and a home network whose Identifications are no timestamps */
	CU_ASSERT_EQUAL(put_at(c, "s1", FA2, 300, IDENT), AAAF_PUT_CACHED);
	CU_ASSERT_EQUAL(put_at(c, "s2", FA1, 300, IDENT + SECOND), AAAF_PUT_CACHED);
	CU_ASSERT_EQUAL(put_at(c, "s3", FA1, 300, IDENT - 1000 * SECOND), AAAF_PUT_CACHED);
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 1);
	aaaf_cache_free(c);
}

static void go_to(struct aaaf_cache *c, const char *session, const char *from, const char *to, uint64_t ident)
{
	struct mover m = good;
	struct dm_ama a;
	const char *why;

	m.session = session;
	m.previous = m.pfan_previous = from;
	m.fa = m.pfan_coa = to;
	m.ident = ident;
	why = move_at(c, &m, T0, &a);
	HARNESS_AT(!why, "%s: %s", session, why);
	dm_ama_wipe(&a);
}

static enum aaaf_end str(struct aaaf_cache *c, const char *session, const char *who, uint32_t cause,
			 struct aaaf_end_to *to)
{
	return aaaf_cache_end_by_fa(c, session, who, cause, to);
}

static void test_ends_after_moves(void)
{
	struct aaaf_cache *c = aaaf_cache_new();
	struct aaaf_end_to to;

	settle_at(c, "s1", FA1, 300);
	CU_ASSERT_EQUAL(str(c, "s1", "evil.test", DM_TERM_LOGOUT, &to), AAAF_END_UNKNOWN);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_home(c, "s1", "evil.test", &to), AAAF_END_UNKNOWN);
	go_to(c, "s2", FA1, FA2, IDENT + 1);
	go_to(c, "s3", FA2, FA1, IDENT + 2);	/* back */
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 3);
	/* FA2's part, which the home network does not know of */
	CU_ASSERT_EQUAL(str(c, "s2", "fa2.visited.test", DM_TERM_LOGOUT, &to), AAAF_END_MOVED);
	CU_ASSERT_EQUAL(str(c, "s2", "fa2.visited.test", DM_TERM_LOGOUT, &to), AAAF_END_UNKNOWN);
	/* the name under which it does know it is not the old one's to end, twice neither */
	CU_ASSERT_EQUAL(str(c, "s1", "fa.visited.test", DM_TERM_LOGOUT, &to), AAAF_END_MOVED);
	CU_ASSERT_EQUAL(str(c, "s1", "fa.visited.test", DM_TERM_LOGOUT, &to), AAAF_END_MOVED);
	CU_ASSERT_EQUAL(str(c, "s1", "evil.test", DM_TERM_LOGOUT, &to), AAAF_END_UNKNOWN);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_home(c, "s3", "aaah.home.test", &to), AAAF_END_UNKNOWN);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_home(c, "s1", "AAAH.home.test", &to), AAAF_END_TRANSLATE);
	CU_ASSERT_STRING_EQUAL(to.session, "s3");
	CU_ASSERT_STRING_EQUAL(to.host, "fa2.visited.test");
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 0);
	settle_at(c, "s1", FA1, 300);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_home(c, "s1", "aaah.home.test", &to), AAAF_END_PASS);
	settle_at(c, "s1", FA1, 300);
	go_to(c, "s2", FA1, FA2, IDENT + 3);
	CU_ASSERT_EQUAL(str(c, "s2", "fa2.visited.test", DM_TERM_LOGOUT, &to), AAAF_END_TRANSLATE);
	CU_ASSERT_STRING_EQUAL(to.session, "s1");
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 0);
	aaaf_cache_free(c);
}

static void check_updated(const struct aaaf_session *s, void *user)
{
	const struct in_addr *fa = user;

	CU_ASSERT_EQUAL_FATAL(s->vpn.n, 2);
	CU_ASSERT_EQUAL(s->vpn.p[1].number, 9);
	for (int i = 0; i < 2; i++)
		CU_ASSERT_EQUAL(s->vpn.p[i].src_gw.s_addr, fa->s_addr);
	CU_ASSERT_TRUE(s->vpn.handoff.len > 0); /* is the session's, not the profiles' */
}

/* The home server has other VPNs for a session (VUR): the foreign agent that has it now is told, and all
 * that the user may go to, or back to, is answered with them. */
static void test_updates(void)
{
	struct vpn_profile p[2] = {{.number = 8}, {.number = 9}};
	const struct dm_vpn vpn = {.n = 2, .p = p};
	struct aaaf_cache *c = aaaf_cache_new();
	struct in_addr fa1 = {inet_addr(FA1)}, fa2 = {inet_addr(FA2)};
	struct aaaf_end_to to;

	p[0].src_gw = p[1].src_gw = fa1;
	CU_ASSERT_EQUAL(aaaf_cache_where(c, "s1", "aaah.home.test", &to), AAAF_END_UNKNOWN);
	CU_ASSERT_TRUE(aaaf_cache_update(c, "s1", &vpn)); /* nothing to answer from */
	settle_at(c, "s1", FA1, 300);
	CU_ASSERT_EQUAL(aaaf_cache_where(c, "s1", "evil.test", &to), AAAF_END_UNKNOWN);
	CU_ASSERT_EQUAL(aaaf_cache_where(c, "s1", "AAAH.home.test", &to), AAAF_END_PASS);
	go_to(c, "s2", FA1, FA2, IDENT + 1);
	CU_ASSERT_EQUAL(aaaf_cache_where(c, "s1", "aaah.home.test", &to), AAAF_END_TRANSLATE);
	CU_ASSERT_STRING_EQUAL(to.session, "s2");
	CU_ASSERT_STRING_EQUAL(to.host, "fa2.visited.test");
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 2); /* it is no end */
	CU_ASSERT_FALSE(aaaf_cache_update(c, "s1", &vpn)); /* he has gone on before that one has answered */
	CU_ASSERT_TRUE(aaaf_cache_update(c, "s2", &vpn));
	CU_ASSERT_TRUE(aaaf_cache_get(c, "s1", T0, check_updated, &fa1));
	CU_ASSERT_TRUE(aaaf_cache_get(c, "s2", T0, check_updated, &fa2));
	aaaf_cache_free(c);
}

/* The home agent has not agreed to a move, or the tunnels did not come up: the user is where he was. */
static void test_moves_undone(void)
{
	const uint32_t undo = DM_TERM_BAD_ANSWER;
	struct aaaf_cache *c = aaaf_cache_new();
	struct aaaf_end_to to;

	settle_at(c, "s1", FA1, 300);
	go_to(c, "s2", FA1, FA2, IDENT + 1);
	CU_ASSERT_EQUAL(str(c, "s2", "evil.test", undo, &to), AAAF_END_UNKNOWN);
	CU_ASSERT_EQUAL(str(c, "s2", "fa2.visited.test", undo, &to), AAAF_END_UNDONE);
	CU_ASSERT_EQUAL(str(c, "s2", "fa2.visited.test", undo, &to), AAAF_END_UNKNOWN);
	CU_ASSERT_FALSE(aaaf_cache_get(c, "s2", T0, NULL, NULL));
	CU_ASSERT_TRUE(aaaf_cache_get(c, "s1", T0, NULL, NULL));
	/* the next one, again from there; his STR and the home server's ASR are the real one's */
	go_to(c, "s3", FA1, FA2, IDENT + 2);
	go_to(c, "s4", FA2, FA1, IDENT + 3);
	CU_ASSERT_EQUAL(str(c, "s3", "fa2.visited.test", undo, &to), AAAF_END_UNDONE); /* not the newest */
	CU_ASSERT_EQUAL(str(c, "s4", "fa2.visited.test", undo, &to), AAAF_END_UNDONE);
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 1);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_home(c, "s1", "aaah.home.test", &to), AAAF_END_PASS);
	CU_ASSERT_STRING_EQUAL(to.session, "s1");
	settle_at(c, "s1", FA1, 300);
	go_to(c, "s2", FA1, FA2, IDENT + 4);
	CU_ASSERT_EQUAL(str(c, "s2", "fa2.visited.test", undo, &to), AAAF_END_UNDONE);
	CU_ASSERT_EQUAL(str(c, "s1", "fa.visited.test", DM_TERM_LOGOUT, &to), AAAF_END_PASS);
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 0);
	aaaf_cache_free(c);
}

static void test_nothing_to_undo(void)
{
	const uint32_t undo = DM_TERM_BAD_ANSWER;
	struct aaaf_cache *c = aaaf_cache_new();
	struct aaaf_end_to to;

	/* the home network's own answer: that is where it goes */
	settle_at(c, "s1", FA1, 300);
	CU_ASSERT_EQUAL(str(c, "s1", "fa.visited.test", undo, &to), AAAF_END_PASS);
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 0);
	/* the foreign agent before has given its part up in the meantime: the user is nowhere */
	settle_at(c, "s1", FA1, 300);
	go_to(c, "s2", FA1, FA2, IDENT + 1);
	CU_ASSERT_EQUAL(str(c, "s1", "fa.visited.test", DM_TERM_LOGOUT, &to), AAAF_END_MOVED);
	CU_ASSERT_EQUAL(str(c, "s2", "fa2.visited.test", undo, &to), AAAF_END_TRANSLATE);
	CU_ASSERT_STRING_EQUAL(to.session, "s1");
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 0);
	aaaf_cache_free(c);
}

static void test_moves_are_bounded(void)
{
	static const char *const at[] = { FA1, FA2, "198.51.100.13", "198.51.100.14", "198.51.100.15" };
	struct aaaf_cache *c = aaaf_cache_new();
	struct aaaf_end_to to;
	struct dm_amr amr = amr_of(&good);
	struct dm_ama a;
	char session[8];

	settle_at(c, "s1", FA1, 300);
	CU_ASSERT_STRING_EQUAL(aaaf_cache_move(c, &amr, T0, 1, &a), "full");
	for (unsigned i = 1; i < 5; i++) {
		snprintf(session, sizeof(session), "m%u", i);
		go_to(c, session, at[i - 1], at[i], IDENT + i);
	}
	CU_ASSERT_EQUAL(aaaf_cache_count(c), AAAF_SESSIONS_OF_USER);
	CU_ASSERT_FALSE(aaaf_cache_get(c, "s1", T0, NULL, NULL));
	CU_ASSERT_EQUAL(aaaf_cache_end_by_home(c, "s1", "aaah.home.test", &to), AAAF_END_TRANSLATE);
	CU_ASSERT_STRING_EQUAL(to.session, "m4");
	settle_at(c, "s1", FA1, 300);
	go_to(c, "m1", FA1, FA2, IDENT + 9);
	settle_at(c, "h2", FA1, 300);	/* through the home network: takes the place of both */
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 1);
	aaaf_cache_free(c);
}

HARNESS_MAIN("extensions/aaaf_move", HARNESS_CASE(test_move_is_answered), HARNESS_CASE(test_move_goes_home),
	     HARNESS_CASE(test_move_lifetimes), HARNESS_CASE(test_move_replayed),
	     HARNESS_CASE(test_older_answer_last),
	     HARNESS_CASE(test_ends_after_moves), HARNESS_CASE(test_moves_undone), HARNESS_CASE(test_updates),
	     HARNESS_CASE(test_nothing_to_undo), HARNESS_CASE(test_moves_are_bounded))
