/* SPDX-License-Identifier: BSD-3-Clause */
#include "nethelper/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int sysctl_set(const char *path, const char *value, char *old, size_t old_len)
{
	char file[128];
	ssize_t got = 0;
	int fd, error = 0;

	snprintf(file, sizeof(file), "/proc/sys/net/%s", path);
	fd = open(file, old != NULL ? O_RDWR | O_CLOEXEC : O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (old != NULL) {
		got = read(fd, old, old_len - 1);
		old[got > 0 ? got : 0] = '\0';
	}
	if (got < 0 || pwrite(fd, value, strlen(value), 0) < 0)
		error = errno;
	close(fd);
	return error;
}
