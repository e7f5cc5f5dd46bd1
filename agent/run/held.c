/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The barrier: an answer stands for what its sender has done (requirement E8), so a reply to a mobile node or
 * to the AAAH leaves only when the helper has confirmed the routes and tunnels that were asked for in front
 * of it in the same list of actions.  When the helper refuses one of them, the reply does not leave (and
 * net.c has the user dropped).
 */
#include <stdlib.h>

#include <utlist.h>

#include "agent/run/agent.h"
#include "lib/counter.h"

#define HELD_MAX 4096

struct held {
	enum role_id role;
	uint64_t batch, after; /* after: number of the request whose answer is waited for */
	struct actions one;    /* the send; owned */
	char why[160];	       /* "" = nothing has failed */
	struct held *prev, *next;
};

static void held_end(struct agent *g, struct held *h)
{
	DL_DELETE(g->held, h);
	g->n_held--;
	actions_clear(&h->one);
	free(h);
}

void net_hold(struct agent *g, enum role_id role, struct action *a)
{
	struct held *h = g->n_held < HELD_MAX ? calloc(1, sizeof(*h)) : NULL;
	struct action *mine = h ? actions_add(&h->one, a->type) : NULL;

	if (!mine) {
		free(h);
		counter_inc("net.held.too_many");
		actions_send_failed(g, role, a, "too many replies wait for the helper");
		return;
	}
	h->role = role;
	h->batch = g->batch;
	h->after = g->batch_ask;
	*mine = *a;
	*a = (struct action){.type = a->type}; /* owns nothing any more */
	DL_APPEND(g->held, h);
	g->n_held++;
}

void held_fail(struct agent *g, uint64_t batch, const char *why)
{
	struct held *h;

	DL_FOREACH(g->held, h)
	{
		if (h->batch == batch && !h->why[0])
			snprintf(h->why, sizeof(h->why), "%s", why);
	}
}

void held_release(struct agent *g)
{
	struct held *h, *next;

	DL_FOREACH_SAFE(g->held, h, next)
	{
		if (h->after > g->answered)
			continue;
		if (h->why[0])
			actions_send_failed(g, h->role, &h->one.a[0], h->why);
		else
			actions_send(g, h->role, &h->one.a[0]);
		held_end(g, h);
	}
}

void held_free(struct agent *g)
{
	struct held *h, *next;

	DL_FOREACH_SAFE(g->held, h, next)
	held_end(g, h);
}
