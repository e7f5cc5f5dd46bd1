/* SPDX-License-Identifier: BSD-3-Clause */
#include "extensions/app_mipvpn_aaah/engine_int.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/counter.h"
#include "lib/log.h"

#define JOBS_MOST 8192u
#define REAP_MOST 500 /* sessions in one go */

static store_ms clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (store_ms)ts.tv_sec * 1000 + (store_ms)ts.tv_nsec / 1000000;
}

uint32_t engine_jittered(uint32_t ms)
{
	uint16_t r = 0;

	crypto_random(&r, sizeof(r));
	return ms * 3 / 4 + ms / 2 * r / 65536;
}

/* --- jobs ----------------------------------------------------------------------------------------------------------- */

struct job *job_new(enum job_type type)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j)
		j->type = type;
	return j;
}

void job_free(struct job *j)
{
	if (j->msg)
		fd_msg_free(j->msg);
	if (j->amr)
		dm_amr_wipe(j->amr);
	if (j->haa)
		dm_haa_wipe(j->haa);
	free(j->amr);
	free(j->haa);
	free(j->end);
	free(j);
}

bool engine_post(struct engine *e, struct job *j)
{
	uint64_t one = 1;
	bool fits, wake;

	pthread_mutex_lock(&e->lock);
	fits = e->n_jobs < JOBS_MOST || j->type == JOB_HAA || j->type == JOB_VUA || j->type == JOB_ASA ||
	       j->type == JOB_HAR_FAILED; /* bounded by what we have sent */
	wake = fits && !e->woken;
	if (fits) {
		*e->jobs_tail = j;
		e->jobs_tail = &j->next;
		e->n_jobs++;
		e->woken = true;
	}
	pthread_mutex_unlock(&e->lock);
	if (wake && write(e->wake_fd, &one, sizeof(one)) < 0)
		log_error("aaah", "cannot wake the engine: %s", strerror(errno));
	return fits;
}

static struct engine *of_process; /* there is one; libfdcore's callbacks get an id, not a pointer */

void engine_hear(struct job *j)
{
	if (!engine_post(of_process, j))
		job_free(j);
}

static struct job *jobs_take(struct engine *e, bool *stop)
{
	struct job *j;
	uint64_t n;

	pthread_mutex_lock(&e->lock);
	if (e->woken && read(e->wake_fd, &n, sizeof(n)) < 0)
		log_debug("aaah", "wake-up already read");
	e->woken = false;
	j = e->jobs;
	e->jobs = NULL;
	e->jobs_tail = &e->jobs;
	e->n_jobs = 0;
	*stop = e->stop;
	pthread_mutex_unlock(&e->lock);
	return j;
}

/* --- transactions --------------------------------------------------------------------------------------------------- */

struct tx *tx_new(struct engine *e, struct msg *msg, enum tx_state state)
{
	struct tx *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->id = e->next_id++;
	t->start = e->now;
	t->deadline = e->now + e->s.exchange_timeout_ms;
	t->state = state;
	t->msg = msg;
	t->prev = e->newest;
	if (e->newest)
		e->newest->next = t;
	else
		e->oldest = t;
	e->newest = t;
	HASH_ADD(hh, e->by_id, id, sizeof(t->id), t);
	e->n_tx++;
	return t;
}

struct tx *tx_find(struct engine *e, uint64_t id)
{
	struct tx *t;

	HASH_FIND(hh, e->by_id, &id, sizeof(id), t);
	return t;
}

static void tx_unlink(struct engine *e, struct tx *t)
{
	*(t->prev ? &t->prev->next : &e->oldest) = t->next;
	*(t->next ? &t->next->prev : &e->newest) = t->prev;
	HASH_DEL(e->by_id, t);
	e->n_tx--;
}

void tx_touch(struct engine *e, struct tx *t)
{
	*(t->prev ? &t->prev->next : &e->oldest) = t->next;
	*(t->next ? &t->next->prev : &e->newest) = t->prev;
	t->deadline = e->now + e->s.exchange_timeout_ms;
	t->prev = e->newest;
	t->next = NULL;
	*(e->newest ? &e->newest->next : &e->oldest) = t;
	e->newest = t;
}

void tx_free(struct engine *e, struct tx *t)
{
	tx_unlink(e, t);
	if (t->msg)
		fd_msg_free(t->msg);
	if (t->amr)
		dm_amr_wipe(t->amr);
	if (t->haa)
		dm_haa_wipe(t->haa);
	if (t->plan)
		plan_wipe(t->plan);
	pol_rows_wipe(&t->rows);
	free(t->amr);
	free(t->haa);
	free(t->plan);
	free(t->end);
	free(t->live);
	free(t);
}

/* --- sending -------------------------------------------------------------------------------------------------------- */

void engine_send(struct msg **m)
{
	int rc = fd_msg_send(m, NULL, NULL);

	if (!rc)
		return;
	counter_inc("aaah.send.failed");
	log_error("aaah", "a message could not be sent: %s", strerror(rc));
	if (*m)
		fd_msg_free(*m);
	*m = NULL;
}

void engine_refuse(struct msg **m, uint32_t result, const char *text)
{
	int rc = dm_plain_answer(result, text, m);

	if (rc) {
		counter_inc("aaah.answer.failed");
		log_error("aaah", "an answer could not be built: %s", strerror(rc));
		fd_msg_free(*m);
		*m = NULL;
		return;
	}
	engine_send(m);
}

uint32_t engine_exchange_s(const struct engine *e)
{
	return e->s.exchange_timeout_ms / 1000 + 2;
}

int engine_request(struct msg *m, uint64_t id, uint32_t seconds, void (*answered)(void *, struct msg **),
		   void (*expired)(void *, DiamId_t, size_t, struct msg **))
{
	struct timespec until;
	int rc;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	rc = fd_msg_send_timeout(&m, answered, (void *)(uintptr_t)id, expired, &until);
	if (m)
		fd_msg_free(m);
	return rc;
}

uint32_t engine_store_result(enum store_status st)
{
	return st == STORE_ERROR ? DM_UNABLE_TO_COMPLY : DM_TOO_BUSY;
}

/* --- the thread ----------------------------------------------------------------------------------------------------- */

static void on_store(void *user, struct store_answer *a)
{
	struct engine *e = user;
	struct tx *t = a->id ? tx_find(e, a->id) : NULL;

	if (a->op == STORE_LIVE_TAKE)
		live_taken(e, a);
	else if (a->op == STORE_LIVE_READ)
		live_read(e, a);
	else if (a->op == STORE_LIVE_PUT)
		live_stored(e, a);
	else if (a->op == STORE_END && !a->id)
		termination_again(e, a);
	if (!t)
		return; /* nobody waits any more */
	if (t->live) {
		live_answer(e, t, a);
		return;
	}
	switch (t->state) {
	case TX_LOOKUP:
		registration_looked_up(e, t, a);
		break;
	case TX_PROFILES:
		registration_profiles(e, t, a);
		break;
	case TX_ALLOCATE:
		registration_allocated(e, t, a);
		break;
	case TX_PUT:
		registration_stored(e, t, a);
		break;
	case TX_END:
		termination_ended(e, t, a);
		break;
	default:
		break;
	}
}

/* A bad file changes nothing. */
static void reload(struct engine *e)
{
	struct settings fresh;
	char err[1024];

	if (settings_load(e->path, &fresh, err, sizeof(err))) {
		counter_inc("aaah.reload.refused");
		log_error("aaah", "reload: the old configuration stays: %s", err);
		return;
	}
	e->s = fresh;
	log_set_level(fresh.log_level);
	store_reconfigure(e->store, &fresh.store, e->now);
	settings_wipe(&fresh);
	log_notice("aaah", "configuration read again from %s", e->path);
}

static void run_job(struct engine *e, struct job *j)
{
	struct tx *t;

	switch (j->type) {
	case JOB_REFUSE:
		engine_refuse(&j->msg, j->result, j->text);
		break;
	case JOB_AMR:
		registration_start(e, j);
		break;
	case JOB_HAA:
		registration_home_answer(e, j);
		break;
	case JOB_HAR_FAILED:
		t = tx_find(e, j->id);
		if (t && t->state == TX_HAR)
			registration_home_failed(e, t, j->text);
		break;
	case JOB_VUA:
		live_told(e, j);
		break;
	case JOB_ASA:
		asr_answered(e, j->id, j->result);
		break;
	case JOB_STR:
		termination_start(e, j);
		break;
	case JOB_RELOAD:
		reload(e);
		break;
	}
	job_free(j);
}

static void run_timers(struct engine *e)
{
	const struct store_ask reap = {.op = STORE_REAP, .most = REAP_MOST};
	struct tx *t;

	while ((t = e->oldest) && t->deadline <= e->now) {
		if (t->end)
			termination_expired(e, t);
		else if (t->live)
			live_expired(e, t);
		else
			registration_expired(e, t);
	}
	if (e->reap_at <= e->now) {
		e->reap_at = e->now + e->s.reap_interval_ms;
		store_ask(e->store, &reap, e->now);
	}
	live_run(e);
	asr_run(e);
}

static int wait_ms(const struct engine *e)
{
	store_ms next = store_next(e->store);

	if (e->oldest && e->oldest->deadline < next)
		next = e->oldest->deadline;
	if (e->reap_at < next)
		next = e->reap_at;
	if (e->live.poll_at < next)
		next = e->live.poll_at;
	if (e->asr.next_at < next)
		next = e->asr.next_at;
	if (next <= e->now)
		return 0;
	return next - e->now > 60000 ? 60000 : (int)(next - e->now);
}

static void *engine_main(void *arg)
{
	struct engine *e = arg;
	struct job *j, *next;
	bool stop = false;

	while (!stop) {
		struct pollfd fds[2] = {{.fd = e->wake_fd, .events = POLLIN},
					{.fd = store_fd(e->store), .events = store_events(e->store)}};

		poll(fds, 2, wait_ms(e));
		e->now = clock_ms();
		store_run(e->store, fds[1].fd >= 0 ? fds[1].revents : 0, e->now);
		for (j = jobs_take(e, &stop); j; j = next) {
			next = j->next;
			run_job(e, j);
		}
		run_timers(e);
	}
	return NULL;
}

static void engine_free(struct engine *e)
{
	struct job *j;

	while ((j = e->jobs)) {
		e->jobs = j->next;
		job_free(j);
	}
	while (e->oldest)
		tx_free(e, e->oldest);
	for (size_t i = 0; i < e->live.n_done; i++)
		free(e->live.done[i].live);
	asr_forget(e);
	store_free(e->store);
	if (e->wake_fd >= 0)
		close(e->wake_fd);
	pthread_mutex_destroy(&e->lock);
	settings_wipe(&e->s);
	free(e);
}

struct engine *engine_start(const struct settings *s, const char *path)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->s = *s;
	snprintf(e->path, sizeof(e->path), "%s", path);
	e->next_id = 1;
	e->now = clock_ms();
	e->reap_at = e->now + s->reap_interval_ms;
	e->asr.next_at = UINT64_MAX;
	e->jobs_tail = &e->jobs;
	pthread_mutex_init(&e->lock, NULL);
	of_process = e;
	e->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	e->store = store_new(&s->store, on_store, e);
	if (e->store)
		store_bench(e->store, s->bench);
	if (!e->store || e->wake_fd < 0 || pthread_create(&e->thread, NULL, engine_main, e)) {
		engine_free(e);
		return NULL;
	}
	return e;
}

void engine_stop(struct engine *e)
{
	uint64_t one = 1;

	pthread_mutex_lock(&e->lock);
	e->stop = e->woken = true;
	pthread_mutex_unlock(&e->lock);
	if (write(e->wake_fd, &one, sizeof(one)) < 0)
		log_debug("aaah", "engine is awake already");
	pthread_join(e->thread, NULL);
	engine_free(e);
}
