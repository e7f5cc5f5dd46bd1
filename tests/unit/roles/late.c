/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Answers in another order than that of the questions: of the AAAH to the foreign agent, and what a mobile
 * node makes of them.
 */
#include "tests/unit/roles/world.h"

#define HELD (sizeof(((struct world *)0)->held) / sizeof(((struct world *)0)->held[0]))

bool world_ama_held(struct world *w, const char *session, struct dm_ama *a)
{
	if (!w->hold_ama || w->n_held == HELD)
		return false;
	snprintf(w->held[w->n_held].session, DM_SESSION_MAX, "%s", session);
	w->held[w->n_held++].a = *a;
	memset(&a->vpn, 0, sizeof(a->vpn));
	return true;
}

void world_ama_arrives(struct world *w, size_t i)
{
	char session[DM_SESSION_MAX];
	struct dm_ama a = w->held[i].a;
	struct role_event e = {.type = EV_AMA, .session = session, .ama = &a};

	memcpy(session, w->held[i].session, sizeof(session));
	w->n_held--;
	memmove(&w->held[i], &w->held[i + 1], (w->n_held - i) * sizeof(w->held[0]));
	fa_tell(w, &e);
	dm_ama_wipe(&a);
}

bool mn_is_stale(struct mn *m, uint32_t ident)
{
	for (size_t i = 0; i < 8; i++) {
		if ((uint32_t)m->sent[i] != ident || !m->sent[i])
			continue;
		if (m->rrp.code > 1)
			continue;
		if (m->answered && mip_ident_later(m->answered, m->sent[i])) {
			m->stale++;
			return true;
		}
		m->answered = m->sent[i];
	}
	return false;
}
