/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Diameter boundary's values -> events of the roles.
 */
#include <string.h>

#include "agent/run/agent.h"
#include "lib/counter.h"

/* Any thread. */
void diameter_wake(void *user)
{
	loop_wake_send(((struct agent *)user)->aaa_wake);
}

void diameter_patience(struct agent *g)
{
	const struct config *c = g->conf;
	uint32_t most = 0;

	if (c->fa.n)
		most = c->fa.v->role.vpn_timeout_ms;
	if (c->ha.n && c->ha.v->role.vpn_timeout_ms > most)
		most = c->ha.v->role.vpn_timeout_ms;
	if (g->aaa)
		aaa_set_patience(g->aaa, 2 * most + 2000);
}

static void on_ama(struct agent *g, const struct aaa_event *in)
{
	struct role_event e = {
		.type = EV_AMA, .session = in->session, .result = in->ama->result, .ama = in->ama};

	agent_event(g, ROLE_FA, &e);
}

static void on_failed(struct agent *g, const struct aaa_event *in)
{
	struct role_event e = {
		.type = EV_AAA_FAILED, .session = in->session, .result = in->result, .text = in->text};

	agent_event(g, ROLE_FA, &e);
}

static void on_har(struct agent *g, const struct aaa_event *in)
{
	struct role_event e = {.type = EV_HAR, .session = in->session, .token = in->token, .har = in->har};
	struct dm_haa no = {.result = DM_HA_NOT_AVAILABLE};

	if (g->ha && !g->stopping) {
		agent_event(g, ROLE_HA, &e);
		return;
	}
	counter_inc("run.har.no_role");
	snprintf(no.session, sizeof(no.session), "%s", in->session);
	snprintf(no.error, sizeof(no.error), "%s", g->ha ? "shutting down" : "not a home agent");
	aaa_haa(g->aaa, in->token, &no);
}

/* A session belongs to one role.  Whoever does not know it answers so. */
static void on_asr(struct agent *g, const struct aaa_event *in)
{
	struct role_event e = {.type = EV_ASR, .session = in->session, .token = in->token};

	if (g->fa && (!g->ha || agent_owns(g, ROLE_FA, in->session)))
		agent_event(g, ROLE_FA, &e);
	else
		agent_event(g, ROLE_HA, &e);
}

/* Of whoever has the session.  Who is neither role's is told so by either. */
static void on_vur(struct agent *g, const struct aaa_event *in)
{
	struct role_event e = {.type = EV_VUR, .session = in->session, .token = in->token, .har = in->har};
	struct dm_haa no = {.result = DM_TOO_BUSY, .error = "shutting down"};

	if (g->stopping) {
		snprintf(no.session, sizeof(no.session), "%s", in->session);
		aaa_vua(g->aaa, in->token, &no);
	} else if (g->fa && (!g->ha || agent_owns(g, ROLE_FA, in->session))) {
		agent_event(g, ROLE_FA, &e);
	} else {
		agent_event(g, ROLE_HA, &e);
	}
}

static void on_sta(struct agent *g, const struct aaa_event *in)
{
	if (in->result == DM_SUCCESS || in->result == DM_UNKNOWN_SESSION)
		return;
	agent_note(g, LOG_LVL_WARN, "%s: the AAAH did not take the end of the session: %u %s", in->session,
		   in->result, in->text);
}

static struct peer_state *find_peer(struct agent *g, const char *name)
{
	for (size_t i = 0; i < g->n_peers; i++) {
		if (strcmp(g->peers[i].name, name) == 0)
			return &g->peers[i];
	}
	if (g->n_peers == PEERS_MAX)
		return NULL;
	snprintf(g->peers[g->n_peers].name, sizeof(g->peers[0].name), "%s", name);
	g->peers[g->n_peers].open = false;
	return &g->peers[g->n_peers++];
}

static void on_peer(struct agent *g, const struct aaa_event *in)
{
	bool up = in->type == AAA_PEER_UP;
	size_t before = g->n_peers;
	struct peer_state *p = find_peer(g, in->text);

	if (!p)
		return;
	if (p->open != up || before != g->n_peers)
		agent_note(g, up ? LOG_LVL_NOTICE : LOG_LVL_WARN, "Diameter peer %s: %s", p->name,
			   up ? "open" : "not reachable (will be tried again)");
	p->open = up;
}

static void on_dead(struct agent *g, const struct aaa_event *in)
{
	agent_note(g, LOG_LVL_ERROR, "libfdcore has ended (%s): so does the agent", in->text);
	agent_stop(g, true);
}

static void (*const handlers[])(struct agent *g, const struct aaa_event *e) = {
	[AAA_AMA] = on_ama,	 [AAA_FAILED] = on_failed,  [AAA_HAR] = on_har,
	[AAA_VUR] = on_vur,	 [AAA_ASR] = on_asr,	    [AAA_STA] = on_sta,
	[AAA_PEER_UP] = on_peer, [AAA_PEER_DOWN] = on_peer, [AAA_DEAD] = on_dead,
};

void diameter_events(void *user)
{
	struct agent *g = user;
	struct aaa_event *e;

	while (g->aaa && (e = aaa_next_event(g->aaa))) {
		handlers[e->type](g, e);
		aaa_event_free(e);
	}
}
