/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A few connections to PostgreSQL for many threads.  Every call has a deadline, from waiting for a free
 * connection to the last row; what is lost is made again after a pause that grows and is spread.  Nothing
 * is asked twice: whether a change that got no answer was made, only the database knows.
 */
#ifndef MIPVPN_PORTAL_DB_H
#define MIPVPN_PORTAL_DB_H

#include <stdint.h>

#include <libpq-fe.h>

#define DB_CONNECTIONS_MAX 32

enum db_status {
	DB_OK,
	DB_DOWN,   /* no connection, or it was lost, or no answer in time */
	DB_BUSY,   /* every connection is in use */
	DB_REFUSED /* the database says no: an error of ours or of the installation; logged */
};

struct db;

/* conninfo: as libpq takes it, borrowed.  timeout_ms: for each call.  NULL: no memory.  Connects when
 * first asked. */
struct db *db_new(const char *conninfo, unsigned connections, uint32_t timeout_ms);
void db_free(struct db *db); /* no call may be under way */
/* Runs one statement with n text arguments ($1 ..).  DB_OK: *rows is to be PQclear()ed. */
enum db_status db_call(struct db *db, const char *sql, int n, const char *const *args, PGresult **rows);

#endif
