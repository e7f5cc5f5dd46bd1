/* SPDX-License-Identifier: BSD-3-Clause */
#include "extensions/app_mipvpn_aaah/policy.h"

#include <stdlib.h>

void pol_rows_wipe(struct pol_rows *r)
{
	if (r->vpns)
		crypto_wipe(r->vpns, r->n_vpns * sizeof(*r->vpns));
	free(r->vpns);
	for (size_t i = 0; i < r->n_cached; i++)
		vpn_profile_wipe(&r->cached[i]);
	free(r->cached);
	crypto_wipe(r, sizeof(*r));
}
