/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv4 and UDP headers for packet sockets and user-space IP-in-IP (RFC 791, 768, 1071).  Fragments are
 * refused: what comes here is signalling, or is reassembled by the kernel before.
 */
#include "agent/mip/wire.h"

#include <string.h>

#define IP_HEADER 20
#define UDP_HEADER 8
#define IP_MF_OFFSET 0x3fff /* more fragments, offset */

uint32_t mip_sum(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *b = data;

	for (; len > 1; b += 2, len -= 2)
		sum += (uint32_t)(b[0] << 8 | b[1]);
	if (len)
		sum += (uint32_t)b[0] << 8;
	return sum;
}

uint16_t mip_sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* len bytes of UDP header and payload with the pseudo header in front. */
static uint16_t udp_sum(const struct mip_ip *p, const uint8_t *udp, size_t len)
{
	uint32_t sum = mip_sum(mip_sum(0, &p->src.s_addr, 4), &p->dst.s_addr, 4);

	return mip_sum_fold(mip_sum(sum + IPPROTO_UDP + (uint32_t)len, udp, len));
}

static enum mip_reject udp_decode(struct mip_ip *p)
{
	const uint8_t *udp = p->payload;
	struct rbuf r;
	uint16_t len, sum;

	rbuf_init(&r, udp, p->payload_len);
	p->sport = rbuf_u16(&r);
	p->dport = rbuf_u16(&r);
	len = rbuf_u16(&r);
	sum = rbuf_u16(&r);
	if (!rbuf_ok(&r) || len > p->payload_len)
		return MIP_REJ_TRUNCATED;
	if (len < UDP_HEADER)
		return MIP_REJ_HEADER;
	if (sum && udp_sum(p, udp, len))
		return MIP_REJ_CHECKSUM;
	p->payload = r.p;
	p->payload_len = (uint16_t)(len - UDP_HEADER);
	return MIP_REJ_OK;
}

/* Fills all but the ports; len is cut to what the header says. */
static enum mip_reject ip_header(const uint8_t *packet, size_t len, struct mip_ip *out)
{
	size_t header = len ? 4u * (packet[0] & 15) : 0;
	struct rbuf r;
	uint16_t total, fragment;

	rbuf_init(&r, packet, len);
	rbuf_u16(&r);
	total = rbuf_u16(&r);
	rbuf_u16(&r);
	fragment = rbuf_u16(&r);
	out->ttl = rbuf_u8(&r);
	out->proto = rbuf_u8(&r);
	rbuf_u16(&r);
	rbuf_copy(&r, &out->src.s_addr, 4);
	rbuf_copy(&r, &out->dst.s_addr, 4);
	if (!rbuf_ok(&r) || total > len || header > len)
		return MIP_REJ_TRUNCATED;
	if (packet[0] >> 4 != 4 || header < IP_HEADER || total < header || (fragment & IP_MF_OFFSET))
		return MIP_REJ_HEADER;
	if (mip_sum_fold(mip_sum(0, packet, header)))
		return MIP_REJ_CHECKSUM;
	out->payload = packet + header;
	out->payload_len = (uint16_t)(total - header);
	return MIP_REJ_OK;
}

enum mip_reject mip_ip_decode(const void *packet, size_t len, struct mip_ip *out)
{
	enum mip_reject rej;

	memset(out, 0, sizeof(*out));
	rej = ip_header(packet, len, out);
	if (rej || out->proto != IPPROTO_UDP)
		return rej;
	return udp_decode(out);
}

static void put_ip_header(struct wbuf *w, const struct mip_ip *p, uint16_t total, uint16_t id)
{
	size_t start = w->len;

	wbuf_u16(w, 0x4500);
	wbuf_u16(w, total);
	wbuf_u16(w, id);
	wbuf_u16(w, 0);
	wbuf_u8(w, p->ttl);
	wbuf_u8(w, p->proto);
	wbuf_u16(w, 0);
	wbuf_bytes(w, &p->src.s_addr, 4);
	wbuf_bytes(w, &p->dst.s_addr, 4);
	if (wbuf_ok(w))
		wbuf_patch_u16(w, start + 10, mip_sum_fold(mip_sum(0, w->base + start, IP_HEADER)));
}

static void put_udp(struct wbuf *w, const struct mip_ip *p)
{
	size_t start = w->len;
	uint16_t sum;

	wbuf_u16(w, p->sport);
	wbuf_u16(w, p->dport);
	wbuf_u16(w, (uint16_t)(UDP_HEADER + p->payload_len));
	wbuf_u16(w, 0);
	wbuf_bytes(w, p->payload, p->payload_len);
	if (!wbuf_ok(w))
		return;
	sum = udp_sum(p, w->base + start, w->len - start);
	wbuf_patch_u16(w, start + 6, sum ? sum : 0xffff); /* zero would say "no checksum" */
}

void mip_ip_put(struct wbuf *w, const struct mip_ip *p, uint16_t id)
{
	bool udp = p->proto == IPPROTO_UDP;
	size_t total = IP_HEADER + (udp ? UDP_HEADER : 0) + (size_t)p->payload_len;

	if (total > UINT16_MAX) {
		w->bad = true;
		return;
	}
	put_ip_header(w, p, (uint16_t)total, id);
	if (udp)
		put_udp(w, p);
	else
		wbuf_bytes(w, p->payload, p->payload_len);
}
