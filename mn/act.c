/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What goes out: words for the user, and what the interface is to be.
 */
#include "mn/mn_impl.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HOLD_MS 3000 /* what was sent before is of no use to anybody later */

/* --- actions --- */

struct mn_action *mn_act(struct mn *mn, enum mn_action_type type)
{
	static struct mn_action spill; /* more than an event can cause; written, never read */
	struct mn_action *a = mn->out->n < MN_ACTIONS_MAX ? &mn->out->a[mn->out->n++] : &spill;

	memset(a, 0, sizeof(*a));
	a->type = type;
	a->code = -1;
	return a;
}

struct mn_action *mn_report(struct mn *mn, const char *event, const char *fmt, ...)
{
	struct mn_action *a = mn_act(mn, MN_REPORT);
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

const char *mn_ip(struct in_addr a)
{
	static char text[4][INET_ADDRSTRLEN];
	static unsigned at;
	char *t = text[at++ % 4];

	return inet_ntop(AF_INET, &a, t, INET_ADDRSTRLEN);
}

void mn_end(struct mn *mn, int status)
{
	if (mn->ended)
		return;
	mn->ended = true;
	if (mn->attached && !(mn->c.once && status == 0))
		mn_act(mn, MN_DETACH);
	mn_act(mn, MN_END)->status = status;
}

mn_ms mn_jitter(struct mn *mn, mn_ms ms) /* 75 .. 125 % */
{
	return ms * 3 / 4 + mn_random(mn) % (ms / 2 + 1);
}


/* --- the interface --- */

void mn_attach(struct mn *mn, bool home)
{
	struct mn_action *a = mn_act(mn, MN_ATTACH);

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
	mn->holding = false; /* ATTACH lets go what is held */
}

void mn_come_home(struct mn *mn)
{
	mn->registered = false;
	mn_keys_forget(mn);
	mn_attach(mn, true);
	mn_act(mn, MN_ANNOUNCE)->home_address = mn->home_address;
	mn_report(mn, "home", "at home, home address %s", mn_ip(mn->home_address));
	if (mn->c.once)
		mn_end(mn, 0);
}

static void unhold(struct mn *mn)
{
	if (mn->holding)
		mn_act(mn, MN_UNHOLD);
	mn->holding = false;
}

void mn_detach(struct mn *mn)
{
	unhold(mn);
	if (mn->attached)
		mn_act(mn, MN_DETACH);
	mn->attached = false;
	mn->at_home = false;
}


/* --- between a link that is gone and the next one --- */

void mn_hold(struct mn *mn)
{
	if (!mn->attached)
		return;
	if (!mn->holding)
		mn_act(mn, MN_HOLD);
	mn->holding = true;
	mn->hold_until = mn->now + HOLD_MS;
}

/* The agent by which our packets go is there. */
static bool way_stands(const struct mn *mn)
{
	const struct mn_agent *a = mn->agent;

	if (mn->link_down || a == NULL || memcmp(a->mac, mn->attached_mac, sizeof(a->mac)) != 0)
		return false;
	return mn->at_home ? a->home : mn->registered && a->coa.s_addr == mn->reg_coa.s_addr;
}

/* On the home link the foreign network's routes lead nowhere. */
static void give_up(struct mn *mn)
{
	if (mn->agent != NULL && mn->agent->home && !mn->at_home)
		mn_detach(mn);
	else
		unhold(mn);
}

void mn_hold_settle(struct mn *mn)
{
	if (!mn->holding)
		return;
	if (way_stands(mn))
		mn_attach(mn, mn->at_home);
	else if (mn->now >= mn->hold_until)
		give_up(mn);
}
