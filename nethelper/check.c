/* SPDX-License-Identifier: BSD-3-Clause */
#include "nethelper/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* What a verb reads of struct nh_request, and so what is checked. */
enum need {
	ADDR = 1 << 0,	      /* addr: a host */
	ADDR_OR_ANY = 1 << 1, /* addr: a host or 0 */
	PAIR = 1 << 2,	      /* local, peer: two different hosts */
	LINK = 1 << 3,	      /* ifindex: of a --link */
	HOME = 1 << 4,	      /* ifindex: of a --home */
	IFNAME = 1 << 5,      /* ifname: a --link or --home */
	MAC = 1 << 6,	      /* mac: one station */
	MAC_OR_OWN = 1 << 7,  /* mac: one station or zero */
	SRC = 1 << 8,	      /* src: a host, /32 */
	DST = 1 << 9,	      /* dst: a prefix */
	NOT_ALL = 1 << 10,    /* dst: not 0.0.0.0/0 */
	MARKS = 1 << 11,      /* tos_up, tos_down, side */
};

static const struct {
	const char *name;
	unsigned needs;
} verbs[NH_VERB_MAX] = {
	[NH_HELLO] = {"hello", 0},
	[NH_FLUSH] = {"flush", 0},
	[NH_OPEN_UDP] = {"open-udp", ADDR_OR_ANY},
	[NH_OPEN_LINK] = {"open-link", IFNAME},
	[NH_OPEN_VICI] = {"open-vici", 0},
	[NH_VISITOR_ADD] = {"visitor-add", ADDR | LINK | MAC},
	[NH_VISITOR_DEL] = {"visitor-del", ADDR},
	[NH_IPIP_ADD] = {"ipip-add", PAIR},
	[NH_IPIP_DEL] = {"ipip-del", PAIR},
	[NH_BINDING_ADD] = {"binding-add", ADDR | PAIR},
	[NH_BINDING_DEL] = {"binding-del", ADDR},
	[NH_REVERSE_ADD] = {"reverse-add", ADDR | PAIR | LINK},
	[NH_REVERSE_DEL] = {"reverse-del", ADDR},
	[NH_PROXY_ARP_ADD] = {"proxy-arp-add", ADDR | HOME},
	[NH_PROXY_ARP_DEL] = {"proxy-arp-del", ADDR | HOME},
	[NH_GARP] = {"garp", ADDR | HOME | MAC_OR_OWN},
	[NH_VPN_ADD] = {"vpn-add", SRC | DST | MARKS},
	[NH_VPN_DEL] = {"vpn-del", SRC | DST | MARKS},
	[NH_PROTECT_ADD] = {"protect-add", DST | NOT_ALL},
	[NH_PROTECT_DEL] = {"protect-del", DST | NOT_ALL},
	[NH_ENCAP_ADD] = {"encap-add", SRC | DST | MARKS | PAIR},
	[NH_ENCAP_DEL] = {"encap-del", SRC | DST | MARKS | PAIR},
	[NH_OPEN_TRANSPARENT] = {"open-transparent", 0},
	[NH_PCN_ADD] = {"pcn-add", DST | NOT_ALL},
	[NH_PCN_DEL] = {"pcn-del", DST | NOT_ALL},
	[NH_OPEN_NFLOG] = {"open-nflog", 0},
	[NH_WATCH_ADD] = {"watch-add", ADDR},
	[NH_WATCH_DEL] = {"watch-del", ADDR},
	[NH_HOLD_ADD] = {"hold-add", ADDR},
	[NH_HOLD_DEL] = {"hold-del", ADDR},
	[NH_FORWARD_ADD] = {"forward-add", ADDR | PAIR},
	[NH_FORWARD_DEL] = {"forward-del", ADDR},
};

const char *nh_verb_str(uint32_t verb)
{
	return verb < NH_VERB_MAX && verbs[verb].name != NULL ? verbs[verb].name : "unknown";
}

bool nh_ifname_ok(const char *name)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strnlen(name, IFNAMSIZ);

	return len > 0 && len < IFNAMSIZ && strspn(name, good) == len && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

/* Neither "this network", loopback, multicast nor the reserved block with the broadcast address. */
static bool is_host(struct in_addr a)
{
	uint32_t top = ntohl(a.s_addr) >> 24;

	return top != 0 && top != 127 && top < 224;
}

static bool is_prefix(const struct vpn_prefix *p)
{
	uint32_t host_bits = p->len >= 32 ? 0 : UINT32_MAX >> p->len;

	if (p->len > 32 || (ntohl(p->addr.s_addr) & host_bits) != 0)
		return false;
	return p->len == 0 ? p->addr.s_addr == 0 : is_host(p->addr);
}

static bool mac_is_zero(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return memcmp(mac, zero, sizeof(zero)) == 0;
}

static bool is_station(const uint8_t mac[6])
{
	return (mac[0] & 1) == 0 && !mac_is_zero(mac);
}

static bool listed(const char list[][IFNAMSIZ], size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static const char *check_addresses(const struct nh_request *r, unsigned needs)
{
	if ((needs & ADDR) && !is_host(r->addr))
		return "the address is not that of a host";
	if ((needs & ADDR_OR_ANY) && r->addr.s_addr != 0 && !is_host(r->addr))
		return "the address is neither 0 nor that of a host";
	if ((needs & PAIR) && (!is_host(r->local) || !is_host(r->peer)))
		return "an end of the tunnel is not the address of a host";
	if ((needs & PAIR) && r->local.s_addr == r->peer.s_addr)
		return "both ends of the tunnel are the same";
	if ((needs & MAC) && !is_station(r->mac))
		return "the link-layer address is not that of one station";
	if ((needs & MAC_OR_OWN) && !mac_is_zero(r->mac) && !is_station(r->mac))
		return "the link-layer address is neither zero nor that of one station";
	return NULL;
}

static const char *check_prefixes(const struct nh_request *r, unsigned needs)
{
	if ((needs & SRC) && (r->src.len != 32 || !is_prefix(&r->src)))
		return "the source is not one host's address";
	if ((needs & DST) && !is_prefix(&r->dst))
		return "the destination is not a prefix of hosts with its host bits zero";
	if ((needs & NOT_ALL) && r->dst.len == 0)
		return "that cannot be the whole Internet";
	if ((needs & MARKS) && ((r->tos_up | r->tos_down) & 3) != 0)
		return "a TOS byte has ECN bits set";
	if ((needs & MARKS) && r->side > NH_SIDE_BOTH)
		return "there is no such side";
	return NULL;
}

static const char *check_interface(const struct nh_request *r, const struct nh_allowed *a, unsigned needs,
				   int *error)
{
	char name[IFNAMSIZ] = "";

	if (needs & IFNAME) {
		if (memchr(r->ifname, '\0', sizeof(r->ifname)) == NULL || !nh_ifname_ok(r->ifname))
			return "that is no name of an interface";
		memcpy(name, r->ifname, sizeof(name));
	} else if (!a->name_of(r->ifindex, name)) {
		*error = ENODEV;
		return "there is no interface with that index";
	}
	*error = EPERM;
	if ((needs & LINK) && !listed(a->links, a->n_links, name))
		return "the interface is not one of the helper's --link";
	if ((needs & HOME) && !listed(a->homes, a->n_homes, name))
		return "the interface is not one of the helper's --home";
	if ((needs & IFNAME) && !listed(a->links, a->n_links, name) && !listed(a->homes, a->n_homes, name))
		return "the interface is neither a --link nor a --home of the helper";
	return NULL;
}

const char *nh_check(const struct nh_request *r, const struct nh_allowed *a, int *error)
{
	const char *why;
	unsigned needs;

	*error = ENOSYS;
	if (r->verb >= NH_VERB_MAX || verbs[r->verb].name == NULL)
		return "there is no such verb";
	needs = verbs[r->verb].needs;
	*error = EINVAL;
	why = check_addresses(r, needs);
	if (why == NULL)
		why = check_prefixes(r, needs);
	if (why == NULL && (needs & (LINK | HOME | IFNAME)))
		why = check_interface(r, a, needs, error);
	if (why == NULL)
		*error = 0;
	return why;
}
