/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Starting mipvpn-nethelper.  Between fork and exec only async-signal-safe calls: the agent may have threads.
 */
#include "nethelper/client.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELPER_FD 3
#define ARGS_MAX 96

static void child(int fd, char *const *argv)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A group of its own: Ctrl-C is for the agent, which ends the helper by closing the socket. */
	setpgid(0, 0);
	if (fd == HELPER_FD)
		fcntl(fd, F_SETFD, 0);
	else if (dup2(fd, HELPER_FD) < 0)
		_exit(126);
	close_range(HELPER_FD + 1, ~0U, 0);
	execv(argv[0], argv);
	_exit(127);
}

static const char **build_args(const struct nh_client_args *a)
{
	static const char *argv[ARGS_MAX];
	size_t n = 0;

	if (2 * (a->n_links + a->n_homes) + 8 > ARGS_MAX)
		return NULL;
	argv[n++] = a->program != NULL ? a->program : MIPVPN_LIBEXECDIR "/mipvpn-nethelper";
	argv[n++] = "--fd";
	argv[n++] = "3";
	if (a->vici_path != NULL) {
		argv[n++] = "--vici";
		argv[n++] = a->vici_path;
	}
	argv[n++] = "--log-level";
	argv[n++] = a->log_level != NULL ? a->log_level : "notice";
	for (size_t i = 0; i < a->n_links; i++) {
		argv[n++] = "--link";
		argv[n++] = a->links[i];
	}
	for (size_t i = 0; i < a->n_homes; i++) {
		argv[n++] = "--home";
		argv[n++] = a->homes[i];
	}
	argv[n] = NULL;
	return argv;
}

int nh_client_spawn(const struct nh_client_args *a, pid_t *pid, char *err, size_t err_len)
{
	const char **argv = build_args(a);
	int sv[2];

	if (argv == NULL || access(argv[0], X_OK) != 0) {
		snprintf(err, err_len, "%s: %s", argv == NULL ? "mipvpn-nethelper" : argv[0],
			 argv == NULL ? "too many interfaces" : strerror(errno));
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sv) != 0) {
		snprintf(err, err_len, "socketpair: %s", strerror(errno));
		return -1;
	}
	*pid = fork();
	if (*pid == 0)
		child(sv[1], (char *const *)(uintptr_t)argv);
	close(sv[1]);
	if (*pid < 0) {
		snprintf(err, err_len, "fork: %s", strerror(errno));
		close(sv[0]);
		return -1;
	}
	return sv[0];
}
