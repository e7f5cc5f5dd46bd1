/* SPDX-License-Identifier: BSD-3-Clause */
#include "mn/ring.h"

#include <stdlib.h>
#include <string.h>

const uint8_t *mn_ring_first(const struct mn_ring *r, size_t *len)
{
	if (r->n == 0)
		return NULL;
	*len = r->slot[r->first].len;
	return r->slot[r->first].data;
}

void mn_ring_pop(struct mn_ring *r)
{
	if (r->n == 0)
		return;
	free(r->slot[r->first].data);
	r->bytes -= r->slot[r->first].len;
	r->first = (r->first + 1) % MN_RING_PACKETS;
	r->n--;
}

void mn_ring_put(struct mn_ring *r, const void *packet, size_t len)
{
	uint8_t *copy = len > 0 && len <= MN_RING_BYTES ? malloc(len) : NULL;
	size_t at;

	if (copy == NULL) {
		r->dropped++;
		return;
	}
	while (r->n == MN_RING_PACKETS || r->bytes + len > MN_RING_BYTES) {
		mn_ring_pop(r);
		r->dropped++;
	}
	memcpy(copy, packet, len);
	at = (r->first + r->n++) % MN_RING_PACKETS;
	r->slot[at].data = copy;
	r->slot[at].len = len;
	r->bytes += len;
}

void mn_ring_clear(struct mn_ring *r)
{
	while (r->n > 0)
		mn_ring_pop(r);
	r->dropped = 0;
}
