/* SPDX-License-Identifier: BSD-3-Clause */
#include "nethelper/sockets.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MIP_UDP_PORT 434

static int fail(int fd)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

static bool set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

int nh_open_udp(struct in_addr addr)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(MIP_UDP_PORT), .sin_addr = addr};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (!set(fd, IPPROTO_IP, IP_PKTINFO, 1) || !set(fd, IPPROTO_IP, IP_RECVTTL, 1) ||
	    !set(fd, IPPROTO_IP, IP_RECVERR, 1) || !set(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		return fail(fd);
	return fd;
}

int nh_open_transparent(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(MIP_UDP_PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (!set(fd, IPPROTO_IP, IP_TRANSPARENT, 1) || !set(fd, IPPROTO_IP, IP_PKTINFO, 1) ||
	    !set(fd, IPPROTO_IP, IP_RECVTTL, 1) || !set(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
	    !set(fd, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20) || /* home agents that come back come all at once */
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		return fail(fd);
	return fd;
}

/* --- NFLOG --- */

struct nflog_config { /* one message, one attribute; the kernel acknowledges */
	struct nlmsghdr h;
	struct nfgenmsg g;
	struct nlattr a;
	union {
		struct nfulnl_msg_config_cmd command;
		struct nfulnl_msg_config_mode mode;
	} u;
} __attribute__((packed, aligned(4)));

static bool nflog_configure(int fd, struct nflog_config *c, uint16_t group, uint16_t attr, size_t len)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} ack;
	ssize_t n;

	c->h = (struct nlmsghdr){.nlmsg_len = (uint32_t)(offsetof(struct nflog_config, u) + NLMSG_ALIGN(len)),
				 .nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG,
				 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
	c->g = (struct nfgenmsg){.nfgen_family = AF_INET, .version = NFNETLINK_V0, .res_id = htons(group)};
	c->a = (struct nlattr){.nla_len = (uint16_t)(sizeof(c->a) + len), .nla_type = attr};
	if (send(fd, c, c->h.nlmsg_len, 0) < 0)
		return false;
	n = recv(fd, &ack, sizeof(ack), MSG_DONTWAIT); /* netlink answers before send() returns */
	if (n < (ssize_t)sizeof(ack) || ack.h.nlmsg_type != NLMSG_ERROR) {
		errno = EPROTO;
		return false;
	}
	errno = -ack.e.error;
	return ack.e.error == 0;
}

int nh_open_nflog(uint16_t group, uint32_t bytes)
{
	struct nflog_config bind_group = {.u.command.command = NFULNL_CFG_CMD_BIND};
	struct nflog_config copy = {.u.mode = {.copy_range = htonl(bytes), .copy_mode = NFULNL_COPY_PACKET}};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);

	if (fd < 0)
		return -1;
	/* A full buffer loses reports, which is what is wanted; it is no error of the socket. */
	if (!set(fd, SOL_SOCKET, SO_RCVBUF, 65536) || !set(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1) ||
	    !nflog_configure(fd, &bind_group, group, NFULA_CFG_CMD, sizeof(bind_group.u.command)) ||
	    !nflog_configure(fd, &copy, group, NFULA_CFG_MODE, sizeof(copy.u.mode)))
		return fail(fd);
	return fd;
}

/* --- links --- */

/* Offsets are from the IP header: the socket is SOCK_DGRAM. */
static bool attach_filter(int fd, uint16_t port)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6), /* a later fragment has no ports: refuse */
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 9, 0),
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* X = length of the IP header */
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMP, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 5),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2), /* UDP destination port */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 4, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, 0), /* ICMP type */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 9, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 10, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 65535),
	};
	struct sock_fprog prog = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) == 0 &&
	       set(fd, SOL_SOCKET, SO_LOCK_FILTER, 1);
}

static bool join(int fd, unsigned ifindex, uint8_t last)
{
	struct packet_mreq group = {.mr_ifindex = (int)ifindex,
				    .mr_type = PACKET_MR_MULTICAST,
				    .mr_alen = 6,
				    .mr_address = {0x01, 0x00, 0x5e, 0x00, 0x00, last}};

	return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof(group)) == 0;
}

/* Protocol 0 until the filter is on: nothing gets in before. */
int nh_open_link(unsigned ifindex, uint16_t port)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = (int)ifindex};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (!attach_filter(fd, port) || !set(fd, SOL_PACKET, PACKET_AUXDATA, 1) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || !join(fd, ifindex, 2) ||
	    !join(fd, ifindex, 11))
		return fail(fd);
	return fd;
}

static bool checksum_missing(struct msghdr *m)
{
	struct tpacket_auxdata aux;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level != SOL_PACKET || h->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(h), sizeof(aux));
		return (aux.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
	}
	return false;
}

ssize_t nh_link_recv(int fd, void *packet, size_t size, struct sockaddr_ll *from)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct iovec iov = {.iov_base = packet, .iov_len = size};
	struct msghdr m = {.msg_name = from,
			   .msg_namelen = sizeof(*from),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
	uint8_t *p = packet;
	size_t header;

	if (n < 20 || !checksum_missing(&m))
		return n;
	header = (size_t)(p[0] & 15) * 4;
	if (p[9] == IPPROTO_UDP && (size_t)n >= header + 8)
		memset(p + header + 6, 0, 2);
	return n;
}

int nh_open_vici(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		return fail(fd);
	return fd;
}
