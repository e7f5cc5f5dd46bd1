/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ASR: a gateway is told that a session is over.  The row is gone by then, so nobody comes back to it; an
 * agent that is away for a moment would keep a dead session until its lifetime ends.  So it is told again, a
 * few times in half a minute.
 *
 *	send --answer--> done
 *	  ^ \--none, 3002, 3004--> wait --> send, at most TRIES_MOST times
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extensions/app_mipvpn_aaah/engine_int.h"
#include "lib/counter.h"
#include "lib/log.h"

#define ASRS_MOST 1000u /* under way; what is more is sent once */
#define TRIES_MOST 6u
#define WAIT_MS 500u	/* doubling */
#define ANSWER_S 3	/* libfdcore gives up then */
#define ANSWER_MS 4000u /* an answer that breaks its grammar never comes */

struct asr {
	uint64_t id;
	struct dm_end end;
	unsigned tries;
	store_ms due; /* sent: no answer by then; else: to be sent */
	bool sent;
	UT_hash_handle hh;
};

/* --- in libfdcore's threads --- */

static void post(void *data, uint32_t result)
{
	struct job *j = data ? job_new(JOB_ASA) : NULL;

	if (!j)
		return; /* our own timer */
	j->id = (uint64_t)(uintptr_t)data;
	j->result = result;
	engine_hear(j);
}

static void answered(void *data, struct msg **answer)
{
	uint32_t result = 0;
	char err[DM_ERROR_MAX];

	if (dm_plain_parse(*answer, &result, err, sizeof(err)))
		result = DM_UNABLE_TO_COMPLY;
	post(data, result);
	fd_msg_free(*answer);
	*answer = NULL;
}

static void expired(void *data, DiamId_t peer, size_t len, struct msg **request)
{
	post(data, 0);
	fd_msg_free(*request);
	*request = NULL;
}

static int send_asr(const struct dm_end *end, uint64_t id)
{
	struct msg *m = NULL;
	int rc = dm_asr_build(end, &m);

	counter_inc("aaah.asr.sent");
	if (!rc)
		rc = engine_request(m, id, ANSWER_S, answered, expired);
	if (rc)
		log_error("aaah", "ASR for %s to %s not sent: %s", end->session, end->dest_host,
			  strerror(rc));
	return rc;
}

/* --- in the engine --- */

static void asr_free(struct engine *e, struct asr *a)
{
	HASH_DEL(e->asr.by_id, a);
	e->asr.n--;
	free(a);
}

static void due(struct engine *e, struct asr *a, uint32_t wait_ms)
{
	a->due = e->now + wait_ms;
	if (e->asr.next_at > a->due)
		e->asr.next_at = a->due;
}

static void again(struct engine *e, struct asr *a, const char *why)
{
	a->sent = false;
	if (a->tries >= TRIES_MOST) {
		counter_inc("aaah.asr.given_up");
		log_warn("aaah",
			 "ASR session=%s nai=%s to=%s given up after %u times: %s; it ends with its lifetime",
			 a->end.session, a->end.user, a->end.dest_host, a->tries, why);
		asr_free(e, a);
		return;
	}
	counter_inc("aaah.asr.retried");
	due(e, a, engine_jittered(WAIT_MS << (a->tries - 1)));
}

static void tell(struct engine *e, struct asr *a)
{
	a->tries++;
	a->sent = true;
	due(e, a, ANSWER_MS);
	if (send_asr(&a->end, a->id))
		again(e, a, "it could not be sent");
}

void engine_send_asr(struct engine *e, const char *session, const char *host, const char *realm,
		     const char *user)
{
	struct asr *a = e->asr.n < ASRS_MOST ? calloc(1, sizeof(*a)) : NULL;
	struct dm_end end = {0};

	snprintf(end.session, sizeof(end.session), "%s", session);
	snprintf(end.dest_host, sizeof(end.dest_host), "%s", host);
	snprintf(end.dest_realm, sizeof(end.dest_realm), "%s", realm);
	snprintf(end.user, sizeof(end.user), "%s", user);
	if (!a) {
		counter_inc("aaah.asr.not_retried");
		send_asr(&end, 0);
		return;
	}
	a->id = e->next_id++;
	a->end = end;
	HASH_ADD(hh, e->asr.by_id, id, sizeof(a->id), a);
	e->asr.n++;
	tell(e, a);
}

void asr_answered(struct engine *e, uint64_t id, uint32_t result)
{
	struct asr *a;

	HASH_FIND(hh, e->asr.by_id, &id, sizeof(id), a);
	if (!a || !a->sent)
		return;
	counter_inc(result ? "aaah.asr.answered" : "aaah.asr.no_answer");
	if (!result)
		again(e, a, "no answer");
	else if (result == DM_UNABLE_TO_DELIVER)
		again(e, a, "not reachable");
	else if (result == DM_TOO_BUSY)
		again(e, a, "it is busy");
	else
		asr_free(e, a); /* also a session that it does not know (5002) */
}

void asr_run(struct engine *e)
{
	struct asr *a, *tmp;

	if (e->now < e->asr.next_at)
		return;
	e->asr.next_at = UINT64_MAX;
	HASH_ITER(hh, e->asr.by_id, a, tmp)
	{
		if (a->due > e->now)
			due(e, a, (uint32_t)(a->due - e->now));
		else if (a->sent)
			again(e, a, "no answer");
		else
			tell(e, a);
	}
}

void asr_forget(struct engine *e)
{
	struct asr *a, *tmp;

	HASH_ITER(hh, e->asr.by_id, a, tmp)
	asr_free(e, a);
}
