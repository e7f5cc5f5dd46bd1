/* SPDX-License-Identifier: BSD-3-Clause */
#include "nethelper/fw.h"
#include "nethelper/fw_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fw *fw_new(const char (*links)[IFNAMSIZ], size_t n_links)
{
	struct fw *fw = calloc(1, sizeof(*fw));

	if (fw != NULL) {
		fw->links = links;
		fw->n_links = n_links;
	}
	return fw;
}

void fw_clear(struct fw *fw)
{
	struct user *u, *u2;
	struct visitor *v, *v2;
	struct source *s, *s2;
	struct watched *w, *w2;
	struct forwarded *f, *f2;

	HASH_ITER(hh, fw->forwarded, f, f2)
	{
		HASH_DEL(fw->forwarded, f);
		free(f);
	}
	HASH_ITER(hh, fw->users, u, u2)
	{
		HASH_DEL(fw->users, u);
		free(u->profiles);
		free(u);
	}
	HASH_ITER(hh, fw->visitors, v, v2)
	{
		HASH_DEL(fw->visitors, v);
		free(v);
	}
	HASH_ITER(hh, fw->sources, s, s2)
	{
		HASH_DEL(fw->sources, s);
		free(s);
	}
	HASH_ITER(hh, fw->watched, w, w2)
	{
		HASH_DEL(fw->watched, w);
		free(w);
	}
	free(fw->protects.v);
	free(fw->pcns.v);
	if (fw->elements_out != NULL)
		fclose(fw->elements_out);
	free(fw->elements);
	*fw = (struct fw){.links = fw->links, .n_links = fw->n_links, .hold = fw->hold};
}

void fw_forget(struct fw *fw)
{
	fw->table_there = false;
	fw->unknown = true;
}

void fw_free(struct fw *fw)
{
	if (fw == NULL)
		return;
	fw_clear(fw);
	free(fw);
}

FILE *fw_elements(struct fw *fw)
{
	if (fw->elements_out == NULL)
		fw->elements_out = open_memstream(&fw->elements, &fw->elements_len);
	return fw->elements_out;
}

/* --- visitors and the sources of tunnels --- */

int fw_visitor_del(struct fw *fw, struct in_addr addr)
{
	struct visitor *v;
	FILE *out = fw_elements(fw);

	HASH_FIND(hh, fw->visitors, &addr, sizeof(addr), v);
	if (v == NULL || out == NULL)
		return v == NULL ? ENOENT : ENOMEM;
	fw_put_visitor(out, "delete", v);
	HASH_DEL(fw->visitors, v);
	free(v);
	return 0;
}

int fw_visitor_add(struct fw *fw, struct in_addr addr, const char *link, const uint8_t mac[6])
{
	struct visitor *v;
	FILE *out = fw_elements(fw);

	if (out == NULL)
		return ENOMEM;
	HASH_FIND(hh, fw->visitors, &addr, sizeof(addr), v);
	if (v != NULL && strcmp(v->link, link) == 0 && memcmp(v->mac, mac, sizeof(v->mac)) == 0)
		return 0;
	if (v != NULL)
		fw_visitor_del(fw, addr);
	v = calloc(1, sizeof(*v));
	if (v == NULL)
		return ENOMEM;
	v->addr = addr;
	snprintf(v->link, sizeof(v->link), "%s", link);
	memcpy(v->mac, mac, sizeof(v->mac));
	HASH_ADD(hh, fw->visitors, addr, sizeof(v->addr), v);
	fw_put_visitor(out, "add", v);
	return 0;
}

static struct source *source_find(struct fw *fw, const struct source_key *k)
{
	struct source *s;

	HASH_FIND(hh, fw->sources, k, sizeof(*k), s);
	return s;
}

static int source_add(struct fw *fw, const struct source_key *k, FILE *out)
{
	struct source *s = source_find(fw, k);

	if (s == NULL) {
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			return ENOMEM;
		s->key = *k;
		HASH_ADD(hh, fw->sources, key, sizeof(s->key), s);
		fw_put_source(out, "add", k);
	}
	s->refs++;
	return 0;
}

static int source_del(struct fw *fw, const struct source_key *k, FILE *out)
{
	struct source *s = source_find(fw, k);

	if (s == NULL)
		return ENOENT;
	if (--s->refs > 0)
		return 0;
	fw_put_source(out, "delete", k);
	HASH_DEL(fw->sources, s);
	free(s);
	return 0;
}

int fw_tunnel_source(struct fw *fw, bool add, const char *tunnel, struct in_addr addr)
{
	FILE *out = fw_elements(fw);
	struct source_key k;

	if (out == NULL)
		return ENOMEM;
	memset(&k, 0, sizeof(k)); /* it is hashed with its padding */
	strncpy(k.tunnel, tunnel, sizeof(k.tunnel) - 1);
	k.addr = addr;
	return add ? source_add(fw, &k, out) : source_del(fw, &k, out);
}

/* --- visitors who have moved on, and what waits --- */

int fw_forward(struct fw *fw, bool add, struct in_addr addr)
{
	FILE *out = fw_elements(fw);
	struct forwarded *f;

	if (out == NULL)
		return ENOMEM;
	HASH_FIND(hh, fw->forwarded, &addr, sizeof(addr), f);
	if ((f != NULL) == add)
		return add ? 0 : ENOENT;
	if (add) {
		f = calloc(1, sizeof(*f));
		if (f == NULL)
			return ENOMEM;
		f->addr = addr;
		HASH_ADD(hh, fw->forwarded, addr, sizeof(f->addr), f);
	} else {
		HASH_DEL(fw->forwarded, f);
		free(f);
	}
	fw_put_forwarded(out, add ? "add" : "delete", addr);
	return 0;
}

void fw_hold(struct fw *fw, bool there)
{
	fw->hold = there;
}

/* --- prefixes: protected ones, a PCN's --- */

static int prefixes_change(struct prefixes *l, bool add, const struct vpn_prefix *prefix)
{
	struct prefix_refs *p = NULL, *grown;

	for (size_t i = 0; i < l->n && p == NULL; i++)
		if (vpn_prefix_equal(&l->v[i].prefix, prefix))
			p = &l->v[i];
	if (p == NULL && !add)
		return ENOENT;
	if (p == NULL) {
		grown = realloc(l->v, (l->n + 1) * sizeof(*grown));
		if (grown == NULL)
			return ENOMEM;
		l->v = grown;
		p = &grown[l->n++];
		*p = (struct prefix_refs){.prefix = *prefix};
	}
	if (add && p->refs++ > 0)
		return 0;
	if (!add && --p->refs > 0)
		return 0;
	if (!add)
		*p = l->v[--l->n];
	l->dirty = true;
	return 0;
}

int fw_protect(struct fw *fw, bool add, const struct vpn_prefix *prefix)
{
	return prefixes_change(&fw->protects, add, prefix);
}

int fw_pcn(struct fw *fw, bool add, const struct vpn_prefix *prefix)
{
	return prefixes_change(&fw->pcns, add, prefix);
}

/* --- watched home addresses --- */

static int watch_del(struct fw *fw, struct watched *w, FILE *out)
{
	if (w == NULL)
		return ENOENT;
	fw_put_watched(out, "delete", w->addr);
	HASH_DEL(fw->watched, w);
	free(w);
	fw->watch_dirty = fw->watch_dirty || fw->watched == NULL;
	return 0;
}

int fw_watch(struct fw *fw, bool add, struct in_addr addr)
{
	FILE *out = fw_elements(fw);
	struct watched *w;

	if (out == NULL)
		return ENOMEM;
	HASH_FIND(hh, fw->watched, &addr, sizeof(addr), w);
	if (!add)
		return watch_del(fw, w, out);
	if (w != NULL)
		return 0;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return ENOMEM;
	w->addr = addr;
	fw->watch_dirty = fw->watch_dirty || fw->watched == NULL;
	HASH_ADD(hh, fw->watched, addr, sizeof(w->addr), w);
	fw_put_watched(out, "add", addr);
	return 0;
}

/* --- profiles --- */

static struct user *user_find(struct fw *fw, struct in_addr src)
{
	struct user *u;

	HASH_FIND(hh, fw->users, &src, sizeof(src), u);
	return u;
}

static void user_touch(struct fw *fw, struct user *u)
{
	if (u->dirty)
		return;
	u->dirty = true;
	u->next_dirty = fw->dirty;
	fw->dirty = u;
}

static struct profile *profile_find(struct user *u, const struct vpn_prefix *dst)
{
	for (size_t i = 0; u != NULL && i < u->n; i++)
		if (vpn_prefix_equal(&u->profiles[i].dst, dst))
			return &u->profiles[i];
	return NULL;
}

/* Keeps the longest destinations in front: the first match in the user's chain decides. */
static struct profile *profile_insert(struct user *u, const struct vpn_prefix *dst)
{
	struct profile *grown = realloc(u->profiles, (u->n + 1) * sizeof(*grown));
	size_t at = 0;

	if (grown == NULL)
		return NULL;
	u->profiles = grown;
	while (at < u->n && grown[at].dst.len >= dst->len)
		at++;
	memmove(&grown[at + 1], &grown[at], (u->n - at) * sizeof(*grown));
	u->n++;
	grown[at] = (struct profile){.dst = *dst};
	return &grown[at];
}

static struct user *user_need(struct fw *fw, struct in_addr src)
{
	struct user *u = user_find(fw, src);

	if (u == NULL) {
		u = calloc(1, sizeof(*u));
		if (u == NULL)
			return NULL;
		u->src = src;
		HASH_ADD(hh, fw->users, src, sizeof(u->src), u);
	}
	return u;
}

static struct leg_tunnel *leg_tunnel_find(struct leg *leg, const char *name)
{
	for (unsigned i = 0; i < leg->n; i++)
		if (strcmp(leg->tunnel[i].name, name) == 0)
			return &leg->tunnel[i];
	return NULL;
}

static int leg_add(struct leg *leg, const char *name)
{
	struct leg_tunnel *t = leg_tunnel_find(leg, name);

	if (t == NULL && leg->n > 0 && (name[0] == '\0' || leg->tunnel[0].name[0] == '\0'))
		return EEXIST;
	if (t == NULL && leg->n == FW_LEG_TUNNELS)
		return EBUSY;
	if (t == NULL) {
		t = &leg->tunnel[leg->n++];
		*t = (struct leg_tunnel){0};
		snprintf(t->name, sizeof(t->name), "%s", name);
	}
	t->refs++;
	return 0;
}

static int leg_del(struct leg *leg, const char *name)
{
	struct leg_tunnel *t = leg_tunnel_find(leg, name);

	if (t == NULL)
		return ENOENT;
	if (--t->refs == 0)
		*t = leg->tunnel[--leg->n];
	return 0;
}

int fw_vpn_add(struct fw *fw, const struct fw_vpn *v)
{
	struct user *u = user_need(fw, v->src);
	struct profile *p = profile_find(u, &v->dst);
	int error;

	if (u == NULL)
		return ENOMEM;
	user_touch(fw, u);
	if (p == NULL)
		p = profile_insert(u, &v->dst);
	if (p == NULL)
		return ENOMEM;
	error = leg_add(&p->leg[v->here_is_src], v->tunnel != NULL ? v->tunnel : "");
	if (error != 0)
		return error;
	p->tos_up = v->tos_up;
	p->tos_down = v->tos_down;
	return 0;
}

int fw_vpn_del(struct fw *fw, const struct fw_vpn *v)
{
	struct user *u = user_find(fw, v->src);
	struct profile *p = profile_find(u, &v->dst);
	size_t at;

	if (p == NULL || leg_del(&p->leg[v->here_is_src], v->tunnel != NULL ? v->tunnel : "") != 0)
		return ENOENT;
	user_touch(fw, u);
	if (p->leg[0].n == 0 && p->leg[1].n == 0) {
		at = (size_t)(p - u->profiles);
		memmove(p, p + 1, (u->n - at - 1) * sizeof(*p));
		u->n--;
	}
	return 0;
}
