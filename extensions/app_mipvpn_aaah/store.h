/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The engine's way to the database: questions out, answers back by a callback, never blocking.  One connection, in
 * pipeline mode: many questions are under way at a time, each a transaction of its own.  Used by the engine thread only.
 *
 * The connection comes and goes by itself: lost or never there, it is tried again with a growing, jittered pause; what
 * was under way is answered with STORE_DOWN, and so is everything that is asked meanwhile.
 */
#ifndef MIPVPN_AAAH_STORE_H
#define MIPVPN_AAAH_STORE_H

#include "extensions/app_mipvpn_aaah/policy.h"

#define STORE_SCHEMA_VERSION 16 /* the newest migration that this code was written for */
#define STORE_SCHEMA_LEAST 11  /* the oldest that it works with */

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
	STORE_LIVE_PUT,
	STORE_LIVE_DONE,
	STORE_LIVE_LATER,
	STORE_OPS
};
enum store_status {
	STORE_OK,
	STORE_DOWN, /* no connection, or lost under way: nobody knows whether it was done */
	STORE_BUSY, /* too many questions under way */
	STORE_ERROR /* the database refused */
};

struct store_ask {
	enum store_op op;
	uint64_t id;	     /* comes back in the answer; 0 = nobody waits */
	const char *nai;     /* LOOKUP, PROFILES, ALLOCATE, RELEASE */
	const char *realm;   /* LOOKUP: where the AMR came from; END: and the STR */
	struct in_addr addr; /* LOOKUP: care-of address; ALLOCATE: home agent */
	bool flag;	     /* LOOKUP: read the VPNs again; END: all of it */
	const char *session; /* END; PROFILES: the home agent's, it is part of the label of the keys */
	const char *origin, *reason; /* END */
	const struct pol_put *put;   /* PUT; LIVE_PUT: ha_session, fa_session and the profiles of it */
	int most;		     /* REAP, LIVE_TAKE; LIVE_LATER: ms */
	const struct pol_live *live; /* LIVE_PUT, LIVE_DONE, LIVE_LATER */
	const char *text;	     /* LIVE_DONE (reason: its outcome), LIVE_LATER: why */
};
struct store_answer {
	enum store_op op;
	enum store_status status;
	uint64_t id;
	char text[256]; /* why, when status is not STORE_OK */
	struct pol_rows
		rows; /* LOOKUP; PROFILES: .cached only; the callback takes it (and zeroes it here) or leaves it to be wiped */
	struct in_addr addr; /* ALLOCATE; 0.0.0.0 = exhausted */
	struct pol_end end;  /* END */
	struct pol_live *live; /* LIVE_TAKE: n_live of them, valid for the callback */
	size_t n_live;
	bool ok; /* PUT, LIVE_PUT: it was stored; not = a later registration has been */
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

/* 0, or the status that it ends with at once (STORE_DOWN, STORE_BUSY; STORE_ERROR = no memory): no answer comes then. */
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
