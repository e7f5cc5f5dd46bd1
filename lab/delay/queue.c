/* SPDX-License-Identifier: BSD-3-Clause */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

bool queue_put(struct queue *q, const void *data, size_t len, int64_t due)
{
	if (q->tail - q->head == QUEUE_FRAMES || q->bytes + len > QUEUE_BYTES)
		return false;
	uint8_t *copy = malloc(len);
	if (!copy)
		return false;
	memcpy(copy, data, len);
	q->ring[q->tail++ % QUEUE_FRAMES] = (struct frame){.due = due, .len = len, .data = copy};
	q->bytes += len;
	return true;
}

const struct frame *queue_first(const struct queue *q)
{
	return q->tail == q->head ? NULL : &q->ring[q->head % QUEUE_FRAMES];
}

void queue_drop(struct queue *q)
{
	struct frame *f = &q->ring[q->head++ % QUEUE_FRAMES];
	q->bytes -= f->len;
	free(f->data);
	*f = (struct frame){0};
}
