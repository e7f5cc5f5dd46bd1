/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/diameter/wire.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void be_silent(int level, const char *format, va_list args)
{
}

void wire_start(void)
{
	static bool started;
	char err[256] = "libfdcore does not start";

	if (started)
		return;
	started = true;
	fd_log_handler_register(be_silent);
	if (fd_core_initialize() || dict_mipvpn_load(err, sizeof(err)) || dm_dict_resolve(err, sizeof(err))) {
		fprintf(stderr, "%s\n", err);
		exit(EXIT_FAILURE);
	}
	fd_g_config->cnf_diamid = strdup("node.example.net");
	fd_g_config->cnf_diamid_len = strlen(fd_g_config->cnf_diamid);
	fd_g_config->cnf_diamrlm = strdup("example.net");
	fd_g_config->cnf_diamrlm_len = strlen(fd_g_config->cnf_diamrlm);
}

struct msg *wire_message(const uint8_t *bytes, size_t len)
{
	struct msg *m = NULL;
	/* libfdproto keeps a struct of its own behind the bytes that a peer's connection gives it */
	uint8_t *copy = calloc(1, len + 256);

	memcpy(copy, bytes, len);
	if (fd_msg_parse_buffer(&copy, len, &m))
		free(copy);
	return m;
}

struct msg *wire_through(struct msg *m)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	struct msg *out = NULL;

	if (!fd_msg_bufferize(m, &bytes, &len))
		out = wire_message(bytes, len);
	free(bytes);
	fd_msg_free(m);
	return out;
}

struct msg *wire_request(uint32_t code)
{
	struct dm_amr a;
	struct dm_har h;
	struct msg *m = NULL;

	wire_amr(&a);
	wire_har(&h);
	if (code == DM_CC_AMR)
		dm_amr_build(&a, &m);
	else
		dm_har_build(&h, &m);
	dm_har_wipe(&h);
	m = wire_through(m);
	if (m)
		fd_msg_parse_dict(m, fd_g_config->cnf_dict, NULL);
	return m;
}

#define TEXT(member, text) snprintf(member, sizeof(member), "%s", text)

static struct in_addr inet(const char *text)
{
	struct in_addr a = { 0 };

	inet_pton(AF_INET, text, &a);
	return a;
}

static void key(uint8_t *len, uint8_t *data, uint8_t n, uint8_t seed)
{
	*len = n;
	for (unsigned i = 0; i < n; i++)
		data[i] = (uint8_t)(seed + 7 * i);
}

static void msa(struct dm_msa *m, uint32_t spi, uint32_t replay, uint8_t seed)
{
	*m = (struct dm_msa){ .present = true, .spi = spi, .algorithm = 2, .replay = replay };
	key(&m->key.len, m->key.data, 20, seed);
}

static void bytes(struct dm_bytes *b, uint8_t type, uint16_t len)
{
	b->len = len;
	for (unsigned i = 0; i < len; i++)
		b->data[i] = (uint8_t)i;
	b->data[0] = type;
}

static void profile(struct vpn_profile *p, uint32_t number, bool is_static)
{
	p->number = number;
	vpn_prefix_parse("10.1.0.10", &p->src);
	vpn_prefix_parse("10.9.0.0/24", &p->dst);
	p->tos_up = 0xb8;
	p->tos_down = 0x88;
	p->security = VPN_SEC_ESP;
	p->src_gw = inet(is_static ? "198.51.100.21" : "198.51.100.11");
	p->dst_gw = inet(is_static ? "198.51.100.31" : "198.51.100.21");
	p->dst_gw_type = is_static ? VPN_GW_STATIC : VPN_GW_AGENT;
	p->spi_up = is_static ? VPN_SPI_DEFAULT : 4096;
	p->spi_down = is_static ? VPN_SPI_DEFAULT : 4097;
	p->required = true;
	TEXT(p->esp_proposal, "aes256gcm16-x25519");
	if (!is_static) {
		key(&p->enc_key.len, p->enc_key.data, 32, 1);
		key(&p->auth_key.len, p->auth_key.data, 32, 2);
		return;
	}
	TEXT(p->sla, "acme");
	vpn_prefix_parse("10.1.0.0/24", &p->sla_src);
	vpn_prefix_parse("10.9.0.0/24", &p->sla_dst);
	TEXT(p->ike_local, "ha.home.test");
	TEXT(p->ike_remote, "gw.acme.test");
	TEXT(p->ike_proposal, "aes256-sha256-x25519");
	key(&p->psk.len, p->psk.data, 32, 3);
}

static void dynamic(struct vpn_profile *p, uint32_t number)
{
	profile(p, number, false);
	vpn_prefix_parse("203.0.113.0/24", &p->dst);
	p->dst_gw = inet("198.51.100.32");
	p->dst_gw_type = VPN_GW_DYNAMIC;
	p->required = false;
	key(&p->bu_key.len, p->bu_key.data, 32, 7);
	TEXT(p->bu_context, "0123456789abcdef");
}

static void refused(uint8_t *n, struct dm_refused *r)
{
	*n = 2;
	r[0].number = 7;
	TEXT(r[0].text, "PCN 198.51.100.32 did not answer");
	r[1].number = 8;	/* without words */
}

static void vpn(struct dm_vpn *v)
{
	v->cached = true;
	v->n = 3;
	v->p = calloc(v->n, sizeof(*v->p));
	profile(&v->p[0], 1, false);
	profile(&v->p[1], 1, true);
	dynamic(&v->p[2], 5);
	key(&v->handoff.len, v->handoff.data, 32, 9);
}

void wire_amr(struct dm_amr *a)
{
	memset(a, 0, sizeof(*a));
	TEXT(a->session, "fa.visited.test;1;2;abc");
	TEXT(a->dest_realm, "home.test");
	TEXT(a->dest_host, "aaah.home.test");
	TEXT(a->user, "alice@home.test");
	bytes(&a->rrq, 1, 100);
	a->auth_input_len = 80;
	a->auth_offset = 84;
	a->auth_len = 16;
	a->aaa_spi = 1000;
	key(&a->challenge.len, a->challenge.data, 16, 5);
	a->has_hoa = a->has_ha = a->has_previous_fa = a->service_update = true;
	a->hoa = inet("10.1.0.10");
	a->ha = inet("198.51.100.21");
	a->previous_fa = inet("198.51.100.12");
	a->features = DM_F_MN_HA_KEY | DM_F_MN_FA_KEY | DM_F_FA_HA_KEY;
	a->ha_to_fa_spi = 300;
	a->auth_lifetime = 600;
	TEXT(a->originating_host, "aaaf.visited.test");
	TEXT(a->originating_realm, "visited.test");
	TEXT(a->ha_host, "ha.home.test");
	TEXT(a->ha_realm, "home.test");
	TEXT(a->ha_candidate, "ha.visited.test");
}

void wire_har(struct dm_har *h)
{
	memset(h, 0, sizeof(*h));
	TEXT(h->session, "aaah.home.test;1;2;def");
	TEXT(h->dest_realm, "home.test");
	TEXT(h->dest_host, "ha.home.test");
	TEXT(h->user, "alice@home.test");
	bytes(&h->rrq, 1, 120);
	h->auth_lifetime = 600;
	h->msa_lifetime = 1200;
	h->features = DM_F_MN_HA_KEY;
	h->has_hoa = h->has_ha = true;
	h->hoa = inet("10.1.0.10");
	h->ha = inet("198.51.100.21");
	msa(&h->mn_to_ha, 500, 2, 11);
	msa(&h->mn_to_fa, 501, 0, 12);
	msa(&h->ha_to_mn, 502, 2, 13);
	msa(&h->ha_to_fa, 503, 0, 14);
	TEXT(h->originating_host, "aaaf.visited.test");
	TEXT(h->originating_realm, "visited.test");
	vpn(&h->vpn);
}

void wire_ama(struct dm_ama *a)
{
	memset(a, 0, sizeof(*a));
	refused(&a->n_refused, a->refused);
	a->result = DM_SUCCESS;
	TEXT(a->session, "fa.visited.test;1;2;abc");
	TEXT(a->user, "alice@home.test");
	TEXT(a->error, "no error at all");
	TEXT(a->multi_session, "ha.home.test;9;9");
	a->auth_lifetime = 600;
	a->msa_lifetime = 1200;
	bytes(&a->rrp, 3, 60);
	a->has_hoa = a->has_ha = a->has_previous_fa = true;
	a->hoa = inet("10.1.0.10");
	a->ha = inet("198.51.100.21");
	a->previous_fa = inet("198.51.100.12");
	msa(&a->fa_to_mn, 600, 0, 21);
	msa(&a->fa_to_ha, 601, 0, 22);
	a->features = DM_F_MN_HA_KEY;
	vpn(&a->vpn);
}

void wire_haa(struct dm_haa *h)
{
	memset(h, 0, sizeof(*h));
	refused(&h->n_refused, h->refused);
	h->result = DM_SUCCESS;
	TEXT(h->session, "aaah.home.test;1;2;def");
	TEXT(h->user, "alice@home.test");
	TEXT(h->error, "no error at all");
	TEXT(h->multi_session, "ha.home.test;9;9");
	bytes(&h->rrp, 3, 60);
	h->has_hoa = h->has_ha = h->has_previous_fa = h->vpn_cached = true;
	h->hoa = inet("10.1.0.10");
	h->ha = inet("198.51.100.21");
	h->previous_fa = inet("198.51.100.12");
	h->fa_to_ha_spi = 601;
	h->fa_to_mn_spi = 600;
}

void wire_end(struct dm_end *e)
{
	memset(e, 0, sizeof(*e));
	TEXT(e->session, "fa.visited.test;1;2;abc");
	TEXT(e->dest_realm, "home.test");
	TEXT(e->dest_host, "aaah.home.test");
	TEXT(e->user, "alice@home.test");
	e->cause = DM_TERM_ADMINISTRATIVE;
}
