/* SPDX-License-Identifier: BSD-3-Clause */
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <string.h>

#include "agent/run/nflog.h"

#define IP_HEADER 20

static bool is_packet(const struct nlmsghdr *h)
{
	return h->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
}

static bool addresses(const uint8_t *ip, size_t len, struct nflog_packet *out)
{
	if (len < IP_HEADER || ip[0] >> 4 != 4)
		return false;
	memcpy(&out->src, ip + 12, sizeof(out->src));
	memcpy(&out->dst, ip + 16, sizeof(out->dst));
	return true;
}

/* The first bytes of the packet are one attribute among others. */
static bool find_packet(const uint8_t *p, size_t left, struct nflog_packet *out)
{
	struct nlattr a;

	while (left >= sizeof(a)) {
		size_t step;

		memcpy(&a, p, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > left)
			return false;
		if ((a.nla_type & NLA_TYPE_MASK) == NFULA_PAYLOAD)
			return addresses(p + sizeof(a), a.nla_len - sizeof(a), out);
		step = NLA_ALIGN(a.nla_len);
		if (step > left)
			return false;
		p += step;
		left -= step;
	}
	return false;
}

bool nflog_next(const void *data, size_t len, size_t *at, struct nflog_packet *out)
{
	const size_t head = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	const uint8_t *p = data;
	struct nlmsghdr h;

	while (*at < len && len - *at >= sizeof(h)) {
		size_t from = *at;

		memcpy(&h, p + from, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > len - from)
			break;
		*at += NLMSG_ALIGN(h.nlmsg_len);
		if (is_packet(&h) && h.nlmsg_len >= head &&
		    find_packet(p + from + head, h.nlmsg_len - head, out))
			return true;
	}
	*at = len;
	return false;
}
