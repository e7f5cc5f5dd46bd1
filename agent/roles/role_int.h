/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of this room share and nobody else sees: refusals, timers, security associations, building
 * of actions and of advertisements.
 *
 * Memory: nothing here or in a role keeps a struct dm_* (10 KiB each); what a visitor or a binding needs is
 * copied out.
 */
#ifndef MIPVPN_ROLE_INT_H
#define MIPVPN_ROLE_INT_H

#include "agent/roles/role.h"

#define ROLE_NEVER UINT64_MAX
#define ROLE_REPLY_TTL 64
#define ROLE_WHO_MAX (MIP_NAI_MAX + 32)

/* Why a request is not granted.  One constant for each reason: its name ends the counter's name. */
struct role_refusal {
	const char *name; /* "stale_challenge": counter fa.rrq.stale_challenge */
	uint8_t code;	  /* of the reply; 0 = silence */
	const char *text; /* for the log, and in words for the mobile node */
};

/* --- timer.c: a binary heap of things that fall due.  Space is reserved when a thing is made, so arming
 * cannot fail. */
struct role_timer {
	role_ms due;
	size_t at;    /* place in the heap + 1; 0 = not armed */
	uint8_t kind; /* the role's own: which struct this is in */
};
struct role_heap {
	struct role_timer **t;
	size_t n, cap, reserved;
};
bool role_heap_reserve(struct role_heap *h); /* room for one more timer; false without memory */
void role_heap_release(struct role_heap *h, struct role_timer *t); /* gives the room back, disarms */
void role_heap_set(struct role_heap *h, struct role_timer *t, role_ms due);
void role_heap_clear(struct role_heap *h, struct role_timer *t);
struct role_timer *role_heap_first(const struct role_heap *h); /* NULL = none */
void role_heap_free(struct role_heap *h);
#define ROLE_OF(t_, type) ((type *)(void *)((char *)(t_)-offsetof(type, timer)))

/* --- assoc.c: security associations */
struct role_assoc {	  /* made by the AAAH for one session; len 0 = none */
	uint32_t spi_in;  /* we verify with it: chosen by us */
	uint32_t spi_out; /* we compute with it: chosen by the peer */
	uint8_t alg, len;
	uint8_t key[DM_KEY_MAX];
};
struct role_view { /* any association, borrowed */
	uint32_t spi_in, spi_out;
	enum crypto_mac alg;
	const uint8_t *key;
	size_t len;
};
bool role_assoc_set(struct role_assoc *a, uint32_t spi_in, uint32_t spi_out, const struct dm_msa *m);
bool role_assoc_view(const struct role_assoc *a, struct role_view *out); /* false = none */
/* Configured association with peer or nai; spi 0 = whichever comes first. */
bool role_sa_view(const struct role_sa *sa, size_t n, struct in_addr peer, const char *nai, uint32_t spi,
		  struct role_view *out);
struct role_sa *role_sa_copy(const struct role_sa *sa,
			     size_t n); /* new; NULL when n is 0 or without memory */
void role_sa_free(struct role_sa *sa, size_t n);
bool role_view_verifies(const struct role_view *v, const struct mip_auth *a, const uint8_t *msg);
void role_put_auth(struct wbuf *w, uint8_t type, const struct role_view *v);
uint32_t role_spi_new(void); /* random, 256 or more */

/* --- util.c */
static inline bool role_same_addr(struct in_addr a, struct in_addr b)
{
	return a.s_addr == b.s_addr;
}
static inline bool role_any_addr(struct in_addr a)
{
	return a.s_addr == INADDR_ANY;
}
static inline bool role_ones_addr(struct in_addr a)
{
	return a.s_addr == INADDR_BROADCAST;
}
const char *role_addr_str(struct in_addr a, char buf[INET_ADDRSTRLEN]);
const char *role_who(const char *nai, struct in_addr hoa,
		     char buf[ROLE_WHO_MAX]); /* "alice@home.test 10.1.0.10" */
uint64_t role_hash(const void *data, size_t len, uint64_t seed);
void role_count(const char *room, const char *name); /* counter "room.name" */
char *role_dup(const char *s);			     /* new; "" for NULL; NULL without memory */
/* "host@realm" of extension 136; false when it is not of this form or too long. */
bool role_nai_split(const char *nai, char host[DM_ID_MAX], char realm[DM_ID_MAX]);
void role_copy(char *dst, size_t size, const char *src); /* cut, always NUL-terminated */

/* --- action.c: building */
struct action *role_act(struct actions *out, enum action_type type,
			const char *session); /* NULL without memory */
void role_log(struct actions *out, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void role_send(struct actions *out, const struct role_path *path, uint8_t proto, const struct wbuf *w);
void role_send_by(struct actions *out, enum action_type type, const struct role_path *path, uint8_t proto,
		  const struct wbuf *w);
bool role_act_profiles(struct action *a, const struct vpn_profile *p, uint8_t n); /* copies */
/* Of the n actions from index from on, those of the type go to the end, in their order. */
void role_act_later(struct actions *out, size_t from, size_t n, enum action_type type);
struct role_end {								  /* of a Diameter session */
	const char *session, *user, *origin_host, *origin_realm, *dest_host, *dest_realm;
	enum dm_termination cause;
};
void role_str(struct actions *out, const struct role_end *e);

/* --- adv.c: advertisements of both roles */
struct role_beacon { /* on one link */
	struct role_timer timer;
	unsigned ifindex;
	struct in_addr addr;
	uint8_t prefix_len;
	uint16_t sequence;
	role_ms credit_at; /* of answers to solicitations */
	uint8_t credit;
};
void role_beacon_send(struct role_beacon *b, const struct mip_adv *base, const struct role_path *to,
		      struct actions *out); /* to NULL = all nodes of the link */
bool role_beacon_may_answer(struct role_beacon *b, role_ms now);
role_ms role_beacon_next(role_ms now, uint32_t interval_ms); /* with jitter */

#endif
