/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What both sides of a smooth handoff share: sessions in the VPN room named after the home address, and a way to
 * send from the care-of address.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "agent/roles/fa_int.h"

struct action *fa_handoff_act(const struct fa_handoff *h, enum action_type type, struct actions *out)
{
	char session[DM_SESSION_MAX], addr[INET_ADDRSTRLEN];
	struct action *a;

	snprintf(session, sizeof(session), "%s%s", h->prefix, role_addr_str(h->hoa, addr));
	a = role_act(out, type, session);
	if (!a)
		return NULL;
	a->hoa = h->hoa;
	a->local = h->local;
	a->peer = h->peer;
	return a;
}

bool fa_handoff_named(const char *prefix, const char *session, struct in_addr *hoa)
{
	size_t n = strlen(prefix);

	return session && strncmp(session, prefix, n) == 0 && inet_pton(AF_INET, session + n, hoa) == 1;
}

void fa_core_send(struct in_addr from, struct in_addr to, const struct wbuf *w, struct actions *out)
{
	struct role_path path = {
		.src = from, .dst = to, .sport = MIP_PORT, .dport = MIP_PORT, .ttl = ROLE_REPLY_TTL};

	role_send(out, &path, IPPROTO_UDP, w);
}
