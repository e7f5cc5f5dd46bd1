/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The pure parts of app_mipvpn_aaaf: policy, requests under way, session cache, configuration.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

HARNESS_MAIN("extensions/aaaf", HARNESS_CASE(test_conf), HARNESS_CASE(test_sample_is_right),
	     HARNESS_CASE(test_who_may_send),
	     HARNESS_CASE(test_features), HARNESS_CASE(test_nothing_to_revise), HARNESS_CASE(test_pending),
	     HARNESS_CASE(test_cache_finds), HARNESS_CASE(test_cache_lifetime),
	     HARNESS_CASE(test_cache_bound))
