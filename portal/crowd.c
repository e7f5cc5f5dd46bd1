/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/crowd.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <uthash.h>

#include "lib/counter.h"

enum state { WAITS, BUSY, SHUT };

struct guest {
	TAILQ_ENTRY(guest) link; /* of its origin's queue, while it waits */
	struct origin *origin;
	enum state state;
	uint64_t since; /* number of what it waits for: smaller is longer ago */
	int fd;
};
TAILQ_HEAD(guests, guest);

/* An address, or a whole network of IPv6. */
struct origin {
	UT_hash_handle hh;
	uint8_t key[CLIENT_KEY];
	unsigned n, waiting; /* guests of it, and those in the queue */
	struct guests queue; /* the longest first */
};

struct crowd {
	pthread_mutex_t lock;
	struct origin *origins;
	unsigned n, most; /* n: without those that are shut */
	uint64_t now;
};

struct crowd *crowd_new(unsigned most)
{
	struct crowd *c = calloc(1, sizeof(*c));

	if (c) {
		pthread_mutex_init(&c->lock, NULL);
		c->most = most;
	}
	return c;
}

void crowd_free(struct crowd *c)
{
	if (c)
		pthread_mutex_destroy(&c->lock);
	free(c);
}

static struct origin *origin_get(struct crowd *c, const char *address)
{
	uint8_t key[CLIENT_KEY];
	struct origin *o;

	client_key(address, key);
	HASH_FIND(hh, c->origins, key, sizeof(key), o);
	if (o)
		return o;
	o = calloc(1, sizeof(*o));
	if (o) {
		memcpy(o->key, key, sizeof(key));
		TAILQ_INIT(&o->queue);
		HASH_ADD(hh, c->origins, key, sizeof(o->key), o);
	}
	return o;
}

static void state_set(struct crowd *c, struct guest *g, enum state state)
{
	struct origin *o = g->origin;

	if (g->state == WAITS) {
		TAILQ_REMOVE(&o->queue, g, link);
		o->waiting--;
	}
	if (state == WAITS) {
		g->since = ++c->now;
		TAILQ_INSERT_TAIL(&o->queue, g, link);
		o->waiting++;
	}
	if (state == SHUT)
		c->n--;
	g->state = state;
}

/* NULL: nobody waits. */
static struct guest *most_in_the_way(struct crowd *c)
{
	struct guest *worst = NULL;

	for (struct origin *o = c->origins; o; o = o->hh.next) {
		struct guest *g = TAILQ_FIRST(&o->queue);

		if (g && (!worst || o->waiting > worst->origin->waiting ||
			  (o->waiting == worst->origin->waiting && g->since < worst->since)))
			worst = g;
	}
	return worst;
}

/* Its thread sees the end of it, and closes. */
static void make_room(struct crowd *c)
{
	struct guest *g;

	while (c->n > c->most && (g = most_in_the_way(c)) != NULL) {
		shutdown(g->fd, SHUT_RDWR);
		state_set(c, g, SHUT);
		counter_inc("web.crowded");
	}
}

struct guest *crowd_enter(struct crowd *c, int fd, const char *address)
{
	struct guest *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	pthread_mutex_lock(&c->lock);
	g->origin = origin_get(c, address);
	if (g->origin) {
		g->fd = fd;
		g->state = BUSY;
		g->origin->n++;
		c->n++;
		make_room(c); /* before it waits itself: nobody is shut for his own coming */
		state_set(c, g, WAITS);
	} else {
		free(g);
		g = NULL;
	}
	pthread_mutex_unlock(&c->lock);
	return g;
}

void crowd_leave(struct crowd *c, struct guest *g)
{
	if (!g)
		return;
	pthread_mutex_lock(&c->lock);
	if (g->state != SHUT)
		state_set(c, g, SHUT);
	if (!--g->origin->n) {
		HASH_DEL(c->origins, g->origin);
		free(g->origin);
	}
	pthread_mutex_unlock(&c->lock);
	free(g);
}

void crowd_busy(struct crowd *c, struct guest *g, bool busy)
{
	if (!g)
		return;
	pthread_mutex_lock(&c->lock);
	if (g->state != SHUT)
		state_set(c, g, busy ? BUSY : WAITS);
	pthread_mutex_unlock(&c->lock);
}
