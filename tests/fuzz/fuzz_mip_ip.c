/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IPv4 packets: the payload lies inside; an accepted packet, written again, is decoded to the same.  The
 * header checksum is put right first, and the UDP checksum is taken away.
 */
#include "agent/mip/mip.h"
#include "agent/mip/wire.h"
#include "tests/fuzz/check.h"

#include <string.h>

static void check_again(const struct mip_ip *p)
{
	static uint8_t mem[65536];
	struct mip_ip q;
	struct wbuf w;

	wbuf_init(&w, mem, sizeof(mem));
	mip_ip_put(&w, p, 1);
	FUZZ_CHECK(wbuf_ok(&w));
	FUZZ_CHECK(mip_ip_decode(mem, w.len, &q) == MIP_REJ_OK);
	FUZZ_CHECK(p->src.s_addr == q.src.s_addr && p->dst.s_addr == q.dst.s_addr && p->ttl == q.ttl);
	FUZZ_CHECK(p->proto == q.proto && p->sport == q.sport && p->dport == q.dport);
	FUZZ_CHECK(p->payload_len == q.payload_len && !memcmp(p->payload, q.payload, q.payload_len));
}

static void put_right(uint8_t *ip, size_t size)
{
	size_t header = 4u * (ip[0] & 15);
	uint16_t sum;

	if (header < 20 || header > size)
		return;
	ip[10] = ip[11] = 0;
	sum = mip_sum_fold(mip_sum(0, ip, header));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	if (ip[9] == IPPROTO_UDP && size >= header + 8)
		ip[header + 6] = ip[header + 7] = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mip_ip p;
	uint8_t *copy = malloc(size ? size : 1);

	mip_ip_decode(data, size, &p);
	if (copy && size) {
		memcpy(copy, data, size);
		put_right(copy, size);
		if (mip_ip_decode(copy, size, &p) == MIP_REJ_OK) {
			FUZZ_CHECK(p.payload >= copy + 20 && p.payload + p.payload_len <= copy + size);
			check_again(&p);
		}
	}
	free(copy);
	return 0;
}
