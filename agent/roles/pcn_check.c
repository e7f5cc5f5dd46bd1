/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The checks of a Binding Update, in their order (doc/binding.md).  What comes before the authenticator is
 * answered with silence: anybody could have sent it.  A wrong authenticator is answered with 131, so that
 * an operator who mixed up master keys sees it; everything behind it is told to the home agent alone, under
 * its key.
 */
#include <stdio.h>
#include <string.h>

#include "agent/roles/pcn_int.h"

#define SILENCE 0
#define REFUSAL(id, code, text) static const struct role_refusal id = {#id, code, text}

REFUSAL(not_update, SILENCE, "not a Binding Update");
REFUSAL(not_ours, SILENCE, "for a host that this gateway does not stand for");
REFUSAL(no_key_name, SILENCE, "it names no key");
REFUSAL(no_authenticator, SILENCE, "it has no authenticator");
REFUSAL(other_sender, SILENCE, "the key is another home agent's");
REFUSAL(bad_authenticator, BIND_AUTH, "the authenticator is wrong");
REFUSAL(cvse, BIND_POOR, "a critical extension is unknown");
REFUSAL(no_identification, BIND_IDENT, "it has no Identification");
REFUSAL(stale, BIND_IDENT, "the Identification is out of the clock's tolerance");
REFUSAL(replay, BIND_IDENT, "the Identification is not later than the last one");
REFUSAL(bad_profile, BIND_POOR, "the profile cannot be read");
REFUSAL(other_profile, BIND_POOR, "the profile is not the one that the update is about");
REFUSAL(other_gateway, BIND_PROHIBITED, "the profile is for another gateway");
REFUSAL(other_prefix, BIND_PROHIBITED, "the profile's destination is not behind this gateway");
REFUSAL(full, BIND_RESOURCES, "too many bindings");

static bool behind_us(const struct pcn *pcn, const struct vpn_prefix *p)
{
	for (size_t i = 0; i < pcn->cfg.n_prefixes; i++) {
		if (p->len >= pcn->cfg.prefixes[i].len && vpn_prefix_has(&pcn->cfg.prefixes[i], p->addr))
			return true;
	}
	return false;
}

static const struct role_refusal *check_sender(const struct pcn *pcn, struct pcn_req *r)
{
	struct vpn_prefix cn = {r->e->path.dst, 32};

	if (r->m.type != BIND_UPDATE)
		return &not_update;
	if (!behind_us(pcn, &cn))
		return &not_ours;
	if (!r->m.key_context[0])
		return &no_key_name;
	if (!r->m.auth.present || r->m.auth_subtype != BIND_SUBTYPE_ROUTE)
		return &no_authenticator;
	if (!role_same_addr(r->m.key_ha, r->e->path.src))
		return &other_sender;
	if (!pcn_keys(pcn, r->m.key_ha, r->m.key_context, r->auth_key, r->seal_key) ||
	    !bind_auth_check(&r->m, r->auth_key))
		return &bad_authenticator;
	r->authentic = true;
	return r->m.cvse ? &cvse : NULL;
}

/* The same update again is answered again; an earlier one changes nothing (draft 4.3, RFC 5944 5.7.1). */
static const struct role_refusal *check_ident(const struct pcn *pcn, struct pcn_req *r)
{
	int64_t off = mip_ident_diff_ms(r->m.ident, mip_ident_from_unix_ms(r->e->wall_ms, 0));

	if (!r->m.has_ident)
		return &no_identification;
	r->again = r->entry && r->entry->ident == r->m.ident;
	if (r->again)
		return NULL;
	if (off > (int64_t)pcn->cfg.clock_skew_ms || off < -(int64_t)pcn->cfg.clock_skew_ms)
		return &stale;
	return r->entry && !mip_ident_later(r->m.ident, r->entry->ident) ? &replay : NULL;
}

static const struct role_refusal *check_profile(const struct pcn *pcn, struct pcn_req *r)
{
	const struct vpn_profile *p = &r->profile;

	if (bind_open_profile(&r->m, r->seal_key, &r->profile, r->why, sizeof(r->why)) < 0)
		return &bad_profile;
	if (p->number != r->m.profile || p->src.len != 32 || !role_same_addr(p->src.addr, r->m.hoa) ||
	    !role_same_addr(p->src_gw, r->m.coa))
		return &other_profile;
	if (!role_same_addr(p->dst_gw, pcn->cfg.addr) || p->dst_gw_type != VPN_GW_DYNAMIC)
		return &other_gateway;
	return behind_us(pcn, &p->dst) && vpn_prefix_has(&p->dst, r->e->path.dst) ? NULL : &other_prefix;
}

const struct role_refusal *pcn_check(struct pcn *pcn, struct pcn_req *r)
{
	struct pcn_name name = {r->m.key_ha, r->m.hoa, r->m.profile};
	const struct role_refusal *why = check_sender(pcn, r);

	if (why)
		return why;
	r->entry = pcn_entry_find(pcn, &name);
	r->deletes = !r->m.lifetime || role_same_addr(r->m.coa, r->m.hoa);
	why = check_ident(pcn, r);
	if (why || r->deletes || r->again)
		return why;
	why = check_profile(pcn, r);
	if (!why && (!r->entry || r->entry->state == PCN_GONE) && pcn->n_live >= pcn->cfg.entries_max)
		why = &full;
	return why;
}
