/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rows of sql/migrations/0004_aaah.sql and what follows it <-> structs: the database codec of struct vpn_profile.  Keys are wrapped and
 * unwrapped here and nowhere else, each with the label that binds it to its place (lib/crypto.h):
 *   subscriber:<nai>   sla:<name>   pcn:<address>   profile:<ha_session>:<number>   bu:<ha_session>:<number>
 *   handoff:<ha_session>
 * Columns are looked up by name, results are in text format.  Nothing in a row is trusted further than its type.
 */
#ifndef MIPVPN_AAAH_ROW_H
#define MIPVPN_AAAH_ROW_H

#include <jansson.h>
#include <libpq-fe.h>

#include "extensions/app_mipvpn_aaah/policy.h"

/* Column n says which place in the question's list a row answers; rows of one place are together.  Those from
 * the row from on are of the place *n (0 is the first); returns the row behind them.  -1: no such column, or
 * no number. */
int row_group(const PGresult *res, int from, size_t *n);
/* Rows from..to-1, of one user.  0, or -1 with err: a column is missing or out of range (the schema is not
 * ours).  No row at all is 0 and not found. */
int row_lookup(const PGresult *res, int from, int to, const uint8_t kek[32], const char *nai,
	       struct pol_rows *out, char *err, size_t err_len);
/* ha_session: of the row_lookup() before. */
int row_profiles(const PGresult *res, int from, int to, const uint8_t kek[32], const char *ha_session,
		 struct pol_rows *out, char *err, size_t err_len);
int row_end(const PGresult *res, struct pol_end *out, char *err, size_t err_len);
int row_address(const PGresult *res, struct in_addr *out, char *err,
		size_t err_len); /* 0.0.0.0 = none left */

/* *out: n of them, new; the caller frees it. */
int row_live(const PGresult *res, struct pol_live **out, size_t *n, char *err, size_t err_len);
bool row_ok(const PGresult *res, int row); /* its column "ok" */

/* The argument of aaah_session_keep(): JSON with wrapped keys; returns new, NULL = no memory, no randomness. */
char *row_put_json(const struct pol_put *put, const uint8_t kek[32]);
/* A list of profiles alone (ha_session, home and n_home of put), for aaah_live_put_many(); NULL as above. */
json_t *row_profiles_json(const struct pol_put *put, const uint8_t kek[32]);
/* Texts as PostgreSQL's text[] reads them, new; NULL = no memory. */
char *row_list(const char *const *texts, size_t n);

#endif
