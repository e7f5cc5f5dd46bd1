/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of store.c (questions and answers), store_live.c (those about many running sessions), store_conn.c
 * (the connection) and store_bench.c.
 */
#ifndef MIPVPN_AAAH_STORE_INT_H
#define MIPVPN_AAAH_STORE_INT_H

#include <libpq-fe.h>

#include "extensions/app_mipvpn_aaah/row.h"
#include "extensions/app_mipvpn_aaah/store.h"

enum store_statement {
	ST_VERSION,
	ST_LOOKUP,
	ST_PROFILES,
	ST_ALLOCATE,
	ST_RELEASE,
	ST_PUT,
	ST_END,
	ST_REAP,
	ST_LIVE_TAKE,
	ST_LIVE_LOOKUP,
	ST_LIVE_PROFILES,
	ST_LIVE_PUT,
	ST_LIVE_DONE,
	ST_LIVE_LATER,
	ST_COUNT
};

enum store_state {
	STORE_WAITING,	  /* for the next try, at .retry_at */
	STORE_CONNECTING, /* PQconnectPoll() */
	STORE_PREPARING,  /* connected; statements and schema version under way */
	STORE_UP
};

/* A question under way; the first in the list is the one whose results come next. */
struct pending {
	struct pending *next;
	bool prepare;	 /* our own start-up question */
	unsigned result; /* index of the statement whose result comes next */
	store_ms deadline;
	char nai[DM_ID_MAX], session[DM_SESSION_MAX]; /* labels of keys */
	struct store_answer a;
};

struct bench;

struct store {
	struct store_config c;
	void (*done)(void *user, struct store_answer *a);
	void *user;
	PGconn *conn;
	enum store_state state;
	PostgresPollingStatusType polling;
	bool want_write;   /* PQflush() has more */
	store_ms deadline; /* CONNECTING, PREPARING */
	store_ms retry_at;
	unsigned failures; /* in a row */
	struct pending *head, **tail;
	unsigned n;
	bool noticed;
	struct bench *bench;
};

/* store_conn.c */
void conn_start(struct store *s, store_ms now);
void conn_poll(struct store *s, store_ms now);
void conn_up(struct store *s); /* the prepare question went well */
/* Closes, answers everything under way with STORE_DOWN, plans the next try. why is logged. */
void conn_lost(struct store *s, const char *why, store_ms now);

/* store.c */
int store_send_prepare(struct store *s, store_ms now);
void store_flush(struct store *s, store_ms now);
void pending_free(struct pending *p);
bool store_send(struct store *s, enum store_statement st, const char *const params[]);

/* store_live.c */
bool store_live_send(struct store *s, const struct store_ask *a);
bool store_live_results(struct pending *p, const struct store_ask *a); /* room for them; false = no memory */
int store_live_rows(struct store *s, struct pending *p, const PGresult *res); /* 0, or -1 with p->a.text */

/* store_bench.c */
bool bench_ask(struct store *s, const struct store_ask *a); /* true = answered */
void bench_learn(struct store *s, const char *nai, const struct store_answer *a);
void bench_free(struct bench *b);

#endif
