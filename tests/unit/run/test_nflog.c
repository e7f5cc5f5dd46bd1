/* SPDX-License-Identifier: BSD-3-Clause
 *
 * NFLOG messages, built here as the kernel builds them: attributes around the first bytes of a packet.
 */
#include "agent/run/nflog.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/harness.h"

struct builder {
	uint8_t data[512];
	size_t len, message; /* message: where the present one begins */
};

static void attr(struct builder *b, uint16_t type, const void *value, size_t n)
{
	struct nlattr a = {.nla_len = (uint16_t)(sizeof(a) + n), .nla_type = type};
	uint32_t whole;

	memcpy(b->data + b->len, &a, sizeof(a));
	memcpy(b->data + b->len + sizeof(a), value, n);
	b->len += NLA_ALIGN(sizeof(a) + n);
	whole = (uint32_t)(b->len - b->message);
	memcpy(b->data + b->message, &whole, sizeof(whole));
}

static void message(struct builder *b, uint16_t type)
{
	struct nlmsghdr h = {.nlmsg_len = NLMSG_HDRLEN + sizeof(struct nfgenmsg), .nlmsg_type = type};

	b->message = b->len;
	memcpy(b->data + b->len, &h, sizeof(h));
	b->len += h.nlmsg_len;
}

static void packet(struct builder *b, uint8_t version, const char *src, const char *dst, size_t n)
{
	uint8_t ip[28] = {[0] = (uint8_t)(version << 4 | 5)};

	inet_pton(AF_INET, src, ip + 12);
	inet_pton(AF_INET, dst, ip + 16);
	message(b, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
	attr(b, NFULA_PREFIX, "odd", 3); /* to be passed over, padding and all */
	attr(b, NFULA_PAYLOAD, ip, n);
}

static void expect(const struct builder *b, size_t len, size_t *at, const char *src, const char *dst)
{
	char s[INET_ADDRSTRLEN], d[INET_ADDRSTRLEN];
	struct nflog_packet p;

	CU_ASSERT_TRUE_FATAL(nflog_next(b->data, len, at, &p));
	HARNESS_AT(strcmp(inet_ntop(AF_INET, &p.src, s, sizeof(s)), src) == 0 &&
			   strcmp(inet_ntop(AF_INET, &p.dst, d, sizeof(d)), dst) == 0,
		   "%s %s", s, d);
}

static void test_packets(void)
{
	struct builder b = {0};
	struct nflog_packet p;
	size_t at = 0;

	packet(&b, 4, "203.0.113.5", "10.1.0.15", 28);
	message(&b, NLMSG_DONE);
	packet(&b, 6, "203.0.113.6", "10.1.0.15", 28);
	packet(&b, 4, "203.0.113.7", "10.1.0.15", 19);
	packet(&b, 4, "203.0.113.8", "10.1.0.16", 20);
	expect(&b, b.len, &at, "203.0.113.5", "10.1.0.15");
	expect(&b, b.len, &at, "203.0.113.8", "10.1.0.16");
	CU_ASSERT_FALSE(nflog_next(b.data, b.len, &at, &p));
	CU_ASSERT_EQUAL(at, b.len);
}

/* In memory of just that size, for the sanitizers. */
static void test_truncated(void)
{
	struct builder b = {0};
	struct nflog_packet p;

	packet(&b, 4, "203.0.113.5", "10.1.0.15", 28);
	for (size_t len = 0; len < b.len; len++) {
		uint8_t *data = malloc(len + !len);
		size_t at = 0;

		memcpy(data, b.data, len);
		HARNESS_AT(!nflog_next(data, len, &at, &p) && at == len, "%zu bytes", len);
		free(data);
	}
}

static void test_lengths_that_lie(void)
{
	static const uint32_t lies[] = {0, 1, 15, 16, 17, 4096, UINT32_MAX};
	struct nflog_packet p;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct builder b = {0};
		uint16_t attr_lie = (uint16_t)lies[i];
		size_t at = 0;

		packet(&b, 4, "203.0.113.5", "10.1.0.15", 28);
		memcpy(b.data + NLMSG_HDRLEN + 4, &attr_lie, sizeof(attr_lie)); /* of the first attribute */
		HARNESS_AT(!nflog_next(b.data, b.len, &at, &p) && at == b.len, "attribute of %u", lies[i]);
		at = 0;
		memcpy(b.data, &lies[i], sizeof(lies[i]));
		HARNESS_AT(!nflog_next(b.data, b.len, &at, &p) && at == b.len, "message of %u", lies[i]);
	}
}

HARNESS_MAIN("run/nflog", HARNESS_CASE(test_packets), HARNESS_CASE(test_truncated),
	     HARNESS_CASE(test_lengths_that_lie))
