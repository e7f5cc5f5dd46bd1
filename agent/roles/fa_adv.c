/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Advertisements of the foreign agent, and the challenges in them (RFC 4721).
 *
 * A challenge is fresh for a mobile node when it is among the last challenge_window advertised, or was in the
 * last reply to this node, and the node has not used it nor a later one.  "Used" is noted only when the
 * request turned out to be authentic; what nobody could authenticate costs no memory and makes nothing stale
 * for others (RFC 4721 3.2).
 */
#include <string.h>

#include "agent/roles/fa_int.h"

static void rotate(struct fa *fa)
{
	struct fa_challenges *c = &fa->chal;

	c->seq++;
	crypto_random(c->c[c->seq % c->window], FA_CHALLENGE_LEN);
}

/* A new challenge for each advertisement of the first link; where none is sent unasked, one each second. */
static void rotate_alone(struct fa *fa, role_ms now)
{
	rotate(fa);
	role_heap_set(&fa->heap, &fa->chal.timer, now + 1000);
}

static void base_adv(const struct fa *fa, struct mip_adv *a)
{
	const struct fa_challenges *c = &fa->chal;

	*a = (struct mip_adv){.icmp_code = fa->cfg.icmp_code16 ? 16 : 0,
			      .icmp_lifetime = fa->cfg.adv_lifetime,
			      .reg_lifetime = fa->cfg.lifetime_max,
			      .flags = MIP_ADV_F,
			      .n_coa = 1,
			      .coa = {fa->cfg.coa}};
	if (fa->cfg.reverse_tunnel)
		a->flags |= MIP_ADV_T;
	if (fa->n_pending >= fa->cfg.pending_max || HASH_COUNT(fa->by_key) >= fa->cfg.visitors_max)
		a->flags |= MIP_ADV_B;
	if (fa->cfg.challenge) {
		a->challenge_len = FA_CHALLENGE_LEN;
		memcpy(a->challenge, c->c[c->seq % c->window], FA_CHALLENGE_LEN);
	}
}

static void beacon_start(struct fa *fa, size_t i, role_ms now)
{
	struct role_beacon *b = &fa->beacon[i];
	const struct fa_link *l = &fa->cfg.links[i];
	bool same = b->ifindex == l->ifindex;

	if (i >= fa->cfg.n_links) {
		role_heap_clear(&fa->heap, &b->timer);
		b->ifindex = 0;
		return;
	}
	b->timer.kind = FA_T_BEACON;
	b->addr = l->addr;
	b->prefix_len = l->prefix_len;
	b->ifindex = l->ifindex;
	if (!same)
		b->sequence = 0; /* mobile nodes of a new link see an agent that has started */
	if (fa->cfg.adv_interval_ms)
		role_heap_set(&fa->heap, &b->timer, now);
	else
		role_heap_clear(&fa->heap, &b->timer);
}

void fa_adv_start(struct fa *fa, role_ms now)
{
	struct fa_challenges *c = &fa->chal;

	if (c->window != fa->cfg.challenge_window) {
		c->window = fa->cfg.challenge_window;
		for (unsigned i = 0; i < c->window; i++)
			rotate(fa);
	}
	c->timer.kind = FA_T_CHALLENGE;
	if (fa->cfg.challenge && !(fa->cfg.adv_interval_ms && fa->cfg.n_links))
		rotate_alone(fa, now);
	else
		role_heap_clear(&fa->heap, &c->timer);
	for (size_t i = 0; i < FA_LINKS_MAX; i++)
		beacon_start(fa, i, now);
}

void fa_adv_due(struct fa *fa, struct role_timer *t, role_ms now, struct actions *out)
{
	struct role_beacon *b;
	struct mip_adv a;

	if (t->kind == FA_T_CHALLENGE) {
		rotate_alone(fa, now);
		return;
	}
	b = ROLE_OF(t, struct role_beacon);
	if (b == &fa->beacon[0])
		rotate(fa);
	base_adv(fa, &a);
	role_beacon_send(b, &a, NULL, out);
	role_heap_set(&fa->heap, t, role_beacon_next(now, fa->cfg.adv_interval_ms));
}

void fa_solicit(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out)
{
	struct mip_adv a;

	for (size_t i = 0; i < fa->cfg.n_links; i++) {
		struct role_beacon *b = &fa->beacon[i];

		if (b->ifindex != e->path.ifindex || !role_beacon_may_answer(b, now))
			continue;
		base_adv(fa, &a);
		role_beacon_send(b, &a, &e->path, out);
	}
}

/* Challenge of one mobile node for number s, for those that we keep no entry of: nothing to remember,
 * nobody else's. */
static void own_challenge(const struct fa *fa, const char *key, uint32_t s, uint8_t out[FA_CHALLENGE_LEN])
{
	uint8_t in[sizeof(s) + MIP_NAI_MAX + 1], mac[CRYPTO_MAC_MAX] = {0};
	size_t len = strlen(key);

	len = len > MIP_NAI_MAX ? MIP_NAI_MAX : len;
	memcpy(in, &s, sizeof(s));
	memcpy(in + sizeof(s), key, len);
	crypto_mac(CRYPTO_HMAC_SHA256, fa->chal.secret, sizeof(fa->chal.secret), in, sizeof(s) + len, mac);
	memcpy(out, mac, FA_CHALLENGE_LEN);
}

/* Order of use: 2 s for the one advertised as number s, 2 s + 1 for the node's own of that time; 0 = none
 * of ours. */
static uint32_t challenge_order(const struct fa *fa, const char *key, const uint8_t *data)
{
	const struct fa_challenges *c = &fa->chal;
	uint8_t own[FA_CHALLENGE_LEN];

	for (uint32_t s = c->seq; s > 0 && s + c->window > c->seq; s--) {
		if (crypto_equal(c->c[s % c->window], data, FA_CHALLENGE_LEN))
			return 2 * s;
		own_challenge(fa, key, s, own);
		if (crypto_equal(own, data, FA_CHALLENGE_LEN))
			return 2 * s + 1;
	}
	return 0;
}

static uint32_t last_used(const struct fa *fa, const char *key)
{
	uint64_t h = role_hash(key, strlen(key), fa->chal.seed);
	size_t i = h % FA_SEEN;

	return fa->chal.seen[i].mn == h ? fa->chal.seen[i].order : 0;
}

enum fa_challenge_state fa_challenge_look(const struct fa *fa, const struct fa_visitor *v, const char *key,
					  struct mip_bytes c)
{
	uint32_t order;

	if (c.len != FA_CHALLENGE_LEN)
		return FA_CH_UNKNOWN;
	if (v && v->used_any && crypto_equal(v->used, c.data, FA_CHALLENGE_LEN))
		return FA_CH_STALE;
	if (v && v->offered && crypto_equal(v->offer, c.data, FA_CHALLENGE_LEN))
		return FA_CH_FRESH;
	order = challenge_order(fa, key, c.data);
	if (!order)
		return FA_CH_UNKNOWN;
	return order <= last_used(fa, key) ? FA_CH_STALE : FA_CH_FRESH;
}

void fa_challenge_used(struct fa *fa, struct fa_visitor *v, const char *key, const uint8_t *c, size_t len)
{
	uint64_t h = role_hash(key, strlen(key), fa->chal.seed);
	uint32_t order = len == FA_CHALLENGE_LEN ? challenge_order(fa, key, c) : 0;

	if (order > last_used(fa, key)) {
		fa->chal.seen[h % FA_SEEN].mn = h;
		fa->chal.seen[h % FA_SEEN].order = order;
	}
	if (v && len == FA_CHALLENGE_LEN) {
		memcpy(v->used, c, len);
		v->used_any = true;
		if (v->offered && crypto_equal(v->offer, c, len))
			v->offered = false;
	}
}

bool fa_challenge_offer(struct fa *fa, struct fa_visitor *v, const char *key, bool renew,
			uint8_t out[FA_CHALLENGE_LEN])
{
	const struct fa_challenges *c = &fa->chal;

	if (!fa->cfg.challenge)
		return false;
	if (v && renew) {
		v->offered = crypto_random(v->offer, FA_CHALLENGE_LEN) == 0;
		memcpy(out, v->offer, FA_CHALLENGE_LEN);
		return v->offered;
	}
	if (2 * c->seq > last_used(fa, key))
		memcpy(out, c->c[c->seq % c->window], FA_CHALLENGE_LEN);
	else
		own_challenge(fa, key, c->seq, out);
	return true;
}
