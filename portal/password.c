/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/password.h"

#include <crypt.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "lib/crypto.h"
#include "portal/utf8.h"

#define LEAST_AT_ONCE 4
#define MOST_AT_ONCE 16 /* of 16 MB each */
#define PASSWORD_LEAST 8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static unsigned running;

/* More than processors would only be slower, each of them. */
static unsigned at_once(void)
{
	static unsigned n; /* under the lock */
	long cpus = n ? 0 : sysconf(_SC_NPROCESSORS_ONLN);

	if (!n)
		n = cpus < LEAST_AT_ONCE  ? LEAST_AT_ONCE
		    : cpus > MOST_AT_ONCE ? MOST_AT_ONCE
					  : (unsigned)cpus;
	return n;
}

bool password_enter(unsigned wait_ms)
{
	struct timespec end;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += wait_ms / 1000;
	end.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&lock);
	while (running >= at_once() && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&freed, &lock, &end);
	if (running < at_once()) {
		running++;
		rc = 0;
	}
	pthread_mutex_unlock(&lock);
	return !rc;
}

void password_leave(void)
{
	pthread_mutex_lock(&lock);
	running--;
	pthread_cond_signal(&freed);
	pthread_mutex_unlock(&lock);
}

int password_hash(const char *password, const char *setting, char out[PASSWORD_HASH])
{
	struct crypt_data *d = calloc(1, sizeof(*d)); /* 32 KB: not for a thread's stack */
	const char *h = d && !strncmp(setting, "$y$", 3) ? crypt_r(password, setting, d) : NULL;
	int rc = -1;

	out[0] = '\0';
	if (h && h[0] != '*' && strlen(h) < PASSWORD_HASH) {
		memcpy(out, h, strlen(h) + 1);
		rc = 0;
	}
	if (d)
		crypto_wipe(d, sizeof(*d));
	free(d);
	return rc;
}

int password_new(const char *password, char out[PASSWORD_HASH])
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	out[0] = '\0';
	if (!crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)))
		return -1;
	return password_hash(password, setting, out);
}

/* One line, without its newline; false: none, or too long. */
static bool line_read(char *buf, size_t cap)
{
	struct termios was, quiet;
	bool tty = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &was), ok;

	if (tty) {
		fputs("Password: ", stderr);
		quiet = was;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	ok = fgets(buf, (int)cap, stdin) != NULL;
	if (tty) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
		fputc('\n', stderr);
	}
	if (!ok || strlen(buf) == cap - 1)
		return false;
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

int password_command(void)
{
	char password[PASSWORD_MAX + 2], out[PASSWORD_HASH];
	int rc = 1;

	setvbuf(stdin, NULL, _IONBF, 0);
	if (!line_read(password, sizeof(password)))
		fprintf(stderr, "mipvpn-webd: no password of at most %d bytes on standard input\n",
			PASSWORD_MAX);
	else if (strlen(password) < PASSWORD_LEAST)
		fprintf(stderr, "mipvpn-webd: a password has at least %d characters\n", PASSWORD_LEAST);
	else if (!utf8_text(password, strlen(password)))
		fprintf(stderr, "mipvpn-webd: a password is UTF-8, without control characters\n");
	else if (password_new(password, out))
		fprintf(stderr, "mipvpn-webd: libcrypt makes no yescrypt hash here\n");
	else
		rc = puts(out) < 0;
	crypto_wipe(password, sizeof(password));
	crypto_wipe(out, sizeof(out));
	return rc;
}
