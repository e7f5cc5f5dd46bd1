/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VPNs of a user who is on have changed at home (VUR, doc/protocol.md; note 16): the set of his
 * profiles becomes another one, and his binding stays as it is.  What he keeps is not touched, PCNs hear
 * of what is new and of what is gone, and the answer leaves when all that this node can do is done.
 *
 *	none --VUR--> under way --ready--> none
 *	                 \--a registration, failed, late, binding gone--> refused, the AAAH comes again
 */
#include <stdlib.h>
#include <string.h>

#include "agent/roles/ha_bu.h"
#include "agent/roles/ha_int.h"

static struct dm_haa *vua(const struct ha *ha, const char *session, const char *user, uint64_t token,
			  uint32_t result, struct actions *out)
{
	struct dm_haa *h = calloc(1, sizeof(*h));
	struct action *a = h ? role_act(out, ACT_VUA, session) : NULL;

	if (!a) {
		free(h);
		return NULL;
	}
	a->haa = h;
	a->token = token;
	h->result = result;
	role_copy(h->session, sizeof(h->session), session);
	role_copy(h->user, sizeof(h->user), user);
	role_copy(h->origin_host, sizeof(h->origin_host), ha->cfg.diameter_host);
	role_copy(h->origin_realm, sizeof(h->origin_realm), ha->cfg.diameter_realm);
	return h;
}

static void refuse(const struct ha *ha, const struct role_event *e, uint32_t result, const char *name,
		   const char *text, struct actions *out)
{
	struct dm_haa *h = vua(ha, e->session, e->har->user, e->token, result, out);

	role_count("ha.vur", name);
	if (h)
		role_copy(h->error, sizeof(h->error), text);
}

void ha_update_refuse(struct ha *ha, struct ha_pending *p, const char *text, struct actions *out)
{
	struct dm_haa *h = vua(ha, p->session, p->nai, p->token, DM_UNABLE_TO_COMPLY, out);
	char who[ROLE_WHO_MAX];

	role_count("ha.vur", "failed");
	role_log(out, LOG_LVL_NOTICE, "binding %s: update of its VPNs failed: %s",
		 role_who(p->nai, p->answer.hoa, who), text);
	if (h)
		role_copy(h->error, sizeof(h->error), text);
	ha_bu_give_back(ha, p->answer.hoa, p->session, out);
	ha_pending_end(ha, p);
}

/* The AAAH comes again until the new connection stands. */
static void contract_waits(const struct ha_pending *p, struct dm_haa *h, struct actions *out)
{
	struct dm_refused *r = &h->refused[h->n_refused];
	char who[ROLE_WHO_MAX], *why = NULL;

	if (!p->contract_waits || h->n_refused == DM_REFUSED_MAX ||
	    strncmp(p->contract_waits, "VPN ", 4) != 0)
		return;
	r->number = (uint32_t)strtoul(p->contract_waits + 4, &why, 10);
	if (strncmp(why, ": ", 2) != 0)
		return;
	role_copy(r->text, sizeof(r->text), why + 2);
	h->n_refused++;
	role_count("ha.vur", "contract_waits");
	role_log(out, LOG_LVL_NOTICE, "binding %s: %s; the contract's old connection stays until then",
		 role_who(p->nai, p->answer.hoa, who), p->contract_waits);
}

void ha_update_complete(struct ha *ha, struct ha_pending *p, struct actions *out)
{
	struct ha_binding *b = ha_binding_by_session(ha, p->session);
	struct dm_haa *h = vua(ha, p->session, p->nai, p->token, DM_SUCCESS, out);
	char who[ROLE_WHO_MAX];

	if (b->vpn && !p->n_local)
		role_act(out, ACT_VPN_REMOVE, b->session);
	b->vpn = p->n_local > 0;
	b->vpn_coa = b->vpn_up = p->coa;
	ha_set_grant(b, p);
	b->n_profiles = p->n_profiles;
	role_count("ha.vur", "done");
	role_log(out, LOG_LVL_INFO, "binding %s: its VPNs are another set, %u profiles",
		 role_who(b->nai, b->hoa, who), b->n_profiles);
	if (h) {
		contract_waits(p, h, out);
		ha_bu_refused(ha, p->answer.hoa, p->session, h);
	}
	ha_bu_settle(ha, p->answer.hoa, p->session, out);
	ha_pending_end(ha, p);
}

/* The user may have moved without the AAAH (D2): it names the foreign agent that it knows. */
static void at_his_place(const struct ha *ha, const struct ha_binding *b, const struct dm_har *told,
			 struct vpn_profile set[VPN_PROFILES_MAX], struct dm_har *h)
{
	h->vpn = told->vpn;
	h->vpn.p = set;
	if (told->vpn.n)
		memcpy(set, told->vpn.p, told->vpn.n * sizeof(*set));
	ha_set_at(ha, set, told->vpn.n, b->coa);
}

static uint16_t seconds_left(const struct ha_binding *b, role_ms now)
{
	role_ms s = b->expires > now ? (b->expires - now) / 1000 : 0;

	return b->expires == ROLE_NEVER ? MIP_LIFETIME_INFINITE : (uint16_t)(s > 65534 ? 65534 : s ? s : 1);
}

static void begin(struct ha *ha, const struct ha_binding *b, const struct role_event *e, role_ms now,
		  struct actions *out)
{
	struct ha_pending *p = ha->n_pending < HA_PENDING_MAX
				       ? ha_pending_alloc(ha, b->session, b->nai, b->aaa_host, b->aaa_realm)
				       : NULL;
	struct vpn_profile set[VPN_PROFILES_MAX];
	struct dm_har h = {0};

	if (!p) {
		refuse(ha, e, DM_TOO_BUSY, "full", "too much is under way", out);
		return;
	}
	p->update = true;
	p->token = e->token;
	p->wall_ms = e->wall_ms;
	p->coa = b->coa;
	p->n_profiles = e->har->vpn.n;
	p->answer.hoa = b->hoa;
	p->answer.lifetime = seconds_left(b, now);
	ha_pending_add(ha, p);
	at_his_place(ha, b, e->har, set, &h);
	if (ha_pending_install(ha, p, &h, e, now, out))
		ha_pending_check(ha, p, now, out);
	else
		ha_pending_take_back(ha, p, &ha_no_memory, NULL, out);
	crypto_wipe(set, sizeof(set));
}

void ha_update(struct ha *ha, const struct role_event *e, role_ms now, struct actions *out)
{
	struct ha_binding *b = ha_binding_by_session(ha, e->session);

	role_count("ha.vur", "received");
	if (!b || !b->aaa)
		refuse(ha, e, DM_UNKNOWN_SESSION, "unknown", "unknown session", out);
	else if (ha_pending_of(ha, e->session))
		refuse(ha, e, DM_TOO_BUSY, "busy", "a registration of the user is under way", out);
	else
		begin(ha, b, e, now, out);
}
