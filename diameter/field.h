/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The engine of the codec: a message or a group is a table of fields, each of which ties one AVP to one
 * member of a struct.  The same table reads and writes, so the two cannot drift apart.  Private to this room.
 */
#ifndef MIPVPN_DIAMETER_FIELD_H
#define MIPVPN_DIAMETER_FIELD_H

#include <stddef.h>

#include "diameter/dict.h"
#include "diameter/msg.h"

enum dm_kind {
	DM_TEXT = 1,	/* char[]: no control characters, "" = absent */
	DM_NOTE,	/* char[] for people (Error-Message): cut and cleaned, never refused */
	DM_NAI,		/* char[]: user@realm (RFC 4282), not decorated */
	DM_IDENTITY,	/* char[]: DiameterIdentity */
	DM_OWN,		/* as DM_IDENTITY; written: the node's own, whatever the struct says */
	DM_NUMBER,	/* uint32_t or an enum of that size; written unless 0, or always if required */
	DM_OCTET,	/* uint8_t in an Unsigned32; likewise */
	DM_BOOL,	/* bool in an Unsigned32; likewise */
	DM_CONST,	/* number in least; written always, skipped when read */
	DM_BYTES,	/* struct dm_bytes, or whatever begins { uint16_t len; uint8_t data[]; } */
	DM_KEY,		/* struct dm_key, struct vpn_key: { uint8_t len; uint8_t data[]; } */
	DM_INET,	/* struct in_addr in an Address */
	DM_PREFIX,	/* struct vpn_prefix: 0, prefix length, 4 bytes of address */
	DM_GROUP,	/* members, at their offsets from this field's */
	DM_PROFILES,	/* struct dm_vpn: each MIPVPN-Profile */
	DM_REPEATED	/* an array of structs: each a group; how many is in a uint8_t */
};
#define DM_NO_HAS 0xffff

struct dm_field {
	enum dm_avp avp;
	enum dm_kind kind;
	bool required;
	uint16_t at;		/* offset of the member */
	uint16_t has;		/* offset of the bool that says that it is there; DM_NO_HAS = none */
	uint16_t size;		/* of the member */
	uint32_t least, most;	/* bytes, or value of a DM_NUMBER */
	const struct dm_field *members;
	uint16_t count;		/* DM_REPEATED: offset of the number of elements; most = of the array */
};
#define DM_SIZE(type, member) sizeof(((type *)0)->member)
/* required is REQ or OPT. */
#define DM_REQ true
#define DM_OPT false
#define DM_FIELD_RANGE(avp, kind, need, type, member, least, most)                                           \
	{ avp, kind, need, offsetof(type, member), DM_NO_HAS, DM_SIZE(type, member), least, most, NULL, 0 }
#define DM_FIELD(avp, kind, need, type, member) DM_FIELD_RANGE(avp, kind, need, type, member, 0, UINT32_MAX)
#define DM_FIELD_HAS(avp, kind, type, member, has)                                                           \
	{ avp, kind, DM_OPT, offsetof(type, member), offsetof(type, has), DM_SIZE(type, member), 0,          \
	  UINT32_MAX, NULL, 0 }
#define DM_FIELD_CONST(avp, value) { avp, DM_CONST, DM_REQ, 0, DM_NO_HAS, 0, value, value, NULL, 0 }
#define DM_FIELD_GROUP(avp, need, at, members) { avp, DM_GROUP, need, at, DM_NO_HAS, 0, 0, 0, members, 0 }
#define DM_FIELD_MSA(avp, type, member, members)                                                             \
	{ avp, DM_GROUP, DM_OPT, offsetof(type, member), offsetof(type, member.present), 0, 0, 0, members, 0 }
#define DM_FIELD_REPEATED(avp, type, array, number, members)                                                 \
	{ avp, DM_REPEATED, DM_OPT, offsetof(type, array), DM_NO_HAS, DM_SIZE(type, array[0]), 0,            \
	  DM_SIZE(type, array) / DM_SIZE(type, array[0]), members, offsetof(type, number) }
#define DM_FIELDS_END { .kind = 0 }

struct dm_complaint {
	char *text;
	size_t len;
	uint32_t result;	/* Result-Code */
};
/* Sets the result and the text "MIP-Nonce: ..."; returns the result. */
uint32_t dm_complain(struct dm_complaint *c, uint32_t result, enum dm_avp avp, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* *parent's AVPs into base, which the caller has zeroed.  0, or the Result-Code with the complaint set. */
uint32_t dm_fields_read(msg_or_avp *parent, const struct dm_field *fields, void *base,
			struct dm_complaint *c);
/* Appends.  0 or errno. */
int dm_fields_write(msg_or_avp *parent, const struct dm_field *fields, const void *base);

/* Whole messages: dictionary, fields, complaint -> err. */
int dm_message_read(struct msg *m, const struct dm_field *fields, void *base, struct dm_complaint *c);
int dm_request_write(uint32_t code, const struct dm_field *fields, const void *base, struct msg **out);
/* fields without Session-Id, which the answer has from its request. */
int dm_answer_write(uint32_t result, const struct dm_field *fields, const void *base, struct msg **m);

/* One MIPVPN-Profile. */
extern const struct dm_field dm_profile_fields[];
/* One MIPVPN-Refused-VPN: members of struct dm_refused. */
extern const struct dm_field dm_refused_fields[];
/* The key groups, members of struct dm_msa. */
extern const struct dm_field dm_msa_fa_to_mn[], dm_msa_fa_to_ha[], dm_msa_mn_to_ha[], dm_msa_mn_to_fa[],
	dm_msa_ha_to_mn[], dm_msa_ha_to_fa[];
/* A registration request inside a message: long enough for its fixed part, and of that type. */
#define DM_RRQ_MIN 24
#define DM_RRP_MIN 20
uint32_t dm_rrq_check(const struct dm_bytes *rrq, struct dm_complaint *c);
/* Success means a registration, and that has a reply and two addresses (RFC 4004 5.2, 5.4).  A co-located
 * mobile node's home agent, which makes the reply itself, is no client of ours.  An AAAF's own answer has no
 * reply; it is told by its 323 (doc/protocol.md). */
uint32_t dm_success_check(uint32_t result, bool has_reply, bool has_hoa, bool has_ha, struct dm_complaint *c);

#endif
