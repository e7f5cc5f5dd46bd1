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
	ST_PUT_AGAIN,
	ST_END_AGAIN,
	ST_RESTARTED,
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

/* A session that is stored, or ended: remembered in case that the database forgets it. */
struct again {
	struct again *prev, *next;
	enum store_op op;
	char *text[5];	    /* parameters: of STORE_PUT the first only, its keys wrapped */
	store_ms began, at; /* the registration; the question */
	store_ms done;	    /* answered; 0 = not yet */
	bool said;	    /* asked by "again": its answer tells whether it was news */
};

/* A question under way; the first in the list is the one whose results come next. */
struct pending {
	struct pending *next;
	bool prepare;	 /* our own start-up question */
	unsigned result; /* index of the statement whose result comes next */
	store_ms deadline;
	struct again *again;			      /* NULL = nothing of it is kept */
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
	struct {
		struct again *first, *last; /* in the order of the questions */
		unsigned n;
		store_ms up_at;	   /* this connection */
		store_ms heard_at; /* the last answer, of whatever connection */
	} again;
	struct bench *bench;
};

/* store_conn.c */
void conn_start(struct store *s, store_ms now);
void conn_poll(struct store *s, store_ms now);
void conn_up(struct store *s); /* the prepare question went well */
/* Closes, answers everything under way with STORE_DOWN or STORE_LATER, plans the next try. why is logged. */
void conn_lost(struct store *s, const char *why, store_ms now);

/* store.c */
int store_send_prepare(struct store *s, store_ms now);
void store_flush(struct store *s, store_ms now);
void pending_free(struct pending *p);
bool store_send(struct store *s, enum store_statement st, const char *const params[]);
struct pending *store_pending_add(struct store *s, store_ms now); /* of our own; NULL = no memory */

/* store_live.c */
bool store_live_send(struct store *s, const struct store_ask *a);
bool store_live_results(struct pending *p, const struct store_ask *a); /* room for them; false = no memory */
int store_live_rows(struct store *s, struct pending *p, const PGresult *res); /* 0, or -1 with p->a.text */

/* store_again.c */
bool again_wants(enum store_op op);
/* Remembers a; NULL = no memory, or too many. */
struct again *again_keep(struct store *s, const struct store_ask *a, store_ms now);
void again_forget_all(struct store *s);
bool again_ask(struct store *s, struct again *g, store_ms now); /* queues its statement, no sync */
void again_answered(struct store *s, struct again *g, const struct store_answer *a, store_ms now);
/* A new connection: claims of before the database was started end, then all of it is said once more. */
void again_up(struct store *s, store_ms now);

/* store_bench.c */
bool bench_ask(struct store *s, const struct store_ask *a); /* true = answered */
void bench_learn(struct store *s, const char *nai, const struct store_answer *a);
void bench_free(struct bench *b);

#endif
