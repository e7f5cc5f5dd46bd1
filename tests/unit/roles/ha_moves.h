/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The home agent and two PCNs with one mobile node that moves between foreign agents, the test being the
 * foreign
 * agents and the AAAH: what the tests of moves share.
 */
#ifndef MIPVPN_TESTS_ROLES_HA_MOVES_H
#define MIPVPN_TESTS_ROLES_HA_MOVES_H

#include "tests/unit/roles/world.h"

#define FA_B "198.51.100.12"
#define FA_C "198.51.100.13"
#define DYN 5u
#define LOCAL 7u
#define FA_SPI 0x700u

static struct world w;
static struct mn alice;
static struct vpn_profile vpn[3];
static struct mip_rrp rrp;
static struct role_row row;
static uint32_t ha_spi; /* under which the HA takes 34 */
static const uint8_t fa_ha_key[20] = "every fa and the ha";

/* local: one profile of the home agent; dynamic: so many at PCNs. */
static inline void begin(bool local, uint8_t dynamic)
{
	world_init(&w, true);
	vpn[0] = world_dynamic(&w, DYN, 0, "s-1");
	vpn[1] = world_dynamic(&w, DYN + 1, 1, "s-1");
	vpn[dynamic] = local ? (struct vpn_profile){.number = LOCAL,
						    .dst = {addr("10.9.0.0"), 24},
						    .dst_gw = addr(HA_ADDR),
						    .enc_key = {.len = 16},
						    .required = true}
			     : vpn[dynamic];
	w.n_profiles = (uint8_t)(local + dynamic);
	world_mn(&w, &alice, "alice@home.test", "10.1.0.10");
	alice.mn_ha = (struct assoc){true, 0x500, 0x2000, CRYPTO_HMAC_SHA1, "alice and her ha", 20};
	w.ha = ha_new(&w.hc, w.now);
	world_pcns(&w);
	world_pass(&w, 0);
}

static inline void learn_spi(void)
{
	if (w.haa.result == DM_SUCCESS && w.haa.fa_to_ha_spi)
		ha_spi = w.haa.fa_to_ha_spi;
}

static inline struct dm_msa msa_of(uint32_t spi, const void *key, uint8_t len)
{
	struct dm_msa m = {.present = true, .spi = spi, .algorithm = CRYPTO_HMAC_SHA1, .replay = 2};

	m.key.len = len;
	memcpy(m.key.data, key, len);
	return m;
}

static inline void fill_har(struct dm_har *h, const char *session, const char *fa, uint16_t lifetime)
{
	struct ask a = {.lifetime = lifetime, .coa = fa};

	h->rrq.len = (uint16_t)mn_build(&w, &alice, &a, h->rrq.data);
	snprintf(h->session, sizeof(h->session), "%s", session);
	snprintf(h->user, sizeof(h->user), "%s", alice.nai);
	strcpy(h->origin_host, "aaah.home.test");
	strcpy(h->origin_realm, "home.test");
	h->mn_to_ha = msa_of(0x500, "a nonce of 16 by", 16);
	h->ha_to_mn = msa_of(0x2000, alice.mn_ha.key, 20);
	h->ha_to_fa = msa_of(FA_SPI, fa_ha_key, 20);
	h->vpn.n = w.n_profiles;
	h->vpn.p = calloc(w.n_profiles + 1u, sizeof(*h->vpn.p));
	for (int i = 0; i < w.n_profiles; i++) {
		h->vpn.p[i] = vpn[i];
		h->vpn.p[i].src = (struct vpn_prefix){alice.hoa, 32};
		h->vpn.p[i].src_gw = addr(fa);
	}
}

static inline void by_har(const char *session, const char *fa, uint16_t lifetime)
{
	struct dm_har *h = calloc(1, sizeof(*h));
	struct role_event e = {.type = EV_HAR, .har = h, .token = ++w.sessions};

	world_pass(&w, 1);
	fill_har(h, session, fa, lifetime);
	w.hars++;
	ha_tell(&w, &e);
	learn_spi();
	dm_har_wipe(h);
	free(h);
}

struct from {
	const char *fa;
	uint16_t lifetime;
	enum { RIGHT, ABSENT, WRONG } auth;
	const char *coa, *src; /* NULL = fa */
	uint64_t ident;	       /* 0 = by the clock */
};

/* The code of the HA's last reply, -1 = none, or to another one; both of its authenticators have to be
 * right. */
static inline int last_reply(const char *fa)
{
	struct assoc f = {true, 0, FA_SPI, CRYPTO_HMAC_SHA1, {0}, 20};

	if (!w.ha_len || w.from_ha.path.dst.s_addr != addr(fa).s_addr)
		return -1;
	memcpy(f.key, fa_ha_key, 20);
	CU_ASSERT_EQUAL_FATAL(mip_rrp_decode(w.ha_bytes, w.ha_len, &rrp), MIP_REJ_OK);
	CU_ASSERT_TRUE(rrp.mn_ha.present &&
		       mip_auth_check(&rrp.mn_ha, w.ha_bytes, alice.mn_ha.alg, alice.mn_ha.key, 20));
	if (rrp.fa_ha.present)
		CU_ASSERT_TRUE(rrp.fa_ha.spi == FA_SPI &&
			       mip_auth_check(&rrp.fa_ha, w.ha_bytes, f.alg, f.key, 20));
	return rrp.code;
}

static inline int by_udp(const struct from *f)
{
	uint8_t buf[MIP_MSG_MAX];
	struct ask a = {.lifetime = f->lifetime,
			.with_mn_ha = true,
			.coa = f->coa ? f->coa : f->fa,
			.ident = f->ident};
	struct wbuf b = {.base = buf, .cap = sizeof(buf)};
	struct role_event e = {.type = EV_PACKET, .data = buf};

	world_pass(&w, 1);
	learn_spi();
	b.len = mn_build(&w, &alice, &a, buf);
	if (f->auth != ABSENT)
		mip_ext_put_auth(&b, MIP_EXT_FA_HA, ha_spi, CRYPTO_HMAC_SHA1, fa_ha_key, 20);
	buf[b.len - 1] ^= f->auth == WRONG;
	e.len = b.len;
	e.path = (struct role_path){.src = addr(f->src ? f->src : f->fa),
				    .dst = addr(HA_ADDR),
				    .sport = 5000,
				    .dport = MIP_PORT,
				    .ttl = 64};
	w.ha_len = 0;
	ha_tell(&w, &e);
	return last_reply(f->src ? f->src : f->fa);
}

static inline int move_to(const char *fa)
{
	return by_udp(&(struct from){.fa = fa, .lifetime = 300});
}

/* The care-of address that the binding has; the one that its packets go to. */
static inline const char *bound(void)
{
	static char text[INET_ADDRSTRLEN];

	if (!ha_rows(w.ha, w.now, &row, 1))
		return "none";
	return inet_ntop(AF_INET, &row.coa, text, sizeof(text));
}

static inline bool packets_go_to(const char *fa)
{
	char what[160];

	snprintf(what, sizeof(what), "%d binding 10.1.0.10 %s %s %u", AT_HA, HA_ADDR, fa, HOME);
	for (size_t i = 0; i < w.n_ledger; i++) {
		if (strcmp(w.ledger[i].what, what) == 0)
			return true;
	}
	return false;
}

static inline int tunnels(void)
{
	int n = 0;

	for (size_t i = 0; i < w.n_ledger; i++)
		n += strncmp(w.ledger[i].what, "1 tunnel", 8) == 0 ? w.ledger[i].n : 0;
	return n;
}

static inline void carries(const char *session)
{
	ha_tell(&w, &(struct role_event){.type = EV_VPN_CARRIES, .session = session});
}

/* What the PCN has: its care-of address in text, "none". */
static inline const char *at_pcn(int i)
{
	static char text[INET_ADDRSTRLEN];

	if (!pcn_rows(w.pcn[i], w.now, &row, 1))
		return "none";
	return inet_ntop(AF_INET, &row.coa, text, sizeof(text));
}

static inline void finish(void)
{
	ha_tell(&w, &(struct role_event){.type = EV_DROP, .text = "10.1.0.10"});
	world_pass(&w, 30000);
	CU_ASSERT_EQUAL(ha_count(&w), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	CU_ASSERT_EQUAL(w.hars, w.haas);
	world_end(&w);
}

#endif
