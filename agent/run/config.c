/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Loading mipvpn-agentd.conf: the tables do the keys, this file does what lies between them.  See config.h.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/config.h"
#include "lib/crypto.h"

static const enum crypto_mac algorithms[] = {CRYPTO_HMAC_MD5, CRYPTO_HMAC_SHA1, CRYPTO_HMAC_SHA256,
					     CRYPTO_KEYED_MD5};

static void key_read(const char *name, const char *what, const char *path, struct vpn_key *key,
		     struct conf_errors *errs)
{
	char why[512];

	if (crypto_keyfile_read(path, key->data, why, sizeof(why)))
		conf_errors_add(errs, "%s: %s: key-file: %s", name, what, why);
	else
		key->len = 32;
}

static void take_spis(const char *name, struct config *c, struct conf_errors *errs)
{
	c->spis = calloc(c->default_spi.n + 1, sizeof(*c->spis));
	for (size_t i = 0; c->spis && i < c->default_spi.n; i++) {
		const struct config_spi *s = &c->default_spi.v[i];
		char what[48];

		snprintf(what, sizeof(what), "default-spi \"%s\"", s->peer);
		if (inet_pton(AF_INET, s->peer, &c->spis[i].peer) != 1)
			conf_errors_add(errs, "%s: %s: the title must be an IPv4 address", name, what);
		c->spis[i].spi = s->spi;
		key_read(name, what, s->key_file, &c->spis[i].key, errs);
	}
}

static void take_sas(const char *name, struct config *c, struct conf_errors *errs)
{
	c->sas = calloc(c->sa.n + 1, sizeof(*c->sas));
	for (size_t i = 0; c->sas && i < c->sa.n; i++) {
		const struct config_sa *s = &c->sa.v[i];
		struct role_sa *sa = &c->sas[i];
		char what[48];

		snprintf(what, sizeof(what), "sa \"%s\"", s->name);
		if (!s->nai[0] == !s->peer.s_addr)
			conf_errors_add(errs, "%s: %s: needs nai or peer, and not both", name, what);
		sa->peer = s->peer;
		memcpy(sa->nai, s->nai, sizeof(sa->nai));
		sa->spi = s->spi;
		sa->alg = algorithms[s->algorithm];
		key_read(name, what, s->key_file, &sa->key, errs);
	}
}

static void check_fa(const char *name, const struct config *c, struct conf_errors *errs)
{
	struct config_fa *fa = c->fa.v;

	if (!c->fa.n)
		return;
	if (fa->links.n > FA_LINKS_MAX)
		conf_errors_add(errs, "%s: fa: links: at most %d", name, FA_LINKS_MAX);
	if (fa->role.reverse_tunnel_required && !fa->role.reverse_tunnel)
		conf_errors_add(errs, "%s: fa: reverse-tunnel-required: needs reverse-tunnel = true", name);
	if (fa->role.adv_lifetime && fa->role.adv_lifetime * 1000u < fa->role.adv_interval_ms)
		conf_errors_add(errs, "%s: fa: advertisement-lifetime: shorter than advertisement-interval",
				name);
	if (!fa->role.adv_lifetime)
		fa->role.adv_lifetime = (uint16_t)((3 * fa->role.adv_interval_ms + 999) / 1000);
	fa->role.sas = c->sas;
	fa->role.n_sas = c->sa.n;
}

static void check_ha(const char *name, const struct config *c, struct conf_errors *errs)
{
	struct ha_config *ha;

	if (!c->ha.n)
		return;
	ha = &c->ha.v->role;
	if (strlen(ha->home_ifname) > 15)
		conf_errors_add(errs, "%s: ha: home-link: an interface name has at most 15 letters", name);
	if (ha->pool.len &&
	    (ha->pool.len < ha->home_prefix.len || !vpn_prefix_has(&ha->home_prefix, ha->pool.addr)))
		conf_errors_add(errs, "%s: ha: pool: must lie in home-prefix", name);
	if (ha->reverse_tunnel_required && !ha->reverse_tunnel)
		conf_errors_add(errs, "%s: ha: reverse-tunnel-required: needs reverse-tunnel = true", name);
	ha->sas = c->sas;
	ha->n_sas = c->sa.n;
}

static void check_pcn(const char *name, const struct config *c, struct conf_errors *errs)
{
	struct config_pcn *pcn = c->pcn.v;

	if (!c->pcn.n)
		return;
	key_read(name, "pcn", pcn->key_file, &pcn->role.master, errs);
	if (pcn->prefixes.n > PCN_PREFIXES_MAX)
		conf_errors_add(errs, "%s: pcn: prefixes: at most %d", name, PCN_PREFIXES_MAX);
	for (size_t i = 0; i < pcn->prefixes.n && i < PCN_PREFIXES_MAX; i++) {
		if (!pcn->prefixes.v[i].len)
			conf_errors_add(errs, "%s: pcn: prefixes: not everybody can be behind this gateway",
					name);
		pcn->role.prefixes[pcn->role.n_prefixes++] = pcn->prefixes.v[i];
	}
	if (pcn->role.addr.s_addr != c->vpn_room.self.s_addr)
		conf_errors_add(errs, "%s: pcn: address: must be that of the other role, or of vpn", name);
}

/* The vpn section may be missing: its defaults hold all the same. */
static void take_vpn(struct config *c, struct conf_errors *errs)
{
	static const struct conf_key none = {0};
	const struct conf_section *s = config_schema.sections;
	struct config defaults;

	if (c->vpn.n) {
		c->vpn_room = c->vpn.v->room;
	} else {
		while (strcmp(s->name, "vpn") != 0)
			s++;
		struct conf_schema only_vpn = {sizeof(defaults), &none, s};

		if (conf_parse(&only_vpn, "vpn", "vpn { }\n", &defaults, errs))
			return;
		c->vpn_room = defaults.vpn.v->room;
		conf_free(&only_vpn, &defaults);
	}
	c->vpn_room.take_early = c->vpn_room.take_early && (c->ha.n || c->pcn.n);
	if (!c->vpn_room.self.s_addr)
		c->vpn_room.self = c->fa.n    ? c->fa.v->role.coa
				   : c->ha.n  ? c->ha.v->role.addr
				   : c->pcn.n ? c->pcn.v->role.addr
					      : c->vpn_room.self;
}

static int finish(const char *name, int rc, struct config *c, struct config **out, struct conf_errors *errs)
{
	if (!rc) {
		take_vpn(c, errs);
		take_spis(name, c, errs);
		take_sas(name, c, errs);
		check_fa(name, c, errs);
		check_ha(name, c, errs);
		check_pcn(name, c, errs);
		if (!c->spis || !c->sas)
			conf_errors_add(errs, "%s: out of memory", name);
		if (!c->fa.n && !c->ha.n && !c->pcn.n)
			conf_errors_add(errs, "%s: no role: needs a section fa, ha or pcn (or more of them)",
					name);
		if (!c->freediameter_conf[0] && (c->ha.n || (c->fa.n && c->fa.v->role.aaa)))
			conf_errors_add(errs,
					"%s: freediameter-conf: required, unless there is only a role pcn, "
					"or fa with aaa = false",
					name);
	}
	if (!errs->n) {
		*out = c;
		return 0;
	}
	config_free(c);
	return -1;
}

int config_load(const char *path, struct config **out, struct conf_errors *errs)
{
	struct config *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return -1;
	return finish(path, conf_load(&config_schema, path, c, errs), c, out, errs);
}

int config_parse(const char *name, const char *text, struct config **out, struct conf_errors *errs)
{
	struct config *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (!c)
		return -1;
	return finish(name, conf_parse(&config_schema, name, text, c, errs), c, out, errs);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	if (c->sas)
		crypto_wipe(c->sas, c->sa.n * sizeof(*c->sas));
	if (c->spis)
		crypto_wipe(c->spis, c->default_spi.n * sizeof(*c->spis));
	if (c->pcn.n)
		crypto_wipe(&c->pcn.v->role.master, sizeof(c->pcn.v->role.master));
	free(c->sas);
	free(c->spis);
	conf_free(&config_schema, c);
	free(c);
}

static bool links_equal(const struct config *a, const struct config *b)
{
	if (a->fa.n != b->fa.n || (a->fa.n && a->fa.v->links.n != b->fa.v->links.n))
		return false;
	for (size_t i = 0; a->fa.n && i < a->fa.v->links.n; i++) {
		if (strcmp(a->fa.v->links.v[i], b->fa.v->links.v[i]) != 0)
			return false;
	}
	return true;
}

const char *config_fixed_change(const struct config *a, const struct config *b)
{
	if (strcmp(a->user, b->user) != 0)
		return "user";
	if (strcmp(a->control_socket, b->control_socket) != 0)
		return "control-socket";
	if (strcmp(a->vici_socket, b->vici_socket) != 0)
		return "vici-socket";
	if (strcmp(a->helper, b->helper) != 0)
		return "helper";
	if (strcmp(a->freediameter_conf, b->freediameter_conf) != 0)
		return "freediameter-conf";
	if (a->diameter_dumps != b->diameter_dumps)
		return "diameter-dumps";
	if (a->fa.n != b->fa.n)
		return "fa";
	if (a->ha.n != b->ha.n)
		return "ha";
	if (a->pcn.n != b->pcn.n)
		return "pcn";
	if (a->pcn.n && a->pcn.v->role.addr.s_addr != b->pcn.v->role.addr.s_addr)
		return "pcn: address";
	if (!links_equal(a, b))
		return "fa: links";
	if (a->ha.n && strcmp(a->ha.v->role.home_ifname, b->ha.v->role.home_ifname) != 0)
		return "ha: home-link";
	if (memcmp(&a->vpn_room, &b->vpn_room, sizeof(a->vpn_room)) != 0)
		return "vpn";
	return NULL;
}
