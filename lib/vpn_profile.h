/* SPDX-License-Identifier: BSD-3-Clause
 *
 * struct vpn_profile: the one description of a VPN in the whole project (requirement B1).  It has one codec
 * each for the Diameter AVP group (diameter/profile.h), the Mobile IP vendor extension (issue of the PCN),
 * the database row (extensions/app_mipvpn_aaah) and JSON (below).
 *
 * Direction: "source" is the mobile node's side, "destination" the correspondent's; "up" goes from source to
 * destination.  The source gateway initiates the tunnel, the destination gateway responds: that one rule says
 * who does what in all scenarios.  FA: (src_gw FA, dst_gw HA or PCN); HA: that one as responder, and (src_gw
 * HA, dst_gw GW).
 */
#ifndef MIPVPN_VPN_PROFILE_H
#define MIPVPN_VPN_PROFILE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define VPN_PROFILES_MAX 32	/* profiles of one session at one node */
#define VPN_KEY_MAX 64		/* bytes */
#define VPN_NAME_MAX 64		/* with the NUL */
#define VPN_ID_MAX 128		/* with the NUL */
#define VPN_SPI_DEFAULT 256u	/* the default SPI: the relation that the two gateways share (E6, C3) */

enum vpn_security { VPN_SEC_ESP = 1, VPN_SEC_AH = 2, VPN_SEC_ENCAP = 3 };
enum vpn_gw_type {
	VPN_GW_AGENT = 0,	/* one of our agents, the path goes on behind it (FA-HA) */
	VPN_GW_STATIC = 1,	/* an enterprise's gateway, configured once from the SLA */
	VPN_GW_DYNAMIC = 2,	/* a PCN, told by Binding Update */
	VPN_GW_HANDOFF = 3	/* the previous foreign agent after a move: it initiates.  Inside of an
				 * agent only, never on the wire or in the database */
};

struct vpn_prefix {
	struct in_addr addr;	/* network byte order, host bits zero */
	uint8_t len;		/* 0..32 */
};

struct vpn_key {
	uint8_t len;		/* 0 = none */
	uint8_t data[VPN_KEY_MAX];
};

struct vpn_profile {
	uint32_t number;		/* profile number, unique in the database (A1) */
	struct vpn_prefix src;		/* the mobile node: its home address /32 */
	struct vpn_prefix dst;		/* what the user may reach with it */
	uint8_t tos_up, tos_down;	/* TOS byte (DSCP << 2) to set; 0 = leave alone (E4) */
	enum vpn_security security;
	struct in_addr src_gw, dst_gw;	/* network byte order */
	enum vpn_gw_type dst_gw_type;
	uint32_t spi_up, spi_down;	/* name the security relation; VPN_SPI_DEFAULT = the shared one */
	struct vpn_key enc_key, auth_key;	/* of this session; empty with the default SPI */
	bool required;			/* the registration fails without it (default true) */
	char esp_proposal[VPN_NAME_MAX]; /* of ESP or AH; vpn_proposal_ok(); "" = the agent's default */

	/* What the SLA says about a static gateway (A5); empty/zero unless dst_gw_type is VPN_GW_STATIC. */
	char sla[VPN_NAME_MAX];		/* [a-z0-9-]+ : name of the contract, names the connection */
	struct vpn_prefix sla_src, sla_dst;	/* selectors of the site-to-site connection */
	/* IKE identities; "" = the gateway addresses */
	char ike_local[VPN_ID_MAX], ike_remote[VPN_ID_MAX];
	char ike_proposal[VPN_NAME_MAX];
	struct vpn_key psk;		/* of the SLA */

	/* How the home agent tells the PCN (VPN_GW_DYNAMIC); in HAR only, empty everywhere else. */
	struct vpn_key bu_key;		/* 32 bytes, vpn_bu_key() */
	char bu_context[VPN_NAME_MAX];	/* names the session in the derivation; [0-9a-z-]+, in the BU */
};

/* "192.0.2.0/24" or "192.0.2.1"; false when malformed or host bits are set. */
bool vpn_prefix_parse(const char *text, struct vpn_prefix *out);
#define VPN_PREFIX_STRLEN 20
const char *vpn_prefix_str(const struct vpn_prefix *p, char buf[VPN_PREFIX_STRLEN]);
bool vpn_prefix_has(const struct vpn_prefix *p, struct in_addr a);
bool vpn_prefix_equal(const struct vpn_prefix *a, const struct vpn_prefix *b);

/* Algorithms in strongSwan notation, several by comma, the preferred first.  Only what could end a value in a
 * configuration is refused; what charon does not know it refuses itself. */
bool vpn_proposal_ok(const char proposal[VPN_NAME_MAX]);
/* What is wrong with it, in words (static text), or NULL when it can be installed. */
const char *vpn_profile_check(const struct vpn_profile *p);
/* Same tunnel, selectors, marks and keys. */
bool vpn_profile_equal(const struct vpn_profile *a, const struct vpn_profile *b);

/* Per-user relation (spi not default): PSK = HKDF-SHA256(enc_key || auth_key, salt "mipvpn", info "ike-psk"
 * || number || spi_up || spi_down), 32 bytes; kid = 8 hex digits from the same HKDF with info "ike-kid"...:
 * names this generation of keys, reveals nothing. Return -1 when the profile has no keys. */
int vpn_profile_psk(const struct vpn_profile *p, uint8_t psk[32]);
int vpn_profile_kid(const struct vpn_profile *p, char kid[9]);
/* IKE identity of one end: "<number>-<spi_up>-<spi_down>-<kid>@<gateway address>", the kid "shared" without
 * keys. */
int vpn_profile_ike_id(const struct vpn_profile *p, struct in_addr gateway, char out[VPN_ID_MAX]);

/* Keys of the Binding Updates for a PCN.  The AAAH and the PCN know the PCN's master key; both derive the
 * same per-session key: HKDF-SHA256(master, salt "mipvpn", info "bu" || HA address || context), and from
 * that one the two that are used, with info "bu-seal" and "bu-auth".  N PCNs need N keys, not N x M. */
int vpn_bu_key(const struct vpn_key *master, struct in_addr ha, const char *context, uint8_t out[32]);
int vpn_bu_seal_key(const uint8_t bu_key[32], uint8_t out[32]);
int vpn_bu_auth_key(const uint8_t bu_key[32], uint8_t out[32]);

/* Smooth handoff (doc/moves.md).  Keys for the Binding Update between foreign agents, and the profile of
 * the tunnel that carries what still arrives at the previous one: number, src, dst, security and proposal
 * of p, its own SPIs and keys (HKDF-SHA256 of the session's handoff key, info "handoff" || number ||
 * gateways), src_gw = fa_new, dst_gw = fa_old, VPN_GW_HANDOFF, not required, TOS 0.  -1: no key, or an
 * encapsulation-only profile. */
int vpn_handoff_auth_key(const struct vpn_key *handoff, uint8_t out[32]);
int vpn_handoff_seal_key(const struct vpn_key *handoff, uint8_t out[32]);
int vpn_handoff_profile(const struct vpn_profile *p, struct in_addr fa_new, struct in_addr fa_old,
			const struct vpn_key *handoff, struct vpn_profile *out);

/* The vendor extension codec of a Binding Update: type-length-value in network order, unknown types are
 * skipped. encode: bytes written, 0 when it does not fit.  decode: -1 with a reason. bu_key and SLA fields
 * never travel. */
size_t vpn_wire_encode(const struct vpn_profile *p, void *out, size_t cap);
int vpn_wire_decode(const void *data, size_t len, struct vpn_profile *out, char *err, size_t err_len);

/* JSON for the console; keys appear only when show_keys.  Returns new. */
json_t *vpn_profile_json(const struct vpn_profile *p, bool show_keys);
/* The reverse (state files, tests); -1 with a reason. */
int vpn_profile_from_json(const json_t *j, struct vpn_profile *out, char *err, size_t err_len);

void vpn_profile_wipe(struct vpn_profile *p);	/* keys and all, with crypto_wipe */

#endif
