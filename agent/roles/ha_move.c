/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A user with VPNs comes by UDP from another foreign agent (doc/moves.md; E7, F2, F5).  That its 34 is
 * right under
 * the session's key says that the foreign agent has keys and profiles from its AAAF.  The keys stay, only the
 * source gateway changes: the VPN room is told, and so are the PCNs; the reply leaves when both are ready.
 *
 *	none --request--> under way --ready--> the binding is there
 *	                   |  ^   \--failed, late, binding gone--> refused, all as before
 *	                   \--/ a later request from elsewhere; the earlier one is refused
 */
#include "agent/roles/ha_bu.h"
#include "agent/roles/ha_int.h"

struct ha_pending *ha_move_of(const struct ha *ha, const struct ha_binding *b)
{
	struct ha_pending *p = ha_pending_of(ha, b->session);

	return p && p->udp ? p : NULL;
}

static bool vpn_move(const struct ha *ha, struct ha_binding *b, struct in_addr to, struct actions *out)
{
	struct action *a = role_act(out, ACT_VPN_MOVE, b->session);

	if (!a)
		return false;
	a->local = b->vpn_coa;
	a->peer = to;
	a->deadline_ms = ha->cfg.vpn_timeout_ms;
	b->vpn_coa = to;
	return true;
}

void ha_move_undo(struct ha *ha, const struct ha_pending *p, struct actions *out)
{
	struct ha_binding *b = ha_binding_by_session(ha, p->session);

	if (b && b->vpn && !role_same_addr(b->vpn_coa, b->coa))
		vpn_move(ha, b, b->coa, out);
}

static void log_move(const struct ha_pending *p, enum log_level level, const char *what, const char *why,
		     struct actions *out)
{
	char who[ROLE_WHO_MAX], coa[INET_ADDRSTRLEN];

	role_log(out, level, "binding %s: move to %s %s%s%s", role_who(p->nai, p->answer.hoa, who),
		 role_addr_str(p->coa, coa), what, why[0] ? ": " : "", why);
}

static void say_no(const struct ha *ha, const struct ha_pending *p, const struct role_refusal *why,
		   const char *text, struct actions *out)
{
	role_count("ha.rrq", why->name);
	log_move(p, LOG_LVL_NOTICE, "refused", text, out);
	ha_reply_send(ha, &p->answer, &p->path, why->code, text, p->wall_ms, out);
}

void ha_move_refuse(struct ha *ha, struct ha_pending *p, const struct role_refusal *why, const char *text,
		    struct actions *out)
{
	say_no(ha, p, why, text, out);
	ha_bu_give_back(ha, p->answer.hoa, p->session, out);
	ha_pending_end(ha, p);
}

void ha_move_orphan(struct ha *ha, const struct ha_binding *b, const char *why, struct actions *out)
{
	struct ha_pending *p = ha_pending_of(ha, b->session);

	if (p && p->update && p->n_local && !b->vpn)
		role_act(out, ACT_VPN_REMOVE, p->session);
	if (p && (p->udp || p->update || (p->n_local && b->vpn)))
		ha_pending_refuse(ha, p, &ha_ended, why, out);
}

void ha_move_complete(struct ha *ha, struct ha_pending *p, role_ms now, struct actions *out)
{
	struct ha_grant g = {.nai = p->nai,
			     .hoa = p->answer.hoa,
			     .coa = p->coa,
			     .lifetime = p->answer.lifetime,
			     .reverse = p->reverse,
			     .carries = p->carries,
			     .wall_ms = p->wall_ms};

	if (!ha_binding_grant(ha, &g, now, out))
		return; /* the binding is gone, and p with it: ha_move_orphan() */
	role_count("ha.rrq", "moved");
	ha_reply_send(ha, &p->answer, &p->path, p->code, NULL, p->wall_ms, out);
	ha_bu_settle(ha, p->answer.hoa, p->session, out);
	ha_pending_end(ha, p);
}

/* What is answered, and to whom. */
static void take_question(const struct ha *ha, struct ha_pending *p, const struct ha_req *r)
{
	uint16_t most = ha->cfg.lifetime_max;

	p->path = r->e->path;
	p->wall_ms = r->e->wall_ms;
	p->reverse = r->rrq.flags & MIP_T;
	p->code = ha_accept_code(r);
	p->answer = *r->answer;
	p->answer.lifetime = r->rrq.lifetime < most ? r->rrq.lifetime : most;
}

static void begin(struct ha *ha, struct ha_pending *p, struct ha_req *r, struct actions *out)
{
	take_question(ha, p, r);
	p->coa = r->rrq.coa;
	p->carries = false;
	p->n_profiles = r->b->n_profiles;
	p->vpn_waits = r->b->vpn;
	if ((r->b->vpn && !vpn_move(ha, r->b, p->coa, out)) ||
	    !ha_bu_move(ha, p, r->now, &p->bu_waits, out)) {
		ha_move_undo(ha, p, out);
		ha_move_refuse(ha, p, &ha_no_memory, ha_no_memory.text, out);
		return;
	}
	role_heap_set(&ha->heap, &p->timer, r->now + ha->cfg.vpn_timeout_ms + HA_SAFETY_MS);
	log_move(p, LOG_LVL_INFO, "under way", "", out);
	ha_pending_check(ha, p, r->now, out);
}

static void first(struct ha *ha, struct ha_req *r, struct actions *out)
{
	struct ha_pending *p = ha->n_pending < HA_PENDING_MAX
				       ? ha_pending_alloc(ha, r->b->session, r->b->nai, "", "")
				       : NULL;

	if (!p) {
		role_count("ha.rrq", ha_no_memory.name);
		ha_reply_udp(ha, r, ha_no_memory.code, ha_no_memory.text, out);
		return;
	}
	p->udp = true;
	ha_pending_add(ha, p);
	begin(ha, p, r, out);
}

/* The same once more: PCNs have been told of a lifetime, so it does not become longer. */
static void again(const struct ha *ha, struct ha_pending *p, const struct ha_req *r)
{
	uint16_t told = p->answer.lifetime;

	role_count("ha.rrq", "move_again");
	take_question(ha, p, r);
	if (p->answer.lifetime > told)
		p->answer.lifetime = told;
}

void ha_move(struct ha *ha, struct ha_req *r, struct actions *out)
{
	struct ha_pending *p = ha_pending_of(ha, r->b->session);

	if (p && p->update) /* he has gone on: the AAAH will come again */
		ha_pending_take_back(ha, p, &ha_ended, "the user moves", out);
	p = ha_move_of(ha, r->b);
	role_count("ha.rrq", "move");
	ha_memory_note(ha, r->key, r->rrq.ident, NULL, r->now);
	if (!p) {
		first(ha, r, out);
	} else if (role_same_addr(p->coa, r->rrq.coa)) {
		again(ha, p, r);
	} else {
		say_no(ha, p, &ha_ended, "superseded by a newer request", out);
		begin(ha, p, r, out);
	}
}
