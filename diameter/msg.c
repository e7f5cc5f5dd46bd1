/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The ends of the structs: keys are wiped, profiles freed.
 */
#include "diameter/msg.h"

#include <stdlib.h>

#include "lib/crypto.h"

void dm_vpn_wipe(struct dm_vpn *v)
{
	for (unsigned i = 0; v->p && i < v->n; i++)
		vpn_profile_wipe(&v->p[i]);
	free(v->p);
	crypto_wipe(v, sizeof(*v));
}

void dm_amr_wipe(struct dm_amr *m)
{
	crypto_wipe(m, sizeof(*m));
}

void dm_ama_wipe(struct dm_ama *m)
{
	dm_vpn_wipe(&m->vpn);
	crypto_wipe(m, sizeof(*m));
}

void dm_har_wipe(struct dm_har *m)
{
	dm_vpn_wipe(&m->vpn);
	crypto_wipe(m, sizeof(*m));
}

void dm_haa_wipe(struct dm_haa *m)
{
	crypto_wipe(m, sizeof(*m));
}
