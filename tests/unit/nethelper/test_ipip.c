/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The packet rules of user-space IP-in-IP.
 */
#include "nethelper/ipip.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/unit/harness.h"

/* 10.9.0.5 > 10.1.0.10, ICMP echo request with 8 bytes, DF, both checksums right. */
static const uint8_t echo[36] = {
	0x45, 0x00, 0x00, 0x24, 0x12, 0x34, 0x40, 0x00, 0x40, 0x01, 0x14, 0x8d,
	0x0a, 0x09, 0x00, 0x05, 0x0a, 0x01, 0x00, 0x0a, 0x08, 0x00, 0x66, 0x67,
	0x00, 0x01, 0x00, 0x02, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68,
};

static uint16_t sum(const uint8_t *p, size_t len)
{
	uint32_t s = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		s += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (len & 1)
		s += (uint32_t)p[len - 1] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

static struct in_addr ip(const char *text)
{
	struct in_addr a;

	inet_aton(text, &a);
	return a;
}

static void test_parse(void)
{
	uint8_t p[64] = {0};
	struct ipip_inner in;

	CU_ASSERT_EQUAL(sum(echo, 20), 0);
	CU_ASSERT_EQUAL(sum(echo + 20, 16), 0);
	memcpy(p, echo, sizeof(echo));
	CU_ASSERT_TRUE(ipip_inner_parse(p, sizeof(p), &in)); /* trailing bytes are not part of it */
	CU_ASSERT_EQUAL(in.len, 36);
	CU_ASSERT_TRUE(in.df);
	CU_ASSERT_EQUAL(in.protocol, IPPROTO_ICMP);
	CU_ASSERT_EQUAL(in.src.s_addr, ip("10.9.0.5").s_addr);
	CU_ASSERT_EQUAL(in.dst.s_addr, ip("10.1.0.10").s_addr);
	for (size_t len = 0; len < 36; len++)
		HARNESS_AT(!ipip_inner_parse(echo, len, &in), "cut at %zu", len);
	p[0] = 0x65;
	CU_ASSERT_FALSE(ipip_inner_parse(p, 36, &in)); /* IPv6 */
	p[0] = 0x44;
	CU_ASSERT_FALSE(ipip_inner_parse(p, 36, &in)); /* header of 16 bytes */
	p[0] = 0x4f;
	CU_ASSERT_FALSE(ipip_inner_parse(p, 36, &in)); /* header longer than the packet */
	p[0] = 0x45;
	p[3] = 19;
	CU_ASSERT_FALSE(ipip_inner_parse(p, 36, &in)); /* packet shorter than its header */
}

static void test_loops(void)
{
	struct in_addr local = ip("198.51.100.21"), peer = ip("198.51.100.11");
	struct ipip_inner in = {.src = ip("10.9.0.5"), .dst = ip("10.1.0.10"), .protocol = IPPROTO_TCP};

	CU_ASSERT_FALSE(ipip_loops(&in, local, peer));
	in.src = peer;
	CU_ASSERT_TRUE(ipip_loops(&in, local, peer)); /* RFC 2003 4.4: from the tunnel's destination */
	in = (struct ipip_inner){.src = local, .dst = peer, .protocol = IPPROTO_IPIP};
	CU_ASSERT_TRUE(ipip_loops(&in, local, peer)); /* our own outer packet, routed into the tunnel */
	in.protocol = IPPROTO_ICMP;
	CU_ASSERT_FALSE(ipip_loops(&in, local, peer)); /* we speak with the far end itself */
}

/* RFC 6040 figure 4, rows inner, columns outer: 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE; -1 = drop. */
static void test_ecn(void)
{
	static const int want[4][4] = {{0, 0, 0, -1}, {1, 1, 1, 3}, {2, 1, 2, 3}, {3, 3, 3, 3}};

	for (int inner = 0; inner < 4; inner++) {
		for (int outer = 0; outer < 4; outer++) {
			uint8_t p[36];
			bool kept;
			uint16_t c;

			memcpy(p, echo, sizeof(p));
			p[1] = (uint8_t)(0xb8 | inner);
			p[10] = p[11] = 0;
			c = sum(p, 20);
			p[10] = (uint8_t)(c >> 8);
			p[11] = (uint8_t)c;
			kept = ipip_ecn_decap(p, (uint8_t)(0x28 | outer));
			HARNESS_AT(kept == (want[inner][outer] >= 0), "inner %d outer %d", inner, outer);
			if (kept)
				HARNESS_AT((p[1] & 3) == want[inner][outer] && (p[1] & 0xfc) == 0xb8,
					   "inner %d outer %d gives %02x", inner, outer, p[1]);
			HARNESS_AT(sum(p, 20) == 0, "checksum, inner %d outer %d", inner, outer);
		}
	}
}

static void test_too_big(void)
{
	uint8_t big[200] = {0}, out[IPIP_ICMP_MAX];
	struct ipip_inner in;
	size_t len;

	memcpy(big, echo, sizeof(echo));
	big[3] = sizeof(big);
	CU_ASSERT_TRUE_FATAL(ipip_inner_parse(big, sizeof(big), &in));
	len = ipip_too_big(big, &in, 1280, out);
	CU_ASSERT_EQUAL_FATAL(len, 8 + 68);
	CU_ASSERT_EQUAL(sum(out, len), 0);
	CU_ASSERT_EQUAL(out[0], 3);
	CU_ASSERT_EQUAL(out[1], 4);
	CU_ASSERT_EQUAL(out[6] << 8 | out[7], 1280);
	CU_ASSERT_EQUAL(memcmp(out + 8, big, 68), 0);
	CU_ASSERT_TRUE_FATAL(ipip_inner_parse(echo, sizeof(echo), &in));
	CU_ASSERT_EQUAL(ipip_too_big(echo, &in, 1280, out), 8 + 36); /* all of a short one */
}

/* RFC 1122 3.2.2: whom one must not answer. */
static void test_too_big_silence(void)
{
	uint8_t p[36], out[IPIP_ICMP_MAX];
	struct ipip_inner in;

	memcpy(p, echo, sizeof(p));
	p[20] = 3; /* an ICMP error */
	CU_ASSERT_TRUE(ipip_inner_parse(p, 36, &in));
	CU_ASSERT_EQUAL(ipip_too_big(p, &in, 1280, out), 0);
	memcpy(p, echo, sizeof(p));
	p[7] = 8; /* a later fragment */
	CU_ASSERT_TRUE(ipip_inner_parse(p, 36, &in));
	CU_ASSERT_EQUAL(ipip_too_big(p, &in, 1280, out), 0);
	memcpy(p, echo, sizeof(p));
	p[12] = 224;
	CU_ASSERT_TRUE(ipip_inner_parse(p, 36, &in));
	CU_ASSERT_EQUAL(ipip_too_big(p, &in, 1280, out), 0);
	memcpy(p, echo, sizeof(p));
	memset(p + 12, 0, 4);
	CU_ASSERT_TRUE(ipip_inner_parse(p, 36, &in));
	CU_ASSERT_EQUAL(ipip_too_big(p, &in, 1280, out), 0);
}

HARNESS_MAIN("nethelper/ipip", HARNESS_CASE(test_parse), HARNESS_CASE(test_loops), HARNESS_CASE(test_ecn),
	     HARNESS_CASE(test_too_big), HARNESS_CASE(test_too_big_silence))
