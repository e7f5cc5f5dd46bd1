/* SPDX-License-Identifier: BSD-3-Clause */
#include "extensions/app_mipvpn_aaah/row.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hex.h"

/* A cursor over one row; the first bad column is remembered, later reads give zero. */
struct row {
	const PGresult *res;
	int n;
	const uint8_t *kek;
	const char *bad; /* name of the column */
};

static const char *col(struct row *r, const char *name)
{
	int c = PQfnumber(r->res, name);

	if (c < 0) {
		r->bad = r->bad ? r->bad : name;
		return NULL;
	}
	return PQgetisnull(r->res, r->n, c) ? NULL : PQgetvalue(r->res, r->n, c);
}

static uint64_t col_int(struct row *r, const char *name, uint64_t most)
{
	const char *text = col(r, name);
	char *end;
	uint64_t v;

	if (!text)
		return 0;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || *end || *text == '-' || v > most) {
		r->bad = name;
		return 0;
	}
	return v;
}

static bool col_bool(struct row *r, const char *name)
{
	const char *text = col(r, name);

	return text && text[0] == 't';
}

static void col_text(struct row *r, const char *name, char *out, size_t cap)
{
	const char *text = col(r, name);

	if (text && strlen(text) >= cap) {
		r->bad = name;
		text = NULL;
	}
	snprintf(out, cap, "%s", text ? text : "");
}

static enum vpn_security col_security(struct row *r, const char *name, enum vpn_security most)
{
	uint64_t v = col_int(r, name, most);

	if (v < VPN_SEC_ESP)
		r->bad = name;
	return (enum vpn_security)v;
}

static void col_proposal(struct row *r, const char *name, char out[VPN_NAME_MAX])
{
	col_text(r, name, out, VPN_NAME_MAX);
	if (!vpn_proposal_ok(out))
		r->bad = name;
}

static bool col_addr(struct row *r, const char *name, struct in_addr *out)
{
	const char *text = col(r, name);

	out->s_addr = 0;
	if (!text)
		return false;
	if (inet_pton(AF_INET, text, out) != 1) {
		r->bad = name;
		return false;
	}
	return true;
}

static void col_prefix(struct row *r, const char *name, struct vpn_prefix *out)
{
	const char *text = col(r, name);

	memset(out, 0, sizeof(*out));
	if (text && !vpn_prefix_parse(text, out))
		r->bad = name;
}

/* A bytea that holds a wrapped key.  true also for NULL (len 0); false when it does not unwrap under that label. */
static bool col_key(struct row *r, const char *name, const char *label, struct vpn_key *out)
{
	uint8_t wrapped[CRYPTO_WRAP_EXTRA + VPN_KEY_MAX];
	const char *text = col(r, name);
	int n;

	memset(out, 0, sizeof(*out));
	if (!text)
		return true;
	if (strncmp(text, "\\x", 2) != 0)
		return false;
	n = hex_decode(text + 2, strlen(text + 2), wrapped, sizeof(wrapped));
	if (n <= CRYPTO_WRAP_EXTRA || crypto_unwrap(r->kek, label, wrapped, (size_t)n, out->data))
		return false;
	out->len = (uint8_t)(n - CRYPTO_WRAP_EXTRA);
	return true;
}

/* Labels may be longer than any buffer that a name fits in: a Session-Id is 255 bytes. */
#define LABEL_MAX (DM_SESSION_MAX + 32)

static int row_done(const struct row *r, char *err, size_t err_len)
{
	if (!r->bad)
		return 0;
	snprintf(err, err_len, "column %s is missing or out of range", r->bad);
	return -1;
}

static enum pol_roaming roaming_of(const char *word)
{
	static const char *const words[] = {"ok", "unknown", "suspended", "care-of"};

	for (int i = 0; word && i < 4; i++) {
		if (strcmp(word, words[i]) == 0)
			return (enum pol_roaming)i;
	}
	return POL_ROAM_UNKNOWN;
}

static enum crypto_mac alg_of(const char *word)
{
	static const struct {
		const char *word;
		enum crypto_mac alg;
	} table[] = {{"hmac-md5", CRYPTO_HMAC_MD5},
		     {"hmac-sha1", CRYPTO_HMAC_SHA1},
		     {"hmac-sha256", CRYPTO_HMAC_SHA256},
		     {"chap-md5", CRYPTO_CHAP_MD5}};

	for (size_t i = 0; word && i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(word, table[i].word) == 0)
			return table[i].alg;
	}
	return 0; /* no algorithm: aaah_auth_check() accepts none such */
}

static void read_user(struct row *r, const char *nai, struct pol_user *u)
{
	char label[LABEL_MAX];

	u->found = true;
	u->enabled = col_bool(r, "enabled");
	u->spi = (uint32_t)col_int(r, "aaa_spi", UINT32_MAX);
	u->alg = alg_of(col(r, "aaa_algorithm"));
	u->has_hoa = col_addr(r, "home_address", &u->hoa);
	col_addr(r, "ha_address", &u->ha);
	col_text(r, "ha_host", u->ha_host, sizeof(u->ha_host));
	col_text(r, "ha_realm", u->ha_realm, sizeof(u->ha_realm));
	u->ha_enabled = col_bool(r, "ha_enabled");
	u->max_lifetime = (uint32_t)col_int(r, "max_lifetime", UINT32_MAX);
	u->roaming = roaming_of(col(r, "roaming"));
	snprintf(label, sizeof(label), "subscriber:%s", nai);
	u->key_bad = !col_key(r, "aaa_key", label, &u->key) || u->key.len == 0;
}

static void read_session(struct row *r, struct pol_rows *out)
{
	struct pol_session *s = &out->session;
	char label[LABEL_MAX];

	s->live = col(r, "ha_session") != NULL;
	if (!s->live)
		return;
	col_text(r, "ha_session", s->ha_session, sizeof(s->ha_session));
	col_text(r, "fa_session", s->fa_session, sizeof(s->fa_session));
	col_text(r, "multi_session", s->multi, sizeof(s->multi));
	col_addr(r, "fa_address", &s->fa);
	col_addr(r, "session_home_address", &s->hoa);
	snprintf(label, sizeof(label), "handoff:%s", s->ha_session);
	if (!col_key(r, "handoff_key", label, &s->handoff))
		s->handoff.len = 0; /* made anew */
}

static enum vpn_gw_type kind_of(const char *word)
{
	return word && strcmp(word, "dynamic") == 0 ? VPN_GW_DYNAMIC : VPN_GW_STATIC;
}

static void read_contract(struct row *r, struct pol_vpn *v)
{
	char label[LABEL_MAX];

	v->has_sla = col(r, "sla") != NULL;
	if (!v->has_sla)
		return;
	col_text(r, "sla", v->sla, sizeof(v->sla));
	col_prefix(r, "sla_domain", &v->sla_domain);
	col_prefix(r, "sla_home", &v->sla_home);
	col_text(r, "ike_local", v->ike_local, sizeof(v->ike_local));
	col_text(r, "ike_remote", v->ike_remote, sizeof(v->ike_remote));
	col_proposal(r, "ike_proposal", v->ike_proposal);
	col_proposal(r, "esp_proposal", v->esp_proposal);
	v->sla_security = col_security(r, "sla_security", VPN_SEC_AH);
	v->sla_enabled = col_bool(r, "sla_enabled");
	v->sla_valid = col_bool(r, "sla_valid");
	v->sla_listed = col_bool(r, "sla_listed");
	snprintf(label, sizeof(label), "sla:%s", v->sla);
	v->psk_bad = !col_key(r, "sla_psk", label, &v->psk);
}

static void read_gateway(struct row *r, struct pol_vpn *v)
{
	char label[LABEL_MAX], addr[INET_ADDRSTRLEN];

	v->has_gateway = col_addr(r, "gateway", &v->gateway);
	v->kind = kind_of(col(r, "kind"));
	if (!v->has_gateway)
		return;
	snprintf(label, sizeof(label), "pcn:%s", inet_ntop(AF_INET, &v->gateway, addr, sizeof(addr)));
	v->pcn_key_bad = !col_key(r, "pcn_key", label, &v->pcn_key);
}

static void read_vpn(struct row *r, struct pol_vpn *v)
{
	v->number = (uint32_t)col_int(r, "number", UINT32_MAX);
	v->share_own = col_int(r, "vpnshare", 1) == 1;
	col_prefix(r, "destination", &v->dst);
	v->dscp_up = (uint8_t)col_int(r, "dscp_up", 63);
	v->dscp_down = (uint8_t)col_int(r, "dscp_down", 63);
	v->spi_up = (uint32_t)col_int(r, "spi_up", UINT32_MAX);
	v->spi_down = (uint32_t)col_int(r, "spi_down", UINT32_MAX);
	v->security = col_security(r, "security", VPN_SEC_ENCAP);
	col_proposal(r, "proposal", v->proposal);
	if (v->security == VPN_SEC_ENCAP && v->proposal[0])
		r->bad = "proposal";
	v->required = col_bool(r, "required");
	read_gateway(r, v);
	read_contract(r, v);
}

/* A row each, up to the row to; a user without VPNs is one row with NULLs. */
static int read_vpns(struct row *r, int to, struct pol_rows *out, char *err, size_t err_len)
{
	int from = r->n;
	size_t n = (size_t)(to - from);

	if (!col(r, "number"))
		return row_done(r, err, err_len);
	out->vpns = calloc(n, sizeof(*out->vpns));
	if (!out->vpns) {
		snprintf(err, err_len, "no memory");
		return -1;
	}
	out->n_vpns = n;
	for (size_t i = 0; i < n; i++) {
		r->n = from + (int)i;
		read_vpn(r, &out->vpns[i]);
	}
	return row_done(r, err, err_len);
}

int row_group(const PGresult *res, int from, size_t *n)
{
	struct row r = {res, from, NULL, NULL};
	int to = from + 1;

	*n = (size_t)col_int(&r, "n", INT32_MAX);
	if (r.bad || *n == 0)
		return -1;
	for (r.n = to; to < PQntuples(res) && col_int(&r, "n", INT32_MAX) == *n; r.n = ++to)
		;
	--*n;
	return to;
}

int row_lookup(const PGresult *res, int from, int to, const uint8_t kek[32], const char *nai,
	       struct pol_rows *out, char *err, size_t err_len)
{
	struct row r = {res, from, kek, NULL};

	if (from == to)
		return 0;
	read_user(&r, nai, &out->user);
	read_session(&r, out);
	return read_vpns(&r, to, out, err, err_len);
}

static void read_profile(struct row *r, struct vpn_profile *p)
{
	p->number = (uint32_t)col_int(r, "number", UINT32_MAX);
	col_prefix(r, "source", &p->src);
	col_prefix(r, "destination", &p->dst);
	p->tos_up = (uint8_t)col_int(r, "tos_up", 255);
	p->tos_down = (uint8_t)col_int(r, "tos_down", 255);
	p->security = col_security(r, "security", VPN_SEC_ENCAP);
	col_addr(r, "source_gateway", &p->src_gw);
	col_addr(r, "destination_gateway", &p->dst_gw);
	p->dst_gw_type = (enum vpn_gw_type)col_int(r, "destination_kind", VPN_GW_DYNAMIC);
	p->spi_up = (uint32_t)col_int(r, "spi_up", UINT32_MAX);
	p->spi_down = (uint32_t)col_int(r, "spi_down", UINT32_MAX);
	p->required = col_bool(r, "required");
	col_proposal(r, "esp_proposal", p->esp_proposal);
	col_text(r, "sla", p->sla, sizeof(p->sla));
	col_prefix(r, "sla_home", &p->sla_src);
	col_prefix(r, "sla_domain", &p->sla_dst);
	col_text(r, "ike_local", p->ike_local, sizeof(p->ike_local));
	col_text(r, "ike_remote", p->ike_remote, sizeof(p->ike_remote));
	col_proposal(r, "ike_proposal", p->ike_proposal);
	col_text(r, "bu_context", p->bu_context, sizeof(p->bu_context));
}

static void read_profile_keys(struct row *r, const char *ha_session, struct vpn_profile *p,
			      struct pol_rows *out)
{
	char label[LABEL_MAX];

	snprintf(label, sizeof(label), "profile:%s:%u", ha_session, p->number);
	if (!col_key(r, "enc_key", label, &p->enc_key) || !col_key(r, "auth_key", label, &p->auth_key))
		out->cached_bad = true;
	snprintf(label, sizeof(label), "bu:%s:%u", ha_session, p->number);
	if (!col_key(r, "bu_key", label, &p->bu_key))
		out->cached_bad = true;
	snprintf(label, sizeof(label), "sla:%s", p->sla);
	if (!col_key(r, "sla_psk", label, &p->psk))
		r->bad = "sla_psk";
}

int row_profiles(const PGresult *res, int from, int to, const uint8_t kek[32], const char *ha_session,
		 struct pol_rows *out, char *err, size_t err_len)
{
	struct row r = {res, from, kek, NULL};
	size_t n = (size_t)(to - from);

	if (n == 0)
		return 0;
	out->cached = calloc(n, sizeof(*out->cached));
	if (!out->cached) {
		snprintf(err, err_len, "no memory");
		return -1;
	}
	out->n_cached = n;
	for (size_t i = 0; i < n; i++) {
		r.n = from + (int)i;
		read_profile(&r, &out->cached[i]);
		read_profile_keys(&r, ha_session, &out->cached[i], out);
	}
	return row_done(&r, err, err_len);
}

int row_end(const PGresult *res, struct pol_end *out, char *err, size_t err_len)
{
	struct row r = {res, 0, NULL, NULL};

	memset(out, 0, sizeof(*out));
	if (PQntuples(res) == 0)
		return 0;
	out->found = true;
	out->ended = col_bool(&r, "ended");
	col_text(&r, "nai", out->nai, sizeof(out->nai));
	col_text(&r, "other_session", out->other_session, sizeof(out->other_session));
	col_text(&r, "other_host", out->other_host, sizeof(out->other_host));
	col_text(&r, "other_realm", out->other_realm, sizeof(out->other_realm));
	return row_done(&r, err, err_len);
}

int row_address(const PGresult *res, struct in_addr *out, char *err, size_t err_len)
{
	struct row r = {res, 0, NULL, NULL};

	if (PQntuples(res) == 1)
		col_addr(&r, "address", out);
	return row_done(&r, err, err_len);
}

static void read_live(struct row *r, struct pol_live *l)
{
	l->session = col_int(r, "session", INT64_MAX);
	l->serial = col_int(r, "serial", INT64_MAX);
	l->sent = col_bool(r, "sent");
	l->tries = (uint32_t)col_int(r, "tries", UINT32_MAX);
	l->fa_ended = col_bool(r, "fa_ended");
	col_text(r, "nai", l->nai, sizeof(l->nai));
	col_addr(r, "home_agent", &l->ha);
	col_addr(r, "fa_address", &l->fa);
	col_text(r, "ha_session", l->ha_session, sizeof(l->ha_session));
	col_text(r, "ha_host", l->ha_host, sizeof(l->ha_host));
	col_text(r, "ha_realm", l->ha_realm, sizeof(l->ha_realm));
	col_text(r, "fa_session", l->fa_session, sizeof(l->fa_session));
	col_text(r, "fa_host", l->fa_host, sizeof(l->fa_host));
	col_text(r, "fa_realm", l->fa_realm, sizeof(l->fa_realm));
}

int row_live(const PGresult *res, struct pol_live **out, size_t *n, char *err, size_t err_len)
{
	struct row r = {res, 0, NULL, NULL};

	*n = (size_t)PQntuples(res);
	*out = *n ? calloc(*n, sizeof(**out)) : NULL;
	if (*n && !*out) {
		snprintf(err, err_len, "no memory");
		*n = 0;
		return -1;
	}
	for (size_t i = 0; i < *n; i++) {
		r.n = (int)i;
		read_live(&r, &(*out)[i]);
	}
	return row_done(&r, err, err_len);
}

bool row_ok(const PGresult *res, int row)
{
	struct row r = {res, row, NULL, NULL};

	return col_bool(&r, "ok");
}
