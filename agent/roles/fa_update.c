/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VPNs of a visitor have changed at home (VUR, doc/protocol.md; note 16): the VPN room gets another
 * set for his session, and nothing else of him changes.  What he keeps is not touched there; what is new
 * comes up before what it takes the place of goes.  The answer leaves when all of it is done, or tried:
 * no VPN of such a set is one that he is not let on without.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/roles/fa_int.h"

static void answer(const struct fa *fa, const char *session, const char *user, uint64_t token,
		   uint32_t result, const char *text, struct actions *out)
{
	struct dm_haa *h = calloc(1, sizeof(*h));
	struct action *a = h ? role_act(out, ACT_VUA, session) : NULL;

	if (!a) {
		free(h);
		return;
	}
	a->haa = h;
	a->token = token;
	h->result = result;
	role_copy(h->session, sizeof(h->session), session);
	role_copy(h->user, sizeof(h->user), user);
	role_copy(h->origin_host, sizeof(h->origin_host), fa->cfg.diameter_host);
	role_copy(h->origin_realm, sizeof(h->origin_realm), fa->cfg.diameter_realm);
	role_copy(h->error, sizeof(h->error), text);
}

static void refuse(const struct fa *fa, const struct role_event *e, uint32_t result, const char *name,
		   const char *text, struct actions *out)
{
	role_count("fa.vur", name);
	answer(fa, e->session, e->har->user, e->token, result, text, out);
}

void fa_update_end(struct fa *fa, struct fa_visitor *v, uint32_t result, const char *text,
		   struct actions *out)
{
	char who[ROLE_WHO_MAX];

	if (!v->update.on)
		return;
	v->update.on = false;
	role_count("fa.vur", result == DM_SUCCESS ? "done" : "failed");
	if (result == DM_SUCCESS)
		v->n_profiles = v->update.n;
	role_log(out, result == DM_SUCCESS ? LOG_LVL_INFO : LOG_LVL_NOTICE,
		 "visitor %s: his VPNs are %s set, %u profiles%s%s", role_who(v->nai, v->hoa, who),
		 result == DM_SUCCESS ? "another" : "still the same", v->n_profiles, text[0] ? ": " : "",
		 text);
	answer(fa, v->session, v->nai, v->update.token, result, text, out);
}

bool fa_update_failed(struct fa *fa, struct fa_visitor *v, const char *text, struct actions *out)
{
	if (!v->update.on)
		return false;
	v->vpn = !v->update.bare; /* the VPN room has gone back to what stood */
	fa_update_end(fa, v, DM_UNABLE_TO_COMPLY, text ? text : "a tunnel could not be set up", out);
	return true;
}

/* The AAAH may know the foreign agent that he was at first (D2). */
static bool install(struct fa *fa, struct fa_visitor *v, const struct dm_vpn *vpn, struct actions *out)
{
	struct action *a = role_act(out, ACT_VPN_INSTALL, v->session);

	if (!a)
		return false;
	if (!role_act_profiles(a, vpn->p, vpn->n)) {
		out->n--;
		return false;
	}
	for (uint8_t i = 0; i < a->n_profiles; i++)
		a->profiles[i].src_gw = v->coa;
	a->deadline_ms = fa->cfg.vpn_timeout_ms;
	a->late_child = v->vpn;
	return true;
}

static bool is_busy(const struct fa *fa, const struct fa_visitor *v)
{
	const struct fa_pending *p;

	TAILQ_FOREACH(p, &fa->pendings, link)
	{
		if (strcmp(p->key, v->key) == 0)
			return true;
	}
	return v->update.on || v->completing;
}

static void begin(struct fa *fa, struct fa_visitor *v, const struct role_event *e, struct actions *out)
{
	const struct dm_vpn *vpn = &e->har->vpn;

	if (vpn->n && !install(fa, v, vpn, out)) {
		refuse(fa, e, DM_TOO_BUSY, "no_memory", "out of memory", out);
		return;
	}
	v->update.on = true;
	v->update.bare = !v->vpn;
	v->update.token = e->token;
	v->update.n = vpn->n;
	if (!vpn->n && v->vpn)
		role_act(out, ACT_VPN_REMOVE, v->session);
	v->vpn = vpn->n > 0;
	if (!vpn->n)
		fa_update_end(fa, v, DM_SUCCESS, "", out);
}

void fa_update(struct fa *fa, const struct role_event *e, struct actions *out)
{
	struct fa_visitor *v = fa_visitor_by_session(fa, e->session);

	role_count("fa.vur", "received");
	if (!v || !v->aaa || v->out.on)
		refuse(fa, e, DM_UNKNOWN_SESSION, "unknown", "unknown session", out);
	else if (is_busy(fa, v))
		refuse(fa, e, DM_TOO_BUSY, "busy", "a registration of the user is under way", out);
	else
		begin(fa, v, e, out);
}
