/* SPDX-License-Identifier: BSD-3-Clause
 *
 * JSON codec of struct vpn_profile (lib/vpn_profile.h): one table says what each member is called, where it
 * lies and how it is written; both directions walk the table.  Names are those of the struct and of the
 * database columns.
 */
#include "lib/vpn_profile.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/crypto.h"
#include "lib/hex.h"

enum kind { K_U8, K_U32, K_BOOL, K_ADDR, K_PREFIX, K_TEXT, K_KEY, K_SECURITY, K_GW_TYPE };

struct member {
	const char *name;
	enum kind kind;
	size_t offset;
	size_t size; /* K_TEXT: of the array */
	bool needed; /* must be in the input; the others have their zero value then */
	bool sla;    /* left out of the output when the profile has no SLA */
};
#define AT(m) offsetof(struct vpn_profile, m), sizeof(((struct vpn_profile *)0)->m)

static const struct member members[] = {
	{"number", K_U32, AT(number), true, false},
	{"src", K_PREFIX, AT(src), true, false},
	{"dst", K_PREFIX, AT(dst), true, false},
	{"tos_up", K_U8, AT(tos_up), false, false},
	{"tos_down", K_U8, AT(tos_down), false, false},
	{"security", K_SECURITY, AT(security), true, false},
	{"src_gw", K_ADDR, AT(src_gw), true, false},
	{"dst_gw", K_ADDR, AT(dst_gw), true, false},
	{"dst_gw_type", K_GW_TYPE, AT(dst_gw_type), true, false},
	{"spi_up", K_U32, AT(spi_up), true, false},
	{"spi_down", K_U32, AT(spi_down), true, false},
	{"enc_key", K_KEY, AT(enc_key), false, false},
	{"auth_key", K_KEY, AT(auth_key), false, false},
	{"required", K_BOOL, AT(required), false, false},
	{"esp_proposal", K_TEXT, AT(esp_proposal), false, false},
	{"sla", K_TEXT, AT(sla), false, true},
	{"sla_src", K_PREFIX, AT(sla_src), false, true},
	{"sla_dst", K_PREFIX, AT(sla_dst), false, true},
	{"ike_local", K_TEXT, AT(ike_local), false, true},
	{"ike_remote", K_TEXT, AT(ike_remote), false, true},
	{"ike_proposal", K_TEXT, AT(ike_proposal), false, true},
	{"psk", K_KEY, AT(psk), false, true},
	{"bu_key", K_KEY, AT(bu_key), false, false},
	{"bu_context", K_TEXT, AT(bu_context), false, false},
};
#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

static const char *const security_words[] = {
	[VPN_SEC_ESP] = "esp", [VPN_SEC_AH] = "ah", [VPN_SEC_ENCAP] = "encapsulation"};
static const char *const gw_type_words[] = {
	[VPN_GW_AGENT] = "agent", [VPN_GW_STATIC] = "static", [VPN_GW_DYNAMIC] = "dynamic",
	[VPN_GW_HANDOFF] = "handoff"}; /* is shown, never read */
#define GW_TYPES_READ VPN_GW_HANDOFF
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static json_t *word_json(const char *const *words, size_t n, unsigned v)
{
	return v < n && words[v] ? json_string(words[v]) : json_integer(v);
}

static bool word_parse(const char *const *words, size_t n, const json_t *j, unsigned *out)
{
	const char *s = json_string_value(j);

	for (unsigned i = 0; s && i < n; i++) {
		if (words[i] && !strcmp(words[i], s)) {
			*out = i;
			return true;
		}
	}
	return false;
}

static json_t *addr_json(const void *field)
{
	char buf[INET_ADDRSTRLEN];

	return json_string(inet_ntop(AF_INET, field, buf, sizeof(buf)));
}

static json_t *prefix_json(const void *field)
{
	char buf[VPN_PREFIX_STRLEN];

	return json_string(vpn_prefix_str(field, buf));
}

static json_t *key_json(const struct vpn_key *key)
{
	char hex[2 * VPN_KEY_MAX + 1];
	json_t *j;

	hex_encode(key->data, key->len <= VPN_KEY_MAX ? key->len : 0, hex);
	j = json_string(hex);
	crypto_wipe(hex, sizeof(hex));
	return j;
}

static json_t *member_json(const struct member *m, const void *field)
{
	switch (m->kind) {
	case K_U8:
		return json_integer(*(const uint8_t *)field);
	case K_U32:
		return json_integer(*(const uint32_t *)field);
	case K_BOOL:
		return json_boolean(*(const bool *)field);
	case K_ADDR:
		return addr_json(field);
	case K_PREFIX:
		return prefix_json(field);
	case K_TEXT:
		return json_string(field);
	case K_KEY:
		return key_json(field);
	case K_SECURITY:
		return word_json(security_words, COUNT(security_words), *(const enum vpn_security *)field);
	case K_GW_TYPE:
		return word_json(gw_type_words, COUNT(gw_type_words), *(const enum vpn_gw_type *)field);
	}
	return NULL;
}

json_t *vpn_profile_json(const struct vpn_profile *p, bool show_keys)
{
	json_t *o = json_object();

	for (const struct member *m = members; o && m < members + N_MEMBERS; m++) {
		if ((m->kind == K_KEY && !show_keys) || (m->sla && !p->sla[0]))
			continue;
		json_object_set_new(o, m->name, member_json(m, (const char *)p + m->offset));
	}
	return o;
}

static bool uint_parse(const json_t *j, uint32_t most, uint32_t *out)
{
	json_int_t v = json_integer_value(j);

	*out = (uint32_t)v;
	return json_is_integer(j) && v >= 0 && v <= (json_int_t)most;
}

static bool u8_parse(const json_t *j, uint8_t *out)
{
	uint32_t v;
	bool ok = uint_parse(j, UINT8_MAX, &v);

	*out = (uint8_t)v;
	return ok;
}

static bool text_parse(const json_t *j, char *out, size_t size)
{
	const char *s = json_string_value(j);
	size_t n = s ? strlen(s) : size;

	if (n >= size || n != json_string_length(j))
		return false;
	memcpy(out, s, n + 1);
	return true;
}

static bool key_parse(const json_t *j, struct vpn_key *key)
{
	const char *s = json_string_value(j);
	int n = s ? hex_decode(s, json_string_length(j), key->data, sizeof(key->data)) : -1;

	key->len = n > 0 ? (uint8_t)n : 0;
	return n >= 0;
}

static bool bool_parse(const json_t *j, bool *out)
{
	*out = json_is_true(j);
	return json_is_boolean(j);
}

static bool member_parse(const struct member *m, const json_t *j, void *field)
{
	const char *s = json_string_value(j);
	unsigned word = 0;
	bool ok;

	switch (m->kind) {
	case K_U8:
		return u8_parse(j, field);
	case K_U32:
		return uint_parse(j, UINT32_MAX, field);
	case K_BOOL:
		return bool_parse(j, field);
	case K_ADDR:
		return s && inet_pton(AF_INET, s, field) == 1;
	case K_PREFIX:
		return s && vpn_prefix_parse(s, field);
	case K_TEXT:
		return text_parse(j, field, m->size);
	case K_KEY:
		return key_parse(j, field);
	case K_SECURITY:
		ok = word_parse(security_words, COUNT(security_words), j, &word);
		*(enum vpn_security *)field = (enum vpn_security)word;
		return ok;
	case K_GW_TYPE:
		ok = word_parse(gw_type_words, GW_TYPES_READ, j, &word);
		*(enum vpn_gw_type *)field = (enum vpn_gw_type)word;
		return ok;
	}
	return false;
}

static bool name_known(const char *name)
{
	for (size_t i = 0; i < N_MEMBERS; i++) {
		if (!strcmp(members[i].name, name))
			return true;
	}
	return false;
}

static const char *unknown_name(const json_t *j)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)j, name, value)
	{
		if (!name_known(name))
			return name;
	}
	return NULL;
}

static int refuse(struct vpn_profile *p, char *err, size_t err_len, const char *what, const char *name)
{
	vpn_profile_wipe(p);
	snprintf(err, err_len, "%s%s", what, name);
	return -1;
}

int vpn_profile_from_json(const json_t *j, struct vpn_profile *out, char *err, size_t err_len)
{
	const char *strange = unknown_name(j);

	memset(out, 0, sizeof(*out));
	out->required = true;
	if (!json_is_object(j))
		return refuse(out, err, err_len, "not an object", "");
	if (strange)
		return refuse(out, err, err_len, "unknown member ", strange);
	for (const struct member *m = members; m < members + N_MEMBERS; m++) {
		const json_t *v = json_object_get(j, m->name);

		if (!v && m->needed)
			return refuse(out, err, err_len, "missing member ", m->name);
		if (v && !member_parse(m, v, (char *)out + m->offset))
			return refuse(out, err, err_len, "malformed member ", m->name);
	}
	return 0;
}
