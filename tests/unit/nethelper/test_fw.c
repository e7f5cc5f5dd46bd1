/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The nftables text against the state: what is written when, in which order, and what is left at the end.
 */
#include "nethelper/fw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/harness.h"

static const char links[][IFNAMSIZ] = {"link0", "link1"};
static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 0xa}, mac_b[6] = {2, 0, 0, 0, 0, 0xb};

static struct in_addr ip(const char *text)
{
	struct in_addr a;

	inet_aton(text, &a);
	return a;
}

static struct vpn_prefix net(const char *text)
{
	struct vpn_prefix p;

	CU_ASSERT_TRUE_FATAL(vpn_prefix_parse(text, &p));
	return p;
}

static struct fw_vpn vpn(const char *dst, bool here_is_src, const char *tunnel)
{
	return (struct fw_vpn){.src = ip("10.1.0.10"),
			       .dst = net(dst),
			       .here_is_src = here_is_src,
			       .tos_up = 46 << 2,
			       .tos_down = 34 << 2,
			       .tunnel = tunnel};
}

/* What fw_changes() gives must be exactly this. */
static void expect(struct fw *fw, const char *text)
{
	char *got = fw_changes(fw);

	HARNESS_AT(got != NULL && strcmp(got, text) == 0, "got:\n%s", got);
	free(got);
}

static void expect_has(struct fw *fw, const char *text, bool has)
{
	char *got = fw_whole(fw);

	HARNESS_AT(got != NULL && (strstr(got, text) != NULL) == has, "\"%s\" in:\n%s", text, got);
	free(got);
}

static struct fw *fw_ready(void)
{
	struct fw *fw = fw_new(links, 2);

	CU_ASSERT_PTR_NOT_NULL_FATAL(fw);
	free(fw_whole(fw));
	return fw;
}

static void test_nothing(void)
{
	struct fw *fw = fw_new(links, 2);

	expect(fw, ""); /* no table before somebody needs one */
	expect_has(fw, "add element ip mipvpn links { \"link1\" }\n", true);
	expect(fw, "");
	fw_free(fw);
}

static void test_visitors(void)
{
	struct fw *fw = fw_ready();

	CU_ASSERT_EQUAL(fw_visitor_del(fw, ip("10.1.0.10")), ENOENT);
	CU_ASSERT_EQUAL(fw_visitor_add(fw, ip("10.1.0.10"), "link0", mac_a), 0);
	CU_ASSERT_EQUAL(fw_visitor_add(fw, ip("10.1.0.10"), "link0", mac_a), 0);
	expect(fw, "add element ip mipvpn visitors { 10.1.0.10 . \"link0\" . 02:00:00:00:00:0a }\n"
		   "add element ip mipvpn visitor_hosts { 10.1.0.10 }\n");
	CU_ASSERT_EQUAL(fw_visitor_add(fw, ip("10.1.0.10"), "link1", mac_b), 0);
	expect(fw, "delete element ip mipvpn visitors { 10.1.0.10 . \"link0\" . 02:00:00:00:00:0a }\n"
		   "delete element ip mipvpn visitor_hosts { 10.1.0.10 }\n"
		   "add element ip mipvpn visitors { 10.1.0.10 . \"link1\" . 02:00:00:00:00:0b }\n"
		   "add element ip mipvpn visitor_hosts { 10.1.0.10 }\n");
	CU_ASSERT_EQUAL(fw_visitor_del(fw, ip("10.1.0.10")), 0);
	expect_has(fw, "10.1.0.10", false);
	fw_free(fw);
}

static void test_tunnel_sources(void)
{
	struct fw *fw = fw_ready();

	CU_ASSERT_EQUAL(fw_tunnel_source(fw, true, "mip0", ip("10.1.0.10")), 0);
	CU_ASSERT_EQUAL(fw_tunnel_source(fw, true, "mip0", ip("10.1.0.10")), 0);
	expect(fw, "add element ip mipvpn tunnel_sources { \"mip0\" . 10.1.0.10 }\n");
	CU_ASSERT_EQUAL(fw_tunnel_source(fw, false, "mip0", ip("10.1.0.10")), 0);
	expect(fw, "");
	CU_ASSERT_EQUAL(fw_tunnel_source(fw, false, "mip1", ip("10.1.0.10")), ENOENT);
	CU_ASSERT_EQUAL(fw_tunnel_source(fw, false, "mip0", ip("10.1.0.10")), 0);
	expect(fw, "delete element ip mipvpn tunnel_sources { \"mip0\" . 10.1.0.10 }\n");
	CU_ASSERT_EQUAL(fw_tunnel_source(fw, false, "mip0", ip("10.1.0.10")), ENOENT);
	fw_free(fw);
}

static void test_protect(void)
{
	struct vpn_prefix wide = net("10.9.0.0/16"), narrow = net("10.9.5.0/24"), other = net("10.8.0.0/24");
	struct fw *fw = fw_ready();

	CU_ASSERT_EQUAL(fw_protect(fw, false, &wide), ENOENT);
	CU_ASSERT_EQUAL(fw_protect(fw, true, &narrow), 0);
	CU_ASSERT_EQUAL(fw_protect(fw, true, &narrow), 0);
	expect(fw, "flush set ip mipvpn protected\nadd element ip mipvpn protected { 10.9.5.0/24 }\n");
	CU_ASSERT_EQUAL(fw_protect(fw, true, &wide), 0);
	CU_ASSERT_EQUAL(fw_protect(fw, true, &other), 0);
	expect(fw, "flush set ip mipvpn protected\nadd element ip mipvpn protected { 10.9.0.0/16 }\n"
		   "add element ip mipvpn protected { 10.8.0.0/24 }\n"); /* an interval set takes no nested
									    ones */
	CU_ASSERT_EQUAL(fw_protect(fw, false, &wide), 0);
	CU_ASSERT_EQUAL(fw_protect(fw, false, &narrow), 0);
	expect(fw, "flush set ip mipvpn protected\nadd element ip mipvpn protected { 10.9.5.0/24 }\n"
		   "add element ip mipvpn protected { 10.8.0.0/24 }\n");
	CU_ASSERT_EQUAL(fw_protect(fw, false, &narrow), 0);
	CU_ASSERT_EQUAL(fw_protect(fw, false, &other), 0);
	expect(fw, "flush set ip mipvpn protected\n");
	fw_free(fw);
}

#define UP "add rule ip mipvpn up_10.1.0.10 ip daddr 10.9.0.0/24 "
#define DOWN "add rule ip mipvpn down_10.1.0.10 ip saddr 10.9.0.0/24 "
/* What comes down for a visitor leaves on a link of mobile nodes or in another tunnel, or nowhere. */
#define NOT_ON DOWN "jump out_down\n"
#define MARKS_UP                                                                                             \
	"add chain ip mipvpn mark_46\nadd rule ip mipvpn mark_46 ip dscp set 46\nadd rule ip mipvpn "        \
	"mark_46 accept\n"
#define MARKS_DOWN                                                                                           \
	"add chain ip mipvpn mark_34\nadd rule ip mipvpn mark_34 ip dscp set 34\nadd rule ip mipvpn "        \
	"mark_34 accept\n"

/* Foreign agent: up from the registered station into the tunnel, down out of the tunnel. */
static void test_pcn(void)
{
	struct vpn_prefix a = net("203.0.113.0/24"), b = net("203.0.113.128/25");
	struct fw *fw = fw_ready();

	CU_ASSERT_EQUAL(fw_pcn(fw, false, &a), ENOENT);
	CU_ASSERT_EQUAL(fw_pcn(fw, true, &a), 0);
	CU_ASSERT_EQUAL(fw_pcn(fw, true, &b), 0);
	CU_ASSERT_EQUAL(fw_pcn(fw, true, &b), 0);
	expect(fw,
	       "flush set ip mipvpn correspondents\nadd element ip mipvpn correspondents { 203.0.113.0/24 }\n"
	       "flush chain ip mipvpn bindings\n"
	       "add rule ip mipvpn bindings ip saddr @correspondents accept\n"
	       "add rule ip mipvpn bindings ip daddr @correspondents udp dport 434 tproxy to 127.0.0.1:434 "
	       "meta mark set 434 accept\n");
	expect_has(fw, "tproxy", true);
	CU_ASSERT_EQUAL(fw_pcn(fw, false, &b), 0);
	expect(fw, ""); /* the other user of it stays */
	CU_ASSERT_EQUAL(fw_pcn(fw, false, &b), 0);
	CU_ASSERT_EQUAL(fw_pcn(fw, false, &a), 0);
	expect(fw, "flush set ip mipvpn correspondents\nflush chain ip mipvpn bindings\n");
	expect_has(fw, "tproxy", false);
	fw_free(fw);
}

#define WATCH_RULES                                                                                          \
	"flush chain ip mipvpn first_packet\n"                                                               \
	"add rule ip mipvpn first_packet ip saddr . ip daddr @told return\n"                                 \
	"add rule ip mipvpn first_packet add @told { ip saddr . ip daddr } log group 434 snaplen 28 "        \
	"queue-threshold 1\n"

static void test_watch(void)
{
	struct fw *fw = fw_ready();

	CU_ASSERT_EQUAL(fw_watch(fw, false, ip("10.1.0.10")), ENOENT);
	CU_ASSERT_EQUAL(fw_watch(fw, true, ip("10.1.0.10")), 0);
	CU_ASSERT_EQUAL(fw_watch(fw, true, ip("10.1.0.10")), 0);
	expect(fw, "add element ip mipvpn watched { 10.1.0.10 }\n" WATCH_RULES);
	CU_ASSERT_EQUAL(fw_watch(fw, true, ip("10.1.0.11")), 0);
	CU_ASSERT_EQUAL(fw_watch(fw, false, ip("10.1.0.10")), 0);
	expect(fw, "add element ip mipvpn watched { 10.1.0.11 }\ndelete element ip mipvpn watched { "
		   "10.1.0.10 }\n");
	expect_has(fw, "watched { 10.1.0.11 }\n", true);
	expect_has(fw, WATCH_RULES, true);
	CU_ASSERT_EQUAL(fw_watch(fw, false, ip("10.1.0.11")), 0);
	expect(fw, "delete element ip mipvpn watched { 10.1.0.11 }\nflush chain ip mipvpn first_packet\n");
	expect_has(fw, "log group", false);
	fw_free(fw);
}

static void test_source_gateway(void)
{
	struct fw *fw = fw_ready();
	struct fw_vpn v = vpn("10.9.0.0/24", true, NULL);

	CU_ASSERT_EQUAL(fw_vpn_add(fw, &v), 0);
	expect(fw,
	       "add chain ip mipvpn up_10.1.0.10\nflush chain ip mipvpn up_10.1.0.10\n" MARKS_UP UP
	       "jump in_visitor\n" UP "jump out_ipsec\n" UP "goto mark_46\n"
	       "add element ip mipvpn up { 10.1.0.10 : jump up_10.1.0.10 }\n"
	       "add chain ip mipvpn down_10.1.0.10\nflush chain ip mipvpn down_10.1.0.10\n" MARKS_DOWN DOWN
	       "jump in_ipsec\n" NOT_ON "" DOWN "goto mark_34\n"
	       "add element ip mipvpn down { 10.1.0.10 : jump down_10.1.0.10 }\n");
	CU_ASSERT_EQUAL(fw_vpn_del(fw, &v), 0);
	expect(fw, "delete element ip mipvpn up { 10.1.0.10 }\nflush chain ip mipvpn up_10.1.0.10\n"
		   "delete chain ip mipvpn up_10.1.0.10\n"
		   "delete element ip mipvpn down { 10.1.0.10 }\nflush chain ip mipvpn down_10.1.0.10\n"
		   "delete chain ip mipvpn down_10.1.0.10\n");
	CU_ASSERT_EQUAL(fw_vpn_del(fw, &v), ENOENT);
	expect(fw, "");
	fw_free(fw);
}

/* Another class for what goes up: only that is written; the same once more: nothing. */
static void test_class(void)
{
	struct fw *fw = fw_ready();
	struct fw_vpn v = vpn("10.9.0.0/24", true, NULL), other = v;

	other.tos_up = 26 << 2;
	CU_ASSERT_EQUAL(fw_vpn_add(fw, &v), 0);
	free(fw_changes(fw));
	CU_ASSERT_EQUAL(fw_vpn_add(fw, &other), 0);
	CU_ASSERT_EQUAL(fw_vpn_del(fw, &v), 0);
	expect(fw, "flush chain ip mipvpn up_10.1.0.10\n"
		   "add chain ip mipvpn mark_26\nadd rule ip mipvpn mark_26 ip dscp set 26\n"
		   "add rule ip mipvpn mark_26 accept\n" UP "jump in_visitor\n" UP "jump out_ipsec\n" UP
		   "goto mark_26\n");
	CU_ASSERT_EQUAL(fw_vpn_add(fw, &v), 0);
	CU_ASSERT_EQUAL(fw_vpn_del(fw, &other), 0);
	expect(fw, "flush chain ip mipvpn up_10.1.0.10\n" UP "jump in_visitor\n" UP "jump out_ipsec\n" UP
		   "goto mark_46\n");
	CU_ASSERT_EQUAL(fw_vpn_add(fw, &v), 0);
	CU_ASSERT_EQUAL(fw_vpn_del(fw, &v), 0);
	expect(fw, "");
	fw_free(fw);
}

/* Home agent: both directions come out of one tunnel and go into the other.  One of the two going leaves the
 * other. */
static void test_middle(void)
{
	struct fw_vpn to_gw = vpn("10.9.0.0/24", true, NULL), to_fa = vpn("10.9.0.0/24", false, NULL);
	struct fw *fw = fw_ready();

	CU_ASSERT_EQUAL(fw_vpn_add(fw, &to_gw), 0);
	CU_ASSERT_EQUAL(fw_vpn_add(fw, &to_fa), 0);
	expect_has(fw, UP "jump in_up\n" UP "jump out_ipsec\n" UP "goto mark_46\n", true);
	expect_has(fw, DOWN "jump in_ipsec\n" DOWN "jump out_ipsec\n" DOWN "goto mark_34\n", true);
	expect_has(fw, UP "jump in_visitor\n", false);
	CU_ASSERT_EQUAL(fw_vpn_del(fw, &to_gw), 0);
	expect(fw, "flush chain ip mipvpn up_10.1.0.10\n" UP "jump in_up\n" UP "goto mark_46\n"
		   "flush chain ip mipvpn down_10.1.0.10\n" DOWN "jump out_ipsec\n" DOWN "goto mark_34\n");
	fw_free(fw);
}

/* Encapsulation only: the tunnel is a device by name; class 0 marks nothing. */
static void test_encapsulation(void)
{
	struct fw_vpn v = vpn("10.9.0.0/24", false, "mip3"), esp = vpn("10.9.0.0/24", false, NULL);
	struct fw *fw = fw_ready();

	v.tos_up = v.tos_down = 0;
	CU_ASSERT_EQUAL(fw_vpn_add(fw, &v), 0);
	CU_ASSERT_EQUAL(fw_vpn_add(fw, &esp), EEXIST);
	CU_ASSERT_EQUAL(fw_vpn_del(fw, &esp), ENOENT);
	expect_has(fw,
		   UP "iifname != \"mip3\" iifname != \"mvhold0\" counter name in_clear drop\n" UP
		      "goto mark_0\n",
		   true);
	expect_has(fw,
		   DOWN "oifname != \"mip3\" oifname != \"mvhold0\" counter name in_clear drop\n" DOWN
			"goto mark_0\n",
		   true);
	expect_has(fw, "dscp set", false);
	fw_free(fw);
}

/* A move of an encapsulated profile: what is under way may come out of the old tunnel until that goes. */
static void test_encapsulation_moves(void)
{
	static const char *const more[] = {"mip3", "mip4", "mip5", "mip6"};
	struct fw_vpn v = vpn("10.9.0.0/24", false, "mip3");
	struct fw *fw = fw_ready();

	for (size_t i = 0; i < 4; i++) {
		v.tunnel = more[i];
		CU_ASSERT_EQUAL(fw_vpn_add(fw, &v), 0);
		CU_ASSERT_EQUAL(fw_vpn_add(fw, &v), 0);
	}
	v.tunnel = "mip7";
	CU_ASSERT_EQUAL(fw_vpn_add(fw, &v), EBUSY);
	CU_ASSERT_EQUAL(fw_vpn_del(fw, &v), ENOENT);
	expect_has(fw,
		   UP "iifname != \"mip3\" iifname != \"mip4\" iifname != \"mip5\" iifname != \"mip6\" "
		      "iifname != \"mvhold0\" counter name in_clear drop\n",
		   true);
	for (size_t i = 0; i < 6; i++) {
		v.tunnel = more[i / 2];
		CU_ASSERT_EQUAL(fw_vpn_del(fw, &v), 0);
	}
	CU_ASSERT_EQUAL(fw_vpn_del(fw, &v), ENOENT);
	expect_has(fw, UP "iifname != \"mip6\" iifname != \"mvhold0\" counter name in_clear drop\n", true);
	fw_free(fw);
}

/* As source gateway of an encapsulated profile: what comes down may follow a visitor who has moved on. */
static void test_encapsulation_forwarded(void)
{
	struct fw_vpn v = vpn("10.9.0.0/24", true, "mip3");
	struct fw *fw = fw_ready();

	CU_ASSERT_EQUAL(fw_vpn_add(fw, &v), 0);
	expect_has(fw,
		   DOWN "iifname != \"mip3\" iifname != \"mvhold0\" counter name in_clear drop\n" DOWN
			"goto mark_34\n",
		   true);
	expect_has(fw, NOT_ON, false);
	fw_free(fw);
}

static void test_forward(void)
{
	struct fw *fw = fw_ready();

	CU_ASSERT_EQUAL(fw_forward(fw, false, ip("10.1.0.10")), ENOENT);
	CU_ASSERT_EQUAL(fw_forward(fw, true, ip("10.1.0.10")), 0);
	CU_ASSERT_EQUAL(fw_forward(fw, true, ip("10.1.0.10")), 0);
	expect(fw, "add element ip mipvpn forwarded { 10.1.0.10 }\n");
	expect_has(fw, "add element ip mipvpn forwarded { 10.1.0.10 }\n", true);
	expect_has(fw, "ip daddr @forwarded accept", true);
	CU_ASSERT_EQUAL(fw_forward(fw, false, ip("10.1.0.10")), 0);
	expect(fw, "delete element ip mipvpn forwarded { 10.1.0.10 }\n");
	expect_has(fw, "10.1.0.10", false);
	fw_free(fw);
}

/* The rules of the device where packets wait are there while it is, though nobody else wants the table. */
static void test_hold(void)
{
	struct fw *fw = fw_new(links, 2);
	char *text;

	expect(fw, "");
	fw_hold(fw, true);
	text = fw_changes(fw);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "iifname \"mvhold0\" oifname \"mvhold0\" counter name hold_lost drop"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "iifname \"mvhold0\" return"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "oifname \"mvhold0\" return"));
	free(text);
	fw_free(fw);
}

/* The first match decides, so the longest destination has to stand first, in whatever order they came. */
static void test_nested(void)
{
	static const char *const orders[3][3] = {{"10.9.5.0/24", "10.9.0.0/16", "10.9.5.7/32"},
						 {"10.9.0.0/16", "10.9.5.0/24", "10.9.5.7/32"},
						 {"10.9.5.7/32", "10.9.5.0/24", "10.9.0.0/16"}};

	for (int o = 0; o < 3; o++) {
		struct fw *fw = fw_ready();
		const char *host, *narrow, *wide;
		char *text;

		for (int i = 0; i < 3; i++) {
			struct fw_vpn v = vpn(orders[o][i], true, NULL);

			CU_ASSERT_EQUAL(fw_vpn_add(fw, &v), 0);
		}
		text = fw_changes(fw);
		host = strstr(text, "ip daddr 10.9.5.7 jump");
		if (host == NULL)
			host = strstr(text, "ip daddr 10.9.5.7/32 jump");
		narrow = strstr(text, "ip daddr 10.9.5.0/24 jump");
		wide = strstr(text, "ip daddr 10.9.0.0/16 jump");
		HARNESS_AT(host != NULL && narrow != NULL && wide != NULL && host < narrow && narrow < wide,
			   "order %d:\n%s", o, text);
		free(text);
		fw_free(fw);
	}
}

/* Added and removed before the kernel has seen it; and a failed transaction leads to the whole text again. */
static void test_recovery(void)
{
	struct fw *fw = fw_ready();
	struct fw_vpn v = vpn("10.9.0.0/24", true, NULL);
	char *text;

	CU_ASSERT_EQUAL(fw_vpn_add(fw, &v), 0);
	CU_ASSERT_EQUAL(fw_vpn_del(fw, &v), 0);
	expect(fw, "");
	CU_ASSERT_EQUAL(fw_vpn_add(fw, &v), 0);
	CU_ASSERT_EQUAL(fw_visitor_add(fw, ip("10.1.0.11"), "link0", mac_a), 0);
	free(fw_changes(fw));
	fw_forget(fw);
	text = fw_changes(fw);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	HARNESS_AT(strncmp(text, "add table ip mipvpn\ndelete table ip mipvpn\n", 43) == 0, "%s", text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "add chain ip mipvpn up_10.1.0.10\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, MARKS_UP));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "visitor_hosts { 10.1.0.11 }"));
	free(text);
	CU_ASSERT_EQUAL(fw_vpn_del(fw, &v), 0);
	CU_ASSERT_EQUAL(fw_visitor_del(fw, ip("10.1.0.11")), 0);
	fw_forget(fw);
	text = fw_changes(fw); /* nothing is wanted, but what is in the kernel is not known */
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "delete table ip mipvpn\n"));
	free(text);
	fw_clear(fw);
	expect(fw, "");
	fw_free(fw);
}

HARNESS_MAIN("nethelper/fw", HARNESS_CASE(test_nothing), HARNESS_CASE(test_visitors),
	     HARNESS_CASE(test_tunnel_sources), HARNESS_CASE(test_protect), HARNESS_CASE(test_pcn),
	     HARNESS_CASE(test_watch), HARNESS_CASE(test_source_gateway), HARNESS_CASE(test_class),
	     HARNESS_CASE(test_middle), HARNESS_CASE(test_encapsulation),
	     HARNESS_CASE(test_encapsulation_moves), HARNESS_CASE(test_encapsulation_forwarded),
	     HARNESS_CASE(test_forward), HARNESS_CASE(test_hold), HARNESS_CASE(test_nested),
	     HARNESS_CASE(test_recovery))
