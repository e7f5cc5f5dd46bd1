/* SPDX-License-Identifier: BSD-3-Clause
 *
 * JSON to a VPN profile: one that is taken, written and read again, is equal.
 */
#include "lib/vpn_profile.h"
#include "tests/fuzz/check.h"

static void check_again(const struct vpn_profile *p)
{
	json_t *j = vpn_profile_json(p, true);
	struct vpn_profile q;
	char err[128];

	FUZZ_CHECK(j);
	if (p->sla[0]) { /* without an SLA its other members are not written */
		FUZZ_CHECK(vpn_profile_from_json(j, &q, err, sizeof(err)) == 0);
		FUZZ_CHECK(vpn_profile_equal(p, &q));
	}
	json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *j = json_loadb((const char *)data, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	struct vpn_profile p;
	char err[128] = "", id[VPN_ID_MAX];

	if (!j)
		return 0;
	if (vpn_profile_from_json(j, &p, err, sizeof(err)) < 0) {
		FUZZ_CHECK(err[0]);
	} else {
		vpn_profile_check(&p);
		vpn_profile_ike_id(&p, p.src_gw, id);
		check_again(&p);
	}
	json_decref(j);
	return 0;
}
