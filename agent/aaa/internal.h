/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of agent/aaa/ share.  The essay is at the head of aaa.c.
 */
#ifndef MIPVPN_AAA_INTERNAL_H
#define MIPVPN_AAA_INTERNAL_H

#include <freeDiameter/extension.h>
#include <pthread.h>
#include <stdatomic.h>

#include "agent/aaa/aaa.h"
#include "agent/aaa/queue.h"

/* Bounds, and how long a HAR or ASR may stay without our answer. */
enum {
	AAA_EVENTS_MAX = 4096,
	AAA_JOBS_MAX = 4096,
	AAA_WAITING_MAX = 2048,
	AAA_PARKED_MAX = 2048,
	AAA_PATIENCE_MS = 8000,
	AAA_STR_MS = 6000
};

/* Something for the sender thread to send. */
enum aaa_job_type { AAA_JOB_AMR, AAA_JOB_STR, AAA_JOB_HAA, AAA_JOB_VUA, AAA_JOB_PLAIN };
struct aaa_job {
	enum aaa_job_type type;
	uint64_t id;		 /* AMR, STR: in aaa->waiting */
	struct msg *msg;	 /* HAA, VUA, PLAIN: the request to be answered; owned */
	uint32_t result;	 /* PLAIN */
	char text[DM_ERROR_MAX]; /* PLAIN: Error-Message or "" */
	union {
		struct dm_amr amr;
		struct dm_end end;
		struct dm_haa haa;
	};
};

/* A request of ours that waits for its answer. */
struct aaa_request {
	enum aaa_job_type type; /* AMR or STR */
	char session[DM_SESSION_MAX];
};

/* A peer's request that waits for our answer. */
struct aaa_parked {
	struct msg *msg;  /* owned */
	const char *name; /* "HAR", "VUR", "ASR" */
};

struct aaa {
	void (*wake)(void *user);
	void *user;
	struct aaa_queue *events;  /* libfdcore's threads and the sender -> the loop */
	struct aaa_queue *jobs;	   /* the loop and dispatch threads -> the sender */
	struct aaa_table *waiting; /* struct aaa_request */
	struct aaa_table *parked;  /* struct aaa_parked; id = token */
	pthread_t sender, core;
	bool sender_runs, core_runs;
	atomic_uint patience_ms; /* aaa_set_patience() */
	atomic_bool stopping;
	atomic_uint sending; /* jobs taken from the queue and not yet handed over */
	struct fd_rt_out_hdl *route;
	struct fd_hook_hdl *peer_hook;
};

/* Posts an event; frees it and counts when the queue is full (false). */
bool aaa_post(struct aaa *a, struct aaa_event *e);
struct aaa_event *aaa_event_new(enum aaa_event_type type, const char *session, uint32_t result,
				const char *text);

/* in.c: what libfdcore's threads call */
int aaa_in_register(struct aaa *a, char *err, size_t err_len);
void aaa_in_answer(void *data, struct msg **m); /* answer callback; data = id in waiting */
/* out.c: the sender thread */
void *aaa_out_main(void *a);
void aaa_out_job_free(void *arg);	/* a job */
void aaa_out_parked_free(void *arg);
/* Ends a request of ours without a usable answer. */
void aaa_out_fail(struct aaa *a, struct aaa_request *r, uint32_t result, const char *text);
/* Queue a refusal of the request m (taken); when that is impossible the message is freed and counted. */
void aaa_out_refuse(struct aaa *a, struct msg *m, uint32_t result, const char *text);

#endif
