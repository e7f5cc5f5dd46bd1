/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Binding messages of Mobile IPv4 route optimization (draft-ietf-mobileip-optim-09): Binding Warning 16,
 * Request 17, Update 18, Acknowledge 19.  Wire format <-> structs, pure like mip.h.  A Binding Update
 * carries one VPN profile in a critical vendor extension, sealed (AES-256-GCM) and authenticated
 * (generalized authentication extension 36 with a private subtype, doc/protocol.md) under the key that the
 * AAAH made for this home agent and session.
 */
#ifndef MIPVPN_BINDING_H
#define MIPVPN_BINDING_H

#include "agent/mip/mip.h"
#include "lib/vpn_profile.h"

enum bind_type { BIND_WARNING = 16, BIND_REQUEST = 17, BIND_UPDATE = 18, BIND_ACK = 19 };
enum bind_flag { BIND_A = 0x80, BIND_I = 0x40, BIND_M = 0x20, BIND_G = 0x10 };
enum bind_status {
	BIND_OK = 0,
	BIND_UNSPECIFIED = 128,
	BIND_PROHIBITED = 129,
	BIND_RESOURCES = 130,
	BIND_AUTH = 131,
	BIND_IDENT = 133,
	BIND_POOR = 134
};
const char *bind_status_str(uint8_t status);
#define BIND_SUBTYPE_ROUTE 200	 /* ext 36 subtype: route optimization authentication, HMAC-SHA256 */
#define BIND_SUBTYPE_HANDOFF 201 /* smooth handoff authentication */
#define BIND_CVSE_PROFILE 2	 /* vendor type of the sealed VPN profile */
#define BIND_CVSE_NUMBER 3	 /* vendor type in a BU that deletes, a BA, a BReq: profile number in clear */
#define BIND_CVSE_HANDOFF 4	 /* vendor type: sealed, what FA' tells FA (bind_put_handoff()) */
enum bind_handoff_member { BIND_HANDOFF_SOFT = 1, BIND_HANDOFF_REQUEST = 2 };
#define BIND_TARGETS_MAX 32

struct bind_msg {
	enum bind_type type;
	uint8_t flags;		 /* BU */
	uint8_t status;		 /* BA */
	uint16_t lifetime;	 /* BU, s; 0 = delete */
	struct in_addr hoa, coa; /* coa: BU; equal to hoa = delete */
	bool has_ident;
	uint64_t ident;
	uint8_t n_targets; /* BW */
	struct in_addr targets[BIND_TARGETS_MAX];
	/* BU, BA: what names the key: home agent's address and the AAAH's context (VPN_NAME_MAX, "" =
	 * absent) */
	struct in_addr key_ha;
	char key_context[VPN_NAME_MAX];
	uint32_t profile;	 /* BU, BA: profile number, 0 = absent */
	struct mip_bytes sealed; /* BU: crypto_seal'ed profile; borrowed */
	uint16_t sealed_aad;	 /* the seal's aad = raw[0..sealed_aad) */
	struct mip_auth auth;	 /* 36/200 or 36/201 */
	uint8_t auth_subtype;
	bool handoff;		 /* sealed is a handoff's (vendor type 4), no profile */
	bool cvse; /* a critical vendor extension that is not ours */
	const uint8_t *raw;
	uint16_t raw_len;
};
enum mip_reject bind_decode(const void *msg, size_t len,
			    struct bind_msg *out); /* as mip_rrq_decode: fixed part survives */

/* --- writing: fixed part, then vendor extensions, then the authenticator --- */
void bind_put(struct wbuf *w, const struct bind_msg *m); /* fixed part of any of the four */
/* The sealed profile (and the key's name, in clear). key = vpn_bu_seal_key(). */
void bind_put_profile(struct wbuf *w, const struct bind_msg *m, const struct vpn_profile *p,
		      const uint8_t key[32]);
void bind_put_number(struct wbuf *w,
		     const struct bind_msg *m); /* key's name and profile number, no profile */
void bind_put_auth(struct wbuf *w, uint8_t subtype, uint32_t spi, const uint8_t key[32]);
/* Vendor type 4, in a BU from FA' to FA: nonce 12, AES-256-GCM of members (type 1, length 2, value; unknown
 * ones are skipped), tag 16; additional data = the whole message in front of it.  key =
 * vpn_handoff_seal_key(). */
struct bind_handoff {
	bool soft; /* member 1, 1 byte: the mobile node still hears the previous foreign agent */
	/* Member 2, 8 bytes: Identification of the registration behind it, so that a previous foreign agent
	 * to which the node has come back knows an old move; 0 = absent. */
	uint64_t request;
};
void bind_put_handoff(struct wbuf *w, const struct bind_handoff *h, const uint8_t key[32]);
/* -1 when there is none, or its seal or a member of it is wrong. */
int bind_open_handoff(const struct bind_msg *m, const uint8_t key[32], struct bind_handoff *out);
bool bind_auth_check(const struct bind_msg *m, const uint8_t key[32]);
/* -1 when the seal is wrong or the content is no profile (reason in err). */
int bind_open_profile(const struct bind_msg *m, const uint8_t key[32], struct vpn_profile *out, char *err,
		      size_t err_len);

#endif
