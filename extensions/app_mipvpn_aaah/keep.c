/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A live session whose VPNs are read again (C5): what has stayed as it was keeps its keys, so the
 * gateways find the profile that they have, and its tunnel is not touched.
 */
#include <string.h>

#include "extensions/app_mipvpn_aaah/keys.h"

/* The same relation between the same gateways.  Marks and whether it is required are not the tunnel's. */
static bool same_relation(const struct vpn_profile *fresh, const struct vpn_profile *was)
{
	struct vpn_profile p = *fresh;
	bool same;

	p.tos_up = was->tos_up;
	p.tos_down = was->tos_down;
	p.required = was->required;
	p.enc_key = was->enc_key;
	p.auth_key = was->auth_key;
	same = vpn_profile_equal(&p, was);
	vpn_profile_wipe(&p);
	return same;
}

static void keep_foreign(struct route_set *set, const struct vpn_profile *home)
{
	for (size_t i = 0; i < set->n_foreign; i++) {
		struct vpn_profile *f = &set->foreign[i];

		if (f->number == home->number && f->src_gw.s_addr == home->src_gw.s_addr) {
			f->enc_key = home->enc_key;
			f->auth_key = home->auth_key;
		}
	}
}

/* The gateway's master key may be another one by now. */
static void keep_bu(struct vpn_profile *p, const struct vpn_profile *was, const struct pol_rows *rows,
		    struct in_addr ha)
{
	uint8_t key[32];

	for (size_t i = 0; was->bu_context[0] && i < rows->n_vpns; i++) {
		if (rows->vpns[i].number != p->number || p->dst_gw.s_addr != was->dst_gw.s_addr ||
		    vpn_bu_key(&rows->vpns[i].pcn_key, ha, was->bu_context, key) ||
		    was->bu_key.len != sizeof(key) || memcmp(key, was->bu_key.data, sizeof(key)) != 0)
			continue;
		p->bu_key = was->bu_key;
		memcpy(p->bu_context, was->bu_context, sizeof(p->bu_context));
	}
	crypto_wipe(key, sizeof(key));
}

void aaah_keys_keep(struct route_set *set, const struct pol_rows *rows, struct in_addr ha)
{
	for (size_t i = 0; i < set->n_home; i++) {
		struct vpn_profile *p = &set->home[i];

		for (size_t j = 0; j < rows->n_cached; j++) {
			const struct vpn_profile *was = &rows->cached[j];

			if (was->number != p->number || was->dst_gw_type != p->dst_gw_type)
				continue;
			if (same_relation(p, was)) {
				p->enc_key = was->enc_key;
				p->auth_key = was->auth_key;
				keep_foreign(set, p);
			}
			keep_bu(p, was, rows, ha);
		}
	}
}
