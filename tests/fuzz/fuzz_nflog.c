/* SPDX-License-Identifier: BSD-3-Clause
 *
 * NFLOG messages: whatever comes, each call moves on, and what it gives was in the input.
 */
#include "agent/run/nflog.h"
#include "tests/fuzz/check.h"

#include <string.h>

static bool contains(const uint8_t *data, size_t size, const void *what, size_t len)
{
	return memmem(data, size, what, len) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nflog_packet p;
	size_t at = 0, before = 0;

	while (nflog_next(data, size, &at, &p)) {
		FUZZ_CHECK(at > before);
		FUZZ_CHECK(contains(data, size, &p.src, 4) && contains(data, size, &p.dst, 4));
		before = at;
	}
	FUZZ_CHECK(at == size);
	return 0;
}
