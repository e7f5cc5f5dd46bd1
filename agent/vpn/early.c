/* SPDX-License-Identifier: BSD-3-Clause
 *
 * After a move the new foreign agent begins with IKE while its registration request is still on its way
 * (doc/moves.md): IKE_SA_INIT comes from a gateway of which this one has not been told. charon answers it
 * when a connection for that address is loaded; which one it is, is settled at IKE_AUTH, by the identities.
 * So there is one connection for anybody. Nobody has its identities, it asks for a certificate and trusts
 * none, there is no secret for it and no child in it: what gets through is IKE_SA_INIT, and nothing else.
 */
#include <stdio.h>

#include "agent/vpn/internal.h"
#include "lib/counter.h"
#include "lib/crypto.h"
#include "lib/hex.h"

void early_name(const struct vpn *v, char out[TUNNEL_NAME_MAX])
{
	snprintf(out, TUNNEL_NAME_MAX, "%s-any", v->cfg.prefix);
}

static void say(struct vpn *v, const char *name, const char *err)
{
	vpn_say(v, LOG_LVL_WARN, "%s: charon refused it: %s", name, err);
	counter_inc("vpn.early.refused");
}

void early_run(struct vpn *v)
{
	struct early *e = &v->early;
	bool want = v->cfg.take_early && !v->quitting;
	char name[TUNNEL_NAME_MAX];
	struct vici_msg *m;

	if (!v->known || e->busy || e->failed || want == e->loaded)
		return;
	early_name(v, name);
	m = want ? vpn_msg_early(v, name) : vpn_msg_named("name", name);
	e->wanted = want;
	e->busy = m && charon_command(v, CMD_EARLY, NULL, want ? "load-conn" : "unload-conn", m, NULL);
	e->failed = !e->busy;
}

void early_reply(struct vpn *v, bool ok, const char *err)
{
	struct early *e = &v->early;
	char name[TUNNEL_NAME_MAX];

	e->busy = false;
	if (ok || !e->wanted) { /* what cannot be unloaded is not there */
		e->loaded = e->wanted;
		return;
	}
	e->failed = true;
	early_name(v, name);
	say(v, name, err);
}

void early_audited(struct vpn *v)
{
	v->early.failed = false;
	if (!v->early.busy)
		v->early.loaded = v->early.seen;
}
