/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The control socket: a Unix stream socket, mode 0660, one request and one response a connection
 * (ctl_proto.h).  Bounds: so many clients, so many bytes, so many seconds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <utlist.h>

#include "agent/run/agent.h"
#include "agent/run/ctl_proto.h"
#include "lib/counter.h"
#include "lib/crypto.h"

enum { CLIENTS_MAX = 16, CLIENT_MS = 10000 };

struct client {
	struct ctl *ctl;
	int fd;
	struct loop_io *io;
	struct loop_timer *deadline;
	char in[CTL_REQUEST_MAX];
	size_t in_len;
	char *out; /* the response; NULL = the request is not complete */
	size_t out_len, out_done;
	struct client *prev, *next;
};
struct ctl {
	struct agent *agent;
	int fd;
	struct loop_io *io;
	struct client *clients;
	unsigned n_clients;
	char path[108];
};

static void client_end(struct client *c)
{
	struct ctl *ctl = c->ctl;

	DL_DELETE(ctl->clients, c);
	ctl->n_clients--;
	loop_io_del(c->io);
	loop_timer_del(c->deadline);
	close(c->fd);
	crypto_wipe(c->in, sizeof(c->in));
	if (c->out)
		crypto_wipe(c->out, c->out_len); /* show vpns --show-keys */
	free(c->out);
	free(c);
}

static void on_deadline(void *user)
{
	counter_inc("ctl.client.timeout");
	client_end(user);
}

/* Sends what is left; false when the client has ended. */
static bool client_write(struct client *c)
{
	while (c->out_done < c->out_len) {
		ssize_t n = send(c->fd, c->out + c->out_done, c->out_len - c->out_done,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN) {
			loop_io_want_write(c->io, true);
			return true;
		}
		if (n <= 0)
			break;
		c->out_done += (size_t)n;
	}
	client_end(c);
	return false;
}

static void client_answer(struct client *c, size_t line_len)
{
	char why[128];
	json_t *request = ctl_request_parse(c->in, line_len, why, sizeof(why)), *response;

	if (!request)
		counter_inc("ctl.request.bad");
	response = request ? ctl_command(c->ctl->agent, request) : ctl_response_error("%s", why);
	json_decref(request);
	crypto_wipe(c->in, c->in_len);
	c->out = response ? ctl_line_make(response, &c->out_len) : NULL;
	json_decref(response);
	if (c->out)
		client_write(c);
	else
		client_end(c);
}

static void client_too_long(struct client *c)
{
	json_t *response = ctl_response_error("the request is longer than %d bytes", CTL_REQUEST_MAX);

	counter_inc("ctl.request.too_long");
	c->out = response ? ctl_line_make(response, &c->out_len) : NULL;
	json_decref(response);
	if (c->out)
		client_write(c);
	else
		client_end(c);
}

static void client_read(struct client *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, MSG_DONTWAIT);
	size_t line_len;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_end(c);
		return;
	}
	c->in_len += (size_t)n;
	switch (ctl_line_find(c->in, c->in_len, sizeof(c->in), &line_len)) {
	case CTL_LINE_MORE:
		break;
	case CTL_LINE_DONE:
		client_answer(c, line_len);
		break;
	case CTL_LINE_TOO_LONG:
		client_too_long(c);
		break;
	}
}

static void on_client(void *user, bool readable, bool writable)
{
	struct client *c = user;
	char byte;

	if (!c->out)
		client_read(c);
	else if (writable)
		client_write(c);
	else if (recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0 && errno != EAGAIN)
		client_end(c); /* gone while its response is under way */
}

static void client_new(struct ctl *ctl, int fd)
{
	struct client *c = ctl->n_clients < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
	struct loop *loop = ctl->agent->loop;

	if (!c) {
		counter_inc("ctl.client.refused");
		close(fd);
		return;
	}
	c->ctl = ctl;
	c->fd = fd;
	c->io = loop_io_add(loop, fd, on_client, c);
	c->deadline = loop_timer_add(loop, on_deadline, c);
	DL_APPEND(ctl->clients, c);
	ctl->n_clients++;
	if (c->io && c->deadline)
		loop_timer_at(c->deadline, loop_now(loop) + CLIENT_MS);
	else
		client_end(c);
}

static void on_connect(void *user, bool readable, bool writable)
{
	struct ctl *ctl = user;
	int fd = accept4(ctl->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		client_new(ctl, fd);
}

/* A socket file of an agent that is no more is in the way; one that answers is another agent's. */
static int remove_stale(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc = connect(fd, (const struct sockaddr *)sa, sizeof(*sa));

	close(fd);
	if (rc == 0) {
		errno = EADDRINUSE;
		return -1;
	}
	return unlink(sa->sun_path) && errno != ENOENT ? -1 : 0;
}

static int listen_at(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before;
	int rc;

	if (fd < 0)
		return -1;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	before = umask(0117); /* 0660 from its first moment on */
	rc = remove_stale(&sa) || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, CLIENTS_MAX);
	umask(before);
	if (!rc)
		return fd;
	rc = errno;
	close(fd);
	errno = rc;
	return -1;
}

int ctl_start(struct agent *g, char *err, size_t err_len)
{
	struct ctl *ctl = calloc(1, sizeof(*ctl));

	if (!ctl)
		return -1;
	ctl->agent = g;
	snprintf(ctl->path, sizeof(ctl->path), "%s", g->conf->control_socket);
	ctl->fd = listen_at(ctl->path);
	if (ctl->fd < 0) {
		snprintf(err, err_len, "control socket %s: %s", ctl->path,
			 errno == EADDRINUSE ? "another agent answers there" : strerror(errno));
		free(ctl);
		return -1;
	}
	ctl->io = loop_io_add(g->loop, ctl->fd, on_connect, ctl);
	g->ctl = ctl;
	return ctl->io ? 0 : -1;
}

void ctl_stop(struct agent *g)
{
	struct ctl *ctl = g->ctl;
	struct client *c, *next;

	if (!ctl)
		return;
	DL_FOREACH_SAFE(ctl->clients, c, next)
	client_end(c);
	loop_io_del(ctl->io);
	close(ctl->fd);
	unlink(ctl->path);
	free(ctl);
	g->ctl = NULL;
}
