/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mipvpnctl: look at a running mipvpn-agentd, and tell it things.  One command, one answer, an exit status.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/ctl_proto.h"
#include "tools/mipvpnctl/ctl.h"

#define DEFAULT_SOCKET "/run/mipvpn/agentd.ctl"

struct options {
	const char *socket;
	bool json, show_keys, generate;
	const char *spi;
};

/* Makes the request out of the words behind the command; NULL and a reason. */
typedef json_t *(*request_fn)(const struct options *o, char **word, int n, char *err, size_t err_len);
struct command {
	const char *name, *args;
	int least, most; /* words behind the name */
	request_fn make;
	const char *help;
};

static json_t *make_show(const struct options *o, char **word, int n, char *err, size_t err_len)
{
	return json_pack("{s:s, s:s, s:b}", "command", "show", "what", word[0], "showKeys", o->show_keys);
}

static json_t *make_explain(const struct options *o, char **word, int n, char *err, size_t err_len)
{
	return json_pack("{s:s, s:s}", "command", "explain", "nai", word[0]);
}

static json_t *make_drop(const struct options *o, char **word, int n, char *err, size_t err_len)
{
	return json_pack("{s:s, s:s}", "command", "drop", "user", word[0]);
}

static json_t *make_reload(const struct options *o, char **word, int n, char *err, size_t err_len)
{
	return json_pack("{s:s}", "command", "reload");
}

static json_t *make_resync(const struct options *o, char **word, int n, char *err, size_t err_len)
{
	return json_pack("{s:s}", "command", "resync");
}

static json_t *make_log(const struct options *o, char **word, int n, char *err, size_t err_len)
{
	return json_pack("{s:s, s:s}", "command", "log", "level", word[0]);
}

static bool spi_value(const struct options *o, json_int_t *spi, char *err, size_t err_len)
{
	char *end;

	*spi = 256;
	if (!o->spi)
		return true;
	*spi = strtoll(o->spi, &end, 0);
	if (*o->spi && !*end && *spi >= 256 && *spi <= 4294967295)
		return true;
	snprintf(err, err_len, "--spi %s: must be 256..4294967295", o->spi);
	return false;
}

static json_t *make_spi(const struct options *o, char **word, int n, char *err, size_t err_len)
{
	bool set = strcmp(word[0], "set") == 0;
	char *hex = NULL;
	json_int_t spi;
	json_t *j;

	if (!set && strcmp(word[0], "del") != 0) {
		snprintf(err, err_len, "default-spi %s: set or del", word[0]);
		return NULL;
	}
	if (!spi_value(o, &spi, err, err_len))
		return NULL;
	if (!set)
		return json_pack("{s:s, s:s, s:I}", "command", "default-spi del", "peer", word[1], "spi",
				 spi);
	hex = o->generate ? key_generate(err, err_len) : key_read(err, err_len);
	if (!hex)
		return NULL;
	j = json_pack("{s:s, s:s, s:I, s:s}", "command", "default-spi set", "peer", word[1], "spi", spi,
		      "key", hex);
	if (o->generate)
		printf("%s\n", hex); /* the other gateway needs it too; asked for by --generate */
	key_free(hex);
	return j;
}

static const struct command commands[] = {
	{"show", "status|bindings|visitors|vpns|tunnels|events|counters", 1, 1, make_show, "look at it"},
	{"explain", "NAI", 1, 1, make_explain, "everything about one user, and why"},
	{"drop", "NAI|ADDRESS|SESSION", 1, 1, make_drop, "end a user's registration, with all its tunnels"},
	{"reload", "", 0, 0, make_reload, "read the configuration again"},
	{"resync", "", 0, 0, make_resync, "compare charon with what should be there, now"},
	{"log", "debug|info|notice|warning|error", 1, 1, make_log, "set the log level"},
	{"default-spi", "set|del PEER [--spi N] [--generate]", 2, 2, make_spi,
	 "key of the relation with another gateway; it is read from standard input"},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	fprintf(to, "usage: mipvpnctl [-s SOCKET] [--json] [--show-keys] COMMAND\n");
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(to, "  %s %s\n        %s\n", commands[i].name, commands[i].args, commands[i].help);
	fprintf(to, "exit status: 0 done, 1 refused, 2 usage, 3 no agent answers at SOCKET [" DEFAULT_SOCKET
		    "]\n");
}

/* -1 = go on, else the exit status. */
static int options_parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"socket", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
		{"show-keys", no_argument, NULL, 'k'},	  {"generate", no_argument, NULL, 'g'},
		{"spi", required_argument, NULL, 'i'},	  {"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},	  {0}};
	const char *env = getenv("MIPVPN_SOCKET");
	int c;

	*o = (struct options){.socket = env ? env : DEFAULT_SOCKET};
	while ((c = getopt_long(argc, argv, "s:jVh", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			o->socket = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 'k':
			o->show_keys = true;
			break;
		case 'g':
			o->generate = true;
			break;
		case 'i':
			o->spi = optarg;
			break;
		case 'V':
			puts("mipvpnctl " PACKAGE_VERSION);
			return EXIT_OK;
		case 'h':
			usage(stdout);
			return EXIT_OK;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	return -1;
}

static void print_result(const struct options *o, const struct command *cmd, char **word,
			 const json_t *result)
{
	const char *what = strcmp(cmd->name, "show") == 0 ? word[0] : cmd->name;

	if (!o->json && view_print(stdout, what, result))
		return;
	json_dumpf(result, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

static int run(const struct options *o, const struct command *cmd, char **word, int n)
{
	char err[4096] = "";
	json_t *request = cmd->make(o, word, n, err, sizeof(err)), *result;
	int status;

	if (!request) {
		fprintf(stderr, "mipvpnctl: %s\n", err);
		return EXIT_USAGE;
	}
	status = client_ask(o->socket, request, &result, err, sizeof(err));
	if (status)
		fprintf(stderr, "mipvpnctl: %s\n", err);
	else
		print_result(o, cmd, word, result);
	json_decref(result);
	return status;
}

int main(int argc, char **argv)
{
	struct options o;
	int status = options_parse(argc, argv, &o);

	if (status >= 0)
		return status;
	ctl_json_wipes();
	argc -= optind;
	argv += optind;
	for (size_t i = 0; argc && i < N_COMMANDS; i++) {
		const struct command *cmd = &commands[i];

		if (strcmp(cmd->name, argv[0]) != 0)
			continue;
		if (argc - 1 < cmd->least || argc - 1 > cmd->most) {
			fprintf(stderr, "usage: mipvpnctl %s %s\n", cmd->name, cmd->args);
			return EXIT_USAGE;
		}
		return run(&o, cmd, argv + 1, argc - 1);
	}
	usage(stderr);
	return EXIT_USAGE;
}
