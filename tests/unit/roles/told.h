/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The home agent with one mobile node, told of dynamic profiles by the AAAH, the PCNs being the test:
 * what the tests of ha_bu*.c share.
 */
#ifndef MIPVPN_TESTS_ROLES_TOLD_H
#define MIPVPN_TESTS_ROLES_TOLD_H

#include "tests/unit/roles/world.h"

static struct world w;
static struct mn alice;
static struct vpn_profile vpn[4];

#define DYN 5u	 /* at the first PCN */
#define DYN2 6u	 /* at the second */
#define LOCAL 7u /* its gateway is the home agent */

static inline struct vpn_profile local_profile(void)
{
	return (struct vpn_profile){.number = LOCAL,
				    .dst = {addr("10.9.0.0"), 24},
				    .src_gw = addr(FA_ADDR),
				    .dst_gw = addr(HA_ADDR),
				    .enc_key = {.len = 16},
				    .required = true};
}

static inline void begin(uint8_t n)
{
	world_init(&w, true);
	vpn[0] = world_dynamic(&w, DYN, 0, "s-1");
	vpn[1] = world_dynamic(&w, DYN2, 1, "s-1");
	vpn[2] = local_profile();
	w.profiles = vpn;
	w.n_profiles = n;
	w.same_session = true;
	world_mn(&w, &alice, "alice@home.test", "10.1.0.10");
	world_start(&w);
}

static const struct ask join_ask = {.lifetime = 300, .keys = true, .with_aaa = true, .with_challenge = true};

static inline int join(void)
{
	mn_hear(&w, &alice);
	return mn_send(&w, &alice, &join_ask);
}

static inline unsigned told(uint32_t number)
{
	return w.told[number % 16].n;
}

static inline struct bind_msg last_update(uint32_t number)
{
	struct bind_msg m = {0};

	CU_ASSERT_EQUAL_FATAL(bind_decode(w.told[number % 16].bytes, w.told[number % 16].len, &m),
			      MIP_REJ_OK);
	return m;
}

static inline uint16_t last_lifetime(uint32_t number)
{
	return last_update(number).lifetime;
}

struct answer {
	uint8_t status;
	int64_t ident_off;
	bool other_key, other_context, other_number, spoil;
};

static inline void send_bind(struct bind_msg *m, const struct answer *a, struct in_addr src)
{
	struct role_event e = {.type = EV_PACKET};
	struct vpn_profile p = world_dynamic(&w, m->profile, m->profile == DYN2, m->key_context);
	uint8_t mem[MIP_MSG_MAX], auth[32];
	struct wbuf b;

	p.bu_key.data[0] ^= a->other_key;
	vpn_bu_auth_key(p.bu_key.data, auth);
	if (a->other_context)
		m->key_context[0] = 'x';
	m->profile += a->other_number;
	wbuf_init(&b, mem, sizeof(mem));
	bind_put(&b, m);
	if (m->type != BIND_WARNING) {
		bind_put_number(&b, m);
		bind_put_auth(&b, BIND_SUBTYPE_ROUTE, MIP_SPI_MIN, auth);
		mem[b.len - 1] ^= a->spoil;
	}
	e.data = mem;
	e.len = b.len;
	e.path = (struct role_path){.src = src, .dst = addr(HA_ADDR), .sport = MIP_PORT, .dport = MIP_PORT};
	ha_tell(&w, &e);
}

static inline void answer(uint32_t number, struct answer a)
{
	struct bind_msg u = last_update(number), m = {.type = BIND_ACK,
						      .status = a.status,
						      .hoa = u.hoa,
						      .has_ident = true,
						      .key_ha = u.key_ha,
						      .profile = number};

	m.ident = u.ident + (uint64_t)a.ident_off;
	strcpy(m.key_context, u.key_context);
	send_bind(&m, &a, w.told[number % 16].path.dst);
}

static inline void request(uint32_t number, const char *src, const char *hoa)
{
	struct bind_msg m = {.type = BIND_REQUEST,
			     .hoa = addr(hoa),
			     .has_ident = true,
			     .key_ha = addr(HA_ADDR),
			     .profile = number,
			     .key_context = "s-1"};

	send_bind(&m, &(struct answer){.spoil = true}, addr(src)); /* proves nothing, and need not */
}

static inline void first_packet(const char *cn, const char *hoa)
{
	ha_tell(&w,
		&(struct role_event){.type = EV_FIRST_PACKET, .path = {.src = addr(cn), .dst = addr(hoa)}});
}

/* Everything is taken back in the end, whatever was before. */
static inline void finish(void)
{
	static const struct role_event drop = {.type = EV_DROP, .text = "10.1.0.10"};

	ha_tell(&w, &drop);
	fa_tell(&w, &drop);
	world_pass(&w, 20000);
	CU_ASSERT_EQUAL(ha_count(&w), 0);
	CU_ASSERT_TRUE(world_balanced(&w));
	CU_ASSERT_EQUAL(w.hars, w.haas);
	world_end(&w);
}

static inline void joined(uint8_t n)
{
	begin(n);
	CU_ASSERT_EQUAL(join(), -1);
	answer(DYN, (struct answer){0});
	if (n > 1)
		answer(DYN2, (struct answer){0});
	CU_ASSERT_EQUAL(alice.replies, 1);
	CU_ASSERT_EQUAL(alice.rrp.code, 0);
	world_pass(&w, 1000);
}

static inline int renew(uint16_t lifetime)
{
	struct ask a = {.lifetime = lifetime, .with_mn_ha = true, .with_mn_fa = true, .with_challenge = true};

	return mn_send(&w, &alice, &a);
}

enum end { BY_DEREGISTRATION, BY_EXPIRY, BY_ASR, BY_DROP, ENDS };

static inline void end_it(enum end how)
{
	struct role_event asr = {.type = EV_ASR, .session = w.har_session, .token = 9};

	if (how == BY_DEREGISTRATION)
		CU_ASSERT_EQUAL(renew(0), 0);
	if (how == BY_EXPIRY)
		world_pass(&w, 299000);
	if (how == BY_ASR)
		ha_tell(&w, &asr);
	if (how == BY_DROP)
		ha_tell(&w, &(struct role_event){.type = EV_DROP, .text = "alice@home.test"});
}

#endif
