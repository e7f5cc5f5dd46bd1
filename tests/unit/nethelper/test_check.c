/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The wall: for each verb one good request, and every way in which one argument of it can be wrong.
 */
#include "nethelper/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/harness.h"

static bool name_of(unsigned ifindex, char name[IFNAMSIZ])
{
	static const char *const names[] = {NULL, "link0", "home0", "core0", "ev\"il"};

	if (ifindex >= sizeof(names) / sizeof(names[0]) || names[ifindex] == NULL)
		return false;
	strcpy(name, names[ifindex]);
	return true;
}

static const struct nh_allowed allowed = {
	.links = {"link0"}, .n_links = 1, .homes = {"home0"}, .n_homes = 1, .name_of = name_of};
enum { LINK = 1, HOME = 2, CORE = 3, NONE = 99 };

static struct in_addr ip(const char *text)
{
	struct in_addr a;

	inet_aton(text, &a);
	return a;
}

/* Fits every verb but for the interface. */
static struct nh_request good(uint32_t verb)
{
	struct nh_request r = {
		.verb = verb,
		.addr = ip("10.1.0.10"),
		.local = ip("198.51.100.11"),
		.peer = ip("198.51.100.21"),
		.ifindex = LINK,
		.mac = {2, 0, 0, 0, 0, 1},
		.tos_up = 0xb8,
		.tos_down = 0x88,
		.src = {ip("10.1.0.10"), 32},
		.dst = {ip("10.9.0.0"), 24},
		.side = NH_SIDE_BOTH,
		.ifname = "link0",
	};

	if (verb == NH_PROXY_ARP_ADD || verb == NH_PROXY_ARP_DEL || verb == NH_GARP)
		r.ifindex = HOME;
	return r;
}

static void test_good(void)
{
	for (uint32_t verb = NH_HELLO; verb < NH_VERB_MAX; verb++) {
		struct nh_request r = good(verb);
		int error = -1;
		const char *why = nh_check(&r, &allowed, &error);

		HARNESS_AT(why == NULL && error == 0, "%s: %s", nh_verb_str(verb), why);
		CU_ASSERT_STRING_NOT_EQUAL(nh_verb_str(verb), "unknown");
	}
}

static void test_no_such_verb(void)
{
	static const uint32_t bad[] = {0, NH_VERB_MAX, NH_VERB_MAX + 1, UINT32_MAX, 0x80000001};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct nh_request r = good(bad[i]);
		int error = 0;

		HARNESS_AT(nh_check(&r, &allowed, &error) != NULL && error == ENOSYS, "verb %u", bad[i]);
		CU_ASSERT_STRING_EQUAL(nh_verb_str(bad[i]), "unknown");
	}
}

/* Which verbs read which argument: written down here once more, independently of the table in check.c. */
#define V(verb) (UINT64_C(1) << (verb))
#define VISITOR_REVERSE (V(NH_VISITOR_ADD) | V(NH_REVERSE_ADD))
#define PROXY (V(NH_PROXY_ARP_ADD) | V(NH_PROXY_ARP_DEL) | V(NH_GARP))
#define FORWARD V(NH_FORWARD_ADD)
#define ADDRESSED                                                                                            \
	(VISITOR_REVERSE | PROXY | V(NH_VISITOR_DEL) | V(NH_BINDING_ADD) | V(NH_BINDING_DEL) |               \
	 V(NH_REVERSE_DEL) | V(NH_WATCH_ADD) | V(NH_WATCH_DEL) | FORWARD | V(NH_HOLD_ADD) |                \
	 V(NH_HOLD_DEL) | V(NH_FORWARD_DEL))
#define ENCAP (V(NH_ENCAP_ADD) | V(NH_ENCAP_DEL))
#define PAIRED (V(NH_IPIP_ADD) | V(NH_IPIP_DEL) | V(NH_BINDING_ADD) | V(NH_REVERSE_ADD) | ENCAP | FORWARD)
#define PROFILE (V(NH_VPN_ADD) | V(NH_VPN_DEL) | ENCAP)
#define PROTECT (V(NH_PROTECT_ADD) | V(NH_PROTECT_DEL) | V(NH_PCN_ADD) | V(NH_PCN_DEL))

#define SPOIL(name, ...)                                                                                     \
	static void name(struct nh_request *r)                                                               \
	{                                                                                                    \
		__VA_ARGS__;                                                                                 \
	}
SPOIL(addr_zero, r->addr = ip("0.0.0.0"))
SPOIL(addr_net0, r->addr = ip("0.1.2.3"))
SPOIL(addr_loop, r->addr = ip("127.0.0.1"))
SPOIL(addr_group, r->addr = ip("224.0.0.11"))
SPOIL(addr_class_e, r->addr = ip("240.0.0.1"))
SPOIL(addr_broadcast, r->addr = ip("255.255.255.255"))
SPOIL(local_zero, r->local = ip("0.0.0.0"))
SPOIL(local_group, r->local = ip("239.1.1.1"))
SPOIL(peer_zero, r->peer = ip("0.0.0.0"))
SPOIL(peer_loop, r->peer = ip("127.9.9.9"))
SPOIL(peer_local, r->peer = r->local)
SPOIL(if_none, r->ifindex = NONE)
SPOIL(if_zero, r->ifindex = 0)
SPOIL(if_core, r->ifindex = CORE)
SPOIL(if_home, r->ifindex = HOME)
SPOIL(if_link, r->ifindex = LINK)
SPOIL(mac_zero, memset(r->mac, 0, 6))
SPOIL(mac_group, r->mac[0] = 0x01)
SPOIL(mac_broadcast, memset(r->mac, 0xff, 6))
SPOIL(src_net, r->src.len = 24; r->src.addr = ip("10.1.0.0"))
SPOIL(src_all, r->src.len = 0; r->src.addr = ip("0.0.0.0"))
SPOIL(src_long, r->src.len = 33)
SPOIL(src_group, r->src.addr = ip("224.1.1.1"))
SPOIL(dst_host_bits, r->dst.addr = ip("10.9.0.1"))
SPOIL(dst_long, r->dst.len = 200)
SPOIL(dst_group, r->dst.addr = ip("224.0.0.0"); r->dst.len = 4)
SPOIL(dst_loop, r->dst.addr = ip("127.0.0.0"); r->dst.len = 8)
SPOIL(dst_zero_long, r->dst.addr = ip("0.0.0.0"); r->dst.len = 8)
SPOIL(dst_zero_bits, r->dst.addr = ip("1.0.0.0"); r->dst.len = 0)
SPOIL(dst_all, r->dst.addr = ip("0.0.0.0"); r->dst.len = 0)
SPOIL(tos_up_ecn, r->tos_up |= 1)
SPOIL(tos_down_ecn, r->tos_down |= 2)
SPOIL(side_3, r->side = 3)
SPOIL(side_255, r->side = 255)
SPOIL(name_empty, r->ifname[0] = '\0')
SPOIL(name_core, strcpy(r->ifname, "core0"))
SPOIL(name_endless, memset(r->ifname, 'a', sizeof(r->ifname)))
SPOIL(name_quote, strcpy(r->ifname, "a\"b"))
SPOIL(name_path, strcpy(r->ifname, "../x"))
SPOIL(name_dots, strcpy(r->ifname, ".."))

static const struct {
	const char *what;
	uint64_t verbs;
	int error;
	void (*spoil)(struct nh_request *r);
} bad[] = {
	{"address 0", ADDRESSED, EINVAL, addr_zero},
	{"address in 0/8", ADDRESSED | V(NH_OPEN_UDP), EINVAL, addr_net0},
	{"loopback address", ADDRESSED | V(NH_OPEN_UDP), EINVAL, addr_loop},
	{"group address", ADDRESSED | V(NH_OPEN_UDP), EINVAL, addr_group},
	{"class E address", ADDRESSED | V(NH_OPEN_UDP), EINVAL, addr_class_e},
	{"broadcast address", ADDRESSED | V(NH_OPEN_UDP), EINVAL, addr_broadcast},
	{"local 0", PAIRED, EINVAL, local_zero},
	{"local group", PAIRED, EINVAL, local_group},
	{"peer 0", PAIRED, EINVAL, peer_zero},
	{"peer loopback", PAIRED, EINVAL, peer_loop},
	{"peer = local", PAIRED, EINVAL, peer_local},
	{"no such interface", VISITOR_REVERSE | PROXY, ENODEV, if_none},
	{"interface 0", VISITOR_REVERSE | PROXY, ENODEV, if_zero},
	{"interface of neither kind", VISITOR_REVERSE | PROXY, EPERM, if_core},
	{"home link as a link", VISITOR_REVERSE, EPERM, if_home},
	{"link as a home link", PROXY, EPERM, if_link},
	{"mac 0", V(NH_VISITOR_ADD), EINVAL, mac_zero},
	{"group mac", V(NH_VISITOR_ADD) | V(NH_GARP), EINVAL, mac_group},
	{"broadcast mac", V(NH_VISITOR_ADD) | V(NH_GARP), EINVAL, mac_broadcast},
	{"source is a network", PROFILE, EINVAL, src_net},
	{"source is everything", PROFILE, EINVAL, src_all},
	{"source prefix 33", PROFILE, EINVAL, src_long},
	{"source is a group", PROFILE, EINVAL, src_group},
	{"destination with host bits", PROFILE | PROTECT, EINVAL, dst_host_bits},
	{"destination prefix 200", PROFILE | PROTECT, EINVAL, dst_long},
	{"destination of groups", PROFILE | PROTECT, EINVAL, dst_group},
	{"destination loopback", PROFILE | PROTECT, EINVAL, dst_loop},
	{"destination 0/8", PROFILE | PROTECT, EINVAL, dst_zero_long},
	{"destination 1.0.0.0/0", PROFILE | PROTECT, EINVAL, dst_zero_bits},
	{"protect everything", PROTECT, EINVAL, dst_all},
	{"ECN in tos_up", PROFILE, EINVAL, tos_up_ecn},
	{"ECN in tos_down", PROFILE, EINVAL, tos_down_ecn},
	{"side 3", PROFILE, EINVAL, side_3},
	{"side 255", PROFILE, EINVAL, side_255},
	{"no name", V(NH_OPEN_LINK), EINVAL, name_empty},
	{"name of neither kind", V(NH_OPEN_LINK), EPERM, name_core},
	{"name without an end", V(NH_OPEN_LINK), EINVAL, name_endless},
	{"name with a quote", V(NH_OPEN_LINK), EINVAL, name_quote},
	{"name with a path", V(NH_OPEN_LINK), EINVAL, name_path},
	{"name ..", V(NH_OPEN_LINK), EINVAL, name_dots},
};

/* A wrong argument is refused by the verbs that read it, and means nothing to the others. */
static void test_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (uint32_t verb = NH_HELLO; verb < NH_VERB_MAX; verb++) {
			struct nh_request r = good(verb);
			bool reads = (bad[i].verbs & V(verb)) != 0;
			int error = 0;
			const char *why;

			bad[i].spoil(&r);
			why = nh_check(&r, &allowed, &error);
			HARNESS_AT((why != NULL) == reads, "%s: %s: %s", nh_verb_str(verb), bad[i].what, why);
			HARNESS_AT(error == (reads ? bad[i].error : 0), "%s: %s: errno %d", nh_verb_str(verb),
				   bad[i].what, error);
		}
	}
}

static void test_allowed_edges(void)
{
	struct nh_request r = good(NH_VPN_ADD);
	int error;

	dst_all(&r);
	CU_ASSERT_PTR_NULL(nh_check(&r, &allowed, &error)); /* a VPN to everything is one */
	r = good(NH_OPEN_UDP);
	addr_zero(&r);
	CU_ASSERT_PTR_NULL(nh_check(&r, &allowed, &error));
	r = good(NH_GARP);
	mac_zero(&r);
	CU_ASSERT_PTR_NULL(nh_check(&r, &allowed, &error));
	r = good(NH_OPEN_LINK);
	strcpy(r.ifname, "home0");
	CU_ASSERT_PTR_NULL(nh_check(&r, &allowed, &error));
}

static void test_ifnames(void)
{
	static const char *const no[] = {
		"", ".", "..", "a b", "a/b", "a\"", "a*", "a;b", "a\nb", "abcdefghijklmnop", "{"};
	static const char *const yes[] = {"eth0", "a", "br-lan.7", "wg_0", "abcdefghijklmno"};

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		HARNESS_AT(!nh_ifname_ok(no[i]), "%s", no[i]);
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		HARNESS_AT(nh_ifname_ok(yes[i]), "%s", yes[i]);
}

HARNESS_MAIN("nethelper/check", HARNESS_CASE(test_good), HARNESS_CASE(test_no_such_verb),
	     HARNESS_CASE(test_bad), HARNESS_CASE(test_allowed_edges), HARNESS_CASE(test_ifnames))
