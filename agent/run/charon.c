/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Wiring of the VPN room: descriptors to charon (opened by the helper, polled by the loop), network changes
 * to the helper, reports to the role that owns the session.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/run/agent.h"
#include "lib/counter.h"
#include "lib/crypto.h"

enum { RETRY_FIRST_MS = 100, RETRY_MOST_MS = 5000 };

/* --- connections --- */

static void unwatch(struct agent *g, unsigned which)
{
	loop_io_del(g->charon_io[which]);
	g->charon_io[which] = NULL;
	g->charon_fd[which] = -1;
}

/* Asked for by the VPN room, at its start and whenever a connection is lost. */
static void on_open(void *user, unsigned which)
{
	struct agent *g = user;

	unwatch(g, which);
	if (!g->nh_gone)
		net_ask_charon(g, which);
}

/* Doubling, with a jitter of a quarter so that agents that share a charon do not come all at once. */
static uint64_t backoff(unsigned tries)
{
	uint64_t ms = RETRY_FIRST_MS;
	uint16_t r = 0;

	for (unsigned i = 0; i < tries && ms < RETRY_MOST_MS; i++)
		ms *= 2;
	crypto_random(&r, sizeof(r));
	return ms + ms * r / (4 * 65536);
}

void charon_opened(struct agent *g, unsigned which, int fd, int error, const char *text)
{
	uint64_t now = loop_now(g->loop);

	if (!error && fd >= 0) {
		g->charon_tries[which] = 0;
		g->charon_complained = false;
		vpn_charon_fd(g->vpn, which, fd, now);
		return;
	}
	if (!g->charon_complained)
		agent_note(g, LOG_LVL_WARN, "charon: %s (will be tried again)",
			   text[0] ? text : "not reachable");
	g->charon_complained = true;
	counter_inc("run.charon.unreachable");
	g->charon_retry_at[which] = now + backoff(g->charon_tries[which]++);
}

static void charon_io(struct agent *g, unsigned which, bool readable, bool writable)
{
	vpn_charon_io(g->vpn, which, readable, writable, loop_now(g->loop));
}

static void on_io_0(void *user, bool readable, bool writable)
{
	charon_io(user, 0, readable, writable);
}
static void on_io_1(void *user, bool readable, bool writable)
{
	charon_io(user, 1, readable, writable);
}

static void watch(struct agent *g, unsigned which)
{
	static void (*const on_io[VPN_CHARON_CONNS])(void *, bool, bool) = {on_io_0, on_io_1};
	bool want_write = false;
	int fd = vpn_charon_poll(g->vpn, which, &want_write);

	if (fd != g->charon_fd[which]) {
		unwatch(g, which);
		if (fd >= 0) {
			g->charon_io[which] = loop_io_add(g->loop, fd, on_io[which], g);
			g->charon_fd[which] = fd;
		}
	}
	if (g->charon_io[which])
		loop_io_want_write(g->charon_io[which], want_write);
}

void charon_turn(struct agent *g)
{
	uint64_t now = loop_now(g->loop);

	for (unsigned which = 0; which < VPN_CHARON_CONNS; which++) {
		if (g->charon_retry_at[which] <= now && !g->stopping) {
			g->charon_retry_at[which] = LOOP_NEVER;
			vpn_charon_fd(g->vpn, which, -1, now); /* it asks again */
		}
		watch(g, which);
	}
}

uint64_t charon_next(const struct agent *g)
{
	uint64_t next = LOOP_NEVER;

	for (unsigned which = 0; which < VPN_CHARON_CONNS; which++) {
		if (g->charon_retry_at[which] < next)
			next = g->charon_retry_at[which];
	}
	return next;
}

/* --- the other callbacks --- */

static void on_net(void *user, const struct nh_request *r, uint64_t cookie)
{
	net_ask_vpn(user, r, cookie);
}

static void on_report(void *user, const char *session, enum vpn_report what, const char *text)
{
	static const enum role_event_type type[] = {[VPN_REPORT_UP] = EV_VPN_UP,
						    [VPN_REPORT_FAILED] = EV_VPN_FAILED,
						    [VPN_REPORT_DOWN] = EV_VPN_DOWN,
						    [VPN_REPORT_CARRIES] = EV_VPN_CARRIES};
	struct agent *g = user;

	/* A session is one role's; the others do not know it and do nothing. */
	if (g->fa)
		agent_later(g, ROLE_FA, type[what], session, 0, text);
	if (agent_is_handoff(session))
		return;
	if (g->ha)
		agent_later(g, ROLE_HA, type[what], session, 0, text);
	if (g->pcn)
		agent_later(g, ROLE_PCN, type[what], session, 0, text);
}

static void on_event(void *user, int level, const char *text)
{
	agent_note(user, (enum log_level)level, "vpn: %s", text);
}

int charon_start(struct agent *g)
{
	static const struct vpn_ops ops = {
		.charon_open = on_open, .net = on_net, .report = on_report, .event = on_event};

	for (unsigned which = 0; which < VPN_CHARON_CONNS; which++) {
		g->charon_fd[which] = -1;
		g->charon_retry_at[which] = LOOP_NEVER;
	}
	g->vpn = vpn_new(&g->conf->vpn_room, &ops, g, loop_now(g->loop));
	return g->vpn ? 0 : -1;
}

void charon_stop(struct agent *g)
{
	if (!g->vpn)
		return;
	for (unsigned which = 0; which < VPN_CHARON_CONNS; which++)
		unwatch(g, which);
	vpn_free(g->vpn);
	g->vpn = NULL;
}
