/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the console can look at, as JSON (keys in camelCase, times in ISO 8601; mipvpnctl(1)).
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/run/agent.h"
#include "lib/counter.h"

static json_t *time_json(uint64_t wall_ms)
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	char text[40], whole[48];

	if (!wall_ms)
		return json_null();
	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(whole, sizeof(whole), "%s.%03uZ", text, (unsigned)(wall_ms % 1000));
	return json_string(whole);
}

static json_t *addr_json(struct in_addr a)
{
	char text[INET_ADDRSTRLEN];

	return json_string(inet_ntop(AF_INET, &a, text, sizeof(text)));
}

/* --- status --- */

static json_t *links_json(const struct agent *g)
{
	json_t *all = json_array();

	for (size_t i = 0; i < g->n_links; i++) {
		const struct link *l = &g->links[i];

		json_array_append_new(all, json_pack("{s:s, s:s, s:b, s:o}", "name", l->name, "kind",
						     l->home ? "home" : "visited", "open", l->fd >= 0,
						     "address", addr_json(l->addr)));
	}
	return all;
}

static json_t *peers_json(const struct agent *g)
{
	json_t *all = json_array();

	for (size_t i = 0; i < g->n_peers; i++)
		json_array_append_new(
			all, json_pack("{s:s, s:b}", "name", g->peers[i].name, "open", g->peers[i].open));
	return all;
}

static json_int_t count_rows(struct agent *g, enum role_id role)
{
	size_t n;

	free(agent_rows(g, role, &n));
	return (json_int_t)n;
}

static json_t *show_status(struct agent *g, bool show_keys)
{
	json_t *roles = json_array();

	if (g->fa)
		json_array_append_new(roles, json_string("fa"));
	if (g->ha)
		json_array_append_new(roles, json_string("ha"));
	if (g->pcn)
		json_array_append_new(roles, json_string("pcn"));
	return json_pack("{s:s, s:o, s:s, s:s, s:o, s:b, s:b, s:s, s:o, s:o, s:I, s:I}", "version",
			 PACKAGE_VERSION, "roles", roles, "identity", g->aaa ? aaa_identity(g->aaa) : "",
			 "realm", g->aaa ? aaa_realm(g->aaa) : "", "startedAt", time_json(g->started_wall_ms),
			 "ready", agent_ready(g), "charonAnswers", vpn_ready(g->vpn) != 0, "ipInIp",
			 g->kernel_ipip ? "kernel" : "userSpace", "links", links_json(g), "peers",
			 peers_json(g), "visitors", count_rows(g, ROLE_FA), "bindings",
			 count_rows(g, ROLE_HA) + count_rows(g, ROLE_PCN));
}

/* --- bindings and visitors --- */

static json_t *row_json(const struct role_row *r)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:s, s:I, s:I, s:o, s:i, s:b, s:s}", "nai", r->nai,
			 "homeAddress", addr_json(r->hoa), "careOfAddress", addr_json(r->coa), "homeAgent",
			 addr_json(r->ha), "state", r->state ? r->state : "", "lifetimeSeconds",
			 (json_int_t)r->lifetime_s, "leftSeconds", (json_int_t)r->left_s, "since",
			 time_json(r->since_wall_ms), "profiles", r->n_profiles, "reverseTunnel",
			 r->reverse_tunnel, "session", r->session);
}

static void append_rows(struct agent *g, enum role_id role, json_t *all)
{
	size_t n;
	struct role_row *rows = agent_rows(g, role, &n);

	for (size_t i = 0; rows && i < n; i++)
		json_array_append_new(all, row_json(&rows[i]));
	free(rows);
}

/* Those of a home agent, and what home agents have told a PCN. */
static json_t *show_bindings(struct agent *g, bool show_keys)
{
	json_t *all = json_array();

	append_rows(g, ROLE_HA, all);
	append_rows(g, ROLE_PCN, all);
	return all;
}

static json_t *show_visitors(struct agent *g, bool show_keys)
{
	json_t *all = json_array();

	append_rows(g, ROLE_FA, all);
	return all;
}

static bool row_is(const struct role_row *r, const char *text)
{
	char hoa[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &r->hoa, hoa, sizeof(hoa));
	return strcmp(r->nai, text) == 0 || strcmp(r->session, text) == 0 || strcmp(hoa, text) == 0;
}

size_t ctl_count_users(struct agent *g, const char *text)
{
	size_t found = 0;

	for (enum role_id role = ROLE_FA; role <= ROLE_PCN; role++) {
		size_t n;
		struct role_row *rows = agent_rows(g, role, &n);

		for (size_t i = 0; rows && i < n; i++)
			found += row_is(&rows[i], text);
		free(rows);
	}
	return found;
}

/* --- the rest --- */

struct told_json {
	json_t *sessions;
	bool show_keys;
};

/* The VPN room's object of this session, or a new one: a session with nothing but PCNs is none of its. */
static json_t *session_object(json_t *sessions, const char *session)
{
	json_t *o;
	size_t i;

	json_array_foreach(sessions, i, o)
	{
		if (strcmp(json_string_value(json_object_get(o, "session")), session) == 0)
			return o;
	}
	o = json_pack("{s:s, s:s, s:s, s:[]}", "session", session, "state", "told", "why", "", "profiles");
	json_array_append_new(sessions, o);
	return o;
}

static void add_told(void *user, const struct ha_told *t)
{
	struct told_json *to = user;
	json_t *profile = vpn_profile_json(t->profile, to->show_keys);

	json_object_set_new(profile, "role", json_string("teller"));
	json_object_set_new(profile, "desired", json_string("up"));
	json_object_set_new(profile, "observed", json_string(t->state));
	json_object_set_new(profile, "why", json_string(t->why));
	json_object_set_new(profile, "leftSeconds", json_integer(t->left_s));
	json_array_append_new(json_object_get(session_object(to->sessions, t->session), "profiles"), profile);
}

/* What this gateway does itself, and what it has told PCNs of. */
static json_t *vpns_json(struct agent *g, bool show_keys)
{
	struct told_json to = {vpn_json_vpns(g->vpn, show_keys), show_keys};

	if (g->ha)
		ha_told_each(g->ha, loop_now(g->loop), add_told, &to);
	return to.sessions;
}

static json_t *show_vpns(struct agent *g, bool show_keys)
{
	return vpns_json(g, show_keys);
}

static json_t *show_tunnels(struct agent *g, bool show_keys)
{
	/* For who looks again: counters are those of the last look at charon. */
	vpn_resync(g->vpn, loop_now(g->loop));
	return vpn_json_tunnels(g->vpn);
}

static json_t *event_json(const struct journal_entry *e)
{
	static const char *const words[] = {"debug", "info", "notice", "warning", "error"};

	return json_pack("{s:o, s:s, s:o}", "time", time_json(e->wall_ms), "level", words[e->level], "text",
			 json_stringn_nocheck(e->text, strlen(e->text)));
}

static json_t *show_events(struct agent *g, bool show_keys)
{
	json_t *all = json_array();

	for (size_t i = 0; i < journal_len(g->journal); i++)
		json_array_append_new(all, event_json(journal_at(g->journal, i)));
	return all;
}

static void counter_json(const char *name, uint64_t value, void *user)
{
	json_object_set_new(user, name, json_integer((json_int_t)value));
}

static json_t *show_counters(struct agent *g, bool show_keys)
{
	json_t *all = json_object();

	counter_each(counter_json, all);
	return all;
}

static const struct {
	const char *name;
	json_t *(*fn)(struct agent *g, bool show_keys);
} shows[] = {
	{"status", show_status},     {"bindings", show_bindings}, {"visitors", show_visitors},
	{"vpns", show_vpns},	     {"tunnels", show_tunnels},	  {"events", show_events},
	{"counters", show_counters},
};

json_t *ctl_show(struct agent *g, const char *what, bool show_keys)
{
	for (size_t i = 0; i < sizeof(shows) / sizeof(shows[0]); i++) {
		if (strcmp(shows[i].name, what) == 0)
			return shows[i].fn(g, show_keys);
	}
	return NULL;
}

/* --- explain --- */

enum { EXPLAIN_EVENTS = 10, EXPLAIN_SESSIONS = 8 };

/* The VPN room's view of one session. */
static json_t *vpns_of(const json_t *vpns, const char *session)
{
	const json_t *all = json_is_array(vpns) ? vpns : json_object_get(vpns, "sessions");
	size_t i;
	json_t *v;

	json_array_foreach(all, i, v)
	{
		const char *name = json_string_value(json_object_get(v, "session"));

		if (name && strcmp(name, session) == 0)
			return json_incref(v);
	}
	return json_null();
}

static json_t *registrations_of(struct agent *g, const char *nai, enum role_id role, const json_t *vpns,
				struct role_row *mine, size_t *n_mine)
{
	size_t n;
	struct role_row *rows = agent_rows(g, role, &n);
	json_t *all = json_array();

	for (size_t i = 0; rows && i < n; i++) {
		json_t *j;

		if (!row_is(&rows[i], nai))
			continue;
		j = row_json(&rows[i]);
		json_object_set_new(j, "vpns", vpns_of(vpns, rows[i].session));
		json_array_append_new(all, j);
		if (*n_mine < EXPLAIN_SESSIONS)
			mine[(*n_mine)++] = rows[i];
	}
	free(rows);
	return all;
}

static bool event_about(const struct journal_entry *e, const char *nai, const struct role_row *mine, size_t n)
{
	if (strstr(e->text, nai))
		return true;
	for (size_t i = 0; i < n; i++) {
		char hoa[INET_ADDRSTRLEN + 1];

		if (strstr(e->text, mine[i].session))
			return true;
		inet_ntop(AF_INET, &mine[i].hoa, hoa, sizeof(hoa));
		if (mine[i].hoa.s_addr && strstr(e->text, hoa))
			return true;
	}
	return false;
}

json_t *ctl_explain(struct agent *g, const char *nai)
{
	struct role_row mine[EXPLAIN_SESSIONS];
	size_t n = 0;
	json_t *vpns = vpns_json(g, false);
	json_t *visitors = registrations_of(g, nai, ROLE_FA, vpns, mine, &n);
	json_t *bindings = registrations_of(g, nai, ROLE_HA, vpns, mine, &n);
	json_t *told = registrations_of(g, nai, ROLE_PCN, vpns, mine, &n);
	json_t *events = json_array();

	for (size_t i = journal_len(g->journal); i-- > 0 && json_array_size(events) < EXPLAIN_EVENTS;) {
		const struct journal_entry *e = journal_at(g->journal, i);

		if (event_about(e, nai, mine, n))
			json_array_insert_new(events, 0, event_json(e));
	}
	json_array_extend(bindings, told);
	json_decref(told);
	json_decref(vpns);
	return json_pack("{s:s, s:o, s:o, s:o}", "nai", nai, "visitors", visitors, "bindings", bindings,
			 "events", events);
}
