/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The sender thread: builds Diameter messages out of jobs, hands them to libfdcore, and keeps the deadlines
 * of both tables (see the essay in aaa.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/aaa/internal.h"
#include "diameter/codec.h"
#include "lib/counter.h"
#include "lib/crypto.h"
#include "lib/log.h"

void aaa_out_job_free(void *arg)
{
	struct aaa_job *job = arg;

	if (job->msg)
		fd_msg_free(job->msg);
	crypto_wipe(job, sizeof(*job));
	free(job);
}

void aaa_out_parked_free(void *arg)
{
	struct aaa_parked *p = arg;

	fd_msg_free(p->msg);
	free(p);
}

void aaa_out_fail(struct aaa *a, struct aaa_request *r, uint32_t result, const char *text)
{
	enum aaa_event_type type = r->type == AAA_JOB_AMR ? AAA_FAILED : AAA_STA;

	counter_inc(r->type == AAA_JOB_AMR ? "aaa.amr.failed" : "aaa.str.failed");
	aaa_post(a, aaa_event_new(type, r->session, result, text));
	free(r);
}

void aaa_out_refuse(struct aaa *a, struct msg *m, uint32_t result, const char *text)
{
	struct aaa_job *job = calloc(1, sizeof(*job));

	if (!job) {
		fd_msg_free(m);
		return;
	}
	job->type = AAA_JOB_PLAIN;
	job->msg = m;
	job->result = result;
	snprintf(job->text, sizeof(job->text), "%s", text);
	if (aaa_queue_push(a->jobs, job)) {
		counter_inc("aaa.job.queue_full");
		aaa_out_job_free(job);
	}
}

/* --- requests of ours --- */

static void send_request(struct aaa *a, struct aaa_job *job)
{
	struct msg *m = NULL;
	struct aaa_request *r;
	int rc;

	rc = job->type == AAA_JOB_AMR ? dm_amr_build(&job->amr, &m) : dm_str_build(&job->end, &m);
	if (!rc)
		rc = fd_msg_send(&m, aaa_in_answer, (void *)(uintptr_t)job->id);
	if (!rc)
		return;
	if (m)
		fd_msg_free(m);
	r = aaa_table_take(a->waiting, job->id);
	if (r)
		aaa_out_fail(a, r, DM_UNABLE_TO_COMPLY, strerror(rc));
}

/* --- answers of ours --- */

static void send_answer(struct aaa *a, struct aaa_job *job)
{
	int rc;

	if (job->type == AAA_JOB_HAA)
		rc = dm_haa_answer(&job->haa, &job->msg);
	else if (job->type == AAA_JOB_VUA)
		rc = dm_vua_answer(&job->haa, &job->msg);
	else
		rc = dm_plain_answer(job->result, job->text[0] ? job->text : NULL, &job->msg);
	if (!rc)
		rc = fd_msg_send(&job->msg, NULL, NULL);
	if (rc) {
		counter_inc("aaa.answer.unsent");
		log_error("aaa", "an answer could not be sent: %s", strerror(rc));
	}
}

static void send_job(struct aaa *a, struct aaa_job *job)
{
	if (job->type == AAA_JOB_AMR || job->type == AAA_JOB_STR)
		send_request(a, job);
	else
		send_answer(a, job);
	aaa_out_job_free(job);
}

/* --- deadlines --- */

static void expire(struct aaa *a)
{
	uint64_t now = aaa_now_ms();
	struct aaa_request *r;
	struct aaa_parked *p;

	while ((r = aaa_table_expired(a->waiting, now)))
		aaa_out_fail(a, r, 0, "no answer in time");
	while ((p = aaa_table_expired(a->parked, now))) {
		counter_inc("aaa.parked.expired");
		log_warn("aaa", "%s not decided in time: answered with %u", p->name, DM_TOO_BUSY);
		aaa_out_refuse(a, p->msg, DM_TOO_BUSY, "no decision in time");
		free(p);
	}
}

void *aaa_out_main(void *arg)
{
	struct aaa *a = arg;

	while (!atomic_load(&a->stopping)) {
		uint64_t w = aaa_table_next(a->waiting), p = aaa_table_next(a->parked);
		struct aaa_job *job = aaa_queue_wait(a->jobs, w < p ? w : p);

		if (job) {
			atomic_fetch_add(&a->sending, 1);
			send_job(a, job);
			atomic_fetch_sub(&a->sending, 1);
		}
		expire(a);
	}
	return NULL;
}
