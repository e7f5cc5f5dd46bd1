/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Registration Replies: what the decoder hands out lies inside the message.
 */
#include "agent/mip/mip.h"
#include "tests/fuzz/check.h"

static void check_auth(const struct mip_auth *a, const uint8_t *data, size_t size)
{
	if (a->present)
		FUZZ_CHECK(a->mac == data + a->covered && (size_t)a->covered + a->mac_len <= size);
}

static void check_keygen(const struct mip_keygen_rep *k, const char *nai, const uint8_t *data, size_t size)
{
	static const uint8_t aaa_key[16];
	uint8_t key[20];

	if (!k->present)
		return;
	FUZZ_CHECK(k->nonce.len >= 16 && k->nonce.data + k->nonce.len <= data + size);
	mip_keygen_derive(aaa_key, sizeof(aaa_key), k->nonce.data, k->nonce.len, nai, (struct in_addr){0},
			  key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mip_rrp m;

	mip_rrp_decode(data, size, &m);
	FUZZ_CHECK((m.raw != NULL) == (size >= 20 && size <= MIP_MSG_MAX && data[0] == MIP_RRP));
	FUZZ_CHECK(!m.raw || (m.mn_part >= 20 && m.mn_part <= size));
	FUZZ_CHECK(mip_code_str(m.code)[0]);
	check_auth(&m.mn_ha, data, size);
	check_auth(&m.mn_fa, data, size);
	check_auth(&m.fa_ha, data, size);
	check_keygen(&m.mn_fa_key, m.nai, data, size);
	check_keygen(&m.mn_ha_key, m.nai, data, size);
	FUZZ_CHECK(!m.message.len || m.message.data + m.message.len <= data + size);
	return 0;
}
