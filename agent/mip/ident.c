/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Identification in the timestamp style (RFC 5944 5.7.1): NTP time, whose 32-bit seconds start again in 2036.
 * Differences are taken modulo 2^64 and read as signed, so the era of the two does not matter as long as they
 * are less than 68 years apart.
 */
#include "agent/mip/mip.h"

#define FRACTION_PER_MS 4294967u /* 2^32 / 1000 */

uint64_t mip_ident_from_unix_ms(uint64_t unix_ms, uint32_t low_noise)
{
	uint32_t seconds = (uint32_t)(unix_ms / 1000 + MIP_NTP_UNIX);
	uint32_t fraction = (uint32_t)(((unix_ms % 1000) << 32) / 1000);

	/* What the clock does not know is noise; it stays inside of the millisecond. */
	return (uint64_t)seconds << 32 | (fraction + low_noise % FRACTION_PER_MS);
}

int64_t mip_ident_diff_ms(uint64_t a, uint64_t b)
{
	__extension__ __int128 units = (int64_t)(a - b);

	return (int64_t)((units * 1000) >> 32);
}

uint64_t mip_ident_unix_ms(uint64_t ident, uint64_t near_ms)
{
	int64_t off = mip_ident_diff_ms(ident, mip_ident_from_unix_ms(near_ms, 0));

	return off < 0 && (uint64_t)-off > near_ms ? 0 : near_ms + (uint64_t)off;
}

bool mip_ident_later(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) > 0;
}
