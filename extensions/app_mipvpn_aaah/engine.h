/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The engine: one thread that owns every registration under way, the database connection and all sending.
 *
 * libfdcore's threads (dispatch, routing, events) only post jobs: a parsed struct, the message it came in, and wake the
 * engine.  That keeps a slow database or a full send queue away from them: a dispatch thread that blocks in
 * fd_msg_send() on a full queue can stop the whole daemon.  The queue of jobs is bounded; what does not fit is refused
 * by the caller, with an answer.
 */
#ifndef MIPVPN_AAAH_ENGINE_H
#define MIPVPN_AAAH_ENGINE_H

#include "diameter/codec.h"
#include "extensions/app_mipvpn_aaah/settings.h"

enum job_type {
	JOB_REFUSE,	/* a request that did not parse: msg, result, text */
	JOB_AMR,	/* msg, amr */
	JOB_HAA,	/* id, haa (result is set also when libfdcore made the answer: 3002) */
	JOB_HAR_FAILED, /* id, text: no answer will come */
	JOB_VUA,	/* id, haa: result, error, refused */
	JOB_ASA,	/* id, result; 0 = none came */
	JOB_STR,	/* msg, end */
	JOB_RELOAD
};
struct job {
	struct job *next;
	enum job_type type;
	struct msg *msg; /* owned: the request to answer */
	uint64_t id;
	uint32_t result;
	char text[DM_ERROR_MAX];
	struct dm_amr *amr; /* owned */
	struct dm_haa *haa; /* owned */
	struct dm_end *end; /* owned */
};
struct job *job_new(enum job_type type); /* NULL = no memory */
void job_free(struct job *j);

struct engine;
/* Copies settings; path is read again at JOB_RELOAD. NULL = no memory, no thread. */
struct engine *engine_start(const struct settings *s, const char *path);
void engine_stop(struct engine *e); /* joins the thread; what is under way gets no answer any more */
/* Takes j, or returns false (queue full) and j stays the caller's.  Any thread. */
bool engine_post(struct engine *e, struct job *j);

#endif
