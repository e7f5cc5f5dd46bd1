/* SPDX-License-Identifier: BSD-3-Clause */
#include "extensions/app_mipvpn_aaah/settings.h"

#include <stdio.h>
#include <string.h>

#include "lib/conf.h"

/* As the file has it. */
struct file {
	char database[512], key_file[256];
	CONF_LIST(unsigned) algorithms;
	uint32_t lifetime, msa_lifetime, grace;
	unsigned not_permitted, bench, log_level;
	uint32_t exchange_ms, database_ms, reap_s;
	unsigned outstanding, live;
	bool dumps;
};

static const char *const algorithm_words[] = {"hmac-md5", "hmac-sha1", "hmac-sha256", "chap-md5", NULL};
static const char *const permitted_words[] = {"leave-out", "refuse", NULL};
static const char *const bench_words[] = {"none", "no-reads", "no-database", NULL};
static const char *const level_words[] = {"debug", "info", "notice", "warning", "error", NULL};

static const struct conf_key keys[] = {
	{"database", CONF_STRING, CONF_FIELD(struct file, database), .min = 1, .required = true,
	 .doc = "libpq connection string"},
	{"key-file", CONF_STRING, CONF_FIELD(struct file, key_file), .min = 1, .required = true,
	 .doc = "key that the keys in the database are wrapped with"},
	{"algorithms", CONF_WORD, CONF_LIST_FIELD(struct file, algorithms), .words = algorithm_words,
	 .doc = "MN-AAA algorithms that are accepted; default: all"},
	{"authorization-lifetime", CONF_INT, CONF_FIELD(struct file, lifetime), .min = 10, .max = 65534,
	 .def = "1800", .doc = "longest time until a mobile node must pass this server again, s"},
	{"session-key-lifetime", CONF_INT, CONF_FIELD(struct file, msa_lifetime), .min = 10, .max = 604800,
	 .def = "7200", .doc = "lifetime of the keys made for a session, s"},
	{"grace", CONF_INT, CONF_FIELD(struct file, grace), .max = 3600, .def = "30",
	 .doc = "a session is kept so long after its authorisation, s"},
	{"vpn-not-permitted", CONF_WORD, CONF_FIELD(struct file, not_permitted), .words = permitted_words,
	 .def = "leave-out",
	 .doc = "a VPN that no contract permits is left out, or refuses the registration"},
	{"exchange-timeout-ms", CONF_INT, CONF_FIELD(struct file, exchange_ms), .min = 100, .max = 60000,
	 .def = "5000", .doc = "a registration takes no longer than this"},
	{"database-timeout-ms", CONF_INT, CONF_FIELD(struct file, database_ms), .min = 50, .max = 60000,
	 .def = "2000", .doc = "an answer of the database takes no longer than this"},
	{"reap-interval", CONF_INT, CONF_FIELD(struct file, reap_s), .min = 1, .max = 3600, .def = "30",
	 .doc = "how often ended sessions are looked for, s"},
	{"outstanding-most", CONF_INT, CONF_FIELD(struct file, outstanding), .min = 1, .max = 100000,
	 .def = "2000", .doc = "registrations under way; more are answered with 3004"},
	{"live-updates-most", CONF_INT, CONF_FIELD(struct file, live), .max = 1000, .def = "256",
	 .doc = "running sessions that are told of a change at a time; 0: none are, by this server"},
	{"message-dumps", CONF_BOOL, CONF_FIELD(struct file, dumps), .def = "false",
	 .doc = "freeDiameter's dumps of every message (slow, shows keys); read at start"},
	{"log-level", CONF_WORD, CONF_FIELD(struct file, log_level), .words = level_words, .def = "info",
	 .doc = "least level that is logged"},
	{"bench", CONF_WORD, CONF_FIELD(struct file, bench), .words = bench_words, .def = "none",
	 .doc = "for measurements only: what is answered out of memory"},
	{0}};
static const struct conf_schema schema = {sizeof(struct file), keys, NULL};

static unsigned algorithms_of(const struct file *f)
{
	unsigned bits = 0;

	for (size_t i = 0; i < f->algorithms.n; i++)
		bits |= 1u << f->algorithms.v[i]; /* the words stand in the order of AAAH_ALG_* */
	return bits ? bits : AAAH_ALG_ALL;
}

static void settings_fill(const struct file *f, struct settings *out)
{
	out->rules = (struct plan_rules){
		.algorithms = algorithms_of(f),
		.lifetime = f->lifetime,
		.msa_lifetime = f->msa_lifetime,
		.grace = f->grace,
		.refuse_not_permitted = f->not_permitted == 1,
	};
	snprintf(out->store.conninfo, sizeof(out->store.conninfo), "%s", f->database);
	out->store.timeout_ms = f->database_ms;
	out->store.most = 2 * f->outstanding + 16;
	out->exchange_timeout_ms = f->exchange_ms;
	out->reap_interval_ms = f->reap_s * 1000;
	out->outstanding_most = f->outstanding;
	out->live_most = f->bench ? 0 : f->live;
	out->message_dumps = f->dumps;
	out->log_level = (enum log_level)f->log_level;
	out->bench = (enum store_bench)f->bench;
}

int settings_load(const char *path, struct settings *out, char *err, size_t err_len)
{
	struct conf_errors errs;
	struct file f;
	int rc = 0;

	memset(out, 0, sizeof(*out));
	if (conf_load(&schema, path, &f, &errs)) {
		snprintf(err, err_len, "%s", errs.text);
		return -1;
	}
	settings_fill(&f, out);
	if (crypto_keyfile_read(f.key_file, out->store.kek, err, err_len)) {
		settings_wipe(out);
		rc = -1;
	}
	conf_free(&schema, &f);
	return rc;
}

void settings_wipe(struct settings *s)
{
	crypto_wipe(s, sizeof(*s));
}
