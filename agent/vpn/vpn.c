/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VPN room's door (vpn.h) and its clockwork: whoever changes something marks tunnels and sessions dirty;
 * run() reconciles until nothing is dirty. Callbacks may call back in: the run under way then takes their
 * changes along.
 */
#include "agent/vpn/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto.h"

void vpn_say(struct vpn *v, enum log_level level, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	v->ops.event(v->user, (int)level, text);
}

void vpn_timer(struct vpn *v, uint64_t at)
{
	if (at < v->timers_at)
		v->timers_at = at;
}

uint64_t vpn_jitter(uint64_t ms)
{
	uint32_t r = 0;

	crypto_random(&r, sizeof(r));
	return ms - ms / 4 + r % (ms / 2 + 1);
}

static void defaults_fill(struct vpn_config *c)
{
	if (!c->prefix[0])
		snprintf(c->prefix, sizeof(c->prefix), "mipvpn");
	if (!c->audit_ms)
		c->audit_ms = 30000;
	if (!c->initiate_max)
		c->initiate_max = 24;
	if (!c->initiate_timeout_ms)
		c->initiate_timeout_ms = 3000;
	if (!c->responder_wait_ms)
		c->responder_wait_ms = 15000;
	if (!c->restore_ms)
		c->restore_ms = 20000;
	if (!c->dpd_delay_s)
		c->dpd_delay_s = 5;
	if (!c->settle_ms)
		c->settle_ms = 20;
}

struct vpn *vpn_new(const struct vpn_config *c, const struct vpn_ops *ops, void *user, uint64_t now_ms)
{
	struct vpn *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->cfg = *c;
	defaults_fill(&v->cfg);
	v->ops = *ops;
	v->user = user;
	v->now = now_ms;
	v->timers_at = v->audit_at = NEVER;
	v->reopen_at = now_ms;
	crypto_random(&v->next_mark, sizeof(v->next_mark));
	crypto_random(&v->next_salt, sizeof(v->next_salt));
	TAILQ_INIT(&v->dirty_tunnels);
	TAILQ_INIT(&v->waiting);
	TAILQ_INIT(&v->dirty_sessions);
	for (int i = 0; i < VPN_CHARON_CONNS; i++)
		v->charon[i].v = v;
	return v;
}

/* Nobody is to hear anything any more. */
static void net_quiet(void *user, const struct nh_request *r, uint64_t cookie)
{
	(void)user;
	(void)r;
	(void)cookie;
}

void vpn_free(struct vpn *v)
{
	struct session *s, *stmp;
	struct tunnel *t, *ttmp;

	if (!v)
		return;
	v->ops.net = net_quiet;
	charon_close(v);
	HASH_ITER(hh, v->sessions, s, stmp)
	session_free(v, s);
	HASH_ITER(hh, v->tunnels, t, ttmp)
	tunnel_free(t);
	path_free(v);
	if (v->defaults)
		crypto_wipe(v->defaults, v->n_defaults * sizeof(*v->defaults));
	free(v->defaults);
	free(v);
}

/* --- clockwork --- */

static void run_tunnels(struct vpn *v)
{
	struct tunnel *t;

	while ((t = TAILQ_FIRST(&v->dirty_tunnels))) {
		TAILQ_REMOVE(&v->dirty_tunnels, t, dirty);
		t->is_dirty = false;
		tunnel_run(t);
	}
}

static void run(struct vpn *v, bool reports)
{
	struct session *s;

	if (v->running)
		return;
	v->running = true;
	run_tunnels(v);
	while (reports && (s = TAILQ_FIRST(&v->dirty_sessions))) {
		TAILQ_REMOVE(&v->dirty_sessions, s, dirty);
		s->is_dirty = false;
		session_settle(v, s);
		run_tunnels(v);
	}
	early_run(v);
	charon_flush(v);
	v->running = false;
}

static void timers(struct vpn *v)
{
	struct tunnel *t, *ttmp;
	struct session *s, *stmp;

	v->timers_at = NEVER;
	HASH_ITER(hh, v->tunnels, t, ttmp)
	{
		tunnel_timers(t);
		vpn_timer(v, tunnel_next(t));
	}
	HASH_ITER(hh, v->sessions, s, stmp)
	{
		if (v->now >= session_next(s))
			session_dirty(v, s);
		else
			vpn_timer(v, session_next(s));
	}
}

void vpn_tick(struct vpn *v, uint64_t now_ms)
{
	v->now = now_ms;
	charon_tick(v);
	if (now_ms >= v->timers_at)
		timers(v);
	run(v, true);
}

static uint64_t charon_next(const struct vpn *v)
{
	uint64_t next = v->known && !v->auditing ? v->audit_at : NEVER;

	for (int i = 0; i < VPN_CHARON_CONNS; i++) {
		const struct charon *c = &v->charon[i];
		uint64_t at = c->lost	       ? 0
			      : c->c	       ? vici_conn_next(c->c)
			      : c->wanted_open ? NEVER
					       : v->reopen_at;

		if (at < next)
			next = at;
	}
	return next;
}

uint64_t vpn_next(const struct vpn *v)
{
	uint64_t next = charon_next(v);

	if (!TAILQ_EMPTY(&v->dirty_sessions) || !TAILQ_EMPTY(&v->dirty_tunnels))
		return 0;
	return v->timers_at < next ? v->timers_at : next;
}

/* --- charon --- */

int vpn_charon_poll(const struct vpn *v, unsigned which, bool *want_write)
{
	const struct vici_conn *c = which < VPN_CHARON_CONNS ? v->charon[which].c : NULL;

	*want_write = c && vici_conn_wants_write(c);
	return c ? vici_conn_fd(c) : -1;
}

void vpn_charon_io(struct vpn *v, unsigned which, bool readable, bool writable, uint64_t now_ms)
{
	v->now = now_ms;
	if (which >= VPN_CHARON_CONNS || !v->charon[which].c)
		return;
	vici_conn_io(v->charon[which].c, readable, writable, now_ms);
	charon_tick(v);
	run(v, true);
}

unsigned vpn_ready(const struct vpn *v)
{
	return v->known ? 1 : 0;
}

void vpn_resync(struct vpn *v, uint64_t now_ms)
{
	v->now = now_ms;
	charon_audit(v);
	charon_flush(v);
}

/* --- sessions --- */

static int install(struct vpn *v, const char *session, const struct vpn_profile *p, size_t n, bool late,
		   uint32_t deadline_ms, uint64_t now_ms, char *err, size_t err_len)
{
	int rc;

	v->now = now_ms;
	rc = session_install(v, session, p, n, late, deadline_ms, err, err_len);
	run(v, false);
	return rc;
}

int vpn_install(struct vpn *v, const char *session, const struct vpn_profile *p, size_t n,
		uint32_t deadline_ms, uint64_t now_ms, char *err, size_t err_len)
{
	return install(v, session, p, n, false, deadline_ms, now_ms, err, err_len);
}

int vpn_install_late(struct vpn *v, const char *session, const struct vpn_profile *p, size_t n,
		     uint32_t deadline_ms, uint64_t now_ms, char *err, size_t err_len)
{
	return install(v, session, p, n, true, deadline_ms, now_ms, err, err_len);
}

int vpn_move(struct vpn *v, const char *session, struct in_addr from, struct in_addr to, uint32_t deadline_ms,
	     uint64_t now_ms, char *err, size_t err_len)
{
	int rc;

	v->now = now_ms;
	rc = session_move(v, session, from, to, deadline_ms, err, err_len);
	run(v, false);
	return rc;
}

int vpn_handoff(struct vpn *v, const char *session, const char *from, struct in_addr peer, bool newcomer,
		const struct vpn_key *key, uint32_t deadline_ms, uint64_t now_ms, char *err, size_t err_len)
{
	int rc;

	v->now = now_ms;
	rc = session_handoff(v, session, from, peer, newcomer, key, deadline_ms, err, err_len);
	run(v, false);
	return rc;
}

void vpn_leave(struct vpn *v, const char *session, uint32_t linger_ms, uint64_t now_ms)
{
	struct session *s = session_find(v, session);

	v->now = now_ms;
	if (s)
		session_leave(v, s, linger_ms);
	run(v, false);
}

void vpn_remove(struct vpn *v, const char *session, uint64_t now_ms)
{
	struct session *s = session_find(v, session);

	v->now = now_ms;
	if (s)
		session_free(v, s);
	run(v, false);
}

void vpn_quit(struct vpn *v, uint64_t now_ms)
{
	v->now = now_ms;
	v->quitting = true;
	v->early.failed = false;
	run(v, false);
}

void vpn_net_done(struct vpn *v, uint64_t cookie, int error, const char *text, uint64_t now_ms)
{
	v->now = now_ms;
	path_done(v, cookie, error, text);
	run(v, true);
}

bool vpn_idle(const struct vpn *v)
{
	return !v->sessions && !v->tunnels && !v->flows && !v->protects && !v->net_ops && !v->early.loaded &&
	       !v->early.busy;
}

/* --- preset relations (E6) --- */

const struct vpn_default_spi *vpn_default_find(const struct vpn *v, struct in_addr peer, uint32_t spi)
{
	for (size_t i = 0; i < v->n_defaults; i++) {
		if (v->defaults[i].peer.s_addr == peer.s_addr && v->defaults[i].spi == spi)
			return &v->defaults[i];
	}
	return NULL;
}

static struct vpn_default_spi *default_slot(struct vpn *v, const struct vpn_default_spi *d)
{
	struct vpn_default_spi *more, *have = (struct vpn_default_spi *)vpn_default_find(v, d->peer, d->spi);

	if (have)
		return have;
	more = calloc(v->n_defaults + 1, sizeof(*more));
	if (!more)
		return NULL;
	if (v->defaults) {
		memcpy(more, v->defaults, v->n_defaults * sizeof(*more));
		crypto_wipe(v->defaults, v->n_defaults * sizeof(*more));
		free(v->defaults);
	}
	v->defaults = more;
	return &more[v->n_defaults++];
}

/* Tunnels that stand go on with what they were set up with; those that failed for want of it try at once. */
void vpn_default_spi_set(struct vpn *v, const struct vpn_default_spi *d, uint64_t now_ms)
{
	struct vpn_default_spi *slot;
	struct tunnel *t, *tmp;

	v->now = now_ms;
	slot = default_slot(v, d);
	if (!slot)
		return;
	*slot = *d;
	HASH_ITER(hh, v->tunnels, t, tmp)
	{
		if (t->peer.s_addr == d->peer.s_addr && !tunnel_is_up(t))
			tunnel_retry_now(t);
	}
	run(v, false);
}
