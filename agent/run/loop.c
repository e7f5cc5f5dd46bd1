/* SPDX-License-Identifier: BSD-3-Clause
 *
 * loop.h over libuv.
 */
#include <stdlib.h>

#include <uv.h>

#include "agent/run/loop.h"

struct loop {
	uv_loop_t uv;
	uv_check_t turn;
	void (*turn_fn)(void *user);
	void *turn_user;
};

static void handle_free(uv_handle_t *h)
{
	free(h->data);
}

/* Every handle struct of ours begins with its uv handle, whose data points back to the struct. */
#define HANDLE_CLOSE(x) uv_close((uv_handle_t *)&(x)->uv, handle_free)

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (l && !uv_loop_init(&l->uv))
		return l;
	free(l);
	return NULL;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	if (l->turn_fn)
		uv_close((uv_handle_t *)&l->turn, NULL);
	uv_run(&l->uv, UV_RUN_NOWAIT); /* runs the close callbacks that are due */
	uv_loop_close(&l->uv);
	free(l);
}

void loop_run(struct loop *l)
{
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
	uv_stop(&l->uv);
}

uint64_t loop_now(const struct loop *l)
{
	return uv_now(&l->uv);
}

static void on_turn(uv_check_t *c)
{
	struct loop *l = c->data;

	l->turn_fn(l->turn_user);
}

void loop_each_turn(struct loop *l, void (*fn)(void *user), void *user)
{
	l->turn_fn = fn;
	l->turn_user = user;
	uv_check_init(&l->uv, &l->turn);
	l->turn.data = l;
	uv_check_start(&l->turn, on_turn);
}

/* --- descriptors --- */

struct loop_io {
	uv_poll_t uv;
	void (*fn)(void *user, bool readable, bool writable);
	void *user;
	bool want_write;
};

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct loop_io *io = p->data;

	/* On an error libuv stops polling, but a UDP socket only has an ICMP error in its queue: go on.
	 * The owner's read finds out what it was, and takes it away or the socket. */
	if (status < 0)
		uv_poll_start(p, io->want_write ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_poll);
	io->fn(io->user, status < 0 || (events & UV_READABLE), events & UV_WRITABLE);
}

struct loop_io *loop_io_add(struct loop *l, int fd, void (*fn)(void *user, bool readable, bool writable),
			    void *user)
{
	struct loop_io *io = calloc(1, sizeof(*io));

	if (!io || uv_poll_init(&l->uv, &io->uv, fd)) {
		free(io);
		return NULL;
	}
	io->uv.data = io;
	io->fn = fn;
	io->user = user;
	uv_poll_start(&io->uv, UV_READABLE, on_poll);
	return io;
}

void loop_io_want_write(struct loop_io *io, bool want)
{
	if (io->want_write == want)
		return;
	io->want_write = want;
	uv_poll_start(&io->uv, want ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_poll);
}

void loop_io_del(struct loop_io *io)
{
	if (io)
		HANDLE_CLOSE(io);
}

/* --- timers --- */

struct loop_timer {
	uv_timer_t uv;
	void (*fn)(void *user);
	void *user;
	uint64_t at_ms;
};

static void on_timer(uv_timer_t *u)
{
	struct loop_timer *t = u->data;

	t->at_ms = LOOP_NEVER;
	t->fn(t->user);
}

struct loop_timer *loop_timer_add(struct loop *l, void (*fn)(void *user), void *user)
{
	struct loop_timer *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	uv_timer_init(&l->uv, &t->uv);
	t->uv.data = t;
	t->fn = fn;
	t->user = user;
	t->at_ms = LOOP_NEVER;
	return t;
}

void loop_timer_at(struct loop_timer *t, uint64_t at_ms)
{
	uint64_t now = uv_now(t->uv.loop);

	if (at_ms == t->at_ms)
		return;
	t->at_ms = at_ms;
	if (at_ms == LOOP_NEVER)
		uv_timer_stop(&t->uv);
	else
		uv_timer_start(&t->uv, on_timer, at_ms > now ? at_ms - now : 0, 0);
}

void loop_timer_del(struct loop_timer *t)
{
	if (t)
		HANDLE_CLOSE(t);
}

/* --- wake-ups --- */

struct loop_wake {
	uv_async_t uv;
	void (*fn)(void *user);
	void *user;
};

static void on_async(uv_async_t *u)
{
	struct loop_wake *w = u->data;

	w->fn(w->user);
}

struct loop_wake *loop_wake_add(struct loop *l, void (*fn)(void *user), void *user)
{
	struct loop_wake *w = calloc(1, sizeof(*w));

	if (!w || uv_async_init(&l->uv, &w->uv, on_async)) {
		free(w);
		return NULL;
	}
	w->uv.data = w;
	w->fn = fn;
	w->user = user;
	return w;
}

void loop_wake_send(struct loop_wake *w)
{
	uv_async_send(&w->uv);
}

void loop_wake_del(struct loop_wake *w)
{
	if (w)
		HANDLE_CLOSE(w);
}

/* --- signals --- */

struct loop_signal {
	uv_signal_t uv;
	void (*fn)(void *user, int signo);
	void *user;
};

static void on_signal(uv_signal_t *u, int signo)
{
	struct loop_signal *s = u->data;

	s->fn(s->user, signo);
}

struct loop_signal *loop_signal_add(struct loop *l, int signo, void (*fn)(void *user, int signo), void *user)
{
	struct loop_signal *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	uv_signal_init(&l->uv, &s->uv);
	s->uv.data = s;
	s->fn = fn;
	s->user = user;
	uv_signal_start(&s->uv, on_signal, signo);
	return s;
}

void loop_signal_del(struct loop_signal *s)
{
	if (s)
		HANDLE_CLOSE(s);
}
