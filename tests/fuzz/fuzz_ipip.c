/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IP-in-IP packets as the helper gets them, it being privileged: from a peer (outer header, inner packet),
 * and from its own device (the inner one).  What is read lies inside of the packet, and changing a header
 * leaves its checksum as right or wrong as it was.
 */
#include <string.h>

#include "nethelper/hold_queue.h"
#include "nethelper/ipip.h"
#include "tests/fuzz/check.h"

static uint16_t sum_of(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* 0 and 0xffff are the same sum. */
static uint16_t header_sum(const uint8_t *p)
{
	uint16_t sum = sum_of(p, (size_t)(p[0] & 15) * 4);

	return sum == 0xffff ? 0 : sum;
}

static void from_device(uint8_t *p, const struct ipip_inner *in)
{
	struct in_addr local = {htonl(0xc6336415)}, peer = {htonl(0xc633640b)};
	uint8_t icmp[IPIP_ICMP_MAX], ttl = p[8];
	size_t n = ipip_too_big(p, in, 1400, icmp);
	uint16_t before = header_sum(p);

	ipip_loops(in, local, peer);
	FUZZ_CHECK(n <= IPIP_ICMP_MAX && n <= in->len + 8);
	if (n)
		FUZZ_CHECK(sum_of(icmp, n) == 0xffff && !memcmp(icmp + 8, p, n - 8));
	hold_ttl_restore(p);
	FUZZ_CHECK(p[8] == (ttl == 255 ? 255 : ttl + 1) && header_sum(p) == before);
}

static void from_peer(uint8_t *p, size_t len, uint8_t outer_tos)
{
	struct ipip_inner in;
	uint16_t before;
	uint8_t dscp;

	if (!ipip_inner_parse(p, len, &in))
		return;
	FUZZ_CHECK(in.len >= 20 && in.len <= len && (size_t)(p[0] & 15) * 4 <= in.len);
	before = header_sum(p);
	dscp = p[1] >> 2;
	if (ipip_ecn_decap(p, outer_tos))
		FUZZ_CHECK((outer_tos & 3) != 3 || (p[1] & 3) == 3);
	FUZZ_CHECK(p[1] >> 2 == dscp && header_sum(p) == before);
	FUZZ_CHECK(ipip_inner_parse(p, len, &in));
	from_device(p, &in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct ipip_inner outer;

	if (copy && size) {
		memcpy(copy, data, size);
		if (ipip_inner_parse(copy, size, &outer)) {
			size_t header = (size_t)(copy[0] & 15) * 4;

			from_peer(copy + header, outer.len - header, outer.tos);
		}
	}
	free(copy);
	return 0;
}
