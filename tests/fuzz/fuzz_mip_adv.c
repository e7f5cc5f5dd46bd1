/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Agent advertisements: an accepted one, written again, is decoded to the same.  The checksum is put right
 * first, or the fuzzer would never come past it.
 */
#include "agent/mip/mip.h"
#include "agent/mip/wire.h"
#include "tests/fuzz/check.h"

#include <string.h>

static void check_again(const struct mip_adv *a)
{
	uint8_t mem[MIP_MSG_MAX];
	struct mip_adv b;
	struct wbuf w;

	wbuf_init(&w, mem, sizeof(mem));
	mip_adv_put(&w, a);
	FUZZ_CHECK(wbuf_ok(&w));
	FUZZ_CHECK(mip_adv_decode(mem, w.len, &b) == MIP_REJ_OK);
	FUZZ_CHECK(!memcmp(a, &b, sizeof(b)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t copy[MIP_MSG_MAX];
	struct mip_adv a;
	struct wbuf w;

	mip_solicit_ok(data, size);
	mip_adv_decode(data, size, &a);
	if (size < 8 || size > sizeof(copy))
		return 0;
	memcpy(copy, data, size);
	wbuf_init(&w, copy, size);
	w.len = size;
	wbuf_patch_u16(&w, 2, 0);
	wbuf_patch_u16(&w, 2, mip_sum_fold(mip_sum(0, copy, size)));
	if (mip_adv_decode(copy, size, &a) == MIP_REJ_OK)
		check_again(&a);
	return 0;
}
