/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One VICI connection over a descriptor that the caller polls.  No threads, no clock, no blocking.
 *
 * VICI answers have no sequence numbers, so at most one request is in flight and the rest waits in a FIFO. A
 * command that streams (list-sas) is three requests in a row: register its event, the command, unregister;
 * they sit together in the FIFO. The deadline of a request runs from the moment it is handed to the kernel: a
 * queue behind a slow command is not late yet, and a request that is late takes the connection down, because
 * what comes next could not be told apart from its answer.
 *
 * Callbacks may queue further commands. They must not free the connection: after closed() it is dead and
 * inert, and the owner frees it once vici_conn_io() or vici_conn_tick() has returned.
 */
#include "agent/vici/vici.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/crypto.h"

enum packet {
	PKT_CMD_REQUEST = 0,
	PKT_CMD_RESPONSE = 1,
	PKT_CMD_UNKNOWN = 2,
	PKT_EVENT_REGISTER = 3,
	PKT_EVENT_UNREGISTER = 4,
	PKT_EVENT_CONFIRM = 5,
	PKT_EVENT_UNKNOWN = 6,
	PKT_EVENT = 7
};

#define QUEUE_MAX 16384 /* requests: a burst of installs, not a leak */
#define HEADER 4	/* length, network order */
#define READS_PER_IO 64 /* then let the loop do something else */
#define SUBSCRIBE_DEADLINE_MS 5000

struct request {
	TAILQ_ENTRY(request) entry;
	uint64_t id; /* 0: its answer is nobody's business */
	uint32_t deadline_ms;
	enum packet type;
	size_t len, sent;
	uint8_t *bytes; /* whole packet with its length; wiped and gone once sent */
};

struct vici_conn {
	int fd;
	const struct vici_conn_ops *ops;
	void *user;
	TAILQ_HEAD(, request) queue; /* the first one is in flight when flying */
	size_t queued;
	bool flying, dead;
	uint64_t due; /* of the one in flight */
	uint64_t next_id;
	uint8_t head[HEADER];
	size_t head_len;
	uint8_t *body;
	size_t body_len, body_want;
};

struct vici_conn *vici_conn_new(int fd, const struct vici_conn_ops *ops, void *user)
{
	struct vici_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fd = fd;
	c->ops = ops;
	c->user = user;
	c->next_id = 1;
	TAILQ_INIT(&c->queue);
	return c;
}

static void wipe_bytes(struct request *r)
{
	if (r->bytes)
		crypto_wipe(r->bytes, r->len);
	free(r->bytes);
	r->bytes = NULL;
}

static void request_free(struct request *r)
{
	wipe_bytes(r);
	free(r);
}

static struct request *queue_pop(struct vici_conn *c)
{
	struct request *r = TAILQ_FIRST(&c->queue);

	if (r) {
		TAILQ_REMOVE(&c->queue, r, entry);
		c->queued--;
	}
	return r;
}

static void release(struct vici_conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	if (c->body)
		crypto_wipe(c->body, c->body_want);
	free(c->body);
	c->body = NULL;
}

void vici_conn_free(struct vici_conn *c)
{
	struct request *r;

	if (!c)
		return;
	while ((r = queue_pop(c)))
		request_free(r);
	release(c);
	free(c);
}

int vici_conn_fd(const struct vici_conn *c)
{
	return c->fd;
}

bool vici_conn_wants_write(const struct vici_conn *c)
{
	const struct request *r = TAILQ_FIRST(&c->queue);

	return !c->dead && r && (!c->flying || r->bytes);
}

/* Everything that waits is answered before the owner hears that the connection is gone. */
static void fail(struct vici_conn *c, const char *why)
{
	struct request *r;

	if (c->dead)
		return;
	c->dead = true;
	c->flying = false;
	release(c);
	while ((r = queue_pop(c))) {
		if (r->id)
			c->ops->reply(c->user, r->id, false, NULL, 0, why);
		request_free(r);
	}
	c->ops->closed(c->user, why);
}

/* --- sending --- */

static void send_out(struct vici_conn *c, uint64_t now_ms)
{
	struct request *r = TAILQ_FIRST(&c->queue);
	ssize_t n;

	if (c->dead || !r)
		return;
	if (!c->flying) {
		c->flying = true;
		c->due = now_ms + r->deadline_ms;
	}
	while (r->bytes) {
		n = send(c->fd, r->bytes + r->sent, r->len - r->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) {
			fail(c, strerror(errno));
			return;
		}
		r->sent += (size_t)n;
		if (r->sent == r->len)
			wipe_bytes(r);
	}
}

/* Makes a request of type with a name and an optional message. */
static struct request *request_new(enum packet type, const char *name, const uint8_t *msg, size_t msg_len)
{
	size_t name_len = strlen(name), body = 2 + name_len + msg_len;
	struct request *r;

	if (name_len > 255 || body > VICI_MSG_MAX)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->type = type;
	r->len = HEADER + body;
	r->bytes = malloc(r->len);
	if (!r->bytes) {
		free(r);
		return NULL;
	}
	for (int i = 0; i < HEADER; i++)
		r->bytes[i] = (uint8_t)(body >> (24 - 8 * i));
	r->bytes[HEADER] = (uint8_t)type;
	r->bytes[HEADER + 1] = (uint8_t)name_len;
	memcpy(r->bytes + HEADER + 2, name, name_len);
	if (msg_len)
		memcpy(r->bytes + HEADER + 2 + name_len, msg, msg_len);
	return r;
}

static void enqueue(struct vici_conn *c, struct request *r, uint64_t deadline_ms)
{
	r->deadline_ms = deadline_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)deadline_ms;
	TAILQ_INSERT_TAIL(&c->queue, r, entry);
	c->queued++;
}

static bool enqueue_command(struct vici_conn *c, const char *name, const struct vici_msg *m,
			    const char *stream_event, uint64_t deadline_ms)
{
	struct request *cmd, *reg = NULL, *unreg = NULL;
	const uint8_t *data = NULL;
	size_t len = 0;

	if (m && !vici_msg_bytes(m, &data, &len))
		return false;
	cmd = request_new(PKT_CMD_REQUEST, name, data, len);
	if (stream_event) {
		reg = request_new(PKT_EVENT_REGISTER, stream_event, NULL, 0);
		unreg = request_new(PKT_EVENT_UNREGISTER, stream_event, NULL, 0);
	}
	if (!cmd || (stream_event && (!reg || !unreg))) {
		if (cmd)
			request_free(cmd);
		if (reg)
			request_free(reg);
		if (unreg)
			request_free(unreg);
		return false;
	}
	if (reg)
		enqueue(c, reg, deadline_ms);
	cmd->id = c->next_id;
	enqueue(c, cmd, deadline_ms);
	if (unreg)
		enqueue(c, unreg, deadline_ms);
	return true;
}

uint64_t vici_conn_command(struct vici_conn *c, const char *name, struct vici_msg *m,
			   const char *stream_event, uint64_t deadline_ms, uint64_t now_ms)
{
	bool ok = !c->dead && c->queued + 3 <= QUEUE_MAX &&
		  enqueue_command(c, name, m, stream_event, deadline_ms);

	(void)now_ms;
	vici_msg_free(m);
	return ok ? c->next_id++ : 0;
}

int vici_conn_subscribe(struct vici_conn *c, const char *event, uint64_t now_ms)
{
	struct request *r;

	(void)now_ms;
	if (c->dead || c->queued >= QUEUE_MAX)
		return -1;
	r = request_new(PKT_EVENT_REGISTER, event, NULL, 0);
	if (!r)
		return -1;
	enqueue(c, r, SUBSCRIBE_DEADLINE_MS);
	return 0;
}

/* --- receiving --- */

/* Ends the request in flight; returns it (to be freed) when an answer of this kind may end it, else NULL. */
static struct request *finish(struct vici_conn *c, bool command)
{
	struct request *r = TAILQ_FIRST(&c->queue);

	if (!r || !c->flying || r->bytes || (r->type == PKT_CMD_REQUEST) != command)
		return NULL;
	c->flying = false;
	return queue_pop(c);
}

static void take_response(struct vici_conn *c, const uint8_t *msg, size_t len, bool known)
{
	struct request *r = finish(c, true);

	if (!r) {
		fail(c, "an answer to no command");
		return;
	}
	if (known)
		c->ops->reply(c->user, r->id, true, msg, len, NULL);
	else
		c->ops->reply(c->user, r->id, false, NULL, 0, "charon does not know this command");
	request_free(r);
}

/* An event that this charon does not have never comes; that is not a fault of the connection. */
static void take_confirm(struct vici_conn *c)
{
	struct request *r = finish(c, false);

	if (r)
		request_free(r);
	else
		fail(c, "a confirmation of no subscription");
}

static void take_event(struct vici_conn *c, const uint8_t *p, size_t len)
{
	char name[256];
	const char *why;
	size_t n = len ? p[0] : 0;

	if (!len || n > len - 1) {
		fail(c, "truncated event name");
		return;
	}
	memcpy(name, p + 1, n);
	name[n] = '\0';
	if (vici_walk(p + 1 + n, len - 1 - n, NULL, NULL, &why) < 0)
		fail(c, why);
	else
		c->ops->event(c->user, name, p + 1 + n, len - 1 - n);
}

static void take_packet(struct vici_conn *c, const uint8_t *p, size_t len)
{
	const char *why;

	switch (p[0]) {
	case PKT_CMD_RESPONSE:
		if (vici_walk(p + 1, len - 1, NULL, NULL, &why) < 0)
			fail(c, why);
		else
			take_response(c, p + 1, len - 1, true);
		return;
	case PKT_CMD_UNKNOWN:
		take_response(c, NULL, 0, false);
		return;
	case PKT_EVENT_CONFIRM:
	case PKT_EVENT_UNKNOWN:
		take_confirm(c);
		return;
	case PKT_EVENT:
		take_event(c, p + 1, len - 1);
		return;
	default:
		fail(c, "unknown packet type");
	}
}

/* The length has come: room for the body. */
static bool start_body(struct vici_conn *c)
{
	size_t len =
		(size_t)c->head[0] << 24 | (size_t)c->head[1] << 16 | (size_t)c->head[2] << 8 | c->head[3];

	if (len < 1 || len > VICI_MSG_MAX) {
		fail(c, len ? "a message over 512 KiB" : "an empty packet");
		return false;
	}
	c->body = malloc(len);
	if (!c->body) {
		fail(c, "no memory");
		return false;
	}
	c->body_want = len;
	c->body_len = 0;
	return true;
}

/* One recv(): n > 0, 0 = nothing there now, -1 = dead. */
static ssize_t receive(struct vici_conn *c, uint8_t *to, size_t len)
{
	ssize_t n;

	do
		n = recv(c->fd, to, len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (n <= 0) {
		fail(c, n ? strerror(errno) : "charon closed the connection");
		return -1;
	}
	return n;
}

/* Reads what is missing of the header or the body; false when there is no more to do now. */
static bool read_some(struct vici_conn *c)
{
	ssize_t n;
	uint8_t *body;
	size_t len;

	if (!c->body) {
		n = receive(c, c->head + c->head_len, HEADER - c->head_len);
		if (n <= 0)
			return false;
		c->head_len += (size_t)n;
		return c->head_len < HEADER || start_body(c);
	}
	n = receive(c, c->body + c->body_len, c->body_want - c->body_len);
	if (n <= 0)
		return false;
	c->body_len += (size_t)n;
	if (c->body_len < c->body_want)
		return true;
	body = c->body;
	len = c->body_len;
	c->body = NULL;
	c->head_len = 0;
	take_packet(c, body, len);
	free(body);
	return !c->dead;
}

void vici_conn_io(struct vici_conn *c, bool readable, bool writable, uint64_t now_ms)
{
	if (c->dead)
		return;
	if (writable)
		send_out(c, now_ms);
	for (int i = 0; readable && !c->dead && i < READS_PER_IO; i++) {
		if (!read_some(c))
			break;
		/* An answer has made room for the next request: do not wait for another turn of the loop. */
		if (!c->flying)
			send_out(c, now_ms);
	}
}

uint64_t vici_conn_next(const struct vici_conn *c)
{
	return c->flying && !c->dead ? c->due : UINT64_MAX;
}

void vici_conn_tick(struct vici_conn *c, uint64_t now_ms)
{
	if (!c->dead && c->flying && now_ms >= c->due)
		fail(c, "charon did not answer in time");
}
