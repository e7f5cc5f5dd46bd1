/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mipvpn-keytool: makes key files, and wraps secrets for the database (requirement A6; mipvpn-keytool(1)).
 *
 * A secret comes from standard input or a file, lives in one buffer that is wiped, and leaves only wrapped,
 * unless --show-keys was given.  The value of -x is overwritten in argv as soon as it was read.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto.h"
#include "lib/hex.h"

#define SECRET_MAX 1024
#define WRAPPED_MAX (SECRET_MAX + CRYPTO_WRAP_EXTRA)
#define TEXT_MAX (2 * WRAPPED_MAX + 16)
#define EXIT_USAGE 2

struct options {
	const char *key_file, *new_key_file, *label, *input_file;
	char *hex; /* -x; points into argv */
	bool raw, show_keys;
};

struct bytes {
	size_t len;
	uint8_t data[WRAPPED_MAX];
};

static const char usage_text[] =
	"usage: mipvpn-keytool new FILE\n"
	"       mipvpn-keytool random BYTES\n"
	"       mipvpn-keytool wrap   -k KEYFILE -l LABEL [-r] [-f FILE | -x HEX]\n"
	"       mipvpn-keytool unwrap -k KEYFILE -l LABEL --show-keys [-f FILE | -x HEX]\n"
	"       mipvpn-keytool rewrap -k OLDFILE -n NEWFILE -l LABEL [-f FILE | -x HEX]\n"
	"The secret (hex digits; -r: the bytes as they are) comes from standard input without -f and -x.\n"
	"See mipvpn-keytool(1).\n";

static int complain(const char *what)
{
	fprintf(stderr, "mipvpn-keytool: %s\n", what);
	return EXIT_FAILURE;
}

static int usage(const char *what)
{
	fprintf(stderr, "mipvpn-keytool: %s\n%s", what, usage_text);
	return EXIT_USAGE;
}

/* --- input --- */

/* Everything up to cap bytes; -1 when there is more, or none can be read. */
static int read_input(const char *path, char *buf, size_t cap, size_t *len)
{
	FILE *f = path ? fopen(path, "re") : stdin;
	bool ok;

	if (!f) {
		fprintf(stderr, "mipvpn-keytool: %s: %s\n", path, strerror(errno));
		return -1;
	}
	setvbuf(f, NULL, _IONBF, 0); /* no second copy of a secret */
	*len = fread(buf, 1, cap, f);
	ok = !ferror(f) && feof(f);
	if (path)
		fclose(f);
	if (!ok)
		complain("the input cannot be read, or is too long");
	return ok ? 0 : -1;
}

/* Hex digits as people and PostgreSQL write them: "\x" in front, blanks around. */
static int hex_input(const char *text, size_t len, struct bytes *out)
{
	int n;

	while (len && strchr(" \t\r\n", text[len - 1]))
		len--;
	while (len && strchr(" \t\r\n", *text)) {
		text++;
		len--;
	}
	if (len >= 2 && text[0] == '\\' && text[1] == 'x') {
		text += 2;
		len -= 2;
	}
	n = hex_decode(text, len, out->data, sizeof(out->data));
	out->len = n > 0 ? (size_t)n : 0;
	if (n <= 0)
		complain("the input is not hex digits (-r takes bytes as they are)");
	return n > 0 ? 0 : -1;
}

static int raw_input(const char *data, size_t len, struct bytes *out)
{
	if (!len || len > sizeof(out->data)) {
		complain("the input is empty or too long");
		return -1;
	}
	memcpy(out->data, data, len);
	out->len = len;
	return 0;
}

static int take_input(const struct options *o, struct bytes *out)
{
	char text[TEXT_MAX];
	size_t len;
	int rc;

	if (o->hex) {
		rc = hex_input(o->hex, strlen(o->hex), out);
		memset(o->hex, '*', strlen(o->hex));
		return rc;
	}
	rc = read_input(o->input_file, text, sizeof(text), &len);
	if (!rc)
		rc = o->raw ? raw_input(text, len, out) : hex_input(text, len, out);
	crypto_wipe(text, sizeof(text));
	return rc;
}

static int take_key(const char *path, uint8_t key[32])
{
	char err[256];

	if (crypto_keyfile_read(path, key, err, sizeof(err)) == 0)
		return 0;
	complain(err);
	return -1;
}

/* --- output --- */

static int print_hex(const char *prefix, const uint8_t *data, size_t len)
{
	char text[2 * WRAPPED_MAX + 1];
	bool ok;

	hex_encode(data, len, text);
	ok = printf("%s%s\n", prefix, text) > 0 && fflush(stdout) == 0;
	crypto_wipe(text, sizeof(text));
	return ok ? EXIT_SUCCESS : complain("cannot write to standard output");
}

static int print_wrapped(const uint8_t kek[32], const char *label, const struct bytes *plain)
{
	uint8_t wrapped[WRAPPED_MAX];

	if (plain->len > SECRET_MAX)
		return complain("the secret is too long");
	if (crypto_wrap(kek, label, plain->data, plain->len, wrapped) < 0)
		return complain("OpenSSL cannot wrap");
	return print_hex("\\x", wrapped, plain->len + CRYPTO_WRAP_EXTRA);
}

/* --- commands --- */

static int cmd_new(const char *path)
{
	char err[256];

	return crypto_keyfile_create(path, err, sizeof(err)) == 0 ? EXIT_SUCCESS : complain(err);
}

static int cmd_random(const char *count)
{
	uint8_t data[SECRET_MAX];
	char *end;
	unsigned long n = strtoul(count, &end, 10);
	int rc;

	if (*end || end == count || n < 1 || n > SECRET_MAX)
		return usage("random: 1..1024 bytes");
	if (crypto_random(data, n) < 0)
		return complain("no random bytes from OpenSSL");
	rc = print_hex("", data, n);
	crypto_wipe(data, sizeof(data));
	return rc;
}

static int cmd_wrap(const struct options *o, const uint8_t kek[32], struct bytes *in)
{
	return print_wrapped(kek, o->label, in);
}

/* Replaces the wrapped bytes by what they hold. */
static int unwrap(const struct options *o, const uint8_t kek[32], struct bytes *in)
{
	struct bytes plain;
	int rc = crypto_unwrap(kek, o->label, in->data, in->len, plain.data);

	plain.len = rc ? 0 : in->len - CRYPTO_WRAP_EXTRA;
	if (!rc)
		*in = plain;
	else
		complain("cannot unwrap: another key file, another label, or damaged");
	crypto_wipe(&plain, sizeof(plain));
	return rc;
}

static int cmd_unwrap(const struct options *o, const uint8_t kek[32], struct bytes *in)
{
	if (!o->show_keys)
		return usage("unwrap prints a secret: it needs --show-keys");
	return unwrap(o, kek, in) ? EXIT_FAILURE : print_hex("", in->data, in->len);
}

static int cmd_rewrap(const struct options *o, const uint8_t kek[32], struct bytes *in)
{
	uint8_t kek_new[32];
	int rc = EXIT_FAILURE;

	if (!o->new_key_file)
		return usage("rewrap needs -n");
	if (!take_key(o->new_key_file, kek_new) && !unwrap(o, kek, in))
		rc = print_wrapped(kek_new, o->label, in);
	crypto_wipe(kek_new, sizeof(kek_new));
	return rc;
}

static const struct {
	const char *name;
	int (*run)(const struct options *o, const uint8_t kek[32], struct bytes *in);
} commands[] = {{"wrap", cmd_wrap}, {"unwrap", cmd_unwrap}, {"rewrap", cmd_rewrap}};

static int with_input(const struct options *o,
		      int (*run)(const struct options *, const uint8_t *, struct bytes *))
{
	struct bytes in = {0};
	uint8_t kek[32];
	int rc = EXIT_FAILURE;

	if (!o->key_file || !o->label || !o->label[0])
		return usage("-k and -l are needed");
	if (!take_key(o->key_file, kek) && !take_input(o, &in))
		rc = run(o, kek, &in);
	crypto_wipe(kek, sizeof(kek));
	crypto_wipe(&in, sizeof(in));
	return rc;
}

static bool parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"show-keys", no_argument, NULL, 's'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "k:n:l:f:x:r", longs, NULL)) != -1) {
		switch (c) {
		case 'k':
			o->key_file = optarg;
			break;
		case 'n':
			o->new_key_file = optarg;
			break;
		case 'l':
			o->label = optarg;
			break;
		case 'f':
			o->input_file = optarg;
			break;
		case 'x':
			o->hex = optarg;
			break;
		case 'r':
			o->raw = true;
			break;
		case 's':
			o->show_keys = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc && !(o->hex && o->input_file);
}

static int run_command(const char *name, int argc, char **argv)
{
	struct options o = {0};

	if (!strcmp(name, "new") || !strcmp(name, "random")) {
		if (argc != 2)
			return usage("one argument is needed");
		return name[0] == 'n' ? cmd_new(argv[1]) : cmd_random(argv[1]);
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(name, commands[i].name))
			return parse_options(argc, argv, &o) ? with_input(&o, commands[i].run)
							     : usage("wrong options");
	}
	return usage("unknown command");
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage("a command is needed");
	if (!strcmp(argv[1], "--help")) {
		fputs(usage_text, stdout);
		return EXIT_SUCCESS;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("mipvpn-keytool " PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	return run_command(argv[1], argc - 1, argv + 1);
}
