/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Packets that wait, in the order in which they came: at most NH_HOLD_PACKETS and NH_HOLD_BYTES, the oldest is dropped
 * for a new one.  Pure.
 */
#ifndef MIPVPN_NH_HOLD_QUEUE_H
#define MIPVPN_NH_HOLD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct held_packet {
	struct held_packet *next;
	size_t len;
	bool covered; /* of a profile, when it came */
	uint8_t data[];
};
struct hold_queue { /* zeroed = empty */
	struct held_packet *first, *last;
	size_t n, bytes;
};
/* Copies.  How many were dropped: older ones for their number or length, or this one without memory. */
unsigned hold_queue_put(struct hold_queue *q, const void *packet, size_t len, bool covered);
struct held_packet *hold_queue_take(struct hold_queue *q); /* the oldest, to be freed; NULL = none */
void hold_queue_clear(struct hold_queue *q);

/* Waiting is no hop: takes back the one that the kernel has counted on the way to the device.  packet: an IPv4 header
 * that was checked. */
void hold_ttl_restore(uint8_t *packet);

#endif
