/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of engine.c (thread, queue, timers) and the transactions: registration.c (AMR), termination.c (STR),
 * live.c (VUR), asr.c.
 */
#ifndef MIPVPN_AAAH_ENGINE_INT_H
#define MIPVPN_AAAH_ENGINE_INT_H

#include <pthread.h>

#include <uthash.h>

#include "extensions/app_mipvpn_aaah/engine.h"

enum tx_state {
	TX_LOOKUP,
	TX_PROFILES,
	TX_ALLOCATE,
	TX_HAR,
	TX_PUT,
	TX_END,
	TX_LIVE_READ,
	TX_LIVE_PUT,
	TX_LIVE_HOME,
	TX_LIVE_FOREIGN,
	TX_LIVE_END
};

/* A request under way.  Found by id; the list is in order of deadlines. */
struct tx {
	uint64_t id;
	store_ms start, deadline;
	enum tx_state state;
	struct msg *msg;    /* the AMR or STR, answered exactly once */
	struct dm_amr *amr; /* registration */
	struct mip_rrq rrq; /* borrows amr */
	struct pol_rows rows;
	struct plan *plan;
	struct dm_haa *haa;
	bool allocated;	       /* a dynamic home address, to be given back when it comes to nothing */
	bool superseded;       /* the home agent has accepted a later request of this user since */
	struct dm_end *end;    /* termination */
	struct pol_live *live; /* a change of the policy; no msg then */
	const char *live_why;
	bool live_waits; /* for a contract's new connection */
	char live_text[DM_ERROR_MAX];
	struct tx *prev, *next;
	UT_hash_handle hh;
};

struct live_done {	       /* what became of a session, to be written */
	struct pol_live *live; /* owned */
	const char *outcome;   /* static */
	char why[DM_ERROR_MAX];
};

struct engine {
	struct settings s;
	char path[256];
	struct store *store;
	struct tx *by_id, *oldest, *newest;
	unsigned n_tx;
	uint64_t next_id;
	store_ms now, reap_at;
	struct {
		bool due, asking; /* the table is to be looked at, is being looked at */
		unsigned n, asked;
		store_ms poll_at, notice_at;
		struct live_done done[STORE_ITEMS_MAX];
		size_t n_done;
	} live;
	struct {
		struct asr *by_id;
		unsigned n;
		store_ms next_at; /* none is due before */
	} asr;
	pthread_t thread;

	pthread_mutex_t lock; /* of what follows */
	struct job *jobs, **jobs_tail;
	unsigned n_jobs;
	bool stop, woken;
	int wake_fd;
};

/* engine.c */
struct tx *tx_new(struct engine *e, struct msg *msg, enum tx_state state); /* takes msg; NULL = no memory */
struct tx *tx_find(struct engine *e, uint64_t id);
void tx_free(struct engine *e, struct tx *t);
void tx_touch(struct engine *e, struct tx *t); /* its time begins anew */
void engine_send(struct msg **m);	       /* takes *m; a failure is counted */
void engine_refuse(struct msg **m, uint32_t result, const char *text);
/* Takes m.  Not later than so many seconds from now answered() or expired() is called with id, in one of
 * libfdcore's threads, and has engine_hear() to say it here.  0, or an errno and nothing is called. */
int engine_request(struct msg *m, uint64_t id, uint32_t seconds, void (*answered)(void *, struct msg **),
		   void (*expired)(void *, DiamId_t, size_t, struct msg **));
void engine_hear(struct job *j); /* takes j */
/* Of a transaction's request: our own timer is sooner, this one frees the request. */
uint32_t engine_exchange_s(const struct engine *e);
uint32_t engine_jittered(uint32_t ms); /* 75..125 % of it */
/* The status of a question in words of Diameter. */
uint32_t engine_store_result(enum store_status st);

/* registration.c */
void registration_start(struct engine *e, struct job *j);
void registration_looked_up(struct engine *e, struct tx *t, struct store_answer *a);
void registration_profiles(struct engine *e, struct tx *t, struct store_answer *a);
void registration_allocated(struct engine *e, struct tx *t, struct store_answer *a);
void registration_home_answer(struct engine *e, struct job *j);
void registration_home_failed(struct engine *e, struct tx *t, const char *why);
void registration_stored(struct engine *e, struct tx *t, struct store_answer *a);
void registration_expired(struct engine *e, struct tx *t);

/* live.c */
void live_run(struct engine *e); /* asks for sessions that a change concerns, when it is time */
void live_taken(struct engine *e, struct store_answer *a);
void live_read(struct engine *e, struct store_answer *a);
void live_stored(struct engine *e, struct store_answer *a);
void live_answer(struct engine *e, struct tx *t, struct store_answer *a); /* to a question about one */
void live_told(struct engine *e, struct job *j);
void live_expired(struct engine *e, struct tx *t);

/* asr.c: a gateway is told that a session is over, again when it does not answer */
void engine_send_asr(struct engine *e, const char *session, const char *host, const char *realm,
		     const char *user);
void asr_answered(struct engine *e, uint64_t id, uint32_t result);
void asr_run(struct engine *e);
void asr_forget(struct engine *e);

/* termination.c */
void termination_start(struct engine *e, struct job *j);
void termination_ended(struct engine *e, struct tx *t, struct store_answer *a);
void termination_expired(struct engine *e, struct tx *t);
void termination_again(struct engine *e,
		       const struct store_answer *a); /* the database had forgotten it, or was away */

#endif
