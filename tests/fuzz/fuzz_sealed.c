/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What lies behind the seal of a Binding Update, from somebody who has the key: the members of a handoff, or
 * a VPN profile.  fuzz_binding does not get here, because no mutation of it finds a seal.
 */
#include <string.h>

#include "agent/mip/binding.h"
#include "lib/crypto.h"
#include "tests/fuzz/check.h"

static const uint8_t key[32] = {7};
static const uint8_t front[] = {BIND_UPDATE, 0, 0, 10};

/* What we write ourselves of it, as a whole message, is understood as the same. */
static void write_again(const struct bind_handoff *h)
{
	struct bind_msg m = {.type = BIND_UPDATE, .lifetime = 10}, got;
	struct bind_handoff back;
	uint8_t mem[256];
	struct wbuf w;

	wbuf_init(&w, mem, sizeof(mem));
	bind_put(&w, &m);
	bind_put_handoff(&w, h, key);
	FUZZ_CHECK(wbuf_ok(&w) && bind_decode(mem, w.len, &got) == MIP_REJ_OK && got.handoff);
	FUZZ_CHECK(bind_open_handoff(&got, key, &back) == 0);
	FUZZ_CHECK(back.soft == h->soft && back.request == h->request);
}

static void open_it(struct bind_msg *m)
{
	struct bind_handoff h;
	struct vpn_profile p;
	char err[128] = "";

	FUZZ_CHECK(bind_open_handoff(m, key, &h) < 0);
	if (bind_open_profile(m, key, &p, err, sizeof(err)) < 0)
		FUZZ_CHECK(err[0]);
	else
		FUZZ_CHECK(!vpn_profile_check(&p));
	m->handoff = true;
	FUZZ_CHECK(bind_open_profile(m, key, &p, err, sizeof(err)) < 0);
	if (!bind_open_handoff(m, key, &h))
		write_again(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bind_msg m = {
		.type = BIND_UPDATE, .raw = front, .raw_len = sizeof(front), .sealed_aad = sizeof(front)};
	uint8_t *sealed;

	if (!size || size > MIP_MSG_MAX - CRYPTO_SEAL_EXTRA)
		return 0;
	sealed = malloc(size + CRYPTO_SEAL_EXTRA);
	if (sealed && !crypto_seal(key, front, sizeof(front), data, size, sealed)) {
		m.sealed = (struct mip_bytes){.data = sealed, .len = (uint16_t)(size + CRYPTO_SEAL_EXTRA)};
		open_it(&m);
	}
	free(sealed);
	return 0;
}
