/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Decisions.  Everything goes through settle() at the end of each event: given who is heard, what is
 * registered and what is being tried, what is to be done now?
 */
#include "mn/mn_impl.h"

#include <stdlib.h>
#include <string.h>

#define LEAVE_TRIES 3
#define HOME_TRIES 4 /* then the home link is used, whatever the home agent says */
#define SOLICIT_FIRST_MS 1000
#define SOLICIT_MAX_MS 60000

/* --- agents --- */

/* Abroad with an agent that this link does not reach any more. */
static bool is_cut_off(struct mn *mn, const struct mn_agent *next)
{
	const struct mn_agent *previous = mn_agents_by_coa(&mn->agents, mn->reg_coa);

	return mn->registered && !mn->at_home && mn->reg_coa.s_addr != next->coa.s_addr &&
	       (previous == NULL || !mn_agent_well(previous, mn->now));
}

static void use_agent(struct mn *mn, struct mn_agent *a)
{
	struct mn_agent *old = mn->agent;
	bool moved;

	mn->agent = a;
	mn->attempt.active = false;
	mn->next_attempt = mn->now;
	mn->renew_at = mn->now;
	mn->backoff = mn->quick = mn->solicits = 0;
	mn->arrived = a != NULL;
	mn->began_us = 0;
	if (a == NULL) {
		mn_report(mn, "lost", "no mobility agent is heard any more")->agent = old->addr;
		mn->next_solicit = mn->now;
		return;
	}
	a->faded = a->no_pfan = false;
	if (is_cut_off(mn, a))
		mn_hold(mn);
	moved = old != NULL || (mn->registered && mn->reg_coa.s_addr != a->coa.s_addr);
	if (a->home)
		mn_report(mn, "agent", "heard the home agent %s", mn_ip(a->addr));
	else
		mn_report(mn, moved ? "moved" : "agent", "%s foreign agent %s, care-of address %s",
			  moved ? "moved to" : "heard", mn_ip(a->addr), mn_ip(a->coa));
}

static void on_advertisement(struct mn *mn, const struct mn_event *e)
{
	bool rebooted;
	struct mn_agent *a = mn_agents_hear(&mn->agents, &mn->c, mn->home_address, e, mn->now, &rebooted);

	if (a == NULL || a != mn->agent || !rebooted || a->home)
		return;
	mn_report(mn, "agent", "foreign agent %s has started anew", mn_ip(a->addr));
	mn_keys_forget_fa(mn);
	mn->attempt.active = false;
	mn->next_attempt = mn->now;
	mn->renew_at = mn->now;
}

static void solicit(struct mn *mn)
{
	mn_ms wait = (mn_ms)SOLICIT_FIRST_MS << (mn->solicits > 6 ? 6 : mn->solicits);

	if (mn->solicits++ == 0)
		mn_report(mn, "searching", "searching for a mobility agent");
	mn_act(mn, MN_SOLICIT);
	mn->next_solicit = mn->now + mn_jitter(mn, wait < SOLICIT_MAX_MS ? wait : SOLICIT_MAX_MS);
}

/* --- what is to be done --- */

static void settle_expiry(struct mn *mn)
{
	if (!mn->registered || mn->now < mn->reg_expires)
		return;
	mn->registered = false;
	mn_keys_forget(mn);
	if (!mn->at_home)
		mn_detach(mn);
	mn_report(mn, "expired", "the registration has run out");
}

static void settle_home(struct mn *mn)
{
	if (mn->attempt.active) {
		if (mn->now < mn->attempt.next)
			return;
		if (mn->attempt.sent == HOME_TRIES && !mn->at_home)
			mn_report(mn, "unanswered", "the home agent does not answer");
		mn_attempt_transmit(mn);
		return;
	}
	if (!mn->registered) {
		if (!mn->at_home)
			mn_come_home(mn);
	} else if (mn->now >= mn->next_attempt) {
		if (!mn->holding)
			mn_detach(mn); /* the foreign network's routes lead nowhere here */
		mn_attempt_start(mn, MN_LEAVE_HOME);
	}
}

static void settle_foreign(struct mn *mn)
{
	bool due = !mn->registered || mn->reg_coa.s_addr != mn->agent->coa.s_addr || mn->now >= mn->renew_at;

	if (mn->at_home && !mn->holding)
		mn_detach(mn);
	if (mn->attempt.active) {
		if (mn->now < mn->attempt.next)
			return;
		if (mn->attempt.sent == 3)
			mn_report(mn, "unanswered", "%s does not answer", mn_ip(mn->agent->addr));
		if (mn->attempt.sent >= 3) /* it may have lost our keys */
			mn->attempt.full = true;
		mn_attempt_transmit(mn);
	} else if (due && mn->now >= mn_attempt_earliest(mn)) {
		mn_attempt_start(mn, MN_REGISTER);
	}
}

static void settle_stopping(struct mn *mn)
{
	struct mn_attempt *t = &mn->attempt;

	if (!mn->registered || mn->agent == NULL) {
		if (mn->registered)
			mn_report(mn, "unanswered", "cannot deregister: no agent is heard");
		mn_end(mn, mn->registered ? 1 : 0);
	} else if (!t->active || t->kind == MN_REGISTER) {
		if (mn->now >= mn->last_sent + MN_SPACING_MS)
			mn_attempt_start(mn, mn->agent->home ? MN_LEAVE_HOME : MN_LEAVE_FOREIGN);
	} else if (mn->now >= t->next && t->sent < LEAVE_TRIES) {
		mn_attempt_transmit(mn);
	} else if (mn->now >= t->next) {
		mn_report(mn, "unanswered", "the deregistration was not answered");
		mn_end(mn, 1);
	}
}

static void settle_once(struct mn *mn)
{
	if (!mn->c.once || mn->ended || mn->now < mn->once_until)
		return;
	mn_report(mn, "unanswered", mn->agent == NULL ? "no mobility agent is heard" : "no answer in time");
	mn_end(mn, 1);
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
	mn_hold_settle(mn);
}

/* --- outside --- */

/* A carrier that comes back may be that of another network: whoever was heard before has to be heard anew. */
static void on_link_up(struct mn *mn)
{
	mn->link_down = false;
	mn_agents_gone(&mn->agents);
	mn_hold(mn);
	mn->solicits = 0;
	mn->next_solicit = mn->now;
}

static void on_fade(struct mn *mn)
{
	if (mn->agent == NULL)
		return;
	mn_report(mn, "fading", "the link to %s fades", mn_ip(mn->agent->addr));
	mn_agents_fade(&mn->agents, mn->agent, mn->now);
}

/* One that is under way was sent before the user had made his choice: it is asked again, behind the answer.
 */
static void on_update(struct mn *mn)
{
	if (mn->c.aaa.key.len == 0) {
		mn_report(mn, "error", "a service update needs a key that the home AAA server knows");
		return;
	}
	mn->update = true;
	mn->renew_at = mn->next_attempt = mn->now;
	mn_report(mn, "update",
		  mn->agent == NULL || mn->agent->home
			  ? "service update: kept for the next foreign agent"
			  : "service update: the home network is asked to read the VPNs again");
}

static void on_stop(struct mn *mn)
{
	if (mn->stopping)
		mn_end(mn, 1);
	mn->stopping = true;
}

static void on_event(struct mn *mn, const struct mn_event *e)
{
	switch (e->type) {
	case MN_EV_ADVERTISEMENT:
		on_advertisement(mn, e);
		break;
	case MN_EV_REPLY:
		mn_answer(mn, e->data, e->len);
		break;
	case MN_EV_TIMER:
		break;
	case MN_EV_RENEW:
		mn->renew_at = mn->next_attempt = mn->now;
		break;
	case MN_EV_UPDATE:
		on_update(mn);
		break;
	case MN_EV_LINK_UP:
		on_link_up(mn);
		break;
	case MN_EV_LINK_DOWN:
		mn->link_down = true;
		mn_hold(mn);
		break;
	case MN_EV_FADE:
		on_fade(mn);
		break;
	case MN_EV_STOP:
		on_stop(mn);
		break;
	}
}

void mn_event(struct mn *mn, const struct mn_event *e, mn_ms now, struct mn_actions *out)
{
	out->n = 0;
	if (mn->ended)
		return;
	mn->out = out;
	mn->now = now;
	mn->wall_ms = e->wall_ms;
	mn->now_us = e->now_us;
	on_event(mn, e);
	settle(mn);
	mn->out = NULL;
}

static mn_ms sooner(mn_ms a, mn_ms b)
{
	return a < b ? a : b;
}

mn_ms mn_next(const struct mn *mn)
{
	mn_ms next = mn->c.once ? mn->once_until : MN_NEVER, start = mn_attempt_earliest(mn);

	if (mn->ended)
		return MN_NEVER;
	if (mn->registered)
		next = sooner(next, mn->reg_expires);
	if (mn->holding)
		next = sooner(next, mn->hold_until);
	if (mn->agent == NULL)
		return sooner(next, mn->stopping ? mn->now : mn->next_solicit);
	next = sooner(next, mn_agent_lapse(mn->agent));
	if (mn->attempt.active && !(mn->stopping && mn->attempt.kind == MN_REGISTER))
		return sooner(next, mn->attempt.next);
	if (mn->stopping)
		return sooner(next, mn->last_sent + MN_SPACING_MS);
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
