/* SPDX-License-Identifier: BSD-3-Clause */
#include "nethelper/hold_queue.h"

#include <stdlib.h>
#include <string.h>

#include "nethelper/proto.h"

struct held_packet *hold_queue_take(struct hold_queue *q)
{
	struct held_packet *p = q->first;

	if (p == NULL)
		return NULL;
	q->first = p->next;
	if (q->first == NULL)
		q->last = NULL;
	q->n--;
	q->bytes -= p->len;
	return p;
}

unsigned hold_queue_put(struct hold_queue *q, const void *packet, size_t len, bool covered)
{
	struct held_packet *p = malloc(sizeof(*p) + len);
	unsigned dropped = 0;

	if (p == NULL)
		return 1;
	for (; q->n > 0 && (q->n >= NH_HOLD_PACKETS || q->bytes + len > NH_HOLD_BYTES); dropped++)
		free(hold_queue_take(q));
	*p = (struct held_packet){.len = len, .covered = covered};
	memcpy(p->data, packet, len);
	if (q->last != NULL)
		q->last->next = p;
	else
		q->first = p;
	q->last = p;
	q->n++;
	q->bytes += len;
	return dropped;
}

void hold_queue_clear(struct hold_queue *q)
{
	struct held_packet *p;

	while ((p = hold_queue_take(q)) != NULL)
		free(p);
}

/* RFC 1624: HC' = ~(~HC + ~m + m'). */
void hold_ttl_restore(uint8_t *packet)
{
	uint32_t sum = (uint16_t)~(packet[10] << 8 | packet[11]);

	if (packet[8] == 255)
		return;
	sum += (uint16_t)~(packet[8] << 8 | packet[9]);
	packet[8]++;
	sum += (uint32_t)(packet[8] << 8 | packet[9]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	packet[10] = (uint8_t)(~sum >> 8);
	packet[11] = (uint8_t)~sum;
}
