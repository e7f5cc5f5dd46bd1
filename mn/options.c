/* SPDX-License-Identifier: BSD-3-Clause */
#include "mn/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/conf_value.h"
#include "lib/hex.h"

const char mn_usage[] =
	"usage: mipvpn-mn [-c FILE] [-i INTERFACE] [--nai USER@REALM] [--home-address ADDRESS]\n"
	"                 [--home-agent ADDRESS] [--home-prefix PREFIX] [--key-file FILE] [--spi NUMBER]\n"
	"                 [--algorithm hmac-md5|hmac-sha1|hmac-sha256|chap] [--ha-key-file FILE]\n"
	"                 [--ha-spi NUMBER] [--ha-algorithm NAME] [--lifetime SECONDS]\n"
	"                 [--retransmit-time MS] [--reverse-tunnel]\n"
	"                 [--smooth-handoff=true|false] [--once] [--timeout SECONDS] [--json]\n"
	"                 [--check-config]\n"
	"See mipvpn-mn(8).\n";

enum { ALG_MD5, ALG_SHA1, ALG_SHA256, ALG_CHAP };
static const char *const aaa_words[] = {"hmac-md5", "hmac-sha1", "hmac-sha256", "chap", NULL};
static const char *const ha_words[] = {"hmac-md5", "hmac-sha1", "hmac-sha256", NULL};
static const enum crypto_mac macs[] = {CRYPTO_HMAC_MD5, CRYPTO_HMAC_SHA1, CRYPTO_HMAC_SHA256,
				       CRYPTO_CHAP_MD5};

struct file_conf {
	char interface[IFNAMSIZ], nai[MIP_NAI_MAX + 1], key_file[256], ha_key_file[256];
	struct in_addr home_address, home_agent;
	struct vpn_prefix home_prefix;
	uint32_t spi, ha_spi;
	uint8_t algorithm, ha_algorithm;
	uint16_t lifetime;
	uint32_t retry_ms;
	bool reverse_tunnel, smooth_handoff;
};
#define F(m) CONF_FIELD(struct file_conf, m)

static const struct conf_key keys[] = {
	{"interface", CONF_STRING, F(interface), .doc = "interface that meets mobility agents"},
	{"nai", CONF_STRING, F(nai), .doc = "user@realm"},
	{"home-address", CONF_IPV4, F(home_address), .doc = "home address; 0.0.0.0 = ask for one"},
	{"home-agent", CONF_IPV4, F(home_agent), .doc = "home agent; 0.0.0.0 = ask for one"},
	{"home-prefix", CONF_PREFIX, F(home_prefix), .doc = "prefix of the home link"},
	{"key-file", CONF_STRING, F(key_file), .doc = "file with the MN-AAA key"},
	{"spi", CONF_INT, F(spi), .min = MIP_SPI_MIN, .def = "256", .doc = "SPI of the MN-AAA key"},
	{"algorithm", CONF_WORD, F(algorithm), .words = aaa_words, .def = "hmac-md5", .doc = "of MN-AAA"},
	{"ha-key-file", CONF_STRING, F(ha_key_file), .doc = "file with the MN-HA key"},
	{"ha-spi", CONF_INT, F(ha_spi), .min = MIP_SPI_MIN, .def = "256", .doc = "SPI of the MN-HA key"},
	{"ha-algorithm", CONF_WORD, F(ha_algorithm), .words = ha_words, .def = "hmac-md5", .doc = "of MN-HA"},
	{"lifetime", CONF_INT, F(lifetime), .min = 5, .max = 65534, .def = "600",
	 .doc = "of a registration, s"},
	{"retransmit-time", CONF_INT, F(retry_ms), .min = 1000, .max = 60000, .def = "1000",
	 .doc = "first retransmission of a request, ms"},
	{"reverse-tunnel", CONF_BOOL, F(reverse_tunnel), .def = "false", .doc = "ask for a reverse tunnel"},
	{"smooth-handoff", CONF_BOOL, F(smooth_handoff), .def = "true", .doc = "on a move, say where from"},
	{0},
};
static const struct conf_schema schema = {.size = sizeof(struct file_conf), .keys = keys};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]) - 1)

/* --- key files --- */

bool mn_key_parse(const char *text, struct vpn_key *out)
{
	size_t len;
	int n;

	text += strspn(text, " \t\r\n");
	len = strcspn(text, " \t\r\n");
	if (text[len + strspn(text + len, " \t\r\n")] != '\0')
		return false;
	n = hex_decode(text, len, out->data, sizeof(out->data));
	out->len = (uint8_t)(n > 0 ? n : 0);
	return n >= 16;
}

static const char *read_key(FILE *f, struct vpn_key *out)
{
	char text[2 * VPN_KEY_MAX + 16];
	struct stat st;
	size_t n;
	bool ok;

	if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
		return "is not a file";
	if (st.st_mode & 07)
		return "can be read or written by everybody: chmod 600";
	setvbuf(f, NULL, _IONBF, 0); /* no copy of the key in stdio's memory */
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	ok = n < sizeof(text) - 1 && mn_key_parse(text, out);
	crypto_wipe(text, sizeof(text));
	return ok ? NULL : "does not hold 16 to 64 bytes in hex digits";
}

static bool load_key(const char *path, const char *key_name, struct vpn_key *out)
{
	const char *why;
	FILE *f;

	if (path[0] == '\0')
		return true;
	f = fopen(path, "re");
	why = f != NULL ? read_key(f, out) : strerror(errno);
	if (f != NULL)
		fclose(f);
	if (why != NULL)
		fprintf(stderr, "mipvpn-mn: %s: %s: %s\n", key_name, path, why);
	return why == NULL;
}

/* --- the command line --- */

enum { OPT_KEY = 256, OPT_ONCE = 1024, OPT_TIMEOUT, OPT_JSON, OPT_CHECK, OPT_HELP, OPT_VERSION };
static const struct option more_options[] = {
	{"config", required_argument, NULL, 'c'},	   {"once", no_argument, NULL, OPT_ONCE},
	{"timeout", required_argument, NULL, OPT_TIMEOUT}, {"json", no_argument, NULL, OPT_JSON},
	{"check-config", no_argument, NULL, OPT_CHECK},	   {"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
};
#define N_MORE (sizeof(more_options) / sizeof(more_options[0]))

static void build_options(struct option *o)
{
	for (size_t i = 0; i < N_KEYS; i++)
		o[i] = (struct option){keys[i].name,
				       keys[i].type == CONF_BOOL ? optional_argument : required_argument,
				       NULL, (int)(OPT_KEY + i)};
	memcpy(o + N_KEYS, more_options, sizeof(more_options));
	o[N_KEYS + N_MORE] = (struct option){0};
}

static bool set_key(struct file_conf *f, const struct conf_key *k, const char *text)
{
	uint8_t value[CONF_VALUE_MAX];
	char allowed[256];

	if (conf_value_parse(k, text, value)) {
		memcpy((char *)f + k->offset, value, k->size);
		return true;
	}
	fprintf(stderr, "mipvpn-mn: --%s %s: allowed: %s\n", k->name, text,
		conf_allowed(k, allowed, sizeof(allowed)));
	return false;
}

static bool set_timeout(struct mn_options *o, const char *text)
{
	char *tail;
	unsigned long s = strtoul(text, &tail, 10);

	if (*tail != '\0' || s < 1 || s > 3600) {
		fprintf(stderr, "mipvpn-mn: --timeout %s: allowed: 1..3600\n", text);
		return false;
	}
	o->mn.once_timeout_ms = (uint32_t)s * 1000;
	return true;
}

static bool set_option(struct mn_options *o, struct file_conf *f, int c, const char *value)
{
	switch (c) {
	case 'c':
		return true; /* has been read before */
	case 'i':
		return set_key(f, &keys[0], value);
	case OPT_ONCE:
		o->mn.once = true;
		return true;
	case OPT_TIMEOUT:
		return set_timeout(o, value);
	case OPT_JSON:
		o->json = true;
		return true;
	case OPT_CHECK:
		o->check_config = true;
		return true;
	case OPT_HELP:
		o->help = true;
		return true;
	case OPT_VERSION:
		o->version = true;
		return true;
	default:
		if (c < OPT_KEY || c >= (int)(OPT_KEY + N_KEYS))
			return false;
		return set_key(f, &keys[c - OPT_KEY], value != NULL ? value : "true");
	}
}

/* Two passes: the file first, whatever stands where on the command line. */
static bool find_config(int argc, char **argv, const struct option *options, char *path, size_t len)
{
	int c;

	path[0] = '\0';
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, "c:i:", options, NULL)) != -1)
		if (c == 'c' && snprintf(path, len, "%s", optarg) >= (int)len)
			return false;
	opterr = 1;
	optind = 1;
	return true;
}

static bool load_file(const char *path, struct file_conf *f)
{
	struct conf_errors errs;
	int r = path[0] != '\0' ? conf_load(&schema, path, f, &errs) : conf_parse(&schema, "", "", f, &errs);

	if (r != 0)
		fputs(errs.text, stderr);
	return r == 0;
}

static bool read_command_line(int argc, char **argv, struct mn_options *o, struct file_conf *f)
{
	struct option options[N_KEYS + N_MORE + 1];
	int c;

	build_options(options);
	if (!find_config(argc, argv, options, o->config, sizeof(o->config)) || !load_file(o->config, f))
		return false;
	while ((c = getopt_long(argc, argv, "c:i:", options, NULL)) != -1)
		if (!set_option(o, f, c, optarg))
			return false;
	if (optind < argc)
		fprintf(stderr, "mipvpn-mn: %s: what is that?\n", argv[optind]);
	return optind == argc;
}

/* --- together --- */

static void fill(struct mn_options *o, const struct file_conf *f)
{
	struct mn_config *c = &o->mn;

	memcpy(o->interface, f->interface, sizeof(o->interface));
	memcpy(c->nai, f->nai, sizeof(c->nai));
	c->home_address = f->home_address;
	c->home_agent = f->home_agent;
	c->home_prefix = f->home_prefix;
	c->aaa.alg = macs[f->algorithm];
	c->aaa.spi = f->algorithm == ALG_CHAP ? MIP_SPI_CHAP : f->spi;
	c->aaa.expires = c->ha.expires = UINT64_MAX;
	c->ha.alg = macs[f->ha_algorithm];
	c->ha.spi = f->ha_spi;
	c->lifetime = f->lifetime;
	c->retry_ms = f->retry_ms;
	c->reverse_tunnel = f->reverse_tunnel;
	c->smooth_handoff = f->smooth_handoff;
}

static const char *complain(const struct mn_options *o)
{
	const struct mn_config *c = &o->mn;

	if (o->interface[0] == '\0')
		return "no interface: -i INTERFACE, or interface = in the configuration";
	if (c->nai[0] == '\0' && c->home_address.s_addr == 0)
		return "who are you? --nai or --home-address is needed";
	if (c->aaa.key.len == 0 && c->ha.key.len == 0)
		return "no key: --key-file, or --ha-key-file";
	if (c->nai[0] == '\0' && c->aaa.key.len > 0)
		return "--key-file needs --nai: AAA knows users by it";
	if (c->aaa.key.len == 0 && c->home_agent.s_addr == 0)
		return "--home-agent is needed where no AAA assigns one";
	return NULL;
}

int mn_options_read(int argc, char **argv, struct mn_options *o)
{
	struct file_conf f = {0};
	const char *why;
	bool ok;

	memset(o, 0, sizeof(*o));
	o->mn.once_timeout_ms = 30000;
	ok = read_command_line(argc, argv, o, &f);
	if (ok && !o->help && !o->version) {
		fill(o, &f);
		ok = load_key(f.key_file, "key-file", &o->mn.aaa.key) &&
		     load_key(f.ha_key_file, "ha-key-file", &o->mn.ha.key);
		why = ok ? complain(o) : NULL;
		if (why != NULL)
			fprintf(stderr, "mipvpn-mn: %s\n", why);
		ok = ok && why == NULL;
	}
	conf_free(&schema, &f);
	return ok ? 0 : -1;
}
