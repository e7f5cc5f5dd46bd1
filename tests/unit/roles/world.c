/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/roles/world.h"

#include <stdlib.h>

struct in_addr addr(const char *text)
{
	struct in_addr a = {0};

	if (text)
		inet_pton(AF_INET, text, &a);
	return a;
}

/* --- carrying actions out --- */

static void carry(struct world *w, int role, struct actions *as);

void fa_tell(struct world *w, const struct role_event *e)
{
	struct actions out = {0};
	struct role_event ev = *e;

	ev.wall_ms = w->wall;
	fa_event(w->fa, &ev, w->now, &out);
	carry(w, AT_FA, &out);
}

void ha_tell(struct world *w, const struct role_event *e)
{
	struct actions out = {0};
	struct role_event ev = *e;

	ev.wall_ms = w->wall;
	ha_event(w->ha, &ev, w->now, &out);
	carry(w, AT_HA, &out);
}

static void pcn_tell(struct world *w, int role, const struct role_event *e)
{
	struct actions out = {0};
	struct role_event ev = *e;

	ev.wall_ms = w->wall;
	pcn_event(w->pcn[role - AT_PCN], &ev, w->now, &out);
	carry(w, role, &out);
}

void world_tell(struct world *w, int role, const struct role_event *e)
{
	if (role == AT_FA)
		fa_tell(w, e);
	else if (role == AT_HA)
		ha_tell(w, e);
	else
		pcn_tell(w, role, e);
}

static bool verify(const struct mip_auth *a, const uint8_t *msg, const struct assoc *s)
{
	return a->present && s->have && a->spi == s->spi_in && mip_auth_check(a, msg, s->alg, s->key, s->len);
}

/* RFC 3957: what the mobile node makes of a nonce. */
static void learn(const struct mn *m, const struct mip_keygen_rep *k, uint32_t my_spi, struct assoc *s)
{
	if (!k->present)
		return;
	s->have = mip_keygen_derive(m->aaa.key, m->aaa.len, k->nonce.data, k->nonce.len, m->nai, m->hoa,
				    s->key) == 0;
	s->len = 20;
	s->alg = CRYPTO_HMAC_SHA1;
	s->spi_out = k->spi;
	s->spi_in = my_spi;
}

static void mn_receive(struct mn *m, const struct action *a)
{
	struct assoc ha = m->mn_ha, fa = m->mn_fa;

	memcpy(m->bytes, a->data->data, a->data->len);
	m->path = a->path;
	if (mip_rrp_decode(m->bytes, a->data->len, &m->rrp)) {
		CU_FAIL("a mobile node got a reply that it cannot decode");
		return;
	}
	if (mn_is_stale(m, (uint32_t)m->rrp.ident))
		return;
	m->replies++;
	learn(m, &m->rrp.mn_ha_key, 0x2000, &ha);
	learn(m, &m->rrp.mn_fa_key, 0x1000, &fa);
	m->right32 = verify(&m->rrp.mn_ha, m->bytes, &ha);
	m->right33 = verify(&m->rrp.mn_fa, m->bytes, &fa);
	if (m->rrp.code <= 1) { /* keys of a refusal prove it, and are forgotten */
		m->mn_ha = ha;
		m->mn_fa = fa;
	}
	m->challenge_len = 0;
	if (m->rrp.challenge.len) {
		m->challenge_len = (uint8_t)m->rrp.challenge.len;
		memcpy(m->challenge, m->rrp.challenge.data, m->challenge_len);
	}
	if (m->rrp.code <= 1 && m->rrp.lifetime)
		m->hoa = m->rrp.hoa;
}

static void link_send(struct world *w, int role, const struct action *a)
{
	if (a->proto == IPPROTO_ICMP) {
		if (mip_adv_decode(a->data->data, a->data->len, &w->adv))
			CU_FAIL("advertisement cannot be decoded");
		w->advs++;
		w->adv_path = a->path;
		return;
	}
	for (size_t i = 0; i < w->n_mn; i++) {
		if (memcmp(w->mn[i]->mac, a->path.mac, 6) == 0)
			mn_receive(w->mn[i], a);
	}
	if (role == AT_FA)
		w->reply_before_vpn += w->vpn_session[AT_FA][0] != 0;
}

static void udp_send(struct world *w, int role, const struct action *a)
{
	struct role_event e = {
		.type = EV_PACKET, .path = a->path, .data = a->data->data, .len = a->data->len};

	e.path.ifindex = 0;
	if (e.data[0] >= BIND_WARNING && e.data[0] <= BIND_ACK) {
		world_binding_send(w, role, &e);
		return;
	}
	w->to_ha += role == AT_FA;
	if (role == AT_HA) {
		w->from_ha.path = a->path;
		w->ha_len = a->data->len;
		memcpy(w->ha_bytes, a->data->data, w->ha_len);
	}
	if (role == AT_FA && w->cut_fa_ha)
		return;
	if (role == AT_FA && w->ha)
		ha_tell(w, &e);
	else if (role == AT_HA && w->fa)
		fa_tell(w, &e);
}

/* --- the AAAH --- */

static struct mn *mn_of(struct world *w, const char *nai)
{
	for (size_t i = 0; i < w->n_mn; i++) {
		if (strcmp(w->mn[i]->nai, nai) == 0)
			return w->mn[i];
	}
	return NULL;
}

static void ama(struct world *w, const char *session, struct dm_ama *a)
{
	struct role_event e = {.type = EV_AMA, .session = session, .ama = a};

	snprintf(a->session, sizeof(a->session), "%s", session);
	snprintf(a->origin_host, sizeof(a->origin_host), "aaah.home.test");
	snprintf(a->origin_realm, sizeof(a->origin_realm), "home.test");
	if (!world_ama_held(w, session, a))
		fa_tell(w, &e);
	dm_ama_wipe(a);
}

static void ama_result(struct world *w, uint32_t result)
{
	struct dm_ama a = {.result = result};

	ama(w, w->amr_session, &a);
}

static void msa(struct dm_msa *m, uint32_t spi, const void *key, size_t len)
{
	*m = (struct dm_msa){.present = true, .spi = spi, .algorithm = 2, .replay = 2};
	m->key.len = (uint8_t)len;
	memcpy(m->key.data, key, len);
}

static void own_profiles(const struct world *w, struct vpn_profile *p, struct in_addr hoa)
{
	for (uint8_t i = 0; i < w->n_profiles; i++) {
		p[i] = w->profiles[i];
		p[i].src = (struct vpn_prefix){hoa, 32};
	}
}

static struct vpn_profile *profiles(const struct world *w, struct in_addr hoa)
{
	uint8_t n = w->n_profiles;
	struct vpn_profile *p = calloc(n ? n : 1, sizeof(*p));

	if (w->profiles)
		own_profiles(w, p, hoa);
	for (uint8_t i = 0; !w->profiles && i < n; i++) {
		p[i].number = i + 1u;
		p[i].src = (struct vpn_prefix){hoa, 32};
		p[i].dst = (struct vpn_prefix){addr("10.9.0.0"), 24};
		p[i].src_gw = addr(FA_ADDR);
		p[i].dst_gw = addr(HA_ADDR);
		p[i].enc_key.len = 16;
	}
	return p;
}

/* What the AAAH keeps between a HAR and its HAA, found by the HAR's token. */
static struct exchange {
	char amr_session[DM_SESSION_MAX];
	uint8_t fa_ha_key[20], mn_fa_key[20];
} exchanges[256];

static struct exchange *exchange(uint64_t token)
{
	return &exchanges[token % 256];
}

static void har(struct world *w, const struct mn *m, const struct dm_amr *amr)
{
	struct dm_har *h = calloc(1, sizeof(*h));
	struct role_event e = {.type = EV_HAR, .har = h, .token = ++w->sessions};
	uint8_t nonce[16], key[20];
	struct exchange *x = exchange(e.token);

	snprintf(w->har_session, sizeof(w->har_session), "aaah;%u;%s",
		 w->same_session ? m->mac[5] : w->sessions, w->same_session ? "user" : "once");
	memcpy(h->session, w->har_session, sizeof(h->session));
	snprintf(h->origin_host, sizeof(h->origin_host), "aaah.home.test");
	snprintf(h->origin_realm, sizeof(h->origin_realm), "home.test");
	memcpy(h->user, amr->user, sizeof(h->user));
	h->rrq = amr->rrq;
	h->auth_lifetime = w->auth_lifetime;
	h->features = amr->features;
	h->has_hoa = w->assign != NULL;
	h->hoa = addr(w->assign);
	crypto_random(nonce, sizeof(nonce));
	mip_keygen_derive(m->aaa.key, m->aaa.len, nonce, sizeof(nonce), m->nai, m->hoa, key);
	if (!w->no_keys && amr->features & DM_F_MN_HA_KEY) {
		msa(&h->mn_to_ha, 0, nonce, sizeof(nonce));
		msa(&h->ha_to_mn, 0, key, sizeof(key));
	}
	crypto_random(nonce, sizeof(nonce));
	mip_keygen_derive(m->aaa.key, m->aaa.len, nonce, sizeof(nonce), m->nai, m->hoa, x->mn_fa_key);
	if (!w->no_keys && amr->features & DM_F_MN_FA_KEY)
		msa(&h->mn_to_fa, 0, nonce, sizeof(nonce));
	crypto_random(x->fa_ha_key, sizeof(x->fa_ha_key));
	if (amr->ha_to_fa_spi)
		msa(&h->ha_to_fa, amr->ha_to_fa_spi, x->fa_ha_key, sizeof(x->fa_ha_key));
	h->vpn.n = w->n_profiles;
	h->vpn.p = profiles(w, m->hoa);
	memcpy(x->amr_session, w->amr_session, sizeof(x->amr_session));
	w->hars++;
	ha_tell(w, &e);
	dm_har_wipe(h);
	free(h);
}

static void aaah_amr(struct world *w, const struct action *a)
{
	const struct dm_amr *r = a->amr;
	struct mn *m = mn_of(w, r->user);

	w->amr = *r;
	snprintf(w->amr_session, sizeof(w->amr_session), "%s", a->session);
	CU_ASSERT_TRUE(w->random || strcmp(r->dest_realm, "home.test") == 0);
	CU_ASSERT_TRUE(r->auth_offset + r->auth_len <= r->rrq.len);
	if (w->deaf)
		return;
	if (w->answer)
		ama_result(w, w->answer);
	else if (!m)
		ama_result(w, DM_USER_UNKNOWN);
	else if (!mip_mn_aaa_check(r->rrq.data, r->auth_input_len, r->rrq.data + r->auth_offset, r->auth_len,
				   m->aaa.alg, m->aaa.key, m->aaa.len, r->challenge.data, r->challenge.len))
		ama_result(w, DM_AUTHENTICATION_REJECTED);
	else
		har(w, m, r);
}

static void aaah_haa(struct world *w, const struct action *act)
{
	const struct dm_haa *h = act->haa;
	struct dm_ama *a = calloc(1, sizeof(*a));
	struct exchange *x = exchange(act->token);

	w->haas++;
	w->haa_result = h->result;
	w->haa = *h;
	a->result = h->result;
	a->rrp = h->rrp;
	a->has_hoa = h->has_hoa;
	a->hoa = h->hoa;
	a->has_ha = h->has_ha;
	a->ha = h->ha;
	a->auth_lifetime = w->auth_lifetime;
	if (h->result == DM_SUCCESS) {
		memcpy(w->granted, x->amr_session, sizeof(w->granted));
		if (h->fa_to_mn_spi)
			msa(&a->fa_to_mn, h->fa_to_mn_spi, x->mn_fa_key, sizeof(x->mn_fa_key));
		if (h->fa_to_ha_spi)
			msa(&a->fa_to_ha, h->fa_to_ha_spi, x->fa_ha_key, sizeof(x->fa_ha_key));
		if (w->spoil_fa_ha)
			a->fa_to_ha.key.data[0] ^= 1;
		a->vpn.n = w->n_profiles;
		a->vpn.p = profiles(w, h->hoa);
		if (w->refused) {
			a->n_refused = 1;
			a->refused[0] = (struct dm_refused){w->refused, "it does not answer"};
		}
	}
	if (w->fa)
		ama(w, x->amr_session, a);
	else
		dm_ama_wipe(a);
	free(a);
}

static void aaah_str(struct world *w, int role, const struct action *a)
{
	struct role_event e = {
		.type = EV_ASR, .token = 77, .session = role == AT_HA ? w->granted : w->har_session};

	CU_ASSERT_TRUE(w->random || strcmp(a->end->dest_realm, "home.test") == 0);
	CU_ASSERT_STRING_EQUAL(a->end->session, a->session);
	w->strs[role]++;
	w->str_cause = a->end->cause;
	if (w->aaah_relays_end && (role == AT_HA || strcmp(a->session, w->granted) == 0))
		world_tell(w, 1 - role, &e);
}

/* --- the VPN room --- */

static void vpn_install(struct world *w, int role, const struct action *a)
{
	struct role_event e = {
		.type = EV_VPN_UP, .session = a->session, .text = role == AT_HA ? w->vpn_waits : NULL};

	bool had = false;

	CU_ASSERT_TRUE(a->n_profiles > 0 && a->deadline_ms > 0);
	w->vpn_asked[role] = a->n_profiles;
	world_vpn_note(w, role, a);
	if (w->vpn[role] == VPN_FAILS) {
		e.type = EV_VPN_FAILED;
		e.text = "gateway does not answer";
	} else {
		had = ledger_vpn(w, role, a->session, true);
	}
	if (w->vpn[role] != VPN_HANGS) {
		if (strcmp(w->vpn_session[role], a->session) == 0)
			w->vpn_session[role][0] = 0; /* what hung is replaced */
		world_tell(w, role, &e);
		return;
	}
	snprintf(w->vpn_session[role], sizeof(w->vpn_session[role]), "%s", a->session);
	w->vpn_had[role] = had;
}

void world_vpn_answers(struct world *w, int role, bool up)
{
	char session[DM_SESSION_MAX];
	struct role_event e = {
		.type = up ? EV_VPN_UP : EV_VPN_FAILED, .session = session, .text = "by chance"};

	memcpy(session, w->vpn_session[role], sizeof(session));
	w->vpn_session[role][0] = 0;
	if (!up && !w->vpn_had[role])
		ledger_vpn(w, role, session, false);
	world_tell(w, role, &e);
}

static void vpn_remove(struct world *w, int role, const struct action *a)
{
	ledger_vpn(w, role, a->session, false);
	world_vpn_note(w, role, a);
	if (strcmp(w->vpn_session[role], a->session) == 0)
		w->vpn_session[role][0] = 0;
}

static void carry_one(struct world *w, int role, const struct action *a)
{
	static const char *const names[ROLES] = {"FA", "HA", "PCN", "PCN2"};

	w->actions++;
	ledger_note(w, role, a);
	switch (a->type) {
	case ACT_LINK_SEND:
		link_send(w, role, a);
		break;
	case ACT_UDP_SEND:
	case ACT_BINDING_SEND:
		udp_send(w, role, a);
		break;
	case ACT_AMR:
		aaah_amr(w, a);
		break;
	case ACT_HAA:
		aaah_haa(w, a);
		break;
	case ACT_STR:
		aaah_str(w, role, a);
		break;
	case ACT_ASA:
		w->asa_result = a->result;
		break;
	case ACT_VUA:
		w->vuas++;
		w->vua = *a->haa;
		w->vua_token = a->token;
		break;
	case ACT_VPN_INSTALL:
		vpn_install(w, role, a);
		break;
	case ACT_VPN_MOVE:
		world_vpn_move(w, role, a);
		break;
	case ACT_VPN_REMOVE:
		vpn_remove(w, role, a);
		break;
	case ACT_PROXY_ARP_DEL:
		w->garp_mn = a->mac[0] || a->mac[5];
		break;
	case ACT_EVENT:
		snprintf(w->event, sizeof(w->event), "%s", a->text);
		if (getenv("ROLES_VERBOSE"))
			fprintf(stderr, "\n    %8lu %s %s", (unsigned long)w->now, names[role],
				a->text);
		break;
	default:
		break;
	}
}

static void carry(struct world *w, int role, struct actions *as)
{
	for (size_t i = 0; i < as->n; i++)
		carry_one(w, role, &as->a[i]);
	actions_clear(as);
}

/* --- beginning and end --- */

void world_init(struct world *w, bool aaa)
{
	memset(w, 0, sizeof(*w));
	w->now = 1000000;
	w->wall = 1700000000000u;
	w->auth_lifetime = 3600;
	w->fc = (struct fa_config){.coa = addr(FA_ADDR),
				   .diameter_host = "fa.visited.test",
				   .diameter_realm = "visited.test",
				   .aaa = aaa,
				   .n_links = 1,
				   .lifetime_max = 600,
				   .adv_interval_ms = 1000,
				   .icmp_code16 = true,
				   .challenge = aaa,
				   .challenge_window = 2,
				   .reverse_tunnel = true};
	w->fc.links[0] = (struct fa_link){
		.ifindex = LINK, .name = "link0", .addr = addr(FA_LINK_ADDR), .prefix_len = 24};
	for (int i = 0; i < 2; i++) {
		w->pc[i] = (struct pcn_config){.addr = addr(i ? PCN2_ADDR : PCN_ADDR),
					       .prefixes = {{addr(i ? "203.0.114.0" : "203.0.113.0"), 24}},
					       .n_prefixes = 1,
					       .master = {.len = 32}};
		memset(w->pc[i].master.data, 0x51 + i, 32);
	}
	w->hc = (struct ha_config){.addr = addr(HA_ADDR),
				   .home_prefix = {addr("10.1.0.0"), 24},
				   .home_ifindex = HOME,
				   .home_ifname = "home0",
				   .home_addr = addr("10.1.0.1"),
				   .diameter_host = "ha.home.test",
				   .diameter_realm = "home.test",
				   .lifetime_max = 900,
				   .clock_skew_ms = 7000,
				   .reverse_tunnel = true,
				   .pool = {addr("10.1.0.128"), 26}};
}

void world_start(struct world *w)
{
	w->fa = fa_new(&w->fc, w->now);
	w->ha = ha_new(&w->hc, w->now);
	world_pass(w, 0);
}

void world_end(struct world *w)
{
	struct actions out = {0};

	w->aaah_relays_end = w->hold_ama = false;
	while (w->n_held)
		world_ama_arrives(w, 0);
	if (w->fa)
		fa_shutdown(w->fa, w->now, &out);
	carry(w, AT_FA, &out);
	if (w->ha)
		ha_shutdown(w->ha, w->now, &out);
	carry(w, AT_HA, &out);
	for (int i = 0; i < 2; i++) {
		if (w->pcn[i])
			pcn_shutdown(w->pcn[i], w->now, &out);
		carry(w, AT_PCN + i, &out);
		pcn_free(w->pcn[i]);
	}
	CU_ASSERT_TRUE(world_balanced(w));
	CU_ASSERT_EQUAL(w->reply_before_vpn, 0);
	fa_free(w->fa);
	ha_free(w->ha);
}

void world_mn(struct world *w, struct mn *m, const char *nai, const char *hoa)
{
	*m = (struct mn){.nai = nai, .hoa = addr(hoa)};
	m->mac[0] = 2;
	m->mac[5] = (uint8_t)(w->n_mn + 1);
	m->aaa = (struct assoc){true, 0x300, 0x300, CRYPTO_HMAC_SHA1, "the key of the mn and its aaah", 20};
	m->aaa.key[19] = m->mac[5];
	w->mn[w->n_mn++] = m;
}

static role_ms next_of(const struct world *w, int role)
{
	if (role == AT_FA)
		return w->fa ? fa_next(w->fa) : UINT64_MAX;
	if (role == AT_HA)
		return w->ha ? ha_next(w->ha) : UINT64_MAX;
	return w->pcn[role - AT_PCN] ? pcn_next(w->pcn[role - AT_PCN]) : UINT64_MAX;
}

void world_pass(struct world *w, role_ms ms)
{
	static const struct role_event timer = {.type = EV_TIMER};
	role_ms end = w->now + ms;

	for (;;) {
		role_ms next = UINT64_MAX;

		for (int r = 0; r < ROLES; r++)
			next = next_of(w, r) < next ? next_of(w, r) : next;
		if (next > end)
			break;
		w->wall += next > w->now ? next - w->now : 0;
		w->now = next > w->now ? next : w->now;
		for (int r = 0; r < ROLES; r++) {
			if (next_of(w, r) > w->now)
				continue;
			world_tell(w, r, &timer);
			HARNESS_AT(next_of(w, r) > w->now, "role %d: a timer in the past", r);
		}
	}
	w->wall += end - w->now;
	w->now = end;
}

size_t fa_count(const struct world *w)
{
	static struct role_row rows[2048];

	return fa_rows(w->fa, w->now, rows, 2048);
}

size_t ha_count(const struct world *w)
{
	static struct role_row rows[2048];

	return ha_rows(w->ha, w->now, rows, 2048);
}
