/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Protected prefixes: what no open flow allows is dropped there, by reference of parts.
 */
#include "agent/vpn/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void protect_request(struct vpn *v, struct protect *p, bool add)
{
	struct nh_request r = {.verb = add ? NH_PROTECT_ADD : NH_PROTECT_DEL,
			       .dst = {p->key.addr, p->key.len}};

	p->installed = add;
	path_request(v, &r, NULL, p, add);
}

static void protect_sync(struct vpn *v, struct protect *p)
{
	if (p->refs && !p->installed && !p->failed)
		protect_request(v, p, true);
	else if (!p->refs && p->installed)
		protect_request(v, p, false);
	if (!p->refs && !p->pending) {
		HASH_DEL(v->protects, p);
		free(p);
	}
}

static struct protect *protect_find(struct vpn *v, const struct vpn_prefix *prefix)
{
	struct protect probe, *p;

	memset(&probe, 0, sizeof(probe));
	probe.key.addr = prefix->addr;
	probe.key.len = prefix->len;
	HASH_FIND(hh, v->protects, &probe.key, sizeof(probe.key), p);
	return p && p->refs ? p : NULL;
}

/* NULL: nothing to protect (everything is no prefix to forbid), or no memory. */
struct protect *protect_get(struct vpn *v, const struct vpn_prefix *prefix)
{
	struct protect probe, *p;

	if (!prefix->len)
		return NULL;
	memset(&probe, 0, sizeof(probe));
	probe.key.addr = prefix->addr;
	probe.key.len = prefix->len;
	HASH_FIND(hh, v->protects, &probe.key, sizeof(probe.key), p);
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return NULL;
		memcpy(&p->key, &probe.key, sizeof(p->key));
		HASH_ADD(hh, v->protects, key, sizeof(p->key), p);
	}
	p->refs++;
	p->failed = false;
	protect_sync(v, p);
	return p;
}

/* A PCN's correspondents are hosts of the Internet like others: they may be reached by whom they are open
 * to, and only the packets of the profile itself never go in clear, once its flow is there (E3). */
struct protect *protect_of(struct vpn *v, const struct vpn_profile *p)
{
	if (p->dst_gw_type == VPN_GW_DYNAMIC ||
	    (p->dst_gw_type == VPN_GW_HANDOFF && !protect_find(v, &p->dst)))
		return NULL;
	return protect_get(v, &p->dst);
}

void protect_drop(struct vpn *v, struct protect *p)
{
	p->refs--;
	protect_sync(v, p);
}

void protect_done(struct vpn *v, struct protect *p, bool add, int error, const char *text)
{
	struct session *s, *tmp;

	p->pending--;
	if (error && add) {
		p->failed = true;
		p->installed = false;
		snprintf(p->why, sizeof(p->why), "data path: %.80s", text);
	}
	HASH_ITER(hh, v->sessions, s, tmp)
	{
		if (s->state == SESSION_INSTALLING)
			session_dirty(v, s);
	}
	protect_sync(v, p);
}
