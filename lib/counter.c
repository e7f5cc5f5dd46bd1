/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Named counters (lib/counter.h): one hash table for the process behind one mutex.  Counters are never
 * removed, and their names come from the program text, so the table is bounded by the program, not by its
 * peers.
 */
#include "lib/counter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

struct counter {
	UT_hash_handle hh;
	uint64_t value;
	char name[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct counter *table;

/* Caller holds the lock.  NULL when there is no memory: that count is lost, which beats stopping. */
static struct counter *counter_find_or_new(const char *name)
{
	struct counter *c;
	size_t len = strlen(name);

	HASH_FIND(hh, table, name, len, c);
	if (c)
		return c;
	c = calloc(1, sizeof(*c) + len + 1);
	if (c) {
		memcpy(c->name, name, len + 1);
		HASH_ADD_KEYPTR(hh, table, c->name, len, c);
	}
	return c;
}

void counter_add(const char *name, uint64_t n)
{
	struct counter *c;

	pthread_mutex_lock(&lock);
	c = counter_find_or_new(name);
	if (c)
		c->value += n;
	pthread_mutex_unlock(&lock);
}

uint64_t counter_get(const char *name)
{
	struct counter *c;
	uint64_t v;

	pthread_mutex_lock(&lock);
	HASH_FIND(hh, table, name, strlen(name), c);
	v = c ? c->value : 0;
	pthread_mutex_unlock(&lock);
	return v;
}

static int by_name(const struct counter *a, const struct counter *b)
{
	return strcmp(a->name, b->name);
}

void counter_each(void (*fn)(const char *name, uint64_t value, void *user), void *user)
{
	pthread_mutex_lock(&lock);
	HASH_SORT(table, by_name);
	for (const struct counter *c = table; c; c = c->hh.next)
		fn(c->name, c->value, user);
	pthread_mutex_unlock(&lock);
}
