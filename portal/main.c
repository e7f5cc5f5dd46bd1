/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mipvpn-webd: the service page.  Start: configuration, socket and TLS files, then no privileges any more,
 * then threads.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/counter.h"
#include "lib/log.h"
#include "portal/password.h"
#include "portal/server.h"
#include "portal/store.h"

#define DEFAULT_CONF SYSCONFDIR "/mipvpn/mipvpn-webd.conf"

static const char usage_text[] =
	"usage: mipvpn-webd [-c FILE] [--check-config | --hash-password]\n"
	"  -c, --config FILE    configuration [" DEFAULT_CONF "]\n"
	"  -t, --check-config   read it, say what is wrong, and end\n"
	"  -p, --hash-password  read a password from standard input, print its hash, and end\n"
	"  -V, --version\n"
	"  -h, --help\n";

struct options {
	const char *conf;
	bool check, hash;
};

/* -1 = go on, else the exit status. */
static int options_parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},  {"check-config", no_argument, NULL, 't'},
		{"hash-password", no_argument, NULL, 'p'}, {"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},	   {0}};
	int c;

	*o = (struct options){.conf = DEFAULT_CONF};
	while ((c = getopt_long(argc, argv, "c:tpVh", longs, NULL)) != -1) {
		if (c == 'c')
			o->conf = optarg;
		else if (c == 't')
			o->check = true;
		else if (c == 'p')
			o->hash = true;
		else if (c == 'V')
			return puts("mipvpn-webd " PACKAGE_VERSION) < 0;
		else if (c == 'h')
			return fputs(usage_text, stdout) < 0;
		else
			optind = argc + 1;
	}
	if (optind == argc)
		return -1;
	fputs(usage_text, stderr);
	return 2;
}

/* Root becomes the user of the configuration for good; anybody else stays who he is. */
static int privileges_drop(const char *user, char *err, size_t err_len)
{
	struct passwd *pw;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		snprintf(err, err_len, "no_new_privs: %s", strerror(errno));
		return -1;
	}
	if (getuid() && geteuid())
		return 0;
	pw = getpwnam(user); /* while there is one thread */
	if (!pw || !pw->pw_uid) {
		snprintf(err, err_len, "user \"%s\": %s", user, pw ? "is root" : "there is none");
		return -1;
	}
	if (setgroups(0, NULL) || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid)) {
		snprintf(err, err_len, "cannot become user \"%s\": %s", user, strerror(errno));
		return -1;
	}
	return 0;
}

static void log_counter(const char *name, uint64_t value, void *user)
{
	log_notice("counter", "%s %ju", name, (uintmax_t)value);
}

static void reload(const struct server *s)
{
	char err[512] = "";
	int rc = server_reload(s, err, sizeof(err));

	if (rc > 0)
		log_notice("web", "the TLS certificate has been read again");
	else if (rc < 0)
		log_error("web", "the TLS certificate stays what it was: %s", err);
}

/* Until it is told to end.  SIGUSR1 has the counters logged. */
static void wait_for_end(const sigset_t *set, const struct server *s)
{
	int signo;

	do {
		if (sigwait(set, &signo))
			continue;
		if (signo == SIGUSR1)
			counter_each(log_counter, NULL);
		if (signo == SIGHUP)
			reload(s);
	} while (signo != SIGTERM && signo != SIGINT);
}

/* Says at the start what a first request would find. */
static void look_at_database(struct db *db)
{
	int version;

	if (!store_version(db, &version) && version < STORE_SCHEMA_LEAST)
		log_error("db", "the database is at version %d, this program needs %d: run sql/apply",
			  version, STORE_SCHEMA_LEAST);
}

static int run(const struct web_config *conf)
{
	struct web w = {.conf = conf,
			.db = db_new(conf->database, conf->database_connections, conf->database_timeout_ms)};
	char err[512] = "out of memory";
	struct server *s = w.db ? server_open(&w, err, sizeof(err)) : NULL;
	sigset_t set;
	int rc = -1;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (s && !privileges_drop(conf->user, err, sizeof(err)))
		rc = server_start(s, err, sizeof(err));
	if (rc) {
		log_error("web", "%s", err);
	} else {
		log_notice("web", "serving on %s port %u%s", conf->listen, server_port(s),
			   conf->tls	    ? ", TLS"
			   : conf->proxy[0] ? ", behind a proxy"
					    : ", without TLS");
		look_at_database(w.db);
		wait_for_end(&set, s);
	}
	server_close(s);
	db_free(w.db);
	if (!rc)
		log_notice("web", "ended");
	return rc ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct conf_errors errs = {0};
	struct web_config conf;
	struct options o;
	int rc = options_parse(argc, argv, &o);

	if (rc >= 0)
		return rc;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* passwords do not go into core files */
	if (o.hash)
		return password_command();
	if (web_config_load(o.conf, &conf, &errs)) {
		fputs(errs.text, stderr);
		return 1;
	}
	if (o.check)
		rc = printf("%s: ok\n", o.conf) < 0;
	signal(SIGPIPE, SIG_IGN);
	log_init("mipvpn-webd", conf.log_level, NULL);
	if (!o.check)
		rc = run(&conf);
	web_config_free(&conf);
	return rc;
}
