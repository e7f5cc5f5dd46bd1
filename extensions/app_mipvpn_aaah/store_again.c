/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the database may have forgotten.  A session that is stored or ended is remembered until it must be on
 * the disk: the role commits without waiting for that, and a crash of the database loses what was answered in
 * the last moments.  What was asked and not answered is remembered, too, and so is what is asked while there
 * is no connection.  With each new connection all of it is said once more, in its order and before anything
 * else; of what is known already aaah_session_again() and aaah_session_end_again() make nothing.
 *
 * Bounded by what is under way, which cannot begin without the database, and what is answered in AGAIN_MS.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extensions/app_mipvpn_aaah/store_int.h"
#include "lib/counter.h"
#include "lib/log.h"

/* Three times wal_writer_delay is what PostgreSQL promises: 0.6 s, if that is left as it is. */
#define AGAIN_MS 2000u
#define AGAIN_MOST 32768u

enum { END_ARGS = 5 };

static void again_free(struct again *g)
{
	for (size_t i = 0; i < sizeof(g->text) / sizeof(g->text[0]); i++)
		free(g->text[i]);
	free(g);
}

static void unlink_one(struct store *s, struct again *g)
{
	*(g->prev ? &g->prev->next : &s->again.first) = g->next;
	*(g->next ? &g->next->prev : &s->again.last) = g->prev;
	s->again.n--;
	again_free(g);
}

void again_forget_all(struct store *s)
{
	while (s->again.first)
		unlink_one(s, s->again.first);
}

/* By the last answer, and not by the clock: the database was there then, and may have gone right after it. */
static void forget_old(struct store *s)
{
	struct again *g;

	while ((g = s->again.first) && g->done && g->done + AGAIN_MS <= s->again.heard_at)
		unlink_one(s, g);
}

static bool fill(struct again *g, const struct store *s, const struct store_ask *a)
{
	const char *const end[END_ARGS] = {a->session, a->origin, a->realm, a->flag ? "t" : "f", a->reason};

	if (g->op == STORE_PUT) {
		g->text[0] = row_put_json(a->put, s->c.kek);
		return g->text[0] != NULL;
	}
	for (size_t i = 0; i < END_ARGS; i++) {
		g->text[i] = strdup(end[i]);
		if (!g->text[i])
			return false;
	}
	return true;
}

bool again_wants(enum store_op op)
{
	return op == STORE_PUT || op == STORE_END;
}

struct again *again_keep(struct store *s, const struct store_ask *a, store_ms now)
{
	struct again *g;

	forget_old(s);
	g = s->again.n < AGAIN_MOST ? calloc(1, sizeof(*g)) : NULL;
	if (!g)
		return NULL;
	g->op = a->op;
	g->at = now;
	g->began = a->op == STORE_PUT && a->put->age_ms < now ? now - a->put->age_ms : now;
	if (!fill(g, s, a)) {
		again_free(g);
		return NULL;
	}
	g->prev = s->again.last;
	*(g->prev ? &g->prev->next : &s->again.first) = g;
	s->again.last = g;
	s->again.n++;
	return g;
}

/* "put_again" is also for a registration that began with another connection: that its address was given out
 * may be forgotten. */
bool again_ask(struct store *s, struct again *g, store_ms now)
{
	char ago[24];
	const char *const put[] = {g->text[0], ago};
	const char *const end[] = {g->text[0], g->text[1], g->text[2], g->text[3], g->text[4], ago};

	snprintf(ago, sizeof(ago), "%" PRIu64, now - g->at);
	g->said = g->began <= s->again.up_at;
	if (g->op == STORE_END)
		return store_send(s, g->said ? ST_END_AGAIN : ST_END, end);
	return store_send(s, g->said ? ST_PUT_AGAIN : ST_PUT, put);
}

void again_answered(struct store *s, struct again *g, const struct store_answer *a, store_ms now)
{
	if (a->status != STORE_OK) {
		unlink_one(s, g); /* refused: it would be again */
		return;
	}
	g->done = now ? now : 1;
	if (g->said && (a->ok || a->end.found))
		counter_inc("aaah.db.restored");
}

static struct pending *sync_one(struct store *s, bool queued, store_ms now)
{
	struct pending *p = queued && PQpipelineSync(s->conn) ? store_pending_add(s, now) : NULL;

	if (!p)
		conn_lost(s, PQerrorMessage(s->conn), now);
	return p;
}

void again_up(struct store *s, store_ms now)
{
	struct pending *p = sync_one(s, store_send(s, ST_RESTARTED, NULL), now);
	unsigned n = 0;

	s->again.up_at = now;
	forget_old(s);
	if (p)
		p->a.op = STORE_LIVE_LATER;
	for (struct again *g = s->again.first; p && g; g = g->next) {
		p = sync_one(s, again_ask(s, g, now), now);
		if (!p)
			return;
		p->a.op = g->op;
		p->again = g;
		g->done = 0;
		n++;
	}
	if (!p)
		return;
	counter_add("aaah.db.again", n);
	if (n)
		log_notice("aaah", "database: what was stored or ended last is said once more: %u sessions",
			   n);
	store_flush(s, now);
}
