/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Questions about many running sessions at once: a change of the policy may concern thousands.  Each question
 * has a list of items and gets a result for each; what is wrong with the rows of one is that one's own.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extensions/app_mipvpn_aaah/store_int.h"

/* --- out --- */

struct lists { /* users, where each is, and the address of his foreign agent */
	const char **nai, **realm, **fa;
	char (*addr)[INET_ADDRSTRLEN];
};

static void lists_free(struct lists *l)
{
	free(l->nai);
	free(l->realm);
	free(l->fa);
	free(l->addr);
}

static bool lists_make(struct lists *l, const struct store_ask *a)
{
	l->nai = calloc(a->n_items, sizeof(*l->nai));
	l->realm = calloc(a->n_items, sizeof(*l->realm));
	l->fa = calloc(a->n_items, sizeof(*l->fa));
	l->addr = calloc(a->n_items, sizeof(*l->addr));
	if (!l->nai || !l->realm || !l->fa || !l->addr)
		return false;
	for (size_t i = 0; i < a->n_items; i++) {
		const struct pol_live *live = a->items[i].live;

		l->nai[i] = live->nai;
		l->realm[i] = live->fa_realm;
		l->fa[i] = inet_ntop(AF_INET, &live->fa, l->addr[i], sizeof(l->addr[i]));
	}
	return true;
}

/* Both in one transaction. */
static bool send_read(struct store *s, const struct store_ask *a)
{
	struct lists l = {0};
	char *params[3] = {NULL};
	bool ok = lists_make(&l, a);

	if (ok) {
		params[0] = row_list(l.nai, a->n_items);
		params[1] = row_list(l.realm, a->n_items);
		params[2] = row_list(l.fa, a->n_items);
		ok = params[0] && params[1] && params[2] &&
		     store_send(s, ST_LIVE_LOOKUP, (const char *const *)params) &&
		     store_send(s, ST_LIVE_PROFILES, (const char *const *)params);
	}
	for (int i = 0; i < 3; i++)
		free(params[i]);
	lists_free(&l);
	return ok;
}

static json_t *json_put(const struct store *s, const struct store_item *i)
{
	return json_pack("{sI ss so}", "session", (json_int_t)i->live->session, "fa_session",
			 i->put->fa_session, "profiles", row_profiles_json(i->put, s->c.kek));
}

/* A gateway's words are not always UTF-8. */
static const char *plain(const char *why, char out[DM_ERROR_MAX])
{
	snprintf(out, DM_ERROR_MAX, "%s", why);
	for (char *c = out; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return out;
}

static json_t *json_done(const struct store *s, const struct store_item *i)
{
	char why[DM_ERROR_MAX];

	return json_pack("{sI sI ss ss}", "session", (json_int_t)i->live->session, "serial",
			 (json_int_t)i->live->serial, "outcome", i->outcome, "why", plain(i->why, why));
}

static bool send_list(struct store *s, enum store_statement st, const struct store_ask *a,
		      json_t *(*one)(const struct store *s, const struct store_item *i))
{
	json_t *list = json_array();
	char *text = NULL;
	int rc = 0;

	for (size_t i = 0; i < a->n_items; i++)
		rc |= json_array_append_new(list, one(s, &a->items[i]));
	if (!rc)
		text = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	rc = text && store_send(s, st, (const char *const *)&text);
	free(text);
	return rc;
}

static bool send_later(struct store *s, const struct store_ask *a)
{
	char id[24], wait[16], why[DM_ERROR_MAX];
	const char *const later[] = {id, wait, plain(a->items->why, why)};

	snprintf(id, sizeof(id), "%" PRIu64, a->items->live->session);
	snprintf(wait, sizeof(wait), "%d", a->most);
	return store_send(s, ST_LIVE_LATER, later);
}

bool store_live_send(struct store *s, const struct store_ask *a)
{
	switch (a->op) {
	case STORE_LIVE_READ:
		return send_read(s, a);
	case STORE_LIVE_PUT:
		return send_list(s, ST_LIVE_PUT, a, json_put);
	case STORE_LIVE_DONE:
		return send_list(s, ST_LIVE_DONE, a, json_done);
	case STORE_LIVE_LATER:
		return send_later(s, a);
	default:
		return false;
	}
}

/* --- in --- */

bool store_live_results(struct pending *p, const struct store_ask *a)
{
	if (a->op != STORE_LIVE_READ && a->op != STORE_LIVE_PUT)
		return true;
	p->a.results = calloc(a->n_items, sizeof(*p->a.results));
	if (!p->a.results)
		return false;
	p->a.n_results = a->n_items;
	for (size_t i = 0; i < a->n_items; i++) {
		p->a.results[i].id = a->items[i].id;
		snprintf(p->a.results[i].nai, sizeof(p->a.results[i].nai), "%s", a->items[i].live->nai);
	}
	return true;
}

/* The rows from..to-1 are those of r. */
static void take_group(struct store *s, const struct pending *p, const PGresult *res, int from, int to,
		       struct store_result *r)
{
	int rc = 0;

	if (p->a.op == STORE_LIVE_PUT)
		r->ok = row_ok(res, from);
	else if (p->result == 0)
		rc = row_lookup(res, from, to, s->c.kek, r->nai, &r->rows, r->text, sizeof(r->text));
	else
		rc = row_profiles(res, from, to, s->c.kek, r->rows.session.ha_session, &r->rows, r->text,
				  sizeof(r->text));
	r->bad |= rc != 0;
}

int store_live_rows(struct store *s, struct pending *p, const PGresult *res)
{
	int to, n = p->a.n_results ? PQntuples(res) : 0;
	size_t i;

	for (int from = 0; from < n; from = to) {
		to = row_group(res, from, &i);
		if (to < 0 || i >= p->a.n_results) {
			snprintf(p->a.text, sizeof(p->a.text), "column n is missing or out of range");
			return -1;
		}
		take_group(s, p, res, from, to, &p->a.results[i]);
	}
	return 0;
}
