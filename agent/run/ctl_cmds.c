/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The commands of the control socket: a table of { name, function, help }.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/agent.h"
#include "agent/run/ctl_proto.h"
#include "lib/counter.h"
#include "lib/crypto.h"
#include "lib/hex.h"

typedef json_t *(*command_fn)(struct agent *g, const json_t *request);
struct command {
	const char *name;
	command_fn fn;
	const char *help; /* its other members */
};

/* "" when absent or not a string. */
static const char *text_of(const json_t *request, const char *key)
{
	const char *s = json_string_value(json_object_get(request, key));

	return s ? s : "";
}

static json_t *do_show(struct agent *g, const json_t *request)
{
	const char *what = text_of(request, "what");
	json_t *j = ctl_show(g, what, json_is_true(json_object_get(request, "showKeys")));

	return j ? ctl_response_ok(j) : ctl_response_error("show: what is \"%.32s\"?", what);
}

static json_t *do_explain(struct agent *g, const json_t *request)
{
	const char *nai = text_of(request, "nai");

	return nai[0] ? ctl_response_ok(ctl_explain(g, nai)) : ctl_response_error("explain: needs a NAI");
}

static json_t *do_drop(struct agent *g, const json_t *request)
{
	const char *user = text_of(request, "user");
	size_t n = user[0] ? ctl_count_users(g, user) : 0;

	if (!n)
		return ctl_response_error("drop: nobody with NAI, home address or session \"%.255s\" is here",
					  user);
	agent_note(g, LOG_LVL_NOTICE, "drop %s: asked for at the console", user);
	agent_later(g, ROLE_FA, EV_DROP, NULL, 0, user);
	agent_later(g, ROLE_HA, EV_DROP, NULL, 0, user);
	agent_later(g, ROLE_PCN, EV_DROP, NULL, 0, user);
	return ctl_response_ok(json_pack("{s:I}", "dropped", (json_int_t)n));
}

static json_t *do_reload(struct agent *g, const json_t *request)
{
	struct conf_errors errs = {0};

	if (agent_reload(g, &errs))
		return ctl_response_error("nothing changed:\n%s", errs.text);
	return ctl_response_ok(NULL);
}

static json_t *do_resync(struct agent *g, const json_t *request)
{
	vpn_resync(g->vpn, loop_now(g->loop));
	return ctl_response_ok(NULL);
}

static json_t *do_log(struct agent *g, const json_t *request)
{
	enum log_level level;

	if (!log_level_parse(text_of(request, "level"), &level))
		return ctl_response_error("log: level is one of debug, info, notice, warning, error");
	log_set_level(level);
	return ctl_response_ok(NULL);
}

static const char *spi_args(const json_t *request, struct vpn_default_spi *d)
{
	json_int_t spi = json_integer_value(json_object_get(request, "spi"));

	if (inet_pton(AF_INET, text_of(request, "peer"), &d->peer) != 1)
		return "peer must be an IPv4 address";
	if (spi < VPN_SPI_DEFAULT || spi > UINT32_MAX)
		return "spi must be 256..4294967295";
	d->spi = (uint32_t)spi;
	return NULL;
}

static json_t *do_spi_set(struct agent *g, const json_t *request)
{
	struct vpn_default_spi d = {0};
	const char *why = spi_args(request, &d), *hex = text_of(request, "key");
	int n = why ? 0 : hex_decode(hex, strlen(hex), d.key.data, sizeof(d.key.data));

	if (!why && n < 16)
		why = "key must be 32 to 128 hex digits";
	if (why)
		return ctl_response_error("default-spi set: %s", why);
	d.key.len = (uint8_t)n;
	vpn_default_spi_set(g->vpn, &d, loop_now(g->loop));
	crypto_wipe(&d, sizeof(d));
	agent_note(g, LOG_LVL_NOTICE, "default SPI with %s: key set at the console",
		   text_of(request, "peer"));
	return ctl_response_ok(NULL);
}

static json_t *do_spi_del(struct agent *g, const json_t *request)
{
	struct vpn_default_spi d = {0};
	const char *why = spi_args(request, &d);

	if (why)
		return ctl_response_error("default-spi del: %s", why);
	vpn_default_spi_set(g->vpn, &d, loop_now(g->loop));
	agent_note(g, LOG_LVL_NOTICE, "default SPI with %s: key removed at the console",
		   text_of(request, "peer"));
	return ctl_response_ok(NULL);
}

static json_t *do_help(struct agent *g, const json_t *request);

static const struct command commands[] = {
	{"show", do_show, "what: status|bindings|visitors|vpns|tunnels|events|counters; showKeys: bool"},
	{"explain", do_explain, "nai"},
	{"drop", do_drop, "user: NAI, home address or session"},
	{"reload", do_reload, ""},
	{"resync", do_resync, ""},
	{"log", do_log, "level"},
	{"default-spi set", do_spi_set, "peer, spi, key"},
	{"default-spi del", do_spi_del, "peer, spi"},
	{"help", do_help, ""},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static json_t *do_help(struct agent *g, const json_t *request)
{
	json_t *all = json_object();

	for (size_t i = 0; i < N_COMMANDS; i++)
		json_object_set_new(all, commands[i].name, json_string(commands[i].help));
	return ctl_response_ok(all);
}

json_t *ctl_command(struct agent *g, const json_t *request)
{
	const char *name = text_of(request, "command");

	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].fn(g, request);
	}
	counter_inc("ctl.request.unknown");
	return ctl_response_error("unknown command \"%.64s\"", name);
}
