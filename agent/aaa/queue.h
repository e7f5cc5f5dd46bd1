/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The two containers that stand on the thread boundary (see aaa.c): a bounded queue of pointers, and a
 * bounded table of things that wait for something, each with a deadline.  Both are thread-safe and know
 * nothing of Diameter. Times are monotonic milliseconds and come from the caller.
 */
#ifndef MIPVPN_AAA_QUEUE_H
#define MIPVPN_AAA_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aaa_queue;
struct aaa_queue *aaa_queue_new(size_t max); /* returns new; NULL without memory */
void aaa_queue_free(struct aaa_queue *q, void (*item_free)(void *item));
int aaa_queue_push(struct aaa_queue *q, void *item); /* takes item on 0; -1 = full */
void *aaa_queue_pop(struct aaa_queue *q);	     /* gives the item; NULL = empty */
/* As pop, but waits until an item comes, aaa_queue_kick() is called or the time until_ms is reached. */
void *aaa_queue_wait(struct aaa_queue *q, uint64_t until_ms);
void aaa_queue_kick(struct aaa_queue *q);
size_t aaa_queue_len(struct aaa_queue *q);

struct aaa_table;
struct aaa_table *aaa_table_new(size_t max);
void aaa_table_free(struct aaa_table *t, void (*item_free)(void *item));
/* Takes item; the id is never 0 and never used again; 0 = full. */
uint64_t aaa_table_put(struct aaa_table *t, void *item, uint64_t deadline_ms);
/* Gives the item; NULL = unknown (or taken, or expired). */
void *aaa_table_take(struct aaa_table *t, uint64_t id);
void *aaa_table_expired(struct aaa_table *t,
			uint64_t now_ms);     /* gives one whose deadline has come, or NULL */
uint64_t aaa_table_next(struct aaa_table *t); /* earliest deadline; UINT64_MAX = none */
size_t aaa_table_len(struct aaa_table *t);

uint64_t aaa_now_ms(void); /* the clock that deadlines are given in: CLOCK_MONOTONIC */

#endif
