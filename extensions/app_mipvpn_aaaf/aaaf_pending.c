/* SPDX-License-Identifier: BSD-3-Clause */
#include "extensions/app_mipvpn_aaaf/aaaf.h"

uint32_t aaaf_pending_count(const struct aaaf_pending *p, uint64_t now_ms, uint32_t deadline_ms)
{
	uint64_t oldest = now_ms < deadline_ms ? 0 : (now_ms - deadline_ms) / 1000;
	uint32_t n = 0;

	for (unsigned i = 0; i < AAAF_PENDING_SLOTS; i++)
		if (p->slot[i].second >= oldest)
			n += p->slot[i].n;
	return n;
}

bool aaaf_pending_begin(struct aaaf_pending *p, uint64_t now_ms, uint32_t deadline_ms, uint32_t most)
{
	uint64_t second = now_ms / 1000;
	unsigned i = second % AAAF_PENDING_SLOTS;

	if (aaaf_pending_count(p, now_ms, deadline_ms) >= most)
		return false;
	if (p->slot[i].second != second) {
		p->slot[i].second = second;
		p->slot[i].n = 0;
	}
	p->slot[i].n++;
	return true;
}

void aaaf_pending_end(struct aaaf_pending *p, uint64_t began_ms)
{
	uint64_t second = began_ms / 1000;
	unsigned i = second % AAAF_PENDING_SLOTS;

	if (p->slot[i].second == second && p->slot[i].n)
		p->slot[i].n--;
}
