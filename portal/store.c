/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "portal/cookie.h"
#include "portal/utf8.h"

struct bytea { /* a handle as PostgreSQL's text form of bytea */
	char text[COOKIE_HEX + 2];
};

static struct bytea bytea_of(const char *handle)
{
	struct bytea b;

	snprintf(b.text, sizeof(b.text), "\\x%s", handle);
	return b;
}

/* A column as text, cut at a character when it is too long. */
static void text(const PGresult *r, int row, int col, char *out, size_t cap)
{
	const char *s = PQgetvalue(r, row, col);
	size_t n = 0, c;

	while (s[n] && (c = utf8_char(s + n, strlen(s + n))) && n + c < cap)
		n += c;
	memcpy(out, s, n);
	out[n] = '\0';
}
#define TEXT(r, row, col, field) text(r, row, col, field, sizeof(field))

static bool truth(const PGresult *r, int row, int col)
{
	return PQgetvalue(r, row, col)[0] == 't';
}

static long number(const PGresult *r, int row, int col)
{
	return strtol(PQgetvalue(r, row, col), NULL, 10);
}

/* One row of so many columns, or the installation is not what this program knows. */
static enum db_status one_row(PGresult **r, int columns)
{
	if (PQntuples(*r) == 1 && PQnfields(*r) == columns)
		return DB_OK;
	PQclear(*r);
	*r = NULL;
	return DB_REFUSED;
}

static enum db_status call_one(struct db *db, const char *sql, int n, const char *const *args, int columns,
			       PGresult **r)
{
	enum db_status s = db_call(db, sql, n, args, r);

	return s ? s : one_row(r, columns);
}

enum db_status store_version(struct db *db, int *version)
{
	PGresult *r;
	enum db_status s = call_one(db, "SELECT mipvpn.portal_schema_version()", 0, NULL, 1, &r);

	*version = s ? 0 : (int)number(r, 0, 0);
	PQclear(r);
	return s;
}

enum db_status store_sign_in_begin(struct db *db, const char *nai, const char *address,
				   struct store_attempt *out)
{
	const char *const args[] = {nai, address};
	PGresult *r;
	enum db_status s = call_one(
		db, "SELECT outcome, attempt, setting, wait_s FROM mipvpn.portal_sign_in_begin($1, $2::inet)",
		2, args, 4, &r);

	memset(out, 0, sizeof(*out));
	if (s)
		return s;
	TEXT(r, 0, 0, out->outcome);
	TEXT(r, 0, 1, out->id);
	TEXT(r, 0, 2, out->setting);
	out->wait_s = (int)number(r, 0, 3);
	PQclear(r);
	return DB_OK;
}

enum db_status store_sign_in_finish(struct db *db, const char *id, const char *hash, const char *handle,
				    int idle_s, int most_s, char outcome[12], char nai[256])
{
	struct bytea token = bytea_of(handle);
	char idle[12], most[12];
	const char *const args[] = {id, hash, token.text, idle, most};
	PGresult *r;
	enum db_status s;

	snprintf(idle, sizeof(idle), "%d", idle_s);
	snprintf(most, sizeof(most), "%d", most_s);
	s = call_one(db,
		     "SELECT outcome, nai FROM mipvpn.portal_sign_in_finish($1::uuid, $2, $3::bytea, "
		     "$4::int, $5::int)",
		     5, args, 2, &r);
	if (s)
		return s;
	text(r, 0, 0, outcome, 12);
	text(r, 0, 1, nai, 256);
	PQclear(r);
	return DB_OK;
}

static enum db_status ask_bool(struct db *db, const char *sql, const char *handle, bool *out)
{
	struct bytea token = bytea_of(handle);
	const char *const args[] = {token.text};
	PGresult *r;
	enum db_status s = call_one(db, sql, 1, args, 1, &r);

	*out = !s && truth(r, 0, 0);
	PQclear(r);
	return s;
}

enum db_status store_sign_out(struct db *db, const char *handle, bool *was_in)
{
	return ask_bool(db, "SELECT mipvpn.portal_sign_out($1::bytea)", handle, was_in);
}

enum db_status store_settled(struct db *db, const char *handle, bool *settled)
{
	return ask_bool(db, "SELECT mipvpn.portal_settled($1::bytea)", handle, settled);
}

enum db_status store_visit(struct db *db, const char *handle, struct store_visit *out, bool *in)
{
	struct bytea token = bytea_of(handle);
	const char *const args[] = {token.text};
	PGresult *r;
	enum db_status s = db_call(db,
				   "SELECT nai, enabled, online, home_address, visited, since_s, left_s"
				   " FROM mipvpn.portal_visit($1::bytea)",
				   1, args, &r);

	memset(out, 0, sizeof(*out));
	*in = false;
	if (s)
		return s;
	*in = PQntuples(r) == 1;
	if (*in) {
		TEXT(r, 0, 0, out->nai);
		out->enabled = truth(r, 0, 1);
		out->online = truth(r, 0, 2);
		TEXT(r, 0, 3, out->home_address);
		TEXT(r, 0, 4, out->visited);
		out->since_s = number(r, 0, 5);
		out->left_s = number(r, 0, 6);
	}
	PQclear(r);
	return DB_OK;
}

static void take_vpn(const PGresult *r, int i, struct store_view *out)
{
	struct store_vpn *v = &out->vpn[out->n_vpns++];

	TEXT(r, i, 0, v->number);
	TEXT(r, i, 1, v->destination);
	TEXT(r, i, 2, v->name);
	TEXT(r, i, 3, v->up_class);
	TEXT(r, i, 4, v->down_class);
	TEXT(r, i, 5, v->up_default);
	TEXT(r, i, 6, v->down_default);
	TEXT(r, i, 7, v->security);
	TEXT(r, i, 8, v->state);
	TEXT(r, i, 9, v->objection);
	v->in_session = truth(r, i, 10);
}

static void take_network(const PGresult *r, int i, struct store_view *out)
{
	struct store_network *n = &out->network[out->n_networks++];

	TEXT(r, i, 0, n->network);
	TEXT(r, i, 1, n->name);
	TEXT(r, i, 2, n->contract);
	n->chosen = truth(r, i, 3);
}

static void take_class(const PGresult *r, int i, struct store_view *out)
{
	struct store_class *c = &out->cls[out->n_classes++];

	TEXT(r, i, 0, c->name);
	TEXT(r, i, 1, c->description);
}

enum db_status store_view(struct db *db, const char *handle, struct store_view *out, bool *in)
{
	static const struct {
		const char *sql;
		int most;
		void (*take)(const PGresult *, int, struct store_view *);
	} lists[] = {
		{"SELECT number, destination, name, up_class, down_class, up_default, down_default, "
		 "security, state,"
		 " objection, in_session FROM mipvpn.portal_vpns($1::bytea)",
		 STORE_VPNS_MAX, take_vpn},
		{"SELECT network, name, contract, chosen FROM mipvpn.portal_networks($1::bytea)",
		 STORE_NETWORKS_MAX, take_network},
		{"SELECT name, description FROM mipvpn.portal_classes($1::bytea)", STORE_CLASSES_MAX,
		 take_class},
	};
	struct bytea token = bytea_of(handle);
	const char *const args[] = {token.text};
	enum db_status s;

	memset(out, 0, sizeof(*out));
	s = store_visit(db, handle, &out->visit, in);
	for (size_t l = 0; !s && *in && l < 3; l++) {
		PGresult *r;

		s = db_call(db, lists[l].sql, 1, args, &r);
		for (int i = 0; !s && i < PQntuples(r) && i < lists[l].most; i++)
			lists[l].take(r, i, out);
		PQclear(r);
	}
	return s;
}

static enum db_status ask_word(struct db *db, const char *sql, int n, const char *const *args, char word[16])
{
	PGresult *r;
	enum db_status s = call_one(db, sql, n, args, 1, &r);

	word[0] = '\0';
	if (!s)
		text(r, 0, 0, word, 16);
	PQclear(r);
	return s;
}

enum db_status store_add(struct db *db, const char *handle, const struct store_choice *c, char word[16])
{
	struct bytea token = bytea_of(handle);
	const char *const args[] = {token.text, c->destination, c->name, c->up, c->down, c->security};

	return ask_word(db, "SELECT mipvpn.portal_vpn_add($1::bytea, $2, $3, $4, $5, $6)", 6, args, word);
}

/* A number of a form: digits, or it names no VPN. */
static bool is_number(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= 10 && strspn(s, "0123456789") == n;
}

enum db_status store_change(struct db *db, const char *handle, const struct store_choice *c, char word[16])
{
	struct bytea token = bytea_of(handle);
	const char *const args[] = {token.text, c->number, c->up, c->down, c->security};

	if (is_number(c->number))
		return ask_word(db, "SELECT mipvpn.portal_vpn_change($1::bytea, $2::bigint, $3, $4, $5)", 5,
				args, word);
	memcpy(word, "no-vpn", 7);
	return DB_OK;
}

enum db_status store_remove(struct db *db, const char *handle, const struct store_choice *c, char word[16])
{
	struct bytea token = bytea_of(handle);
	const char *const args[] = {token.text, c->number};

	if (is_number(c->number))
		return ask_word(db, "SELECT mipvpn.portal_vpn_remove($1::bytea, $2::bigint)", 2, args, word);
	memcpy(word, "no-vpn", 7);
	return DB_OK;
}
