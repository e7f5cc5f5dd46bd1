/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Keys for `default-spi set`: never from the command line (others can read that), never echoed.
 */
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lib/crypto.h"
#include "lib/hex.h"
#include "tools/mipvpnctl/ctl.h"

enum { KEY_BYTES = 32, LINE_MAX_ = 256 };

void key_free(char *hex)
{
	if (hex)
		crypto_wipe(hex, strlen(hex));
	free(hex);
}

/* One line from standard input; on a terminal with a prompt and without echo. */
static bool read_line(char *line, int size)
{
	struct termios before, quiet;
	bool tty = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
	bool ok;

	setvbuf(stdin, NULL, _IONBF, 0); /* no copy of the key in stdio's buffer */
	if (tty) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
		fputs("Key (64 hex digits): ", stderr);
	}
	ok = fgets(line, size, stdin) != NULL;
	if (tty) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fputc('\n', stderr);
	}
	line[ok ? strcspn(line, "\r\n") : 0] = '\0';
	return ok;
}

char *key_read(char *err, size_t err_len)
{
	char line[LINE_MAX_];
	uint8_t key[LINE_MAX_ / 2];
	char *hex = NULL;

	if (!read_line(line, sizeof(line)))
		snprintf(err, err_len, "no key on standard input");
	else if (hex_decode(line, strlen(line), key, sizeof(key)) != KEY_BYTES)
		snprintf(err, err_len, "the key must be 64 hex digits");
	else
		hex = strdup(line);
	crypto_wipe(line, sizeof(line));
	crypto_wipe(key, sizeof(key));
	return hex;
}

char *key_generate(char *err, size_t err_len)
{
	uint8_t key[KEY_BYTES];
	char *hex = malloc(2 * KEY_BYTES + 1);

	if (!hex || crypto_random(key, sizeof(key))) {
		snprintf(err, err_len, "no random bytes");
		free(hex);
		return NULL;
	}
	hex_encode(key, sizeof(key), hex);
	crypto_wipe(key, sizeof(key));
	return hex;
}
