/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A change of the policy reaches the sessions that run (note 16, doc/aaah.md):
 *
 *	notice -> take -> read -> plan_live() -> put -> VUR, HA -> VUR, FA -> done
 *
 * The list of sessions that wait is a table, so it is bounded by who is on, and survives a restart of
 * anybody; in here a few hundred are under way at a time.  The database is asked about all that are
 * taken together in one question of each kind; when it refuses one, they are asked about one by one.
 * What is told is stored before it is told: whoever takes over tells the same keys once more, and the
 * gateways find nothing to do.  Each way out ends in done, later or (nobody answers for the row any more)
 * the end of the claim.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extensions/app_mipvpn_aaah/engine_int.h"
#include "lib/counter.h"
#include "lib/log.h"

#define POLL_MS 2000u /* what is to be tried again, and what another node has left behind */
#define TRIES_MOST 8u /* half a minute or so in all; then his next registration brings it */
#define RETRY_MS 250u /* doubling */
#define RETRY_MOST_MS 16000u
#define BUSY_MS 100u
#define CONTRACT_MS 1000u /* doubling: a contract's new connection is waited for without an end */
#define CONTRACT_MOST_MS 60000u

/* --- ends --- */

static void finished(struct engine *e, struct tx *t)
{
	e->live.n--;
	tx_free(e, t);
}

static void say(const struct engine *e, const struct tx *t, const char *outcome, const char *why)
{
	void (*line)(const char *, const char *, ...) = strcmp(outcome, "given up") ? log_info : log_warn;

	line("aaah", "LIVE nai=%s session=%s vpns=%zu outcome=%s try=%u ms=%u%s%s%s%s", t->live->nai,
	     t->live->ha_session, t->plan ? t->plan->route.n_foreign : 0, outcome, t->live->tries,
	     (unsigned)(e->now - t->start), why[0] ? " reason: " : "", why,
	     t->plan && t->plan->left_out[0] ? " left out: " : "", t->plan ? t->plan->left_out : "");
}

static void flush_done(struct engine *e)
{
	struct store_item items[STORE_ITEMS_MAX];
	const struct store_ask ask = {.op = STORE_LIVE_DONE, .items = items, .n_items = e->live.n_done};

	for (size_t i = 0; i < e->live.n_done; i++) {
		const struct live_done *d = &e->live.done[i];

		items[i] = (struct store_item){.live = d->live, .outcome = d->outcome, .why = d->why};
	}
	if (ask.n_items)
		store_ask(e->store, &ask,
			  e->now); /* if it is not taken, another one does all of it once more */
	for (size_t i = 0; i < e->live.n_done; i++)
		free(e->live.done[i].live);
	e->live.n_done = 0;
}

/* To be written with others of this turn. */
static void done(struct engine *e, struct tx *t, const char *outcome, const char *why)
{
	struct live_done *d;

	if (e->live.n_done == STORE_ITEMS_MAX)
		flush_done(e);
	d = &e->live.done[e->live.n_done++];
	say(e, t, outcome, why);
	d->live = t->live;
	d->outcome = outcome;
	snprintf(d->why, sizeof(d->why), "%s", why);
	t->live = NULL;
	finished(e, t);
}

static void later(struct engine *e, struct tx *t, uint32_t wait_ms, const char *why)
{
	const struct store_item item = {.live = t->live, .why = why};
	const struct store_ask ask = {
		.op = STORE_LIVE_LATER, .items = &item, .n_items = 1, .most = (int)engine_jittered(wait_ms)};

	counter_inc("aaah.live.retried");
	store_ask(e->store, &ask, e->now);
	say(e, t, "later", why);
	if (e->live.poll_at > e->now + (store_ms)ask.most)
		e->live.poll_at = e->now + (store_ms)ask.most + 1;
	finished(e, t);
}

static void failed(struct engine *e, struct tx *t, const char *why)
{
	uint32_t wait = RETRY_MS << (t->live->tries > 8 ? 8 : t->live->tries);

	/* There are more when a contract's connection was waited for. */
	if (t->live->tries >= TRIES_MOST && t->live->tries % TRIES_MOST == 0) {
		counter_inc("aaah.live.given_up");
		done(e, t, "given up", why);
		return;
	}
	later(e, t, wait < RETRY_MOST_MS ? wait : RETRY_MOST_MS, why);
}

static void store_failed(struct engine *e, struct tx *t, enum store_status st)
{
	failed(e, t, st == STORE_ERROR ? "the VPN database refused" : "the VPN database is away");
}

/* The question about all of them; who is to blame when it is refused shows when each is asked about alone. */
static void ask_all(struct engine *e, enum store_op op, const struct store_item *items, size_t n)
{
	const struct store_ask ask = {.op = op, .items = items, .n_items = n};
	enum store_status st = n ? store_ask(e->store, &ask, e->now) : STORE_OK;

	for (size_t i = 0; i < n && st != STORE_OK; i++) {
		struct tx *t = tx_find(e, items[i].id);

		if (t)
			store_failed(e, t, st);
	}
}

/* --- taking --- */

static struct tx *start(struct engine *e, const struct pol_live *l)
{
	struct tx *t = tx_new(e, NULL, TX_LIVE_READ);

	if (t)
		t->live = malloc(sizeof(*t->live));
	if (!t || !t->live) {
		counter_inc("aaah.live.no_memory"); /* the claim ends, and it is tried again */
		if (t)
			tx_free(e, t);
		return NULL;
	}
	*t->live = *l;
	e->live.n++;
	counter_inc("aaah.live.begun");
	return t;
}

void live_taken(struct engine *e, struct store_answer *a)
{
	struct store_item items[STORE_ITEMS_MAX];
	size_t n = 0;

	e->live.asking = false;
	if (a->status == STORE_OK && a->n_live == e->live.asked)
		e->live.due = true; /* there may be more */
	for (size_t i = 0; i < a->n_live && i < STORE_ITEMS_MAX; i++) {
		struct tx *t = start(e, &a->live[i]);

		if (t)
			items[n++] = (struct store_item){.id = t->id, .live = t->live};
	}
	ask_all(e, STORE_LIVE_READ, items, n);
}

void live_run(struct engine *e)
{
	struct store_ask ask = {.op = STORE_LIVE_TAKE};

	if (store_noticed(e->store)) {
		counter_inc("aaah.live.notice");
		e->live.due = true;
		e->live.notice_at = e->now;
	}
	if (e->now >= e->live.poll_at) {
		e->live.due = true;
		e->live.poll_at = e->now + engine_jittered(POLL_MS);
	}
	flush_done(e);
	/* Not for the place of one that has just ended: many in one question are cheaper. */
	if (!e->live.due || e->live.asking || e->live.n > e->s.live_most / 2 || !e->s.live_most ||
	    !store_is_up(e->store))
		return;
	e->live.asked = e->s.live_most - e->live.n;
	if (e->live.asked > STORE_ITEMS_MAX)
		e->live.asked = STORE_ITEMS_MAX;
	ask.most = (int)e->live.asked;
	e->live.asking = store_ask(e->store, &ask, e->now) == STORE_OK;
	e->live.due = !e->live.asking;
}

/* --- what he is to have --- */

/* NULL, or why he cannot go on with the session that he has. */
static const char *over(const struct pol_rows *rows, const struct pol_live *l)
{
	const struct pol_user *u = &rows->user;

	if (!u->found)
		return "the user is gone";
	if (!u->enabled)
		return "the user is switched off";
	if (u->ha.s_addr != l->ha.s_addr || strcmp(u->ha_host, l->ha_host) != 0)
		return "the user has another home agent";
	if (u->has_hoa && u->hoa.s_addr != rows->session.hoa.s_addr)
		return "the user has another home address";
	return NULL;
}

/* The key file and the database do not fit, for the moment (sql/rewrap): nobody loses a VPN for that. */
static bool keys_are_readable(const struct pol_rows *rows)
{
	for (size_t i = 0; i < rows->n_vpns; i++) {
		if (rows->vpns[i].psk_bad || rows->vpns[i].pcn_key_bad)
			return false;
	}
	return !rows->user.key_bad && !rows->cached_bad;
}

static void end_session(struct engine *e, struct tx *t, const char *why)
{
	const struct store_item item = {.live = t->live, .outcome = "ended", .why = why};
	const struct store_ask ask = {.op = STORE_LIVE_DONE, .id = t->id, .items = &item, .n_items = 1};
	enum store_status st;

	t->live_why = why;
	t->state = TX_LIVE_END;
	st = store_ask(e->store, &ask, e->now);
	if (st != STORE_OK)
		store_failed(e, t, st);
}

/* His row is gone, keys and all: both of its ends hear of it (RFC 4004: ASR). */
static void ended(struct engine *e, struct tx *t)
{
	const struct pol_live *l = t->live;

	counter_inc("aaah.live.ended");
	engine_send_asr(e, l->ha_session, l->ha_host, l->ha_realm, l->nai);
	if (!l->fa_ended)
		engine_send_asr(e, l->fa_session, l->fa_host, l->fa_realm, l->nai);
	say(e, t, "ended", t->live_why);
	finished(e, t);
}

static void tell(struct engine *e, struct tx *t, enum tx_state state);

/* It has read before us, maybe: two of us would make different keys for what is new.  One that begins when
 * ours are stored finds them in the cache. */
static bool registers(const struct engine *e, const char *nai)
{
	const struct tx *t;

	for (t = e->oldest; t; t = t->next) {
		if (t->amr && strcmp(t->amr->user, nai) == 0)
			return true;
	}
	return false;
}

/* True: the new set is to be stored. */
static bool planned(struct engine *e, struct tx *t)
{
	bool same = plan_live_same(t->plan, &t->rows);

	if (registers(e, t->live->nai))
		later(e, t, BUSY_MS, "a registration of the user is under way");
	else if (same && !t->live->sent)
		done(e, t, "unchanged", "");
	else if (same)
		tell(e, t, TX_LIVE_HOME);
	else
		return true;
	return false;
}

static bool make_plan(struct engine *e, struct tx *t)
{
	struct aaah_verdict v;

	t->plan = malloc(sizeof(*t->plan));
	if (!t->plan)
		failed(e, t, "out of memory");
	else if (!keys_are_readable(&t->rows))
		failed(e, t, "a key in the database cannot be unwrapped");
	else if (!plan_live(&e->s.rules, &t->rows, t->plan, &v))
		failed(e, t, v.text);
	else
		return planned(e, t);
	return false;
}

static bool read_one(struct engine *e, struct tx *t, struct store_result *r)
{
	const char *why;

	t->rows = r->rows;
	memset(&r->rows, 0, sizeof(r->rows));
	why = over(&t->rows, t->live);
	if (r->bad)
		failed(e, t, r->text);
	else if (why && (!t->rows.user.found || t->rows.session.live))
		end_session(e, t, why);
	else if (!t->rows.session.live || strcmp(t->rows.session.ha_session, t->live->ha_session) != 0)
		done(e, t, "unchanged", "the session is over");
	else
		return make_plan(e, t);
	return false;
}

static void store_new_sets(struct engine *e, struct tx **put, size_t n)
{
	struct store_item items[STORE_ITEMS_MAX];
	struct pol_put *puts = calloc(n ? n : 1, sizeof(*puts));

	for (size_t i = 0; i < n; i++) {
		struct tx *t = put[i];

		if (!puts) {
			failed(e, t, "out of memory");
			continue;
		}
		t->state = TX_LIVE_PUT;
		puts[i] = (struct pol_put){.ha_session = t->live->ha_session,
					   .fa_session = t->rows.session.fa_session,
					   .home = t->plan->route.home,
					   .n_home = t->plan->route.n_home};
		items[i] = (struct store_item){.id = t->id, .live = t->live, .put = &puts[i]};
	}
	if (puts)
		ask_all(e, STORE_LIVE_PUT, items, n);
	free(puts);
}

static bool waits(const struct tx *t, enum tx_state state)
{
	return t && t->live && t->state == state;
}

/* One bad row must not keep the others: asked alone, it is the only one to wait. */
static bool each_alone(struct engine *e, const struct store_answer *a, enum tx_state state)
{
	if (a->status != STORE_ERROR || a->n_results < 2)
		return false;
	counter_inc("aaah.live.one_by_one");
	for (size_t i = 0; i < a->n_results; i++) {
		struct tx *t = tx_find(e, a->results[i].id);
		const struct store_item item = {.id = a->results[i].id, .live = t ? t->live : NULL};

		if (waits(t, state) && state == TX_LIVE_PUT)
			store_new_sets(e, &t, 1);
		else if (waits(t, state))
			ask_all(e, STORE_LIVE_READ, &item, 1);
	}
	return true;
}

void live_read(struct engine *e, struct store_answer *a)
{
	struct tx *put[STORE_ITEMS_MAX];
	size_t n = 0;

	if (each_alone(e, a, TX_LIVE_READ))
		return;
	for (size_t i = 0; i < a->n_results; i++) {
		struct tx *t = tx_find(e, a->results[i].id);

		if (!waits(t, TX_LIVE_READ))
			continue;
		if (a->status != STORE_OK)
			store_failed(e, t, a->status);
		else if (read_one(e, t, &a->results[i]))
			put[n++] = t;
	}
	store_new_sets(e, put, n);
}

void live_stored(struct engine *e, struct store_answer *a)
{
	if (each_alone(e, a, TX_LIVE_PUT))
		return;
	for (size_t i = 0; i < a->n_results; i++) {
		struct tx *t = tx_find(e, a->results[i].id);

		if (!waits(t, TX_LIVE_PUT))
			continue;
		t->live->sent = a->status == STORE_OK && a->results[i].ok;
		if (t->live->sent)
			tell(e, t, TX_LIVE_HOME);
		else if (a->status == STORE_OK)
			failed(e, t, "the user has registered again meanwhile");
		else
			store_failed(e, t, a->status);
	}
}

void live_answer(struct engine *e, struct tx *t, struct store_answer *a)
{
	if (a->status != STORE_OK)
		store_failed(e, t, a->status);
	else if (t->state == TX_LIVE_END)
		ended(e, t);
}

/* --- telling; the first two run in libfdcore's threads --- */

static void vur_answered(void *data, struct msg **answer)
{
	struct job *j = job_new(JOB_VUA);
	uint32_t rc;

	if (j) {
		j->id = (uint64_t)(uintptr_t)data;
		j->haa = calloc(1, sizeof(*j->haa));
		rc = j->haa ? (uint32_t)dm_vua_parse(*answer, j->haa, j->text, sizeof(j->text))
			    : DM_UNABLE_TO_COMPLY;
		if (rc && j->haa)
			j->haa->result = rc;
		engine_hear(j);
	}
	fd_msg_free(*answer);
	*answer = NULL;
}

static void vur_expired(void *data, DiamId_t peer, size_t len, struct msg **request)
{
	counter_inc("aaah.vur.no_answer");
	fd_msg_free(*request);
	*request = NULL;
}

static int send_vur(const struct engine *e, const struct tx *t, const struct dm_har *u)
{
	struct msg *m = NULL;
	int rc = dm_vur_build(u, &m);

	return rc ? rc : engine_request(m, t->id, engine_exchange_s(e), vur_answered, vur_expired);
}

/* The home agent first: what it and the PCNs must not refuse is there when the foreign agent begins; what
 * goes there goes half a second later, when the foreign agent knows of it. */
static void tell(struct engine *e, struct tx *t, enum tx_state state)
{
	const struct pol_live *l = t->live;
	bool home = state == TX_LIVE_HOME;
	struct dm_har u = {0};
	int rc = plan_vur(t->plan, home, &u);

	t->state = state;
	tx_touch(e, t);
	snprintf(u.session, sizeof(u.session), "%s", home ? l->ha_session : t->rows.session.fa_session);
	snprintf(u.dest_host, sizeof(u.dest_host), "%s", home ? l->ha_host : l->fa_host);
	snprintf(u.dest_realm, sizeof(u.dest_realm), "%s", home ? l->ha_realm : l->fa_realm);
	snprintf(u.user, sizeof(u.user), "%s", l->nai);
	if (!rc)
		rc = send_vur(e, t, &u);
	dm_har_wipe(&u);
	counter_inc("aaah.vur.sent");
	if (rc)
		failed(e, t, "the request could not be made");
}

static void refused(struct engine *e, struct tx *t, const struct dm_haa *u)
{
	char text[DM_ERROR_MAX];
	const char *who = t->state == TX_LIVE_HOME ? t->live->ha_host : t->live->fa_host;

	snprintf(text, sizeof(text), "%.80s: %u %.150s", who, u->result,
		 u->result == DM_UNABLE_TO_DELIVER ? "not reachable" : u->error);
	failed(e, t, text);
}

static bool is_static(const struct plan *p, uint32_t number)
{
	for (size_t i = 0; i < p->route.n_home; i++) {
		if (p->route.home[i].number == number && p->route.home[i].dst_gw_type == VPN_GW_STATIC)
			return true;
	}
	return false;
}

/* Best-effort ones that the PCNs have refused are tried again by who meets their packets (F9).  One behind a
 * static gateway: the old connection of its contract stands in for the new one, until that is up. */
static void note_refused(struct tx *t, const struct dm_haa *u)
{
	for (size_t i = 0; i < u->n_refused && i < DM_REFUSED_MAX && !t->live_waits; i++) {
		t->live_waits = is_static(t->plan, u->refused[i].number);
		if (i == 0 || t->live_waits)
			snprintf(t->live_text, sizeof(t->live_text), "VPN %u: %.200s", u->refused[i].number,
				 u->refused[i].text);
	}
}

static void wait_for_contract(struct engine *e, struct tx *t)
{
	uint32_t wait = CONTRACT_MS << (t->live->tries > 8 ? 8 : t->live->tries);

	counter_inc("aaah.live.contract_waits");
	later(e, t, wait < CONTRACT_MOST_MS ? wait : CONTRACT_MOST_MS, t->live_text);
}

void live_told(struct engine *e, struct job *j)
{
	struct tx *t = tx_find(e, j->id);

	if (!t || !t->live || (t->state != TX_LIVE_HOME && t->state != TX_LIVE_FOREIGN) || !j->haa) {
		counter_inc("aaah.vua.late");
		return;
	}
	if (j->haa->result != DM_SUCCESS) {
		refused(e, t, j->haa);
		return;
	}
	note_refused(t, j->haa);
	if (t->state == TX_LIVE_HOME && !t->live->fa_ended) {
		tell(e, t, TX_LIVE_FOREIGN);
		return;
	}
	if (t->live_waits) {
		wait_for_contract(e, t);
		return;
	}
	counter_inc("aaah.live.effective");
	done(e, t, "effective", t->live_text);
}

void live_expired(struct engine *e, struct tx *t)
{
	if (t->state == TX_LIVE_HOME || t->state == TX_LIVE_FOREIGN)
		failed(e, t,
		       t->state == TX_LIVE_HOME ? "the home agent has not answered in time"
						: "the foreign agent has not answered in time");
	else
		store_failed(e, t, STORE_DOWN);
}
