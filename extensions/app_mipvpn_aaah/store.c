/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Questions and answers over the pipeline.  A question is one or more prepared statements and a sync; the sync is the
 * end of its implicit transaction, so a question that fails leaves the others alone.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extensions/app_mipvpn_aaah/store_int.h"
#include "lib/counter.h"
#include "lib/log.h"

static const struct {
	const char *name, *sql;
	int n;
} statements[ST_COUNT] = {
	[ST_VERSION] = {"version", "SELECT mipvpn.aaah_schema_version() AS version", 0},
	[ST_LOOKUP] = {"lookup",
		       "SELECT * FROM mipvpn.aaah_lookup_many(ARRAY[$1], ARRAY[$2], ARRAY[$3::inet], $4)", 4},
	[ST_PROFILES] = {"profiles", "SELECT * FROM mipvpn.aaah_cached_profiles_many(ARRAY[$1])", 1},
	[ST_ALLOCATE] = {"allocate", "SELECT mipvpn.aaah_address_allocate($1, $2) AS address", 2},
	[ST_RELEASE] = {"release", "SELECT mipvpn.aaah_address_release($1)", 1},
	[ST_PUT] = {"put", "SELECT mipvpn.aaah_session_keep($1) IS NOT NULL AS ok", 1},
	[ST_PUT_AGAIN] = {"put_again", "SELECT mipvpn.aaah_session_again($1, $2) AS ok", 2},
	[ST_END_AGAIN] = {"end_again", "SELECT * FROM mipvpn.aaah_session_end_again($1, $2, $3, $4, $5, $6)",
			  6},
	[ST_RESTARTED] = {"restarted", "SELECT mipvpn.aaah_live_restarted()", 0},
	[ST_END] = {"end", "SELECT * FROM mipvpn.aaah_session_end($1, $2, $3, $4, $5)", 5},
	[ST_REAP] = {"reap", "SELECT mipvpn.aaah_sessions_reap($1)", 1},
	[ST_LIVE_TAKE] = {"live_take", "SELECT * FROM mipvpn.aaah_live_take($1)", 1},
	[ST_LIVE_LOOKUP] = {"live_lookup", "SELECT * FROM mipvpn.aaah_lookup_many($1, $2, $3, true)", 3},
	[ST_LIVE_PROFILES] = {"live_profiles", "SELECT * FROM mipvpn.aaah_cached_profiles_many($1)", 1},
	[ST_LIVE_PUT] = {"live_put", "SELECT * FROM mipvpn.aaah_live_put_many($1)", 1},
	[ST_LIVE_DONE] = {"live_done", "SELECT mipvpn.aaah_live_done_many($1)", 1},
	[ST_LIVE_LATER] = {"live_later", "SELECT mipvpn.aaah_live_later($1, $2, $3)", 3},
};

void pending_free(struct pending *p)
{
	pol_rows_wipe(&p->a.rows);
	for (size_t i = 0; i < p->a.n_results; i++)
		pol_rows_wipe(&p->a.results[i].rows);
	free(p->a.results);
	free(p->a.live);
	free(p);
}

bool store_send(struct store *s, enum store_statement st, const char *const params[])
{
	return PQsendQueryPrepared(s->conn, statements[st].name, statements[st].n, params, NULL, NULL, 0) ==
	       1;
}

static bool send_lookup(struct store *s, const struct store_ask *a)
{
	char addr[INET_ADDRSTRLEN];
	const char *const params[] = {a->nai, a->realm, inet_ntop(AF_INET, &a->addr, addr, sizeof(addr)),
				      a->flag ? "t" : "f"};

	return store_send(s, ST_LOOKUP, params);
}

static bool send_ask(struct store *s, const struct store_ask *a)
{
	char addr[INET_ADDRSTRLEN], most[16];
	const char *const allocate[] = {a->nai, inet_ntop(AF_INET, &a->addr, addr, sizeof(addr))};
	const char *const reap[] = {most};

	switch (a->op) {
	case STORE_LOOKUP:
		return send_lookup(s, a);
	case STORE_PROFILES:
		return store_send(s, ST_PROFILES, &a->nai);
	case STORE_ALLOCATE:
		return store_send(s, ST_ALLOCATE, allocate);
	case STORE_RELEASE:
		return store_send(s, ST_RELEASE, allocate);
	case STORE_REAP:
		snprintf(most, sizeof(most), "%d", a->most);
		return store_send(s, ST_REAP, reap);
	case STORE_LIVE_TAKE:
		snprintf(most, sizeof(most), "%d", a->most);
		return store_send(s, ST_LIVE_TAKE, reap);
	default:
		return store_live_send(s, a);
	}
}

static struct pending *pending_new(const struct store_ask *a)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p || !a)
		return p;
	p->a.op = a->op;
	p->a.id = a->id;
	snprintf(p->nai, sizeof(p->nai), "%s", a->nai ? a->nai : "");
	snprintf(p->session, sizeof(p->session), "%s", a->session ? a->session : "");
	if (store_live_results(p, a))
		return p;
	pending_free(p);
	return NULL;
}

static void pending_add(struct store *s, struct pending *p, store_ms now)
{
	p->deadline = now + s->c.timeout_ms;
	*s->tail = p;
	s->tail = &p->next;
	s->n++;
}

struct pending *store_pending_add(struct store *s, store_ms now)
{
	struct pending *p = pending_new(NULL);

	if (p)
		pending_add(s, p, now);
	return p;
}

void store_flush(struct store *s, store_ms now)
{
	int rc = PQflush(s->conn);

	s->want_write = rc == 1;
	if (rc < 0)
		conn_lost(s, PQerrorMessage(s->conn), now);
}

int store_send_prepare(struct store *s, store_ms now)
{
	struct pending *p;

	for (int i = 0; i < ST_COUNT; i++) {
		if (!PQsendPrepare(s->conn, statements[i].name, statements[i].sql, statements[i].n, NULL))
			return -1;
	}
	if (!store_send(s, ST_VERSION, NULL) ||
	    !PQsendQueryParams(s->conn, "LISTEN mipvpn_change", 0, NULL, NULL, NULL, NULL, 0) ||
	    !PQpipelineSync(s->conn))
		return -1;
	p = store_pending_add(s, now);
	if (!p)
		return -1;
	p->prepare = true;
	store_flush(s, now);
	return 0;
}

enum store_status store_ask(struct store *s, const struct store_ask *a, store_ms now)
{
	struct pending *p;
	struct again *g = NULL;

	if (s->bench && bench_ask(s, a))
		return STORE_OK;
	if (s->state == STORE_UP && s->n >= s->c.most)
		return STORE_BUSY;
	p = pending_new(a);
	if (!p)
		return STORE_BUSY;
	if (again_wants(a->op) && !(g = again_keep(s, a, now))) {
		pending_free(p);
		return STORE_ERROR;
	}
	if (s->state != STORE_UP) {
		pending_free(p);
		return g ? STORE_LATER : STORE_DOWN;
	}
	/* A question of which only half is queued cannot be taken back: start over. */
	if (!(g ? again_ask(s, g, now) : send_ask(s, a)) || !PQpipelineSync(s->conn)) {
		pending_free(p);
		conn_lost(s, PQerrorMessage(s->conn), now);
		return g ? STORE_LATER : STORE_DOWN;
	}
	p->again = g;
	pending_add(s, p, now);
	store_flush(s, now);
	return STORE_OK;
}

/* --- results -------------------------------------------------------------------------------------------------------- */

static int take_version(const PGresult *res, struct store_answer *a)
{
	int v = PQntuples(res) == 1 ? atoi(PQgetvalue(res, 0, 0)) : 0;

	if (v >= STORE_SCHEMA_LEAST && v <= STORE_SCHEMA_VERSION)
		return 0;
	snprintf(a->text, sizeof(a->text), "schema version %d, this program knows %d to %d: run sql/apply", v,
		 STORE_SCHEMA_LEAST, STORE_SCHEMA_VERSION);
	return -1;
}

static int take_rows(struct store *s, struct pending *p, const PGresult *res)
{
	struct store_answer *a = &p->a;

	if (p->prepare)
		return p->result == ST_COUNT ? take_version(res, a) : 0; /* behind the statements */
	switch (a->op) {
	case STORE_LOOKUP:
		return row_lookup(res, 0, PQntuples(res), s->c.kek, p->nai, &a->rows, a->text,
				  sizeof(a->text));
	case STORE_PROFILES:
		return row_profiles(res, 0, PQntuples(res), s->c.kek, p->session, &a->rows, a->text,
				    sizeof(a->text));
	case STORE_ALLOCATE:
		return row_address(res, &a->addr, a->text, sizeof(a->text));
	case STORE_PUT:
		a->ok = PQntuples(res) == 1 && row_ok(res, 0);
		return 0;
	case STORE_END:
		return row_end(res, &a->end, a->text, sizeof(a->text));
	case STORE_LIVE_TAKE:
		return row_live(res, &a->live, &a->n_live, a->text, sizeof(a->text));
	default:
		return store_live_rows(s, p, res);
	}
}

static void take_error(struct pending *p, const PGresult *res)
{
	const char *primary = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	p->a.status = STORE_ERROR;
	snprintf(p->a.text, sizeof(p->a.text), "%s", primary ? primary : PQresultErrorMessage(res));
}

static void take_result(struct store *s, struct pending *p, const PGresult *res)
{
	switch (PQresultStatus(res)) {
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		if (p->a.status == STORE_OK && take_rows(s, p, res))
			p->a.status = STORE_ERROR;
		p->result++;
		break;
	case PGRES_PIPELINE_ABORTED:
		break; /* the statement before it has said why */
	default:
		take_error(p, res);
	}
}

static void take_sync(struct store *s, store_ms now)
{
	struct pending *p = s->head;

	s->head = p->next;
	if (!s->head)
		s->tail = &s->head;
	s->n--;
	if (p->prepare) {
		if (p->a.status == STORE_OK) {
			conn_up(s);
			again_up(s, now);
		} else {
			conn_lost(s, p->a.text, now);
		}
	} else {
		s->again.heard_at = now;
		if (p->a.status == STORE_ERROR) {
			counter_inc("aaah.db.error");
			log_warn("aaah", "database: %s", p->a.text);
		}
		if (p->again)
			again_answered(s, p->again, &p->a, now);
		if (s->bench)
			bench_learn(s, p->nai, &p->a);
		s->done(s->user, &p->a);
	}
	pending_free(p);
}

static void read_results(struct store *s, store_ms now)
{
	unsigned nothing = 0; /* NULL separates statements; two in a row are the end of what there is */

	while (s->head && s->conn && nothing < 2 && !PQisBusy(s->conn)) {
		PGresult *res = PQgetResult(s->conn);

		if (!res) {
			nothing++;
			continue;
		}
		nothing = 0;
		if (PQresultStatus(res) == PGRES_PIPELINE_SYNC)
			take_sync(s, now);
		else
			take_result(s, s->head, res);
		PQclear(res);
	}
}

/* --- the engine's side ---------------------------------------------------------------------------------------------- */

struct store *store_new(const struct store_config *c, void (*done)(void *user, struct store_answer *a),
			void *user)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->c = *c;
	s->done = done;
	s->user = user;
	s->tail = &s->head;
	return s;
}

void store_free(struct store *s)
{
	struct pending *p;

	if (!s)
		return;
	while ((p = s->head)) {
		s->head = p->next;
		pending_free(p);
	}
	again_forget_all(s);
	PQfinish(s->conn);
	bench_free(s->bench);
	crypto_wipe(s, sizeof(*s));
	free(s);
}

void store_reconfigure(struct store *s, const struct store_config *c, store_ms now)
{
	bool other = strcmp(s->c.conninfo, c->conninfo) != 0;

	s->c = *c;
	if (other && s->conn)
		conn_lost(s, "connection string has changed", now);
	if (other)
		s->retry_at = now;
}

int store_fd(const struct store *s)
{
	return s->conn ? PQsocket(s->conn) : -1;
}

short store_events(const struct store *s)
{
	if (s->state == STORE_CONNECTING)
		return s->polling == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
	return s->want_write ? POLLIN | POLLOUT : POLLIN;
}

store_ms store_next(const struct store *s)
{
	if (s->state == STORE_WAITING)
		return s->retry_at;
	if (s->state == STORE_CONNECTING)
		return s->deadline;
	return s->head ? s->head->deadline : UINT64_MAX;
}

bool store_is_up(const struct store *s)
{
	return s->state == STORE_UP;
}

static void read_notices(struct store *s)
{
	PGnotify *n;

	while (s->conn && (n = PQnotifies(s->conn))) {
		s->noticed = true;
		PQfreemem(n);
	}
}

bool store_noticed(struct store *s)
{
	bool yes = s->noticed && s->state == STORE_UP;

	s->noticed = s->noticed && !yes;
	return yes;
}

static void run_connected(struct store *s, short revents, store_ms now)
{
	if (revents & (POLLIN | POLLERR | POLLHUP)) {
		if (!PQconsumeInput(s->conn)) {
			conn_lost(s, PQerrorMessage(s->conn), now);
			return;
		}
		read_results(s, now);
		read_notices(s);
		if (s->conn && PQstatus(s->conn) == CONNECTION_BAD) {
			conn_lost(s, PQerrorMessage(s->conn), now);
			return;
		}
	}
	if (s->conn && (revents & POLLOUT))
		store_flush(s, now);
	if (s->head && s->head->deadline <= now)
		conn_lost(s, "no answer within database-timeout-ms", now);
}

void store_run(struct store *s, short revents, store_ms now)
{
	switch (s->state) {
	case STORE_WAITING:
		if (now >= s->retry_at)
			conn_start(s, now);
		break;
	case STORE_CONNECTING:
		if (now >= s->deadline)
			conn_lost(s, "no connection within database-timeout-ms", now);
		else if (revents)
			conn_poll(s, now);
		break;
	default:
		run_connected(s, revents, now);
	}
}
