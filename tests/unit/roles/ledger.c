/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The ledger of the world: each ADD has to find its DEL.
 */
#include "tests/unit/roles/world.h"

#include <stdlib.h>

static struct ledger_row *ledger_row(struct world *w, const char *what)
{
	for (size_t i = 0; i < w->n_ledger; i++) {
		if (strcmp(w->ledger[i].what, what) == 0)
			return &w->ledger[i];
	}
	if (w->n_ledger == sizeof(w->ledger) / sizeof(w->ledger[0]))
		abort();
	struct ledger_row *r = &w->ledger[w->n_ledger++];

	snprintf(r->what, sizeof(r->what), "%s", what);
	r->n = 0;
	return r;
}

static void book(struct world *w, int by, int max, const char *what)
{
	struct ledger_row *r = ledger_row(w, what);

	r->n += by;
	if (r->n < 0 || r->n > max) {
		fprintf(stderr, "\n    ledger: %s: %d", what, r->n);
		w->ledger_errors++;
	}
	if (!r->n)
		*r = w->ledger[--w->n_ledger];
}

static struct ledger_row *row_with(struct world *w, const char *begin, const char *part)
{
	for (size_t i = 0; i < w->n_ledger; i++) {
		if (strncmp(w->ledger[i].what, begin, strlen(begin)) == 0 && strstr(w->ledger[i].what, part))
			return &w->ledger[i];
	}
	return NULL;
}

/* Another binding of the same node is replaced. */
static void binding_replaced(struct world *w, int role, const char *hoa)
{
	struct ledger_row *r;
	char name[64];

	snprintf(name, sizeof(name), "%d binding %s ", role, hoa);
	r = row_with(w, name, "");
	if (r)
		*r = w->ledger[--w->n_ledger];
}

/* A binding points to a tunnel that stands, always. */
static void binding_has_tunnel(struct world *w, int role, const char *ends)
{
	char bindings[32], tunnels[32];

	snprintf(bindings, sizeof(bindings), "%d binding ", role);
	snprintf(tunnels, sizeof(tunnels), "%d tunnel ", role);
	if (!row_with(w, bindings, ends) || row_with(w, tunnels, ends))
		return;
	fprintf(stderr, "\n    ledger: a binding without its tunnel%s", ends);
	w->ledger_errors++;
}

/* Everything that identifies what was added has to be the same when it is deleted. */
void ledger_note(struct world *w, int role, const struct action *a)
{
	static const struct {
		enum action_type add, del;
		const char *name;
		int max;
	} pairs[] = {
		{ACT_VISITOR_ADD, ACT_VISITOR_DEL, "visitor", 1},
		{ACT_REVERSE_ADD, ACT_REVERSE_DEL, "reverse", 1},
		{ACT_TUNNEL_ADD, ACT_TUNNEL_DEL, "tunnel", 5000},
		{ACT_BINDING_ADD, ACT_BINDING_DEL, "binding", 1},
		{ACT_PROXY_ARP_ADD, ACT_PROXY_ARP_DEL, "proxy arp", 1},
		{ACT_WATCH_ADD, ACT_WATCH_DEL, "watch", 1},
		{ACT_HOLD_ADD, ACT_HOLD_DEL, "hold", 1},
		{ACT_FORWARD_ADD, ACT_FORWARD_DEL, "forward", 1},
	};
	char what[160], hoa[20], local[20], peer[20], ends[48];
	bool tunnel, alone;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (a->type != pairs[i].add && a->type != pairs[i].del)
			continue;
		tunnel = pairs[i].add == ACT_TUNNEL_ADD;
		alone = pairs[i].add == ACT_PROXY_ARP_ADD || pairs[i].add == ACT_HOLD_ADD;
		inet_ntop(AF_INET, &a->hoa, hoa, sizeof(hoa));
		inet_ntop(AF_INET, &a->local, local, sizeof(local));
		inet_ntop(AF_INET, &a->peer, peer, sizeof(peer));
		snprintf(what, sizeof(what), "%d %s %s %s %s %u", role, pairs[i].name, tunnel ? "" : hoa,
			 alone ? "" : local, alone ? "" : peer, tunnel ? 0 : a->ifindex);
		if (a->type == ACT_BINDING_ADD)
			binding_replaced(w, role, hoa);
		book(w, a->type == pairs[i].add ? 1 : -1, pairs[i].max, what);
		snprintf(ends, sizeof(ends), " %s %s ", local, peer);
		binding_has_tunnel(w, role, ends);
	}
}

bool ledger_vpn(struct world *w, int role, const char *session, bool there)
{
	char what[160];
	struct ledger_row *r;
	bool had;

	snprintf(what, sizeof(what), "%d vpn %.100s", role, session);
	r = ledger_row(w, what);
	if (!there && !r->n) {
		fprintf(stderr, "\n    ledger: %s removed, was not there", what);
		w->ledger_errors++;
	}
	had = r->n;
	r->n = there;
	if (!there)
		*r = w->ledger[--w->n_ledger];
	return had;
}

bool world_balanced(const struct world *w)
{
	for (size_t i = 0; i < w->n_ledger; i++)
		fprintf(stderr, "\n    left: %s: %d", w->ledger[i].what, w->ledger[i].n);
	return !w->n_ledger && !w->ledger_errors;
}
