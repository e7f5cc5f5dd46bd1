/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Mobile IPv4 messages: wire format <-> structs.  Pure: bytes in, structs out; no clock, no socket, no
 * allocation. RFC 5944 (base), 2794 (NAI), 3024 (reverse tunnel), 3115 (vendor), 3846 (NAI carrying), 3957
 * (key generation), 4721 (challenge, MN-AAA), 4917 (message string).  One file per message: rrq.c, rrp.c,
 * adv.c, ipudp.c; ext.c, auth.c.
 *
 * Decoded structs borrow the message: pointers into it are valid as long as the caller keeps the bytes.
 */
#ifndef MIPVPN_MIP_H
#define MIPVPN_MIP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/crypto.h"

#define MIP_PORT 434
#define MIP_MSG_MAX 4096	/* the longest message that we read or write */
#define MIP_NAI_MAX 254		/* without NUL */
#define MIP_CHALLENGE_MAX 254
#define MIP_LIFETIME_INFINITE 0xffff
#define MIP_SPI_MIN 256		/* 0..255 are reserved */
#define MIP_SPI_CHAP 2		/* RFC 4721 */
#ifdef MIPVPN_VENDOR_ID		/* configure --with-vendor-id */
#define MIP_VENDOR MIPVPN_VENDOR_ID
#else
#define MIP_VENDOR 32473u
#endif
#define MIP_VENDOR_SERVICE_UPDATE 1	/* NVSE vendor type: read the user's VPNs again (F7); no value */

enum mip_type { MIP_RRQ = 1, MIP_RRP = 3 };
enum mip_flag {
	MIP_S = 0x80, MIP_B = 0x40, MIP_D = 0x20, MIP_M = 0x10, MIP_G = 0x08, MIP_R = 0x04, MIP_T = 0x02,
	MIP_X = 0x01
};
enum mip_ext_type {
	MIP_EXT_PAD = 0, MIP_EXT_MN_HA = 32, MIP_EXT_MN_FA = 33, MIP_EXT_FA_HA = 34,
	MIP_EXT_GENERAL_AUTH = 36, MIP_EXT_CVSE = 38, MIP_EXT_MN_FA_KEYGEN_REQ = 40,
	MIP_EXT_MN_FA_KEYGEN_REP = 41, MIP_EXT_MN_HA_KEYGEN_REQ = 42, MIP_EXT_MN_HA_KEYGEN_REP = 43,
	MIP_EXT_FA_ERROR = 45, MIP_EXT_PFAN = 96, MIP_EXT_ENCAP_STYLE = 130, MIP_EXT_NAI = 131,
	MIP_EXT_CHALLENGE = 132, MIP_EXT_NVSE = 134, MIP_EXT_NAI_CARRY = 136, MIP_EXT_MESSAGE = 145
};
enum mip_code {
	MIP_ACCEPTED = 0, MIP_ACCEPTED_NO_SIMUL = 1, MIP_FA_UNSPECIFIED = 64, MIP_FA_PROHIBITED = 65,
	MIP_FA_RESOURCES = 66, MIP_FA_MN_AUTH = 67, MIP_FA_HA_AUTH = 68, MIP_FA_LIFETIME = 69,
	MIP_FA_POOR_REQUEST = 70, MIP_FA_POOR_REPLY = 71, MIP_FA_ENCAP = 72, MIP_FA_NO_TUNNEL = 74,
	MIP_FA_TUNNEL_MANDATORY = 75, MIP_FA_TTL = 76, MIP_FA_COA = 77, MIP_FA_TIMEOUT = 78,
	MIP_FA_STYLE = 79, MIP_FA_HOME_NET = 80, MIP_FA_HOME_HOST = 81, MIP_FA_HOME_PORT = 82,
	MIP_FA_HA_UNREACHABLE = 88, MIP_FA_NONZERO_HA = 90, MIP_FA_NONZERO_HOA = 96, MIP_FA_NO_NAI = 97,
	MIP_FA_NO_HA = 98, MIP_FA_NO_HOA = 99, MIP_FA_CVSE_MN = 100, MIP_FA_CVSE_HA = 101,
	MIP_FA_CHALLENGE_UNKNOWN = 104, MIP_FA_CHALLENGE_MISSING = 105, MIP_FA_CHALLENGE_STALE = 106,
	MIP_FA_NO_KEY = 107, MIP_FA_AAA_AUTH = 108, MIP_FA_HA_CHALLENGE = 109, MIP_HA_UNSPECIFIED = 128,
	MIP_HA_PROHIBITED = 129, MIP_HA_RESOURCES = 130, MIP_HA_MN_AUTH = 131, MIP_HA_FA_AUTH = 132,
	MIP_HA_IDENT = 133, MIP_HA_POOR_REQUEST = 134, MIP_HA_TOO_MANY = 135, MIP_HA_UNKNOWN_HA = 136,
	MIP_HA_NO_TUNNEL = 137, MIP_HA_TUNNEL_MANDATORY = 138, MIP_HA_ENCAP = 139, MIP_HA_CVSE_MN = 140,
	MIP_HA_CVSE_FA = 141, MIP_HA_AAA_AUTH = 144, MIP_FA_INVALID_HA = 194
};
const char *mip_code_str(uint8_t code);	/* static text in words; "unknown code" */

/* Why a message was refused by the codec.  MIP_REJ_OK is 0. */
enum mip_reject {
	MIP_REJ_OK, MIP_REJ_TRUNCATED, MIP_REJ_TYPE, MIP_REJ_TOO_LONG, MIP_REJ_EXT_LENGTH,
	MIP_REJ_EXT_UNKNOWN, MIP_REJ_EXT_DUPLICATE, MIP_REJ_EXT_ORDER, MIP_REJ_NAI, MIP_REJ_SPI,
	MIP_REJ_CVSE, MIP_REJ_CHECKSUM, MIP_REJ_HEADER
};
const char *mip_reject_str(enum mip_reject r);	/* static, fits in a counter name: "ext_length" */

/* An authentication extension: 32, 33, 34 or 36/1. */
struct mip_auth {
	bool present;
	uint32_t spi;
	const uint8_t *mac;	/* borrowed */
	uint16_t mac_len;
	uint16_t start;		/* offset of the extension in the message */
	uint16_t covered;	/* MAC input = message[0..covered): up to and with the SPI (RFC 5944 5.2.1) */
};
struct mip_bytes {		/* borrowed; len 0 = absent */
	const uint8_t *data;
	uint16_t len;
	uint16_t start;		/* offset of its extension */
};
struct mip_keygen_req { bool present; uint32_t spi; };	/* RFC 3957 4, 6 */
struct mip_keygen_rep {					/* RFC 3957 5, 7 */
	bool present;
	uint32_t lifetime, aaa_spi, spi;
	uint16_t algorithm;	/* 2 = HMAC-SHA1 */
	uint16_t replay;	/* MN-HA only: 2 timestamps, 3 nonces */
	struct mip_bytes nonce;
};

struct mip_rrq {
	uint8_t flags;
	uint16_t lifetime;	/* s */
	struct in_addr hoa, ha, coa;
	uint64_t ident;
	char nai[MIP_NAI_MAX + 1];	/* "" = absent; checked: printable, one '@' at most, no NUL */
	char ha_nai[MIP_NAI_MAX + 1], aaah_nai[MIP_NAI_MAX + 1];	/* ext 136 */
	struct mip_bytes challenge;
	struct mip_keygen_req mn_fa_key, mn_ha_key;
	struct mip_auth mn_ha, mn_fa, fa_ha, mn_aaa;
	bool encap_style;	/* ext 130 */
	bool service_update;	/* our NVSE */
	bool cvse;		/* a critical vendor extension that is not ours */
	struct mip_bytes pfan;	/* ext 96, undecoded */
	const uint8_t *raw;	/* the message */
	uint16_t raw_len;
	/* Bytes that an FA relays: up to the end of the last extension meant for the HA (32, and 132 + 36
	 * when 36 is present; RFC 5944 3.7.3, RFC 4721 3.2). */
	uint16_t ha_part;
};
/* Unknown 0..127 is MIP_REJ_EXT_UNKNOWN, unknown 128..255 is skipped.  On a reject that comes after the fixed
 * part the fixed fields of out are filled in, so that an answer can be built (code 70 / 134); out->raw is
 * NULL when not. */
enum mip_reject mip_rrq_decode(const void *msg, size_t len, struct mip_rrq *out);

struct mip_rrp {
	uint8_t code;
	uint16_t lifetime;
	struct in_addr hoa, ha;
	uint64_t ident;
	char nai[MIP_NAI_MAX + 1], ha_nai[MIP_NAI_MAX + 1], aaah_nai[MIP_NAI_MAX + 1];
	struct mip_bytes challenge;
	struct mip_keygen_rep mn_fa_key, mn_ha_key;
	struct mip_auth mn_ha, mn_fa, fa_ha;
	struct mip_bytes message;	/* ext 145 text, UTF-8 */
	uint8_t message_from;	/* 1 HA, 2 FA */
	uint8_t fa_error;	/* ext 45 status, 0 = none */
	bool cvse;
	const uint8_t *raw;
	uint16_t raw_len;
	/* Bytes that an FA relays to the MN: up to the end of 32 (43 and 41 lie in front of it); without 32
	 * up to 34. */
	uint16_t mn_part;
};
enum mip_reject mip_rrp_decode(const void *msg, size_t len, struct mip_rrp *out);

/* --- writing: the fixed part first, then extensions in the order of the RFC, then authenticators --- */
void mip_rrq_put(struct wbuf *w, uint8_t flags, uint16_t lifetime, struct in_addr hoa, struct in_addr ha,
		 struct in_addr coa, uint64_t ident);
void mip_rrp_put(struct wbuf *w, uint8_t code, uint16_t lifetime, struct in_addr hoa, struct in_addr ha,
		 uint64_t ident);
void mip_ext_put_nai(struct wbuf *w, const char *nai);
void mip_ext_put_nai_carry(struct wbuf *w, uint8_t subtype, const char *nai);	/* 1 HA, 2 AAAH */
void mip_ext_put_challenge(struct wbuf *w, const void *challenge, size_t len);
void mip_ext_put_keygen_req(struct wbuf *w, uint8_t type, uint32_t spi);	/* 40 or 42 */
/* 41 or 43 */
void mip_ext_put_keygen_rep(struct wbuf *w, uint8_t type, uint32_t lifetime, uint32_t aaa_spi, uint32_t spi,
			    uint16_t algorithm, uint16_t replay, const void *nonce, size_t nonce_len);
/* Cut to 253 bytes on a UTF-8 border. */
void mip_ext_put_message(struct wbuf *w, uint8_t from, const char *text);
void mip_ext_put_fa_error(struct wbuf *w, uint8_t status);
void mip_ext_put_encap_style(struct wbuf *w);
void mip_ext_put_nvse(struct wbuf *w, uint32_t vendor, uint16_t type, const void *value, size_t len);
/* 32, 33, 34: computes over all that w holds (w must hold the message from its first byte). */
void mip_ext_put_auth(struct wbuf *w, uint8_t type, uint32_t spi, enum crypto_mac alg, const void *key,
		      size_t key_len);
/* 36/1 MN-AAA.  alg CRYPTO_CHAP_MD5 needs the challenge (RFC 4721 section 8) and writes SPI 2 form. */
void mip_ext_put_mn_aaa(struct wbuf *w, uint32_t spi, enum crypto_mac alg, const void *key, size_t key_len,
			const void *challenge, size_t challenge_len);

/* --- Previous Foreign Agent Notification, extension 96 (draft-ietf-mobileip-optim-09 4.5; doc/moves.md) ---
 * The authenticator is the mobile node's, under the MN-FA association with the previous foreign agent, over
 * the Binding Update that this request stands for: 18, A|I, lifetime, home address, new care-of address,
 * Identification of the request, then 36, subtype 201, Length, SPI. */
struct mip_pfan {
	uint16_t lifetime;	/* s; 0 = the previous FA only forgets */
	struct in_addr previous_fa, coa;
	uint32_t spi;
	const uint8_t *mac;	/* borrowed */
	uint16_t mac_len;
};
bool mip_pfan_get(const struct mip_rrq *q, struct mip_pfan *out);	/* false: absent or malformed */
bool mip_pfan_check(const struct mip_rrq *q, enum crypto_mac alg, const void *key, size_t key_len);
/* w holds the fixed part of the request from its first byte: home address and Identification are taken from
 * it.  p->mac is made, not read. */
void mip_ext_put_pfan(struct wbuf *w, const struct mip_pfan *p, enum crypto_mac alg, const void *key,
		      size_t key_len);

/* --- authentication --- */
/* True when the authenticator of a is right for message msg. */
bool mip_auth_check(const struct mip_auth *a, const uint8_t *msg, enum crypto_mac alg, const void *key,
		    size_t key_len);
/* MN-AAA as the AAAH sees it (RFC 4004 AVPs 338-340): input = msg[0..input_len).  The challenge counts only
 * for CRYPTO_CHAP_MD5. */
bool mip_mn_aaa_check(const uint8_t *input, size_t input_len, const uint8_t *mac, size_t mac_len,
		      enum crypto_mac alg, const void *key, size_t key_len, const void *challenge,
		      size_t challenge_len);
/* RFC 3957 5: HMAC-SHA1(aaa_key, nonce || NAI bytes, or the 4-byte home address when nai is ""), 20 bytes. */
int mip_keygen_derive(const void *aaa_key, size_t key_len, const void *nonce, size_t nonce_len,
		      const char *nai, struct in_addr hoa, uint8_t out[20]);

/* --- Identification, timestamp style (RFC 5944 5.7.1): high 32 bits NTP seconds, low 32 fraction --- */
#define MIP_NTP_UNIX 2208988800u
uint64_t mip_ident_from_unix_ms(uint64_t unix_ms, uint32_t low_noise);
/* Difference a - b in ms with the NTP era unfolded (2036). */
int64_t mip_ident_diff_ms(uint64_t a, uint64_t b);
/* Unix ms of a timestamp that is within 68 years of near_ms; 0 = before 1970. */
uint64_t mip_ident_unix_ms(uint64_t ident, uint64_t near_ms);
/* a is later than b (replay protection compares all 64 bits, across the era too). */
bool mip_ident_later(uint64_t a, uint64_t b);

/* --- agent advertisement and solicitation: ICMP, from its type byte (RFC 5944 2.1; ext 16, 19, 24) --- */
enum mip_adv_flag {
	MIP_ADV_R = 0x8000, MIP_ADV_B = 0x4000, MIP_ADV_H = 0x2000, MIP_ADV_F = 0x1000, MIP_ADV_M = 0x0800,
	MIP_ADV_G = 0x0400, MIP_ADV_T = 0x0100, MIP_ADV_U = 0x0080, MIP_ADV_X = 0x0040, MIP_ADV_I = 0x0020
};
#define MIP_ADV_COA_MAX 8
struct mip_adv {
	uint8_t icmp_code;	/* 0 or 16 */
	uint16_t icmp_lifetime;	/* s */
	struct in_addr router;	/* first router address */
	bool has_router;
	uint8_t prefix_len;	/* ext 19, of router; 255 = absent */
	uint16_t sequence;
	uint16_t reg_lifetime;
	uint16_t flags;
	uint8_t n_coa;
	struct in_addr coa[MIP_ADV_COA_MAX];
	uint8_t challenge_len;	/* ext 24 */
	uint8_t challenge[MIP_CHALLENGE_MAX];
};
/* The ICMP checksum is checked, and made. */
enum mip_reject mip_adv_decode(const void *icmp, size_t len, struct mip_adv *out);
void mip_adv_put(struct wbuf *w, const struct mip_adv *a);
bool mip_solicit_ok(const void *icmp, size_t len);
void mip_solicit_put(struct wbuf *w);

/* --- IPv4 + UDP/ICMP frames without the link header (packet sockets, user-space IP-in-IP) --- */
struct mip_ip {
	struct in_addr src, dst;
	uint8_t ttl, proto;
	uint16_t sport, dport;		/* UDP only */
	const uint8_t *payload;		/* UDP: after the UDP header; else after the IP header; borrowed */
	uint16_t payload_len;
};
/* Checks the header and UDP checksums; refuses fragments. */
enum mip_reject mip_ip_decode(const void *packet, size_t len, struct mip_ip *out);
/* Writes the whole packet with checksums (UDP when p->proto is IPPROTO_UDP).  DF is not set. */
void mip_ip_put(struct wbuf *w, const struct mip_ip *p, uint16_t id);

#endif
