/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/db.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/counter.h"
#include "lib/crypto.h"
#include "lib/log.h"

#define PAUSE_FIRST_MS 200u
#define PAUSE_MOST_MS 5000u

struct db {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	const char *conninfo;
	uint32_t timeout_ms;
	unsigned connections, used; /* used: handed out or idle; never more than connections */
	PGconn *idle[DB_CONNECTIONS_MAX];
	unsigned n_idle, failures;
	uint64_t retry_at;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct db *db_new(const char *conninfo, unsigned connections, uint32_t timeout_ms)
{
	struct db *db = calloc(1, sizeof(*db));
	pthread_condattr_t a;

	if (!db)
		return NULL;
	pthread_mutex_init(&db->lock, NULL);
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&db->freed, &a);
	pthread_condattr_destroy(&a);
	db->conninfo = conninfo;
	db->connections = connections < DB_CONNECTIONS_MAX ? connections : DB_CONNECTIONS_MAX;
	db->timeout_ms = timeout_ms;
	return db;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	while (db->n_idle)
		PQfinish(db->idle[--db->n_idle]);
	pthread_cond_destroy(&db->freed);
	pthread_mutex_destroy(&db->lock);
	free(db);
}

/* --- waiting --- */

/* Waits until the socket is ready or the deadline is over. */
static bool wait_io(PGconn *c, bool writing, uint64_t deadline)
{
	struct pollfd p = {.fd = PQsocket(c), .events = writing ? POLLIN | POLLOUT : POLLIN};
	uint64_t now;
	int n;

	do {
		now = now_ms();
		n = poll(&p, 1, now >= deadline ? 0 : (int)(deadline - now));
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

static uint32_t pause_ms(unsigned failures)
{
	uint32_t base = failures >= 5 ? PAUSE_MOST_MS : PAUSE_FIRST_MS << failures, noise = 0;

	if (base > PAUSE_MOST_MS)
		base = PAUSE_MOST_MS;
	if (crypto_random(&noise, sizeof(noise)))
		noise = base / 4;
	return base - base / 4 + noise % (base / 2 + 1);
}

/* --- one connection --- */

static void quiet(void *arg, const PGresult *res)
{
	log_debug("db", "%s", PQresultErrorMessage(res));
}

static bool connect_wait(PGconn *c, uint64_t deadline)
{
	PostgresPollingStatusType want = PGRES_POLLING_WRITING;

	while (want == PGRES_POLLING_READING || want == PGRES_POLLING_WRITING) {
		if (!wait_io(c, want == PGRES_POLLING_WRITING, deadline))
			return false;
		want = PQconnectPoll(c);
	}
	return want == PGRES_POLLING_OK;
}

static void connect_failed(struct db *db, PGconn *c)
{
	char text[256];
	uint32_t pause;

	snprintf(text, sizeof(text), "%s",
		 c && PQerrorMessage(c)[0] ? PQerrorMessage(c) : "no answer in time");
	text[strcspn(text, "\n")] = '\0';
	PQfinish(c);
	pthread_mutex_lock(&db->lock);
	pause = pause_ms(db->failures++);
	db->retry_at = now_ms() + pause;
	pthread_mutex_unlock(&db->lock);
	counter_inc("db.connect_failed");
	log_warn("db", "cannot connect: %s; next try in %u ms", text, pause);
}

static PGconn *connect_new(struct db *db, uint64_t deadline)
{
	char options[64];
	const char *const keys[] = {"fallback_application_name", "dbname",  "client_encoding",
				    "tcp_user_timeout",		 "options", NULL};
	const char *const values[] = {"mipvpn-webd", db->conninfo, "UTF8", "10000", options, NULL};
	PGconn *c;

	/* The server gives up too, so that nothing goes on there for a page that nobody waits for. */
	snprintf(options, sizeof(options), "-c statement_timeout=%u", db->timeout_ms);
	c = PQconnectStartParams(keys, values, 1);
	if (!c || PQstatus(c) == CONNECTION_BAD || !connect_wait(c, deadline) || PQsetnonblocking(c, 1)) {
		connect_failed(db, c);
		return NULL;
	}
	PQsetNoticeReceiver(c, quiet, NULL);
	pthread_mutex_lock(&db->lock);
	db->failures = 0;
	pthread_mutex_unlock(&db->lock);
	counter_inc("db.connected");
	log_info("db", "connected: %s as %s", PQdb(c), PQuser(c));
	return c;
}

/* A connection that the server has closed while nobody used it has something to read: its last words, then
 * the end. */
static bool is_alive(PGconn *c)
{
	for (unsigned i = 0; i < 8 && wait_io(c, false, 0); i++) {
		if (!PQconsumeInput(c) || PQisBusy(c))
			return false;
	}
	return PQstatus(c) == CONNECTION_OK && PQtransactionStatus(c) == PQTRANS_IDLE;
}

/* --- the pool --- */

/* A place for a connection, with one in it or NULL.  DB_BUSY: none became free in time. */
static enum db_status place_take(struct db *db, uint64_t deadline, PGconn **c)
{
	struct timespec end = {.tv_sec = (time_t)(deadline / 1000),
			       .tv_nsec = (long)(deadline % 1000) * 1000000};
	enum db_status s = DB_OK;
	int rc = 0;

	*c = NULL;
	pthread_mutex_lock(&db->lock);
	while (!db->n_idle && db->used >= db->connections && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&db->freed, &db->lock, &end);
	if (db->n_idle)
		*c = db->idle[--db->n_idle];
	else if (db->used >= db->connections)
		s = DB_BUSY;
	else if (now_ms() < db->retry_at)
		s = DB_DOWN;
	else
		db->used++;
	pthread_mutex_unlock(&db->lock);
	return s;
}

static void place_return(struct db *db, PGconn *c)
{
	pthread_mutex_lock(&db->lock);
	if (c)
		db->idle[db->n_idle++] = c;
	else
		db->used--;
	pthread_cond_signal(&db->freed);
	pthread_mutex_unlock(&db->lock);
}

static enum db_status checkout(struct db *db, uint64_t deadline, PGconn **c)
{
	enum db_status s = place_take(db, deadline, c);

	if (s)
		return s;
	if (*c && !is_alive(*c)) {
		counter_inc("db.lost");
		log_notice("db", "the database has closed a connection");
		PQfinish(*c);
		*c = NULL;
	}
	if (!*c)
		*c = connect_new(db, deadline);
	if (*c)
		return DB_OK;
	place_return(db, NULL);
	return DB_DOWN;
}

/* --- a call --- */

static bool send_all(PGconn *c, uint64_t deadline)
{
	int left;

	while ((left = PQflush(c)) == 1) {
		if (!wait_io(c, true, deadline) || !PQconsumeInput(c))
			return false;
	}
	return !left;
}

/* The result of the statement (the last one, should there be more); NULL: lost, or too late. */
static PGresult *receive(PGconn *c, uint64_t deadline)
{
	PGresult *r = NULL, *next;

	for (;;) {
		while (PQisBusy(c)) {
			if (!wait_io(c, false, deadline) || !PQconsumeInput(c)) {
				PQclear(r);
				return NULL;
			}
		}
		next = PQgetResult(c);
		if (!next)
			return r;
		PQclear(r);
		r = next;
	}
}

/* 57: the server stops, or the time is over; 53: it has no resources.  Both pass. */
static bool passes(const char *state)
{
	return !state || !strncmp(state, "57", 2) || !strncmp(state, "53", 2);
}

static enum db_status judge(const char *sql, PGconn *c, PGresult **r)
{
	enum db_status s = DB_DOWN;

	if (*r && PQresultStatus(*r) == PGRES_TUPLES_OK)
		return DB_OK;
	if (*r && PQstatus(c) == CONNECTION_OK && !passes(PQresultErrorField(*r, PG_DIAG_SQLSTATE)))
		s = DB_REFUSED;
	counter_inc("db.error");
	log_error("db", "%s: %s", sql, *r ? PQresultErrorMessage(*r) : "lost, or no answer in time");
	PQclear(*r);
	*r = NULL;
	return s;
}

enum db_status db_call(struct db *db, const char *sql, int n, const char *const *args, PGresult **rows)
{
	uint64_t deadline = now_ms() + db->timeout_ms;
	enum db_status s;
	PGconn *c;

	*rows = NULL;
	s = checkout(db, deadline, &c);
	if (s) {
		counter_inc(s == DB_BUSY ? "db.busy" : "db.down");
		return s;
	}
	if (PQsendQueryParams(c, sql, n, NULL, args, NULL, NULL, 0) && send_all(c, deadline))
		*rows = receive(c, deadline);
	s = judge(sql, c, rows);
	if (s == DB_DOWN || !is_alive(c)) {
		PQfinish(c);
		c = NULL;
	}
	place_return(db, c);
	return s;
}
