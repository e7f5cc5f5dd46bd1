/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frames that wait for their time: one ring for each port that they came from, so that their order is
 * kept.  Bounded: what comes to a full ring is not taken.  Times are nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef LAB_DELAY_QUEUE_H
#define LAB_DELAY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_FRAMES 16384u	/* in one ring; a power of two */
#define QUEUE_BYTES (64u << 20) /* and no more than this in it */

struct frame {
	int64_t due;
	size_t len;
	uint8_t *data; /* malloc'd; owned by the ring */
};

struct queue {
	struct frame ring[QUEUE_FRAMES];
	uint32_t head, tail; /* frames taken out and put in; they only grow */
	size_t bytes;
};

/* Copies a frame in; false when the ring is full or memory is. */
bool queue_put(struct queue *q, const void *data, size_t len, int64_t due);

/* The oldest frame, NULL when there is none; it stays in. */
const struct frame *queue_first(const struct queue *q);

/* Takes the oldest one out and frees it; there must be one. */
void queue_drop(struct queue *q);

#endif
