/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Profiles of Binding Updates: what is taken passes the profile's own check and survives a round trip.
 */
#include "lib/vpn_profile.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vpn_profile p, q;
	uint8_t out[2048];
	char err[128];
	size_t n;

	if (vpn_wire_decode(data, size, &p, err, sizeof(err)) < 0)
		return 0;
	FUZZ_CHECK(!vpn_profile_check(&p));
	n = vpn_wire_encode(&p, out, sizeof(out));
	FUZZ_CHECK(n > 0 && vpn_wire_decode(out, n, &q, err, sizeof(err)) == 0 && vpn_profile_equal(&p, &q));
	return 0;
}
