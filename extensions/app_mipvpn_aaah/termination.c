/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The end of a session: STR -> the row goes, keys and all -> STA, and an ASR to the other side (RFC 4004 4.1.5).
 *   from the home agent: everything ends; the foreign agent is told
 *   from the foreign agent, cause administrative, link broken, bad answer: everything ends; the home agent is told
 *   from the foreign agent, other causes: its part ends, the home agent's goes on (the user may be at another one)
 */
#include <stdio.h>
#include <string.h>

#include "extensions/app_mipvpn_aaah/engine_int.h"
#include "lib/counter.h"
#include "lib/log.h"

static const char *cause_word(uint32_t cause)
{
	switch (cause) {
	case DM_TERM_LOGOUT:
		return "logout";
	case DM_TERM_BAD_ANSWER:
		return "bad answer";
	case DM_TERM_ADMINISTRATIVE:
		return "administrative";
	case DM_TERM_LINK_BROKEN:
		return "link broken";
	case DM_TERM_SESSION_TIMEOUT:
		return "timeout";
	default:
		return "other";
	}
}

static void finish(struct engine *e, struct tx *t, uint32_t result, const char *nai, const char *text)
{
	counter_inc(result == DM_SUCCESS ? "aaah.str.accepted" : "aaah.str.refused");
	log_info("aaah", "STR session=%s nai=%s from=%s cause=%s result=%u ms=%u%s%s", t->end->session, nai,
		 t->end->origin_host, cause_word(t->end->cause), result, (unsigned)(e->now - t->start),
		 text[0] ? " reason: " : "", text);
	engine_refuse(&t->msg, result, result == DM_SUCCESS ? NULL : text);
	tx_free(e, t);
}

/* A foreign agent that drops the user, has lost his tunnels, or has made nothing of our answer, ends all of it; else
 * only its own part.  Of an answer of the AAAF's own (D2) we know no session: nothing ends. */
static bool ends_all(uint32_t cause)
{
	return cause == DM_TERM_ADMINISTRATIVE || cause == DM_TERM_LINK_BROKEN || cause == DM_TERM_BAD_ANSWER;
}

void termination_start(struct engine *e, struct job *j)
{
	struct store_ask ask = {.op = STORE_END};
	enum store_status st;
	struct tx *t;

	counter_inc("aaah.str.received");
	t = tx_new(e, j->msg, TX_END);
	if (!t) {
		engine_refuse(&j->msg, DM_TOO_BUSY, "out of memory");
		return;
	}
	t->end = j->end;
	j->msg = NULL;
	j->end = NULL;
	ask.id = t->id;
	ask.session = t->end->session;
	ask.origin = t->end->origin_host;
	ask.realm = t->end->origin_realm;
	ask.flag = ends_all(t->end->cause);
	ask.reason = cause_word(t->end->cause);
	st = store_ask(e->store, &ask, e->now);
	if (st != STORE_OK)
		finish(e, t, engine_store_result(st), "-", "the VPN database is away");
}

void termination_ended(struct engine *e, struct tx *t, struct store_answer *a)
{
	const struct pol_end *end = &a->end;

	if (a->status != STORE_OK) {
		finish(e, t, engine_store_result(a->status), "-", "the VPN database is away");
		return;
	}
	if (!end->found) {
		finish(e, t, DM_UNKNOWN_SESSION, "-", "unknown session");
		return;
	}
	if (end->other_session[0])
		engine_send_asr(e, end->other_session, end->other_host, end->other_realm, end->nai);
	finish(e, t, DM_SUCCESS, end->nai, "");
}

void termination_again(struct engine *e, const struct store_answer *a)
{
	const struct pol_end *end = &a->end;

	if (a->status != STORE_OK || !end->found)
		return;
	counter_inc("aaah.str.again");
	log_info("aaah", "STR nai=%s: what the database had not kept of it is done", end->nai);
	if (end->other_session[0])
		engine_send_asr(e, end->other_session, end->other_host, end->other_realm, end->nai);
}

void termination_expired(struct engine *e, struct tx *t)
{
	finish(e, t, DM_TOO_BUSY, "-", "the VPN database is away");
}
