/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The two connections to charon: one for commands, one for events. Either lost = both lost: what is observed
 * is then unknown until both stand again and an audit has read everything. Live events, list-sas of one
 * tunnel and the audit feed the same handlers (tunnel_seen, tunnel_sa_event).
 *
 * The audit reads get-conns, get-shared and list-sas. A tunnel that was touched since the audit began is left
 * alone by its end: its newer observation counts. Whatever bears our names and is unknown becomes a tunnel
 * without parts, so it is taken down; whatever does not bear our names is none of our business.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/vpn/internal.h"
#include "lib/counter.h"

enum { COMMANDS, EVENTS };
enum { SEEN_CONN = 1, SEEN_KEY = 2 };

#define REOPEN_MIN_MS 100
#define REOPEN_MAX_MS 5000

static const char *const subscriptions[] = {"ike-updown", "child-updown", "ike-rekey", "child-rekey", "log"};

/* --- commands --- */

bool charon_command(struct vpn *v, enum command_kind kind, struct tunnel *t, const char *name,
		    struct vici_msg *m, const char *stream)
{
	struct command *cmd = v->charon[COMMANDS].c ? calloc(1, sizeof(*cmd)) : NULL;

	if (!cmd) {
		vici_msg_free(m);
		return false;
	}
	cmd->id = vici_conn_command(v->charon[COMMANDS].c, name, m, stream, COMMAND_DEADLINE_MS, v->now);
	if (!cmd->id) {
		free(cmd);
		return false;
	}
	cmd->kind = kind;
	cmd->tunnel = t;
	HASH_ADD(hh, v->commands, id, sizeof(cmd->id), cmd);
	return true;
}

/* --- audit --- */

static bool audit_name(struct vpn *v, const char *name, uint8_t seen)
{
	struct tunnel *t = tunnel_find(v, name);
	char early[TUNNEL_NAME_MAX];

	early_name(v, early);
	if (!strcmp(name, early))
		v->early.seen = true;
	if (!t && vpn_name_ours(v, name)) {
		t = tunnel_get(v, name);
		vpn_say(v, LOG_LVL_NOTICE, "charon holds %s, which nobody wants: taking it down", name);
		counter_inc("vpn.audit.orphan");
	}
	if (t)
		t->seen |= seen;
	return true;
}

struct name_list {
	struct vpn *v;
	const char *list;
	uint8_t seen;
};

static bool audit_item(const struct vici_walk *w, void *user)
{
	struct name_list *l = user;
	char name[TUNNEL_NAME_MAX];

	if (w->element != VICI_LIST_ITEM || w->depth || strcmp(w->key, l->list) ||
	    w->value_len >= sizeof(name))
		return true;
	memcpy(name, w->value, w->value_len);
	name[w->value_len] = '\0';
	return audit_name(l->v, name, l->seen);
}

static void audit_names(struct vpn *v, const uint8_t *data, size_t len, const char *list, uint8_t seen)
{
	struct name_list l = {v, list, seen};
	const char *why;

	if (vici_walk(data, len, audit_item, &l, &why) < 0)
		v->audit_failed = true;
}

static void audit_begin(struct vpn *v)
{
	struct tunnel *t, *tmp;

	v->auditing = true;
	v->audit_again = v->audit_failed = v->early.seen = false;
	v->audit_seq = ++v->seq;
	HASH_ITER(hh, v->tunnels, t, tmp)
	t->seen = 0;
	if (!charon_command(v, CMD_AUDIT_CONNS, NULL, "get-conns", NULL, NULL) ||
	    !charon_command(v, CMD_AUDIT_KEYS, NULL, "get-shared", NULL, NULL) ||
	    !charon_command(v, CMD_AUDIT_SAS, NULL, "list-sas", NULL, "list-sa"))
		v->audit_failed = true;
}

void charon_audit(struct vpn *v)
{
	if (v->auditing)
		v->audit_again = true;
	else if (v->charon[COMMANDS].c)
		audit_begin(v);
}

/* One tunnel against what the audit saw. */
static void audit_apply(struct vpn *v, struct tunnel *t)
{
	bool conn = t->seen & SEEN_CONN, key = t->seen & SEEN_KEY;
	uint8_t n = 0;

	if (t->touched > v->audit_seq || t->busy != STEP_NONE)
		return;
	if (v->known && (t->conn != conn || t->key != key)) {
		counter_inc("vpn.audit.repaired");
		vpn_say(v, LOG_LVL_NOTICE, "%s: connection or key was %s in charon behind our back", t->name,
			(t->conn && !conn) || (t->key && !key) ? "unloaded" : "loaded");
	}
	t->conn = conn;
	t->key = key;
	for (uint8_t i = 0; i < t->n_sas; i++) {
		if (t->sas[i].seen >= v->audit_seq)
			t->sas[n++] = t->sas[i];
	}
	t->n_sas = n;
	tunnel_changed(t);
}

static void audit_end(struct vpn *v)
{
	bool first = !v->known;
	struct tunnel *t, *tmp;

	v->auditing = false;
	if (v->audit_failed) {
		v->audit_at = v->now + 1000;
		vpn_timer(v, v->audit_at);
		return;
	}
	HASH_ITER(hh, v->tunnels, t, tmp)
	audit_apply(v, t);
	early_audited(v);
	v->known = true;
	v->reopen_tries = 0;
	v->audit_at = v->now + v->cfg.audit_ms;
	vpn_timer(v, v->audit_at);
	if (first) {
		vpn_say(v, LOG_LVL_INFO, "charon answers, %u of our tunnels known", HASH_COUNT(v->tunnels));
		HASH_ITER(hh, v->tunnels, t, tmp)
		tunnel_retry_now(t);
	}
	if (v->audit_again)
		audit_begin(v);
}

/* --- what comes back --- */

static void step_reply(struct vpn *v, struct command *cmd, bool ok, const uint8_t *data, size_t len,
		       const char *why)
{
	char err[128] = "";

	if (!ok)
		snprintf(err, sizeof(err), "%s", why);
	else
		ok = vpn_reply_ok(data, len, err, sizeof(err));
	if (cmd->kind == CMD_EARLY)
		early_reply(v, ok, err);
	else
		tunnel_step_done(cmd->tunnel, ok, err);
}

static void on_reply(void *user, uint64_t id, bool ok, const uint8_t *data, size_t len, const char *why)
{
	struct charon *c = user;
	struct vpn *v = c->v;
	struct command *cmd;

	HASH_FIND(hh, v->commands, &id, sizeof(id), cmd);
	if (!cmd)
		return;
	HASH_DEL(v->commands, cmd);
	if (vici_conn_fd(c->c) < 0) { /* the connection dies: lose() sees to everything at once */
		free(cmd);
		return;
	}
	if (!ok && cmd->kind >= CMD_AUDIT_CONNS)
		v->audit_failed = true;
	switch (cmd->kind) {
	case CMD_STEP:
	case CMD_EARLY:
		step_reply(v, cmd, ok, data, len, why);
		break;
	case CMD_CHECK:
		tunnel_check_done(cmd->tunnel);
		break;
	case CMD_AUDIT_CONNS:
		if (ok)
			audit_names(v, data, len, "conns", SEEN_CONN);
		break;
	case CMD_AUDIT_KEYS:
		if (ok)
			audit_names(v, data, len, "keys", SEEN_KEY);
		break;
	case CMD_AUDIT_SAS:
		audit_end(v);
		break;
	}
	free(cmd);
}

/* A peer that has lost its SAs wants to set them up anew, and we have unloaded their connections. charon's
 * log tells: either nothing at all is loaded for its address ("no IKE config found for
 * 198.51.100.21...198.51.100.11, sending NO_PROPOSAL_CHOSEN"): then all our responders for this peer are
 * loaded again for a while; */
static void on_no_config(struct vpn *v, const char *msg)
{
	const char *remote = strstr(msg, "...");
	char addr[INET_ADDRSTRLEN];
	struct tunnel *t, *tmp;
	struct in_addr peer;

	if (!remote || sscanf(remote + 3, "%15[0-9.]", addr) != 1 || inet_pton(AF_INET, addr, &peer) != 1)
		return;
	HASH_ITER(hh, v->tunnels, t, tmp)
	{
		if (!t->initiator && t->peer.s_addr == peer.s_addr)
			tunnel_knock(t);
	}
}

/* or it got as far as its identity, which names the one ("looking for peer configs matching
 * 198.51.100.21[LOCAL]...198.51.100.11[REMOTE]"). */
static void on_peer_lookup(struct vpn *v, const char *msg)
{
	const char *remote = strstr(msg, "]...");
	char name[TUNNEL_NAME_MAX];
	struct tunnel *t;

	remote = remote ? strchr(remote + 4, '[') : NULL;
	if (!remote || !vpn_name_from_ike_id(v, remote + 1, name))
		return;
	t = tunnel_find(v, name);
	if (t && !t->initiator)
		tunnel_knock(t);
}

static void on_log(struct vpn *v, const uint8_t *data, size_t len)
{
	char msg[256], name[TUNNEL_NAME_MAX];
	struct tunnel *t;

	if (!vici_find(data, len, "msg", msg, sizeof(msg)))
		return;
	if (!strncmp(msg, "looking for peer configs", 24)) {
		on_peer_lookup(v, msg);
		return;
	}
	if (!strncmp(msg, "no IKE config found", 19)) {
		on_no_config(v, msg);
		return;
	}
	if (!vici_find(data, len, "ikesa-name", name, sizeof(name)))
		return;
	t = tunnel_find(v, name);
	if (t)
		tunnel_log_line(t, msg);
}

/* Rekeying makes new unique ids; what stands then is best read. */
static void on_rekey(struct vpn *v, const struct sa_row *r)
{
	struct tunnel *t = tunnel_find(v, r->name);

	if (t)
		tunnel_recheck(t, v->now);
}

static void on_updown(struct vpn *v, const struct sa_row *r, bool child)
{
	struct tunnel *t = tunnel_find(v, r->name);

	if (!t && r->up && v->known && vpn_name_ours(v, r->name)) {
		t = tunnel_get(v, r->name);
		vpn_say(v, LOG_LVL_NOTICE, "%s came up in charon but nobody wants it: taking it down",
			r->name);
	}
	if (t)
		tunnel_sa_event(t, r, child);
}

static void on_event(void *user, const char *name, const uint8_t *data, size_t len)
{
	struct charon *c = user;
	struct vpn *v = c->v;
	struct sa_row r;
	struct tunnel *t;

	if (!strcmp(name, "log")) {
		on_log(v, data, len);
		return;
	}
	if (!vpn_row_parse(data, len, &r))
		return;
	if (!strcmp(name, "list-sa")) {
		t = vpn_name_ours(v, r.name) && v->auditing ? tunnel_get(v, r.name) : tunnel_find(v, r.name);
		if (t)
			tunnel_seen(t, &r);
	} else if (!strcmp(name, "ike-updown") || !strcmp(name, "child-updown")) {
		on_updown(v, &r, name[0] == 'c');
	} else {
		on_rekey(v, &r);
	}
}

static void on_closed(void *user, const char *why)
{
	struct charon *c = user;

	c->lost = true;
	snprintf(c->why, sizeof(c->why), "%s", why);
}

static const struct vici_conn_ops conn_ops = {on_reply, on_event, on_closed};

/* --- connections --- */

static void reopen_later(struct vpn *v)
{
	uint64_t wait = REOPEN_MIN_MS;

	for (unsigned i = 0; i < v->reopen_tries && wait < REOPEN_MAX_MS; i++)
		wait *= 2;
	v->reopen_tries++;
	v->reopen_at = v->now + vpn_jitter(wait < REOPEN_MAX_MS ? wait : REOPEN_MAX_MS);
	vpn_timer(v, v->reopen_at);
}

static void commands_drop(struct vpn *v)
{
	struct command *cmd, *tmp;

	HASH_ITER(hh, v->commands, cmd, tmp)
	{
		HASH_DEL(v->commands, cmd);
		free(cmd);
	}
}

void charon_close(struct vpn *v)
{
	for (int i = 0; i < VPN_CHARON_CONNS; i++) {
		vici_conn_free(v->charon[i].c);
		v->charon[i].c = NULL;
		v->charon[i].lost = false;
	}
	commands_drop(v);
	v->auditing = v->known = false;
	memset(&v->early, 0, sizeof(v->early));
}

static void lose(struct vpn *v, const char *why)
{
	struct tunnel *t, *tmp;
	bool was_known = v->known;

	charon_close(v);
	counter_inc("vpn.charon.lost");
	if (was_known || !v->reopen_tries)
		vpn_say(v, LOG_LVL_WARN, "charon does not answer (%s): trying again", why);
	HASH_ITER(hh, v->tunnels, t, tmp)
	tunnel_lost(t);
	reopen_later(v);
}

static void stand_up(struct vpn *v)
{
	for (size_t i = 0; i < sizeof(subscriptions) / sizeof(subscriptions[0]); i++)
		vici_conn_subscribe(v->charon[EVENTS].c, subscriptions[i], v->now);
	audit_begin(v);
}

void vpn_charon_fd(struct vpn *v, unsigned which, int fd, uint64_t now_ms)
{
	struct charon *c;

	v->now = now_ms;
	if (which >= VPN_CHARON_CONNS)
		return;
	c = &v->charon[which];
	c->wanted_open = false;
	vici_conn_free(c->c);
	c->c = fd >= 0 ? vici_conn_new(fd, &conn_ops, c) : NULL;
	if (!c->c) {
		lose(v, "no connection");
		return;
	}
	if (v->charon[COMMANDS].c && v->charon[EVENTS].c)
		stand_up(v);
}

static void open_missing(struct vpn *v)
{
	for (unsigned i = 0; i < VPN_CHARON_CONNS; i++) {
		if (v->charon[i].c || v->charon[i].wanted_open || v->now < v->reopen_at)
			continue;
		v->charon[i].wanted_open = true;
		v->ops.charon_open(v->user, i);
	}
}

void charon_tick(struct vpn *v)
{
	for (unsigned i = 0; i < VPN_CHARON_CONNS; i++) {
		if (v->charon[i].c)
			vici_conn_tick(v->charon[i].c, v->now);
	}
	for (unsigned i = 0; i < VPN_CHARON_CONNS; i++) {
		if (v->charon[i].lost) {
			lose(v, v->charon[i].why);
			break;
		}
	}
	open_missing(v);
	if (v->known && v->now >= v->audit_at && !v->auditing)
		audit_begin(v);
}

/* Sends at once what has been queued, and does not wait for the loop to come round. */
void charon_flush(struct vpn *v)
{
	for (unsigned i = 0; i < VPN_CHARON_CONNS; i++) {
		if (v->charon[i].c && vici_conn_wants_write(v->charon[i].c))
			vici_conn_io(v->charon[i].c, false, true, v->now);
	}
}
