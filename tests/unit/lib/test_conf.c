/* SPDX-License-Identifier: BSD-3-Clause */
#include "lib/conf.h"
#include "lib/vpn_profile.h"
#include "tests/unit/harness.h"

#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

struct peer {
	char name[16];
	struct in_addr addr;
	CONF_LIST(uint16_t) ports;
};
struct config {
	char user[8];
	uint8_t small;
	uint32_t lifetime;
	uint64_t big;
	bool tunnel;
	int level;
	struct in_addr address;
	struct vpn_prefix net;
	struct vpn_key key;
	CONF_LIST(conf_ifname) links;
	CONF_LIST(struct vpn_prefix) protect;
	CONF_LIST(struct peer) peers;
	CONF_LIST(struct peer) single;
};

static const char *const levels[] = {"debug", "info", "error", NULL};
static const struct conf_key keys[] = {
	{"user", CONF_STRING, CONF_FIELD(struct config, user), .min = 1, .def = "mipvpn"},
	{"small", CONF_INT, CONF_FIELD(struct config, small)},
	{"lifetime", CONF_INT, CONF_FIELD(struct config, lifetime), .min = 1, .max = 65535, .def = "1800",
	 .doc = "seconds"},
	{"big", CONF_INT, CONF_FIELD(struct config, big)},
	{"tunnel", CONF_BOOL, CONF_FIELD(struct config, tunnel), .def = "true"},
	{"level", CONF_WORD, CONF_FIELD(struct config, level), .words = levels, .def = "info"},
	{"address", CONF_IPV4, CONF_FIELD(struct config, address), .required = true},
	{"net", CONF_PREFIX, CONF_FIELD(struct config, net)},
	{"key", CONF_KEY, CONF_FIELD(struct config, key), .min = 2, .max = 4},
	{"links", CONF_STRING, CONF_LIST_FIELD(struct config, links)},
	{"protect", CONF_PREFIX, CONF_LIST_FIELD(struct config, protect)},
	{0}};
static const struct conf_key peer_keys[] = {
	{"address", CONF_IPV4, CONF_FIELD(struct peer, addr), .required = true},
	{"ports", CONF_INT, CONF_LIST_FIELD(struct peer, ports), .min = 1},
	{0}};
static const struct conf_section sections[] = {
	{"peer", CONF_LIST_FIELD(struct config, peers), .title_offset = offsetof(struct peer, name),
	 .title_size = sizeof(((struct peer *)0)->name), .keys = peer_keys},
	{"single", CONF_LIST_FIELD(struct config, single), .keys = peer_keys, .most = 1},
	{0}};
static const struct conf_schema schema = {sizeof(struct config), keys, sections};
static const struct conf_section needed_sections[] = {
	{"single", CONF_LIST_FIELD(struct config, single), .keys = peer_keys, .least = 1, .most = 1}, {0}};
static const struct conf_schema needed_schema = {sizeof(struct config), keys, needed_sections};

static bool all_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	while (n && !*b) {
		b++;
		n--;
	}
	return n == 0;
}

static void test_defaults(void)
{
	struct config c;
	struct conf_errors e;

	CU_ASSERT_EQUAL(conf_parse(&schema, "t", "address = 192.0.2.1\n", &c, &e), 0);
	CU_ASSERT_STRING_EQUAL(c.user, "mipvpn");
	CU_ASSERT_EQUAL(c.lifetime, 1800);
	CU_ASSERT_EQUAL(c.tunnel, true);
	CU_ASSERT_EQUAL(c.level, 1);
	CU_ASSERT_EQUAL(c.small, 0);
	CU_ASSERT_EQUAL(c.address.s_addr, htonl(0xc0000201));
	CU_ASSERT_EQUAL(c.links.n + c.protect.n + c.peers.n + c.single.n, 0);
	conf_free(&schema, &c);
	CU_ASSERT_TRUE(all_zero(&c, sizeof(c)));
}

static const char full[] =
	"# comment\n"
	"user = \"abc\"\n"
	"small = 0xff\nlifetime = 65535\nbig = 18446744073709551615\n"
	"tunnel = off\nlevel = error\naddress = \"192.0.2.1\"\nnet = 10.9.0.0/24\nkey = 0aFF\n"
	"links = { link0, \"link1\" }\nprotect = {10.9.0.0/24}\n"
	"peer \"a\" { address = 192.0.2.2\n ports = {1, 65535} }\n"
	"peer b { address = 192.0.2.3 }\n"
	"single { address = 192.0.2.4 }\n";

static void test_every_type(void)
{
	struct config c;
	struct conf_errors e;

	HARNESS_AT(conf_parse(&schema, "t", full, &c, &e) == 0, "%s", e.text);
	CU_ASSERT_STRING_EQUAL(c.user, "abc");
	CU_ASSERT_EQUAL(c.small, 255);
	CU_ASSERT_EQUAL(c.lifetime, 65535);
	CU_ASSERT_EQUAL(c.big, UINT64_MAX);
	CU_ASSERT_EQUAL(c.tunnel, false);
	CU_ASSERT_EQUAL(c.level, 2);
	CU_ASSERT_EQUAL(c.net.len, 24);
	CU_ASSERT_EQUAL(c.key.len, 2);
	CU_ASSERT_EQUAL(memcmp(c.key.data, "\x0a\xff", 2), 0);
	CU_ASSERT_EQUAL_FATAL(c.links.n, 2);
	CU_ASSERT_STRING_EQUAL(c.links.v[1], "link1");
	CU_ASSERT_EQUAL_FATAL(c.protect.n, 1);
	CU_ASSERT_EQUAL(c.protect.v[0].addr.s_addr, htonl(0x0a090000));
	CU_ASSERT_EQUAL_FATAL(c.peers.n, 2);
	CU_ASSERT_STRING_EQUAL(c.peers.v[0].name, "a");
	CU_ASSERT_EQUAL_FATAL(c.peers.v[0].ports.n, 2);
	CU_ASSERT_EQUAL(c.peers.v[0].ports.v[1], 65535);
	CU_ASSERT_STRING_EQUAL(c.peers.v[1].name, "b");
	CU_ASSERT_EQUAL(c.peers.v[1].addr.s_addr, htonl(0xc0000203));
	CU_ASSERT_EQUAL(c.single.n, 1);
	conf_free(&schema, &c);
}

/* What is wrong, and what the error must say (with the line). */
static const struct {
	const char *text, *says;
} bad[] = {
	{"", "t:1: address is required"},
	{"user = ab", "t:1: address is required"},
	{"\nsmall = 256", "t:2: small: \"256\" is not allowed; allowed: 0..255"},
	{"lifetime = 0", "lifetime: \"0\" is not allowed; allowed: 1..65535 (seconds)\n"},
	{"lifetime = -1", "1..65535"},
	{"lifetime = \" 1\"", "1..65535"},
	{"lifetime = 0x", "1..65535"},
	{"lifetime = 1h", "1..65535"},
	{"big = 18446744073709551616", "big: \"18446744073709551616\""},
	{"tunnel = maybe", "true or false"},
	{"level = loud", "allowed: debug, info, error"},
	{"address = 192.0.2", "an IPv4 address"},
	{"net = 10.9.0.1/24", "no host bits"},
	{"net = 10.9.0.0/33", "ADDRESS/LENGTH"},
	{"user = \"\"", "text of 1..7 bytes"},
	{"user = abcdefgh", "text of 1..7 bytes"},
	{"key = 0a", "key: \"(hidden)\" is not allowed; allowed: 2..4 bytes as hex digits"},
	{"key = 0a0b0c0d0e", "2..4 bytes"},
	{"key = 0a0", "2..4 bytes"},
	{"key = 0agg", "2..4 bytes"},
	{"links = { abcdefghijklmnop }", "text of 0..15 bytes"},
	{"\n\nhelp = 1\n", "t:3: unknown key 'help'; allowed here: user, small"},
	{"peer \"a\" { port = 1 }", "t:1: unknown key 'port'; allowed here: address, ports"},
	{"peer \"a\" {\n}\n", "t:2: peer: address is required"},
	{"peer \"a\" { address = 192.0.2.1 }\npeer \"a\" { }", "duplicate"},
	{"peer abcdefghijklmnop { address = 192.0.2.1 }", "peer: its name must have 1..15 bytes"},
	{"peer { address = 192.0.2.1 }", "t:1:"},
	{"single { address = 192.0.2.1 }\nsingle { address = 192.0.2.1 }\n",
	 "t:2: section single: at most 1"},
	{"user = \"abc", "t:1:"},
	{"user", "t:"},
	{"single {", "t:"},
	{"single { single { } }", "unknown key 'single'"},
	{"/* ", "t:"},
	{"user = \"${", "t:"},
};

static void test_errors_say_where_and_what(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config c;
		struct conf_errors e;

		HARNESS_AT(conf_parse(&schema, "t", bad[i].text, &c, &e) == -1, "%s", bad[i].text);
		CU_ASSERT_TRUE(e.n > 0);
		HARNESS_AT(strstr(e.text, bad[i].says), "\"%s\" gives %s", bad[i].text, e.text);
		CU_ASSERT_TRUE(all_zero(&c, sizeof(c)));
		/* The next good file is not touched by it (the scanner has state). */
		HARNESS_AT(conf_parse(&schema, "t", full, &c, &e) == 0, "after \"%s\": %s", bad[i].text,
			   e.text);
		conf_free(&schema, &c);
	}
}

static void test_all_errors_at_once(void)
{
	struct config c;
	struct conf_errors e;

	CU_ASSERT_EQUAL(conf_parse(&schema, "f", "small = 999\nlevel = x\nnet = y\n", &c, &e), -1);
	CU_ASSERT_EQUAL(e.n, 4);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "f:1: small"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "f:2: level"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "f:3: net"));
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "address is required"));
}

static void test_key_is_not_shown(void)
{
	struct config c;
	struct conf_errors e;

	CU_ASSERT_EQUAL(conf_parse(&schema, "t", "key = 5ec7e75ec7e7\naddress = 192.0.2.1\n", &c, &e), -1);
	CU_ASSERT_PTR_NULL(strstr(e.text, "5ec7"));
}

static void test_required_section(void)
{
	struct config c;
	struct conf_errors e;

	CU_ASSERT_EQUAL(conf_parse(&needed_schema, "t", "address = 192.0.2.1\n", &c, &e), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "section single is required"));
}

static void test_error_text_is_bounded(void)
{
	struct conf_errors e = {0};

	for (int i = 0; i < 1000; i++)
		conf_errors_add(&e, "line %d", i);
	CU_ASSERT_EQUAL(e.n, 1000);
	CU_ASSERT_TRUE(strlen(e.text) < sizeof(e.text));
	CU_ASSERT_EQUAL(e.text[strlen(e.text) - 1], '\n');
}

static void test_load_file(void)
{
	char path[] = "/tmp/mipvpn-test-conf-XXXXXX";
	int fd = mkstemp(path);
	struct config c;
	struct conf_errors e;

	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(conf_load(&schema, path, &c, &e), -1);
	CU_ASSERT_EQUAL(write(fd, full, sizeof(full) - 1), sizeof(full) - 1);
	CU_ASSERT_EQUAL(conf_load(&schema, path, &c, &e), 0);
	CU_ASSERT_EQUAL(c.peers.n, 2);
	conf_free(&schema, &c);
	CU_ASSERT_EQUAL(write(fd, "", 1), 1);
	CU_ASSERT_EQUAL(conf_load(&schema, path, &c, &e), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "NUL"));
	CU_ASSERT_EQUAL(ftruncate(fd, CONF_FILE_MAX + 1), 0);
	CU_ASSERT_EQUAL(conf_load(&schema, path, &c, &e), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "large"));
	close(fd);
	unlink(path);
	CU_ASSERT_EQUAL(conf_load(&schema, path, &c, &e), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "No such file"));
	CU_ASSERT_EQUAL(conf_load(&schema, "/", &c, &e), -1);
}

HARNESS_MAIN("lib/conf", HARNESS_CASE(test_defaults), HARNESS_CASE(test_every_type),
	     HARNESS_CASE(test_errors_say_where_and_what), HARNESS_CASE(test_all_errors_at_once),
	     HARNESS_CASE(test_key_is_not_shown), HARNESS_CASE(test_required_section),
	     HARNESS_CASE(test_error_text_is_bounded), HARNESS_CASE(test_load_file))
