/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The event loop, as much of it as the agent needs: descriptors, timers, one kind of wake-up that other
 * threads may use, signals.  libuv is behind it (uv_poll, uv_timer, uv_async, uv_signal and nothing else) and
 * in no other file.
 *
 * All of it belongs to the thread that runs the loop, loop_wake_send() excepted.  Handles are freed by their
 * _del function; the memory of a deleted handle stays until libuv has let go of it, its callback is not
 * called any more.
 */
#ifndef MIPVPN_RUN_LOOP_H
#define MIPVPN_RUN_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#define LOOP_NEVER UINT64_MAX

struct loop;
struct loop *loop_new(void);	/* NULL without resources */
void loop_free(struct loop *l); /* all handles must have been deleted */
void loop_run(struct loop *l);	/* until loop_stop() */
void loop_stop(struct loop *l);
uint64_t loop_now(const struct loop *l); /* monotonic ms, as of this turn of the loop */
/* Called after each turn, when all that was ready has been handled. */
void loop_each_turn(struct loop *l, void (*fn)(void *user), void *user);

struct loop_io;
/* Watches fd (borrowed) for reading. NULL = the kernel cannot poll it. */
struct loop_io *loop_io_add(struct loop *l, int fd, void (*fn)(void *user, bool readable, bool writable),
			    void *user);
void loop_io_want_write(struct loop_io *io, bool want);
void loop_io_del(struct loop_io *io); /* before its descriptor is closed; NULL is fine */

struct loop_timer;
struct loop_timer *loop_timer_add(struct loop *l, void (*fn)(void *user), void *user);
/* Once; replaces an earlier time; LOOP_NEVER stops it. */
void loop_timer_at(struct loop_timer *t, uint64_t at_ms);
void loop_timer_del(struct loop_timer *t);

struct loop_wake;
struct loop_wake *loop_wake_add(struct loop *l, void (*fn)(void *user), void *user);
void loop_wake_send(struct loop_wake *w); /* any thread; several may become one call */
void loop_wake_del(struct loop_wake *w);

struct loop_signal;
struct loop_signal *loop_signal_add(struct loop *l, int signo, void (*fn)(void *user, int signo), void *user);
void loop_signal_del(struct loop_signal *s);

#endif
