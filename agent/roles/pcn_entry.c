/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The binding cache of the proxy correspondent node: one entry for each (home agent, home address, profile).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/roles/pcn_int.h"

struct pcn_entry *pcn_entry_find(const struct pcn *pcn, const struct pcn_name *name)
{
	struct pcn_entry *x;

	HASH_FIND(hh, pcn->entries, name, sizeof(*name), x);
	return x;
}

struct pcn_entry *pcn_entry_by_session(const struct pcn *pcn, const char *session)
{
	struct pcn_entry *x = NULL;

	if (session)
		HASH_FIND(hh_session, pcn->by_session, session, strlen(session), x);
	return x;
}

struct pcn_entry *pcn_entry_new(struct pcn *pcn, const struct pcn_name *name, uint64_t wall_ms)
{
	bool room = HASH_COUNT(pcn->entries) / (1 + PCN_GONE_PER_ENTRY) < pcn->cfg.entries_max;
	struct pcn_entry *x = room ? calloc(1, sizeof(*x)) : NULL;
	char hoa[INET_ADDRSTRLEN], ha[INET_ADDRSTRLEN];

	if (!x || !role_heap_reserve(&pcn->heap)) {
		free(x);
		role_count("roles", "no_memory");
		return NULL;
	}
	x->name = *name;
	x->since_wall_ms = wall_ms;
	snprintf(x->session, sizeof(x->session), "pcn:%s:%u:%s", role_addr_str(name->hoa, hoa), name->number,
		 role_addr_str(name->ha, ha));
	HASH_ADD(hh, pcn->entries, name, sizeof(x->name), x);
	HASH_ADD_KEYPTR(hh_session, pcn->by_session, x->session, strlen(x->session), x);
	pcn->n_live++;
	return x;
}

static const char *state_word(enum pcn_state s)
{
	static const char *const words[] = {"none", "installing", "ready", "asking", "gone"};

	return words[s];
}

void pcn_entry_state(struct pcn *pcn, struct pcn_entry *x, enum pcn_state to, enum log_level level,
		     const char *why, struct actions *out)
{
	char hoa[INET_ADDRSTRLEN], coa[INET_ADDRSTRLEN];

	role_log(out, level, "correspondent %s profile %u at %s: %s -> %s, %s",
		 role_addr_str(x->name.hoa, hoa), x->name.number, role_addr_str(x->coa, coa),
		 state_word(x->state), state_word(to), why);
	if (to == PCN_GONE && x->state != PCN_GONE)
		pcn->n_live--;
	if (to != PCN_GONE && x->state == PCN_GONE)
		pcn->n_live++;
	x->state = to;
}

/* A timestamp accepted now may be clock_skew ahead, and would pass for another clock_skew after that. */
void pcn_entry_end(struct pcn *pcn, struct pcn_entry *x, const char *why, role_ms now, struct actions *out)
{
	if (x->stands)
		role_act(out, ACT_VPN_REMOVE, x->session);
	x->stands = false;
	if (x->status == BIND_OK) /* what was accepted is no longer true: a late retransmission hears so */
		x->status = BIND_UNSPECIFIED;
	role_count("pcn.binding", "ended");
	pcn_entry_state(pcn, x, PCN_GONE, LOG_LVL_NOTICE, why, out);
	role_heap_set(&pcn->heap, &x->timer, now + 2 * (role_ms)pcn->cfg.clock_skew_ms + 1000);
}

void pcn_entry_forget(struct pcn *pcn, struct pcn_entry *x)
{
	HASH_DELETE(hh, pcn->entries, x);
	HASH_DELETE(hh_session, pcn->by_session, x);
	role_heap_release(&pcn->heap, &x->timer);
	if (x->state != PCN_GONE)
		pcn->n_live--;
	crypto_wipe(x, sizeof(*x));
	free(x);
}
