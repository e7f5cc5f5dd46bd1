/* SPDX-License-Identifier: BSD-3-Clause */
#include "agent/mip/mip.h"
#include "agent/mip/wire.h"
#include "tests/unit/harness.h"
#include "tests/unit/mip/message.h"
#include "tests/unit/mip/vectors.h"

static void test_udp(void)
{
	struct mip_ip p;

	CU_ASSERT_EQUAL(mip_ip_decode(udp_packet, sizeof(udp_packet), &p), MIP_REJ_OK);
	CU_ASSERT_EQUAL(p.src.s_addr, htonl(0x0a020107));
	CU_ASSERT_EQUAL(p.dst.s_addr, htonl(0x0a020101));
	CU_ASSERT_EQUAL(p.ttl, 255);
	CU_ASSERT_EQUAL(p.proto, IPPROTO_UDP);
	CU_ASSERT_EQUAL(p.sport, 5000);
	CU_ASSERT_EQUAL(p.dport, 434);
	CU_ASSERT_EQUAL(p.payload_len, 5);
	CU_ASSERT_EQUAL(memcmp(p.payload, "hello", 5), 0);
}

static void test_not_udp(void)
{
	struct mip_ip p;

	CU_ASSERT_EQUAL(mip_ip_decode(icmp_packet, sizeof(icmp_packet), &p), MIP_REJ_OK);
	CU_ASSERT_EQUAL(p.proto, IPPROTO_ICMP);
	CU_ASSERT_EQUAL(p.payload_len, sizeof(icmp_packet) - 20);
	CU_ASSERT_EQUAL(p.sport, 0);
}

static void test_put_gives_the_vector(void)
{
	struct mip_ip p;
	struct wbuf *w = message_new();

	CU_ASSERT_EQUAL(mip_ip_decode(udp_packet, sizeof(udp_packet), &p), MIP_REJ_OK);
	mip_ip_put(w, &p, 0x1234);
	CU_ASSERT_EQUAL(w->len, sizeof(udp_packet));
	CU_ASSERT_EQUAL(memcmp(w->base, udp_packet, sizeof(udp_packet)), 0);
	w = message_new();
	CU_ASSERT_EQUAL(mip_ip_decode(icmp_packet, sizeof(icmp_packet), &p), MIP_REJ_OK);
	mip_ip_put(w, &p, 0x1234);
	CU_ASSERT_EQUAL(w->len, sizeof(icmp_packet));
	CU_ASSERT_EQUAL(memcmp(w->base, icmp_packet, sizeof(icmp_packet)), 0);
}

/* Behind other bytes: the sums are those of the packet alone. */
static void test_put_behind_other_bytes(void)
{
	struct mip_ip p;
	struct wbuf *w = message_new();

	CU_ASSERT_EQUAL(mip_ip_decode(udp_packet, sizeof(udp_packet), &p), MIP_REJ_OK);
	wbuf_bytes(w, "head", 4);
	mip_ip_put(w, &p, 0x1234);
	CU_ASSERT_EQUAL(memcmp(w->base + 4, udp_packet, sizeof(udp_packet)), 0);
}

static void test_truncated_at_every_length(void)
{
	for (size_t n = 0; n < sizeof(udp_packet); n++) {
		uint8_t *copy = malloc(n ? n : 1);
		struct mip_ip p;

		CU_ASSERT_FATAL(copy != NULL);
		memcpy(copy, udp_packet, n);
		HARNESS_AT(mip_ip_decode(copy, n, &p) == MIP_REJ_TRUNCATED, "%zu", n);
		free(copy);
	}
}

static void test_every_bit_is_checked(void)
{
	for (size_t i = 0; i < sizeof(udp_packet); i++) {
		uint8_t copy[sizeof(udp_packet)];
		struct mip_ip p;

		memcpy(copy, udp_packet, sizeof(copy));
		copy[i] ^= 0x04;
		HARNESS_AT(mip_ip_decode(copy, sizeof(copy), &p) != MIP_REJ_OK, "byte %zu", i);
	}
}

/* A byte or two changed, with the header checksum made right again. */
static const struct {
	const char *name;
	size_t at;
	uint16_t value;
	enum mip_reject want;
} table[] = {
	{"nothing", 4, 0x1234, MIP_REJ_OK},
	{"version 6", 0, 0x6500, MIP_REJ_HEADER},
	{"short header", 0, 0x4400, MIP_REJ_HEADER},
	{"header behind the end", 0, 0x4f00, MIP_REJ_TRUNCATED},
	{"total behind the end", 2, 34, MIP_REJ_TRUNCATED},
	{"total within the header", 2, 19, MIP_REJ_HEADER},
	{"total within UDP", 2, 27, MIP_REJ_TRUNCATED},
	{"don't fragment", 6, 0x4000, MIP_REJ_OK},
	{"more fragments", 6, 0x2000, MIP_REJ_HEADER},
	{"a later fragment", 6, 0x0001, MIP_REJ_HEADER},
	{"UDP longer than IP", 24, 14, MIP_REJ_TRUNCATED},
	{"UDP shorter than its header", 24, 7, MIP_REJ_HEADER},
	{"UDP checksum zero", 26, 0, MIP_REJ_OK},
	{"UDP checksum wrong", 26, 1, MIP_REJ_CHECKSUM},
};

static void test_every_reject(void)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t copy[sizeof(udp_packet)];
		struct mip_ip p;
		struct wbuf w;
		enum mip_reject rej;

		memcpy(copy, udp_packet, sizeof(copy));
		wbuf_init(&w, copy, sizeof(copy));
		w.len = sizeof(copy);
		wbuf_patch_u16(&w, table[i].at, table[i].value);
		wbuf_patch_u16(&w, 10, 0);
		wbuf_patch_u16(&w, 10, mip_sum_fold(mip_sum(0, copy, 20)));
		rej = mip_ip_decode(copy, sizeof(copy), &p);
		HARNESS_AT(rej == table[i].want, "%s: %s", table[i].name, mip_reject_str(rej));
	}
}

static void test_frame_padding_is_not_payload(void)
{
	uint8_t frame[60] = {0};
	struct mip_ip p;

	memcpy(frame, udp_packet, sizeof(udp_packet));
	CU_ASSERT_EQUAL(mip_ip_decode(frame, sizeof(frame), &p), MIP_REJ_OK);
	CU_ASSERT_EQUAL(p.payload_len, 5);
}

/* A sum of zero is sent as 0xffff (RFC 768), and is right. */
static void test_udp_sum_zero(void)
{
	uint8_t data[2] = {0, 0};
	struct mip_ip p = {.src = TEST_HOA,
			   .dst = TEST_HA,
			   .ttl = 1,
			   .proto = IPPROTO_UDP,
			   .sport = 1,
			   .dport = 434,
			   .payload = data,
			   .payload_len = 2},
		      q;
	struct wbuf *w = message_new();
	uint16_t sum;

	mip_ip_put(w, &p, 0);
	sum = (uint16_t)(w->base[26] << 8 | w->base[27]);
	data[0] = (uint8_t)(sum >> 8);
	data[1] = (uint8_t)sum;
	w = message_new();
	mip_ip_put(w, &p, 0);
	CU_ASSERT_EQUAL(w->base[26], 0xff);
	CU_ASSERT_EQUAL(w->base[27], 0xff);
	CU_ASSERT_EQUAL(mip_ip_decode(w->base, w->len, &q), MIP_REJ_OK);
}

static void test_too_long_to_put(void)
{
	static uint8_t big[70000], mem[80000];
	struct mip_ip p = {.proto = IPPROTO_UDP, .payload = big, .payload_len = 65535 - 27};
	struct wbuf w;

	wbuf_init(&w, mem, sizeof(mem));
	mip_ip_put(&w, &p, 0);
	CU_ASSERT_FALSE(wbuf_ok(&w));
	p.payload_len--;
	wbuf_init(&w, mem, sizeof(mem));
	mip_ip_put(&w, &p, 0);
	CU_ASSERT_TRUE(wbuf_ok(&w));
	CU_ASSERT_EQUAL(w.len, 65535);
}

HARNESS_MAIN("mip/ip", HARNESS_CASE(test_udp), HARNESS_CASE(test_not_udp),
	     HARNESS_CASE(test_put_gives_the_vector), HARNESS_CASE(test_put_behind_other_bytes),
	     HARNESS_CASE(test_truncated_at_every_length), HARNESS_CASE(test_every_bit_is_checked),
	     HARNESS_CASE(test_every_reject), HARNESS_CASE(test_frame_padding_is_not_payload),
	     HARNESS_CASE(test_udp_sum_zero), HARNESS_CASE(test_too_long_to_put))
