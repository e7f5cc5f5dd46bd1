/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets that wait for a link, in order; when there are too many the oldest one goes.
 */
#ifndef MIPVPN_MN_RING_H
#define MIPVPN_MN_RING_H

#include <stddef.h>
#include <stdint.h>

#define MN_RING_PACKETS 512
#define MN_RING_BYTES (1u << 20)
struct mn_ring { /* zeroed = empty */
	struct {
		uint8_t *data;
		size_t len;
	} slot[MN_RING_PACKETS];
	size_t first, n, bytes;
	uint64_t dropped; /* for want of room */
};
void mn_ring_put(struct mn_ring *r, const void *packet, size_t len); /* copies */
const uint8_t *mn_ring_first(const struct mn_ring *r, size_t *len);  /* NULL = empty */
void mn_ring_pop(struct mn_ring *r);
void mn_ring_clear(struct mn_ring *r); /* empty, dropped 0 */

#endif
