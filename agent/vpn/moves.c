/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a move of the user makes of sessions (doc/moves.md): the same profiles with another foreign agent, and
 * the tunnels between the two foreign agents.
 */
#include "agent/vpn/internal.h"

#include <stdio.h>

#include "lib/crypto.h"

/* What is wanted of a session; of one that leaves, what was. */
static size_t wanted_of(const struct session *s, struct vpn_profile out[VPN_PROFILES_MAX])
{
	const struct part *p;
	size_t n = 0;

	LIST_FOREACH(p, &s->parts, in_session)
	{
		if ((s->state == SESSION_LEAVING ? p->left : !p->retired) && n < VPN_PROFILES_MAX)
			out[n++] = p->p;
	}
	return n;
}

int session_move(struct vpn *v, const char *session, struct in_addr from, struct in_addr to,
		 uint32_t deadline_ms, char *err, size_t err_len)
{
	struct vpn_profile p[VPN_PROFILES_MAX];
	struct session *s = session_find(v, session);
	size_t n;
	int rc;

	if (!s) {
		snprintf(err, err_len, "no such session");
		return -1;
	}
	n = wanted_of(s, p);
	for (size_t i = 0; i < n; i++) {
		if (p[i].src_gw.s_addr == from.s_addr)
			p[i].src_gw = to;
	}
	rc = session_install(v, session, p, n, true, deadline_ms, err, err_len);
	crypto_wipe(p, sizeof(p));
	return rc;
}

/* --- smooth handoff --- */

static struct vpn_prefix widened(const struct vpn_prefix *p, uint8_t len)
{
	struct vpn_prefix w = {.len = len};

	w.addr.s_addr = len ? p->addr.s_addr & htonl(UINT32_MAX << (32 - len)) : 0;
	return w;
}

/* What the new foreign agent sends up must not enter the handoff's tunnel, which leads to where the user
 * is no longer, but both ends of a CHILD_SA have the same selectors, and of equal ones the newest wins. So
 * the handoff's are wider than those of every tunnel of the session that they overlap: charon takes the
 * narrowest. */
static void set_selectors(struct vpn_profile *h, const struct vpn_profile *p, size_t n)
{
	int len = (int)h->dst.len - 1;
	bool again = true;

	while (again && len >= 0) {
		struct vpn_prefix w = widened(&h->dst, (uint8_t)len);

		again = false;
		for (size_t i = 0; i < n && !again; i++) {
			again = p[i].dst.len <= len &&
				(vpn_prefix_has(&p[i].dst, w.addr) || vpn_prefix_has(&w, p[i].dst.addr));
			if (again)
				len = (int)p[i].dst.len - 1;
		}
	}
	h->sla_src = len < 0 ? widened(&h->src, 31) : h->src; /* there is nothing wider than everything */
	h->sla_dst = widened(&h->dst, len > 0 ? (uint8_t)len : 0);
}

/* Renewed keys may have left two parts of one number: one tunnel is enough for them. */
static bool number_is_there(const struct vpn_profile *p, size_t n, uint32_t number)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i].number == number)
			return true;
	}
	return false;
}

static int handoffs_of(const struct vpn *v, const struct vpn_profile *p, size_t n, struct in_addr peer,
		       bool newcomer, const struct vpn_key *key, struct vpn_profile *out)
{
	struct in_addr self = v->cfg.self;
	int made = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i].security == VPN_SEC_ENCAP || p[i].dst_gw_type == VPN_GW_HANDOFF ||
		    !vpn_is_source(v, &p[i]) || number_is_there(out, (size_t)made, p[i].number))
			continue;
		if (vpn_handoff_profile(&p[i], newcomer ? self : peer, newcomer ? peer : self, key,
					&out[made]) < 0)
			return -1;
		set_selectors(&out[made++], p, n);
	}
	return made;
}

int session_handoff(struct vpn *v, const char *session, const char *from, struct in_addr peer, bool newcomer,
		    const struct vpn_key *key, uint32_t deadline_ms, char *err, size_t err_len)
{
	struct vpn_profile p[VPN_PROFILES_MAX], out[VPN_PROFILES_MAX];
	const struct session *s = session_find(v, from);
	int n = -1;

	if (!s) {
		snprintf(err, err_len, "no such session");
		return -1;
	}
	n = handoffs_of(v, p, wanted_of(s, p), peer, newcomer, key, out);
	if (n < 0)
		snprintf(err, err_len, "no key for the handoff");
	else
		n = session_install(v, session, out, (size_t)n, false, deadline_ms, err, err_len);
	crypto_wipe(p, sizeof(p));
	crypto_wipe(out, sizeof(out));
	return n;
}
