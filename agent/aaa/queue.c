/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bounded queue and deadline table; see queue.h.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

#include <uthash.h>

#include "agent/aaa/queue.h"

uint64_t aaa_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* --- queue: a ring of pointers --- */

struct aaa_queue {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	size_t max, head, len;
	bool kicked;
	void *ring[];
};

struct aaa_queue *aaa_queue_new(size_t max)
{
	struct aaa_queue *q = calloc(1, sizeof(*q) + max * sizeof(q->ring[0]));
	pthread_condattr_t attr;

	if (!q)
		return NULL;
	q->max = max;
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->cond, &attr);
	pthread_condattr_destroy(&attr);
	return q;
}

void aaa_queue_free(struct aaa_queue *q, void (*item_free)(void *item))
{
	void *item;

	if (!q)
		return;
	while ((item = aaa_queue_pop(q)))
		item_free(item);
	pthread_cond_destroy(&q->cond);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

int aaa_queue_push(struct aaa_queue *q, void *item)
{
	int rc = -1;

	pthread_mutex_lock(&q->lock);
	if (q->len < q->max) {
		q->ring[(q->head + q->len++) % q->max] = item;
		pthread_cond_signal(&q->cond);
		rc = 0;
	}
	pthread_mutex_unlock(&q->lock);
	return rc;
}

static void *pop_locked(struct aaa_queue *q)
{
	void *item = NULL;

	if (q->len) {
		item = q->ring[q->head];
		q->head = (q->head + 1) % q->max;
		q->len--;
	}
	return item;
}

void *aaa_queue_pop(struct aaa_queue *q)
{
	void *item;

	pthread_mutex_lock(&q->lock);
	item = pop_locked(q);
	pthread_mutex_unlock(&q->lock);
	return item;
}

static int wait_until(struct aaa_queue *q, uint64_t until_ms)
{
	struct timespec ts;

	if (until_ms == UINT64_MAX)
		return pthread_cond_wait(&q->cond, &q->lock);
	ts.tv_sec = (time_t)(until_ms / 1000);
	ts.tv_nsec = (long)(until_ms % 1000) * 1000000;
	return pthread_cond_timedwait(&q->cond, &q->lock, &ts);
}

void *aaa_queue_wait(struct aaa_queue *q, uint64_t until_ms)
{
	void *item;
	int rc = 0;

	pthread_mutex_lock(&q->lock);
	while (!q->len && !q->kicked && rc == 0)
		rc = wait_until(q, until_ms);
	q->kicked = false;
	item = pop_locked(q);
	pthread_mutex_unlock(&q->lock);
	return item;
}

void aaa_queue_kick(struct aaa_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->kicked = true;
	pthread_cond_signal(&q->cond);
	pthread_mutex_unlock(&q->lock);
}

size_t aaa_queue_len(struct aaa_queue *q)
{
	size_t len;

	pthread_mutex_lock(&q->lock);
	len = q->len;
	pthread_mutex_unlock(&q->lock);
	return len;
}

/* --- table: hashed by id, and in the order of the deadlines (new ones are nearly always the latest) --- */

struct waiting {
	uint64_t id, deadline_ms;
	void *item;
	UT_hash_handle hh;
	TAILQ_ENTRY(waiting) link;
};
struct aaa_table {
	pthread_mutex_t lock;
	size_t max;
	uint64_t last_id;
	struct waiting *by_id;
	TAILQ_HEAD(waiting_list, waiting) by_deadline;
};

struct aaa_table *aaa_table_new(size_t max)
{
	struct aaa_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->max = max;
	TAILQ_INIT(&t->by_deadline);
	pthread_mutex_init(&t->lock, NULL);
	return t;
}

static void *remove_locked(struct aaa_table *t, struct waiting *w)
{
	void *item = w->item;

	HASH_DEL(t->by_id, w);
	TAILQ_REMOVE(&t->by_deadline, w, link);
	free(w);
	return item;
}

void aaa_table_free(struct aaa_table *t, void (*item_free)(void *item))
{
	struct waiting *w;

	if (!t)
		return;
	while ((w = TAILQ_FIRST(&t->by_deadline)))
		item_free(remove_locked(t, w));
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static void insert_locked(struct aaa_table *t, struct waiting *w)
{
	struct waiting *before;

	HASH_ADD(hh, t->by_id, id, sizeof(w->id), w);
	TAILQ_FOREACH_REVERSE(before, &t->by_deadline, waiting_list, link)
	{
		if (before->deadline_ms <= w->deadline_ms)
			break;
	}
	if (before)
		TAILQ_INSERT_AFTER(&t->by_deadline, before, w, link);
	else
		TAILQ_INSERT_HEAD(&t->by_deadline, w, link);
}

uint64_t aaa_table_put(struct aaa_table *t, void *item, uint64_t deadline_ms)
{
	struct waiting *w = calloc(1, sizeof(*w));
	uint64_t id = 0;

	if (!w)
		return 0;
	pthread_mutex_lock(&t->lock);
	if (HASH_COUNT(t->by_id) < t->max) {
		id = w->id = ++t->last_id;
		w->item = item;
		w->deadline_ms = deadline_ms;
		insert_locked(t, w);
	}
	pthread_mutex_unlock(&t->lock);
	if (!id)
		free(w);
	return id;
}

void *aaa_table_take(struct aaa_table *t, uint64_t id)
{
	struct waiting *w;
	void *item = NULL;

	pthread_mutex_lock(&t->lock);
	HASH_FIND(hh, t->by_id, &id, sizeof(id), w);
	if (w)
		item = remove_locked(t, w);
	pthread_mutex_unlock(&t->lock);
	return item;
}

void *aaa_table_expired(struct aaa_table *t, uint64_t now_ms)
{
	struct waiting *w;
	void *item = NULL;

	pthread_mutex_lock(&t->lock);
	w = TAILQ_FIRST(&t->by_deadline);
	if (w && w->deadline_ms <= now_ms)
		item = remove_locked(t, w);
	pthread_mutex_unlock(&t->lock);
	return item;
}

uint64_t aaa_table_next(struct aaa_table *t)
{
	struct waiting *w;
	uint64_t next;

	pthread_mutex_lock(&t->lock);
	w = TAILQ_FIRST(&t->by_deadline);
	next = w ? w->deadline_ms : UINT64_MAX;
	pthread_mutex_unlock(&t->lock);
	return next;
}

size_t aaa_table_len(struct aaa_table *t)
{
	size_t n;

	pthread_mutex_lock(&t->lock);
	n = HASH_COUNT(t->by_id);
	pthread_mutex_unlock(&t->lock);
	return n;
}
