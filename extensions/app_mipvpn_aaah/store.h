/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The engine's way to the database: questions out, answers back by a callback, never blocking.  One connection, in
 * pipeline mode: many questions are under way at a time, each a transaction of its own.  Used by the engine thread only.
 *
 * The connection comes and goes by itself: lost or never there, it is tried again with a growing, jittered pause; what
 * was under way is answered with STORE_DOWN, and so is everything that is asked meanwhile; PUT and END with
 * STORE_LATER.  Those two are also remembered for a moment after their answer, and said once more to a database
 * that has crashed (store_again.c); the answer of an END that comes so has no id.
 */
#ifndef MIPVPN_AAAH_STORE_H
#define MIPVPN_AAAH_STORE_H

#include "extensions/app_mipvpn_aaah/policy.h"

#define STORE_SCHEMA_VERSION 16 /* the newest migration that this code was written for */
#define STORE_SCHEMA_LEAST 16	/* the oldest that it works with */
/* Running sessions in one question.  Few enough that the first of a thousand are told while the next are read. */
#define STORE_ITEMS_MAX 64u

typedef uint64_t store_ms; /* monotonic */

enum store_op {
	STORE_LOOKUP,
	STORE_PROFILES,
	STORE_ALLOCATE,
	STORE_RELEASE,
	STORE_PUT,
	STORE_END,
	STORE_REAP,
	STORE_LIVE_TAKE,
	STORE_LIVE_READ,
	STORE_LIVE_PUT,
	STORE_LIVE_DONE,
	STORE_LIVE_LATER,
	STORE_OPS
};
enum store_status {
	STORE_OK,
	STORE_DOWN,  /* no connection, or lost under way: nobody knows whether it was done */
	STORE_LATER, /* the same; it is remembered, and done when the connection is back */
	STORE_BUSY,  /* too many questions under way */
	STORE_ERROR  /* the database refused */
};

/* One of many running sessions that are asked about together.  Borrows everything, for the call. */
struct store_item {
	uint64_t id; /* comes back in its result */
	const struct pol_live *live;
	const struct pol_put *put; /* PUT: ha_session, fa_session and the profiles of it */
	const char *outcome, *why; /* DONE; why may be any bytes */
};
struct store_result {
	uint64_t id;
	bool bad; /* READ: his rows are not in order, text says why */
	bool ok;  /* PUT: it was stored */
	char text[128];
	char nai[DM_ID_MAX];  /* label of keys */
	struct pol_rows rows; /* READ; the callback takes it (and zeroes it here) or leaves it to be wiped */
};

struct store_ask {
	enum store_op op;
	uint64_t id;	     /* comes back in the answer; 0 = nobody waits */
	const char *nai;     /* LOOKUP, PROFILES, ALLOCATE, RELEASE */
	const char *realm;   /* LOOKUP: where the AMR came from; END: and the STR */
	struct in_addr addr; /* LOOKUP: care-of address; ALLOCATE: home agent */
	bool flag;	     /* LOOKUP: read the VPNs again; END: all of it */
	const char *session; /* END; PROFILES: the home agent's, it is part of the label of the keys */
	const char *origin, *reason;	/* END */
	const struct pol_put *put;	/* PUT */
	int most;			/* REAP, LIVE_TAKE; LIVE_LATER: ms */
	const struct store_item *items; /* LIVE_READ, LIVE_PUT, LIVE_DONE; LIVE_LATER: one */
	size_t n_items;			/* 1 to STORE_ITEMS_MAX */
};
struct store_answer {
	enum store_op op;
	enum store_status status;
	uint64_t id;
	char text[256]; /* why, when status is not STORE_OK */
	struct pol_rows
		rows; /* LOOKUP; PROFILES: .cached only; the callback takes it (and zeroes it here) or leaves it to be wiped */
	struct in_addr addr;   /* ALLOCATE; 0.0.0.0 = exhausted */
	struct pol_end end;    /* END */
	struct pol_live *live; /* LIVE_TAKE: n_live of them, valid for the callback */
	size_t n_live;
	bool ok; /* PUT: it was stored; not = a later registration has been, or (said once more) it was known */
	struct store_result
		*results; /* LIVE_READ, LIVE_PUT: one for each item, in their order, whatever the status */
	size_t n_results;
};

struct store_config {
	char conninfo[512];  /* libpq connection string */
	uint32_t timeout_ms; /* a question that takes longer breaks the connection */
	unsigned most;	     /* questions under way */
	uint8_t kek[32];
};

struct store;
struct store *store_new(const struct store_config *c, void (*done)(void *user, struct store_answer *a),
			void *user);
void store_free(struct store *s); /* answers nothing any more */
/* The connection is made anew when conninfo has changed. */
void store_reconfigure(struct store *s, const struct store_config *c, store_ms now);

/* 0, or the status that it ends with at once (STORE_DOWN, STORE_LATER, STORE_BUSY; STORE_ERROR = no memory, or
 * more than can be remembered): no answer comes then. */
enum store_status store_ask(struct store *s, const struct store_ask *a, store_ms now);

int store_fd(const struct store *s);	    /* to poll, or -1 */
short store_events(const struct store *s);  /* POLLIN, POLLOUT */
store_ms store_next(const struct store *s); /* when store_run() is due without an event */
void store_run(struct store *s, short revents, store_ms now);
bool store_is_up(const struct store *s);
/* The policy has changed since the last call, or may have: the connection is new. */
bool store_noticed(struct store *s);

/* For measurements only: answers lookups out of memory once they have been read (reads), or everything (all). */
enum store_bench { STORE_BENCH_NONE, STORE_BENCH_NO_READS, STORE_BENCH_NO_DATABASE };
void store_bench(struct store *s, enum store_bench mode);

#endif
