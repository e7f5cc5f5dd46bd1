/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Diameter boundary of the agent: start, stop, and the loop's side of the queues.
 *
 * Threads.  libfdcore lives inside this process and brings about a dozen threads.  The agent proper has one:
 * its loop. Nothing of the agent is ever touched by libfdcore's threads and nothing of libfdcore that can
 * block is ever called by the loop.  Between them stand four containers (queue.h), all of them bounded:
 *
 *	libfdcore's threads                                         the loop
 *	-------------------                                         --------
 *	in.c: dispatch callback (HAR, VUR, ASR): parse,
 *	  park the message in "parked", post a value  -> events ->  aaa_next_event()
 *	in.c: answer callback (AMA, STA): parse,
 *	  take the request from "waiting", post       -> events ->  aaa_next_event()
 *	out.c: the sender, a thread of ours: builds
 *	  messages, calls fd_msg_send, keeps deadlines <- jobs  <-  aaa_amr(), aaa_haa(), aaa_vua() ...
 *
 * fd_msg_send can block (a full outgoing queue), therefore the sender; it also sends what a dispatch thread
 * must refuse, because a send from there is one half of a known deadlock of libfdcore (doc/freediameter.md).
 *
 * Every request ends exactly once.  An AMR or STR is in "waiting" under an id; whoever takes the id out (the
 * answer, the route guard's answer when no peer is open, the deadline) reports it, and all others come too
 * late and are counted.  libfdcore keeps the id and never a pointer of ours: some of its answers never come
 * (one that it finds malformed vanishes), so its own expiry is not relied on.  A HAR or ASR is in "parked"
 * under its token in the same way; the deadline there sends DIAMETER_TOO_BUSY, so that a peer always gets an
 * answer.
 *
 * Ownership: an event is the loop's as soon as it is popped; a job is the sender's as soon as it is pushed;
 * the parked struct msg belongs to whoever took its token.
 *
 * RFC 6733 (base), RFC 4004 (Mobile IPv4).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/aaa/internal.h"
#include "diameter/codec.h"
#include "diameter/dict.h"
#include "lib/counter.h"
#include "lib/crypto.h"
#include "lib/log.h"

/* --- events --- */

struct aaa_event *aaa_event_new(enum aaa_event_type type, const char *session, uint32_t result,
				const char *text)
{
	struct aaa_event *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->type = type;
	e->result = result;
	snprintf(e->session, sizeof(e->session), "%s", session ? session : "");
	snprintf(e->text, sizeof(e->text), "%s", text ? text : "");
	return e;
}

void aaa_event_free(struct aaa_event *e)
{
	if (!e)
		return;
	if (e->ama) {
		dm_ama_wipe(e->ama);
		free(e->ama);
	}
	if (e->har) {
		dm_har_wipe(e->har);
		free(e->har);
	}
	free(e);
}

bool aaa_post(struct aaa *a, struct aaa_event *e)
{
	if (!e || aaa_queue_push(a->events, e)) {
		counter_inc("aaa.event.lost");
		aaa_event_free(e);
		return false;
	}
	a->wake(a->user);
	return true;
}

static void event_free(void *e)
{
	aaa_event_free(e);
}

struct aaa_event *aaa_next_event(struct aaa *a)
{
	return aaa_queue_pop(a->events);
}

/* --- what the loop asks for --- */

static int job_push(struct aaa *a, struct aaa_job *job)
{
	if (!aaa_queue_push(a->jobs, job))
		return 0;
	counter_inc("aaa.job.queue_full");
	aaa_out_job_free(job);
	return -1;
}

static int request_push(struct aaa *a, struct aaa_job *job, const char *session, uint32_t deadline_ms)
{
	struct aaa_request *r = calloc(1, sizeof(*r));

	if (r) {
		r->type = job->type;
		snprintf(r->session, sizeof(r->session), "%s", session);
		job->id = aaa_table_put(a->waiting, r, aaa_now_ms() + deadline_ms);
	}
	if (!job->id) {
		counter_inc("aaa.request.too_many");
		free(r);
		aaa_out_job_free(job);
		return -1;
	}
	uint64_t id = job->id;

	if (!job_push(a, job))
		return 0;
	free(aaa_table_take(a->waiting, id));
	return -1;
}

int aaa_amr(struct aaa *a, const struct dm_amr *amr, uint32_t deadline_ms)
{
	struct aaa_job *job = calloc(1, sizeof(*job));

	if (!job)
		return -1;
	job->type = AAA_JOB_AMR;
	job->amr = *amr;
	return request_push(a, job, amr->session, deadline_ms);
}

int aaa_str(struct aaa *a, const struct dm_end *e)
{
	struct aaa_job *job = calloc(1, sizeof(*job));

	if (!job)
		return -1;
	job->type = AAA_JOB_STR;
	job->end = *e;
	return request_push(a, job, e->session, AAA_STR_MS);
}

/* The parked request of a token; NULL (counted) when the deadline has answered it. */
static struct msg *unpark(struct aaa *a, uint64_t token)
{
	struct aaa_parked *p = aaa_table_take(a->parked, token);
	struct msg *m;

	if (!p) {
		counter_inc("aaa.answer.late");
		return NULL;
	}
	m = p->msg;
	free(p);
	return m;
}

/* Nothing when the token is not known (any more). */
static int answer_push(struct aaa *a, uint64_t token, enum aaa_job_type type, const struct dm_haa *haa,
		       uint32_t result)
{
	struct msg *m = unpark(a, token);
	struct aaa_job *job;

	if (!m)
		return 0;
	job = calloc(1, sizeof(*job));
	if (!job) {
		fd_msg_free(m);
		return -1;
	}
	job->type = type;
	job->msg = m;
	job->result = result;
	if (haa)
		job->haa = *haa;
	return job_push(a, job);
}

int aaa_haa(struct aaa *a, uint64_t token, const struct dm_haa *haa)
{
	return answer_push(a, token, AAA_JOB_HAA, haa, 0);
}

int aaa_vua(struct aaa *a, uint64_t token, const struct dm_haa *vua)
{
	return answer_push(a, token, AAA_JOB_VUA, vua, 0);
}

int aaa_asa(struct aaa *a, uint64_t token, uint32_t result)
{
	return answer_push(a, token, AAA_JOB_PLAIN, NULL, result);
}

bool aaa_idle(struct aaa *a)
{
	return !aaa_queue_len(a->jobs) && !atomic_load(&a->sending) && !aaa_table_len(a->waiting);
}

const char *aaa_identity(const struct aaa *a)
{
	return fd_g_config->cnf_diamid;
}

const char *aaa_realm(const struct aaa *a)
{
	return fd_g_config->cnf_diamrlm;
}

/* --- start and stop --- */

/* libfdcore's log lines.  Its NOTICE is our debug: it tells of each connection attempt and each dictionary
 * object. */
static void log_bridge(int level, const char *fmt, va_list ap)
{
	if (level >= FD_LOG_FATAL)
		log_v(LOG_LVL_ERROR, "freediameter", fmt, ap);
	else if (level >= FD_LOG_ERROR)
		log_v(LOG_LVL_WARN, "freediameter", fmt, ap);
	else
		log_v(LOG_LVL_DEBUG, "freediameter", fmt, ap);
}

/* fd_core_start connects to nobody yet, but what it waits for may take a while: never in the loop's thread.
 */
static void *core_main(void *arg)
{
	struct aaa *a = arg;
	int rc = fd_core_start();

	if (!rc)
		rc = fd_core_waitstartcomplete();
	if (rc && !atomic_load(&a->stopping))
		aaa_post(a, aaa_event_new(AAA_DEAD, NULL, 0, strerror(rc)));
	return NULL;
}

static int core_prepare(const char *conf, bool dumps, char *err, size_t err_len)
{
	int rc;

	fd_log_handler_register(log_bridge);
	rc = fd_core_initialize();
	if (rc) {
		snprintf(err, err_len, "libfdcore does not initialise: %s", strerror(rc));
		return -1;
	}
	rc = fd_core_parseconf(conf);
	if (rc) {
		snprintf(err, err_len,
			 "%s: refused by freeDiameter: %s (its reason is in the log lines above)", conf,
			 strerror(rc));
		return -1;
	}
	if (dict_mipvpn_load(err, err_len) || dm_dict_resolve(err, err_len))
		return -1;
	if (dm_workarounds_install(dumps)) {
		snprintf(err, err_len, "libfdcore refuses hooks");
		return -1;
	}
	return 0;
}

static int threads_start(struct aaa *a, char *err, size_t err_len)
{
	a->sender_runs = pthread_create(&a->sender, NULL, aaa_out_main, a) == 0;
	a->core_runs = a->sender_runs && pthread_create(&a->core, NULL, core_main, a) == 0;
	if (a->core_runs)
		return 0;
	snprintf(err, err_len, "cannot make a thread");
	return -1;
}

static struct aaa *aaa_alloc(void (*wake)(void *user), void *user)
{
	struct aaa *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->wake = wake;
	a->user = user;
	atomic_init(&a->patience_ms, AAA_PATIENCE_MS);
	a->events = aaa_queue_new(AAA_EVENTS_MAX);
	a->jobs = aaa_queue_new(AAA_JOBS_MAX);
	a->waiting = aaa_table_new(AAA_WAITING_MAX);
	a->parked = aaa_table_new(AAA_PARKED_MAX);
	if (a->events && a->jobs && a->waiting && a->parked)
		return a;
	aaa_stop(a);
	return NULL;
}

struct aaa *aaa_start(const char *conf, bool dumps, void (*wake)(void *user), void *user, char *err,
		      size_t err_len)
{
	struct aaa *a = aaa_alloc(wake, user);
	sigset_t all, before;
	int rc;

	if (!a) {
		snprintf(err, err_len, "out of memory");
		return NULL;
	}
	/* libfdcore's threads and ours inherit the mask: signals are for the loop alone. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = core_prepare(conf, dumps, err, err_len);
	if (!rc)
		rc = aaa_in_register(a, err, err_len);
	if (!rc)
		rc = threads_start(a, err, err_len);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!rc)
		return a;
	aaa_stop(a);
	return NULL;
}

static void request_free(void *r)
{
	free(r);
}

void aaa_set_patience(struct aaa *a, uint32_t ms)
{
	atomic_store(&a->patience_ms, ms > AAA_PATIENCE_MS ? ms : AAA_PATIENCE_MS);
}

void aaa_stop(struct aaa *a)
{
	if (!a)
		return;
	atomic_store(&a->stopping, true);
	if (a->core_runs) {
		pthread_join(a->core, NULL);
		fd_core_shutdown();
		fd_core_wait_shutdown_complete();
	}
	if (a->sender_runs) {
		aaa_queue_kick(a->jobs);
		pthread_join(a->sender, NULL);
	}
	aaa_queue_free(a->jobs, aaa_out_job_free);
	aaa_queue_free(a->events, event_free);
	aaa_table_free(a->parked, aaa_out_parked_free);
	aaa_table_free(a->waiting, request_free);
	free(a);
}
