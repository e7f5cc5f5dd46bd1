/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/roles/update.h"

struct world w;
uint8_t bu[MIP_MSG_MAX];
size_t bu_len;
struct role_path bu_path;
uint64_t last_ident;

static struct in_addr or_addr(const char *text, const char *otherwise)
{
	return addr(text ? text : otherwise);
}

void update_keys(const struct update *u, const char *context, uint8_t auth[32], uint8_t seal[32])
{
	struct vpn_key master = w.pc[0].master;
	uint8_t key[32];

	master.data[0] ^= u->other_master;
	CU_ASSERT_EQUAL_FATAL(vpn_bu_key(&master, or_addr(u->key_ha, HA_ADDR), context, key), 0);
	vpn_bu_auth_key(key, auth);
	vpn_bu_seal_key(key, seal);
	seal[0] ^= u->other_seal;
}

static struct vpn_profile profile_of(const struct update *u, const char *context)
{
	struct vpn_profile p = world_dynamic(&w, u->number ? u->number : 5, 0, context[0] ? context : "s-1");

	p.src.addr = u->profile_hoa ? addr(u->profile_hoa) : or_addr(u->hoa, HOA);
	p.src_gw = u->profile_coa ? addr(u->profile_coa) : or_addr(u->coa, FA_ADDR);
	p.dst_gw = or_addr(u->profile_gw, PCN_ADDR);
	if (u->profile_dst)
		CU_ASSERT_TRUE_FATAL(vpn_prefix_parse(u->profile_dst, &p.dst));
	if (u->profile_number)
		p.number = u->profile_number;
	if (u->gw_type)
		p.dst_gw_type = u->gw_type;
	if (p.dst_gw_type == VPN_GW_STATIC) {
		strcpy(p.sla, "acme");
		p.bu_key.len = 0;
		p.bu_context[0] = 0;
	}
	return p;
}

static struct bind_msg head_of(const struct update *u, const char *context)
{
	struct bind_msg m = {.type = u->is_request ? BIND_REQUEST : BIND_UPDATE, .flags = BIND_A,
			     .lifetime = u->lifetime, .hoa = or_addr(u->hoa, HOA),
			     .coa = or_addr(u->coa, FA_ADDR), .has_ident = !u->no_ident,
			     .key_ha = or_addr(u->key_ha, HA_ADDR), .profile = u->number ? u->number : 5};

	last_ident = u->ident ? u->ident
			      : mip_ident_from_unix_ms((uint64_t)((int64_t)w.wall + u->off_ms), ++w.actions);
	m.ident = last_ident;
	snprintf(m.key_context, sizeof(m.key_context), "%s", context);
	return m;
}

void update_build(const struct update *u)
{
	const char *context = u->context ? u->context : "s-1";
	struct bind_msg m = head_of(u, context);
	struct vpn_profile p = profile_of(u, context);
	uint8_t auth[32], seal[32];
	struct wbuf b;

	update_keys(u, context[0] ? context : "s-1", auth, seal);
	wbuf_init(&b, bu, sizeof(bu));
	bind_put(&b, &m);
	if (context[0] && u->lifetime && !u->no_profile)
		bind_put_profile(&b, &m, &p, seal);
	else if (context[0])
		bind_put_number(&b, &m);
	if (u->cvse)
		wbuf_bytes(&b, "\x26\x00\x00\x06\x00\x00\x00\x09\x00\x01", 10);
	if (u->subtype >= 0)
		bind_put_auth(&b, (uint8_t)(u->subtype ? u->subtype : BIND_SUBTYPE_ROUTE),
			      u->spi ? u->spi : MIP_SPI_MIN, auth);
	CU_ASSERT_TRUE_FATAL(wbuf_ok(&b));
	bu_len = b.len;
	bu[bu_len - 1] ^= u->spoil;
	bu_path = (struct role_path){.src = or_addr(u->src, HA_ADDR), .dst = or_addr(u->dst, CN),
				     .sport = MIP_PORT, .dport = MIP_PORT, .ttl = 60};
}
