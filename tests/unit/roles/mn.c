/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The mobile nodes of the world: building requests, right or wrong in one chosen respect.
 */
#include "tests/unit/roles/world.h"

void mn_hear(struct world *w, struct mn *m)
{
	m->challenge_len = w->adv.challenge_len;
	memcpy(m->challenge, w->adv.challenge, m->challenge_len);
}

static void put_auth(struct wbuf *b, uint8_t type, const struct assoc *s, bool spoil)
{
	mip_ext_put_auth(b, type, s->spi_out, s->alg, s->key, s->len);
	if (spoil && b->len)
		b->base[b->len - 1] ^= 1;
}

static void put_head(struct world *w, struct mn *m, const struct ask *a, struct wbuf *b)
{
	struct in_addr hoa = a->hoa ? addr(a->hoa) : m->hoa, ha = addr(a->ha ? a->ha : HA_ADDR);

	m->ident = a->ident ? a->ident
			    : mip_ident_from_unix_ms((uint64_t)((int64_t)w->wall + a->clock_off_ms),
						     (uint32_t)w->actions);
	m->sent[m->n_sent++ % 8] = m->ident;
	mip_rrq_put(b, a->flags, a->lifetime, hoa, ha, addr(a->coa ? a->coa : FA_ADDR), m->ident);
	if (m->nai[0])
		mip_ext_put_nai(b, m->nai);
	if (a->duplicate_nai)
		mip_ext_put_nai(b, m->nai);
	if (a->cvse)
		wbuf_bytes(b, "\x26\x00\x00\x06\x00\x00\x00\x09\x00\x01", 10);
	if (a->pad_unknown)
		wbuf_bytes(b, "\x7e\x00", 2);
}

size_t mn_build(struct world *w, struct mn *m, const struct ask *a, uint8_t buf[MIP_MSG_MAX])
{
	struct wbuf b;
	const uint8_t *c = a->challenge ? a->challenge : m->challenge;
	uint8_t c_len = a->challenge ? a->challenge_len : m->challenge_len;

	wbuf_init(&b, buf, MIP_MSG_MAX);
	put_head(w, m, a, &b);
	if (a->keys) {
		mip_ext_put_keygen_req(&b, MIP_EXT_MN_FA_KEYGEN_REQ, 0x1000);
		mip_ext_put_keygen_req(&b, MIP_EXT_MN_HA_KEYGEN_REQ, 0x2000);
	}
	if (a->with_mn_ha)
		put_auth(&b, MIP_EXT_MN_HA, &m->mn_ha, a->spoil_mn_ha);
	if (a->with_challenge)
		mip_ext_put_challenge(&b, c, c_len);
	if (a->with_aaa) {
		mip_ext_put_mn_aaa(&b, m->aaa.spi_out, m->aaa.alg, m->aaa.key, m->aaa.len, c, c_len);
		if (a->spoil_aaa)
			b.base[b.len - 1] ^= 1;
	}
	if (a->style)
		mip_ext_put_encap_style(&b);
	if (a->with_mn_fa)
		put_auth(&b, MIP_EXT_MN_FA, &m->mn_fa, a->spoil_mn_fa);
	CU_ASSERT_TRUE_FATAL(wbuf_ok(&b));
	return b.len;
}

static struct role_event event_of(const struct mn *m, const struct ask *a, unsigned ifindex, const char *dst,
				  const uint8_t *buf, size_t len)
{
	struct role_event e = {.type = EV_PACKET, .data = buf, .len = len};

	e.path = (struct role_path){.ifindex = a->ifindex ? a->ifindex : ifindex,
				    .sport = 4000,
				    .dport = MIP_PORT,
				    .src = a->src ? addr(a->src) : m->hoa,
				    .dst = addr(a->dst ? a->dst : dst),
				    .ttl = a->ttl ? a->ttl : 255};
	memcpy(e.path.mac, m->mac, 6);
	return e;
}

int mn_send_bytes(struct world *w, struct mn *m, const struct ask *a, const uint8_t *buf, size_t len)
{
	struct role_event e = event_of(m, a, LINK, FA_LINK_ADDR, buf, len);
	unsigned before = m->replies;

	fa_tell(w, &e);
	return m->replies == before ? -1 : m->rrp.code;
}

int mn_send(struct world *w, struct mn *m, const struct ask *a)
{
	uint8_t buf[MIP_MSG_MAX];

	return mn_send_bytes(w, m, a, buf, mn_build(w, m, a, buf));
}

int mn_send_home(struct world *w, struct mn *m, const struct ask *a)
{
	uint8_t buf[MIP_MSG_MAX];
	size_t len = mn_build(w, m, a, buf);
	struct role_event e = event_of(m, a, HOME, "10.1.0.1", buf, len);
	unsigned before = m->replies;

	ha_tell(w, &e);
	return m->replies == before ? -1 : m->rrp.code;
}

void mn_join(struct world *w, struct mn *m, uint16_t lifetime)
{
	struct ask a = {.lifetime = lifetime, .keys = true, .with_aaa = true, .with_challenge = true};

	mn_hear(w, m);
	CU_ASSERT_EQUAL(mn_send(w, m, &a), 0);
	CU_ASSERT_TRUE(m->right32);
	CU_ASSERT_TRUE(m->right33);
}
