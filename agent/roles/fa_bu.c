/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A Binding Update for the previous foreign agent (doc/moves.md): silence for what proves nothing, a status for
 * what is authentic and not granted.  doc/registration.md has the same table in words.
 */
#include "agent/roles/fa_int.h"

#define REFUSAL(id, code_, text_) static const struct role_refusal id = {#id, code_, text_}

REFUSAL(malformed, 0, "it is malformed");
REFUSAL(not_handoff, 0, "no handoff authentication");
REFUSAL(no_visitor, 0, "no visitor has this home address");
REFUSAL(no_key, 0, "the visitor's session has no handoff key");
REFUSAL(other_sender, 0, "it does not come from the care-of address in it");
REFUSAL(not_authentic, 0, "the authenticator is wrong");
REFUSAL(disabled, BIND_PROHIBITED, "smooth handoff is switched off");
REFUSAL(cvse, BIND_POOR, "a critical extension that we do not know");
REFUSAL(own_address, BIND_POOR, "the care-of address is ours or the home address");
REFUSAL(no_identification, BIND_IDENT, "it has no Identification");
REFUSAL(stale, BIND_IDENT, "the Identification is too far from our clock");
REFUSAL(replay, BIND_IDENT, "the Identification is not later than the last one");
REFUSAL(bad_handoff, BIND_POOR, "the sealed part is missing or wrong");
REFUSAL(old_move, BIND_IDENT, "the mobile node has come back since");

static const struct role_refusal *check_authentic(struct fa *fa, struct fa_bu *u)
{
	uint8_t key[32];
	bool right;

	if (!u->m.auth.present || u->m.auth_subtype != BIND_SUBTYPE_HANDOFF)
		return &not_handoff;
	HASH_FIND(hh_hoa, fa->by_hoa, &u->m.hoa, sizeof(u->m.hoa), u->v);
	if (!u->v)
		return &no_visitor;
	if (!u->v->handoff.len)
		return &no_key;
	if (!role_same_addr(u->m.coa, u->e->path.src))
		return &other_sender;
	right = vpn_handoff_auth_key(&u->v->handoff, key) == 0 && bind_auth_check(&u->m, key);
	crypto_wipe(key, sizeof(key));
	return right ? NULL : &not_authentic;
}

static const struct role_refusal *check_fields(struct fa *fa, struct fa_bu *u)
{
	if (!fa->cfg.smooth_handoff)
		return &disabled;
	if (u->m.cvse)
		return &cvse;
	if (fa_is_own(fa, u->m.coa) || role_same_addr(u->m.coa, u->m.hoa))
		return &own_address;
	return NULL;
}

/* The same one again is a copy on the way: answered like the first. */
static bool is_again(const struct fa_bu *u)
{
	const struct fa_handout *o = &u->v->out;

	return o->on && o->ident == u->m.ident && role_same_addr(o->peer, u->m.coa);
}

static const struct role_refusal *check_ident(struct fa *fa, struct fa_bu *u)
{
	int64_t off = mip_ident_diff_ms(u->m.ident, mip_ident_from_unix_ms(u->e->wall_ms, 0));

	if (!u->m.has_ident)
		return &no_identification;
	if (off > (int64_t)fa->cfg.clock_skew_ms || off < -(int64_t)fa->cfg.clock_skew_ms)
		return &stale;
	if (u->v->bu_ident && !mip_ident_later(u->m.ident, u->v->bu_ident) && !is_again(u))
		return &replay;
	return NULL;
}

static const struct role_refusal *check_handoff(struct fa *fa, struct fa_bu *u)
{
	uint8_t key[32];
	bool opened =
		vpn_handoff_seal_key(&u->v->handoff, key) == 0 && bind_open_handoff(&u->m, key, &u->h) == 0;

	(void)fa;
	crypto_wipe(key, sizeof(key));
	if (!opened)
		return &bad_handoff;
	if (u->h.request && u->v->ident && mip_ident_later(u->v->ident, u->h.request))
		return &old_move;
	return NULL;
}

static const struct role_refusal *check(struct fa *fa, struct fa_bu *u)
{
	static const struct role_refusal *(*const checks[])(struct fa *, struct fa_bu *) = {
		check_authentic, check_fields, check_ident, check_handoff};
	const struct role_refusal *why = NULL;

	for (size_t i = 0; !why && i < sizeof(checks) / sizeof(checks[0]); i++)
		why = checks[i](fa, u);
	return why;
}

void fa_bu_ack(const struct fa_visitor *v, struct in_addr local, struct in_addr peer, uint64_t ident,
	       uint8_t status, struct actions *out)
{
	uint8_t mem[128], key[32];
	struct wbuf w;
	struct bind_msg m = {
		.type = BIND_ACK, .status = status, .hoa = v->hoa, .has_ident = true, .ident = ident};

	wbuf_init(&w, mem, sizeof(mem));
	bind_put(&w, &m);
	if (vpn_handoff_auth_key(&v->handoff, key) == 0)
		bind_put_auth(&w, BIND_SUBTYPE_HANDOFF, MIP_SPI_MIN, key);
	crypto_wipe(key, sizeof(key));
	fa_core_send(local, peer, &w, out);
}

void fa_bu(struct fa *fa, const struct role_event *e, role_ms now, struct actions *out)
{
	struct fa_bu u = {.e = e};
	enum mip_reject rej = bind_decode(e->data, e->len, &u.m);
	const struct role_refusal *why = rej ? &malformed : check(fa, &u);
	char who[ROLE_WHO_MAX], addr[INET_ADDRSTRLEN];

	if (!why) {
		role_count("fa.bu", "taken");
		fa_handout_start(fa, &u, now, out);
		return;
	}
	role_count("fa.bu", rej ? mip_reject_str(rej) : why->name);
	if (!why->code) /* anybody may have sent it: no line either */
		return;
	role_log(out, LOG_LVL_NOTICE, "visitor %s: Binding Update of %s refused, status %u: %s",
		 role_who(u.v->nai, u.v->hoa, who), role_addr_str(e->path.src, addr), why->code, why->text);
	fa_bu_ack(u.v, e->path.dst, e->path.src, u.m.ident, why->code, out);
}
