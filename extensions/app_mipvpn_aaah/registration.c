/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A registration: AMR -> lookup -> (home address) -> HAR -> HAA -> store -> AMA (C1).  Each step ends in a question that
 * brings the next one, or in finish().  Every way out sends exactly one answer and writes one line.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "extensions/app_mipvpn_aaah/engine_int.h"
#include "lib/counter.h"
#include "lib/log.h"

struct addr_text {
	char s[INET_ADDRSTRLEN];
};

static struct addr_text addr_text(struct in_addr a)
{
	struct addr_text t = {"-"};

	if (a.s_addr)
		inet_ntop(AF_INET, &a, t.s, sizeof(t.s));
	return t;
}

static void log_line(const struct engine *e, const struct tx *t, uint32_t result, const char *text)
{
	static const struct plan nothing;
	const struct plan *p = t->plan ? t->plan : &nothing;
	enum log_level level = result == DM_SUCCESS ? LOG_LVL_INFO : LOG_LVL_NOTICE;
	void (*say)(const char *, const char *, ...) = level == LOG_LVL_INFO ? log_info : log_notice;

	say("aaah", "AMR session=%s nai=%s fa=%s/%s ha=%s hoa=%s vpns=%zu%s result=%u ms=%u%s%s%s%s",
	    t->amr->session, t->amr->user, t->amr->origin_host, addr_text(t->rrq.coa).s, addr_text(p->ha).s,
	    addr_text(p->hoa).s, p->route.n_foreign,
	    p->moved  ? " moved"
	    : p->live ? " again"
		      : "",
	    result, (unsigned)(e->now - t->start), text[0] ? " reason: " : "", text,
	    p->left_out[0] ? " left out: " : "", p->left_out);
}

/* Gives back what a registration that came to nothing has taken. */
static void give_back(struct engine *e, struct tx *t)
{
	const struct store_ask release = {.op = STORE_RELEASE, .nai = t->amr->user};

	if (t->allocated)
		store_ask(e->store, &release, e->now);
}

static void refuse(struct engine *e, struct tx *t, uint32_t result, const char *counter, const char *text)
{
	counter_inc(counter);
	counter_inc("aaah.amr.refused");
	give_back(e, t);
	log_line(e, t, result, text);
	engine_refuse(&t->msg, result, text);
	tx_free(e, t);
}

static void refuse_verdict(struct engine *e, struct tx *t, const struct aaah_verdict *v)
{
	refuse(e, t, v->result, v->counter, v->text);
}

static void refuse_store(struct engine *e, struct tx *t, enum store_status st)
{
	refuse(e, t, engine_store_result(st), st == STORE_ERROR ? "aaah.amr.db_error" : "aaah.amr.db_down",
	       st == STORE_ERROR  ? "the VPN database refused"
	       : st == STORE_BUSY ? "too busy"
				  : "the VPN database is away");
}

void registration_start(struct engine *e, struct job *j)
{
	struct aaah_verdict v;
	struct store_ask ask = {.op = STORE_LOOKUP};
	enum store_status st;
	struct tx *t;

	counter_inc("aaah.amr.received");
	if (e->n_tx >= e->s.outstanding_most || !(t = tx_new(e, j->msg, TX_LOOKUP))) {
		counter_inc("aaah.amr.too_busy");
		engine_refuse(&j->msg, DM_TOO_BUSY, "too many registrations under way");
		return;
	}
	t->amr = j->amr;
	j->msg = NULL;
	j->amr = NULL;
	if (!aaah_request_check(t->amr, &t->rrq, &v)) {
		refuse_verdict(e, t, &v);
		return;
	}
	ask.id = t->id;
	ask.nai = t->amr->user;
	ask.realm = t->amr->origin_realm;
	ask.addr = t->rrq.coa;
	ask.flag = t->amr->service_update;
	st = store_ask(e->store, &ask, e->now);
	if (st != STORE_OK)
		refuse_store(e, t, st);
}

/* --- to the home agent ---------------------------------------------------------------------------------------------- */

static void har_answered(void *data, struct msg **answer);
static void har_expired(void *data, DiamId_t peer, size_t len, struct msg **request);

static int send_har(const struct engine *e, struct tx *t)
{
	struct dm_har har;
	struct msg *m = NULL;
	int rc = -1;

	if (!plan_har(t->plan, t->amr, &t->rows, &har))
		rc = dm_har_build(&har, &m);
	dm_har_wipe(&har);
	return rc ? rc : engine_request(m, t->id, engine_exchange_s(e), har_answered, har_expired);
}

static void go(struct engine *e, struct tx *t, struct in_addr hoa)
{
	char session[DM_SESSION_MAX];
	struct aaah_verdict v;

	t->plan = malloc(sizeof(*t->plan));
	if (!t->plan || dm_session_new(session)) {
		free(t->plan);
		t->plan = NULL;
		refuse(e, t, DM_UNABLE_TO_COMPLY, "aaah.amr.resources", "out of memory");
		return;
	}
	if (!plan_make(&e->s.rules, t->amr, &t->rrq, &t->rows, hoa, session, t->plan, &v)) {
		refuse_verdict(e, t, &v);
		return;
	}
	counter_add("aaah.vpn.left_out", t->plan->n_left_out);
	t->state = TX_HAR;
	if (send_har(e, t))
		refuse(e, t, DM_UNABLE_TO_COMPLY, "aaah.har.build",
		       "the request to the home agent could not be made");
}

/* The next question to the database; its answer comes to the function of that state. */
static void ask_next(struct engine *e, struct tx *t, enum tx_state state, const struct store_ask *ask)
{
	enum store_status st;

	t->state = state;
	st = store_ask(e->store, ask, e->now);
	if (st != STORE_OK)
		refuse_store(e, t, st);
}

static void admit(struct engine *e, struct tx *t)
{
	const struct store_ask allocate = {
		.op = STORE_ALLOCATE, .id = t->id, .nai = t->amr->user, .addr = t->rows.user.ha};
	enum plan_address need;
	struct aaah_verdict v;
	struct in_addr hoa;

	if (!plan_admit(&e->s.rules, t->amr, &t->rrq, &t->rows, &need, &hoa, &v))
		refuse_verdict(e, t, &v);
	else if (need == PLAN_HOA_KNOWN)
		go(e, t, hoa);
	else
		ask_next(e, t, TX_ALLOCATE, &allocate);
}

/* The cache cannot be read (the key file is another one by now): what the database says, as at the beginning (C5). */
static void look_again(struct engine *e, struct tx *t)
{
	const struct store_ask again = {.op = STORE_LOOKUP,
					.id = t->id,
					.nai = t->amr->user,
					.realm = t->amr->origin_realm,
					.addr = t->rrq.coa,
					.flag = true};

	counter_inc("aaah.cache.unreadable");
	t->amr->service_update = true;
	pol_rows_wipe(&t->rows);
	ask_next(e, t, TX_LOOKUP, &again);
}

void registration_looked_up(struct engine *e, struct tx *t, struct store_answer *a)
{
	struct store_ask profiles = {.op = STORE_PROFILES, .id = t->id, .nai = t->amr->user};

	if (a->status != STORE_OK) {
		refuse_store(e, t, a->status);
		return;
	}
	t->rows = a->rows;
	memset(&a->rows, 0, sizeof(a->rows));
	profiles.session = t->rows.session.ha_session;
	if (t->rows.session.live)
		ask_next(e, t, TX_PROFILES, &profiles);
	else
		admit(e, t);
}

void registration_profiles(struct engine *e, struct tx *t, struct store_answer *a)
{
	if (a->status != STORE_OK) {
		refuse_store(e, t, a->status);
		return;
	}
	t->rows.cached = a->rows.cached;
	t->rows.n_cached = a->rows.n_cached;
	t->rows.cached_bad = a->rows.cached_bad;
	memset(&a->rows, 0, sizeof(a->rows));
	if (t->rows.cached_bad && !t->amr->service_update)
		look_again(e, t);
	else
		admit(e, t);
}

void registration_allocated(struct engine *e, struct tx *t, struct store_answer *a)
{
	if (a->status != STORE_OK) {
		refuse_store(e, t, a->status);
		return;
	}
	if (a->addr.s_addr == 0) {
		refuse(e, t, DM_HA_NOT_AVAILABLE, "aaah.amr.pool_exhausted", "no home address is free");
		return;
	}
	t->allocated = true;
	go(e, t, a->addr);
}

/* --- from the home agent; these two run in libfdcore's threads ------------------------------------------------------ */

static void har_answered(void *data, struct msg **answer)
{
	struct job *j = job_new(JOB_HAA);
	uint32_t rc;

	if (j) {
		j->id = (uint64_t)(uintptr_t)data;
		j->haa = calloc(1, sizeof(*j->haa));
		rc = j->haa ? (uint32_t)dm_haa_parse(*answer, j->haa, j->text, sizeof(j->text))
			    : DM_UNABLE_TO_COMPLY;
		if (rc)
			j->type = JOB_HAR_FAILED;
		engine_hear(j);
	}
	fd_msg_free(*answer);
	*answer = NULL;
}

static void har_expired(void *data, DiamId_t peer, size_t len, struct msg **request)
{
	counter_inc("aaah.har.no_answer");
	fd_msg_free(*request);
	*request = NULL;
}

/* --- from the home agent -------------------------------------------------------------------------------------------- */

void registration_home_failed(struct engine *e, struct tx *t, const char *why)
{
	char text[DM_ERROR_MAX];

	snprintf(text, sizeof(text), "home agent %.80s: %.160s", t->rows.user.ha_host, why);
	refuse(e, t, DM_HA_NOT_AVAILABLE, "aaah.har.failed", text);
}

/* The AMA that goes with haa, success or not. */
static void answer(struct engine *e, struct tx *t)
{
	struct dm_ama ama;
	int rc = plan_ama(t->plan, t->amr, t->haa, &ama);

	if (!rc)
		rc = dm_ama_answer(&ama, &t->msg);
	if (rc) {
		dm_ama_wipe(&ama);
		refuse(e, t, DM_UNABLE_TO_COMPLY, "aaah.ama.build", "the answer could not be made");
		return;
	}
	if (ama.result != DM_SUCCESS)
		give_back(e, t);
	counter_inc(ama.result == DM_SUCCESS ? "aaah.amr.accepted" : "aaah.amr.home_refused");
	log_line(e, t, ama.result, ama.error);
	dm_ama_wipe(&ama);
	engine_send(&t->msg);
	tx_free(e, t);
}

/* The home agent has set up something that nobody waits for any more. */
static void undo_at_home(struct engine *e, const struct dm_haa *haa, const char *session, const char *host,
			 const char *realm, const char *user)
{
	if (haa->result == DM_SUCCESS) {
		counter_inc("aaah.har.undone");
		engine_send_asr(e, session, host, realm, user);
	}
}

static uint64_t asked_ms(const struct tx *t)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return mip_ident_unix_ms(t->rrq.ident, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
}

static enum store_status ask_store_session(struct engine *e, struct tx *t)
{
	struct pol_put put = plan_put(t->plan, &e->s.rules, t->amr, t->haa, &t->rows);
	const struct store_ask keep = {.op = STORE_PUT, .id = t->id, .put = &put, .nai = t->amr->user};
	const struct store_ask end = {.op = STORE_END,
				      .id = t->id,
				      .session = t->plan->ha_session,
				      .origin = t->rows.user.ha_host,
				      .realm = t->rows.user.ha_realm,
				      .flag = true,
				      .reason = "logout"};

	put.asked_ms = asked_ms(t);
	put.age_ms = (uint32_t)(e->now - t->start);
	put.recheck = e->live.notice_at >= t->start;
	t->state = TX_PUT;
	return store_ask(e->store, t->plan->deregister ? &end : &keep, e->now);
}

/* Nothing stands unless it stands at the home agent and in the database, or is sure to: with STORE_LATER the
 * user is on, and his session is stored when the database is back. */
static void store_failed(struct engine *e, struct tx *t, enum store_status st)
{
	if (st == STORE_LATER) {
		counter_inc("aaah.amr.stored_later");
		answer(e, t);
		return;
	}
	undo_at_home(e, t->haa, t->plan->ha_session, t->rows.user.ha_host, t->rows.user.ha_realm,
		     t->amr->user);
	refuse_store(e, t, st);
}

/* Two requests of one user under way (he moves quickly, or asks again): the home agent accepts by Identification, so
 * what it has accepted last has the latest one.  Its answers come through several threads of libfdcore, in any order,
 * and to several of these servers; the database knows of those of the others.  The older session at home is gone, or
 * is the same one: there is nothing to undo. */
static void refuse_superseded(struct engine *e, struct tx *t)
{
	refuse(e, t, DM_MIP_REPLY_FAILURE, "aaah.amr.superseded",
	       "a later registration of this user has been accepted");
}

static void supersede_older(struct engine *e, const struct tx *t)
{
	for (struct tx *o = e->oldest; o; o = o->next)
		if (o->amr && o->state == TX_HAR && o->rrq.ident < t->rrq.ident &&
		    !strcmp(o->amr->user, t->amr->user))
			o->superseded = true;
}

static void accepted_at_home(struct engine *e, struct tx *t)
{
	enum store_status st;

	if (t->superseded) {
		refuse_superseded(e, t);
		return;
	}
	supersede_older(e, t);
	st = ask_store_session(e, t);
	if (st != STORE_OK)
		store_failed(e, t, st);
}

void registration_home_answer(struct engine *e, struct job *j)
{
	struct tx *t = tx_find(e, j->id);

	if (!t || t->state != TX_HAR) {
		counter_inc("aaah.haa.late");
		undo_at_home(e, j->haa, j->haa->session, j->haa->origin_host, j->haa->origin_realm,
			     j->haa->user);
		return;
	}
	if (j->haa->result == DM_UNABLE_TO_DELIVER) { /* libfdcore's own answer, or a relay's */
		registration_home_failed(e, t, "not reachable");
		return;
	}
	t->haa = j->haa;
	j->haa = NULL;
	if (t->haa->result != DM_SUCCESS)
		answer(e, t);
	else
		accepted_at_home(e, t);
}

void registration_stored(struct engine *e, struct tx *t, struct store_answer *a)
{
	if (a->status != STORE_OK) {
		store_failed(e, t, a->status);
		return;
	}
	if (a->op == STORE_PUT && !a->ok)
		refuse_superseded(e, t);
	else
		answer(e, t);
}

void registration_expired(struct engine *e, struct tx *t)
{
	switch (t->state) {
	case TX_HAR:
		registration_home_failed(e, t, "no answer in time");
		break;
	case TX_PUT:
		store_failed(e, t, STORE_LATER);
		break;
	default:
		refuse_store(e, t, STORE_DOWN);
	}
}
