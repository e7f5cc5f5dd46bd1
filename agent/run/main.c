/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mipvpn-agentd: foreign agent and home agent.  Start and stop in one visible order; see agent.h for the
 * rest.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "agent/run/agent.h"
#include "agent/run/notify.h"
#include "agent/run/privs.h"
#include "lib/log.h"

#define DEFAULT_CONF SYSCONFDIR "/mipvpn/mipvpn-agentd.conf"
#define EVENTS_KEPT 1000

static const char usage_text[] = "usage: mipvpn-agentd [-c FILE] [--check-config]\n"
				 "  -c, --config FILE   configuration [" DEFAULT_CONF "]\n"
				 "  -t, --check-config  read it, say what is wrong, and end\n"
				 "  -V, --version\n"
				 "  -h, --help\n";

struct options {
	const char *conf;
	bool check;
};

/* -1 = go on, else the exit status. */
static int options_parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"check-config", no_argument, NULL, 't'},
					      {"version", no_argument, NULL, 'V'},
					      {"help", no_argument, NULL, 'h'},
					      {0}};
	int c;

	*o = (struct options){.conf = DEFAULT_CONF};
	while ((c = getopt_long(argc, argv, "c:tVh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->conf = optarg;
			break;
		case 't':
			o->check = true;
			break;
		case 'V':
			puts("mipvpn-agentd " PACKAGE_VERSION);
			return 0;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		default:
			fputs(usage_text, stderr);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	fputs(usage_text, stderr);
	return 2;
}

static void on_signal(void *user, int signo)
{
	struct agent *g = user;
	struct conf_errors errs = {0};

	if (signo != SIGHUP)
		agent_stop(g, false);
	else if (agent_reload(g, &errs))
		agent_note(g, LOG_LVL_ERROR, "configuration not read again, nothing changed: %s", errs.text);
}

static void on_each_turn(void *user)
{
	agent_turn(user);
}

static void on_retry(void *user)
{
	struct agent *g = user;

	if (!g->stopping)
		net_links_open(g);
	loop_timer_at(g->retry, loop_now(g->loop) + 1000);
}

/* Handles of the loop that live as long as the agent. */
static int loop_prepare(struct agent *g)
{
	g->loop = loop_new();
	g->journal = journal_new(EVENTS_KEPT);
	if (!g->loop || !g->journal)
		return -1;
	g->tick = loop_timer_add(g->loop, agent_tick, g);
	g->retry = loop_timer_add(g->loop, on_retry, g);
	g->aaa_wake = loop_wake_add(g->loop, diameter_events, g);
	g->sig_term = loop_signal_add(g->loop, SIGTERM, on_signal, g);
	g->sig_int = loop_signal_add(g->loop, SIGINT, on_signal, g);
	g->sig_hup = loop_signal_add(g->loop, SIGHUP, on_signal, g);
	loop_each_turn(g->loop, on_each_turn, g);
	return g->tick && g->retry && g->aaa_wake && g->sig_term && g->sig_int && g->sig_hup ? 0 : -1;
}

/* Everything that must be there before the loop runs, in the order in which it depends on each other. */
static int start(struct agent *g, char *err, size_t err_len)
{
	const struct config *c = g->conf;

	snprintf(err, err_len, "out of memory or descriptors");
	if (net_start(g, err, err_len)) /* forks: while there is one thread */
		return -1;
	if (privs_make_dir(c->control_socket, c->user, err, err_len) || privs_drop(c->user, err, err_len))
		return -1;
	if (loop_prepare(g))
		return -1;
	if (c->freediameter_conf[0]) {
		g->aaa = aaa_start(c->freediameter_conf, c->diameter_dumps, diameter_wake, g, err, err_len);
		if (!g->aaa)
			return -1;
	}
	if (net_open(g, err, err_len))
		return -1;
	if (charon_start(g) || agent_roles_start(g))
		return -1;
	agent_spis_apply(g);
	return ctl_start(g, err, err_len);
}

static void stop(struct agent *g)
{
	ctl_stop(g);
	fa_free(g->fa);
	ha_free(g->ha);
	pcn_free(g->pcn);
	charon_stop(g);
	aaa_stop(g->aaa);
	net_stop(g);
	if (g->loop) {
		loop_signal_del(g->sig_hup);
		loop_signal_del(g->sig_int);
		loop_signal_del(g->sig_term);
		loop_wake_del(g->aaa_wake);
		loop_timer_del(g->retry);
		loop_timer_del(g->tick);
		loop_free(g->loop);
	}
	journal_free(g->journal);
	config_free(g->conf);
}

static int run(const char *conf_path, struct config *conf)
{
	struct agent g = {.conf_path = conf_path,
			  .conf = conf,
			  .udp = -1,
			  .transparent = -1,
			  .nflog = -1,
			  .started_wall_ms = agent_wall_ms()};
	char err[512];
	int rc = start(&g, err, sizeof(err));

	if (rc) {
		log_error("agent", "%s", err);
		stop(&g);
		return 1;
	}
	notify_send("READY=1\nSTATUS=waiting for charon, a Diameter peer or a link");
	agent_note(&g, LOG_LVL_NOTICE, "started%s%s%s%s", g.fa ? ", foreign agent" : "",
		   g.ha ? ", home agent" : "", g.pcn ? ", proxy correspondent node" : "",
		   g.kernel_ipip ? "" : ", IP-in-IP in user space (the kernel has none)");
	loop_timer_at(g.retry, loop_now(g.loop) + 1000);
	agent_turn(&g);
	loop_run(g.loop);
	stop(&g);
	log_notice("agent", "ended");
	return g.failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct conf_errors errs = {0};
	struct config *conf;
	struct options o;
	int rc = options_parse(argc, argv, &o);

	if (rc >= 0)
		return rc;
	if (config_load(o.conf, &conf, &errs)) {
		fputs(errs.text, stderr);
		return 1;
	}
	if (o.check) {
		printf("%s: ok\n", o.conf);
		config_free(conf);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* keys do not go into core files */
	log_init("mipvpn-agentd", conf->log_level, NULL);
	return run(o.conf, conf);
}
