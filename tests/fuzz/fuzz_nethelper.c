/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A hostile agent: any sequence of requests.  What the check lets through has to be what the check promises,
 * and the nftables text that it leads to has nothing in it but what the helper means to write.
 */
#include "nethelper/check.h"
#include "nethelper/fw.h"
#include "tests/fuzz/check.h"

#include <string.h>

static const char links[][IFNAMSIZ] = {"link0"};

static bool name_of(unsigned ifindex, char name[IFNAMSIZ])
{
	if (ifindex != 1 && ifindex != 2)
		return false;
	strcpy(name, ifindex == 1 ? "link0" : "home0");
	return true;
}

static bool is_host(struct in_addr a)
{
	uint32_t h = ntohl(a.s_addr);

	return h >= 0x01000000 && h < 0xe0000000 && h >> 24 != 127;
}

static void promises(const struct nh_request *r)
{
	if (r->verb >= NH_VISITOR_ADD && r->verb <= NH_VISITOR_DEL)
		FUZZ_CHECK(is_host(r->addr));
	if (r->verb == NH_VISITOR_ADD)
		FUZZ_CHECK(r->ifindex == 1 && !(r->mac[0] & 1));
	if (r->verb >= NH_PROXY_ARP_ADD && r->verb <= NH_GARP)
		FUZZ_CHECK(r->ifindex == 2 && is_host(r->addr));
	if (r->verb == NH_OPEN_LINK)
		FUZZ_CHECK(strcmp(r->ifname, "link0") == 0 || strcmp(r->ifname, "home0") == 0);
	if (r->verb == NH_IPIP_ADD || r->verb == NH_BINDING_ADD || r->verb == NH_ENCAP_ADD ||
	    r->verb == NH_FORWARD_ADD)
		FUZZ_CHECK(is_host(r->local) && is_host(r->peer) && r->local.s_addr != r->peer.s_addr);
	if (r->verb >= NH_VPN_ADD && r->verb <= NH_ENCAP_DEL)
		FUZZ_CHECK(r->dst.len <= 32);
	if (r->verb == NH_VPN_ADD || r->verb == NH_ENCAP_ADD)
		FUZZ_CHECK(is_host(r->src.addr) && r->src.len == 32 && ((r->tos_up | r->tos_down) & 3) == 0);
}

static void promises_binding(const struct nh_request *r)
{
	if (r->verb == NH_WATCH_ADD || r->verb == NH_WATCH_DEL)
		FUZZ_CHECK(is_host(r->addr));
	if (r->verb == NH_PCN_ADD || r->verb == NH_PCN_DEL)
		FUZZ_CHECK(r->dst.len >= 1 && r->dst.len <= 32 && is_host(r->dst.addr));
	if (r->verb >= NH_HOLD_ADD && r->verb <= NH_FORWARD_DEL)
		FUZZ_CHECK(is_host(r->addr));
}

static void apply_vpn(struct fw *fw, const struct nh_request *r, bool add, const char *tunnel)
{
	struct fw_vpn v = {.src = r->src.addr,
			   .dst = r->dst,
			   .here_is_src = r->side == NH_SIDE_SRC,
			   .tos_up = r->tos_up,
			   .tos_down = r->tos_down,
			   .tunnel = tunnel};

	if (add)
		fw_vpn_add(fw, &v);
	else
		fw_vpn_del(fw, &v);
}

static void apply(struct fw *fw, const struct nh_request *r)
{
	switch (r->verb) {
	case NH_VISITOR_ADD:
		fw_visitor_add(fw, r->addr, "link0", r->mac);
		break;
	case NH_VISITOR_DEL:
		fw_visitor_del(fw, r->addr);
		break;
	case NH_BINDING_ADD:
	case NH_BINDING_DEL:
		fw_tunnel_source(fw, r->verb == NH_BINDING_ADD, "mip0", r->addr);
		break;
	case NH_VPN_ADD:
	case NH_VPN_DEL:
		apply_vpn(fw, r, r->verb == NH_VPN_ADD, NULL);
		break;
	case NH_ENCAP_ADD:
	case NH_ENCAP_DEL:
		apply_vpn(fw, r, r->verb == NH_ENCAP_ADD, (r->peer.s_addr & 1) ? "mip0" : "mip1");
		break;
	case NH_PROTECT_ADD:
	case NH_PROTECT_DEL:
		fw_protect(fw, r->verb == NH_PROTECT_ADD, &r->dst);
		break;
	case NH_PCN_ADD:
	case NH_PCN_DEL:
		fw_pcn(fw, r->verb == NH_PCN_ADD, &r->dst);
		break;
	case NH_WATCH_ADD:
	case NH_WATCH_DEL:
		fw_watch(fw, r->verb == NH_WATCH_ADD, r->addr);
		break;
	case NH_FORWARD_ADD:
	case NH_FORWARD_DEL:
		fw_forward(fw, r->verb == NH_FORWARD_ADD, r->addr);
		break;
	case NH_FLUSH:
		fw_clear(fw);
		break;
	}
}

/* Changes (not the skeleton) are lines of a few verbs on our own table. */
static void text_is_ours(char *text)
{
	static const char *const starts[] = {
		"add element ip mipvpn ",	 "delete element ip mipvpn ",	      "add chain ip mipvpn ",
		"flush chain ip mipvpn ",	 "delete chain ip mipvpn ",	      "add rule ip mipvpn ",
		"flush set ip mipvpn protected", "flush set ip mipvpn correspondents"};
	char *save, *line;

	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		size_t i = 0;

		while (i < sizeof(starts) / sizeof(starts[0]) &&
		       strncmp(line, starts[i], strlen(starts[i])) != 0)
			i++;
		FUZZ_CHECK(i < sizeof(starts) / sizeof(starts[0]));
		FUZZ_CHECK(strspn(line, "abcdefghijklmnopqrstuvwxyz0123456789 ._/:{}\"!=-@") == strlen(line));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct nh_allowed allowed = {
		.links = {"link0"}, .n_links = 1, .homes = {"home0"}, .n_homes = 1, .name_of = name_of};
	struct fw *fw = fw_new(links, 1);
	struct nh_request r;
	char *text;
	int error;

	FUZZ_CHECK(fw != NULL);
	free(fw_whole(fw));
	for (; size >= sizeof(r); data += sizeof(r), size -= sizeof(r)) {
		const char *why;

		memcpy(&r, data, sizeof(r));
		why = nh_check(&r, &allowed, &error);
		FUZZ_CHECK((why == NULL) == (error == 0));
		if (why != NULL)
			continue;
		promises(&r);
		promises_binding(&r);
		apply(fw, &r);
		if (r.verb == NH_FLUSH)
			free(fw_whole(fw));
		text = fw_changes(fw);
		FUZZ_CHECK(text != NULL);
		text_is_ours(text);
		free(text);
	}
	fw_free(fw);
	return 0;
}
