/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One ring of requests in order of sending: [head, sent) wait for an answer, [sent, tail) for room in the
 * socket. The helper answers in order, so the answer at hand belongs to the request at head; ids only confirm
 * it.
 */
#include "nethelper/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct waiting {
	struct nh_request request;
	nh_done_fn done;
	void *user;
};
struct nh_client {
	int fd;
	uint32_t next_id;
	struct waiting *ring;
	size_t cap;		 /* a power of two */
	size_t head, sent, tail; /* run freely; index by & (cap - 1) */
};

static struct waiting *slot(const struct nh_client *c, size_t at)
{
	return &c->ring[at & (c->cap - 1)];
}

struct nh_client *nh_client_new(int fd)
{
	struct nh_client *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	c->fd = fd;
	return c;
}

void nh_client_free(struct nh_client *c)
{
	if (c == NULL)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c->ring);
	free(c);
}

static bool ring_grow(struct nh_client *c)
{
	size_t cap = c->cap == 0 ? 64 : c->cap * 2;
	struct waiting *ring = calloc(cap, sizeof(*ring));

	if (ring == NULL)
		return false;
	for (size_t i = c->head; i != c->tail; i++)
		ring[i & (cap - 1)] = *slot(c, i);
	free(c->ring);
	c->ring = ring;
	c->cap = cap;
	return true;
}

int nh_client_send(struct nh_client *c, const struct nh_request *r, nh_done_fn done, void *user)
{
	size_t n = c->tail - c->head;

	if (c->fd < 0 || n >= NH_CLIENT_QUEUE_MAX) {
		errno = c->fd < 0 ? EPIPE : ENOBUFS;
		return -1;
	}
	if (n == c->cap && !ring_grow(c)) {
		errno = ENOMEM;
		return -1;
	}
	*slot(c, c->tail) = (struct waiting){.request = *r, .done = done, .user = user};
	slot(c, c->tail)->request.id = ++c->next_id;
	c->tail++;
	return 0;
}

int nh_client_fd(const struct nh_client *c)
{
	return c->fd;
}

bool nh_client_want_write(const struct nh_client *c)
{
	return c->fd >= 0 && c->sent != c->tail;
}

size_t nh_client_waiting(const struct nh_client *c)
{
	return c->tail - c->head;
}

static void answer(struct nh_client *c, const struct nh_reply *r, int fd)
{
	struct waiting w = *slot(c, c->head);

	c->head++;
	if (w.done != NULL)
		w.done(w.user, r, fd);
	else if (fd >= 0)
		close(fd);
}

/* Only what waits now is answered: a callback that asks again gets EPIPE at once. */
static int helper_lost(struct nh_client *c, const char *why)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->sent = c->tail;
	while (c->head != c->tail) {
		struct nh_reply r = {.id = slot(c, c->head)->request.id, .error = EPIPE};

		snprintf(r.text, sizeof(r.text), "%s", why);
		answer(c, &r, -1);
	}
	return -1;
}

static int flush_requests(struct nh_client *c)
{
	while (c->sent != c->tail) {
		const struct nh_request *r = &slot(c, c->sent)->request;
		ssize_t n = send(c->fd, r, sizeof(*r), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == ENOBUFS))
			return 0;
		if (n < 0)
			return -1;
		c->sent++;
	}
	return 0;
}

static int passed_fd(struct msghdr *m)
{
	int fd = -1;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h))
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS &&
		    h->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(h), sizeof(fd));
	return fd;
}

/* 1 an answer was taken, 0 none is there, -1 the helper is gone or talks nonsense. */
static int take_reply(struct nh_client *c)
{
	struct nh_reply r;
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = &r, .iov_len = sizeof(r)};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t n;
	int fd;

	do
		n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -1;
	fd = passed_fd(&m);
	if (n != sizeof(r) || c->head == c->sent || r.id != slot(c, c->head)->request.id) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	r.text[sizeof(r.text) - 1] = '\0';
	answer(c, &r, fd);
	return 1;
}

int nh_client_io(struct nh_client *c)
{
	int got = 1;

	if (c->fd < 0)
		return -1;
	if (flush_requests(c) != 0)
		return helper_lost(c, "the network helper does not take requests");
	/* A callback may free nothing but may ask for more: that waits for the next turn. */
	for (int i = 0; got == 1 && i < 1024; i++)
		got = take_reply(c);
	if (got < 0)
		return helper_lost(c, "the network helper is gone");
	return flush_requests(c) == 0 ? 0 : helper_lost(c, "the network helper does not take requests");
}

struct call {
	struct nh_reply reply;
	int fd;
	bool done;
};

static void call_done(void *user, const struct nh_reply *r, int fd)
{
	struct call *call = user;

	call->reply = *r;
	call->fd = fd;
	call->done = true;
}

static int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Forgets a call that timed out: its answer, when it comes, must not write to a dead stack frame. */
static void call_forget(struct nh_client *c, const struct call *call)
{
	for (size_t i = c->head; i != c->tail; i++)
		if (slot(c, i)->user == call)
			slot(c, i)->done = NULL;
}

int nh_client_call(struct nh_client *c, const struct nh_request *r, struct nh_reply *reply, int *fd,
		   int timeout_ms)
{
	struct call call = {.fd = -1};
	int64_t until = clock_ms() + timeout_ms;

	if (nh_client_send(c, r, call_done, &call) != 0)
		return -1;
	while (nh_client_io(c) == 0 && !call.done) {
		struct pollfd p = {.fd = c->fd,
				   .events = (short)(POLLIN | (nh_client_want_write(c) ? POLLOUT : 0))};
		int64_t left = until - clock_ms();

		if (left <= 0) {
			call_forget(c, &call);
			errno = ETIMEDOUT;
			return -1;
		}
		poll(&p, 1, (int)left);
	}
	if (fd != NULL)
		*fd = call.fd;
	else if (call.fd >= 0)
		close(call.fd);
	if (reply != NULL)
		*reply = call.reply;
	return call.reply.error;
}
