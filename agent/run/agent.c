/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The hub: events into the roles, their actions out, timers.  See agent.h for the map of the room.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <utlist.h>

#include "agent/run/agent.h"
#include "agent/run/notify.h"
#include "lib/counter.h"

uint64_t agent_wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void agent_note(struct agent *g, enum log_level level, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	journal_add(g->journal, agent_wall_ms(), level, text);
	switch (level) {
	case LOG_LVL_DEBUG:
		log_debug("agent", "%s", text);
		break;
	case LOG_LVL_INFO:
		log_info("agent", "%s", text);
		break;
	case LOG_LVL_NOTICE:
		log_notice("agent", "%s", text);
		break;
	case LOG_LVL_WARN:
		log_warn("agent", "%s", text);
		break;
	case LOG_LVL_ERROR:
		log_error("agent", "%s", text);
		break;
	}
}

/* --- events --- */

void agent_event(struct agent *g, enum role_id role, struct role_event *e)
{
	struct actions as = {0};

	e->wall_ms = agent_wall_ms();
	if (role == ROLE_FA && g->fa)
		fa_event(g->fa, e, loop_now(g->loop), &as);
	else if (role == ROLE_HA && g->ha)
		ha_event(g->ha, e, loop_now(g->loop), &as);
	else if (role == ROLE_PCN && g->pcn)
		pcn_event(g->pcn, e, loop_now(g->loop), &as);
	else
		counter_inc("run.event.no_role");
	actions_run(g, role, &as);
	actions_clear(&as);
}

struct later {
	enum role_id role;
	enum role_event_type type;
	uint32_t result;
	char session[ROLE_SESSION_MAX], text[ROLE_SESSION_MAX];
	struct later *prev, *next;
};

void agent_later(struct agent *g, enum role_id role, enum role_event_type type, const char *session,
		 uint32_t result, const char *text)
{
	struct later *l = calloc(1, sizeof(*l));

	if (!l) {
		counter_inc("run.event.no_memory"); /* the role's own deadline clears up */
		return;
	}
	l->role = role;
	l->type = type;
	l->result = result;
	snprintf(l->session, sizeof(l->session), "%s", session ? session : "");
	snprintf(l->text, sizeof(l->text), "%s", text ? text : "");
	DL_APPEND(g->later, l);
}

static void later_events(struct agent *g)
{
	struct later *l;

	while ((l = g->later)) {
		struct role_event e = {
			.type = l->type, .session = l->session, .text = l->text, .result = l->result};

		DL_DELETE(g->later, l);
		agent_event(g, l->role, &e);
		free(l);
	}
}

/* --- roles --- */

static bool link_ready(const struct link *l)
{
	return l->fd >= 0 && l->ifindex;
}

void agent_fa_config(struct agent *g, struct fa_config *out)
{
	*out = g->conf->fa.v->role;
	snprintf(out->diameter_host, sizeof(out->diameter_host), "%s", g->aaa ? aaa_identity(g->aaa) : "");
	snprintf(out->diameter_realm, sizeof(out->diameter_realm), "%s", g->aaa ? aaa_realm(g->aaa) : "");
	out->own_addrs = g->own_addrs;
	out->n_own_addrs = g->n_own_addrs;
	for (size_t i = 0; i < g->n_links; i++) {
		const struct link *l = &g->links[i];
		struct fa_link *fl = &out->links[out->n_links];

		if (l->home || !link_ready(l))
			continue;
		*fl = (struct fa_link){.ifindex = l->ifindex, .addr = l->addr, .prefix_len = l->prefix_len};
		memcpy(fl->name, l->name, sizeof(fl->name));
		memcpy(fl->mac, l->mac, sizeof(fl->mac));
		out->n_links++;
	}
}

void agent_ha_config(struct agent *g, struct ha_config *out)
{
	*out = g->conf->ha.v->role;
	snprintf(out->diameter_host, sizeof(out->diameter_host), "%s", g->aaa ? aaa_identity(g->aaa) : "");
	snprintf(out->diameter_realm, sizeof(out->diameter_realm), "%s", g->aaa ? aaa_realm(g->aaa) : "");
	for (size_t i = 0; i < g->n_links; i++) {
		const struct link *l = &g->links[i];

		if (!l->home || !link_ready(l))
			continue;
		out->home_ifindex = l->ifindex;
		out->home_addr = l->addr;
		memcpy(out->home_mac, l->mac, sizeof(out->home_mac));
	}
}

/* Both at the start and later: makes the role, or tells it of a new configuration. */
static int roles_configure(struct agent *g)
{
	uint64_t now = loop_now(g->loop);

	if (g->conf->fa.n) {
		struct fa_config c;

		agent_fa_config(g, &c);
		if (g->fa)
			fa_reconfigure(g->fa, &c, now);
		else if (!(g->fa = fa_new(&c, now)))
			return -1;
	}
	if (g->conf->ha.n) {
		struct ha_config c;

		agent_ha_config(g, &c);
		if (g->ha)
			ha_reconfigure(g->ha, &c, now);
		else if (!(g->ha = ha_new(&c, now)))
			return -1;
	}
	if (g->conf->pcn.n) {
		const struct pcn_config *c = &g->conf->pcn.v->role;

		if (g->pcn)
			pcn_reconfigure(g->pcn, c, now);
		else if (!(g->pcn = pcn_new(c, now)))
			return -1;
	}
	diameter_patience(g);
	return 0;
}

int agent_roles_start(struct agent *g)
{
	return roles_configure(g);
}

void agent_links_changed(struct agent *g)
{
	g->n_own_addrs = links_own_addrs(g->own_addrs, sizeof(g->own_addrs) / sizeof(g->own_addrs[0]));
	if (!g->stopping && (g->fa || g->ha))
		roles_configure(g);
}

static size_t rows_max(const struct agent *g, enum role_id role)
{
	if (role == ROLE_FA && g->fa)
		return g->conf->fa.v->role.visitors_max + g->conf->fa.v->role.pending_max;
	if (role == ROLE_HA && g->ha)
		return g->conf->ha.v->role.bindings_max;
	return role == ROLE_PCN && g->pcn ? g->conf->pcn.v->role.entries_max : 0;
}

struct role_row *agent_rows(struct agent *g, enum role_id role, size_t *n)
{
	size_t max = rows_max(g, role);
	struct role_row *rows = calloc(max + 1, sizeof(*rows));

	*n = 0;
	if (rows && role == ROLE_FA && g->fa)
		*n = fa_rows(g->fa, loop_now(g->loop), rows, max);
	else if (rows && role == ROLE_HA && g->ha)
		*n = ha_rows(g->ha, loop_now(g->loop), rows, max);
	else if (rows && role == ROLE_PCN && g->pcn)
		*n = pcn_rows(g->pcn, loop_now(g->loop), rows, max);
	return rows;
}

bool agent_owns(struct agent *g, enum role_id role, const char *session)
{
	size_t n;
	struct role_row *rows;
	bool found = false;

	if (whose_is_handoff(session))
		return role == ROLE_FA && g->fa;
	rows = agent_rows(g, role, &n);

	for (size_t i = 0; rows && i < n && !found; i++)
		found = strcmp(rows[i].session, session) == 0;
	free(rows);
	return found;
}

/* --- reload --- */

static void respi(struct agent *g, const struct config *old, const struct config *wanted)
{
	uint64_t now = loop_now(g->loop);

	for (size_t i = 0; old && i < old->default_spi.n; i++) {
		struct vpn_default_spi gone = old->spis[i];

		gone.key.len = 0;
		vpn_default_spi_set(g->vpn, &gone, now);
	}
	for (size_t i = 0; i < wanted->default_spi.n; i++)
		vpn_default_spi_set(g->vpn, &wanted->spis[i], now);
}

void agent_spis_apply(struct agent *g)
{
	respi(g, NULL, g->conf);
}

int agent_reload(struct agent *g, struct conf_errors *errs)
{
	struct config *wanted = NULL, *old = g->conf;
	const char *fixed;

	if (config_load(g->conf_path, &wanted, errs))
		return -1;
	fixed = config_fixed_change(old, wanted);
	if (fixed) {
		conf_errors_add(errs, "%s: %s: cannot change while the agent runs; restart it", g->conf_path,
				fixed);
		config_free(wanted);
		return -1;
	}
	g->conf = wanted;
	log_set_level(wanted->log_level);
	respi(g, old, wanted);
	net_prefixes(g, old, wanted);
	roles_configure(g);
	config_free(old);
	agent_note(g, LOG_LVL_NOTICE, "configuration read again");
	return 0;
}

/* --- timers --- */

static void role_timers(struct agent *g, uint64_t now)
{
	struct role_event fa = {.type = EV_TIMER}, ha = {.type = EV_TIMER}, pcn = {.type = EV_TIMER};

	if (g->fa && fa_next(g->fa) <= now)
		agent_event(g, ROLE_FA, &fa);
	if (g->ha && ha_next(g->ha) <= now)
		agent_event(g, ROLE_HA, &ha);
	if (g->pcn && pcn_next(g->pcn) <= now)
		agent_event(g, ROLE_PCN, &pcn);
	if (vpn_next(g->vpn) <= now)
		vpn_tick(g->vpn, now);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool all_down(struct agent *g)
{
	return vpn_idle(g->vpn) && (g->nh_gone || !nh_client_waiting(g->nh)) && !g->n_held &&
	       (!g->aaa || aaa_idle(g->aaa));
}

/* How often a shutdown looks whether the sender thread has got rid of the STRs: nothing wakes the loop for
 * that. */
#define STOP_LOOK_MS 20

void agent_turn(struct agent *g)
{
	uint64_t now = loop_now(g->loop), next = LOOP_NEVER;

	later_events(g);
	net_turn(g);
	later_events(g);
	charon_turn(g);
	agent_say_ready(g);
	if (g->stopping && (all_down(g) || now >= g->stop_deadline_ms)) {
		if (!all_down(g))
			log_warn("agent", "not everything could be taken down in time");
		loop_stop(g->loop);
	}
	if (g->fa)
		next = earlier(next, fa_next(g->fa));
	if (g->ha)
		next = earlier(next, ha_next(g->ha));
	if (g->pcn)
		next = earlier(next, pcn_next(g->pcn));
	next = earlier(next, earlier(vpn_next(g->vpn), charon_next(g)));
	if (g->stopping)
		next = earlier(next, now + STOP_LOOK_MS);
	loop_timer_at(g->tick, next);
}

void agent_tick(void *user)
{
	struct agent *g = user;

	role_timers(g, loop_now(g->loop));
	agent_turn(g);
}

/* --- ready, and the end --- */

bool agent_ready(const struct agent *g)
{
	bool peer = !g->aaa;

	for (size_t i = 0; i < g->n_peers; i++)
		peer = peer || g->peers[i].open;
	for (size_t i = 0; i < g->n_links; i++) {
		if (!link_ready(&g->links[i]))
			return false;
	}
	return peer && vpn_ready(g->vpn) && !g->nh_gone;
}

void agent_say_ready(struct agent *g)
{
	bool ready = agent_ready(g) && !g->stopping;

	if (ready == g->was_ready)
		return;
	g->was_ready = ready;
	if (!g->stopping)
		agent_note(g, ready ? LOG_LVL_NOTICE : LOG_LVL_WARN,
			   ready ? "ready" : "not ready: see mipvpnctl show status");
	notify_send(ready ? "STATUS=ready" : "STATUS=waiting for charon, a Diameter peer or a link");
}

void agent_stop(struct agent *g, bool failed)
{
	uint64_t now = loop_now(g->loop);
	struct actions as = {0};

	g->failed = g->failed || failed;
	if (g->stopping)
		return;
	g->stopping = true;
	g->stop_deadline_ms = now + (g->nh_gone ? 500 : AGENT_STOP_MS);
	notify_send("STOPPING=1\nSTATUS=taking everything down");
	agent_note(g, LOG_LVL_NOTICE, "stopping");
	vpn_quit(g->vpn, now);
	if (g->fa)
		fa_shutdown(g->fa, now, &as);
	actions_run(g, ROLE_FA, &as);
	actions_clear(&as);
	if (g->ha)
		ha_shutdown(g->ha, now, &as);
	actions_run(g, ROLE_HA, &as);
	actions_clear(&as);
	if (g->pcn)
		pcn_shutdown(g->pcn, now, &as);
	actions_run(g, ROLE_PCN, &as);
	actions_clear(&as);
	agent_turn(g);
}
