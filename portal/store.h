/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the page asks the database: one function here for each of mipvpn.portal_*()
 * (sql/migrations/0010_portal.sql), rows as structs.  handle: cookie_handle() of the session.
 */
#ifndef MIPVPN_PORTAL_STORE_H
#define MIPVPN_PORTAL_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "portal/db.h"
#include "portal/password.h"

#define STORE_SCHEMA_LEAST 10 /* the migration that this program needs */
#define STORE_VPNS_MAX 128
#define STORE_NETWORKS_MAX 256
#define STORE_CLASSES_MAX 64
#define STORE_NAME 128 /* for people; longer ones are cut */

struct store_visit {
	char nai[256];
	bool enabled, online;
	char home_address[20], visited[256];
	long since_s, left_s; /* of the registration, when online */
};
struct store_vpn {
	char number[12], destination[24], name[STORE_NAME];
	char up_class[20], down_class[20]; /* "" = the contract's */
	char up_default[20], down_default[20], security[12];
	char state[12], objection[STORE_NAME];
	bool in_session;
};
struct store_network {
	char network[24], name[STORE_NAME], contract[64];
	bool chosen;
};
struct store_class {
	char name[20], description[STORE_NAME];
};
/* All that the overview shows. */
struct store_view {
	struct store_visit visit;
	struct store_vpn vpn[STORE_VPNS_MAX];
	struct store_network network[STORE_NETWORKS_MAX];
	struct store_class cls[STORE_CLASSES_MAX];
	size_t n_vpns, n_networks, n_classes;
};
struct store_attempt {
	char outcome[12], id[40], setting[PASSWORD_HASH];
	int wait_s;
};

enum db_status store_version(struct db *db, int *version);
enum db_status store_sign_in_begin(struct db *db, const char *nai, const char *address,
				   struct store_attempt *out);
/* outcome: ok, wrong, stale; nai: as the database knows it. */
enum db_status store_sign_in_finish(struct db *db, const char *id, const char *hash, const char *handle,
				    int idle_s, int most_s, char outcome[12], char nai[256]);
enum db_status store_sign_out(struct db *db, const char *handle, bool *was_in);
/* *in false: nobody is signed in with this handle. */
enum db_status store_visit(struct db *db, const char *handle, struct store_visit *out, bool *in);
enum db_status store_view(struct db *db, const char *handle, struct store_view *out, bool *in);
enum db_status store_settled(struct db *db, const char *handle, bool *settled);

struct store_choice {
	const char *number;		  /* change, remove */
	const char *destination, *name;	  /* add */
	const char *up, *down, *security; /* add, change */
};
/* word: ok, or why not, as in the migration. */
enum db_status store_add(struct db *db, const char *handle, const struct store_choice *c, char word[16]);
enum db_status store_change(struct db *db, const char *handle, const struct store_choice *c, char word[16]);
enum db_status store_remove(struct db *db, const char *handle, const struct store_choice *c, char word[16]);

#endif
