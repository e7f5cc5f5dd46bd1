/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The connection of the store: made without blocking, watched, made again after a pause that grows from 0.2 to 10 s
 * and is spread by +-25 % (several AAAH nodes must not come back to a restarted database in step).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extensions/app_mipvpn_aaah/store_int.h"
#include "lib/counter.h"
#include "lib/log.h"

#define PAUSE_FIRST_MS 200u
#define PAUSE_MOST_MS 10000u

static store_ms pause_ms(unsigned failures)
{
	uint32_t base = failures >= 6 ? PAUSE_MOST_MS : PAUSE_FIRST_MS << failures, noise = 0;

	if (base > PAUSE_MOST_MS)
		base = PAUSE_MOST_MS;
	if (crypto_random(&noise, sizeof(noise)))
		noise = base / 4; /* the middle: a pause without jitter is better than none */
	return base - base / 4 + noise % (base / 2 + 1);
}

static void ignore_notice(void *arg, const PGresult *res)
{
	log_debug("aaah", "database says: %s", PQresultErrorMessage(res));
}

/* Under way questions end here, so their callbacks may ask again: the connection is gone before the first is called. */
static void answer_all_down(struct store *s, const char *why)
{
	struct pending *p = s->head, *next;

	s->head = NULL;
	s->tail = &s->head;
	s->n = 0;
	for (; p; p = next) {
		next = p->next;
		if (!p->prepare) {
			pol_rows_wipe(&p->a.rows);
			p->a.status = p->again ? STORE_LATER : STORE_DOWN;
			snprintf(p->a.text, sizeof(p->a.text), "%s", why);
			s->done(s->user, &p->a);
		}
		pending_free(p);
	}
}

void conn_lost(struct store *s, const char *why, store_ms now)
{
	char text[256];

	snprintf(text, sizeof(text), "%s", why && why[0] ? why : "connection lost");
	text[strcspn(text, "\n")] = '\0';
	PQfinish(s->conn);
	s->conn = NULL;
	s->want_write = false;
	s->state = STORE_WAITING;
	s->retry_at = now + pause_ms(s->failures++);
	counter_inc("aaah.db.lost");
	log_warn("aaah", "database: %s; next try in %u ms", text, (unsigned)(s->retry_at - now));
	answer_all_down(s, text);
}

void conn_start(struct store *s, store_ms now)
{
	const char *const keys[] = {"fallback_application_name", "dbname", "client_encoding",
				    "tcp_user_timeout", NULL};
	const char *const values[] = {"app_mipvpn_aaah", s->c.conninfo, "UTF8", "10000", NULL};

	s->conn = PQconnectStartParams(keys, values, 1);
	if (!s->conn || PQstatus(s->conn) == CONNECTION_BAD) {
		conn_lost(s, s->conn ? PQerrorMessage(s->conn) : "no memory", now);
		return;
	}
	PQsetNoticeReceiver(s->conn, ignore_notice, NULL);
	s->state = STORE_CONNECTING;
	s->polling = PGRES_POLLING_WRITING;
	s->deadline = now + s->c.timeout_ms;
}

static void conn_made(struct store *s, store_ms now)
{
	s->state = STORE_PREPARING;
	if (PQsetnonblocking(s->conn, 1) || !PQenterPipelineMode(s->conn) || store_send_prepare(s, now))
		conn_lost(s, PQerrorMessage(s->conn), now);
}

void conn_poll(struct store *s, store_ms now)
{
	s->polling = PQconnectPoll(s->conn);
	if (s->polling == PGRES_POLLING_OK)
		conn_made(s, now);
	else if (s->polling == PGRES_POLLING_FAILED)
		conn_lost(s, PQerrorMessage(s->conn), now);
}

void conn_up(struct store *s)
{
	s->state = STORE_UP;
	s->failures = 0;
	s->noticed = true; /* whatever was said while nobody listened */
	counter_inc("aaah.db.connected");
	log_notice("aaah", "database connected: %s on %s", PQdb(s->conn), PQhost(s->conn));
}
