/* SPDX-License-Identifier: BSD-3-Clause
 *
 * When a request is sent, and with what keys.
 */
#include "mn/mn_impl.h"

#define FIRST_RETRY_MS 1000 /* RFC 5944 3.6.3: not below 1 s, doubling */
#define RETRY_MAX_MS 64000  /* and never above the lifetime asked for */
#define EARLY_MAX 5	    /* requests in a row that need not wait for a second to pass */

static mn_ms retry_after(const struct mn *mn)
{
	mn_ms first = mn->c.retry_ms > FIRST_RETRY_MS ? mn->c.retry_ms : FIRST_RETRY_MS;
	mn_ms wait = first << (mn->attempt.sent > 7 ? 7 : mn->attempt.sent);
	mn_ms most = mn->attempt.lifetime > 0 ? mn->attempt.lifetime * 1000u : RETRY_MAX_MS;

	wait /= 2; /* sent counts the one just sent */
	if (wait > RETRY_MAX_MS)
		wait = RETRY_MAX_MS;
	return wait < most ? wait : most;
}

void mn_keys_forget_fa(struct mn *mn)
{
	crypto_wipe(&mn->keys.fa, sizeof(mn->keys.fa));
}

void mn_keys_forget(struct mn *mn)
{
	mn_keys_forget_fa(mn);
	crypto_wipe(&mn->keys.ha, sizeof(mn->keys.ha));
	mn->keys.ha = mn->c.ha;
}

static mn_ms debt(const struct mn *mn)
{
	mn_ms since = mn->now - mn->spent_at;

	return mn->spent > since ? mn->spent - since : 0;
}

mn_ms mn_attempt_earliest(const struct mn *mn)
{
	mn_ms spaced = mn->last_sent + MN_SPACING_MS;

	if (mn->arrived && debt(mn) <= (EARLY_MAX - 1) * MN_SPACING_MS)
		return mn->next_attempt;
	return mn->next_attempt > spaced ? mn->next_attempt : spaced;
}

/* One transmission; each has a new timestamp and so counts as a new registration. */
void mn_attempt_transmit(struct mn *mn)
{
	struct mn_action *a = mn_act(mn, MN_SEND);
	const char *why;

	if (!mn_request_build(mn, a, &why)) {
		mn->out->n--;
		mn->attempt.active = false;
		mn->next_attempt = mn->now + mn_jitter(mn, MN_BACKOFF_MAX_MS / 4);
		mn_report(mn, "error", "cannot register: %s", why);
		if (mn->c.once || mn->stopping)
			mn_end(mn, 1);
		return;
	}
	mn->attempt.sent++;
	mn->attempt.pfan_sent |= mn->attempt.pfan;
	mn->attempt.pfan = false; /* who does not know it is silent: the next try goes without */
	mn->spent = debt(mn) + MN_SPACING_MS;
	mn->spent_at = mn->last_sent = mn->now;
	mn->arrived = false;
	mn->attempt.next = mn->now + retry_after(mn);
}

static uint16_t wanted_lifetime(const struct mn *mn)
{
	const struct mn_agent *a = mn->agent;
	uint16_t most = mn->c.lifetime;

	if (a->reg_lifetime > 0 && a->reg_lifetime < most)
		most = a->reg_lifetime;
	if (a->lifetime_max > 0 && a->lifetime_max < most)
		most = a->lifetime_max;
	return most;
}

/* Keys that AAA made serve for renewals at the same foreign agent until they run out; else AAA is asked
 * again. */
static bool keys_serve(const struct mn *mn)
{
	mn_ms until = mn->now + mn->c.lifetime * 1000u;

	return mn->registered && mn->keys.ha.key.len > 0 && mn->keys.ha.expires >= until &&
	       mn->keys.fa.key.len > 0 && mn->keys.fa.expires >= until &&
	       mn->keys.fa_coa.s_addr == mn->agent->coa.s_addr;
}

/* The previous foreign agent's key proves the move, and can go with us (doc/moves.md). */
static bool can_notify(const struct mn *mn)
{
	const struct mn_keys *k = &mn->keys;

	return mn->c.smooth_handoff && mn->registered && !mn->agent->no_pfan &&
	       mn->reg_coa.s_addr != mn->agent->coa.s_addr && k->fa_coa.s_addr == mn->reg_coa.s_addr &&
	       k->fa.key.len > 0 && k->fa.expires > mn->now && k->ha.key.len > 0;
}

void mn_attempt_start(struct mn *mn, enum mn_kind kind)
{
	mn->attempt = (struct mn_attempt){.active = true, .kind = kind};
	if (kind == MN_REGISTER) {
		mn->attempt.lifetime = wanted_lifetime(mn);
		mn->attempt.update = mn->update;
		mn->attempt.full = mn->attempt.update || !keys_serve(mn);
		mn->attempt.pfan = can_notify(mn);
		if (mn->began_us == 0)
			mn->began_us = mn->now_us;
		mn->tunnel = mn->c.reverse_tunnel || mn->agent->needs_tunnel;
		mn_report(mn, "registering", "registering at %s%s", mn_ip(mn->agent->addr),
			  mn->registered && mn->reg_coa.s_addr == mn->agent->coa.s_addr ? " again" : "");
	} else {
		mn_report(mn, "deregistering", "deregistering at %s",
			  mn_ip(kind == MN_LEAVE_HOME ? mn->home_agent : mn->agent->addr));
	}
	mn_attempt_transmit(mn);
}
