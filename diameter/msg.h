/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The messages of the Diameter Mobile IPv4 application (RFC 4004) as plain structs, and the only code that
 * turns libfdproto messages into them and back.  All speakers use it: the agent (AMR out, HAR in), the AAAF,
 * the AAAH.  Strings are copied into fixed fields, keys are values: a struct has no owner but its holder, who
 * ends it with dm_*_wipe().  Absent optional fields are zero, "" or len 0 unless a has_ flag says so.
 *
 * struct definitions are free of freeDiameter types, so the agent's pure rooms may include this header; the
 * functions on struct msg are in diameter/codec.h.
 */
#ifndef MIPVPN_DIAMETER_MSG_H
#define MIPVPN_DIAMETER_MSG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/vpn_profile.h"

#define DM_ID_MAX 256		/* Diameter identity, realm, NAI, with the NUL */
#define DM_SESSION_MAX 256	/* Session-Id, with the NUL */
#define DM_RR_MAX 4096		/* registration request or reply */
#define DM_KEY_MAX 64
#define DM_NONCE_MAX 64
#define DM_ERROR_MAX 256

enum dm_result {		/* Result-Code: RFC 6733 7.1, RFC 4004 6 */
	DM_SUCCESS = 2001, DM_UNABLE_TO_DELIVER = 3002, DM_REALM_NOT_SERVED = 3003, DM_TOO_BUSY = 3004,
	DM_AUTHENTICATION_REJECTED = 4001, DM_MIP_REPLY_FAILURE = 4005, DM_HA_NOT_AVAILABLE = 4006,
	DM_BAD_KEY = 4007, DM_FILTER_NOT_SUPPORTED = 4008, DM_UNKNOWN_SESSION = 5002,
	DM_AUTHORIZATION_REJECTED = 5003,
	DM_INVALID_AVP_VALUE = 5004, DM_MISSING_AVP = 5005, DM_AVP_OCCURS_TOO_MANY_TIMES = 5009,
	DM_UNABLE_TO_COMPLY = 5012, DM_INVALID_AVP_LENGTH = 5014, DM_USER_UNKNOWN = 5030,
	DM_NO_FOREIGN_HA_SERVICE = 5024, DM_END_TO_END_MIP_KEY_ENCRYPTION = 5025
};
enum dm_feature {		/* MIP-Feature-Vector, RFC 4004 7.5 */
	DM_F_HOA_REQUESTED = 1, DM_F_HOA_HOME_ONLY = 2, DM_F_HA_REQUESTED = 4, DM_F_FOREIGN_HA = 8,
	DM_F_MN_HA_KEY = 16, DM_F_MN_FA_KEY = 32, DM_F_FA_HA_KEY = 64, DM_F_HA_IN_FOREIGN = 128,
	DM_F_CO_LOCATED = 256
};
enum dm_termination {		/* Termination-Cause, RFC 6733 8.15 */
	DM_TERM_LOGOUT = 1, DM_TERM_ADMINISTRATIVE = 4, DM_TERM_LINK_BROKEN = 5, DM_TERM_SESSION_TIMEOUT = 8,
	/* of a foreign agent: nothing has come of an AMR that the AAAF may have answered by itself (D2) */
	DM_TERM_BAD_ANSWER = 3
};

struct dm_bytes { uint16_t len; uint8_t data[DM_RR_MAX]; };
struct dm_key { uint8_t len; uint8_t data[DM_KEY_MAX]; };
/* A mobility security association: SPI and key, or SPI and nonce (RFC 4004 9). present is the switch. */
struct dm_msa {
	bool present;
	uint32_t spi;		/* chosen by the verifier */
	uint32_t algorithm;	/* 2 HMAC-SHA-1 */
	uint32_t replay;	/* MN-HA only: 1 none, 2 timestamps, 3 nonces */
	struct dm_key key;	/* key or nonce */
};

/* B2: VPN information that rides along: the Profile-Cache AVP, the profiles, the key for smooth handoff. */
struct dm_vpn {
	bool cached;		/* Profile-Cache: the sender keeps the profiles */
	uint8_t n;
	struct vpn_profile *p;	/* n of them; owned by the struct (malloc), freed by the wipe */
	struct dm_key handoff;
};

#define DM_REFUSED_MAX 8
struct dm_refused {		/* a best-effort VPN that did not come up, and why */
	uint32_t number;	/* of the profile */
	char text[DM_ERROR_MAX];
};

struct dm_amr {			/* AA-Mobile-Node-Request */
	char session[DM_SESSION_MAX], origin_host[DM_ID_MAX], origin_realm[DM_ID_MAX];
	char dest_realm[DM_ID_MAX], dest_host[DM_ID_MAX];
	char user[DM_ID_MAX];
	struct dm_bytes rrq;
	uint32_t auth_input_len, auth_len, auth_offset, aaa_spi;	/* MIP-MN-AAA-Auth */
	struct { uint8_t len; uint8_t data[255]; } challenge;
	bool has_hoa, has_ha;
	struct in_addr hoa, ha;
	uint32_t features;
	uint32_t ha_to_fa_spi;	/* 323, 0 = absent */
	uint32_t auth_lifetime;	/* hint, 0 = absent */
	char originating_host[DM_ID_MAX], originating_realm[DM_ID_MAX];	/* 347 */
	char ha_host[DM_ID_MAX], ha_realm[DM_ID_MAX];			/* 348 */
	char ha_candidate[DM_ID_MAX];					/* 336 */
	bool service_update;	/* ours, C5 */
	bool has_previous_fa;
	struct in_addr previous_fa;	/* ours, D2 */
};
struct dm_ama {			/* AA-Mobile-Node-Answer */
	uint32_t result;
	char session[DM_SESSION_MAX], user[DM_ID_MAX], error[DM_ERROR_MAX], multi_session[DM_SESSION_MAX];
	char origin_host[DM_ID_MAX], origin_realm[DM_ID_MAX];
	uint32_t auth_lifetime, msa_lifetime;
	struct dm_bytes rrp;
	bool has_hoa, has_ha;
	struct in_addr hoa, ha;
	struct dm_msa fa_to_mn, fa_to_ha;	/* 326, 328: keys for the FA */
	/* 323, in an AAAF's own answer (D2), which has no rrp: under which the HA signs, and the MN too
	 * (doc/protocol.md); 0 = absent, and a success has an rrp */
	uint32_t ha_to_fa_spi;
	uint32_t features;
	bool has_previous_fa;
	struct in_addr previous_fa;
	struct dm_vpn vpn;
	uint8_t n_refused;
	struct dm_refused refused[DM_REFUSED_MAX];
};
struct dm_har {			/* Home-Agent-MIP-Request */
	char session[DM_SESSION_MAX], origin_host[DM_ID_MAX], origin_realm[DM_ID_MAX];
	char dest_realm[DM_ID_MAX], dest_host[DM_ID_MAX];
	char user[DM_ID_MAX];
	struct dm_bytes rrq;
	uint32_t auth_lifetime, msa_lifetime, features;
	bool has_hoa, has_ha;
	struct in_addr hoa, ha;
	struct dm_msa mn_to_ha;	/* 331: nonce */
	struct dm_msa mn_to_fa;	/* 325: nonce */
	struct dm_msa ha_to_mn;	/* 332: key */
	struct dm_msa ha_to_fa;	/* 329: key */
	char originating_host[DM_ID_MAX], originating_realm[DM_ID_MAX];
	struct dm_vpn vpn;
};
struct dm_haa {			/* Home-Agent-MIP-Answer */
	uint32_t result;
	char session[DM_SESSION_MAX], user[DM_ID_MAX], error[DM_ERROR_MAX], multi_session[DM_SESSION_MAX];
	char origin_host[DM_ID_MAX], origin_realm[DM_ID_MAX];
	struct dm_bytes rrp;
	bool has_hoa, has_ha;
	struct in_addr hoa, ha;
	uint32_t fa_to_ha_spi;	/* 318, chosen by the HA */
	uint32_t fa_to_mn_spi;	/* 319, chosen by the MN (its ext 40) */
	bool has_previous_fa;
	struct in_addr previous_fa;
	bool vpn_cached;	/* Profile-Cache */
	uint8_t n_refused;
	struct dm_refused refused[DM_REFUSED_MAX];
};
struct dm_end {			/* STR (agent -> AAAH) and ASR (AAAH -> agent): a session ends */
	char session[DM_SESSION_MAX], origin_host[DM_ID_MAX], origin_realm[DM_ID_MAX];
	char dest_realm[DM_ID_MAX], dest_host[DM_ID_MAX], user[DM_ID_MAX];
	uint32_t cause;		/* enum dm_termination; STR only */
};

void dm_vpn_wipe(struct dm_vpn *v);
void dm_amr_wipe(struct dm_amr *m);
void dm_ama_wipe(struct dm_ama *m);
void dm_har_wipe(struct dm_har *m);
void dm_haa_wipe(struct dm_haa *m);

#endif
