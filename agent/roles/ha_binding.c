/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Mobility bindings (RFC 5944 3.8.1) and what belongs to one outside of us: data path (ha_path.c) and VPN
 * profiles.  Each ADD has its DEL.  One binding for each mobile node: simultaneous bindings are not supported
 * (answered with code 1).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/roles/ha_bu.h"
#include "agent/roles/ha_int.h"

struct ha_binding *ha_binding_by_hoa(const struct ha *ha, struct in_addr hoa)
{
	struct ha_binding *b;

	HASH_FIND(hh, ha->by_hoa, &hoa, sizeof(hoa), b);
	return b;
}

struct ha_binding *ha_binding_by_nai(const struct ha *ha, const char *nai)
{
	struct ha_binding *b = NULL;

	if (nai[0])
		HASH_FIND(hh_nai, ha->by_nai, nai, strlen(nai), b);
	return b;
}

struct ha_binding *ha_binding_by_session(const struct ha *ha, const char *session)
{
	struct ha_binding *b = NULL;

	if (session && session[0])
		HASH_FIND(hh_session, ha->by_session, session, strlen(session), b);
	return b;
}

static void binding_free(struct ha_binding *b)
{
	ha_set_wipe(&b->set);
	free(b->nai);
	free(b->session);
	free(b->aaa_host);
	free(b->aaa_realm);
	crypto_wipe(b, sizeof(*b));
	free(b);
}

static bool timers_reserve(struct ha *ha)
{
	static struct role_timer unarmed;

	if (!role_heap_reserve(&ha->heap))
		return false;
	if (role_heap_reserve(&ha->heap))
		return true;
	role_heap_release(&ha->heap, &unarmed);
	return false;
}

static struct ha_binding *binding_new(struct ha *ha, const struct ha_grant *g)
{
	struct ha_binding *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->nai = role_dup("");
	b->session = role_dup("");
	b->aaa_host = role_dup("");
	b->aaa_realm = role_dup("");
	if (!b->nai || !b->session || !b->aaa_host || !b->aaa_realm || !timers_reserve(ha)) {
		binding_free(b);
		return NULL;
	}
	b->timer.kind = HA_T_BINDING;
	b->path.timer.kind = HA_T_PATH;
	b->path.of = b;
	b->hoa = g->hoa;
	b->since_wall_ms = g->wall_ms;
	HASH_ADD(hh, ha->by_hoa, hoa, sizeof(b->hoa), b);
	return b;
}

/* Puts s in the place of *field, which is the key of a hash that the caller takes care of. */
static bool replace(char **field, const char *s)
{
	char *copy = role_dup(s);

	if (!copy)
		return false;
	free(*field);
	*field = copy;
	return true;
}

static bool set_nai(struct ha *ha, struct ha_binding *b, const char *nai)
{
	bool ok;

	if (!nai[0] || strcmp(b->nai, nai) == 0)
		return true;
	if (b->nai[0])
		HASH_DELETE(hh_nai, ha->by_nai, b);
	ok = replace(&b->nai, nai);
	if (b->nai[0])
		HASH_ADD_KEYPTR(hh_nai, ha->by_nai, b->nai, strlen(b->nai), b);
	return ok;
}

static bool set_session(struct ha *ha, struct ha_binding *b, const char *session)
{
	bool ok;

	if (b->session[0])
		HASH_DELETE(hh_session, ha->by_session, b);
	ok = replace(&b->session, session);
	if (b->session[0])
		HASH_ADD_KEYPTR(hh_session, ha->by_session, b->session, strlen(b->session), b);
	return ok;
}

static bool set_names(struct ha *ha, struct ha_binding *b, const struct ha_grant *g, struct actions *out)
{
	char earlier[DM_SESSION_MAX], local[DM_SESSION_MAX], addr[INET_ADDRSTRLEN];

	role_copy(earlier, sizeof(earlier), b->session);
	if (!set_nai(ha, b, g->nai))
		return false;
	if (!g->session) {
		snprintf(local, sizeof(local), "local:%s", role_addr_str(g->hoa, addr));
		return b->session[0] || set_session(ha, b, local);
	}
	if (!set_session(ha, b, g->session) || !replace(&b->aaa_host, g->aaa_host) ||
	    !replace(&b->aaa_realm, g->aaa_realm))
		return false;
	b->aaa = true;
	if (b->vpn && (!g->vpn || strcmp(earlier, g->session) != 0))
		role_act(out, ACT_VPN_REMOVE, earlier);
	if (earlier[0] && strcmp(earlier, g->session) != 0)
		ha_bu_leave(ha, b->hoa, earlier, out);
	b->vpn = g->vpn;
	b->n_profiles = g->n_profiles;
	b->multi = g->multi;
	return true;
}

static void set_keys(struct ha_binding *b, const struct ha_grant *g, role_ms now)
{
	if (g->mn_ha && g->mn_ha->len)
		b->mn_ha = *g->mn_ha;
	if (g->fa_ha && g->fa_ha->len)
		b->fa_ha = *g->fa_ha;
	if (g->session)
		b->msa_until = g->msa_lifetime ? now + (role_ms)g->msa_lifetime * 1000 : ROLE_NEVER;
}

static void set_lifetime(struct ha *ha, struct ha_binding *b, uint16_t s, role_ms now)
{
	b->lifetime = s;
	b->expires = s == MIP_LIFETIME_INFINITE ? ROLE_NEVER : now + (role_ms)s * 1000;
	role_heap_set(&ha->heap, &b->timer, b->expires);
}

/* The same user under another address: that one is given up. */
static void leave_other(struct ha *ha, const struct ha_grant *g, struct actions *out)
{
	struct ha_binding *other = ha_binding_by_nai(ha, g->nai);
	bool same_session;

	if (!other || role_same_addr(other->hoa, g->hoa))
		return;
	same_session = g->session && strcmp(other->session, g->session) == 0;
	if (same_session)
		other->vpn = false; /* it is the new binding's now */
	ha_binding_end(ha, other, "registered with another home address",
		       same_session ? HA_NO_STR : DM_TERM_ADMINISTRATIVE, NULL, out);
}

/* When the packets follow the user.  Tunnels: when they carry (it has a deadline of its own in case that
 * they never
 * do).  Without: what the new foreign agent had to be told was told before this reply, or comes with it; by
 * HAR the
 * answer has to pass the AAAs and the new foreign agent has to look up the visitor first, until then the
 * previous
 * one still has the mobile node, or passes on what comes for it.  So does one with tunnels to PCNs only. */
static void move(struct ha *ha, struct ha_binding *b, const struct ha_grant *g, role_ms now,
		 struct actions *out)
{
	uint32_t wait = 0;

	if (b->vpn)
		wait = g->carries ? 0 : HA_CARRIES_MS;
	else if (g->session || b->n_profiles)
		wait = HA_SWITCH_MS;
	b->coa = g->coa;
	ha_path_move(ha, b, wait, now, out);
}

struct ha_binding *ha_binding_grant(struct ha *ha, const struct ha_grant *g, role_ms now, struct actions *out)
{
	struct ha_binding *b;
	bool fresh;
	char who[ROLE_WHO_MAX], addr[INET_ADDRSTRLEN];

	leave_other(ha, g, out);
	b = ha_binding_by_hoa(ha, g->hoa);
	fresh = !b;
	if (!b)
		b = binding_new(ha, g);
	if (!b)
		return NULL;
	if (fresh)
		b->coa = g->coa;
	if (!set_names(ha, b, g, out)) {
		if (fresh)
			ha_path_up(ha, b, out); /* so that the end has something to take down */
		ha_binding_end(ha, b, "no memory", HA_NO_STR, NULL, out);
		return NULL;
	}
	if (fresh)
		ha_path_up(ha, b, out);
	else if (!role_same_addr(b->coa, g->coa))
		move(ha, b, g, now, out);
	b->vpn_coa = b->vpn_up = b->coa;
	b->reverse = g->reverse;
	set_keys(b, g, now);
	set_lifetime(ha, b, g->lifetime, now);
	if (!g->session)
		ha_bu_renew(ha, b, g, now, out);
	role_count("ha.binding", fresh ? "added" : "renewed");
	role_log(out, fresh ? LOG_LVL_NOTICE : LOG_LVL_INFO,
		 "binding %s: -> registered at %s, lifetime %u, %u profiles", role_who(b->nai, b->hoa, who),
		 role_addr_str(b->coa, addr), b->lifetime, b->n_profiles);
	return b;
}

void ha_binding_end(struct ha *ha, struct ha_binding *b, const char *why, int cause, const uint8_t mac[6],
		    struct actions *out)
{
	char who[ROLE_WHO_MAX];

	role_count("ha.binding", "ended");
	role_log(out, LOG_LVL_NOTICE, "binding %s: registered -> gone, %s", role_who(b->nai, b->hoa, who),
		 why);
	ha_path_down(ha, b, mac, out);
	if (b->vpn)
		role_act(out, ACT_VPN_REMOVE, b->session);
	ha_bu_leave(ha, b->hoa, b->session, out);
	if (b->aaa && cause != HA_NO_STR)
		ha_str(ha, b, (enum dm_termination)cause, out);
	HASH_DELETE(hh, ha->by_hoa, b);
	if (b->nai[0])
		HASH_DELETE(hh_nai, ha->by_nai, b);
	if (b->session[0])
		HASH_DELETE(hh_session, ha->by_session, b);
	role_heap_release(&ha->heap, &b->timer);
	role_heap_release(&ha->heap, &b->path.timer);
	ha_move_orphan(ha, b, why, out);
	binding_free(b);
}

struct ha_memory *ha_memory_find(const struct ha *ha, const char *key)
{
	struct ha_memory *m;

	HASH_FIND_STR(ha->memory, key, m);
	return m;
}

static struct ha_memory *memory_new(struct ha *ha, const char *key)
{
	struct ha_memory *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->key = role_dup(key);
	if (!m->key || !role_heap_reserve(&ha->heap)) {
		free(m->key);
		free(m);
		return NULL;
	}
	m->timer.kind = HA_T_MEMORY;
	HASH_ADD_KEYPTR(hh, ha->memory, m->key, strlen(m->key), m);
	return m;
}

/* A timestamp accepted now may be clock_skew ahead, and would pass for another clock_skew after that. */
void ha_memory_note(struct ha *ha, const char *key, uint64_t ident, const struct role_assoc *mn_ha,
		    role_ms now)
{
	struct ha_memory *m = ha_memory_find(ha, key);

	if (!m)
		m = memory_new(ha, key);
	if (!m) {
		role_count("roles", "no_memory");
		return;
	}
	m->ident = ident;
	crypto_wipe(&m->mn_ha, sizeof(m->mn_ha));
	if (mn_ha)
		m->mn_ha = *mn_ha;
	role_heap_set(&ha->heap, &m->timer, now + 2 * (role_ms)ha->cfg.clock_skew_ms + 1000);
}

void ha_memory_end(struct ha *ha, struct ha_memory *m)
{
	HASH_DELETE(hh, ha->memory, m);
	role_heap_release(&ha->heap, &m->timer);
	free(m->key);
	crypto_wipe(m, sizeof(*m));
	free(m);
}
