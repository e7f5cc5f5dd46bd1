/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See reconcile.h.  Two orders matter:
 *  up:   secret, connection, initiate; so a peer that comes early is refused for want of a connection,
 *        never tried with a wrong secret;
 *  down: connection, secret, then the SAs; so nothing new can come up while the old goes.
 * Connection and secret are unloaded as soon as the tunnel is up (the SAs live on and rekey without them).
 * A responder initiates in one case: the peer's IKE_SA stands and has no CHILD_SA (doc/moves.md).
 */
#include "agent/vpn/reconcile.h"

static enum tunnel_step unload(const struct tunnel_observed *o)
{
	if (o->conn)
		return STEP_UNLOAD_CONN;
	return o->key ? STEP_UNLOAD_KEY : STEP_NONE;
}

static enum tunnel_step take_down(const struct tunnel_desired *d, const struct tunnel_observed *o)
{
	if (o->conn || o->key)
		return unload(o);
	if (o->ike || o->dialing)
		return o->terminating ? STEP_NONE : STEP_TERMINATE;
	return d->wanted ? STEP_NONE : STEP_FORGET;
}

static enum tunnel_step load(const struct tunnel_observed *o)
{
	if (!o->key)
		return STEP_LOAD_KEY;
	return o->conn ? STEP_NONE : STEP_LOAD_CONN;
}

enum tunnel_step vpn_reconcile(const struct tunnel_desired *d, const struct tunnel_observed *o)
{
	enum tunnel_step step;

	if (o->busy || !o->known)
		return STEP_NONE;
	if (!d->wanted || d->give_up)
		return take_down(d, o);
	if (o->child && !d->hold) {
		step = unload(o);
		return step == STEP_NONE && d->redo ? STEP_REKEY : step;
	}
	/* What is left of a failed try goes first: its name must be free for the next one. */
	if (d->initiator && !o->child && o->ike && !o->dialing)
		return o->terminating ? STEP_NONE : STEP_TERMINATE;
	if (d->backoff)
		return d->tidy ? unload(o) : STEP_NONE;
	if (d->key_waits && !o->key)
		return STEP_NONE;
	step = load(o);
	if (step != STEP_NONE || o->child || o->dialing)
		return step;
	if (!d->initiator && !o->bare)
		return STEP_NONE;
	return d->may_initiate && !d->path_first ? STEP_INITIATE : STEP_NONE;
}

enum tunnel_state vpn_tunnel_state(const struct tunnel_desired *d, const struct tunnel_observed *o)
{
	if (!o->known)
		return TUNNEL_UNKNOWN;
	if (!d->wanted || d->give_up) {
		if (o->conn || o->key)
			return TUNNEL_UNLOADING;
		if (o->ike || o->dialing)
			return TUNNEL_TERMINATING;
		return d->wanted ? TUNNEL_GIVEN_UP : TUNNEL_IDLE;
	}
	if (o->child)
		return TUNNEL_UP;
	if (o->dialing)
		return TUNNEL_INITIATING;
	if (d->initiator && o->ike)
		return TUNNEL_TERMINATING;
	if (!o->key)
		return TUNNEL_LOADING_KEY;
	if (!o->conn)
		return TUNNEL_LOADING_CONN;
	return d->initiator ? TUNNEL_WAITING : TUNNEL_READY;
}

const char *vpn_tunnel_state_name(enum tunnel_state s)
{
	static const char *const names[] = {
		[TUNNEL_IDLE] = "idle",
		[TUNNEL_UNKNOWN] = "charon does not answer",
		[TUNNEL_LOADING_KEY] = "loading key",
		[TUNNEL_LOADING_CONN] = "loading connection",
		[TUNNEL_READY] = "ready",
		[TUNNEL_WAITING] = "waiting",
		[TUNNEL_INITIATING] = "initiating",
		[TUNNEL_UP] = "up",
		[TUNNEL_TERMINATING] = "terminating",
		[TUNNEL_UNLOADING] = "unloading",
		[TUNNEL_GIVEN_UP] = "given up",
	};

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "?";
}
