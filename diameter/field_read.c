/* SPDX-License-Identifier: BSD-3-Clause
 *
 * AVPs into structs.  Everything that a peer could get wrong is refused here, with the AVP's name and the
 * reason.
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diameter/field.h"

#define FAMILY_IPV4 1	/* IANA address family number, RFC 6733 4.3.1 */

uint32_t dm_complain(struct dm_complaint *c, uint32_t result, enum dm_avp avp, const char *fmt, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (c->len)
		snprintf(c->text, c->len, "%s: %s", dm_avp_ids[avp].name, what);
	return c->result = result;
}

static uint32_t check_length(const struct dm_field *f, size_t len, size_t most, struct dm_complaint *c)
{
	if (f->most < most)
		most = f->most;
	if (len < f->least)
		return dm_complain(c, DM_INVALID_AVP_LENGTH, f->avp, "%zu bytes, at least %u", len, f->least);
	if (len > most)
		return dm_complain(c, DM_INVALID_AVP_LENGTH, f->avp, "%zu bytes, at most %zu", len, most);
	return 0;
}

static bool is_control(uint8_t byte)
{
	return byte < 0x20 || byte == 0x7f;
}

static bool has_control(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (is_control(data[i]))
			return true;
	return false;
}

/* What is wrong with a user's NAI, or NULL.  Routing needs a realm, and only one. */
static const char *nai_fault(const uint8_t *data, size_t len)
{
	const uint8_t *at = memchr(data, '@', len);
	size_t user = at ? (size_t)(at - data) : 0;

	if (!at || user == 0 || user + 1 == len)
		return "not user@realm";
	if (memchr(at + 1, '@', len - user - 1))
		return "more than one @";
	if (memchr(data, '!', user))
		return "decorated NAI";
	return NULL;
}

static uint32_t read_text(const struct dm_field *f, const union avp_value *v, char *out,
			  struct dm_complaint *c)
{
	const uint8_t *data = v->os.data;
	size_t len = v->os.len;
	const char *fault;

	if (!len)
		return dm_complain(c, DM_INVALID_AVP_VALUE, f->avp, "empty");
	if (check_length(f, len, f->size - 1, c))
		return c->result;
	if (has_control(data, len))
		return dm_complain(c, DM_INVALID_AVP_VALUE, f->avp, "NUL or another control character in it");
	if ((f->kind == DM_IDENTITY || f->kind == DM_OWN) &&
	    !fd_os_is_valid_DiameterIdentity((uint8_t *)data, len))
		return dm_complain(c, DM_INVALID_AVP_VALUE, f->avp, "not a Diameter identity");
	if (f->kind == DM_NAI && (fault = nai_fault(data, len)))
		return dm_complain(c, DM_INVALID_AVP_VALUE, f->avp, "%s", fault);
	memcpy(out, data, len);
	out[len] = '\0';
	return 0;
}

static uint32_t read_note(const struct dm_field *f, const union avp_value *v, char *out)
{
	size_t len = v->os.len < f->size ? v->os.len : f->size - 1u;

	for (size_t i = 0; i < len; i++)
		out[i] = is_control(v->os.data[i]) ? '?' : (char)v->os.data[i];
	out[len] = '\0';
	return 0;
}

static uint32_t read_number(const struct dm_field *f, const union avp_value *v, void *out,
			    struct dm_complaint *c)
{
	uint32_t most = f->kind == DM_OCTET && f->most > UINT8_MAX ? UINT8_MAX : f->most;

	if (f->kind == DM_BOOL)
		most = 1;
	if (v->u32 < f->least || v->u32 > most)
		return dm_complain(c, DM_INVALID_AVP_VALUE, f->avp, "%u is not in %u..%u", v->u32, f->least,
				   most);
	if (f->kind == DM_NUMBER)
		memcpy(out, &v->u32, sizeof(v->u32));
	else if (f->kind == DM_OCTET)
		*(uint8_t *)out = (uint8_t)v->u32;
	else
		*(bool *)out = v->u32 != 0;
	return 0;
}

static uint32_t read_bytes(const struct dm_field *f, const union avp_value *v, uint8_t *out,
			   struct dm_complaint *c)
{
	size_t head = f->kind == DM_BYTES ? sizeof(uint16_t) : sizeof(uint8_t);
	size_t len = v->os.len;

	if (check_length(f, len, f->kind == DM_BYTES ? DM_RR_MAX : f->size - head, c))
		return c->result;
	if (f->kind == DM_BYTES)
		((struct dm_bytes *)(void *)out)->len = (uint16_t)len;
	else
		*out = (uint8_t)len;
	if (len)
		memcpy(out + head, v->os.data, len);
	return 0;
}

static uint32_t read_inet(const struct dm_field *f, const union avp_value *v, struct in_addr *out,
			  struct dm_complaint *c)
{
	if (v->os.len < 2)
		return dm_complain(c, DM_INVALID_AVP_LENGTH, f->avp, "%zu bytes, an address has 6",
				   v->os.len);
	if (v->os.data[0] != 0 || v->os.data[1] != FAMILY_IPV4)
		return dm_complain(c, DM_INVALID_AVP_VALUE, f->avp, "address family %u, not IPv4",
				   v->os.data[0] << 8 | v->os.data[1]);
	if (v->os.len != 6)
		return dm_complain(c, DM_INVALID_AVP_LENGTH, f->avp, "%zu bytes, an IPv4 address has 6",
				   v->os.len);
	memcpy(out, v->os.data + 2, sizeof(*out));
	return 0;
}

static uint32_t read_prefix(const struct dm_field *f, const union avp_value *v, struct vpn_prefix *out,
			    struct dm_complaint *c)
{
	uint32_t mask;

	if (v->os.len != 6 || v->os.data[0] != 0)
		return dm_complain(c, DM_INVALID_AVP_LENGTH, f->avp, "%zu bytes, an IPv4 prefix has 6",
				   v->os.len);
	if (v->os.data[1] > 32)
		return dm_complain(c, DM_INVALID_AVP_VALUE, f->avp, "prefix length %u", v->os.data[1]);
	out->len = v->os.data[1];
	memcpy(&out->addr, v->os.data + 2, sizeof(out->addr));
	mask = out->len ? ~0u << (32 - out->len) : 0;
	if (ntohl(out->addr.s_addr) & ~mask)
		return dm_complain(c, DM_INVALID_AVP_VALUE, f->avp, "host bits are set behind /%u", out->len);
	return 0;
}

static bool is_avp(const struct avp_hdr *hdr, enum dm_avp which)
{
	uint32_t vendor = hdr->avp_flags & AVP_FLAG_VENDOR ? hdr->avp_vendor : 0;

	return dm_avp_ids[which].code == hdr->avp_code && dm_avp_ids[which].vendor == vendor;
}

/* first and those behind it. */
static size_t count_profiles(struct avp *first)
{
	struct avp_hdr *hdr;
	size_t n = 0;

	for (struct avp *avp = first; avp;) {
		if (!fd_msg_avp_hdr(avp, &hdr) && is_avp(hdr, DM_PROFILE))
			n++;
		if (fd_msg_browse(avp, MSG_BRW_NEXT, &avp, NULL))
			break;
	}
	return n;
}

/* Room for all of them is made at the first; the wipe frees it in any case. */
static uint32_t make_profiles(struct avp *first, struct dm_vpn *vpn, struct dm_complaint *c)
{
	size_t n = count_profiles(first);

	if (n > VPN_PROFILES_MAX)
		return dm_complain(c, DM_AVP_OCCURS_TOO_MANY_TIMES, DM_PROFILE, "%zu of them, at most %d", n,
				   VPN_PROFILES_MAX);
	vpn->p = calloc(n, sizeof(*vpn->p));
	return vpn->p ? 0 : dm_complain(c, DM_UNABLE_TO_COMPLY, DM_PROFILE, "out of memory");
}

static uint32_t read_profile(struct avp *avp, struct dm_vpn *vpn, struct dm_complaint *c)
{
	struct vpn_profile *p;
	const char *fault;

	if (!vpn->p && make_profiles(avp, vpn, c))
		return c->result;
	p = &vpn->p[vpn->n++];
	if (dm_fields_read(avp, dm_profile_fields, p, c))
		return c->result;
	fault = vpn_profile_check(p);
	return fault ? dm_complain(c, DM_INVALID_AVP_VALUE, DM_PROFILE, "number %u: %s", p->number, fault)
		     : 0;
}

static uint32_t read_repeated(const struct dm_field *f, struct avp *avp, void *base, struct dm_complaint *c)
{
	uint8_t *count = (uint8_t *)base + f->count;

	if (*count >= f->most)
		return dm_complain(c, DM_AVP_OCCURS_TOO_MANY_TIMES, f->avp, "at most %u", f->most);
	return dm_fields_read(avp, f->members, (uint8_t *)base + f->at + (size_t)f->size * (*count)++, c);
}

static uint32_t read_value(const struct dm_field *f, const union avp_value *v, void *out,
			   struct dm_complaint *c)
{
	switch (f->kind) {
	case DM_TEXT:
	case DM_NAI:
	case DM_IDENTITY:
	case DM_OWN:
		return read_text(f, v, out, c);
	case DM_NOTE:
		return read_note(f, v, out);
	case DM_NUMBER:
	case DM_OCTET:
	case DM_BOOL:
		return read_number(f, v, out, c);
	case DM_BYTES:
	case DM_KEY:
		return read_bytes(f, v, out, c);
	case DM_INET:
		return read_inet(f, v, out, c);
	case DM_PREFIX:
		return read_prefix(f, v, out, c);
	default:
		return 0;
	}
}

static uint32_t read_field(const struct dm_field *f, struct avp *avp, const struct avp_hdr *hdr, void *base,
			   struct dm_complaint *c)
{
	uint8_t *out = (uint8_t *)base + f->at;

	if (f->has != DM_NO_HAS)
		*(bool *)((uint8_t *)base + f->has) = true;
	if (f->kind == DM_GROUP)
		return dm_fields_read(avp, f->members, out, c);
	if (f->kind == DM_PROFILES)
		return read_profile(avp, (struct dm_vpn *)(void *)out, c);
	if (f->kind == DM_REPEATED)
		return read_repeated(f, avp, base, c);
	if (!hdr->avp_value)
		return dm_complain(c, DM_INVALID_AVP_VALUE, f->avp, "without a value");
	return read_value(f, hdr->avp_value, out, c);
}

static const struct dm_field *find_field(const struct dm_field *fields, const struct avp_hdr *hdr)
{
	for (; fields->kind; fields++)
		if (is_avp(hdr, fields->avp))
			return fields;
	return NULL;
}

static uint32_t check_required(const struct dm_field *fields, uint64_t seen, struct dm_complaint *c)
{
	for (unsigned i = 0; fields[i].kind; i++)
		if (fields[i].required && fields[i].kind != DM_CONST && !(seen & UINT64_C(1) << i))
			return dm_complain(c, DM_MISSING_AVP, fields[i].avp, "missing");
	return 0;
}

uint32_t dm_fields_read(msg_or_avp *parent, const struct dm_field *fields, void *base, struct dm_complaint *c)
{
	struct avp *avp = NULL;
	uint64_t seen = 0;

	if (fd_msg_browse(parent, MSG_BRW_FIRST_CHILD, &avp, NULL))
		avp = NULL;
	while (avp) {
		struct avp_hdr *hdr = NULL;
		const struct dm_field *f = fd_msg_avp_hdr(avp, &hdr) ? NULL : find_field(fields, hdr);

		if (f) {
			uint64_t bit = UINT64_C(1) << (f - fields);

			if (seen & bit && f->kind != DM_PROFILES && f->kind != DM_REPEATED)
				return dm_complain(c, DM_AVP_OCCURS_TOO_MANY_TIMES, f->avp, "more than one");
			seen |= bit;
			if (read_field(f, avp, hdr, base, c))
				return c->result;
		}
		if (fd_msg_browse(avp, MSG_BRW_NEXT, &avp, NULL))
			avp = NULL;
	}
	return check_required(fields, seen, c);
}

/* libfdproto's own words about a message that the dictionary does not bear out. */
static void dictionary_complaint(const struct fd_pei *pei, struct dm_complaint *c)
{
	static const struct { const char *name; uint32_t result; } codes[] = {
		{ "DIAMETER_AVP_UNSUPPORTED", 5001 },
		{ "DIAMETER_INVALID_AVP_LENGTH", DM_INVALID_AVP_LENGTH },
		{ "DIAMETER_INVALID_AVP_BITS", 3009 }, { "DIAMETER_INVALID_HDR_BITS", 3008 },
	};

	c->result = DM_INVALID_AVP_VALUE;
	for (size_t i = 0; pei->pei_errcode && i < sizeof(codes) / sizeof(*codes); i++)
		if (!strcmp(pei->pei_errcode, codes[i].name))
			c->result = codes[i].result;
	if (c->len)
		snprintf(c->text, c->len, "%s %s",
			 pei->pei_errcode ? pei->pei_errcode : "not of the dictionary",
			 pei->pei_message ? pei->pei_message : "");
}

int dm_message_read(struct msg *m, const struct dm_field *fields, void *base, struct dm_complaint *c)
{
	struct fd_pei pei = { 0 };

	if (fd_msg_parse_dict(m, fd_g_config->cnf_dict, &pei)) {
		dictionary_complaint(&pei, c);
		if (pei.pei_avp_free)
			fd_msg_free(pei.pei_avp);
		return (int)c->result;
	}
	return (int)dm_fields_read(m, fields, base, c);
}

uint32_t dm_rrq_check(const struct dm_bytes *rrq, struct dm_complaint *c)
{
	if (!rrq->len || rrq->data[0] == 1)
		return 0;
	return dm_complain(c, DM_INVALID_AVP_VALUE, DM_REG_REQUEST, "type %u is no request", rrq->data[0]);
}

uint32_t dm_success_check(uint32_t result, bool has_reply, bool has_hoa, bool has_ha, struct dm_complaint *c)
{
	if (result != DM_SUCCESS || (has_reply && has_hoa && has_ha))
		return 0;
	return dm_complain(c, DM_MISSING_AVP, !has_reply ? DM_REG_REPLY : has_hoa ? DM_HOME_AGENT_ADDRESS
										  : DM_MOBILE_NODE_ADDRESS,
			   "missing in a success");
}
