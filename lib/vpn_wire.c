/* SPDX-License-Identifier: BSD-3-Clause
 *
 * struct vpn_profile as it travels in a Binding Update: type (1), length (2), value.  One table says which
 * type is which member; both directions walk it.  What a PCN has no business with (the SLA, the key of the
 * Binding Updates) is not in the table.  Numbers: doc/protocol.md.
 */
#include "lib/vpn_profile.h"

#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/crypto.h"

enum kind { W_U8, W_U32, W_BOOL, W_SECURITY, W_GW_TYPE, W_ADDR, W_PREFIX, W_TEXT, W_KEY };

struct member {
	uint8_t type;
	enum kind kind;
	bool needed;
	size_t offset;
	size_t size;
	const char *name;
};
#define MEMBER(type, kind, needed, m)                                                                        \
	{                                                                                                    \
		type, kind, needed, offsetof(struct vpn_profile, m), sizeof(((struct vpn_profile *)0)->m),   \
			#m                                                                                   \
	}

static const struct member members[] = {
	MEMBER(1, W_U32, true, number),		 MEMBER(2, W_PREFIX, true, src),
	MEMBER(3, W_PREFIX, true, dst),		 MEMBER(4, W_U8, false, tos_up),
	MEMBER(5, W_U8, false, tos_down),	 MEMBER(6, W_SECURITY, true, security),
	MEMBER(7, W_ADDR, true, src_gw),	 MEMBER(8, W_ADDR, true, dst_gw),
	MEMBER(9, W_GW_TYPE, true, dst_gw_type), MEMBER(10, W_U32, true, spi_up),
	MEMBER(11, W_U32, true, spi_down),	 MEMBER(12, W_KEY, false, enc_key),
	MEMBER(13, W_KEY, false, auth_key),	 MEMBER(14, W_BOOL, false, required),
	MEMBER(15, W_TEXT, false, esp_proposal), MEMBER(16, W_TEXT, false, ike_proposal),
};
#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

static void put_number(struct wbuf *w, const struct member *m, const void *field)
{
	switch (m->kind) {
	case W_U8:
		wbuf_u8(w, *(const uint8_t *)field);
		break;
	case W_U32:
		wbuf_u32(w, *(const uint32_t *)field);
		break;
	case W_BOOL:
		wbuf_u8(w, *(const bool *)field);
		break;
	case W_SECURITY:
		wbuf_u8(w, (uint8_t) * (const enum vpn_security *)field);
		break;
	default:
		wbuf_u8(w, (uint8_t) * (const enum vpn_gw_type *)field);
	}
}

static void put_value(struct wbuf *w, const struct member *m, const void *field)
{
	const struct vpn_prefix *prefix = field;
	const struct vpn_key *key = field;

	switch (m->kind) {
	case W_ADDR:
		wbuf_bytes(w, field, 4);
		break;
	case W_PREFIX:
		wbuf_bytes(w, &prefix->addr.s_addr, 4);
		wbuf_u8(w, prefix->len);
		break;
	case W_TEXT:
		wbuf_bytes(w, field, strnlen(field, m->size));
		break;
	case W_KEY:
		wbuf_bytes(w, key->data, key->len);
		break;
	default:
		put_number(w, m, field);
	}
}

size_t vpn_wire_encode(const struct vpn_profile *p, void *out, size_t cap)
{
	struct wbuf w;

	if (p->dst_gw_type > VPN_GW_DYNAMIC)
		return 0; /* VPN_GW_HANDOFF stays inside of an agent */
	wbuf_init(&w, out, cap);
	for (const struct member *m = members; m < members + N_MEMBERS; m++) {
		size_t at = w.len;

		wbuf_u8(&w, m->type);
		wbuf_u16(&w, 0);
		put_value(&w, m, (const char *)p + m->offset);
		wbuf_patch_u16(&w, at + 1, (uint16_t)(w.len - at - 3));
	}
	return wbuf_ok(&w) ? w.len : 0;
}

static bool get_octet(struct rbuf *r, unsigned least, unsigned most, unsigned *out)
{
	*out = rbuf_u8(r);
	return *out >= least && *out <= most;
}

static bool get_number(struct rbuf *r, const struct member *m, void *field)
{
	unsigned v = 0;
	bool ok = true;

	switch (m->kind) {
	case W_U8:
		*(uint8_t *)field = rbuf_u8(r);
		break;
	case W_U32:
		*(uint32_t *)field = rbuf_u32(r);
		break;
	case W_BOOL:
		ok = get_octet(r, 0, 1, &v);
		*(bool *)field = v;
		break;
	case W_SECURITY:
		ok = get_octet(r, VPN_SEC_ESP, VPN_SEC_ENCAP, &v);
		*(enum vpn_security *)field = (enum vpn_security)v;
		break;
	default:
		ok = get_octet(r, VPN_GW_AGENT, VPN_GW_DYNAMIC, &v);
		*(enum vpn_gw_type *)field = (enum vpn_gw_type)v;
	}
	return ok;
}

static bool get_text(struct rbuf *r, char *out, size_t size)
{
	size_t n = rbuf_left(r);

	return n < size && rbuf_copy(r, out, n) && !memchr(out, '\0', n);
}

static bool get_key(struct rbuf *r, struct vpn_key *key)
{
	size_t n = rbuf_left(r);

	if (n > VPN_KEY_MAX || !rbuf_copy(r, key->data, n))
		return false;
	key->len = (uint8_t)n;
	return true;
}

static bool get_value(struct rbuf *r, const struct member *m, void *field)
{
	struct vpn_prefix *prefix = field;

	switch (m->kind) {
	case W_ADDR:
		return rbuf_copy(r, field, 4);
	case W_PREFIX:
		rbuf_copy(r, &prefix->addr.s_addr, 4);
		prefix->len = rbuf_u8(r);
		return true;
	case W_TEXT:
		return get_text(r, field, m->size);
	case W_KEY:
		return get_key(r, field);
	default:
		return get_number(r, m, field);
	}
}

static const struct member *member_find(uint8_t type)
{
	for (const struct member *m = members; m < members + N_MEMBERS; m++) {
		if (m->type == type)
			return m;
	}
	return NULL;
}

static int refuse(struct vpn_profile *p, char *err, size_t err_len, const char *what, const char *name)
{
	vpn_profile_wipe(p);
	snprintf(err, err_len, "%s%s", what, name);
	return -1;
}

static int check(struct vpn_profile *p, uint32_t seen, char *err, size_t err_len)
{
	const char *why;

	for (const struct member *m = members; m < members + N_MEMBERS; m++) {
		if (m->needed && !(seen & 1u << m->type))
			return refuse(p, err, err_len, "missing member ", m->name);
	}
	why = vpn_profile_check(p);
	return why ? refuse(p, err, err_len, why, "") : 0;
}

int vpn_wire_decode(const void *data, size_t len, struct vpn_profile *out, char *err, size_t err_len)
{
	struct rbuf r;
	uint32_t seen = 0;

	memset(out, 0, sizeof(*out));
	out->required = true;
	rbuf_init(&r, data, len);
	while (rbuf_left(&r)) {
		const struct member *m = member_find(rbuf_u8(&r));
		struct rbuf value = rbuf_sub(&r, rbuf_u16(&r));

		if (!rbuf_ok(&r))
			return refuse(out, err, err_len, "truncated", "");
		if (!m)
			continue;
		if (seen & 1u << m->type)
			return refuse(out, err, err_len, "twice: ", m->name);
		seen |= 1u << m->type;
		if (!get_value(&value, m, (char *)out + m->offset) || !rbuf_ok(&value) || rbuf_left(&value))
			return refuse(out, err, err_len, "malformed member ", m->name);
	}
	return check(out, seen, err, err_len);
}
