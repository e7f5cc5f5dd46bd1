/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A Binding Update from check to Binding Acknowledge (draft 4.3, 4.4).  The acknowledgement leaves when
 * this gateway has done all that it can do by itself: the connection and the key are loaded, it waits for
 * the foreign agent (E3, E8).
 */
#include <string.h>

#include "agent/roles/pcn_int.h"

/* Refusals are bounded: nobody makes this gateway a reflector, and no flood of forgeries silences it
 * towards those who have the key. */
static bool refusal_allowed(struct pcn *pcn, const struct pcn_req *r)
{
	struct pcn_budget *b = r->authentic ? &pcn->agents : &pcn->strangers;

	if (r->now - b->since >= 1000)
		*b = (struct pcn_budget){.since = r->now};
	return b->spent++ < PCN_REFUSALS_PER_S;
}

struct answer {
	struct in_addr cn, ha, hoa;
	uint32_t number;
	uint64_t ident;
	const char *context;
	uint8_t status;
};

static void acknowledge(const struct pcn *pcn, const struct answer *a, struct actions *out)
{
	struct bind_msg m = {.type = BIND_ACK,
			     .status = a->status,
			     .hoa = a->hoa,
			     .has_ident = true,
			     .ident = a->ident,
			     .key_ha = a->ha,
			     .profile = a->number};
	uint8_t mem[MIP_MSG_MAX], auth[32], seal[32];
	struct wbuf w;

	role_copy(m.key_context, sizeof(m.key_context), a->context);
	wbuf_init(&w, mem, sizeof(mem));
	bind_put(&w, &m);
	bind_put_number(&w, &m);
	if (pcn_keys(pcn, a->ha, a->context, auth, seal))
		pcn_send(pcn, a->cn, a->ha, &w, auth, out);
	crypto_wipe(auth, sizeof(auth));
	crypto_wipe(seal, sizeof(seal));
}

static void acknowledge_update(const struct pcn *pcn, const struct pcn_req *r, uint8_t status,
			       struct actions *out)
{
	struct answer a = {r->e->path.dst, r->m.key_ha,	     r->m.hoa, r->m.profile,
			   r->m.ident,	   r->m.key_context, status};

	acknowledge(pcn, &a, out);
}

static void acknowledge_entry(const struct pcn *pcn, struct pcn_entry *x, uint8_t status, struct actions *out)
{
	struct answer a = {x->cn, x->name.ha, x->name.hoa, x->name.number, x->ident, x->context, status};

	x->status = status;
	acknowledge(pcn, &a, out);
}

static void refuse(struct pcn *pcn, const struct pcn_req *r, const struct role_refusal *why,
		   struct actions *out)
{
	char hoa[INET_ADDRSTRLEN], from[INET_ADDRSTRLEN];

	role_count("pcn.bu", why->name);
	if (!refusal_allowed(pcn, r))
		return;
	role_log(out, LOG_LVL_NOTICE, "Binding Update for %s from %s: refused, status %u: %s%s%s",
		 role_addr_str(r->m.hoa, hoa), role_addr_str(r->e->path.src, from), why->code, why->text,
		 r->why[0] ? ": " : "", r->why);
	if (why->code)
		acknowledge_update(pcn, r, why->code, out);
}

static bool install(struct pcn *pcn, struct pcn_entry *x, const struct vpn_profile *p, role_ms now,
		    struct actions *out)
{
	struct action *a = role_act(out, ACT_VPN_INSTALL, x->session);

	if (!a || !role_act_profiles(a, p, 1)) {
		if (a)
			out->n--;
		return false;
	}
	a->deadline_ms = pcn->cfg.vpn_timeout_ms;
	role_heap_set(&pcn->heap, &x->timer, now + pcn->cfg.vpn_timeout_ms + PCN_SAFETY_MS);
	return true;
}

/* Updates that come before the first of them is done change nothing of what stands. */
static void keep_before(struct pcn_entry *x)
{
	if (x->state == PCN_INSTALLING)
		return;
	x->before.coa = x->coa;
	x->before.cn = x->cn;
	x->before.lifetime = x->lifetime;
	role_copy(x->before.context, sizeof(x->before.context), x->context);
}

static void restore_before(struct pcn_entry *x)
{
	x->coa = x->before.coa;
	x->cn = x->before.cn;
	x->lifetime = x->before.lifetime;
	role_copy(x->context, sizeof(x->context), x->before.context);
}

static void note(struct pcn_entry *x, const struct pcn_req *r)
{
	x->coa = r->m.coa;
	x->cn = r->e->path.dst;
	x->ident = r->m.ident;
	role_copy(x->context, sizeof(x->context), r->m.key_context);
}

static void update(struct pcn *pcn, struct pcn_req *r, struct actions *out)
{
	static const struct role_refusal no_memory = {"no_memory", BIND_RESOURCES, "no memory"};
	struct pcn_name name = {r->m.key_ha, r->m.hoa, r->m.profile};
	struct pcn_entry *x = r->entry ? r->entry : pcn_entry_new(pcn, &name, r->e->wall_ms);
	uint16_t most = pcn->cfg.lifetime_max;

	if (!x) {
		refuse(pcn, r, &no_memory, out);
		return;
	}
	keep_before(x);
	note(x, r);
	x->lifetime = r->m.lifetime > most ? most : r->m.lifetime;
	x->gone_after = !x->stands;
	if (!install(pcn, x, &r->profile, r->now, out)) {
		refuse(pcn, r, &no_memory, out);
		pcn_entry_end(pcn, x, no_memory.text, r->now, out);
		return;
	}
	x->stands = true;
	role_count("pcn.bu", "taken");
	pcn_entry_state(pcn, x, PCN_INSTALLING, LOG_LVL_INFO, "Binding Update taken", out);
}

/* Deleting what is not there is what was asked for, too; the Identification is remembered all the same. */
static void forget(struct pcn *pcn, struct pcn_req *r, struct actions *out)
{
	struct pcn_name name = {r->m.key_ha, r->m.hoa, r->m.profile};
	struct pcn_entry *x = r->entry ? r->entry : pcn_entry_new(pcn, &name, r->e->wall_ms);

	role_count("pcn.bu", "deletes");
	if (!x) {
		acknowledge_update(pcn, r, BIND_OK, out);
		return;
	}
	note(x, r);
	pcn_entry_end(pcn, x, "deleted by the home agent", r->now, out);
	acknowledge_entry(pcn, x, BIND_OK, out);
}

/* Its answer was lost, or is still being made. */
static void again(const struct pcn *pcn, struct pcn_req *r, struct actions *out)
{
	role_count("pcn.bu", "again");
	if (r->entry->state != PCN_INSTALLING) /* as the update says: the entry may be what it was before it */
		acknowledge_update(pcn, r, r->entry->status, out);
}

void pcn_packet(struct pcn *pcn, const struct role_event *e, role_ms now, struct actions *out)
{
	struct pcn_req r = {.e = e, .now = now};
	enum mip_reject rej = bind_decode(e->data, e->len, &r.m);
	const struct role_refusal malformed = {mip_reject_str(rej), 0, "malformed"};
	const struct role_refusal *why = rej ? &malformed : pcn_check(pcn, &r);

	role_count("pcn.bu", "received");
	if (why)
		refuse(pcn, &r, why, out);
	else if (r.again)
		again(pcn, &r, out);
	else if (r.deletes)
		forget(pcn, &r, out);
	else
		update(pcn, &r, out);
	crypto_wipe(&r, sizeof(r));
}

void pcn_installed(struct pcn *pcn, struct pcn_entry *x, role_ms now, struct actions *out)
{
	if (x->state != PCN_INSTALLING)
		return;
	pcn_lifetime_start(pcn, x, now);
	pcn_entry_state(pcn, x, PCN_READY, LOG_LVL_NOTICE, "waits for the foreign agent", out);
	acknowledge_entry(pcn, x, BIND_OK, out);
}

/* The VPN room has taken down what it had set.  What stood before a renewal still stands, until its own
 * lifetime ends. */
void pcn_not_installed(struct pcn *pcn, struct pcn_entry *x, const char *why, role_ms now,
		       struct actions *out)
{
	if (x->state == PCN_INSTALLING && !x->gone_after && x->expires > now) {
		role_count("pcn.vpn", "failed");
		pcn_entry_state(pcn, x, PCN_READY, LOG_LVL_WARN, why, out);
		role_heap_set(&pcn->heap, &x->timer, x->expires);
		acknowledge_entry(pcn, x, BIND_RESOURCES, out);
		restore_before(x);
		return;
	}
	if (x->state == PCN_INSTALLING && x->gone_after)
		x->stands = false;
	pcn_lost(pcn, x, why, now, out);
}

/* Nothing is known of the tunnel, or that it is no more: neither the old one nor the new one can be relied
 * on. */
void pcn_lost(struct pcn *pcn, struct pcn_entry *x, const char *why, role_ms now, struct actions *out)
{
	bool waits = x->state == PCN_INSTALLING;

	role_count("pcn.vpn", waits ? "failed" : "down");
	pcn_entry_end(pcn, x, why, now, out);
	if (waits)
		acknowledge_entry(pcn, x, BIND_RESOURCES, out);
}
