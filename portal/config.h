/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mipvpn-webd.conf; see lib/conf.h for how to read the table and conf/mipvpn-webd.conf.sample for the same
 * as a file.
 */
#ifndef MIPVPN_PORTAL_CONFIG_H
#define MIPVPN_PORTAL_CONFIG_H

#include "lib/conf.h"
#include "lib/log.h"
#include "portal/client.h"

struct web_config {
	char user[32];
	enum log_level log_level;
	char listen[CLIENT_TEXT];
	uint16_t port;
	char tls_certificate[256], tls_key[256];
	char proxy[CLIENT_TEXT]; /* "" = none */
	bool plain_http;
	char database[512];
	uint32_t database_connections, database_timeout_ms;
	char title[64], help[192];
	uint32_t idle_s, most_s, live_wait_ms;
	uint32_t connections_max, connections_per_address, requests_per_second, requests_burst;
	/* made of the above */
	bool tls, secure; /* secure: the browser speaks TLS, with us or with the proxy */
};

/* 0 and *out, to be freed with web_config_free(); or -1 and what is wrong. */
int web_config_load(const char *path, struct web_config *out, struct conf_errors *errs);
int web_config_parse(const char *name, const char *text, struct web_config *out, struct conf_errors *errs);
void web_config_free(struct web_config *c);

#endif
