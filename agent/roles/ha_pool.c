/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Home addresses: which ones this agent serves, and which it hands out when neither the mobile node nor the
 * AAAH named one (RFC 2794).
 */
#include <arpa/inet.h>
#include <string.h>

#include "agent/roles/ha_int.h"

static uint32_t host_mask(uint8_t len)
{
	return len >= 32 ? 0 : 0xffffffffu >> len;
}

/* Neither the network's nor the broadcast address; a /31 and a /32 have none of these. */
static bool is_host(struct in_addr a, const struct vpn_prefix *p)
{
	uint32_t host = ntohl(a.s_addr) & host_mask(p->len);

	return p->len >= 31 || (host != 0 && host != host_mask(p->len));
}

bool ha_serves(const struct ha *ha, struct in_addr hoa)
{
	return vpn_prefix_has(&ha->cfg.home_prefix, hoa) && is_host(hoa, &ha->cfg.home_prefix) &&
	       !ha_is_own(ha, hoa);
}

bool ha_is_free(const struct ha *ha, struct in_addr hoa, const char *nai)
{
	const struct ha_binding *b = ha_binding_by_hoa(ha, hoa);
	const struct ha_pending *p;

	if (b && strcmp(b->nai, nai) != 0 && b->nai[0] && nai[0])
		return false;
	TAILQ_FOREACH(p, &ha->pendings, link)
	{
		if (role_same_addr(p->answer.hoa, hoa) && strcmp(p->nai, nai) != 0)
			return false;
	}
	return true;
}

/* Goes round the pool, so that an address rests before it is given to the next. */
bool ha_pool_take(struct ha *ha, const char *nai, struct in_addr *out)
{
	const struct vpn_prefix *pool = &ha->cfg.pool;
	uint32_t base = ntohl(pool->addr.s_addr), size = host_mask(pool->len);

	if (!pool->len)
		return false;
	for (uint32_t i = 0; i <= size; i++) {
		uint32_t off = (ha->pool_next + i) & size;
		struct in_addr a = {htonl(base + off)};

		if (!is_host(a, pool) || !ha_serves(ha, a) || ha_binding_by_hoa(ha, a) ||
		    !ha_is_free(ha, a, nai))
			continue;
		ha->pool_next = off + 1;
		*out = a;
		return true;
	}
	return false;
}
