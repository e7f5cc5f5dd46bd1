/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Decisions.  Everything goes through settle() at the end of each event: given who is heard, what is
 * registered and what is being tried, what is to be done now?
 */
#include "mn/mn_impl.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_RETRY_MS 1000 /* RFC 5944 3.6.3: not below 1 s, doubling */
#define RETRY_MAX_MS 64000  /* and never above the lifetime asked for */
#define SPACING_MS 1000	    /* at most one request per second */
#define BACKOFF_FIRST_MS 2000
#define BACKOFF_MAX_MS 64000
#define QUICK_MAX 4 /* refusals that tell what to do better, in a row, without backoff */
#define LEAVE_TRIES 3
#define HOME_TRIES 4 /* then the home link is used, whatever the home agent says */
#define SOLICIT_FIRST_MS 1000
#define SOLICIT_MAX_MS 60000

/* --- actions --- */

static struct mn_action *act(struct mn *mn, enum mn_action_type type)
{
	static struct mn_action spill; /* more than an event can cause; written, never read */
	struct mn_action *a = mn->out->n < MN_ACTIONS_MAX ? &mn->out->a[mn->out->n++] : &spill;

	memset(a, 0, sizeof(*a));
	a->type = type;
	a->code = -1;
	return a;
}

/* A line for the user, with what is known at this moment. */
__attribute__((format(printf, 3, 4))) static struct mn_action *report(struct mn *mn, const char *event,
								      const char *fmt, ...)
{
	struct mn_action *a = act(mn, MN_REPORT);
	va_list ap;

	a->event = event;
	if (mn->agent != NULL) {
		a->agent = mn->agent->addr;
		a->coa = mn->agent->coa;
	}
	a->home_address = mn->home_address;
	a->home_agent = mn->home_agent;
	va_start(ap, fmt);
	vsnprintf(a->text, sizeof(a->text), fmt, ap);
	va_end(ap);
	return a;
}

static const char *ip(struct in_addr a)
{
	static char text[4][INET_ADDRSTRLEN];
	static unsigned at;
	char *t = text[at++ % 4];

	return inet_ntop(AF_INET, &a, t, INET_ADDRSTRLEN);
}

static void end(struct mn *mn, int status)
{
	if (mn->ended)
		return;
	mn->ended = true;
	if (mn->attached && !(mn->c.once && status == 0))
		act(mn, MN_DETACH);
	act(mn, MN_END)->status = status;
}

static mn_ms jitter(struct mn *mn, mn_ms ms) /* 75 .. 125 % */
{
	return ms * 3 / 4 + mn_random(mn) % (ms / 2 + 1);
}

/* --- requests --- */

static mn_ms retry_after(const struct mn *mn)
{
	mn_ms wait = (mn_ms)FIRST_RETRY_MS << (mn->attempt.sent > 7 ? 7 : mn->attempt.sent);
	mn_ms most = mn->attempt.lifetime > 0 ? mn->attempt.lifetime * 1000u : RETRY_MAX_MS;

	wait /= 2; /* sent counts the one just sent */
	if (wait > RETRY_MAX_MS)
		wait = RETRY_MAX_MS;
	return wait < most ? wait : most;
}

static void forget_fa_key(struct mn *mn)
{
	crypto_wipe(&mn->keys.fa, sizeof(mn->keys.fa));
}

static void forget_made_keys(struct mn *mn)
{
	forget_fa_key(mn);
	crypto_wipe(&mn->keys.ha, sizeof(mn->keys.ha));
	mn->keys.ha = mn->c.ha;
}

/* One transmission; each has a new timestamp and so counts as a new registration. */
static void transmit(struct mn *mn)
{
	struct mn_action *a = act(mn, MN_SEND);
	const char *why;

	if (!mn_request_build(mn, a, &why)) {
		mn->out->n--;
		mn->attempt.active = false;
		mn->next_attempt = mn->now + jitter(mn, BACKOFF_MAX_MS / 4);
		report(mn, "error", "cannot register: %s", why);
		if (mn->c.once || mn->stopping)
			end(mn, 1);
		return;
	}
	mn->attempt.sent++;
	mn->last_sent = mn->now;
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

static void start_attempt(struct mn *mn, enum mn_kind kind)
{
	mn->attempt = (struct mn_attempt){.active = true, .kind = kind};
	if (kind == MN_REGISTER) {
		mn->attempt.lifetime = wanted_lifetime(mn);
		mn->attempt.full = !keys_serve(mn);
		mn->tunnel = mn->c.reverse_tunnel || mn->agent->needs_tunnel;
		report(mn, "registering", "registering at %s%s", ip(mn->agent->addr),
		       mn->registered && mn->reg_coa.s_addr == mn->agent->coa.s_addr ? " again" : "");
	} else {
		report(mn, "deregistering", "deregistering at %s",
		       ip(kind == MN_LEAVE_HOME ? mn->home_agent : mn->agent->addr));
	}
	transmit(mn);
}

/* --- the interface --- */

static void attach(struct mn *mn, bool home)
{
	struct mn_action *a = act(mn, MN_ATTACH);

	a->home = home;
	a->home_address = mn->home_address;
	a->prefix_len = 32;
	if (home && mn->c.home_prefix.len > 0)
		a->prefix_len = mn->c.home_prefix.len;
	else if (home && mn->agent->prefix_len <= 32)
		a->prefix_len = mn->agent->prefix_len;
	a->agent = mn->agent->addr;
	memcpy(a->mac, mn->agent->mac, sizeof(a->mac));
	memcpy(mn->attached_mac, mn->agent->mac, sizeof(mn->attached_mac));
	mn->attached = true;
	mn->at_home = home;
}

static void come_home(struct mn *mn)
{
	mn->registered = false;
	forget_made_keys(mn);
	attach(mn, true);
	act(mn, MN_ANNOUNCE)->home_address = mn->home_address;
	report(mn, "home", "at home, home address %s", ip(mn->home_address));
	if (mn->c.once)
		end(mn, 0);
}

static void detach(struct mn *mn)
{
	if (mn->attached)
		act(mn, MN_DETACH);
	mn->attached = false;
	mn->at_home = false;
}

/* --- replies --- */

static void take_keys(struct mn *mn, const struct mn_reply *r)
{
	if (r->ha.key.len > 0)
		mn->keys.ha = r->ha;
	if (r->fa.key.len > 0) {
		mn->keys.fa = r->fa;
		mn->keys.fa_coa = mn->agent->coa;
	} else if (mn->keys.fa_coa.s_addr != mn->agent->coa.s_addr) {
		forget_fa_key(mn);
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
	mn->renew_at = mn->now + jitter(mn, granted * 1000u * 2 / 3);
	mn->backoff = mn->quick = 0;
	if (!again || !mn->attached ||
	    memcmp(mn->attached_mac, mn->agent->mac, sizeof(mn->attached_mac)) != 0)
		attach(mn, false);
	a = report(mn, again ? "renewed" : "registered", "%s at %s for %u s, home address %s",
		   again ? "renewed" : "registered", ip(mn->agent->addr), granted, ip(mn->home_address));
	a->lifetime = granted;
	copy_message(a, &r->rrp); /* a VPN that is missing */
	if (mn->c.once)
		end(mn, 0);
}

static void plan_retry(struct mn *mn, bool quick)
{
	mn_ms wait = (mn_ms)BACKOFF_FIRST_MS << (mn->backoff > 5 ? 5 : mn->backoff);

	if (quick && mn->quick++ < QUICK_MAX) {
		mn->next_attempt = mn->last_sent + SPACING_MS;
		return;
	}
	mn->backoff++;
	mn->next_attempt = mn->now + jitter(mn, wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS);
}

static void deregistered(struct mn *mn)
{
	mn->registered = false;
	mn->backoff = mn->quick = 0;
	report(mn, "deregistered", "deregistered");
	if (mn->stopping)
		end(mn, 0);
	else if (mn->attempt.kind == MN_LEAVE_HOME)
		come_home(mn);
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
			act(mn, MN_SOLICIT);
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
	case MIP_FA_MN_AUTH:
	case MIP_FA_NO_KEY:
	case MIP_HA_MN_AUTH:
		if (mn->attempt.full || mn->c.aaa.key.len == 0)
			return false;
		forget_made_keys(mn);
		return true;
	default:
		return false;
	}
}

static void refused(struct mn *mn, const struct mn_reply *r)
{
	bool quick = learn(mn, r) && mn->quick < QUICK_MAX;
	struct mn_action *a;

	a = report(mn, "refused", "refused: %s (code %u)", mip_code_str(r->rrp.code), r->rrp.code);
	a->code = r->rrp.code;
	copy_message(a, &r->rrp);
	plan_retry(mn, quick);
	if (mn->attempt.kind == MN_LEAVE_FOREIGN && mn->stopping && !quick)
		end(mn, 1);
	else if (mn->attempt.kind == MN_LEAVE_HOME && !quick && !mn->attached)
		come_home(mn);
	else if (mn->c.once && !quick)
		end(mn, 1);
}

static uint32_t newest_ident(const struct mn *mn)
{
	return mn->attempt.idents[(mn->attempt.sent - 1) % MN_IDENTS];
}

static void on_reply(struct mn *mn, const uint8_t *data, size_t len)
{
	struct mn_reply r;
	const char *why;

	if (!mn_reply_pending(mn, data, len))
		return; /* of another, or too late */
	why = mn_reply_check(mn, data, len, &r);
	if (why != NULL) {
		report(mn, "rejected", "ignored a reply: %s", why); /* the right one may still come */
		goto out;
	}
	if (r.rrp.code >= 64 && (uint32_t)r.rrp.ident != newest_ident(mn)) {
		report(mn, "rejected", "ignored the refusal of a request that a newer one replaces");
		goto out;
	}
	mn->attempt.active = false;
	if (mn->agent != NULL)
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

static void use_agent(struct mn *mn, struct mn_agent *a)
{
	struct mn_agent *old = mn->agent;

	mn->agent = a;
	mn->attempt.active = false;
	mn->next_attempt = mn->now;
	mn->renew_at = mn->now;
	mn->backoff = mn->quick = mn->solicits = 0;
	if (a == NULL) {
		report(mn, "lost", "no mobility agent is heard any more")->agent = old->addr;
		mn->next_solicit = mn->now;
		return;
	}
	if (a->home)
		report(mn, "agent", "heard the home agent %s", ip(a->addr));
	else
		report(mn, old != NULL ? "moved" : "agent", "%s foreign agent %s, care-of address %s",
		       old != NULL ? "moved to" : "heard", ip(a->addr), ip(a->coa));
}

static void on_advertisement(struct mn *mn, const struct mn_event *e)
{
	bool rebooted;
	struct mn_agent *a = mn_agents_hear(&mn->agents, &mn->c, mn->home_address, e, mn->now, &rebooted);

	if (a == NULL || a != mn->agent || !rebooted || a->home)
		return;
	report(mn, "agent", "foreign agent %s has started anew", ip(a->addr));
	forget_fa_key(mn);
	mn->attempt.active = false;
	mn->next_attempt = mn->now;
	mn->renew_at = mn->now;
}

static void solicit(struct mn *mn)
{
	mn_ms wait = (mn_ms)SOLICIT_FIRST_MS << (mn->solicits > 6 ? 6 : mn->solicits);

	if (mn->solicits++ == 0)
		report(mn, "searching", "searching for a mobility agent");
	act(mn, MN_SOLICIT);
	mn->next_solicit = mn->now + jitter(mn, wait < SOLICIT_MAX_MS ? wait : SOLICIT_MAX_MS);
}

/* --- what is to be done --- */

static void settle_expiry(struct mn *mn)
{
	if (!mn->registered || mn->now < mn->reg_expires)
		return;
	mn->registered = false;
	forget_made_keys(mn);
	if (!mn->at_home)
		detach(mn);
	report(mn, "expired", "the registration has run out");
}

static void settle_home(struct mn *mn)
{
	if (mn->attempt.active) {
		if (mn->now < mn->attempt.next)
			return;
		if (mn->attempt.sent == HOME_TRIES && !mn->at_home)
			report(mn, "unanswered", "the home agent does not answer");
		transmit(mn);
		return;
	}
	if (!mn->registered) {
		if (!mn->at_home)
			come_home(mn);
	} else if (mn->now >= mn->next_attempt) {
		detach(mn); /* the foreign network's routes lead nowhere here */
		start_attempt(mn, MN_LEAVE_HOME);
	}
}

static void settle_foreign(struct mn *mn)
{
	bool due = !mn->registered || mn->reg_coa.s_addr != mn->agent->coa.s_addr || mn->now >= mn->renew_at;

	if (mn->at_home)
		detach(mn);
	if (mn->attempt.active) {
		if (mn->now < mn->attempt.next)
			return;
		if (mn->attempt.sent == 3)
			report(mn, "unanswered", "%s does not answer", ip(mn->agent->addr));
		if (mn->attempt.sent >= 3) /* it may have lost our keys */
			mn->attempt.full = true;
		transmit(mn);
	} else if (due && mn->now >= mn->next_attempt && mn->now >= mn->last_sent + SPACING_MS) {
		start_attempt(mn, MN_REGISTER);
	}
}

static void settle_stopping(struct mn *mn)
{
	struct mn_attempt *t = &mn->attempt;

	if (!mn->registered || mn->agent == NULL) {
		if (mn->registered)
			report(mn, "unanswered", "cannot deregister: no agent is heard");
		end(mn, mn->registered ? 1 : 0);
	} else if (!t->active || t->kind == MN_REGISTER) {
		if (mn->now >= mn->last_sent + SPACING_MS)
			start_attempt(mn, mn->agent->home ? MN_LEAVE_HOME : MN_LEAVE_FOREIGN);
	} else if (mn->now >= t->next && t->sent < LEAVE_TRIES) {
		transmit(mn);
	} else if (mn->now >= t->next) {
		report(mn, "unanswered", "the deregistration was not answered");
		end(mn, 1);
	}
}

static void settle_once(struct mn *mn)
{
	if (!mn->c.once || mn->ended || mn->now < mn->once_until)
		return;
	report(mn, "unanswered", mn->agent == NULL ? "no mobility agent is heard" : "no answer in time");
	end(mn, 1);
}

static void settle(struct mn *mn)
{
	struct mn_agent *best = mn_agents_choose(&mn->agents, mn->agent, mn->now);

	settle_once(mn);
	if (mn->ended)
		return;
	settle_expiry(mn);
	if (best != mn->agent)
		use_agent(mn, best);
	if (mn->stopping)
		settle_stopping(mn);
	else if (mn->agent == NULL && mn->now >= mn->next_solicit)
		solicit(mn);
	else if (mn->agent != NULL && mn->agent->home)
		settle_home(mn);
	else if (mn->agent != NULL)
		settle_foreign(mn);
}

/* --- outside --- */

void mn_event(struct mn *mn, const struct mn_event *e, mn_ms now, struct mn_actions *out)
{
	out->n = 0;
	if (mn->ended)
		return;
	mn->out = out;
	mn->now = now;
	mn->wall_ms = e->wall_ms;
	if (e->type == MN_EV_ADVERTISEMENT) {
		on_advertisement(mn, e);
	} else if (e->type == MN_EV_REPLY) {
		on_reply(mn, e->data, e->len);
	} else if (e->type == MN_EV_RENEW) {
		mn->renew_at = mn->next_attempt = now;
	} else if (e->type == MN_EV_LINK_UP) {
		act(mn, MN_SOLICIT);
	} else if (e->type == MN_EV_STOP) {
		if (mn->stopping)
			end(mn, 1);
		mn->stopping = true;
	}
	settle(mn);
	mn->out = NULL;
}

static mn_ms sooner(mn_ms a, mn_ms b)
{
	return a < b ? a : b;
}

mn_ms mn_next(const struct mn *mn)
{
	mn_ms spaced = mn->last_sent + SPACING_MS, next = mn->c.once ? mn->once_until : MN_NEVER;
	mn_ms start = mn->next_attempt > spaced ? mn->next_attempt : spaced;

	if (mn->ended)
		return MN_NEVER;
	if (mn->registered)
		next = sooner(next, mn->reg_expires);
	if (mn->agent == NULL)
		return sooner(next, mn->stopping ? mn->now : mn->next_solicit);
	next = sooner(next, mn_agent_lapse(mn->agent));
	if (mn->attempt.active && !(mn->stopping && mn->attempt.kind == MN_REGISTER))
		return sooner(next, mn->attempt.next);
	if (mn->stopping)
		return sooner(next, spaced);
	if (mn->agent->home)
		return mn->registered ? sooner(next, mn->next_attempt) : next;
	if (mn->registered && mn->reg_coa.s_addr == mn->agent->coa.s_addr && mn->renew_at > start)
		start = mn->renew_at;
	return sooner(next, start);
}

struct mn *mn_new(const struct mn_config *c, uint64_t seed, mn_ms now)
{
	struct mn *mn = calloc(1, sizeof(*mn));

	if (mn == NULL)
		return NULL;
	mn->c = *c;
	mn->rng = seed != 0 ? seed : 1;
	mn->keys.ha = c->ha;
	mn->home_address = c->home_address;
	mn->home_agent = c->home_agent;
	mn->next_solicit = mn->next_attempt = now;
	mn->once_until = now + c->once_timeout_ms;
	return mn;
}

void mn_free(struct mn *mn)
{
	if (mn == NULL)
		return;
	crypto_wipe(mn, sizeof(*mn));
	free(mn);
}
