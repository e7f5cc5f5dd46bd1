/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The proxy correspondent node: its making, its configuration, and the one entrance for events.  The
 * subjects:
 *
 *	pcn_update.c	a Binding Update: check, install, acknowledge
 *	pcn_check.c	the checks, in their order
 *	pcn_entry.c	what home agents have told, and replay memory
 *	pcn_request.c	lifetimes and Binding Requests
 *
 * Neither the keys of a session nor a profile stay here: the master key makes the former anew for each
 * message, and the VPN room keeps the latter.  Not thread-safe: one loop owns it.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/roles/pcn_int.h"
#include "lib/counter.h"

enum pcn_timer_kind { PCN_T_ENTRY };

static void config_take(struct pcn *pcn, const struct pcn_config *c)
{
	pcn->cfg = *c;
	if (!pcn->cfg.spi)
		pcn->cfg.spi = MIP_SPI_MIN;
	if (!pcn->cfg.clock_skew_ms)
		pcn->cfg.clock_skew_ms = 7000;
	if (!pcn->cfg.lifetime_max)
		pcn->cfg.lifetime_max = 1800;
	if (!pcn->cfg.entries_max)
		pcn->cfg.entries_max = 4096;
	if (!pcn->cfg.vpn_timeout_ms)
		pcn->cfg.vpn_timeout_ms = 2000;
	if (!pcn->cfg.request_percent || pcn->cfg.request_percent > 99)
		pcn->cfg.request_percent = 90;
	if (pcn->cfg.n_prefixes > PCN_PREFIXES_MAX)
		pcn->cfg.n_prefixes = PCN_PREFIXES_MAX;
}

struct pcn *pcn_new(const struct pcn_config *c, role_ms now)
{
	struct pcn *pcn = calloc(1, sizeof(*pcn));

	(void)now;
	if (pcn)
		config_take(pcn, c);
	return pcn;
}

void pcn_free(struct pcn *pcn)
{
	struct pcn_entry *x, *next;

	if (!pcn)
		return;
	HASH_ITER(hh, pcn->entries, x, next)
	pcn_entry_forget(pcn, x);
	role_heap_free(&pcn->heap);
	crypto_wipe(pcn, sizeof(*pcn));
	free(pcn);
}

/* Standing entries keep what they were told; the next Binding Update meets the new rules. */
void pcn_reconfigure(struct pcn *pcn, const struct pcn_config *c, role_ms now)
{
	(void)now;
	config_take(pcn, c);
}

bool pcn_keys(const struct pcn *pcn, struct in_addr ha, const char *context, uint8_t auth[32],
	      uint8_t seal[32])
{
	uint8_t key[32];
	bool ok = vpn_bu_key(&pcn->cfg.master, ha, context, key) == 0 && vpn_bu_auth_key(key, auth) == 0 &&
		  vpn_bu_seal_key(key, seal) == 0;

	crypto_wipe(key, sizeof(key));
	return ok;
}

void pcn_send(const struct pcn *pcn, struct in_addr cn, struct in_addr ha, struct wbuf *w,
	      const uint8_t auth[32], struct actions *out)
{
	struct role_path path = {
		.src = cn, .dst = ha, .sport = MIP_PORT, .dport = MIP_PORT, .ttl = ROLE_REPLY_TTL};

	bind_put_auth(w, BIND_SUBTYPE_ROUTE, pcn->cfg.spi, auth);
	role_send_by(out, ACT_BINDING_SEND, &path, IPPROTO_UDP, w);
}

static void entry_due(struct pcn *pcn, struct pcn_entry *x, const struct role_event *e, role_ms now,
		      struct actions *out)
{
	switch (x->state) {
	case PCN_INSTALLING:
		pcn_lost(pcn, x, "the tunnel was not ready in time", now, out);
		break;
	case PCN_READY:
	case PCN_ASKING:
		pcn_lifetime_due(pcn, x, e->wall_ms, now, out);
		break;
	default:
		pcn_entry_forget(pcn, x);
	}
}

static void timers_due(struct pcn *pcn, const struct role_event *e, role_ms now, struct actions *out)
{
	struct role_timer *t;

	while ((t = role_heap_first(&pcn->heap)) && t->due <= now)
		entry_due(pcn, ROLE_OF(t, struct pcn_entry), e, now, out);
}

static void drop(struct pcn *pcn, const char *text, role_ms now, struct actions *out)
{
	struct pcn_entry *x, *next;
	char addr[INET_ADDRSTRLEN];

	HASH_ITER(hh, pcn->entries, x, next)
	{
		if (x->state != PCN_GONE && text &&
		    (!strcmp(text, x->session) || !strcmp(text, role_addr_str(x->name.hoa, addr))))
			pcn_entry_end(pcn, x, "dropped by the operator", now, out);
	}
}

void pcn_event(struct pcn *pcn, const struct role_event *e, role_ms now, struct actions *out)
{
	struct pcn_entry *x = pcn_entry_by_session(pcn, e->session);

	switch (e->type) {
	case EV_PACKET:
		pcn_packet(pcn, e, now, out);
		break;
	case EV_VPN_UP:
		if (x)
			pcn_installed(pcn, x, now, out);
		break;
	case EV_VPN_FAILED:
		if (x && x->state != PCN_GONE)
			pcn_not_installed(pcn, x, e->text ? e->text : "it could not be set up", now, out);
		break;
	case EV_VPN_DOWN:
		if (x && x->state != PCN_GONE)
			pcn_lost(pcn, x, e->text ? e->text : "the tunnel is lost", now, out);
		break;
	case EV_DROP:
		drop(pcn, e->text, now, out);
		break;
	case EV_VPN_CARRIES: /* the VPN room switches; what is acknowledged is that we are ready */
	case EV_TIMER:
		break;
	default:
		counter_inc("pcn.event.not_ours");
	}
	timers_due(pcn, e, now, out);
}

role_ms pcn_next(const struct pcn *pcn)
{
	const struct role_timer *t = role_heap_first(&pcn->heap);

	return t ? t->due : ROLE_NEVER;
}

static void entry_row(const struct pcn_entry *x, role_ms now, struct role_row *r)
{
	*r = (struct role_row){.hoa = x->name.hoa,
			       .coa = x->coa,
			       .ha = x->name.ha,
			       .state = x->state == PCN_INSTALLING ? "tunnels"
					: x->state == PCN_ASKING   ? "asking"
								   : "ready",
			       .lifetime_s = x->lifetime,
			       .since_wall_ms = x->since_wall_ms,
			       .n_profiles = 1};
	r->left_s = x->expires > now ? (uint32_t)((x->expires - now) / 1000) : 0;
	role_copy(r->session, sizeof(r->session), x->session);
}

size_t pcn_rows(const struct pcn *pcn, role_ms now, struct role_row *rows, size_t max)
{
	const struct pcn_entry *x;
	size_t n = 0;

	for (x = pcn->entries; x && n < max; x = x->hh.next) {
		if (x->state != PCN_GONE)
			entry_row(x, now, &rows[n++]);
	}
	return n;
}

void pcn_shutdown(struct pcn *pcn, role_ms now, struct actions *out)
{
	struct pcn_entry *x, *next;

	HASH_ITER(hh, pcn->entries, x, next)
	{
		if (x->state != PCN_GONE)
			pcn_entry_end(pcn, x, "the gateway shuts down", now, out);
	}
}
