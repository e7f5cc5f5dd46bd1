/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Agent discovery and move detection, RFC 5944 sections 2.4 and 2.4.2: advertisement lifetime, and prefixes.
 */
#include "mn/mn_impl.h"

#include <string.h>

bool mn_agent_audible(const struct mn_agent *a, mn_ms now)
{
	return a->used && !a->gone && now < mn_agent_lapse(a);
}

mn_ms mn_agent_lapse(const struct mn_agent *a)
{
	return a->heard + a->lifetime_ms;
}

void mn_agent_challenge(struct mn_agent *a, const uint8_t *challenge, size_t len)
{
	if (len == 0 || len > sizeof(a->challenge))
		return;
	if (a->challenge_len == len && memcmp(a->challenge, challenge, len) == 0)
		return;
	memcpy(a->challenge, challenge, len);
	a->challenge_len = (uint8_t)len;
	a->challenge_used = false;
}

/* The slot of this agent, a free one, or the one that was silent for longest and is not spoken with. */
static struct mn_agent *slot_for(struct mn_agents *as, struct in_addr addr, const uint8_t mac[6], mn_ms now)
{
	struct mn_agent *best = NULL;

	for (size_t i = 0; i < MN_AGENTS_MAX; i++) {
		struct mn_agent *a = &as->list[i];

		if (a->used && a->addr.s_addr == addr.s_addr && memcmp(a->mac, mac, sizeof(a->mac)) == 0)
			return a;
		if (mn_agent_audible(a, now))
			continue;
		if (best == NULL || (best->used && (!a->used || a->heard < best->heard)))
			best = a;
	}
	return best;
}

/* RFC 5944 2.3.2: after 0xffff comes 256, so a fall below 256 is a reboot. */
static bool has_rebooted(const struct mn_agent *a, uint16_t sequence)
{
	return a->used && sequence < a->sequence && sequence < 256;
}

static bool is_home(const struct mn_config *c, struct in_addr home_address, const struct mip_adv *adv,
		    struct in_addr router)
{
	uint32_t mask;

	if (!(adv->flags & MIP_ADV_H) || home_address.s_addr == 0)
		return false;
	if (c->home_prefix.len > 0)
		return vpn_prefix_has(&c->home_prefix, router);
	if (adv->prefix_len == 0 || adv->prefix_len > 32)
		return false;
	mask = htonl(UINT32_MAX << (32 - adv->prefix_len));
	return ((home_address.s_addr ^ router.s_addr) & mask) == 0;
}

struct mn_agent *mn_agents_hear(struct mn_agents *as, const struct mn_config *c, struct in_addr home_address,
				const struct mn_event *e, mn_ms now, bool *rebooted)
{
	const struct mip_adv *adv = e->adv;
	struct in_addr addr = adv->has_router ? adv->router : e->from;
	struct mn_agent *a = slot_for(as, addr, e->mac, now);
	bool foreign = (adv->flags & MIP_ADV_F) != 0 && adv->n_coa > 0;

	*rebooted = false;
	if (a == NULL || (!foreign && !(adv->flags & MIP_ADV_H)))
		return NULL;
	*rebooted = has_rebooted(a, adv->sequence);
	if (!a->used || a->addr.s_addr != addr.s_addr || memcmp(a->mac, e->mac, sizeof(a->mac)) != 0)
		*a = (struct mn_agent){.used = true, .addr = addr};
	if (!mn_agent_audible(a, now)) /* it faded away, and is back */
		a->faded = false;
	memcpy(a->mac, e->mac, sizeof(a->mac));
	a->coa = foreign ? adv->coa[0] : (struct in_addr){0};
	a->flags = adv->flags;
	a->reg_lifetime = adv->reg_lifetime;
	a->sequence = adv->sequence;
	a->prefix_len = adv->prefix_len;
	a->home = is_home(c, home_address, adv, addr);
	a->lifetime_ms = adv->icmp_lifetime * 1000u;
	a->heard = now;
	a->gone = false;
	mn_agent_challenge(a, adv->challenge, adv->challenge_len);
	return a;
}

static bool usable(const struct mn_agent *a, mn_ms now)
{
	if (!mn_agent_audible(a, now))
		return false;
	return a->home || (a->coa.s_addr != 0 && !(a->flags & MIP_ADV_B));
}

/* An agent sends at least three times in its lifetime: one that missed a turn, while another is heard, is
 * left behind without waiting for the end of the lifetime. */
static bool missed_a_turn(const struct mn_agent *a, mn_ms now)
{
	return now - a->heard > a->lifetime_ms * 2 / 5;
}

bool mn_agent_well(const struct mn_agent *a, mn_ms now)
{
	return mn_agent_audible(a, now) && !missed_a_turn(a, now);
}

struct mn_agent *mn_agents_by_coa(struct mn_agents *as, struct in_addr coa)
{
	for (size_t i = 0; i < MN_AGENTS_MAX; i++)
		if (as->list[i].used && coa.s_addr != 0 && as->list[i].coa.s_addr == coa.s_addr)
			return &as->list[i];
	return NULL;
}

void mn_agents_gone(struct mn_agents *as)
{
	for (size_t i = 0; i < MN_AGENTS_MAX; i++) {
		as->list[i].gone = true;
		as->list[i].faded = false;
	}
}

/* What does not fade before what does, home before abroad, who was heard last. */
static bool better(const struct mn_agent *a, const struct mn_agent *b)
{
	if (b == NULL || a->faded != b->faded)
		return b == NULL || b->faded;
	return a->home != b->home ? a->home : a->heard > b->heard;
}

static struct mn_agent *best_of(struct mn_agents *as, const struct mn_agent *but, mn_ms now)
{
	struct mn_agent *best = NULL;

	for (size_t i = 0; i < MN_AGENTS_MAX; i++) {
		struct mn_agent *a = &as->list[i];

		if (a != but && usable(a, now) && better(a, best))
			best = a;
	}
	return best;
}

void mn_agents_fade(struct mn_agents *as, struct mn_agent *a, mn_ms now)
{
	struct mn_agent *other = best_of(as, a, now);

	if (other != NULL && other->faded) /* they all do: the latest news count */
		for (size_t i = 0; i < MN_AGENTS_MAX; i++)
			as->list[i].faded = false;
	if (a != NULL)
		a->faded = true;
}

struct mn_agent *mn_agents_choose(struct mn_agents *as, struct mn_agent *now_used, mn_ms now)
{
	struct mn_agent *best = best_of(as, NULL, now), *present = now_used;

	/* "Busy" keeps new nodes away, not those that are there (RFC 5944 2.3.1). */
	if (present == NULL || !mn_agent_audible(present, now) ||
	    (!present->home && present->coa.s_addr == 0))
		return best;
	if (best == NULL)
		return present;
	if (present->faded != best->faded)
		return present->faded ? best : present;
	if (present->home && !missed_a_turn(present, now))
		return present;
	return best->home || missed_a_turn(present, now) ? best : present;
}
