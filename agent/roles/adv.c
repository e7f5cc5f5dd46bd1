/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Agent advertisements of both roles (RFC 5944 2.1-2.3): on a timer with jitter, and in answer to
 * solicitations, the latter limited so that a flood of solicitations makes no flood of answers.
 */
#include "agent/roles/role_int.h"

#define ALL_NODES 0xe0000001u /* 224.0.0.1 */
#define ANSWER_BURST 5
#define ANSWER_MS 100 /* one more credit every 100 ms */

role_ms role_beacon_next(role_ms now, uint32_t interval_ms)
{
	uint32_t noise = 0;

	crypto_random(&noise, sizeof(noise));
	return now + interval_ms - (interval_ms / 8 ? noise % (interval_ms / 8) : 0);
}

bool role_beacon_may_answer(struct role_beacon *b, role_ms now)
{
	role_ms more = (now - b->credit_at) / ANSWER_MS;

	if (more) {
		b->credit = (uint8_t)(b->credit + more > ANSWER_BURST ? ANSWER_BURST : b->credit + more);
		b->credit_at = now;
	}
	if (!b->credit) {
		role_count("adv", "solicit_limited");
		return false;
	}
	b->credit--;
	return true;
}

static struct role_path beacon_path(const struct role_beacon *b, const struct role_path *to)
{
	struct role_path p = {.ifindex = b->ifindex,
			      .mac = {1, 0, 0x5e, 0, 0, 1},
			      .src = b->addr,
			      .dst = {htonl(ALL_NODES)},
			      .ttl = 1};

	if (to && !role_any_addr(to->src)) {
		p.dst = to->src;
		for (int i = 0; i < 6; i++)
			p.mac[i] = to->mac[i];
	}
	return p;
}

void role_beacon_send(struct role_beacon *b, const struct mip_adv *base, const struct role_path *to,
		      struct actions *out)
{
	uint8_t mem[512];
	struct wbuf w;
	struct mip_adv a = *base;
	struct role_path p = beacon_path(b, to);

	a.router = b->addr;
	a.has_router = true;
	a.prefix_len = b->prefix_len;
	a.sequence = b->sequence;
	b->sequence = b->sequence == 0xffff ? 0x100 : (uint16_t)(b->sequence + 1); /* 0..255 tell a restart */
	wbuf_init(&w, mem, sizeof(mem));
	mip_adv_put(&w, &a);
	role_send(out, &p, IPPROTO_ICMP, &w);
}
