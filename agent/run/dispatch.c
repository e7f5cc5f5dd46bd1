/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets -> events.  The sockets are opened by the helper:
 *
 * - a packet socket for each link with mobile nodes (visited links, the home link): IP packets to UDP port
 * 434 and ICMP router advertisements and solicitations, with the sender's link-layer address;
 * - one UDP socket on port 434 for the core side.  The kernel gives it the links' packets too (and must, or
 * it would answer them with "port unreachable"): requests that came in by a link are left to the packet
 * socket.
 *
 * - PCN: a transparent UDP socket on port 434 of all correspondents behind this gateway;
 * - HA: a netlink socket that tells of first packets to mobile nodes (NFLOG).
 *
 * Who gets what: on a visited link the FA, on the home link the HA; on the core side requests go to the HA,
 * replies to the FA; of route optimization's messages an update for a correspondent to the PCN, what
 * correspondents say to the HA, and what foreign agents tell each other (extension 36, subtype 201) to the
 * FA.
 */
#include <errno.h>
#include <linux/icmp.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/errqueue.h>

#include "agent/run/agent.h"
#include "agent/run/nflog.h"
#include "lib/counter.h"

#define PACKETS_PER_TURN 64 /* per socket: others get their turn too */

/* --- links --- */

static void link_packet(struct link *l, const uint8_t *data, size_t len, const struct sockaddr_ll *from)
{
	enum role_id role = l->home ? ROLE_HA : ROLE_FA;
	struct role_event e = {.type = EV_PACKET};
	enum mip_reject bad;
	struct mip_ip ip;
	char name[64];

	bad = mip_ip_decode(data, len, &ip);
	if (bad) {
		snprintf(name, sizeof(name), "run.link.%s", mip_reject_str(bad));
		counter_inc(name);
		return;
	}
	e.path = (struct role_path){.ifindex = l->ifindex,
				    .src = ip.src,
				    .dst = ip.dst,
				    .sport = ip.sport,
				    .dport = ip.dport,
				    .ttl = ip.ttl};
	memcpy(e.path.mac, from->sll_addr, sizeof(e.path.mac));
	if (ip.proto == IPPROTO_UDP && ip.dport == MIP_PORT) {
		e.data = ip.payload;
		e.len = ip.payload_len;
	} else if (ip.proto == IPPROTO_ICMP && mip_solicit_ok(ip.payload, ip.payload_len)) {
		e.type = EV_SOLICIT;
	} else {
		counter_inc("run.link.other"); /* other agents' advertisements */
		return;
	}
	agent_event(l->agent, role, &e);
}

/* A packet of a neighbour on the same machine (veth, bridge) has no UDP checksum yet: the kernel leaves it to
 * hardware that is not there.  Nothing can have damaged it; zero says that there is none. */
static void checksum_not_ready(uint8_t *packet, size_t len)
{
	size_t header = len ? (packet[0] & 15u) * 4u : 0;

	if (len >= header + 8 && header >= 20 && packet[9] == IPPROTO_UDP)
		packet[header + 6] = packet[header + 7] = 0;
}

static bool is_checksum_ready(struct msghdr *m)
{
	struct tpacket_auxdata aux;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		return !(aux.tp_status & TP_STATUS_CSUMNOTREADY);
	}
	return true;
}

/* false: nothing more to read. */
static bool link_read(struct link *l)
{
	uint8_t packet[MIP_MSG_MAX + 64], control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct sockaddr_ll from = {0};
	struct iovec iov = {packet, sizeof(packet)};
	struct msghdr m = {.msg_name = &from,
			   .msg_namelen = sizeof(from),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(l->fd, &m, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			net_link_lost(l, strerror(errno));
		return false;
	}
	if (!is_checksum_ready(&m))
		checksum_not_ready(packet, (size_t)n < sizeof(packet) ? (size_t)n : sizeof(packet));
	if ((size_t)n > sizeof(packet))
		counter_inc("run.link.too_long");
	else if (from.sll_pkttype == PACKET_OTHERHOST)
		counter_inc("run.link.for_others"); /* a bridge floods what is for another agent */
	else if (from.sll_pkttype != PACKET_OUTGOING)
		link_packet(l, packet, (size_t)n, &from);
	return l->fd >= 0; /* an event may have closed it */
}

void dispatch_link_io(void *link, bool readable, bool writable)
{
	for (int i = 0; i < PACKETS_PER_TURN && link_read(link); i++)
		;
}

/* --- the core side --- */

static bool is_link(const struct agent *g, unsigned ifindex)
{
	for (size_t i = 0; i < g->n_links; i++) {
		if (g->links[i].ifindex && g->links[i].ifindex == ifindex)
			return true;
	}
	return false;
}

static void control_data(struct msghdr *m, struct role_path *path, unsigned *ifindex)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct in_pktinfo info;
		int ttl;

		if (c->cmsg_level != IPPROTO_IP)
			continue;
		if (c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			path->dst = info.ipi_addr;
			*ifindex = (unsigned)info.ipi_ifindex;
		} else if (c->cmsg_type == IP_TTL) {
			memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
			path->ttl = (uint8_t)ttl;
		}
	}
}

static void udp_packet(struct agent *g, struct msghdr *m, const uint8_t *data, size_t len)
{
	const struct sockaddr_in *from = m->msg_name;
	struct role_event e = {.type = EV_PACKET, .data = data, .len = len};
	unsigned ifindex = 0;
	enum role_id role;

	e.path.src = from->sin_addr;
	e.path.sport = ntohs(from->sin_port);
	e.path.dport = MIP_PORT;
	control_data(m, &e.path, &ifindex);
	role = whose_message(data, len);
	if (role != ROLE_NONE && !is_link(g, ifindex))
		agent_event(g, role, &e);
	else
		counter_inc(is_link(g, ifindex) ? "run.udp.by_link" : "run.udp.other");
}

/* path.dst is the correspondent, whom the kernel does not know as an address of this machine. */
static void transparent_packet(struct agent *g, struct msghdr *m, const uint8_t *data, size_t len)
{
	const struct sockaddr_in *from = m->msg_name;
	struct role_event e = {.type = EV_PACKET, .data = data, .len = len};
	unsigned ifindex = 0;

	e.path.src = from->sin_addr;
	e.path.sport = ntohs(from->sin_port);
	e.path.dport = MIP_PORT;
	control_data(m, &e.path, &ifindex);
	agent_event(g, ROLE_PCN, &e);
}

/* ICMP errors for requests that we relayed (RFC 5944 3.7.2.3). */
static bool udp_error(struct agent *g)
{
	uint8_t data[MIP_MSG_MAX], control[512];
	struct sockaddr_in to = {0};
	struct iovec iov = {data, sizeof(data)};
	struct msghdr m = {.msg_name = &to,
			   .msg_namelen = sizeof(to),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(g->udp, &m, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		return false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		struct sock_extended_err ee;
		struct role_event e = {.type = EV_ICMP_ERROR, .data = data, .len = (size_t)n};

		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVERR)
			continue;
		memcpy(&ee, CMSG_DATA(c), sizeof(ee));
		e.path.dst = to.sin_addr;
		e.path.dport = ntohs(to.sin_port);
		e.icmp_type = ee.ee_origin == SO_EE_ORIGIN_ICMP ? ee.ee_type : ICMP_DEST_UNREACH;
		e.icmp_code = ee.ee_origin == SO_EE_ORIGIN_ICMP ? ee.ee_code : ICMP_HOST_UNREACH;
		agent_event(g, ROLE_FA, &e);
	}
	return true;
}

/* Up to PACKETS_PER_TURN datagrams of fd. */
static void read_datagrams(struct agent *g, int fd,
			   void (*take)(struct agent *g, struct msghdr *m, const uint8_t *data, size_t len))
{
	uint8_t data[MIP_MSG_MAX + 1], control[256];

	for (int i = 0; i < PACKETS_PER_TURN; i++) {
		struct sockaddr_in from = {0};
		struct iovec iov = {data, sizeof(data)};
		struct msghdr m = {.msg_name = &from,
				   .msg_namelen = sizeof(from),
				   .msg_iov = &iov,
				   .msg_iovlen = 1,
				   .msg_control = control,
				   .msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

		if (n < 0)
			return; /* EAGAIN, or an error that the error queue tells of */
		if ((m.msg_flags & MSG_TRUNC) || n > MIP_MSG_MAX)
			counter_inc("run.udp.too_long");
		else
			take(g, &m, data, (size_t)n);
	}
}

void dispatch_udp_io(void *user, bool readable, bool writable)
{
	struct agent *g = user;

	for (int i = 0; i < PACKETS_PER_TURN && udp_error(g); i++)
		;
	read_datagrams(g, g->udp, udp_packet);
}

/* Nobody waits for an answer to what is sent here. */
static void errors_forget(int fd)
{
	struct msghdr m = {0};

	for (int i = 0; i < PACKETS_PER_TURN && recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0; i++)
		counter_inc("run.transparent.icmp_error");
}

void dispatch_transparent_io(void *user, bool readable, bool writable)
{
	struct agent *g = user;

	errors_forget(g->transparent);
	read_datagrams(g, g->transparent, transparent_packet);
}

/* --- first packets --- */

void dispatch_nflog_io(void *user, bool readable, bool writable)
{
	struct agent *g = user;
	uint8_t data[8192];

	for (int i = 0; i < PACKETS_PER_TURN; i++) {
		ssize_t n = recv(g->nflog, data, sizeof(data), MSG_DONTWAIT);
		struct nflog_packet p;

		if (n < 0)
			return;
		for (size_t at = 0; nflog_next(data, (size_t)n, &at, &p);) {
			struct role_event e = {.type = EV_FIRST_PACKET, .path = {.src = p.src, .dst = p.dst}};

			counter_inc("run.first_packet");
			agent_event(g, ROLE_HA, &e);
		}
	}
}
