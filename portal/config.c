/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/config.h"

#include <string.h>

#include "portal/db.h"

static const char *const level_words[] = {"debug", "info", "notice", "warning", "error", NULL};

#define ROOT(m) CONF_FIELD(struct web_config, m)

static const struct conf_key keys[] = {
	{"user", CONF_STRING, ROOT(user), .min = 1, .def = "mipvpn-webd",
	 .doc = "user to become, when started as root"},
	{"log-level", CONF_WORD, ROOT(log_level), .words = level_words, .def = "info",
	 .doc = "least level that is logged"},
	{"listen", CONF_STRING, ROOT(listen), .min = 1, .def = "127.0.0.1", .doc = "address, IPv4 or IPv6"},
	{"port", CONF_INT, ROOT(port), .def = "8443", .doc = "TCP port; 0: any, the log says which"},
	{"tls-certificate", CONF_STRING, ROOT(tls_certificate), .doc = "PEM file, with the chain"},
	{"tls-key", CONF_STRING, ROOT(tls_key), .doc = "PEM file"},
	{"proxy", CONF_STRING, ROOT(proxy), .doc = "address of the proxy that does TLS in front of this"},
	{"plain-http", CONF_BOOL, ROOT(plain_http), .def = "false",
	 .doc = "no TLS at all, on a loopback address only: for tests"},
	{"database", CONF_STRING, ROOT(database), .min = 1, .def = "dbname=mipvpn user=mipvpn_portal",
	 .doc = "libpq's connection string"},
	{"database-connections", CONF_INT, ROOT(database_connections), .min = 1, .max = DB_CONNECTIONS_MAX,
	 .def = "4", .doc = "at most"},
	{"database-timeout", CONF_INT, ROOT(database_timeout_ms), .min = 100, .max = 60000, .def = "3000",
	 .doc = "milliseconds for each question"},
	{"title", CONF_STRING, ROOT(title), .min = 1, .def = "Mobile VPN", .doc = "what the page is called"},
	{"help", CONF_STRING, ROOT(help), .def = "", .doc = "whom to ask, at the foot of each page"},
	{"session-idle", CONF_INT, ROOT(idle_s), .min = 30, .max = 86400, .def = "900",
	 .doc = "seconds without a request"},
	{"session-most", CONF_INT, ROOT(most_s), .min = 60, .max = 604800, .def = "28800", .doc = "seconds"},
	{"live-wait", CONF_INT, ROOT(live_wait_ms), .max = 10000, .def = "1000",
	 .doc = "milliseconds that a change may take to reach the user's tunnels before he is shown the "
		"page"},
	{"connections-max", CONF_INT, ROOT(connections_max), .min = 1, .max = 1000, .def = "300",
	 .doc = "open connections, a thread each"},
	{"connections-per-address", CONF_INT, ROOT(connections_per_address), .min = 1, .max = 1000,
	 .def = "32", .doc = "of them from one address; not behind a proxy"},
	{"requests-per-second", CONF_INT, ROOT(requests_per_second), .min = 1, .max = 1000, .def = "10",
	 .doc = "from one address, on average"},
	{"requests-burst", CONF_INT, ROOT(requests_burst), .min = 1, .max = 10000, .def = "100",
	 .doc = "from one address, at once"},
	{0}};

static const struct conf_schema schema = {sizeof(struct web_config), keys, NULL};

static void check(const char *name, struct web_config *c, struct conf_errors *errs)
{
	bool cert = c->tls_certificate[0], key = c->tls_key[0];

	c->tls = cert && key;
	c->secure = !c->plain_http;
	if (cert != key)
		conf_errors_add(errs, "%s: tls-certificate and tls-key go together", name);
	if (c->tls + (c->proxy[0] != '\0') + c->plain_http != 1)
		conf_errors_add(errs,
				"%s: one of these is needed, and no more: tls-certificate and tls-key; "
				"proxy; plain-http",
				name);
	if (!client_same(c->listen, c->listen))
		conf_errors_add(errs, "%s: listen: \"%s\" is no address", name, c->listen);
	else if (c->plain_http && !client_is_loopback(c->listen))
		conf_errors_add(errs, "%s: plain-http: passwords in clear only on a loopback address", name);
	if (c->proxy[0] && !client_same(c->proxy, c->proxy))
		conf_errors_add(errs, "%s: proxy: \"%s\" is no address", name, c->proxy);
	if (c->idle_s > c->most_s)
		conf_errors_add(errs, "%s: session-idle: longer than session-most", name);
}

static int finish(const char *name, int rc, struct web_config *out, struct conf_errors *errs)
{
	if (rc)
		return -1;
	check(name, out, errs);
	if (!errs->n)
		return 0;
	web_config_free(out);
	return -1;
}

int web_config_load(const char *path, struct web_config *out, struct conf_errors *errs)
{
	return finish(path, conf_load(&schema, path, out, errs), out, errs);
}

int web_config_parse(const char *name, const char *text, struct web_config *out, struct conf_errors *errs)
{
	return finish(name, conf_parse(&schema, name, text, out, errs), out, errs);
}

void web_config_free(struct web_config *c)
{
	conf_free(&schema, c);
}
