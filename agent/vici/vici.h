/* SPDX-License-Identifier: BSD-3-Clause
 *
 * VICI, the control protocol of strongSwan's charon (upstream 5.9.8 and newer): message codec, and a
 * connection that knows neither threads nor an event loop. Source: strongSwan
 * src/libcharon/plugins/vici/README.md.
 *
 * msg.c codec (pure, fuzzed). Elements: sections, key/values, lists. conn.c one connection: own FIFO, one
 * command in flight (VICI has no sequence numbers), a deadline for each.
 */
#ifndef MIPVPN_VICI_H
#define MIPVPN_VICI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VICI_MSG_MAX (512 * 1024) /* as charon */
#define VICI_DEPTH_MAX 16

/* --- writing --- */
struct vici_msg;			/* growing buffer; sticky error */
struct vici_msg *vici_msg_new(void);	/* NULL without memory */
void vici_msg_free(struct vici_msg *m); /* wipes (secrets travel in it) */
void vici_msg_section(struct vici_msg *m, const char *name);
void vici_msg_section_end(struct vici_msg *m);
void vici_msg_kv(struct vici_msg *m, const char *key, const char *value);
void vici_msg_kv_bytes(struct vici_msg *m, const char *key, const void *value, size_t len);
void vici_msg_kvf(struct vici_msg *m, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void vici_msg_list(struct vici_msg *m, const char *name, const char *const *items, size_t n);
/* The bytes; false when an error happened or sections are open. */
bool vici_msg_bytes(const struct vici_msg *m, const uint8_t **data, size_t *len);

/* --- reading: a walk with checked nesting; the callback gets the path of section names --- */
enum vici_element {
	VICI_SECTION_START = 1,
	VICI_SECTION_END,
	VICI_KEY_VALUE,
	VICI_LIST_START,
	VICI_LIST_ITEM,
	VICI_LIST_END
};
struct vici_walk {
	enum vici_element element;
	unsigned depth; /* number of open sections */
	const char *path[VICI_DEPTH_MAX]; /* their names, outermost first; valid in the callback */
	const char *key;		  /* of key/value or list */
	const uint8_t *value;		  /* value or list item, not NUL-terminated */
	size_t value_len;
};
/* 0, or -1 with a static reason. A callback that returns false stops the walk (return 0). */
int vici_walk(const void *data, size_t len, bool (*fn)(const struct vici_walk *w, void *user), void *user,
	      const char **why);
/* First value at "a.b.key" ('.' separates; no escaping), NUL-terminated; false when absent or too long. */
bool vici_find(const void *data, size_t len, const char *path, char *out, size_t out_len);

/* --- a connection over a descriptor that the caller polls --- */
struct vici_conn;
/* None of them may free the connection; all may queue commands. */
struct vici_conn_ops {
	/* Answer to a command: ok = transport worked; data is the message (borrowed), why is set when !ok. */
	void (*reply)(void *user, uint64_t id, bool ok, const uint8_t *data, size_t len, const char *why);
	/* A streamed or subscribed event. */
	void (*event)(void *user, const char *name, const uint8_t *data, size_t len);
	/* The descriptor is dead; all commands have been answered with !ok. */
	void (*closed)(void *user, const char *why);
};
/* Takes fd (connected, non-blocking). */
struct vici_conn *vici_conn_new(int fd, const struct vici_conn_ops *ops, void *user);
void vici_conn_free(struct vici_conn *c); /* closes fd; silent */
int vici_conn_fd(const struct vici_conn *c);
bool vici_conn_wants_write(const struct vici_conn *c);
void vici_conn_io(struct vici_conn *c, bool readable, bool writable, uint64_t now_ms);
/* Queue a command; takes m (NULL = no arguments). stream_event: the event that carries rows ("list-sa") or
 * NULL. deadline_ms counts from the moment the command is sent: what waits behind a slow one is not late yet.
 * Returns an id for the reply, 0 when the queue (bounded) is full, m is spoilt or the connection is dead. */
uint64_t vici_conn_command(struct vici_conn *c, const char *name, struct vici_msg *m,
			   const char *stream_event, uint64_t deadline_ms, uint64_t now_ms);
int vici_conn_subscribe(struct vici_conn *c, const char *event, uint64_t now_ms);
uint64_t vici_conn_next(const struct vici_conn *c);	   /* earliest deadline; UINT64_MAX = none */
void vici_conn_tick(struct vici_conn *c, uint64_t now_ms); /* a missed deadline closes the connection */

#endif
