/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/roles/moves.h"

#include <stdlib.h>

#define HA_SPI 0x4000u	    /* the home agent's choice */
#define SESSION_SPI 0x5000u /* 323 of the session's first AMR */
#define MN_SPI 0x1000u

static uint8_t fa_ha_key[20] = "between fa and ha 1", mn_fa_key[20] = "between mn and fa 1",
	       handoff_key[32] = "of the handoffs of the session", mn_key[20] = "the mobile node's k";

struct in_addr moves_coa(int fa)
{
	static const char *const text[FAS] = {"198.51.100.11", "198.51.100.12", "198.51.100.13"};

	return addr(text[fa]);
}

static void word(struct moves *m, int fa, const char *text)
{
	size_t n = strlen(m->trace[fa]);

	snprintf(m->trace[fa] + n, sizeof(m->trace[fa]) - n, "%s%s", n ? " " : "", text);
}

void moves_trace_clear(struct moves *m)
{
	memset(m->trace, 0, sizeof(m->trace));
}

/* --- the network --- */

static void key(struct dm_msa *s, uint32_t spi, const uint8_t k[20])
{
	*s = (struct dm_msa){.present = true, .spi = spi, .algorithm = CRYPTO_HMAC_SHA1, .key = {.len = 20}};
	memcpy(s->key.data, k, 20);
}

static size_t reply(struct moves *m, uint64_t ident, uint16_t lifetime, uint32_t spi, uint8_t *mem,
		    size_t cap)
{
	struct wbuf w;

	wbuf_init(&w, mem, cap);
	mip_rrp_put(&w, m->ha_code, lifetime, addr(MV_HOA), addr(HA_ADDR), ident);
	mip_ext_put_nai(&w, MV_NAI);
	if (m->aaa == MV_AAAH && m->ha_code < 2)
		mip_ext_put_keygen_rep(&w, MIP_EXT_MN_FA_KEYGEN_REP, 600, 0x300, spi, 2, 0,
				       "nonce of 16 byte", 16);
	mip_ext_put_auth(&w, MIP_EXT_MN_HA, 0x2000, CRYPTO_HMAC_SHA1, mn_key, sizeof(mn_key));
	mip_ext_put_auth(&w, MIP_EXT_FA_HA, spi, CRYPTO_HMAC_SHA1, m->ha_forged ? mn_key : fa_ha_key, 20);
	CU_ASSERT_TRUE(wbuf_ok(&w));
	return w.len;
}

static void profiles(const struct moves *m, int fa, struct dm_vpn *v)
{
	v->n = m->n_profiles;
	v->p = calloc(v->n ? v->n : 1, sizeof(*v->p));
	for (uint8_t i = 0; i < v->n; i++) {
		v->p[i].number = i + 1u;
		v->p[i].required = true;
		v->p[i].src_gw = moves_coa(fa);
		v->p[i].dst_gw = addr(HA_ADDR);
	}
	if (!m->no_handoff_key) {
		v->handoff.len = sizeof(handoff_key);
		memcpy(v->handoff.data, handoff_key, sizeof(handoff_key));
	}
}

static void by_the_aaaf(struct moves *m, const struct dm_amr *r, struct dm_ama *a)
{
	key(&a->fa_to_ha, HA_SPI, fa_ha_key);
	key(&a->fa_to_mn, MN_SPI, mn_fa_key);
	a->fa_to_ha.present = !m->no_fa_ha;
	a->ha_to_fa_spi = SESSION_SPI;
	a->has_previous_fa = true;
	a->previous_fa = r->previous_fa;
}

static void by_the_aaah(struct moves *m, int fa, const struct dm_amr *r, struct dm_ama *a)
{
	struct mip_rrq q;

	mip_rrq_decode(r->rrq.data, r->rrq.len, &q);
	a->rrp.len = (uint16_t)reply(m, q.ident, q.lifetime, r->ha_to_fa_spi, a->rrp.data, DM_RR_MAX);
	if (m->ha_code > 1) {
		a->result = DM_MIP_REPLY_FAILURE;
		return;
	}
	key(&a->fa_to_ha, HA_SPI, fa_ha_key);
	if (q.mn_fa_key.present)
		key(&a->fa_to_mn, MN_SPI, mn_fa_key);
	a->has_previous_fa = m->where.s_addr && !m->no_previous;
	a->previous_fa = m->where;
	m->where = moves_coa(fa);
}

void moves_ama_arrives(struct moves *m, int fa)
{
	const struct dm_amr *r = &m->amr;
	struct dm_ama *a = calloc(1, sizeof(*a));
	struct role_event e = {.type = EV_AMA, .session = r->session, .ama = a};

	a->result = DM_SUCCESS;
	a->auth_lifetime = a->msa_lifetime = 3600;
	snprintf(a->session, sizeof(a->session), "%s", r->session);
	snprintf(a->user, sizeof(a->user), MV_NAI);
	snprintf(a->origin_host, sizeof(a->origin_host), "aaah.home.test");
	snprintf(a->origin_realm, sizeof(a->origin_realm), "home.test");
	if (m->aaa == MV_AAAF && r->has_previous_fa)
		by_the_aaaf(m, r, a);
	else
		by_the_aaah(m, fa, r, a);
	if (a->result == DM_SUCCESS)
		profiles(m, fa, &a->vpn);
	moves_tell(m, fa, &e);
	dm_ama_wipe(a);
	free(a);
}

static void rrp_arrives(struct moves *m, int fa)
{
	struct role_event e = {.type = EV_PACKET, .data = m->rrp, .len = m->rrp_len};

	e.path.src = addr(HA_ADDR);
	e.path.dst = moves_coa(fa);
	moves_tell(m, fa, &e);
}

static bool held(struct moves *m, int fa, size_t rrp_len)
{
	if (!m->late || m->n_held == sizeof(m->held) / sizeof(m->held[0]))
		return false;
	m->held[m->n_held].fa = fa;
	m->held[m->n_held].amr = m->amr;
	m->held[m->n_held].rrp_len = rrp_len;
	memcpy(m->held[m->n_held++].rrp, m->rrp, rrp_len);
	return true;
}

void moves_late(struct moves *m, size_t i)
{
	int fa = m->held[i].fa;
	size_t len = m->held[i].rrp_len;

	if (len) {
		m->rrp_len = len;
		memcpy(m->rrp, m->held[i].rrp, len);
	} else {
		m->amr = m->held[i].amr;
	}
	m->n_held--;
	memmove(&m->held[i], &m->held[i + 1], (m->n_held - i) * sizeof(m->held[0]));
	if (len)
		rrp_arrives(m, fa);
	else
		moves_ama_arrives(m, fa);
}

static void amr(struct moves *m, int fa, const struct action *a)
{
	word(m, fa, "amr");
	m->amr = *a->amr;
	snprintf(m->session[fa], sizeof(m->session[fa]), "%s", a->session);
	if (held(m, fa, 0))
		return;
	if (m->aaa != MV_SILENT && !m->hold_ama)
		moves_ama_arrives(m, fa);
}

static void home_agent(struct moves *m, int fa, const struct action *a)
{
	struct mip_rrq q;

	word(m, fa, "relay");
	CU_ASSERT_EQUAL(mip_rrq_decode(a->data->data, a->data->len, &q), MIP_REJ_OK);
	if (q.lifetime)
		CU_ASSERT_TRUE(q.fa_ha.spi == HA_SPI &&
			       mip_auth_check(&q.fa_ha, q.raw, CRYPTO_HMAC_SHA1, fa_ha_key, 20));
	if (m->ha_silent)
		return;
	if (m->ha_code < 2)
		m->where = q.lifetime ? q.coa : (struct in_addr){0};
	m->rrp_len = reply(m, q.ident, q.lifetime, SESSION_SPI, m->rrp, sizeof(m->rrp));
	if (!held(m, fa, m->rrp_len))
		rrp_arrives(m, fa);
}

static void between(struct moves *m, int fa, const struct action *a)
{
	struct role_event e = {
		.type = EV_PACKET, .data = a->data->data, .len = a->data->len, .path = a->path};
	char text[16] = "bu";
	bool ack = e.data[0] == BIND_ACK;

	if (ack) {
		m->status = e.data[3];
		m->acks++;
		snprintf(text, sizeof(text), "ba%d", m->status);
	} else {
		m->updates++;
		m->bu_path = a->path;
		m->bu_len = e.len;
		memcpy(m->bu, e.data, e.len);
	}
	word(m, fa, text);
	if (ack ? m->lose_ba : m->lose_bu)
		return;
	for (int i = 0; i < FAS; i++) {
		if (m->fa[i] && moves_coa(i).s_addr == a->path.dst.s_addr)
			moves_tell(m, i, &e);
	}
}

void moves_bu(struct moves *m, int fa)
{
	struct role_event e = {.type = EV_PACKET, .data = m->bu, .len = m->bu_len, .path = m->bu_path};

	moves_tell(m, fa, &e);
}

static void udp(struct moves *m, int fa, const struct action *a)
{
	if (a->data->data[0] == MIP_RRQ)
		home_agent(m, fa, a);
	else
		between(m, fa, a);
}

static void link_send(struct moves *m, int fa, const struct action *a)
{
	struct mip_rrp r;
	char text[16];

	if (a->proto == IPPROTO_ICMP)
		return;
	CU_ASSERT_EQUAL(mip_rrp_decode(a->data->data, a->data->len, &r), MIP_REJ_OK);
	m->code = r.code;
	m->replies++;
	m->right33 = r.mn_fa.spi == MN_SPI &&
		     mip_auth_check(&r.mn_fa, r.raw, CRYPTO_HMAC_SHA1, mn_fa_key, sizeof(mn_fa_key));
	if (r.code < 2 && r.lifetime)
		m->at = fa;
	snprintf(text, sizeof(text), "reply%d", r.code);
	word(m, fa, text);
}

/* --- the VPN room --- */

static bool known(const struct moves *m, int fa, const char *session)
{
	char what[160];

	snprintf(what, sizeof(what), "%d vpn %.100s", fa, session);
	for (size_t i = 0; i < m->book.n_ledger; i++) {
		if (strcmp(m->book.ledger[i].what, what) == 0)
			return true;
	}
	return false;
}

static void vpn_report(struct moves *m, int fa, const char *session, bool up)
{
	struct role_event e = {
		.type = up ? EV_VPN_UP : EV_VPN_FAILED, .session = session, .text = "by chance"};

	if (!up)
		ledger_vpn(&m->book, fa, session, false);
	moves_tell(m, fa, &e);
}

static void vpn_begin(struct moves *m, int fa, const struct action *a, enum vpn_policy policy)
{
	char session[DM_SESSION_MAX];

	memcpy(session, a->session, sizeof(session));
	CU_ASSERT_TRUE(a->deadline_ms > 0);
	ledger_vpn(&m->book, fa, session, true);
	if (m->n_vpn == MV_HANGING)
		abort();
	m->vpn[m->n_vpn].fa = fa;
	m->vpn[m->n_vpn].what = policy;
	memcpy(m->vpn[m->n_vpn++].session, session, sizeof(session));
}

static bool hangs(const struct moves *m, size_t i, int fa, const char *session)
{
	return m->vpn[i].fa == fa && strcmp(m->vpn[i].session, session) == 0;
}

static void hang_end(struct moves *m, size_t i)
{
	m->n_vpn--;
	memmove(&m->vpn[i], &m->vpn[i + 1], (m->n_vpn - i) * sizeof(m->vpn[0]));
}

static void vpn_answer(struct moves *m, size_t i, bool up)
{
	char session[DM_SESSION_MAX];
	int fa = m->vpn[i].fa;

	memcpy(session, m->vpn[i].session, sizeof(session));
	hang_end(m, i);
	vpn_report(m, fa, session, up);
}

void moves_answer(struct moves *m, bool up)
{
	vpn_answer(m, 0, up);
}

/* As in an agent, a report comes when all that was decided before it has been carried out. */
static bool vpn_reports(struct moves *m)
{
	for (size_t i = 0; i < m->n_vpn; i++) {
		if (m->vpn[i].what == VPN_HANGS)
			continue;
		vpn_answer(m, i, m->vpn[i].what == VPN_COMES_UP);
		return true;
	}
	return false;
}

static void vpn_remove(struct moves *m, int fa, const struct action *a)
{
	ledger_vpn(&m->book, fa, a->session, false);
	for (size_t i = 0; i < m->n_vpn; i++) {
		if (hangs(m, i, fa, a->session)) {
			hang_end(m, i);
			break;
		}
	}
	word(m, fa,
	     strncmp(a->session, "handoff-in:", 11) == 0    ? "remove-in"
	     : strncmp(a->session, "handoff-out:", 12) == 0 ? "remove-out"
							    : "remove");
}

static void vpn_handoff(struct moves *m, int fa, const struct action *a)
{
	CU_ASSERT_EQUAL(a->local.s_addr, moves_coa(fa).s_addr);
	CU_ASSERT_TRUE(a->key.len == sizeof(handoff_key) &&
		       memcmp(a->key.data, handoff_key, a->key.len) == 0);
	CU_ASSERT_STRING_EQUAL(a->session, a->role_src ? "handoff-in:" MV_HOA : "handoff-out:" MV_HOA);
	word(m, fa, a->role_src ? "handoff-in" : "handoff-out");
	vpn_begin(m, fa, a, known(m, fa, a->from) ? m->handoff[fa] : VPN_FAILS);
}

/* --- carrying out --- */

static const char *plain_word(enum action_type t)
{
	switch (t) {
	case ACT_HOLD_ADD:
		return "hold+";
	case ACT_HOLD_DEL:
		return "hold-";
	case ACT_FORWARD_ADD:
		return "forward+";
	case ACT_FORWARD_DEL:
		return "forward-";
	case ACT_TUNNEL_ADD:
		return "tunnel+";
	case ACT_TUNNEL_DEL:
		return "tunnel-";
	case ACT_VISITOR_ADD:
		return "visitor+";
	case ACT_VISITOR_DEL:
		return "visitor-";
	case ACT_VPN_LEAVE:
		return "leave";
	default:
		return NULL;
	}
}

/* Of a move that comes to nothing: undo. */
static void termination(struct moves *m, int fa, const struct dm_end *e)
{
	word(m, fa, e->cause == DM_TERM_BAD_ANSWER ? "undo" : "str");
	m->strs[fa]++;
	m->str = *e;
}

static void carry(struct moves *m, int fa, const struct action *a)
{
	ledger_note(&m->book, fa, a);
	if (plain_word(a->type))
		word(m, fa, plain_word(a->type));
	if (a->type == ACT_STR)
		termination(m, fa, a->end);
	if (a->type == ACT_VPN_LEAVE)
		CU_ASSERT_TRUE(known(m, fa, a->session));
	if (a->type == ACT_AMR)
		amr(m, fa, a);
	if (a->type == ACT_UDP_SEND)
		udp(m, fa, a);
	if (a->type == ACT_LINK_SEND)
		link_send(m, fa, a);
	if (a->type == ACT_VPN_INSTALL) {
		word(m, fa, a->late_child ? "install-late" : "install");
		vpn_begin(m, fa, a, m->install[fa]);
	}
	if (a->type == ACT_VPN_HANDOFF)
		vpn_handoff(m, fa, a);
	if (a->type == ACT_VPN_REMOVE)
		vpn_remove(m, fa, a);
	if (a->type == ACT_EVENT && getenv("ROLES_VERBOSE"))
		fprintf(stderr, "\n    %8lu FA%d %s", (unsigned long)m->now, fa, a->text);
}

static void drain(struct moves *m)
{
	if (m->draining)
		return;
	m->draining = true;
	do {
		for (; m->head < m->tail; m->head++) {
			struct actions *as = &m->queue[m->head].as;

			for (size_t i = 0; i < as->n; i++)
				carry(m, m->queue[m->head].fa, &as->a[i]);
			actions_clear(as);
		}
	} while (vpn_reports(m));
	m->head = m->tail = 0;
	m->draining = false;
}

static void put(struct moves *m, int fa, struct actions *as)
{
	if (m->tail == sizeof(m->queue) / sizeof(m->queue[0]))
		abort(); /* they would go on for ever */
	m->queue[m->tail].fa = fa;
	m->queue[m->tail++].as = *as;
}

void moves_tell(struct moves *m, int fa, struct role_event *e)
{
	struct actions out = {0};

	e->wall_ms = m->wall;
	fa_event(m->fa[fa], e, m->now, &out);
	put(m, fa, &out);
	drain(m);
}

void moves_pass(struct moves *m, role_ms ms)
{
	role_ms end = m->now + ms;

	for (;;) {
		role_ms next = UINT64_MAX;

		for (int i = 0; i < FAS; i++)
			next = fa_next(m->fa[i]) < next ? fa_next(m->fa[i]) : next;
		if (next > end)
			break;
		m->wall += next > m->now ? next - m->now : 0;
		m->now = next > m->now ? next : m->now;
		for (int i = 0; i < FAS; i++) {
			struct role_event e = {.type = EV_TIMER};

			if (fa_next(m->fa[i]) <= m->now)
				moves_tell(m, i, &e);
		}
	}
	m->wall += end - m->now;
	m->now = end;
}

void moves_init(struct moves *m)
{
	memset(m, 0, sizeof(*m));
	m->now = 1000000;
	m->wall = 1700000000000u;
	m->n_profiles = 1;
	m->at = m->status = -1;
	for (int i = 0; i < FAS; i++)
		m->fc[i] = (struct fa_config){.coa = moves_coa(i),
					      .diameter_host = "fa.visited.test",
					      .diameter_realm = "visited.test",
					      .aaa = true,
					      .n_links = 1,
					      .lifetime_max = 600,
					      .links = {{.ifindex = LINK, .addr = addr(FA_LINK_ADDR)}},
					      .smooth_handoff = true,
					      .early_ike = true};
}

void moves_start(struct moves *m)
{
	for (int i = 0; i < FAS; i++)
		m->fa[i] = fa_new(&m->fc[i], m->now);
	moves_pass(m, 0);
}

void moves_end(struct moves *m)
{
	m->hold_ama = true;
	for (int i = 0; i < FAS; i++) {
		struct actions out = {0};

		fa_shutdown(m->fa[i], m->now, &out);
		put(m, i, &out);
		drain(m);
	}
	CU_ASSERT_TRUE(world_balanced(&m->book));
	for (int i = 0; i < FAS; i++)
		fa_free(m->fa[i]);
}

const char *moves_state(struct moves *m, int fa)
{
	static struct role_row row[16];

	return fa_rows(m->fa[fa], m->now, row, 16) ? row[0].state : "";
}

/* --- the mobile node --- */

static void put_request(struct moves *m, int fa, const struct move_ask *a, struct wbuf *w)
{
	uint16_t lifetime = a->lifetime == MV_DEREGISTER ? 0 : a->lifetime ? a->lifetime : 300;
	int from = a->previous ? a->previous - 1 : m->at;
	struct mip_pfan p = {.lifetime = a->pfan_lifetime == MV_DEREGISTER ? 0
					 : a->pfan_lifetime		   ? a->pfan_lifetime
									   : 10,
			     .coa = moves_coa(fa),
			     .spi = SESSION_SPI};

	m->ident = a->ident ? a->ident : mip_ident_from_unix_ms(m->wall, (uint32_t)m->replies);
	mip_rrq_put(w, a->soft ? MIP_S : 0, lifetime, addr(MV_HOA), addr(HA_ADDR), moves_coa(fa), m->ident);
	mip_ext_put_nai(w, MV_NAI);
	if (from >= 0 && from != fa && !a->no_pfan) {
		p.previous_fa = moves_coa(from);
		mip_ext_put_pfan(w, &p, CRYPTO_HMAC_SHA1, mn_fa_key, sizeof(mn_fa_key));
	}
	if (!a->renewal)
		mip_ext_put_keygen_req(w, MIP_EXT_MN_FA_KEYGEN_REQ, MN_SPI);
	mip_ext_put_auth(w, MIP_EXT_MN_HA, 0x2000, CRYPTO_HMAC_SHA1, mn_key, sizeof(mn_key));
	mip_ext_put_mn_aaa(w, 0x300, CRYPTO_HMAC_SHA1, mn_key, sizeof(mn_key), NULL, 0);
	if (a->renewal)
		mip_ext_put_auth(w, MIP_EXT_MN_FA, SESSION_SPI, CRYPTO_HMAC_SHA1, mn_fa_key,
				 sizeof(mn_fa_key));
}

int moves_ask(struct moves *m, int fa, const struct move_ask *a)
{
	uint8_t mem[1024];
	struct wbuf w;
	struct role_event e = {.type = EV_PACKET, .data = mem};
	unsigned before = m->replies;

	wbuf_init(&w, mem, sizeof(mem));
	put_request(m, fa, a, &w);
	CU_ASSERT_TRUE_FATAL(wbuf_ok(&w));
	e.len = w.len;
	e.path = (struct role_path){.ifindex = LINK,
				    .mac = {2, 0, 0, 0, 0, 1},
				    .src = addr(MV_HOA),
				    .dst = addr(FA_LINK_ADDR),
				    .sport = 4000,
				    .dport = MIP_PORT,
				    .ttl = 255};
	moves_tell(m, fa, &e);
	return m->replies == before ? -1 : m->code;
}
