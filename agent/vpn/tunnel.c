/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A tunnel: asks vpn_reconcile() what is next, does it, takes the answer, keeps the timers. What is heard of
 * it otherwise is in observe.c.
 */
#include "agent/vpn/internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/counter.h"

#define MARK_BASE 0x4d000000u
#define MARK_MASK 0x00ffffffu
#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 15000
#define TERMINATE_CHECK_MS 100

struct tunnel *tunnel_find(struct vpn *v, const char *name)
{
	struct tunnel *t;

	HASH_FIND_STR(v->tunnels, name, t);
	return t;
}

struct tunnel *tunnel_get(struct vpn *v, const char *name)
{
	struct tunnel *t = tunnel_find(v, name);
	size_t len = strlen(name);

	if (t)
		return t;
	t = calloc(1, sizeof(*t) + len + 1);
	if (!t)
		return NULL;
	t->v = v;
	memcpy(t->name, name, len + 1);
	LIST_INIT(&t->parts);
	t->dial_due = t->check_at = t->wait_due = t->force_at = t->hold_until = t->settle_at = NEVER;
	t->since = v->now;
	t->terminate_ms = TERMINATE_MS;
	HASH_ADD_STR(v->tunnels, name, t);
	tunnel_dirty(t);
	return t;
}

void tunnel_free(struct tunnel *t)
{
	struct vpn *v = t->v;

	tunnel_undial(t);
	if (t->is_dirty)
		TAILQ_REMOVE(&v->dirty_tunnels, t, dirty);
	if (t->is_waiting)
		TAILQ_REMOVE(&v->waiting, t, waiting);
	if (t->protect)
		protect_drop(v, t->protect);
	HASH_DEL(v->tunnels, t);
	free(t);
}

void tunnel_dirty(struct tunnel *t)
{
	if (t->is_dirty)
		return;
	t->is_dirty = true;
	TAILQ_INSERT_TAIL(&t->v->dirty_tunnels, t, dirty);
}

void tunnel_add_part(struct tunnel *t, struct part *p, bool late)
{
	struct vpn *v = t->v;

	if (LIST_EMPTY(&t->parts)) {
		t->source = vpn_is_source(v, &p->p);
		t->initiator = vpn_initiates(v, &p->p);
		t->fixed = t->initiator && p->p.dst_gw_type == VPN_GW_STATIC;
		t->late = late && t->initiator && t->source && !t->fixed;
		t->peer = t->source ? p->p.dst_gw : p->p.src_gw;
		if (t->fixed)
			contract_tunnel(t, &p->p);
		if (!v->cfg.no_marks && !t->mark)
			t->mark = MARK_BASE | (++v->next_mark & MARK_MASK);
	}
	if (!t->protect)
		t->protect = protect_of(v, &p->p);
	LIST_INSERT_HEAD(&t->parts, p, in_tunnel);
	p->tunnel = t;
	tunnel_want(t, p);
}

void tunnel_del_part(struct tunnel *t, struct part *p, uint32_t terminate_ms)
{
	LIST_REMOVE(p, in_tunnel);
	p->tunnel = NULL;
	if (LIST_EMPTY(&t->parts)) {
		t->forced = !terminate_ms;
		t->terminate_ms = terminate_ms ? terminate_ms : TERMINATE_MS;
	}
	tunnel_dirty(t);
}

bool tunnel_is_up(const struct tunnel *t)
{
	for (uint8_t i = 0; i < t->n_sas; i++) {
		if (t->sas[i].child)
			return true;
	}
	return false;
}

bool tunnel_is_ready(const struct tunnel *t)
{
	return tunnel_is_up(t) || (!t->initiator && t->key && t->conn);
}

/* --- turns and tries --- */

void tunnel_undial(struct tunnel *t)
{
	struct vpn *v = t->v;
	struct tunnel *next;

	if (!t->dialing)
		return;
	t->dialing = t->refused = false;
	t->dial_due = NEVER;
	v->dialing--;
	next = TAILQ_FIRST(&v->waiting);
	if (next) {
		TAILQ_REMOVE(&v->waiting, next, waiting);
		next->is_waiting = false;
		tunnel_dirty(next);
	}
}

static void wait_for_turn(struct tunnel *t)
{
	if (t->is_waiting)
		return;
	t->is_waiting = true;
	TAILQ_INSERT_TAIL(&t->v->waiting, t, waiting);
}

void tunnel_retry_now(struct tunnel *t)
{
	t->retry_at = 0;
	t->tries = 0;
	tunnel_dirty(t);
}

/* Who has another one until then does not make it come sooner. */
void tunnel_want(struct tunnel *t, const struct part *p)
{
	t->give_up = false;
	if (!tunnel_is_up(t) && !(t->tries && part_has_stand_in(p)))
		tunnel_retry_now(t);
	tunnel_dirty(t);
}

static void retry_later(struct tunnel *t)
{
	uint64_t wait = RETRY_MIN_MS;

	for (uint8_t i = 0; i < t->tries && wait < RETRY_MAX_MS; i++)
		wait *= 2;
	if (t->tries < UINT8_MAX)
		t->tries++;
	t->retry_at = t->v->now + vpn_jitter(wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
	vpn_timer(t->v, t->retry_at);
}

void tunnel_fail(struct tunnel *t, const char *why)
{
	char peer[INET_ADDRSTRLEN];
	struct part *p;

	tunnel_undial(t);
	retry_later(t);
	inet_ntop(AF_INET, &t->peer, peer, sizeof(peer));
	snprintf(t->why, sizeof(t->why), "gateway %s: %s", peer, why);
	counter_inc("vpn.tunnel.failed");
	vpn_say(t->v, LOG_LVL_WARN, "%s: %s", t->name, t->why);
	LIST_FOREACH(p, &t->parts, in_tunnel)
	{
		/* A responder stays ready for the other end's next try. */
		if (t->initiator && p->session->state == SESSION_INSTALLING && !p->retired && part_needed(p))
			session_fail(p->session, t->why);
		session_dirty(t->v, p->session);
	}
	tunnel_dirty(t);
}

/* --- reconcile and do --- */

static bool path_is_first(const struct tunnel *t)
{
	const struct part *p;

	if (!t->late) /* a contract's tunnel may have thousands */
		return false;
	LIST_FOREACH(p, &t->parts, in_tunnel)
	{
		if (p->flow && p->flow->pending)
			return true;
	}
	return false;
}

static struct tunnel_desired desired(const struct tunnel *t)
{
	const struct vpn *v = t->v;
	struct tunnel_desired d = {
		.wanted = !LIST_EMPTY(&t->parts),
		.initiator = t->initiator,
		.backoff = v->now < t->retry_at,
		.may_initiate = v->dialing < v->cfg.initiate_max,
		.path_first = path_is_first(t),
		.hold = t->hold_until != NEVER,
		.give_up = t->give_up,
		.tidy = t->fixed,
		.key_waits = contract_key_waits(t),
		.redo = t->redo,
	};

	return d;
}

static struct tunnel_observed observed(const struct tunnel *t)
{
	struct tunnel_observed o = {
		.known = t->v->known,
		.busy = t->busy != STEP_NONE,
		.terminating = t->force_at != NEVER,
		.key = t->key,
		.conn = t->conn,
		.dialing = t->dialing,
		.ike = t->n_sas > 0,
		.child = tunnel_is_up(t),
	};

	for (uint8_t i = 0; i < t->n_sas; i++)
		o.bare |= t->sas[i].bare;

	return o;
}

static void tell_state(struct tunnel *t, const struct tunnel_desired *d, const struct tunnel_observed *o)
{
	enum tunnel_state s = vpn_tunnel_state(d, o);

	if (s == t->state)
		return;
	vpn_say(t->v, s == TUNNEL_UP || t->state == TUNNEL_UP ? LOG_LVL_INFO : LOG_LVL_DEBUG, "%s: %s -> %s",
		t->name, vpn_tunnel_state_name(t->state), vpn_tunnel_state_name(s));
	t->state = s;
	t->since = t->v->now;
}

static void send_step(struct tunnel *t, enum tunnel_step step, const char *name, struct vici_msg *m)
{
	t->touched = ++t->v->seq;
	if (m && charon_command(t->v, CMD_STEP, t, name, m, NULL)) {
		t->busy = step;
		return;
	}
	/* The queue to charon is full, or no memory: come again. */
	counter_inc("vpn.charon.queue_full");
	tunnel_recheck(t, t->v->now + TERMINATE_CHECK_MS);
}

static void step_load_key(struct tunnel *t)
{
	const char *why = "the request to charon cannot be made";
	struct vici_msg *m = vpn_msg_key(t, LIST_FIRST(&t->parts), &why);

	if (m)
		send_step(t, STEP_LOAD_KEY, "load-shared", m);
	else
		tunnel_fail(t, why);
}

static void step_initiate(struct tunnel *t)
{
	send_step(t, STEP_INITIATE, "initiate", vpn_msg_initiate(t));
	if (t->busy != STEP_INITIATE)
		return;
	t->dialing = true;
	t->refused = false;
	t->v->dialing++;
	t->hint[0] = '\0';
	t->ike_up_at = 0;
	t->dial_due = t->v->now + t->v->cfg.initiate_timeout_ms;
	vpn_timer(t->v, t->dial_due);
}

void tunnel_run(struct tunnel *t)
{
	struct tunnel_desired d = desired(t);
	struct tunnel_observed o = observed(t);
	enum tunnel_step step = vpn_reconcile(&d, &o);

	tell_state(t, &d, &o);
	switch (step) {
	case STEP_NONE:
		if (d.wanted && (d.initiator || o.bare) && o.conn && !o.busy && !o.child && !o.dialing &&
		    !d.may_initiate)
			wait_for_turn(t);
		break;
	case STEP_LOAD_KEY:
		step_load_key(t);
		break;
	case STEP_LOAD_CONN:
		send_step(t, step, "load-conn", vpn_msg_conn(t, LIST_FIRST(&t->parts)));
		break;
	case STEP_INITIATE:
		step_initiate(t);
		break;
	case STEP_TERMINATE:
		send_step(t, step, "terminate", vpn_msg_terminate(t, t->forced));
		break;
	case STEP_REKEY:
		send_step(t, step, "rekey", vpn_msg_rekey(t));
		break;
	case STEP_UNLOAD_CONN:
		send_step(t, step, "unload-conn", vpn_msg_named("name", t->name));
		break;
	case STEP_UNLOAD_KEY:
		send_step(t, step, "unload-shared", vpn_msg_named("id", t->name));
		break;
	case STEP_FORGET:
		if (!t->checking) {
			contract_gone(t);
			tunnel_free(t);
		}
		break;
	}
}

/* --- answers --- */

static void terminate_done(struct tunnel *t, bool ok)
{
	if (ok) {
		t->force_at = t->v->now + t->terminate_ms;
		vpn_timer(t->v, t->force_at);
		tunnel_recheck(t, t->v->now + TERMINATE_CHECK_MS);
	} else { /* nothing of that name: it is gone */
		t->n_sas = 0;
		tunnel_undial(t);
		tunnel_changed(t);
	}
}

static void conn_loaded(struct tunnel *t)
{
	t->conn = true;
	if (!t->initiator && t->wait_due == NEVER && !tunnel_is_up(t)) {
		t->wait_due = t->v->now + t->v->cfg.responder_wait_ms;
		vpn_timer(t->v, t->wait_due);
	}
	tunnel_changed(t);
}

static void refuse(struct tunnel *t, const char *what, const char *err)
{
	char text[160];

	snprintf(text, sizeof(text), "charon refused the %s: %s", what, err);
	tunnel_fail(t, text);
}

void tunnel_step_done(struct tunnel *t, bool ok, const char *err)
{
	enum tunnel_step step = t->busy;

	t->busy = STEP_NONE;
	t->touched = ++t->v->seq;
	tunnel_dirty(t);
	switch (step) {
	case STEP_LOAD_KEY:
		t->key = ok;
		if (!ok)
			refuse(t, "key", err);
		break;
	case STEP_LOAD_CONN:
		if (ok)
			conn_loaded(t);
		else
			refuse(t, "connection", err);
		break;
	case STEP_INITIATE:
		if (!ok) {
			charon_audit(t->v); /* another one's reload may have taken connection and key */
			refuse(t, "initiation", err);
		}
		break;
	case STEP_TERMINATE:
		terminate_done(t, ok);
		break;
	case STEP_UNLOAD_CONN:
		t->conn = false;
		break;
	case STEP_UNLOAD_KEY:
		t->key = false;
		contract_key_gone(t);
		break;
	case STEP_REKEY:
		t->redo = false;
		if (!ok)
			vpn_say(t->v, LOG_LVL_WARN, "%s: charon refused to rekey: %s", t->name, err);
		break;
	case STEP_NONE:
	case STEP_FORGET:
		break;
	}
}

/* --- changes and timers --- */

/* The other end makes a late CHILD_SA, and has it only when our answer is there and worked through.  Nothing
 * tells us of that; what the user sends as soon as he is told goes the same way as the answer, so the time
 * that the other end needs for it is all that has to pass. */
static void went_up(struct tunnel *t)
{
	t->was_up = true;
	if (t->late) {
		t->settle_at = t->v->now + t->v->cfg.settle_ms;
		vpn_timer(t->v, t->settle_at);
	}
	t->tries = 0;
	t->why[0] = t->hint[0] = '\0';
	t->wait_due = t->hold_until = NEVER;
	tunnel_undial(t);
}

/* Of a handoff: the other foreign agent does not need it any more. */
static bool handoff_ended(struct tunnel *t)
{
	struct part *p = LIST_FIRST(&t->parts);

	if (p->p.dst_gw_type != VPN_GW_HANDOFF)
		return false;
	t->give_up = true;
	LIST_FOREACH(p, &t->parts, in_tunnel)
	session_down(p->session, "the other foreign agent has ended it");
	return true;
}

/* Who takes a tunnel down has a reason that is on its way here, too: a deregistration, mostly. */
static void went_down(struct tunnel *t)
{
	t->was_up = false;
	t->settle_at = NEVER;
	if (LIST_EMPTY(&t->parts) || handoff_ended(t))
		return;
	counter_inc("vpn.tunnel.lost");
	contract_lost(t);
	if (!t->why[0])
		snprintf(t->why, sizeof(t->why), "the tunnel was lost");
	t->retry_at = t->initiator ? t->v->now + vpn_jitter(RETRY_MIN_MS) : 0;
	t->wait_due = t->v->now + t->v->cfg.restore_ms;
	vpn_timer(t->v, t->retry_at ? t->retry_at : t->wait_due);
}

/* Parts that end with their tunnel. */
static void drop_ended(struct tunnel *t)
{
	struct part *p, *next;

	for (p = LIST_FIRST(&t->parts); p; p = next) {
		next = LIST_NEXT(p, in_tunnel);
		if (!part_ends(p))
			continue;
		session_dirty(t->v, p->session);
		part_free(t->v, p);
	}
}

void tunnel_changed(struct tunnel *t)
{
	bool up = tunnel_is_up(t);
	struct part *p;

	if (!t->n_sas) {
		t->force_at = NEVER;
		t->forced = false;
	}
	if (!up)
		drop_ended(t);
	if (up && !t->was_up)
		went_up(t);
	else if (!up && t->was_up)
		went_down(t);
	LIST_FOREACH(p, &t->parts, in_tunnel)
	{
		flow_sync(t->v, p->flow);
		session_dirty(t->v, p->session);
	}
	tunnel_dirty(t);
}

void tunnel_lost(struct tunnel *t)
{
	t->busy = STEP_NONE;
	t->key = t->conn = t->checking = t->check_again = false;
	t->n_sas = 0;
	t->check_at = NEVER;
	if (t->dialing)
		snprintf(t->why, sizeof(t->why), "charon went away");
	tunnel_undial(t);
	if (LIST_EMPTY(&t->parts)) {
		tunnel_free(t); /* if it is still there, the next audit finds it */
		return;
	}
	if (t->was_up)
		snprintf(t->why, sizeof(t->why), "charon went away");
	tunnel_changed(t);
}

/* Nobody came, or it could not be brought back. */
static void wait_over(struct tunnel *t)
{
	char text[160], peer[INET_ADDRSTRLEN];
	struct part *p;

	t->wait_due = NEVER;
	inet_ntop(AF_INET, &t->peer, peer, sizeof(peer));
	if (!t->initiator) {
		t->give_up = true;
		snprintf(text, sizeof(text), "gateway %s did not set its tunnel up in time", peer);
	} else {
		snprintf(text, sizeof(text), "could not be set up again: %.130s", t->why);
	}
	LIST_FOREACH(p, &t->parts, in_tunnel)
	{
		if (p->session->state == SESSION_UP && (!p->retired || p->stands_in) && part_needed(p))
			session_down(p->session, text);
		session_dirty(t->v, p->session);
	}
	snprintf(t->why, sizeof(t->why), "%s", text);
	tunnel_dirty(t);
}

static bool fired(uint64_t *timer, uint64_t now)
{
	if (now < *timer)
		return false;
	*timer = NEVER;
	return true;
}

void tunnel_timers(struct tunnel *t)
{
	uint64_t now = t->v->now;

	if (fired(&t->force_at, now)) {
		t->forced = true;
		tunnel_dirty(t);
	}
	if (now >= t->wait_due)
		wait_over(t);
	if (fired(&t->hold_until, now))
		tunnel_dirty(t);
	if (fired(&t->settle_at, now))
		tunnel_changed(t);
	if (t->retry_at && now >= t->retry_at) {
		t->retry_at = 0;
		tunnel_dirty(t);
	}
	if (now >= t->dial_due && !t->checking && t->check_at == NEVER)
		t->check_at = now;
	if (fired(&t->check_at, now))
		tunnel_recheck(t, now);
}

uint64_t tunnel_next(const struct tunnel *t)
{
	const uint64_t all[] = {t->force_at,
				t->wait_due,
				t->hold_until,
				t->settle_at,
				t->retry_at ? t->retry_at : NEVER,
				t->checking || t->check_at != NEVER ? NEVER : t->dial_due,
				t->check_at};
	uint64_t next = NEVER;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i] < next)
			next = all[i];
	}
	return next;
}
