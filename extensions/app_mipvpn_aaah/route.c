/* SPDX-License-Identifier: BSD-3-Clause */
#include "extensions/app_mipvpn_aaah/route.h"

#include <string.h>

static bool prefix_covers(const struct vpn_prefix *outer, const struct vpn_prefix *inner)
{
	return inner->len >= outer->len && vpn_prefix_has(outer, inner->addr);
}

static const char *contract_check(const struct pol_vpn *vpn, struct in_addr hoa)
{
	if (!vpn->sla_enabled)
		return "the contract is suspended";
	if (!vpn->sla_valid)
		return "the contract is not valid now";
	if (!vpn->sla_listed)
		return "the user is not on the contract's list";
	if (!prefix_covers(&vpn->sla_domain, &vpn->dst))
		return "the destination is outside of the contract's domain";
	if (vpn->kind == VPN_GW_STATIC && !vpn_prefix_has(&vpn->sla_home, hoa))
		return "the home address is outside of the contract's home selector";
	if (vpn->psk_bad)
		return "the contract's key cannot be unwrapped";
	return NULL;
}

static const char *gateway_check(const struct pol_vpn *vpn)
{
	if (!vpn->has_gateway)
		return "no gateway leads to the destination";
	if (vpn->kind != VPN_GW_DYNAMIC)
		return NULL;
	if (vpn->pcn_key_bad)
		return "the gateway's master key cannot be unwrapped";
	return vpn->pcn_key.len ? NULL : "the gateway has no master key";
}

const char *route_sla_check(const struct pol_vpn *vpn, struct in_addr hoa)
{
	const char *why = gateway_check(vpn);

	if (why)
		return why;
	if (!vpn->has_sla)
		return vpn->kind == VPN_GW_STATIC ? "the gateway has no contract" : NULL;
	return contract_check(vpn, hoa);
}

/* What is the same in every profile of a VPN. */
static struct vpn_profile profile_of(const struct pol_vpn *vpn, const struct route_ends *ends)
{
	struct vpn_profile p = {
		.number = vpn->number,
		.src = {ends->hoa, 32},
		.dst = vpn->dst,
		.tos_up = (uint8_t)(vpn->dscp_up << 2),
		.tos_down = (uint8_t)(vpn->dscp_down << 2),
		.security = vpn->security,
		.spi_up = vpn->share_own ? vpn->spi_up : VPN_SPI_DEFAULT,
		.spi_down = vpn->share_own ? vpn->spi_down : VPN_SPI_DEFAULT,
		.required = vpn->required,
	};

	memcpy(p.esp_proposal, vpn->proposal, sizeof(p.esp_proposal));
	return p;
}

/* The site-to-site connection of the contract: what protects it is the contract's, whatever the user has chosen. */
static void profile_set_contract(struct vpn_profile *p, const struct pol_vpn *vpn)
{
	p->spi_up = p->spi_down = VPN_SPI_DEFAULT;
	p->security = vpn->sla_security;
	p->sla_src = vpn->sla_home;
	p->sla_dst = vpn->sla_domain;
	p->psk = vpn->psk;
	memcpy(p->sla, vpn->sla, sizeof(p->sla));
	memcpy(p->ike_local, vpn->ike_local, sizeof(p->ike_local));
	memcpy(p->ike_remote, vpn->ike_remote, sizeof(p->ike_remote));
	memcpy(p->ike_proposal, vpn->ike_proposal, sizeof(p->ike_proposal));
	memcpy(p->esp_proposal, vpn->esp_proposal, sizeof(p->esp_proposal));
}

bool route_add(struct route_set *set, const struct pol_vpn *vpn, const struct route_ends *ends)
{
	bool via_ha = vpn->kind == VPN_GW_STATIC;
	struct vpn_profile p = profile_of(vpn, ends);

	if (set->n_home + 1 + via_ha > VPN_PROFILES_MAX || set->n_foreign + 1 > VPN_PROFILES_MAX)
		return false;
	p.src_gw = ends->fa;
	p.dst_gw = via_ha ? ends->ha : vpn->gateway;
	p.dst_gw_type = via_ha ? VPN_GW_AGENT : VPN_GW_DYNAMIC;
	set->home[set->n_home++] = p;
	set->foreign[set->n_foreign++] = p;
	if (via_ha) {
		p.src_gw = ends->ha;
		p.dst_gw = vpn->gateway;
		p.dst_gw_type = VPN_GW_STATIC;
		profile_set_contract(&p, vpn);
		set->home[set->n_home++] = p;
	}
	vpn_profile_wipe(&p);
	return true;
}

/* What only the home agent and the gateway know. */
static void no_bu_key(struct vpn_profile *p)
{
	crypto_wipe(&p->bu_key, sizeof(p->bu_key));
	crypto_wipe(p->bu_context, sizeof(p->bu_context));
}

bool route_from_cache(struct route_set *set, const struct pol_rows *rows, struct in_addr was_fa,
		      struct in_addr fa)
{
	if (rows->n_cached > VPN_PROFILES_MAX)
		return false;
	for (size_t i = 0; i < rows->n_cached; i++) {
		struct vpn_profile *p = &set->home[set->n_home++];

		*p = rows->cached[i];
		if (p->src_gw.s_addr != was_fa.s_addr)
			continue;
		p->src_gw = fa;
		set->foreign[set->n_foreign] = *p;
		no_bu_key(&set->foreign[set->n_foreign++]);
	}
	return true;
}

void route_wipe(struct route_set *set)
{
	crypto_wipe(set, sizeof(*set));
}
