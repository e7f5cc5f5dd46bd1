/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The pure parts of app_mipvpn_aaaf: policy, requests under way, session cache, configuration.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/mip/mip.h"
#include "extensions/app_mipvpn_aaaf/aaaf.h"
#include "tests/unit/harness.h"

#define TEXT(member, text) snprintf(member, sizeof(member), "%s", text)

static struct aaaf_conf conf;
static struct conf_errors errs;

static int load(const char *text)
{
	char path[] = "/tmp/mipvpn-test-aaaf-XXXXXX";
	int fd = mkstemp(path), rc;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	rc = aaaf_conf_load(path, &conf, &errs);
	unlink(path);
	return rc;
}

static struct dm_amr amr_from(const char *host, const char *realm)
{
	struct dm_amr a = { 0 };

	TEXT(a.origin_host, host);
	TEXT(a.origin_realm, "visited.test");
	TEXT(a.dest_realm, realm);
	TEXT(a.user, "alice@home.test");
	return a;
}

static void test_conf(void)
{
	CU_ASSERT_EQUAL(load("foreign-agents = {\"fa.visited.test\"}\n"), 0);
	CU_ASSERT_EQUAL(conf.answer_deadline_ms, 10000);
	CU_ASSERT_EQUAL(conf.outstanding_max, 2000);
	CU_ASSERT_TRUE(conf.log_transactions);
	aaaf_conf_free(&conf);
	CU_ASSERT_EQUAL(load(""), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(errs.text, "foreign-agents or foreign-agent-realms"));
	CU_ASSERT_EQUAL(load("foreign-agents = {\"a\"}\nanswer-deadline = 99\n"), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(errs.text, ":2: answer-deadline"));
	CU_ASSERT_PTR_NOT_NULL(strstr(errs.text, "100..60000"));
	CU_ASSERT_EQUAL(load("foreign-agents = {\"a\"}\nforeign-agent = {\"b\"}\n"), -1);
}

static void test_sample_is_right(void)
{
	HARNESS_AT(aaaf_conf_load(TOP_SRCDIR "/conf/app_mipvpn_aaaf.conf.sample", &conf, &errs) == 0, "%s",
		   errs.text);
	aaaf_conf_free(&conf);
}

static void test_who_may_send(void)
{
	static const struct {
		const char *what, *host, *realm, *peer;
		uint32_t result;
	} cases[] = {
		{ "foreign agent", "fa.visited.test", "home.test", "fa.visited.test", DM_SUCCESS },
		{ "in other letters", "FA.Visited.test", "Home.Test", "fa.visited.TEST", DM_SUCCESS },
		{ "through a relay", "fa.visited.test", "home.test", "dra.visited.test", DM_SUCCESS },
		{ "through somebody", "fa.visited.test", "home.test", "evil.visited.test",
		  DM_AUTHORIZATION_REJECTED },
		{ "without a peer", "fa.visited.test", "home.test", "", DM_AUTHORIZATION_REJECTED },
		{ "not a foreign agent", "evil.visited.test", "home.test", "evil.visited.test",
		  DM_AUTHORIZATION_REJECTED },
		{ "no agreement", "fa.visited.test", "far.test", "fa.visited.test", DM_REALM_NOT_SERVED },
	};

	CU_ASSERT_EQUAL_FATAL(load("foreign-agents = {\"fa.visited.test\"}\nrelays = {\"dra.visited.test\"}\n"
				   "home-realms = {\"home.test\"}\n"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct dm_amr a = amr_from(cases[i].host, cases[i].realm);
		uint32_t result;
		const char *why = aaaf_policy_refuses(&conf, &a, cases[i].peer, &result);

		HARNESS_AT(result == cases[i].result, "%s: %u", cases[i].what, result);
		HARNESS_AT(!why == (cases[i].result == DM_SUCCESS), "%s", cases[i].what);
	}
	aaaf_conf_free(&conf);
}

static void test_features(void)
{
	static const struct {
		const char *what, *ha_host;
		bool candidate;
		uint32_t in, out;
	} cases[] = {
		{ "home agent at home", "", true, DM_F_MN_HA_KEY, DM_F_MN_HA_KEY },
		{ "the FA lies", "", false, DM_F_FOREIGN_HA | DM_F_HA_IN_FOREIGN | DM_F_HA_REQUESTED,
		  DM_F_HA_REQUESTED },
		{ "one is offered", "", true, DM_F_HA_REQUESTED, DM_F_HA_REQUESTED | DM_F_FOREIGN_HA },
		{ "but not wanted", "", true, DM_F_HA_REQUESTED | DM_F_HOA_HOME_ONLY,
		  DM_F_HA_REQUESTED | DM_F_HOA_HOME_ONLY },
		{ "ours is kept", "ha.visited.test", true, DM_F_MN_FA_KEY,
		  DM_F_MN_FA_KEY | DM_F_HA_IN_FOREIGN },
		{ "another's is kept", "ha.far.test", true, DM_F_MN_FA_KEY, DM_F_MN_FA_KEY },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct dm_amr a = amr_from("fa.visited.test", "home.test");
		bool foreign = cases[i].out & (DM_F_FOREIGN_HA | DM_F_HA_IN_FOREIGN);

		CU_ASSERT_EQUAL_FATAL(load(cases[i].candidate ? "foreign-agents = {\"fa.visited.test\"}\n"
			"home-agents = {\"ha.visited.test\"}\ncandidate-home-agent = \"ha2.visited.test\"\n"
			: "foreign-agents = {\"fa.visited.test\"}\n"), 0);
		a.features = cases[i].in;
		TEXT(a.ha_host, cases[i].ha_host);
		TEXT(a.ha_candidate, "planted.visited.test");
		TEXT(a.originating_host, "planted.visited.test");
		CU_ASSERT_TRUE(aaaf_policy_revise(&conf, "aaaf.visited.test", "visited.test", &a));
		HARNESS_AT(a.features == cases[i].out, "%s: %u", cases[i].what, a.features);
		HARNESS_AT(!strcmp(a.originating_host, foreign ? "aaaf.visited.test" : ""), "%s",
			   cases[i].what);
		HARNESS_AT(!strcmp(a.ha_candidate, a.features & DM_F_FOREIGN_HA ? "ha2.visited.test" : ""),
			   "%s", cases[i].what);
		aaaf_conf_free(&conf);
	}
}

static void test_nothing_to_revise(void)
{
	struct dm_amr a = amr_from("fa.visited.test", "home.test");

	CU_ASSERT_EQUAL_FATAL(load("foreign-agents = {\"fa.visited.test\"}\n"), 0);
	a.features = DM_F_MN_HA_KEY;
	CU_ASSERT_FALSE(aaaf_policy_revise(&conf, "aaaf.visited.test", "visited.test", &a));
	aaaf_conf_free(&conf);
}

static void test_pending(void)
{
	struct aaaf_pending p = { 0 };
	uint64_t t = 5000000;

	for (unsigned i = 0; i < 10; i++)
		CU_ASSERT_TRUE(aaaf_pending_begin(&p, t + 100 * i, 3000, 10));
	CU_ASSERT_FALSE(aaaf_pending_begin(&p, t + 1100, 3000, 10));
	aaaf_pending_end(&p, t + 100);
	CU_ASSERT_TRUE(aaaf_pending_begin(&p, t + 1100, 3000, 10));
	CU_ASSERT_EQUAL(aaaf_pending_count(&p, t + 1100, 3000), 10);
	/* nothing is ever heard of the others: they leave by themselves, and nothing ends twice */
	CU_ASSERT_EQUAL(aaaf_pending_count(&p, t + 6000, 3000), 0);
	CU_ASSERT_TRUE(aaaf_pending_begin(&p, t + 1000 * AAAF_PENDING_SLOTS, 3000, 10));
	aaaf_pending_end(&p, t);
	CU_ASSERT_EQUAL(aaaf_pending_count(&p, t + 1000 * AAAF_PENDING_SLOTS, 3000), 1);
}

/* --- the cache --- */

#define T0 1000000u

static void make(struct aaaf_session *s, const char *session, const char *user, const char *fa,
		 uint32_t lifetime)
{
	struct dm_amr amr = amr_from("fa.visited.test", "home.test");
	struct dm_ama ama = {
		.result = DM_SUCCESS, .auth_lifetime = lifetime, .fa_to_mn = {.present = true, .spi = 300}};
	struct in_addr coa;

	TEXT(amr.session, session);
	TEXT(ama.origin_host, "aaah.home.test");
	TEXT(amr.user, user);
	inet_pton(AF_INET, fa, &coa);
	amr.rrq.len = 24;
	amr.rrq.data[0] = 1;
	memcpy(amr.rrq.data + 12, &coa, 4);
	ama.vpn.n = 1;
	ama.vpn.p = calloc(1, sizeof(*ama.vpn.p));
	ama.vpn.p->number = 7;
	aaaf_session_make(s, &amr, &ama, T0, 1000);
	CU_ASSERT_PTR_NULL(ama.vpn.p);
}

static bool put(struct aaaf_cache *c, const char *session, const char *user, const char *fa,
		uint32_t lifetime, size_t most)
{
	struct aaaf_session s;
	bool ok;

	make(&s, session, user, fa, lifetime);
	ok = aaaf_cache_put(c, &s, most);
	CU_ASSERT_TRUE(s.session[0] == '\0' && !s.vpn.p);
	return ok;
}

static void copy_name(const struct aaaf_session *s, void *out)
{
	CU_ASSERT_EQUAL(s->vpn.p[0].number, 7);
	CU_ASSERT_EQUAL(s->fa_to_mn.spi, 300);
	strcpy(out, s->session);
}

static bool previous(struct aaaf_cache *c, const char *user, const char *fa, uint64_t now, char *name)
{
	struct in_addr a;

	inet_pton(AF_INET, fa, &a);
	return aaaf_cache_get_previous(c, user, a, now, copy_name, name);
}

static void test_cache_finds(void)
{
	struct aaaf_cache *c = aaaf_cache_new();
	char name[DM_SESSION_MAX] = "";

	CU_ASSERT_TRUE(put(c, "s1", "alice@home.test", "198.51.100.11", 100, 10));
	CU_ASSERT_TRUE(put(c, "s2", "alice@home.test", "198.51.100.12", 100, 10));
	CU_ASSERT_TRUE(put(c, "s4", "bob@home.test", "198.51.100.11", 100, 10));
	CU_ASSERT_TRUE(put(c, "s4", "bob@home.test", "198.51.100.11", 200, 10));
	/* what the home network says last is all that counts */
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 2);
	CU_ASSERT_TRUE(aaaf_cache_get(c, "s2", T0, copy_name, name));
	CU_ASSERT_STRING_EQUAL(name, "s2");
	CU_ASSERT_FALSE(aaaf_cache_get(c, "s1", T0, NULL, NULL));
	CU_ASSERT_TRUE(previous(c, "alice@home.test", "198.51.100.12", T0, name));
	CU_ASSERT_STRING_EQUAL(name, "s2");
	CU_ASSERT_FALSE(previous(c, "alice@home.test", "198.51.100.11", T0, name));
	CU_ASSERT_FALSE(previous(c, "carol@home.test", "198.51.100.11", T0, name));
	/* a Session-Id that somebody else comes with is his then */
	CU_ASSERT_TRUE(put(c, "s4", "carol@home.test", "198.51.100.11", 200, 10));
	CU_ASSERT_FALSE(previous(c, "bob@home.test", "198.51.100.11", T0, name));
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 2);
	aaaf_cache_free(c);
}

static void test_cache_lifetime(void)
{
	struct aaaf_cache *c = aaaf_cache_new();
	char name[DM_SESSION_MAX] = "", session[8], user[24];
	uint64_t over = T0 + 100 * 1000 + 10000;
	size_t dropped = 0;

	CU_ASSERT_TRUE(put(c, "short", "alice@home.test", "198.51.100.11", 100, 100));
	CU_ASSERT_TRUE(put(c, "none", "dora@home.test", "198.51.100.12", 0, 100));
	CU_ASSERT_TRUE(put(c, "long", "eve@home.test", "198.51.100.13", 999999, 100));
	CU_ASSERT_TRUE(aaaf_cache_get(c, "short", over - 1, NULL, NULL));
	CU_ASSERT_FALSE(aaaf_cache_get(c, "short", over, NULL, NULL));
	CU_ASSERT_FALSE(previous(c, "alice@home.test", "198.51.100.11", over, name));
	for (unsigned i = 0; i < 600; i++) {
		snprintf(session, sizeof(session), "x%u", i);
		snprintf(user, sizeof(user), "u%u@home.test", i);
		CU_ASSERT_TRUE(put(c, session, user, "198.51.100.11", 100, 1000));
	}
	for (unsigned i = 0; i < 32; i++)
		dropped += aaaf_cache_sweep(c, over);
	CU_ASSERT_EQUAL(dropped, 601);
	/* no lifetime, or one that is too long: the configured one */
	CU_ASSERT_TRUE(aaaf_cache_get(c, "none", T0 + 1000 * 1000, NULL, NULL));
	CU_ASSERT_TRUE(aaaf_cache_get(c, "long", T0 + 1000 * 1000, NULL, NULL));
	CU_ASSERT_FALSE(aaaf_cache_get(c, "long", T0 + 1010 * 1000, NULL, NULL));
	CU_ASSERT_EQUAL(aaaf_cache_sweep(c, T0 + 1010 * 1000), 2);
	CU_ASSERT_EQUAL(aaaf_cache_sweep(c, T0), 0);
	aaaf_cache_free(c);
}

static void test_cache_bound(void)
{
	struct aaaf_cache *c = aaaf_cache_new();

	CU_ASSERT_TRUE(put(c, "s1", "alice@home.test", "198.51.100.11", 100, 2));
	CU_ASSERT_TRUE(put(c, "s2", "bob@home.test", "198.51.100.11", 100, 2));
	CU_ASSERT_FALSE(put(c, "s3", "carol@home.test", "198.51.100.11", 100, 2));
	CU_ASSERT_TRUE(put(c, "s2", "bob@home.test", "198.51.100.12", 100, 2));
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 2);
	CU_ASSERT_FALSE(aaaf_cache_get(c, "s3", T0, NULL, NULL));
	aaaf_cache_free(c);
}

/* --- moves --- */

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
	struct dm_amr a = amr_from("fa2.visited.test", "home.test");
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
static void settle_at(struct aaaf_cache *c, const char *session, const char *fa, uint32_t key_lifetime)
{
	struct mover m = good;
	struct aaaf_session s;
	struct dm_amr amr;
	struct dm_ama ama = { .result = DM_SUCCESS, .auth_lifetime = 200, .msa_lifetime = key_lifetime,
			      .fa_to_mn = { .present = true, .spi = 300, .algorithm = 2, .key = { 20, { 0 } } },
			      .fa_to_ha = { .present = true, .spi = 301, .algorithm = 2, .key = { 20, { 9 } } } };

	memset(ama.fa_to_mn.key.data, 7, 20);
	TEXT(ama.origin_host, "aaah.home.test");
	m.session = session;
	m.fa = fa;
	m.ident = IDENT;
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
	CU_ASSERT_TRUE(aaaf_cache_put(c, &s, 100));
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
		TAKE(user); TAKE(previous); TAKE(session); TAKE(fa); TAKE(realm); TAKE(nai); TAKE(hoa); TAKE(ha);
		TAKE(mn_ha_key); TAKE(features); TAKE(service_update); TAKE(no_mn_ha); TAKE(lifetime); TAKE(no_pfan);
		TAKE(pfan_previous); TAKE(pfan_coa); TAKE(spi); TAKE(key); TAKE(ident);
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
	CU_ASSERT_STRING_EQUAL(move_at(c, &good, T0 + 200000, &a), "lifetime");	/* over, and still in the cache */
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

static void test_ends_after_moves(void)
{
	struct aaaf_cache *c = aaaf_cache_new();
	struct aaaf_end_to to;

	settle_at(c, "s1", FA1, 300);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_fa(c, "s1", "evil.test", &to), AAAF_END_UNKNOWN);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_home(c, "s1", "evil.test", &to), AAAF_END_UNKNOWN);
	go_to(c, "s2", FA1, FA2, IDENT + 1);
	go_to(c, "s3", FA2, FA1, IDENT + 2);	/* back */
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 3);
	/* FA2's part, which the home network does not know of */
	CU_ASSERT_EQUAL(aaaf_cache_end_by_fa(c, "s2", "fa2.visited.test", &to), AAAF_END_MOVED);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_fa(c, "s2", "fa2.visited.test", &to), AAAF_END_UNKNOWN);
	/* the name under which it does know it is not the old one's to end, twice neither */
	CU_ASSERT_EQUAL(aaaf_cache_end_by_fa(c, "s1", "fa.visited.test", &to), AAAF_END_MOVED);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_fa(c, "s1", "fa.visited.test", &to), AAAF_END_MOVED);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_fa(c, "s1", "evil.test", &to), AAAF_END_UNKNOWN);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_home(c, "s3", "aaah.home.test", &to), AAAF_END_UNKNOWN);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_home(c, "s1", "AAAH.home.test", &to), AAAF_END_TRANSLATE);
	CU_ASSERT_STRING_EQUAL(to.session, "s3");
	CU_ASSERT_STRING_EQUAL(to.host, "fa2.visited.test");
	CU_ASSERT_EQUAL(aaaf_cache_count(c), 0);
	settle_at(c, "s1", FA1, 300);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_home(c, "s1", "aaah.home.test", &to), AAAF_END_PASS);
	settle_at(c, "s1", FA1, 300);
	go_to(c, "s2", FA1, FA2, IDENT + 3);
	CU_ASSERT_EQUAL(aaaf_cache_end_by_fa(c, "s2", "fa2.visited.test", &to), AAAF_END_TRANSLATE);
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

HARNESS_MAIN("extensions/aaaf", HARNESS_CASE(test_conf), HARNESS_CASE(test_sample_is_right),
	     HARNESS_CASE(test_who_may_send),
	     HARNESS_CASE(test_features), HARNESS_CASE(test_nothing_to_revise), HARNESS_CASE(test_pending),
	     HARNESS_CASE(test_cache_finds), HARNESS_CASE(test_cache_lifetime),
	     HARNESS_CASE(test_cache_bound), HARNESS_CASE(test_move_is_answered),
	     HARNESS_CASE(test_move_goes_home), HARNESS_CASE(test_move_lifetimes),
	     HARNESS_CASE(test_move_replayed), HARNESS_CASE(test_ends_after_moves),
	     HARNESS_CASE(test_moves_are_bounded))
