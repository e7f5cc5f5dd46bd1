/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What became of the packets of one direction: each one's time of sending and of its first receipt, and
 * what follows from them.  Pure: times are arguments, nanoseconds of CLOCK_REALTIME (the clock of the
 * lab's captures).
 */
#ifndef LAB_TRAFFIC_FLOW_H
#define LAB_TRAFFIC_FLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define FLOW_PACKETS_MAX (4u << 20)

struct packet {
	int64_t sent, received; /* received 0 = never */
	bool refused;		/* the sender's own kernel did not take it */
};

struct flow {
	struct packet *packets; /* by number; malloc'd */
	uint32_t sent, room, received, duplicates, reordered, refused, highest;
	int64_t *arrivals; /* times of the first receipts in their order; malloc'd */
};

/* A point in time that the scenario has named; windows between marks have figures of their own. */
struct mark {
	char name[32];
	int64_t at;
};

/* Number of the next packet, which is on record as sent at that time; -1 when the flow is full or
 * memory is. */
int64_t flow_sent(struct flow *f, int64_t at);

/* The kernel refused the packet that flow_sent() gave last. */
void flow_refused(struct flow *f);

/* Packet `number` came. Numbers that were never sent are left out. */
void flow_received(struct flow *f, uint32_t number, int64_t at);

/* Everything that was sent, and not refused, has come. */
bool flow_complete(const struct flow *f);

/* One JSON object: totals, lost ranges with their distance from the mark before them, and a row for
 * each mark. */
void flow_print(const struct flow *f, const struct mark *marks, int n_marks, FILE *out);

void flow_free(struct flow *f);

#endif
