/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mipvpn-agentd.conf: the sample, and each mistake with the words that it must give.
 */
#include <arpa/inet.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/run/config.h"
#include "tests/unit/harness.h"

#define FA "fa {\n care-of-address = \"198.51.100.11\"\n links = { \"link0\" }\n}\n"
#define FD "freediameter-conf = \"/x\"\n"

static void test_sample_is_right(void)
{
	struct conf_errors errs;
	struct config *c;
	int rc = config_load(TOP_SRCDIR "/conf/mipvpn-agentd.conf.sample", &c, &errs);

	HARNESS_AT(rc == 0, "%s", errs.text);
	if (rc)
		return;
	CU_ASSERT_STRING_EQUAL(c->user, "mipvpn");
	CU_ASSERT_EQUAL(c->log_level, LOG_LVL_INFO);
	CU_ASSERT_EQUAL(c->fa.v->role.coa.s_addr, inet_addr("198.51.100.11"));
	CU_ASSERT_EQUAL(c->fa.v->role.adv_lifetime, 3);
	CU_ASSERT(c->fa.v->role.aaa);
	CU_ASSERT_EQUAL(c->protect.n, 1);
	CU_ASSERT_EQUAL(c->vpn_room.self.s_addr, c->fa.v->role.coa.s_addr);
	CU_ASSERT_EQUAL(c->vpn_room.audit_ms, 30000);
	CU_ASSERT_STRING_EQUAL(c->vpn_room.prefix, "mipvpn");
	CU_ASSERT_PTR_NULL(config_fixed_change(c, c));
	config_free(c);
}

/* What the sample shows behind '#' is the default: with all of it in force nothing changes. */
static void test_sample_shows_the_defaults(void)
{
	static const char *const same[] = {
		"user = \"mipvpn\"\n", "log-level = \"info\"\n",
		"control-socket = \"/run/mipvpn/agentd.ctl\"\n", "vici-socket = \"/run/charon.vici\"\n",
		"vpn { initiate-max = 24\n initiate-timeout = 3000\n audit-interval = 30000 }\n"};
	struct config *plain, *said;
	struct conf_errors errs;

	CU_ASSERT_EQUAL_FATAL(config_parse("t", FD FA, &plain, &errs), 0);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		char text[1024];

		snprintf(text, sizeof(text), "%s" FD FA, same[i]);
		HARNESS_AT(config_parse("t", text, &said, &errs) == 0, "%s", errs.text);
		HARNESS_AT(said && !config_fixed_change(plain, said), "row %zu", i);
		config_free(said);
	}
	config_free(plain);
}

/* Moves (F2, F5): what is there when nothing is said, and that what is said arrives. */
static void test_moves(void)
{
	struct conf_errors errs;
	struct config *c;
	const struct fa_config *fa;

	CU_ASSERT_EQUAL_FATAL(config_parse("t", FD FA, &c, &errs), 0);
	fa = &c->fa.v->role;
	CU_ASSERT(fa->smooth_handoff && fa->early_ike && fa->handoff_lifetime == 10 && fa->clock_skew_ms == 7000);
	CU_ASSERT(!c->vpn_room.take_early); /* a foreign agent begins, and is told of all others */
	config_free(c);
	CU_ASSERT_EQUAL_FATAL(
		config_parse("t",
			     FD "fa {\n care-of-address = \"1.2.3.4\"\n links = { \"l\" }\n smooth-handoff = false\n "
				"handoff-lifetime = 60\n early-ike = false\n clock-skew = 1\n}\n",
			     &c, &errs),
		0);
	fa = &c->fa.v->role;
	CU_ASSERT(!fa->smooth_handoff && !fa->early_ike && fa->handoff_lifetime == 60 && fa->clock_skew_ms == 1);
	config_free(c);
}

#define HA "ha {\n address = \"198.51.100.11\"\n home-prefix = \"10.1.0.0/24\"\n}\n"

static void test_early_ike(void)
{
	struct conf_errors errs;
	struct config *c;

	CU_ASSERT_EQUAL_FATAL(config_parse("t", FD HA, &c, &errs), 0);
	CU_ASSERT(c->vpn_room.take_early);
	config_free(c);
	CU_ASSERT_EQUAL_FATAL(config_parse("t", FD FA HA "vpn { accept-early-ike = false }\n", &c, &errs), 0);
	CU_ASSERT(!c->vpn_room.take_early);
	config_free(c);
	CU_ASSERT_EQUAL_FATAL(config_parse("t", FD FA HA, &c, &errs), 0);
	CU_ASSERT(c->vpn_room.take_early);
	config_free(c);
}

#define PCN(address, prefix, more)                                                                           \
	"pcn {\n address = \"" address "\"\n prefixes = { \"" prefix                                         \
	"\" }\n master-key-file = \"/nonexistent\"\n" more "}\n"

static const struct mistake {
	const char *text;
	const char *says[4];
} mistakes[] = {
	{"", {"no role"}},
	{FA, {"freediameter-conf", "required"}},
	{FD "fa {\n links = { \"l\" }\n}\n", {"t:", "care-of-address"}},
	{FD "fa {\n care-of-address = \"1.2.3\"\n links = { \"l\" }\n}\n", {"t:3", "care-of-address"}},
	{FD "fa {\n care-of-address = \"1.2.3.4\"\n}\n", {"t:", "links"}},
	{FD "fa {\n care-of-address = \"1.2.3.4\"\n links = { \"averylonginterfacename\" }\n}\n",
	 {"t:4", "links"}},
	{FD FA FA, {"fa"}},
	{FD FA "bogus = 1\n", {"t:6", "bogus"}},
	{"log-level = \"loud\"\n" FD FA, {"t:1", "log-level", "debug"}},
	{FD "fa {\n care-of-address = \"1.2.3.4\"\n links = { \"l\" }\n lifetime-max = 0\n}\n",
	 {"t:5", "lifetime-max", "65535"}},
	{FD "fa {\n care-of-address = \"1.2.3.4\"\n links = { \"l\" }\n reverse-tunnel = false\n "
	    "reverse-tunnel-required = true\n}\n",
	 {"reverse-tunnel-required"}},
	{"protect = { \"10.9.0.1/24\" }\n" FD FA, {"t:1", "protect"}},
	{"default-spi \"gw\" {\n key-file = \"/nonexistent\"\n}\n" FD FA, {"default-spi \"gw\"", "IPv4"}},
	{"default-spi \"1.2.3.4\" {\n key-file = \"/nonexistent\"\n}\n" FD FA,
	 {"default-spi \"1.2.3.4\"", "key-file", "/nonexistent"}},
	{"default-spi \"1.2.3.4\" {\n spi = 255\n key-file = \"/x\"\n}\n" FD FA, {"t:2", "spi", "256"}},
	{"sa \"a\" {\n spi = 300\n key-file = \"/nonexistent\"\n}\n" FD FA, {"sa \"a\"", "nai or peer"}},
	{"sa \"a\" {\n nai = \"a@b\"\n spi = 300\n algorithm = \"rot13\"\n key-file = \"/x\"\n}\n" FD FA,
	 {"t:4", "algorithm", "hmac-md5"}},
	{FD "ha {\n address = \"1.2.3.4\"\n home-prefix = \"10.1.0.0/24\"\n pool = \"10.2.0.0/25\"\n}\n",
	 {"pool", "home-prefix"}},
	{FD "ha {\n address = \"1.2.3.4\"\n home-prefix = \"10.1.0.0/24\"\n home-link = "
	    "\"averylonginterfacename\"\n}\n",
	 {"home-link"}},
	{FD "fa {\n", {"t:"}},
	{"pcn {\n prefixes = { \"203.0.113.0/24\" }\n master-key-file = \"/x\"\n}\n", {"t:", "address"}},
	{"pcn {\n address = \"1.2.3.4\"\n master-key-file = \"/x\"\n}\n", {"t:", "prefixes"}},
	{"pcn {\n address = \"1.2.3.4\"\n prefixes = { \"203.0.113.0/24\" }\n}\n", {"t:", "master-key-file"}},
	{PCN("1.2.3.4", "203.0.113.0/24", ""), {"pcn: key-file", "/nonexistent"}},
	{PCN("1.2.3.4", "203.0.113.1/24", ""), {"t:3", "prefixes"}},
	{PCN("1.2.3.4", "0.0.0.0/0", ""), {"pcn: prefixes", "everybody"}},
	{PCN("1.2.3.4", "203.0.113.0/24", " request-percent = 100\n"), {"t:5", "request-percent", "99"}},
	{PCN("1.2.3.4", "203.0.113.0/24", " spi = 255\n"), {"t:5", "spi", "256"}},
	{FD "fa {\n care-of-address = \"1.2.3.4\"\n links = { \"l\" }\n handoff-lifetime = 61\n}\n",
	 {"t:5", "handoff-lifetime", "60"}},
	{FD "fa {\n care-of-address = \"1.2.3.4\"\n links = { \"l\" }\n handoff-lifetime = 0\n}\n",
	 {"t:5", "handoff-lifetime", "60"}},
	{FD FA PCN("1.2.3.4", "203.0.113.0/24", ""), {"pcn: address", "other role"}},
};

static void test_mistakes_say_what_and_where(void)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		const struct mistake *m = &mistakes[i];
		struct conf_errors errs;
		struct config *c = NULL;

		HARNESS_AT(config_parse("t", m->text, &c, &errs) == -1 && !c, "row %zu was taken", i);
		HARNESS_AT(errs.n > 0, "row %zu", i);
		for (size_t s = 0; s < 4 && m->says[s]; s++)
			HARNESS_AT(strstr(errs.text, m->says[s]), "row %zu: no \"%s\" in: %s", i, m->says[s],
				   errs.text);
		config_free(c);
	}
}

static void test_keys_are_read_and_kept_out_of_errors(void)
{
	char path[] = "/tmp/test_config_key_XXXXXX", text[1024];
	static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
	int fd = mkstemp(path);
	struct conf_errors errs;
	struct config *c;

	CU_ASSERT(fd >= 0 && write(fd, hex, 65) == 65);
	snprintf(text, sizeof(text), "sa \"a\" {\n nai = \"a@b\"\n spi = 300\n key-file = \"%s\"\n}\n" FD FA,
		 path);
	CU_ASSERT_EQUAL_FATAL(config_parse("t", text, &c, &errs), 0);
	CU_ASSERT_EQUAL(c->sas[0].key.len, 32);
	CU_ASSERT_EQUAL(c->sas[0].key.data[1], 0x11);
	CU_ASSERT_EQUAL(c->sas[0].alg, CRYPTO_HMAC_MD5);
	CU_ASSERT_EQUAL(c->fa.v->role.n_sas, 1);
	CU_ASSERT_PTR_EQUAL(c->fa.v->role.sas, c->sas);
	config_free(c);
	fchmod(fd, 0644); /* the world may read it: refused */
	CU_ASSERT_EQUAL(config_parse("t", text, &c, &errs), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(errs.text, "0640"));
	CU_ASSERT_PTR_NULL(strstr(errs.text, "00112233"));
	close(fd);
	unlink(path);
}

/* It needs no Diameter, and its address is the gateway's. */
static void test_pcn_alone(void)
{
	char path[] = "/tmp/test_config_key_XXXXXX", text[1024];
	static const char hex[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
	int fd = mkstemp(path);
	struct conf_errors errs;
	const struct pcn_config *pcn;
	struct config *c;

	CU_ASSERT(fd >= 0 && write(fd, hex, 65) == 65);
	snprintf(text, sizeof(text),
		 "pcn {\n address = \"198.51.100.32\"\n prefixes = { \"203.0.113.0/24\", \"203.0.114.0/25\" "
		 "}\n"
		 " master-key-file = \"%s\"\n}\n",
		 path);
	HARNESS_AT(config_parse("t", text, &c, &errs) == 0, "%s", errs.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	pcn = &c->pcn.v->role;
	CU_ASSERT_EQUAL(c->vpn_room.self.s_addr, pcn->addr.s_addr);
	CU_ASSERT_EQUAL(pcn->n_prefixes, 2);
	CU_ASSERT_EQUAL(pcn->prefixes[1].len, 25);
	CU_ASSERT_EQUAL(pcn->master.len, 32);
	CU_ASSERT_EQUAL(pcn->master.data[2], 0x22);
	CU_ASSERT_EQUAL(pcn->request_percent, 90);
	config_free(c);
	close(fd);
	unlink(path);
}

static void test_what_a_reload_cannot_change(void)
{
	static const struct {
		const char *text, *key;
	} row[] = {
		{"user = \"nobody\"\n" FD FA, "user"},
		{"control-socket = \"/x\"\n" FD FA, "control-socket"},
		{"freediameter-conf = \"/y\"\n" FA, "freediameter-conf"},
		{FD "fa {\n care-of-address = \"198.51.100.11\"\n links = { \"link1\" }\n}\n", "fa: links"},
		{FD FA "ha {\n address = \"1.2.3.4\"\n home-prefix = \"10.1.0.0/24\"\n}\n", "ha"},
		{FD FA "vpn { name-prefix = \"other\" }\n", "vpn"},
		{FD FA "log-level = \"debug\"\nprotect = { \"10.9.0.0/24\" }\n", NULL},
	};
	struct config *a, *b;
	struct conf_errors errs;

	CU_ASSERT_EQUAL_FATAL(config_parse("t", FD FA, &a, &errs), 0);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const char *key;

		HARNESS_AT(config_parse("t", row[i].text, &b, &errs) == 0, "row %zu: %s", i, errs.text);
		key = b ? config_fixed_change(a, b) : "?";
		HARNESS_AT((!key && !row[i].key) || (key && row[i].key && strcmp(key, row[i].key) == 0),
			   "row %zu: %s", i, key ? key : "nothing");
		config_free(b);
	}
	config_free(a);
}

HARNESS_MAIN("run/config", HARNESS_CASE(test_sample_is_right), HARNESS_CASE(test_pcn_alone),
	     HARNESS_CASE(test_moves), HARNESS_CASE(test_early_ike),
	     HARNESS_CASE(test_sample_shows_the_defaults), HARNESS_CASE(test_mistakes_say_what_and_where),
	     HARNESS_CASE(test_keys_are_read_and_kept_out_of_errors),
	     HARNESS_CASE(test_what_a_reload_cannot_change))
