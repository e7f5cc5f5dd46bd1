/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Structs into AVPs.  libfdproto copies what fd_msg_avp_setvalue() is given.
 */
#include <errno.h>
#include <string.h>

#include "diameter/field.h"

static int add_avp(msg_or_avp *parent, enum dm_avp which, union avp_value *value, struct avp **out)
{
	struct avp *avp = NULL;
	int rc = fd_msg_avp_new(dm_dict_avp(which), 0, &avp);

	if (!rc && value)
		rc = fd_msg_avp_setvalue(avp, value);
	if (!rc)
		rc = fd_msg_avp_add(parent, MSG_BRW_LAST_CHILD, avp);
	if (rc && avp)
		fd_msg_free(avp);
	else if (out)
		*out = avp;
	return rc;
}

static int write_octets(msg_or_avp *parent, enum dm_avp which, const void *data, size_t len)
{
	union avp_value v = { .os = { (uint8_t *)data, len } };

	return add_avp(parent, which, &v, NULL);
}

static int write_own(msg_or_avp *parent, enum dm_avp which)
{
	const struct fd_config *g = fd_g_config;

	return which == DM_ORIGIN_HOST ? write_octets(parent, which, g->cnf_diamid, g->cnf_diamid_len)
				       : write_octets(parent, which, g->cnf_diamrlm, g->cnf_diamrlm_len);
}

static int write_text(msg_or_avp *parent, const struct dm_field *f, const char *text)
{
	size_t len = strnlen(text, f->size);

	if (!len && !f->required)
		return 0;
	return len ? write_octets(parent, f->avp, text, len) : EINVAL;
}

static int write_number(msg_or_avp *parent, const struct dm_field *f, const void *in)
{
	union avp_value v = { 0 };

	if (f->kind == DM_NUMBER)
		memcpy(&v.u32, in, sizeof(v.u32));
	else if (f->kind == DM_OCTET)
		v.u32 = *(const uint8_t *)in;
	else
		v.u32 = f->kind == DM_BOOL ? *(const bool *)in : f->least;
	return v.u32 || f->required ? add_avp(parent, f->avp, &v, NULL) : 0;
}

static int write_bytes(msg_or_avp *parent, const struct dm_field *f, const uint8_t *in)
{
	size_t head = f->kind == DM_BYTES ? sizeof(uint16_t) : sizeof(uint8_t);
	size_t len = f->kind == DM_BYTES ? ((const struct dm_bytes *)(const void *)in)->len : *in;

	if (len > f->size - head || (!len && f->required))
		return EINVAL;
	return len ? write_octets(parent, f->avp, in + head, len) : 0;
}

static int write_inet(msg_or_avp *parent, enum dm_avp which, const struct in_addr *in)
{
	uint8_t data[6] = { 0, 1 };	/* family 1, IPv4 */

	memcpy(data + 2, in, sizeof(*in));
	return write_octets(parent, which, data, sizeof(data));
}

static int write_prefix(msg_or_avp *parent, enum dm_avp which, const struct vpn_prefix *in)
{
	uint8_t data[6] = { 0, in->len };

	memcpy(data + 2, &in->addr, sizeof(in->addr));
	return write_octets(parent, which, data, sizeof(data));
}

static int write_group(msg_or_avp *parent, enum dm_avp which, const struct dm_field *members,
		       const void *base)
{
	struct avp *group = NULL;
	int rc = add_avp(parent, which, NULL, &group);

	return rc ? rc : dm_fields_write(group, members, base);
}

/* A group without a switch is there when its first member is. */
static bool group_is_there(const struct dm_field *f, const uint8_t *in)
{
	return f->required || f->has != DM_NO_HAS || in[f->members[0].at] != 0;
}

static int write_profiles(msg_or_avp *parent, const struct dm_vpn *vpn)
{
	int rc = 0;

	for (unsigned i = 0; i < vpn->n && !rc; i++)
		rc = write_group(parent, DM_PROFILE, dm_profile_fields, &vpn->p[i]);
	return rc;
}

static int write_repeated(msg_or_avp *parent, const struct dm_field *f, const uint8_t *base)
{
	unsigned n = base[f->count];
	int rc = n > f->most ? EINVAL : 0;

	for (unsigned i = 0; i < n && !rc; i++)
		rc = write_group(parent, f->avp, f->members, base + f->at + (size_t)f->size * i);
	return rc;
}

static int write_field(msg_or_avp *parent, const struct dm_field *f, const uint8_t *in)
{
	switch (f->kind) {
	case DM_TEXT:
	case DM_NOTE:
	case DM_NAI:
	case DM_IDENTITY:
		return write_text(parent, f, (const char *)in);
	case DM_OWN:
		return write_own(parent, f->avp);
	case DM_NUMBER:
	case DM_OCTET:
	case DM_BOOL:
	case DM_CONST:
		return write_number(parent, f, in);
	case DM_BYTES:
	case DM_KEY:
		return write_bytes(parent, f, in);
	case DM_INET:
		return write_inet(parent, f->avp, (const struct in_addr *)(const void *)in);
	case DM_PREFIX:
		return write_prefix(parent, f->avp, (const struct vpn_prefix *)(const void *)in);
	case DM_GROUP:
		return group_is_there(f, in) ? write_group(parent, f->avp, f->members, in) : 0;
	case DM_PROFILES:
		return write_profiles(parent, (const struct dm_vpn *)(const void *)in);
	case DM_REPEATED:
		return write_repeated(parent, f, in - f->at);
	}
	return EINVAL;
}

int dm_fields_write(msg_or_avp *parent, const struct dm_field *fields, const void *base)
{
	const uint8_t *bytes = base;
	int rc = 0;

	for (; fields->kind && !rc; fields++)
		if (fields->has == DM_NO_HAS || *(const bool *)(bytes + fields->has))
			rc = write_field(parent, fields, bytes + fields->at);
	return rc;
}

int dm_request_write(uint32_t code, const struct dm_field *fields, const void *base, struct msg **out)
{
	struct msg *m = NULL;
	struct msg_hdr *hdr;
	int rc = fd_msg_new(dm_dict_command(code), MSGFL_ALLOC_ETEID, &m);

	if (!rc)
		rc = fd_msg_hdr(m, &hdr);
	if (!rc) {
		hdr->msg_appl = DM_APPLICATION_ID;
		rc = dm_fields_write(m, fields, base);
	}
	if (rc && m) {
		fd_msg_free(m);
		m = NULL;
	}
	*out = m;
	return rc;
}

/* 3xxx are protocol errors: the E bit is set and the ABNF is that of RFC 6733 7.2. */
int dm_answer_write(uint32_t result, const struct dm_field *fields, const void *base, struct msg **m)
{
	int rc = fd_msg_new_answer_from_req(fd_g_config->cnf_dict, m,
					    result / 1000 == 3 ? MSGFL_ANSW_ERROR : 0);

	return rc ? rc : dm_fields_write(*m, fields, base);
}
