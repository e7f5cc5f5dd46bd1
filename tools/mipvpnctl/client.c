/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The other end of agent/run/ctl.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/run/ctl_proto.h"
#include "lib/crypto.h"
#include "tools/mipvpnctl/ctl.h"

#define DEADLINE_S 15

static int agent_connect(const char *path, char *err, size_t err_len)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct timeval tv = {.tv_sec = DEADLINE_S};
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		snprintf(err, err_len, "%s: longer than a socket's path may be", path);
		return -1;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		snprintf(err, err_len, "%s: %s%s", path, strerror(errno),
			 errno == ENOENT || errno == ECONNREFUSED ? ": is mipvpn-agentd running?" : "");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	return fd;
}

static bool send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Reads up to the end of the stream; malloc'd, NULL on error. */
static char *receive_all(int fd, size_t *len)
{
	size_t cap = 65536;
	char *buf = malloc(cap);

	*len = 0;
	while (buf) {
		ssize_t n;

		if (*len == cap) {
			char *more = cap < CTL_RESPONSE_MAX ? realloc(buf, cap * 2) : NULL;

			if (!more)
				break;
			buf = more;
			cap *= 2;
		}
		n = recv(fd, buf + *len, cap - *len, 0);
		if (n == 0)
			return buf;
		if (n < 0)
			break;
		*len += (size_t)n;
	}
	free(buf);
	return NULL;
}

static json_t *exchange(int fd, const json_t *request, char *err, size_t err_len)
{
	size_t line_len = 0, len = 0;
	char *line = ctl_line_make(request, &line_len), *answer = NULL;
	json_t *response = NULL;

	if (line && send_all(fd, line, line_len))
		answer = receive_all(fd, &len);
	if (answer)
		response = json_loadb(answer, len, 0, NULL);
	if (!response)
		snprintf(err, err_len, "no answer from the agent");
	free(answer);
	if (line) {
		crypto_wipe(line, line_len);
		free(line);
	}
	return response;
}

int client_ask(const char *socket_path, json_t *request, json_t **result, char *err, size_t err_len)
{
	int fd = agent_connect(socket_path, err, err_len);
	json_t *response = fd >= 0 ? exchange(fd, request, err, err_len) : NULL;
	int status = EXIT_NO_AGENT;

	if (fd >= 0)
		close(fd);
	json_decref(request);
	*result = NULL;
	if (response && json_is_true(json_object_get(response, "ok"))) {
		*result = json_incref(json_object_get(response, "result"));
		status = EXIT_OK;
	} else if (response) {
		const char *text = json_string_value(json_object_get(response, "error"));

		snprintf(err, err_len, "%s", text ? text : "refused");
		status = EXIT_REFUSED;
	}
	json_decref(response);
	return status;
}
