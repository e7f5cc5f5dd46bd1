/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Registration Requests: what the decoder hands out lies inside the message.
 */
#include "agent/mip/mip.h"
#include "tests/fuzz/check.h"

#include <string.h>

static void check_auth(const struct mip_auth *a, const uint8_t *data, size_t size)
{
	static const uint8_t key[16];

	if (!a->present)
		return;
	FUZZ_CHECK(a->mac == data + a->covered && (size_t)a->covered + a->mac_len <= size);
	FUZZ_CHECK(a->start < a->covered);
	mip_auth_check(a, data, CRYPTO_HMAC_MD5, key, sizeof(key));
}

static void check_bytes(const struct mip_bytes *b, const uint8_t *data, size_t size)
{
	if (b->len)
		FUZZ_CHECK(b->data > data + b->start && b->data + b->len <= data + size);
}

static void check_pfan(const struct mip_rrq *m)
{
	static const uint8_t key[20] = {1};
	uint8_t again[64];
	struct mip_pfan p;
	struct wbuf w;

	if (!mip_pfan_get(m, &p)) {
		FUZZ_CHECK(!mip_pfan_check(m, CRYPTO_HMAC_SHA1, key, sizeof(key)));
		return;
	}
	FUZZ_CHECK(p.mac_len && p.mac + p.mac_len == m->pfan.data + m->pfan.len);
	FUZZ_CHECK(p.spi >= MIP_SPI_MIN);
	/* Everything but the authenticator comes out as it came in, with one that is right. */
	wbuf_init(&w, again, sizeof(again));
	wbuf_bytes(&w, m->raw, 24);
	mip_ext_put_pfan(&w, &p, CRYPTO_HMAC_SHA1, key, sizeof(key));
	FUZZ_CHECK(wbuf_ok(&w) && !memcmp(again + 26, m->pfan.data, 14));
	mip_pfan_check(m, CRYPTO_HMAC_SHA1, key, sizeof(key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mip_rrq m;
	enum mip_reject rej = mip_rrq_decode(data, size, &m);

	FUZZ_CHECK(mip_reject_str(rej)[0]);
	FUZZ_CHECK((m.raw != NULL) == (size >= 24 && size <= MIP_MSG_MAX && data[0] == MIP_RRQ));
	FUZZ_CHECK(strlen(m.nai) <= MIP_NAI_MAX && strlen(m.ha_nai) <= MIP_NAI_MAX);
	FUZZ_CHECK(!m.raw || (m.ha_part >= 24 && m.ha_part <= size));
	check_auth(&m.mn_ha, data, size);
	check_auth(&m.mn_fa, data, size);
	check_auth(&m.fa_ha, data, size);
	check_auth(&m.mn_aaa, data, size);
	check_bytes(&m.challenge, data, size);
	check_bytes(&m.pfan, data, size);
	check_pfan(&m);
	return 0;
}
