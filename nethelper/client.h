/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The agent's side of mipvpn-nethelper: start it, ask it, take its answers.  No event loop of its own: the
 * caller polls nh_client_fd() and calls nh_client_io().  Single-threaded.
 *
 * Order at start: nh_client_spawn() while still root, then the agent drops its privileges, then NH_HELLO,
 * NH_FLUSH and the sockets by nh_client_call(), then the loop.  When the agent's end closes, for whatever
 * reason, the helper removes all that it made and exits.
 */
#ifndef MIPVPN_NH_CLIENT_H
#define MIPVPN_NH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "nethelper/proto.h"

#define NH_CLIENT_QUEUE_MAX 16384 /* requests without an answer; more are refused with ENOBUFS */

struct nh_client_args {
	const char *program;	  /* path of mipvpn-nethelper; NULL = where it was installed */
	const char *vici_path;	  /* charon's socket; NULL = the helper's default */
	const char *log_level;	  /* NULL = "notice" */
	const char *const *links; /* interfaces with mobile nodes (FA) */
	size_t n_links;
	const char *const *homes; /* home links (HA) */
	size_t n_homes;
};
/* Forks and executes the helper.  Returns our end of the socketpair (non-blocking, close-on-exec), or -1 with
 * a reason. */
int nh_client_spawn(const struct nh_client_args *a, pid_t *pid, char *err, size_t err_len);

/* The answer to one request.  fd: the descriptor of an NH_OPEN_*, now the callee's (close-on-exec), or -1. */
typedef void (*nh_done_fn)(void *user, const struct nh_reply *r, int fd);

struct nh_client;
struct nh_client *nh_client_new(int fd);  /* takes fd; NULL without memory (fd closed) */
void nh_client_free(struct nh_client *c); /* closes; forgets what is unanswered without calling back */

/* Queues a copy of r (its id is set here); done (may be NULL) is called from a later nh_client_io(), never
 * from here. 0, or -1 with errno: ENOBUFS (queue full), EPIPE (the helper is gone), ENOMEM. */
int nh_client_send(struct nh_client *c, const struct nh_request *r, nh_done_fn done, void *user);
int nh_client_fd(const struct nh_client *c); /* -1 when the helper is gone */
bool nh_client_want_write(const struct nh_client *c);
size_t nh_client_waiting(const struct nh_client *c); /* requests without an answer */
/* Moves what can be moved.  -1 when the helper is gone: each unanswered request has then been answered with
 * EPIPE. */
int nh_client_io(struct nh_client *c);

/* One request and its answer, waiting at most timeout_ms; for the start, before the loop runs.  The error of
 * the answer (0 = fine) or -1 (ETIMEDOUT, EPIPE in errno).  fd may be NULL when the verb gives none. */
int nh_client_call(struct nh_client *c, const struct nh_request *r, struct nh_reply *reply, int *fd,
		   int timeout_ms);

#endif
