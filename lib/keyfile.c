/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Key files (lib/crypto.h): one 256-bit key as 64 hex digits and a newline.  Who can read the file has the
 * key, so a file that more than its owner and group can read is refused.
 */
#include "lib/crypto.h"
#include "lib/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_BYTES 32
#define KEY_DIGITS (2 * KEY_BYTES)

static int fail(char *err, size_t err_len, const char *path, const char *why, int errnum)
{
	snprintf(err, err_len, "%s: %s", path, why);
	errno = errnum;
	return -1;
}

/* Not others', not writable by the group, ours or root's. */
static const char *keyfile_refuse(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "not a regular file";
	if (st->st_mode & 0137)
		return "mode must be 0600 or 0640";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "owner must be root or the reading user";
	return NULL;
}

static ssize_t read_all(int fd, char *buf, size_t cap)
{
	size_t have = 0;

	while (have < cap) {
		ssize_t n = read(fd, buf + have, cap - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static int keyfile_parse(char *text, ssize_t n, uint8_t key[KEY_BYTES])
{
	if (n == KEY_DIGITS + 1 && text[KEY_DIGITS] == '\n')
		n--;
	if (n != KEY_DIGITS)
		return -1;
	return hex_decode(text, KEY_DIGITS, key, KEY_BYTES) == KEY_BYTES ? 0 : -1;
}

int crypto_keyfile_read(const char *path, uint8_t key[32], char *err, size_t err_len)
{
	char text[KEY_DIGITS + 2];
	struct stat st;
	const char *why = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n;
	bool ok;

	memset(key, 0, KEY_BYTES);
	if (fd < 0)
		return fail(err, err_len, path, strerror(errno), errno);
	if (fstat(fd, &st) < 0 || (why = keyfile_refuse(&st))) {
		close(fd);
		return fail(err, err_len, path, why ? why : "cannot stat", EPERM);
	}
	n = read_all(fd, text, sizeof(text));
	close(fd);
	ok = keyfile_parse(text, n, key) == 0;
	crypto_wipe(text, sizeof(text));
	if (ok)
		return 0;
	crypto_wipe(key, KEY_BYTES);
	return fail(err, err_len, path, "not 64 hex digits and a newline", EINVAL);
}

static bool write_line(int fd, const char *text, size_t len)
{
	return write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
}

int crypto_keyfile_create(const char *path, char *err, size_t err_len)
{
	uint8_t key[KEY_BYTES];
	char text[KEY_DIGITS + 2];
	bool ok;
	int fd;

	if (crypto_random(key, sizeof(key)) < 0)
		return fail(err, err_len, path, "no random bytes from OpenSSL", EIO);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(err, err_len, path, strerror(errno), errno);
	hex_encode(key, sizeof(key), text);
	text[KEY_DIGITS] = '\n';
	ok = write_line(fd, text, KEY_DIGITS + 1);
	ok = close(fd) == 0 && ok;
	crypto_wipe(key, sizeof(key));
	crypto_wipe(text, sizeof(text));
	if (ok)
		return 0;
	unlink(path);
	return fail(err, err_len, path, "write failed", EIO);
}
