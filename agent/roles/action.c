/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The list of actions that a role hands to the run room.  Without memory an action is lost and counted
 * (roles.no_memory): the deadline of whoever waits for it brings things back in order.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/roles/role_int.h"
#include "lib/counter.h"

struct action *actions_add(struct actions *as, enum action_type type)
{
	if (as->n == as->cap) {
		size_t cap = as->cap ? as->cap * 2 : 8;
		struct action *a = realloc(as->a, cap * sizeof(*a));

		if (!a) {
			counter_inc("roles.no_memory");
			return NULL;
		}
		as->a = a;
		as->cap = cap;
	}
	as->a[as->n] = (struct action){.type = type};
	return &as->a[as->n++];
}

static void action_wipe(struct action *a)
{
	if (a->data)
		crypto_wipe(a->data, sizeof(*a->data));
	free(a->data);
	if (a->amr)
		dm_amr_wipe(a->amr);
	free(a->amr);
	if (a->haa)
		dm_haa_wipe(a->haa);
	free(a->haa);
	free(a->end);
	for (uint8_t i = 0; a->profiles && i < a->n_profiles; i++)
		vpn_profile_wipe(&a->profiles[i]);
	free(a->profiles);
	free(a->text);
	crypto_wipe(&a->key, sizeof(a->key));
}

void actions_clear(struct actions *as)
{
	for (size_t i = 0; i < as->n; i++)
		action_wipe(&as->a[i]);
	free(as->a);
	*as = (struct actions){0};
}

struct action *role_act(struct actions *out, enum action_type type, const char *session)
{
	struct action *a = actions_add(out, type);

	if (a && session)
		role_copy(a->session, sizeof(a->session), session);
	return a;
}

void role_log(struct actions *out, enum log_level level, const char *fmt, ...)
{
	struct action *a = actions_add(out, ACT_EVENT);
	va_list ap;

	if (!a)
		return;
	a->level = level;
	va_start(ap, fmt);
	if (vasprintf(&a->text, fmt, ap) < 0)
		a->text = NULL;
	va_end(ap);
	if (!a->text)
		out->n--; /* no memory: an event without text is none */
}

void role_send_by(struct actions *out, enum action_type type, const struct role_path *path, uint8_t proto,
		  const struct wbuf *w)
{
	struct action *a;
	struct dm_bytes *data;

	if (!wbuf_ok(w) || w->len > DM_RR_MAX) {
		counter_inc("roles.reply_too_long");
		return;
	}
	data = calloc(1, sizeof(*data));
	a = data ? actions_add(out, type) : NULL;
	if (!a) {
		free(data);
		return;
	}
	data->len = (uint16_t)w->len;
	memcpy(data->data, w->base, w->len);
	a->data = data;
	a->path = *path;
	a->proto = proto;
}

void role_send(struct actions *out, const struct role_path *path, uint8_t proto, const struct wbuf *w)
{
	role_send_by(out, path->ifindex ? ACT_LINK_SEND : ACT_UDP_SEND, path, proto, w);
}

bool role_act_profiles(struct action *a, const struct vpn_profile *p, uint8_t n)
{
	a->profiles = calloc(n ? n : 1, sizeof(*p));
	if (!a->profiles)
		return false;
	memcpy(a->profiles, p, n * sizeof(*p));
	a->n_profiles = n;
	return true;
}

void role_act_later(struct actions *out, size_t from, size_t n, enum action_type type)
{
	for (size_t i = from; n > 0; n--) {
		struct action a = out->a[i];

		if (a.type != type) {
			i++;
			continue;
		}
		memmove(&out->a[i], &out->a[i + 1], (out->n - i - 1) * sizeof(a));
		out->a[out->n - 1] = a;
		crypto_wipe(&a, sizeof(a));
	}
}

void role_str(struct actions *out, const struct role_end *e)
{
	struct dm_end *end = calloc(1, sizeof(*end));
	struct action *a = end ? role_act(out, ACT_STR, e->session) : NULL;

	if (!a) {
		free(end);
		return;
	}
	role_copy(end->session, sizeof(end->session), e->session);
	role_copy(end->origin_host, sizeof(end->origin_host), e->origin_host);
	role_copy(end->origin_realm, sizeof(end->origin_realm), e->origin_realm);
	role_copy(end->dest_realm, sizeof(end->dest_realm), e->dest_realm);
	role_copy(end->dest_host, sizeof(end->dest_host), e->dest_host);
	role_copy(end->user, sizeof(end->user), e->user);
	end->cause = e->cause;
	a->end = end;
	a->result = e->cause;
}
