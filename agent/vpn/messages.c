/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is said to charon and read from it, in terms of tunnels: load-conn, load-shared, initiate, terminate;
 * the rows of list-sas and of the up/down events, which have the same shape:
 *	up = yes				events only, absent when down
 *	<connection> { uniqueid state ... child-sas { <child>-<id> { name state bytes-in ... } } }
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/vpn/internal.h"
#include "lib/crypto.h"
#include "lib/hex.h"

#define IKE_PROPOSAL "aes256-sha256-curve25519"
#define ESP_PROPOSAL "aes256gcm16"
#define REPLAY_WINDOW 256 /* packets; charon's 32 is less than queues by DSCP reorder on a fast path */
#define AH_PROPOSAL "sha256"
#define IKE_REKEY_S 14400u
#define CHILD_REKEY_S 3600
#define PROPOSALS_MAX 8

static const char *first_set(const char *a, const char *b, const char *c)
{
	return a[0] ? a : b[0] ? b : c;
}

static void put_one(struct vici_msg *m, const char *list, const char *item)
{
	vici_msg_list(m, list, &item, 1);
}

static void put_addr(struct vici_msg *m, const char *list, struct in_addr a)
{
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &a, text, sizeof(text));
	put_one(m, list, text);
}

static void put_prefix(struct vici_msg *m, const char *list, const struct vpn_prefix *p)
{
	char text[VPN_PREFIX_STRLEN];

	put_one(m, list, vpn_prefix_str(p, text));
}

/* "a,b" is two proposals, the first one preferred. */
static void put_proposals(struct vici_msg *m, const char *list, const char *text)
{
	const char *items[PROPOSALS_MAX];
	char copy[VPN_NAME_MAX], *save = NULL;
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *p = strtok_r(copy, ", ", &save); p && n < PROPOSALS_MAX; p = strtok_r(NULL, ", ", &save))
		items[n++] = p;
	vici_msg_list(m, list, items, n);
}

static void put_auth(struct vici_msg *m, const char *section, const char *id)
{
	vici_msg_section(m, section);
	vici_msg_kv(m, "auth", "psk");
	vici_msg_kv(m, "id", id);
	vici_msg_section_end(m);
}

static void put_selectors(struct vici_msg *m, const struct tunnel *t, const struct vpn_profile *p)
{
	const struct vpn_prefix *src = &p->src, *dst = &p->dst;

	if (t->fixed || p->dst_gw_type == VPN_GW_HANDOFF) {
		src = p->sla_src.len ? &p->sla_src : src;
		/* Of a handoff it may be everything, of length 0. */
		dst = p->sla_dst.len || !t->fixed ? &p->sla_dst : dst;
	}
	put_prefix(m, "local_ts", t->source ? src : dst);
	put_prefix(m, "remote_ts", t->source ? dst : src);
}

static void put_child(struct vici_msg *m, const struct tunnel *t, const struct vpn_profile *p)
{
	const struct vpn_config *cfg = &t->v->cfg;

	vici_msg_section(m, "children");
	vici_msg_section(m, t->name);
	vici_msg_kv(m, "mode", "tunnel");
	put_selectors(m, t, p);
	if (p->security == VPN_SEC_AH)
		put_proposals(m, "ah_proposals", first_set(p->esp_proposal, "", AH_PROPOSAL));
	else
		put_proposals(m, "esp_proposals",
			      first_set(p->esp_proposal, cfg->esp_proposal, ESP_PROPOSAL));
	vici_msg_kvf(m, "rekey_time", "%d", CHILD_REKEY_S);
	vici_msg_kvf(m, "replay_window", "%d", REPLAY_WINDOW);
	/* What happens to a lost tunnel is the room's decision, not charon's. */
	vici_msg_kv(m, "start_action", "none");
	vici_msg_kv(m, "close_action", "none");
	vici_msg_kv(m, "dpd_action", "clear");
	if (t->mark) {
		vici_msg_kvf(m, "mark_in", "0x%x", t->mark);
		vici_msg_kvf(m, "set_mark_in", "0x%x", t->mark);
	}
	vici_msg_section_end(m);
	vici_msg_section_end(m);
}

struct vici_msg *vpn_msg_conn(const struct tunnel *t, const struct part *part)
{
	const struct vpn_config *cfg = &t->v->cfg;
	const struct vpn_profile *p = &part->p;
	char local[VPN_ID_MAX], remote[VPN_ID_MAX];
	struct vici_msg *m = vici_msg_new();

	if (!m || vpn_part_ids(part, local, remote) < 0) {
		vici_msg_free(m);
		return NULL;
	}
	vici_msg_section(m, t->name);
	vici_msg_kv(m, "version", "2");
	put_addr(m, "local_addrs", cfg->self);
	put_addr(m, "remote_addrs", t->peer);
	put_proposals(m, "proposals", first_set(p->ike_proposal, cfg->ike_proposal, IKE_PROPOSAL));
	vici_msg_kv(m, "unique", "replace"); /* a peer that comes back clears its stale SA here */
	vici_msg_kv(m, "mobike", "no");
	vici_msg_kv(m, "keyingtries", "1");
	vici_msg_kv(m, "childless", t->late ? "force" : "allow");
	vici_msg_kv(m, "send_certreq", "no");
	vici_msg_kv(m, "reauth_time", "0"); /* would need the secret, which is gone by then */
	/* An initiate takes an IKE_SA that stands when its connection is the same but for the name, and then
	 * nobody authenticates anew. */
	vici_msg_kvf(m, "rekey_time", "%u", IKE_REKEY_S + t->salt);
	vici_msg_kvf(m, "dpd_delay", "%u", cfg->dpd_delay_s);
	vici_msg_kv(m, "encap", cfg->encap ? "yes" : "no");
	put_auth(m, "local", local);
	put_auth(m, "remote", remote);
	put_child(m, t, p);
	vici_msg_section_end(m);
	return m;
}

static void put_nobody(struct vici_msg *m, const char *section, const char *auth)
{
	char hex[2 * 16 + 1], id[VPN_ID_MAX];
	uint8_t random[16];

	crypto_random(random, sizeof(random));
	hex_encode(random, sizeof(random), hex);
	snprintf(id, sizeof(id), "nobody-%s.invalid", hex);
	vici_msg_section(m, section);
	vici_msg_kv(m, "auth", auth);
	vici_msg_kv(m, "id", id);
	vici_msg_section_end(m);
}

struct vici_msg *vpn_msg_early(const struct vpn *v, const char *name)
{
	struct vici_msg *m = vici_msg_new();

	if (!m)
		return NULL;
	vici_msg_section(m, name);
	vici_msg_kv(m, "version", "2");
	put_addr(m, "local_addrs", v->cfg.self);
	put_one(m, "remote_addrs", "%any");
	put_proposals(m, "proposals", first_set(v->cfg.ike_proposal, "", IKE_PROPOSAL));
	vici_msg_kv(m, "mobike", "no");
	vici_msg_kv(m, "send_certreq", "no");
	vici_msg_kv(m, "encap", v->cfg.encap ? "yes" : "no");
	put_nobody(m, "local", "psk");
	put_nobody(m, "remote", "pubkey");
	vici_msg_section_end(m);
	return m;
}

/* The secret of a part's tunnel; bytes, or 0 with the reason. */
static size_t part_secret(const struct tunnel *t, const struct vpn_profile *p, uint8_t out[VPN_KEY_MAX],
			  const char **why)
{
	const struct vpn_default_spi *d;
	const struct vpn_key *k = NULL;

	if (t->fixed) {
		k = &p->psk;
		*why = "the SLA has no key";
	} else if (p->enc_key.len || p->auth_key.len) {
		*why = "no PSK can be derived";
		return vpn_profile_psk(p, out) == 0 ? 32 : 0;
	} else {
		d = vpn_default_find(t->v, t->peer, p->spi_up);
		k = d ? &d->key : NULL;
		*why = "no security relation is preset for this gateway (default SPI)";
	}
	if (!k || !k->len || k->len > VPN_KEY_MAX)
		return 0;
	memcpy(out, k->data, k->len);
	return k->len;
}

struct vici_msg *vpn_msg_key(const struct tunnel *t, const struct part *part, const char **why)
{
	char local[VPN_ID_MAX], remote[VPN_ID_MAX];
	const char *owners[2] = {local, remote};
	uint8_t secret[VPN_KEY_MAX];
	size_t len = part_secret(t, &part->p, secret, why);
	struct vici_msg *m = len ? vici_msg_new() : NULL;

	if (m && vpn_part_ids(part, local, remote) == 0) {
		vici_msg_kv(m, "id", t->name);
		vici_msg_kv(m, "type", "IKE");
		vici_msg_kv_bytes(m, "data", secret, len);
		/* Both: a secret without owners answers for every identity that has none of its own. */
		vici_msg_list(m, "owners", owners, 2);
	} else {
		vici_msg_free(m);
		m = NULL;
	}
	crypto_wipe(secret, sizeof(secret));
	return m;
}

struct vici_msg *vpn_msg_named(const char *key, const char *name)
{
	struct vici_msg *m = vici_msg_new();

	if (m)
		vici_msg_kv(m, key, name);
	return m;
}

/* timeout -1: returns at once.  A blocking one holds a charon thread, and its failure would leave the SA. */
struct vici_msg *vpn_msg_initiate(const struct tunnel *t)
{
	struct vici_msg *m = vpn_msg_named("ike", t->name);

	if (!m)
		return NULL;
	if (!t->late)
		vici_msg_kv(m, "child", t->name); /* the IKE_SA that stands, if one does, is used */
	vici_msg_kv(m, "timeout", "-1");
	vici_msg_kv(m, "init-limits", "no");
	return m;
}

struct vici_msg *vpn_msg_rekey(const struct tunnel *t)
{
	struct vici_msg *m = vpn_msg_named("ike", t->name);

	if (m)
		vici_msg_kv(m, "child", t->name);
	return m;
}

/* By name: ours belong to one tunnel, and a duplicate or an SA that we have not heard of is to go too. */
struct vici_msg *vpn_msg_terminate(const struct tunnel *t, bool force)
{
	struct vici_msg *m = vpn_msg_named("ike", t->name);

	if (!m)
		return NULL;
	vici_msg_kv(m, "timeout", "-1");
	if (force)
		vici_msg_kv(m, "force", "yes");
	return m;
}

/* --- reading --- */

static void take_text(char *out, size_t size, const struct vici_walk *w)
{
	size_t n = w->value_len < size ? w->value_len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = w->value[i] >= 0x20 && w->value[i] < 0x7f ? (char)w->value[i] : '?';
	out[n] = '\0';
}

static uint64_t take_number(const struct vici_walk *w, int base)
{
	char text[24];

	take_text(text, sizeof(text), w);
	return strtoull(text, NULL, base);
}

static bool value_is(const struct vici_walk *w, const char *text)
{
	return w->value_len == strlen(text) && !memcmp(w->value, text, w->value_len);
}

static void take_ike(struct sa_row *r, const struct vici_walk *w)
{
	if (!strcmp(w->key, "uniqueid"))
		r->id = (uint32_t)take_number(w, 10);
	else if (!strcmp(w->key, "state"))
		take_text(r->state, sizeof(r->state), w);
	else if (!strcmp(w->key, "established"))
		r->stats.established_s = (uint32_t)take_number(w, 10);
}

static void take_child(struct sa_row *r, const struct vici_walk *w)
{
	struct sa_stats *s = &r->stats;

	if (!strcmp(w->key, "state"))
		r->child |= value_is(w, "INSTALLED") || value_is(w, "REKEYING") || value_is(w, "REKEYED");
	else if (!strcmp(w->key, "bytes-in"))
		s->bytes_in = take_number(w, 10);
	else if (!strcmp(w->key, "bytes-out"))
		s->bytes_out = take_number(w, 10);
	else if (!strcmp(w->key, "packets-in"))
		s->packets_in = take_number(w, 10);
	else if (!strcmp(w->key, "packets-out"))
		s->packets_out = take_number(w, 10);
	else if (!strcmp(w->key, "spi-in"))
		s->spi_in = (uint32_t)take_number(w, 16);
	else if (!strcmp(w->key, "spi-out"))
		s->spi_out = (uint32_t)take_number(w, 16);
	else if (!strcmp(w->key, "encr-alg"))
		take_text(s->encr, sizeof(s->encr), w);
	else if (!strcmp(w->key, "integ-alg"))
		take_text(s->integ, sizeof(s->integ), w);
	else if (!strcmp(w->key, "encap"))
		s->udp = value_is(w, "yes");
}

static bool row_element(const struct vici_walk *w, void *user)
{
	struct sa_row *r = user;

	if (w->element == VICI_SECTION_START && w->depth == 1)
		snprintf(r->name, sizeof(r->name), "%s", w->path[0]);
	if (w->element != VICI_KEY_VALUE)
		return true;
	if (w->depth == 0 && !strcmp(w->key, "up"))
		r->up = value_is(w, "yes");
	else if (w->depth == 1)
		take_ike(r, w);
	else if (w->depth == 3 && !strcmp(w->path[1], "child-sas")) {
		r->any_child = true;
		take_child(r, w);
	}
	return true;
}

bool vpn_row_parse(const uint8_t *data, size_t len, struct sa_row *out)
{
	const char *why;

	memset(out, 0, sizeof(*out));
	return vici_walk(data, len, row_element, out, &why) == 0 && out->name[0];
}

bool vpn_reply_ok(const uint8_t *data, size_t len, char *err, size_t err_len)
{
	char ok[8];

	if (vici_find(data, len, "success", ok, sizeof(ok)) && !strcmp(ok, "yes"))
		return true;
	if (!vici_find(data, len, "errmsg", err, err_len))
		snprintf(err, err_len, "charon refused without a reason");
	return false;
}
