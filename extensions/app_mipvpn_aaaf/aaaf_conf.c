/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Configuration of app_mipvpn_aaaf; conf/app_mipvpn_aaaf.conf.sample is its manual.
 */
#include <stddef.h>

#include "extensions/app_mipvpn_aaaf/aaaf.h"

#define FIELD(m) CONF_FIELD(struct aaaf_conf, m)
#define LIST(m) CONF_LIST_FIELD(struct aaaf_conf, m)

static const struct conf_key keys[] = {
	{"foreign-agents", CONF_STRING, LIST(foreign_agents), .min = 1,
	 .doc = "Diameter identities of foreign agents"},
	{"foreign-agent-realms", CONF_STRING, LIST(foreign_agent_realms), .min = 1,
	 .doc = "realms all of whose peers are foreign agents"},
	{"relays", CONF_STRING, LIST(relays), .min = 1, .doc = "peers through which foreign agents may send"},
	{"home-realms", CONF_STRING, LIST(home_realms), .min = 1,
	 .doc = "realms that may roam here; none = all"},
	{"home-agents", CONF_STRING, LIST(home_agents), .min = 1,
	 .doc = "Diameter identities of our home agents"},
	{"candidate-home-agent", CONF_STRING, FIELD(candidate_home_agent),
	 .doc = "home agent offered to visitors"},
	{"answer-deadline", CONF_INT, FIELD(answer_deadline_ms), .min = 100,
	 .max = 1000 * AAAF_DEADLINE_MAX_S, .def = "10000", .doc = "ms until a request is answered by us"},
	{"outstanding-max", CONF_INT, FIELD(outstanding_max), .min = 1, .max = 1000000, .def = "2000",
	 .doc = "requests under way"},
	{"sessions-max", CONF_INT, FIELD(sessions_max), .min = 1, .max = 10000000, .def = "100000",
	 .doc = "sessions in the cache"},
	{"session-lifetime-max", CONF_INT, FIELD(session_lifetime_max), .min = 1, .max = 604800,
	 .def = "86400", .doc = "s that a session is kept at most"},
	{"counters-interval", CONF_INT, FIELD(counters_interval), .max = 86400, .def = "0",
	 .doc = "s between two logs of the counters; 0 = on SIGUSR2 only"},
	{"log-transactions", CONF_BOOL, FIELD(log_transactions), .def = "true",
	 .doc = "a line for each transaction"},
	{"message-dumps", CONF_BOOL, FIELD(message_dumps), .def = "false",
	 .doc = "freeDiameter's dumps of all messages, keys included; at start only"},
	{0}};

static const struct conf_schema schema = {sizeof(struct aaaf_conf), keys, NULL};

int aaaf_conf_load(const char *path, struct aaaf_conf *out, struct conf_errors *errs)
{
	if (conf_load(&schema, path, out, errs))
		return -1;
	if (out->foreign_agents.n || out->foreign_agent_realms.n)
		return 0;
	conf_errors_add(errs, "%s: foreign-agents or foreign-agent-realms must name somebody", path);
	aaaf_conf_free(out);
	return -1;
}

void aaaf_conf_free(struct aaaf_conf *c)
{
	conf_free(&schema, c);
}
