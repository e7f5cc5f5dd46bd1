/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Carrying out what the roles decided: one function for each type of action.
 *
 * Order: actions are carried out in the order of the list.  Requests to the helper and to the VPN room return
 * at once; a send behind a request to the helper waits until the helper has confirmed it (held.c).  What an
 * action brings about without delay (AAA's queue is full, a profile is bad) comes back to the role by
 * agent_later(), after the list.
 */
#include <errno.h>
#include <net/ethernet.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/run/agent.h"
#include "lib/counter.h"
#include "lib/crypto.h"
#include "lib/log.h"

typedef void (*action_fn)(struct agent *g, enum role_id role, struct action *a);

/* --- packets --- */

static const struct link *find_link(const struct agent *g, unsigned ifindex)
{
	for (size_t i = 0; i < g->n_links; i++) {
		if (g->links[i].ifindex == ifindex && g->links[i].fd >= 0)
			return &g->links[i];
	}
	return NULL;
}

/* Link-layer destination: what the role learned from the packet, or what follows from a group or broadcast
 * address. */
static void link_dst(struct sockaddr_ll *ll, const struct role_path *p)
{
	static const uint8_t none[6];
	const uint8_t *ip = (const uint8_t *)&p->dst.s_addr;

	ll->sll_halen = 6;
	if (memcmp(p->mac, none, 6) != 0) {
		memcpy(ll->sll_addr, p->mac, 6);
	} else if (IN_MULTICAST(ntohl(p->dst.s_addr))) {
		const uint8_t mac[6] = {0x01, 0x00, 0x5e, ip[1] & 0x7f, ip[2], ip[3]};

		memcpy(ll->sll_addr, mac, 6);
	} else {
		memset(ll->sll_addr, 0xff, 6);
	}
}

static void send_link(struct agent *g, enum role_id role, struct action *a)
{
	const struct link *l = find_link(g, a->path.ifindex);
	struct sockaddr_ll ll = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_IP),
				 .sll_ifindex = (int)a->path.ifindex};
	struct mip_ip ip = {.src = a->path.src,
			    .dst = a->path.dst,
			    .ttl = a->path.ttl ? a->path.ttl : 64,
			    .proto = a->proto,
			    .sport = a->path.sport,
			    .dport = a->path.dport,
			    .payload = a->data ? a->data->data : NULL,
			    .payload_len = a->data ? a->data->len : 0};
	uint8_t packet[MIP_MSG_MAX + 64];
	uint16_t id = 0;
	struct wbuf w;

	if (!l || !a->data) {
		counter_inc("run.link.send_without_link");
		return;
	}
	crypto_random(&id, sizeof(id));
	wbuf_init(&w, packet, sizeof(packet));
	mip_ip_put(&w, &ip, id);
	link_dst(&ll, &a->path);
	if (!wbuf_ok(&w) || sendto(l->fd, packet, w.len, 0, (struct sockaddr *)&ll, sizeof(ll)) < 0) {
		counter_inc("run.link.send_failed");
		log_debug("run", "%s: not sent: %s", l->name, strerror(errno));
	}
}

/* An ICMP error of an earlier packet may be reported in place of sending: the second try sends. */
static ssize_t sendmsg_twice(int fd, const struct msghdr *m)
{
	ssize_t n = sendmsg(fd, m, 0);

	return n < 0 && errno != EAGAIN ? sendmsg(fd, m, 0) : n;
}

/* From the address that the path says (0 = any), which for a transparent socket need not be ours. */
static void send_from(int fd, const char *what, const struct action *a)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(a->path.dport), .sin_addr = a->path.dst};
	struct iovec iov = {a->data ? a->data->data : NULL, a->data ? a->data->len : 0};
	char control[CMSG_SPACE(sizeof(struct in_pktinfo))] = {0};
	struct msghdr m = {.msg_name = &to,
			   .msg_namelen = sizeof(to),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	struct in_pktinfo info = {.ipi_spec_dst = a->path.src};

	if (!a->data)
		return;
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	if (sendmsg_twice(fd, &m) < 0) {
		counter_inc("run.udp.send_failed");
		log_debug("run", "%s: not sent: %s", what, strerror(errno));
	}
}

static void send_udp(struct agent *g, enum role_id role, struct action *a)
{
	send_from(g->udp, "UDP 434", a);
}

static void send_binding(struct agent *g, enum role_id role, struct action *a)
{
	send_from(g->transparent, "UDP 434 of a correspondent", a);
}

/* --- Diameter --- */

static void send_haa(struct agent *g, enum role_id role, struct action *a)
{
	if (g->aaa && a->haa)
		aaa_haa(g->aaa, a->token, a->haa);
}

static void send_vua(struct agent *g, enum role_id role, struct action *a)
{
	if (g->aaa && a->haa)
		aaa_vua(g->aaa, a->token, a->haa);
}

static void send_asa(struct agent *g, enum role_id role, struct action *a)
{
	if (g->aaa)
		aaa_asa(g->aaa, a->token, a->result);
}

static void do_amr(struct agent *g, enum role_id role, struct action *a)
{
	if (!a->amr)
		return;
	if (!g->aaa || aaa_amr(g->aaa, a->amr, a->deadline_ms))
		agent_later(g, role, EV_AAA_FAILED, a->amr->session, DM_TOO_BUSY,
			    "too many requests under way");
}

static void do_str(struct agent *g, enum role_id role, struct action *a)
{
	if (a->end && g->aaa && aaa_str(g->aaa, a->end))
		agent_note(g, LOG_LVL_WARN, "%s: no STR: too many requests under way", a->session);
}

/* --- VPN room --- */

static void vpn_result(struct agent *g, enum role_id role, const struct action *a, int rc, const char *err)
{
	if (rc)
		agent_later(g, role, EV_VPN_FAILED, a->session, 0, err);
}

static void do_vpn_install(struct agent *g, enum role_id role, struct action *a)
{
	int (*install)(struct vpn * v, const char *session, const struct vpn_profile *p, size_t n,
		       uint32_t deadline_ms, uint64_t now_ms, char *err, size_t err_len) =
		a->late_child ? vpn_install_late : vpn_install;
	char err[160] = "";

	vpn_result(g, role, a,
		   install(g->vpn, a->session, a->profiles, a->n_profiles, a->deadline_ms, loop_now(g->loop),
			   err, sizeof(err)),
		   err);
}

static void do_vpn_move(struct agent *g, enum role_id role, struct action *a)
{
	char err[160] = "";

	vpn_result(g, role, a,
		   vpn_move(g->vpn, a->session, a->local, a->peer, a->deadline_ms, loop_now(g->loop), err,
			    sizeof(err)),
		   err);
}

static void do_vpn_leave(struct agent *g, enum role_id role, struct action *a)
{
	vpn_leave(g->vpn, a->session, a->deadline_ms, loop_now(g->loop));
}

static void do_vpn_handoff(struct agent *g, enum role_id role, struct action *a)
{
	char err[160] = "";

	vpn_result(g, role, a,
		   vpn_handoff(g->vpn, a->session, a->from, a->peer, a->role_src, &a->key, a->deadline_ms,
			       loop_now(g->loop), err, sizeof(err)),
		   err);
}

static void do_vpn_remove(struct agent *g, enum role_id role, struct action *a)
{
	vpn_remove(g->vpn, a->session, loop_now(g->loop));
}

/* --- helper --- */

static void ask(struct agent *g, enum role_id role, const struct action *a, uint32_t verb)
{
	struct nh_request r = {
		.verb = verb, .addr = a->hoa, .local = a->local, .peer = a->peer, .ifindex = a->ifindex};

	memcpy(r.mac, a->mac, sizeof(r.mac));
	net_ask(g, &r, role);
}

static void do_visitor_add(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, role, a, NH_VISITOR_ADD);
}
static void do_visitor_del(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, role, a, NH_VISITOR_DEL);
}
static void do_reverse_add(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, role, a, NH_REVERSE_ADD);
}
static void do_reverse_del(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, role, a, NH_REVERSE_DEL);
}
static void do_tunnel_add(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, role, a, NH_IPIP_ADD);
}
static void do_tunnel_del(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, role, a, NH_IPIP_DEL);
}
static void do_binding_add(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, role, a, NH_BINDING_ADD);
}
static void do_binding_del(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, role, a, NH_BINDING_DEL);
}

static void do_hold_add(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, role, a, NH_HOLD_ADD); /* without it packets are lost, and nothing else */
}
static void do_hold_del(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, role, a, NH_HOLD_DEL);
}
static void do_forward_add(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, role, a, NH_FORWARD_ADD);
}
static void do_forward_del(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, role, a, NH_FORWARD_DEL);
}

static void do_watch_add(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, ROLE_NONE, a, NH_WATCH_ADD); /* a registration does not wait for it, nor fail without it */
}
static void do_watch_del(struct agent *g, enum role_id role, struct action *a)
{
	ask(g, ROLE_NONE, a, NH_WATCH_DEL);
}

static void do_proxy_arp_add(struct agent *g, enum role_id role, struct action *a)
{
	struct nh_request garp = {.verb = NH_GARP, .addr = a->hoa, .ifindex = a->ifindex}; /* own MAC */

	net_ask(g, &garp, ROLE_NONE); /* RFC 5944 4.6: gratuitous ARP, then proxy ARP */
	ask(g, role, a, NH_PROXY_ARP_ADD);
}

static void do_proxy_arp_del(struct agent *g, enum role_id role, struct action *a)
{
	static const uint8_t none[6];
	struct nh_request garp = {.verb = NH_GARP, .addr = a->hoa, .ifindex = a->ifindex};

	ask(g, role, a, NH_PROXY_ARP_DEL);
	if (memcmp(a->mac, none, sizeof(none)) == 0)
		return;
	memcpy(garp.mac, a->mac, sizeof(garp.mac));
	net_ask(g, &garp, ROLE_NONE);
}

static void do_event(struct agent *g, enum role_id role, struct action *a)
{
	static const char *const names[] = {
		[ROLE_NONE] = "", [ROLE_FA] = "fa", [ROLE_HA] = "ha", [ROLE_PCN] = "pcn"};

	agent_note(g, a->level, "%s: %s", names[role], a->text ? a->text : "");
}

/* --- tables --- */

static const action_fn at_once[] = {
	[ACT_AMR] = do_amr,
	[ACT_STR] = do_str,
	[ACT_VPN_INSTALL] = do_vpn_install,
	[ACT_VPN_REMOVE] = do_vpn_remove,
	[ACT_VPN_MOVE] = do_vpn_move,
	[ACT_VPN_LEAVE] = do_vpn_leave,
	[ACT_VPN_HANDOFF] = do_vpn_handoff,
	[ACT_HOLD_ADD] = do_hold_add,
	[ACT_HOLD_DEL] = do_hold_del,
	[ACT_FORWARD_ADD] = do_forward_add,
	[ACT_FORWARD_DEL] = do_forward_del,
	[ACT_VISITOR_ADD] = do_visitor_add,
	[ACT_VISITOR_DEL] = do_visitor_del,
	[ACT_REVERSE_ADD] = do_reverse_add,
	[ACT_REVERSE_DEL] = do_reverse_del,
	[ACT_TUNNEL_ADD] = do_tunnel_add,
	[ACT_TUNNEL_DEL] = do_tunnel_del,
	[ACT_BINDING_ADD] = do_binding_add,
	[ACT_BINDING_DEL] = do_binding_del,
	[ACT_PROXY_ARP_ADD] = do_proxy_arp_add,
	[ACT_PROXY_ARP_DEL] = do_proxy_arp_del,
	[ACT_WATCH_ADD] = do_watch_add,
	[ACT_WATCH_DEL] = do_watch_del,
	[ACT_EVENT] = do_event,
};

/* Sends: behind the barrier. */
static const action_fn sends[] = {
	[ACT_LINK_SEND] = send_link, [ACT_UDP_SEND] = send_udp, [ACT_BINDING_SEND] = send_binding,
	[ACT_HAA] = send_haa,	     [ACT_VUA] = send_vua,   [ACT_ASA] = send_asa,
};

static action_fn lookup(const action_fn *table, size_t n, enum action_type type)
{
	return (size_t)type < n ? table[type] : NULL;
}
#define LOOKUP(table, type) lookup(table, sizeof(table) / sizeof((table)[0]), type)

void actions_send(struct agent *g, enum role_id role, struct action *a)
{
	action_fn fn = LOOKUP(sends, a->type);

	if (fn)
		fn(g, role, a);
}

/* The registration could not be carried out here (net.c drops the user): the AAAH is owed an answer all the
 * same. */
void actions_send_failed(struct agent *g, enum role_id role, struct action *a, const char *why)
{
	counter_inc("run.send.withheld");
	agent_note(g, LOG_LVL_ERROR, "an answer is withheld: %s", why);
	if (a->type == ACT_HAA && a->haa && g->aaa) {
		a->haa->result = DM_UNABLE_TO_COMPLY;
		a->haa->rrp.len = 0;
		aaa_haa(g->aaa, a->token, a->haa);
	}
	if (a->type == ACT_VUA && a->haa) {
		a->haa->result = DM_UNABLE_TO_COMPLY;
		send_vua(g, role, a);
	}
	if (a->type == ACT_ASA)
		send_asa(g, role, a);
}

void actions_run(struct agent *g, enum role_id role, struct actions *as)
{
	g->batch++;
	g->batch_ask = 0;
	for (size_t i = 0; i < as->n; i++) {
		struct action *a = &as->a[i];
		action_fn fn = LOOKUP(at_once, a->type);

		if (fn)
			fn(g, role, a);
		else if (net_batch_pending(g))
			net_hold(g, role, a);
		else
			actions_send(g, role, a);
	}
}
