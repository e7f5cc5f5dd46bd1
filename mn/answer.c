/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a reply leads to.
 */
#include "mn/mn_impl.h"

#include <string.h>

#define BACKOFF_FIRST_MS 2000
#define QUICK_MAX 4 /* refusals that tell what to do better, in a row, without backoff */

static void take_keys(struct mn *mn, const struct mn_reply *r)
{
	if (r->ha.key.len > 0)
		mn->keys.ha = r->ha;
	if (r->fa.key.len > 0) {
		mn->keys.fa = r->fa;
		mn->keys.fa_coa = mn->agent->coa;
	} else if (r->fa_moved) {
		mn->keys.fa_coa = mn->agent->coa;
	} else if (mn->keys.fa_coa.s_addr != mn->agent->coa.s_addr) {
		mn_keys_forget_fa(mn);
	}
}

static void copy_message(struct mn_action *a, const struct mip_rrp *rrp)
{
	size_t n = rrp->message.len < sizeof(a->message) - 1 ? rrp->message.len : sizeof(a->message) - 1;

	for (size_t i = 0; i < n; i++) /* it goes to a terminal: no control characters */
		a->message[i] = rrp->message.data[i] < 0x20 || rrp->message.data[i] == 0x7f
					? '?'
					: (char)rrp->message.data[i];
}

static void registered(struct mn *mn, const struct mn_reply *r)
{
	uint16_t granted = r->rrp.lifetime < mn->attempt.lifetime ? r->rrp.lifetime : mn->attempt.lifetime;
	bool again = mn->registered && mn->reg_coa.s_addr == mn->agent->coa.s_addr;
	struct mn_action *a;

	mn->home_address = r->rrp.hoa;
	if (r->rrp.ha.s_addr != 0)
		mn->home_agent = r->rrp.ha;
	memcpy(mn->ha_nai, r->rrp.ha_nai, sizeof(mn->ha_nai));
	memcpy(mn->aaah_nai, r->rrp.aaah_nai, sizeof(mn->aaah_nai));
	take_keys(mn, r);
	mn->registered = true;
	mn->reg_coa = mn->agent->coa;
	mn->reg_expires = mn->now + granted * 1000u;
	mn->renew_at = mn->now + mn_jitter(mn, granted * 1000u * 2 / 3);
	mn->update &= !mn->attempt.update;
	if (mn->update) /* asked for meanwhile */
		mn->renew_at = mn->now;
	mn->backoff = mn->quick = 0;
	if (!again || !mn->attached ||
	    memcmp(mn->attached_mac, mn->agent->mac, sizeof(mn->attached_mac)) != 0)
		mn_attach(mn, false);
	a = mn_report(mn, again ? "renewed" : "registered", "%s at %s for %u s, home address %s",
		      again ? "renewed" : "registered", mn_ip(mn->agent->addr), granted,
		      mn_ip(mn->home_address));
	a->lifetime = granted;
	a->took_us = mn->now_us > mn->began_us ? mn->now_us - mn->began_us : 1;
	mn->began_us = 0;
	copy_message(a, &r->rrp); /* a VPN that is missing */
	if (mn->c.once)
		mn_end(mn, 0);
}

static void plan_retry(struct mn *mn, bool quick)
{
	mn_ms wait = (mn_ms)BACKOFF_FIRST_MS << (mn->backoff > 5 ? 5 : mn->backoff);

	if (quick && mn->quick++ < QUICK_MAX) {
		mn->next_attempt = mn->last_sent + MN_SPACING_MS;
		return;
	}
	mn->backoff++;
	mn->next_attempt = mn->now + mn_jitter(mn, wait < MN_BACKOFF_MAX_MS ? wait : MN_BACKOFF_MAX_MS);
}

static void deregistered(struct mn *mn)
{
	mn->registered = false;
	mn->backoff = mn->quick = 0;
	mn_report(mn, "deregistered", "deregistered");
	if (mn->stopping)
		mn_end(mn, 0);
	else if (mn->attempt.kind == MN_LEAVE_HOME)
		mn_come_home(mn);
	else /* it was asked for a registration and granted nothing */
		plan_retry(mn, false);
}

/* What a refusal tells us to do better at once.  false: nothing. */
static bool learn(struct mn *mn, const struct mn_reply *r)
{
	const struct mip_rrp *rrp = &r->rrp;

	switch (rrp->code) {
	case MIP_HA_IDENT: /* RFC 5944 5.7.1: the high half is the home agent's clock */
		if (!r->authentic)
			return false;
		mn->clock_offset_ms += mip_ident_diff_ms(rrp->ident >> 32 << 32, mn->last_ident);
		mn->last_ident = 0;
		return true;
	case MIP_FA_LIFETIME:
		mn->agent->lifetime_max = rrp->lifetime;
		return rrp->lifetime > 0 && rrp->lifetime < mn->attempt.lifetime;
	case MIP_FA_CHALLENGE_UNKNOWN:
	case MIP_FA_CHALLENGE_MISSING:
	case MIP_FA_CHALLENGE_STALE:
		if (mn->agent->challenge_used || mn->agent->challenge_len == 0)
			mn_act(mn, MN_SOLICIT);
		return true;
	case MIP_HA_UNKNOWN_HA: /* dynamic discovery, RFC 5944 3.6.1.2 */
		if (rrp->ha.s_addr == 0 || rrp->ha.s_addr == mn->home_agent.s_addr)
			return false;
		mn->home_agent = rrp->ha;
		return true;
	case MIP_FA_TUNNEL_MANDATORY:
	case MIP_HA_TUNNEL_MANDATORY:
		mn->agent->needs_tunnel = true;
		return !mn->tunnel;
	case MIP_FA_POOR_REQUEST: /* it may be that it does not know 96 */
		mn->agent->no_pfan = true;
		return mn->attempt.pfan_sent;
	case MIP_FA_MN_AUTH:
	case MIP_FA_NO_KEY:
	case MIP_HA_MN_AUTH:
		if ((mn->attempt.full && !mn->attempt.pfan_sent) || mn->c.aaa.key.len == 0)
			return false;
		mn_keys_forget(mn);
		return true;
	default:
		return false;
	}
}

static void refused(struct mn *mn, const struct mn_reply *r)
{
	bool quick = learn(mn, r) && mn->quick < QUICK_MAX;
	struct mn_action *a;

	a = mn_report(mn, "refused", "refused: %s (code %u)", mip_code_str(r->rrp.code), r->rrp.code);
	a->code = r->rrp.code;
	copy_message(a, &r->rrp);
	plan_retry(mn, quick);
	if (!quick)
		mn->agent->no_pfan = true;
	if (mn->attempt.kind == MN_LEAVE_FOREIGN && mn->stopping && !quick)
		mn_end(mn, 1);
	else if (mn->attempt.kind == MN_LEAVE_HOME && !quick && !mn->attached)
		mn_come_home(mn);
	else if (mn->c.once && !quick)
		mn_end(mn, 1);
}

void mn_answer(struct mn *mn, const uint8_t *data, size_t len)
{
	struct mn_reply r;
	const char *why;
	unsigned n;

	if (mn->agent == NULL || !mn_reply_pending(mn, data, len))
		return; /* nobody has been asked; or it is another's, or too late */
	why = mn_reply_check(mn, data, len, &r);
	if (why != NULL) {
		mn_report(mn, "rejected", "ignored a reply: %s", why); /* the right one may still come */
		goto out;
	}
	n = mn_reply_transmission(mn, (uint32_t)r.rrp.ident);
	if (r.rrp.code >= 64 && (n != mn->attempt.sent || !mn->attempt.active)) {
		mn_report(mn, "rejected", "ignored the refusal of a request that %s",
			  mn->attempt.active ? "a newer one replaces" : "has been accepted before");
		goto out;
	}
	mn->attempt.active = false;
	mn->attempt.answered = r.rrp.code < 64 ? n : 0;
	mn_agent_challenge(mn->agent, r.rrp.challenge.data, r.rrp.challenge.len);
	if (r.rrp.code >= 64)
		refused(mn, &r);
	else if (mn->attempt.lifetime == 0 || r.rrp.lifetime == 0)
		deregistered(mn);
	else
		registered(mn, &r);
out:
	crypto_wipe(&r, sizeof(r));
}

/* --- agents --- */
