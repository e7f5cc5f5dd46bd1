/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The configuration file of app_mipvpn_aaah (conf/app_mipvpn_aaah.conf.sample is its manual).
 */
#ifndef MIPVPN_AAAH_SETTINGS_H
#define MIPVPN_AAAH_SETTINGS_H

#include "extensions/app_mipvpn_aaah/plan.h"
#include "extensions/app_mipvpn_aaah/store.h"
#include "lib/log.h"

struct settings {
	struct plan_rules rules;
	struct store_config store;
	uint32_t exchange_timeout_ms; /* from AMR to AMA */
	uint32_t reap_interval_ms;
	unsigned outstanding_most; /* registrations under way */
	unsigned live_most;	   /* running sessions that are told of a change; 0 = none */
	bool message_dumps;	   /* read at start only */
	enum log_level log_level;
	enum store_bench bench; /* read at start only */
};

/* 0, or -1 with every mistake in err, one line each; out is all zero then. End with settings_wipe(): it holds the key. */
int settings_load(const char *path, struct settings *out, char *err, size_t err_len);
void settings_wipe(struct settings *s);

#endif
