/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading binding messages (agent/mip/binding.h; draft-ietf-mobileip-optim-09 sections 4.1-4.4).
 * Extensions as in registrations.  What stands behind the authenticator is not authenticated, so nothing
 * may.
 *
 * Our critical vendor extensions, behind vendor and vendor type:
 *	2	home agent 4 | profile number 4 | length of context 1 | context | sealed profile
 *	3	the same without the sealed profile
 *	4	sealed handoff
 */
#include "agent/mip/binding.h"

#include <stdio.h>
#include <string.h>

#include "agent/mip/wire.h"
#include "lib/crypto.h"

static void get_addr(struct rbuf *r, struct in_addr *a)
{
	rbuf_copy(r, &a->s_addr, 4);
}

static void get_ident(struct rbuf *r, struct bind_msg *m)
{
	m->has_ident = true;
	m->ident = rbuf_u64(r);
}

static enum mip_reject warning_targets(struct rbuf *r, struct bind_msg *m)
{
	size_t n = rbuf_left(r) / 4;

	if (!n || rbuf_left(r) % 4)
		return MIP_REJ_TRUNCATED;
	if (n > BIND_TARGETS_MAX)
		return MIP_REJ_TOO_LONG;
	for (size_t i = 0; i < n; i++)
		get_addr(r, &m->targets[i]);
	m->n_targets = (uint8_t)n;
	return MIP_REJ_OK;
}

/* What is fixed behind the type byte of each message. */
static void fixed_part(struct rbuf *r, struct bind_msg *m)
{
	if (m->type == BIND_UPDATE) {
		m->flags = rbuf_u8(r);
		m->lifetime = rbuf_u16(r);
	} else {
		rbuf_u16(r);
		m->status = rbuf_u8(r);
	}
	if (m->type != BIND_ACK)
		m->status = 0;
	get_addr(r, &m->hoa);
	if (m->type == BIND_UPDATE)
		get_addr(r, &m->coa);
	/* An acknowledgement always has room for it; an update says by its flag. */
	if (m->type == BIND_REQUEST || m->type == BIND_ACK || m->flags & BIND_I)
		get_ident(r, m);
}

static bool context_ok(const char *s)
{
	for (; *s; s++) {
		if (!((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '-'))
			return false;
	}
	return true;
}

static enum mip_reject key_name(struct rbuf *r, struct bind_msg *m)
{
	uint8_t n;

	if (m->key_context[0])
		return MIP_REJ_EXT_DUPLICATE;
	get_addr(r, &m->key_ha);
	m->profile = rbuf_u32(r);
	n = rbuf_u8(r);
	if (!n || n >= sizeof(m->key_context))
		return MIP_REJ_CVSE;
	if (!rbuf_copy(r, m->key_context, n) || strlen(m->key_context) != n || !context_ok(m->key_context)) {
		m->key_context[0] = '\0';
		return MIP_REJ_CVSE;
	}
	return MIP_REJ_OK;
}

static enum mip_reject sealed(struct rbuf *r, struct bind_msg *m)
{
	if (m->sealed.len)
		return MIP_REJ_EXT_DUPLICATE;
	if (rbuf_left(r) <= CRYPTO_SEAL_EXTRA)
		return MIP_REJ_CVSE;
	m->sealed_aad = (uint16_t)(r->p - m->raw);
	m->sealed.len = (uint16_t)rbuf_left(r);
	m->sealed.data = rbuf_bytes(r, m->sealed.len);
	m->sealed.start = m->sealed_aad;
	return MIP_REJ_OK;
}

static enum mip_reject ours(struct rbuf *r, uint16_t vendor_type, struct bind_msg *m)
{
	enum mip_reject rej = vendor_type == BIND_CVSE_HANDOFF ? MIP_REJ_OK : key_name(r, m);

	if (rej)
		return rej;
	if (vendor_type == BIND_CVSE_NUMBER)
		return rbuf_left(r) ? MIP_REJ_CVSE : MIP_REJ_OK;
	rej = sealed(r, m);
	if (!rej)
		m->handoff = vendor_type == BIND_CVSE_HANDOFF;
	return rej;
}

static enum mip_reject vendor_ext(const struct mip_ext *e, struct bind_msg *m)
{
	struct rbuf r;
	uint32_t vendor;
	uint16_t type;

	rbuf_init(&r, e->data, e->len);
	vendor = rbuf_u32(&r);
	type = rbuf_u16(&r);
	if (!rbuf_ok(&r))
		return MIP_REJ_CVSE;
	if (vendor == MIP_VENDOR && type >= BIND_CVSE_PROFILE && type <= BIND_CVSE_HANDOFF)
		return ours(&r, type, m);
	m->cvse = true;
	return MIP_REJ_OK;
}

static enum mip_reject auth_ext(const struct mip_ext *e, struct bind_msg *m)
{
	if (e->subtype != BIND_SUBTYPE_ROUTE && e->subtype != BIND_SUBTYPE_HANDOFF)
		return MIP_REJ_EXT_UNKNOWN;
	m->auth_subtype = e->subtype;
	return mip_ext_get_auth(e, &m->auth);
}

static enum mip_reject take(const struct mip_ext *e, void *message)
{
	struct bind_msg *m = message;

	if (m->auth.present)
		return mip_ext_behind(MIP_EXT_GENERAL_AUTH, e->type);
	switch (e->type) {
	case MIP_EXT_CVSE:
		return vendor_ext(e, m);
	case MIP_EXT_GENERAL_AUTH:
		return auth_ext(e, m);
	default:
		return e->type < MIP_FIRST_SKIPPABLE ? MIP_REJ_EXT_UNKNOWN : MIP_REJ_OK;
	}
}

enum mip_reject bind_decode(const void *msg, size_t len, struct bind_msg *out)
{
	struct rbuf r;
	uint8_t type;

	memset(out, 0, sizeof(*out));
	if (len > MIP_MSG_MAX)
		return MIP_REJ_TOO_LONG;
	rbuf_init(&r, msg, len);
	type = rbuf_u8(&r);
	if (type < BIND_WARNING || type > BIND_ACK)
		return len ? MIP_REJ_TYPE : MIP_REJ_TRUNCATED;
	out->type = (enum bind_type)type;
	fixed_part(&r, out);
	if (!rbuf_ok(&r))
		return MIP_REJ_TRUNCATED;
	out->raw = msg;
	out->raw_len = (uint16_t)len;
	return type == BIND_WARNING ? warning_targets(&r, out) : mip_ext_walk(&r, out->raw, take, out);
}

bool bind_auth_check(const struct bind_msg *m, const uint8_t key[32])
{
	return m->raw && m->auth.present && mip_auth_check(&m->auth, m->raw, CRYPTO_HMAC_SHA256, key, 32);
}

/* Bytes of plain; 0 when there is no seal or it is wrong. */
static size_t open_seal(const struct bind_msg *m, const uint8_t key[32], uint8_t plain[MIP_MSG_MAX])
{
	if (m->sealed.len <= CRYPTO_SEAL_EXTRA ||
	    crypto_open(key, m->raw, m->sealed_aad, m->sealed.data, m->sealed.len, plain) < 0)
		return 0;
	return m->sealed.len - CRYPTO_SEAL_EXTRA;
}

int bind_open_profile(const struct bind_msg *m, const uint8_t key[32], struct vpn_profile *out, char *err,
		      size_t err_len)
{
	uint8_t plain[MIP_MSG_MAX];
	size_t len = open_seal(m, key, plain);
	int rc;

	memset(out, 0, sizeof(*out));
	if (m->handoff || !len) {
		snprintf(err, err_len, "the seal of the profile is wrong");
		return -1;
	}
	rc = vpn_wire_decode(plain, len, out, err, err_len);
	crypto_wipe(plain, sizeof(plain));
	return rc;
}

static int handoff_member(struct rbuf *r, struct bind_handoff *h)
{
	uint8_t type = rbuf_u8(r);
	uint16_t len = rbuf_u16(r);
	struct rbuf value = rbuf_sub(r, len);

	if (!rbuf_ok(r))
		return -1;
	if (type == BIND_HANDOFF_SOFT)
		h->soft = rbuf_u8(&value);
	else if (type == BIND_HANDOFF_REQUEST)
		h->request = rbuf_u64(&value);
	else
		return 0;
	return rbuf_ok(&value) && !rbuf_left(&value) ? 0 : -1;
}

int bind_open_handoff(const struct bind_msg *m, const uint8_t key[32], struct bind_handoff *out)
{
	uint8_t plain[MIP_MSG_MAX];
	size_t len;
	struct rbuf r;
	int rc = 0;

	*out = (struct bind_handoff){0};
	len = m->handoff ? open_seal(m, key, plain) : 0;
	if (!len)
		return -1;
	rbuf_init(&r, plain, len);
	while (!rc && rbuf_left(&r))
		rc = handoff_member(&r, out);
	return rc;
}
