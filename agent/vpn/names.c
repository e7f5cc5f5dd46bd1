/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What our things are called in charon (doc/ipsec.md has the table). Connection, its one child and its secret
 * share one name, without dots (swanctl's section separator):
 *	PREFIX-p<number>-<spi_up, hex>-<kid>-<peer>-<i|r>	per profile; peer = address with dashes
 *	PREFIX-sla-<SLA>-<peer>					to an enterprise's gateway
 *	PREFIX-any						for gateways not told of yet (early.c)
 * The peer is part of it because after a move two tunnels of one profile stand for a while.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/vpn/internal.h"

static void dashed(struct in_addr a, char out[INET_ADDRSTRLEN])
{
	inet_ntop(AF_INET, &a, out, INET_ADDRSTRLEN);
	for (char *c = out; *c; c++) {
		if (*c == '.')
			*c = '-';
	}
}

static void name_put(const struct vpn *v, uint32_t number, uint32_t spi, const char *kid, struct in_addr peer,
		     char side, char out[TUNNEL_NAME_MAX])
{
	char addr[INET_ADDRSTRLEN];

	dashed(peer, addr);
	snprintf(out, TUNNEL_NAME_MAX, "%s-p%u-%x-%s-%s-%c", v->cfg.prefix, number, spi, kid, addr, side);
}

bool vpn_is_source(const struct vpn *v, const struct vpn_profile *p)
{
	return p->src_gw.s_addr == v->cfg.self.s_addr;
}

/* The source gateway does; of a handoff the previous foreign agent, which is its destination gateway. */
bool vpn_initiates(const struct vpn *v, const struct vpn_profile *p)
{
	return vpn_is_source(v, p) != (p->dst_gw_type == VPN_GW_HANDOFF);
}

static bool has_own_keys(const struct vpn_profile *p)
{
	return p->enc_key.len || p->auth_key.len;
}

void vpn_name_profile(const struct vpn *v, const struct vpn_profile *p, bool initiator,
		      char out[TUNNEL_NAME_MAX])
{
	char kid[9] = "shared", addr[INET_ADDRSTRLEN];

	if (initiator && p->dst_gw_type == VPN_GW_STATIC) {
		dashed(p->dst_gw, addr);
		snprintf(out, TUNNEL_NAME_MAX, "%s-sla-%s-%s", v->cfg.prefix, p->sla, addr);
		return;
	}
	if (has_own_keys(p))
		vpn_profile_kid(p, kid);
	name_put(v, p->number, p->spi_up, kid, vpn_is_source(v, p) ? p->dst_gw : p->src_gw,
		 initiator ? 'i' : 'r', out);
}

bool vpn_name_ours(const struct vpn *v, const char *name)
{
	size_t n = strlen(v->cfg.prefix);

	if (strncmp(name, v->cfg.prefix, n) || name[n] != '-' || strlen(name) >= TUNNEL_NAME_MAX)
		return false;
	name += n + 1;
	return !strncmp(name, "sla-", 4) || (name[0] == 'p' && name[1] >= '0' && name[1] <= '9');
}

bool vpn_name_from_ike_id(const struct vpn *v, const char *ike_id, char out[TUNNEL_NAME_MAX])
{
	unsigned number, up, down;
	char kid[9], addr[INET_ADDRSTRLEN];
	struct in_addr peer;

	if (sscanf(ike_id, "%10u-%10u-%10u-%8[0-9a-z]@%15[0-9.]", &number, &up, &down, kid, addr) != 5 ||
	    inet_pton(AF_INET, addr, &peer) != 1)
		return false;
	name_put(v, number, up, kid, peer, 'r', out);
	return true;
}

static int id_or_address(const char *id, struct in_addr a, char out[VPN_ID_MAX])
{
	if (id[0])
		snprintf(out, VPN_ID_MAX, "%s", id);
	else
		inet_ntop(AF_INET, &a, out, VPN_ID_MAX);
	return 0;
}

int vpn_part_ids(const struct part *part, char local[VPN_ID_MAX], char remote[VPN_ID_MAX])
{
	const struct vpn_profile *p = &part->p;
	bool source = vpn_is_source(part->session->v, p);

	if (source && p->dst_gw_type == VPN_GW_STATIC) {
		id_or_address(p->ike_local, p->src_gw, local);
		return id_or_address(p->ike_remote, p->dst_gw, remote);
	}
	if (vpn_profile_ike_id(p, source ? p->src_gw : p->dst_gw, local) < 0 ||
	    vpn_profile_ike_id(p, source ? p->dst_gw : p->src_gw, remote) < 0)
		return -1;
	return 0;
}

bool vpn_same_tunnel(const struct vpn_profile *a, const struct vpn_profile *b)
{
	struct vpn_profile x = *a;
	bool same;

	/* What the tunnel does not depend on. */
	x.tos_up = b->tos_up;
	x.tos_down = b->tos_down;
	x.required = b->required;
	if (a->dst_gw_type == VPN_GW_STATIC && b->dst_gw_type == VPN_GW_STATIC && a->sla_dst.len &&
	    b->sla_dst.len) {
		x.number = b->number;
		x.src = b->src;
		x.dst = b->dst;
		x.spi_up = b->spi_up;
		x.spi_down = b->spi_down;
		x.enc_key = b->enc_key;
		x.auth_key = b->auth_key;
	}
	same = vpn_profile_equal(&x, b);
	vpn_profile_wipe(&x);
	return same;
}
