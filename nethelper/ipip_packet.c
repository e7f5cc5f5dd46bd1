/* SPDX-License-Identifier: BSD-3-Clause */
#include "nethelper/ipip.h"

#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <string.h>

enum { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 };

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint16_t checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += get16(p + i);
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

bool ipip_inner_parse(const uint8_t *packet, size_t len, struct ipip_inner *out)
{
	size_t header;

	if (len < sizeof(struct iphdr) || packet[0] >> 4 != 4)
		return false;
	header = (size_t)(packet[0] & 15) * 4;
	out->len = get16(packet + 2);
	if (header < sizeof(struct iphdr) || out->len < header || out->len > len)
		return false;
	out->tos = packet[1];
	out->df = (packet[6] & 0x40) != 0;
	out->protocol = packet[9];
	memcpy(&out->src, packet + 12, 4);
	memcpy(&out->dst, packet + 16, 4);
	return true;
}

bool ipip_loops(const struct ipip_inner *in, struct in_addr local, struct in_addr peer)
{
	if (in->src.s_addr == peer.s_addr)
		return true;
	return in->protocol == IPPROTO_IPIP && in->src.s_addr == local.s_addr &&
	       in->dst.s_addr == peer.s_addr;
}

/* RFC 1624: HC' = ~(~HC + ~m + m'). */
static void set_tos(uint8_t *packet, uint8_t tos)
{
	uint32_t sum = (uint16_t)~get16(packet + 10);

	sum += (uint16_t)~get16(packet);
	packet[1] = tos;
	sum += get16(packet);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put16(packet + 10, (uint16_t)~sum);
}

bool ipip_ecn_decap(uint8_t *inner, uint8_t outer_tos)
{
	uint8_t in = inner[1] & 3, out = outer_tos & 3, now = in;

	if (out == ECN_CE && in == ECN_NOT_ECT)
		return false;
	if (out == ECN_CE || (out == ECN_ECT1 && in == ECN_ECT0))
		now = out;
	if (now != in)
		set_tos(inner, (uint8_t)((inner[1] & ~3) | now));
	return true;
}

/* RFC 1122 3.2.2: no error about an error, nor about a fragment that is not the first, nor to a group. */
static bool may_answer(const uint8_t *inner, const struct ipip_inner *in)
{
	size_t header = (size_t)(inner[0] & 15) * 4;
	uint8_t top = (uint8_t)(ntohl(in->src.s_addr) >> 24);

	if ((get16(inner + 6) & 0x1fff) != 0 || top == 0 || top >= 224 || top == 127)
		return false;
	if (in->protocol != IPPROTO_ICMP)
		return true;
	return in->len > header && (inner[header] == ICMP_ECHO || inner[header] == ICMP_ECHOREPLY);
}

size_t ipip_too_big(const uint8_t *inner, const struct ipip_inner *in, uint16_t mtu,
		    uint8_t out[IPIP_ICMP_MAX])
{
	size_t quoted = in->len < IPIP_ICMP_MAX - 8 ? in->len : IPIP_ICMP_MAX - 8;

	if (!may_answer(inner, in))
		return 0;
	memset(out, 0, 8);
	out[0] = ICMP_DEST_UNREACH;
	out[1] = ICMP_FRAG_NEEDED;
	put16(out + 6, mtu);
	memcpy(out + 8, inner, quoted);
	put16(out + 2, checksum(out, 8 + quoted));
	return 8 + quoted;
}
