/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Binding messages: what the decoder hands out lies inside the message, and what is not authentic opens
 * nothing.
 */
#include "agent/mip/binding.h"
#include "tests/fuzz/check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[32];
	struct bind_msg m;
	struct bind_handoff h;
	struct vpn_profile p;
	char err[128];
	enum mip_reject rej = bind_decode(data, size, &m);

	FUZZ_CHECK(mip_reject_str(rej)[0]);
	FUZZ_CHECK(!m.raw || (m.raw == data && m.raw_len == size));
	FUZZ_CHECK(strlen(m.key_context) < sizeof(m.key_context) && m.n_targets <= BIND_TARGETS_MAX);
	if (m.auth.present) {
		FUZZ_CHECK(m.auth.mac == data + m.auth.covered &&
			   (size_t)m.auth.covered + m.auth.mac_len <= size);
		bind_auth_check(&m, key);
	}
	if (m.sealed.len) {
		FUZZ_CHECK(m.sealed.data == data + m.sealed_aad &&
			   (size_t)m.sealed_aad + m.sealed.len <= size);
		FUZZ_CHECK(bind_open_profile(&m, key, &p, err, sizeof(err)) < 0 || !m.handoff);
		FUZZ_CHECK(bind_open_handoff(&m, key, &h) < 0 || m.handoff);
	}
	return 0;
}
