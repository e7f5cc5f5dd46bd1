/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VPN profile: prefixes, checks, comparison and the key material that follows from it
 * (lib/vpn_profile.h). Its JSON codec is vpn_json.c.
 */
#include "lib/vpn_profile.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/hex.h"

static uint32_t prefix_mask(uint8_t len)
{
	return len ? UINT32_MAX << (32 - len) : 0;
}

static bool prefix_valid(const struct vpn_prefix *p)
{
	return p->len <= 32 && !(ntohl(p->addr.s_addr) & ~prefix_mask(p->len));
}

/* 0..32 without sign, blank or leading zero; -1 otherwise. */
static int prefix_len_parse(const char *s)
{
	int v = 0;

	if (!*s || strlen(s) > 2 || (s[0] == '0' && s[1]))
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		v = 10 * v + (*s - '0');
	}
	return v <= 32 ? v : -1;
}

bool vpn_prefix_parse(const char *text, struct vpn_prefix *out)
{
	char addr[INET_ADDRSTRLEN];
	size_t n = strcspn(text, "/");
	int len = text[n] ? prefix_len_parse(text + n + 1) : 32;

	memset(out, 0, sizeof(*out));
	if (len < 0 || n >= sizeof(addr))
		return false;
	memcpy(addr, text, n);
	addr[n] = '\0';
	if (inet_pton(AF_INET, addr, &out->addr) != 1)
		return false;
	out->len = (uint8_t)len;
	return prefix_valid(out);
}

const char *vpn_prefix_str(const struct vpn_prefix *p, char buf[VPN_PREFIX_STRLEN])
{
	char addr[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &p->addr, addr, sizeof(addr));
	snprintf(buf, VPN_PREFIX_STRLEN, "%s/%u", addr, p->len);
	return buf;
}

bool vpn_prefix_has(const struct vpn_prefix *p, struct in_addr a)
{
	return p->len <= 32 && !((ntohl(p->addr.s_addr) ^ ntohl(a.s_addr)) & prefix_mask(p->len));
}

bool vpn_prefix_equal(const struct vpn_prefix *a, const struct vpn_prefix *b)
{
	return a->addr.s_addr == b->addr.s_addr && a->len == b->len;
}

/* NUL-terminated, and of nothing that could end a value in a configuration or a log line. */
static bool text_ok(const char *s, size_t size, const char *more)
{
	size_t n = strnlen(s, size);

	for (size_t i = 0; i < n; i++) {
		bool alnum = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9');

		if (!alnum && !strchr(more, s[i]))
			return false;
	}
	return n < size;
}

bool vpn_proposal_ok(const char proposal[VPN_NAME_MAX])
{
	return text_ok(proposal, VPN_NAME_MAX, "-_,");
}

static bool printable(const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	for (size_t i = 0; i < n; i++) {
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	}
	return n < size;
}

static bool uses_default_spi(const struct vpn_profile *p)
{
	return p->spi_up == VPN_SPI_DEFAULT && p->spi_down == VPN_SPI_DEFAULT;
}

static const char *check_selectors(const struct vpn_profile *p)
{
	if (!prefix_valid(&p->src) || p->src.len != 32)
		return "source is not one host address";
	if (!prefix_valid(&p->dst))
		return "destination is not a network address";
	if ((p->tos_up | p->tos_down) & 3)
		return "TOS has ECN bits set";
	return NULL;
}

static const char *check_gateways(const struct vpn_profile *p)
{
	if (!p->src_gw.s_addr || !p->dst_gw.s_addr)
		return "a gateway address is missing";
	if (p->src_gw.s_addr == p->dst_gw.s_addr)
		return "source and destination gateway are the same";
	if ((unsigned)p->dst_gw_type > VPN_GW_HANDOFF)
		return "unknown type of gateway";
	return NULL;
}

static const char *check_keys(const struct vpn_profile *p)
{
	bool keys = p->enc_key.len || p->auth_key.len;

	if (p->enc_key.len > VPN_KEY_MAX || p->auth_key.len > VPN_KEY_MAX || p->psk.len > VPN_KEY_MAX)
		return "a key is too long";
	if (p->spi_up < VPN_SPI_DEFAULT || p->spi_down < VPN_SPI_DEFAULT)
		return "SPI below 256 is reserved";
	if (uses_default_spi(p))
		return keys ? "keys with the default SPI" : NULL;
	/* What guards the way to a static gateway is the contract's, not the user's. */
	if (!keys && p->security != VPN_SEC_ENCAP && p->dst_gw_type != VPN_GW_STATIC)
		return "no keys for the user's own SPI";
	return NULL;
}

static const char *check_sla(const struct vpn_profile *p)
{
	if (!text_ok(p->sla, sizeof(p->sla), "-"))
		return "malformed SLA name";
	if (!printable(p->ike_local, sizeof(p->ike_local)) ||
	    !printable(p->ike_remote, sizeof(p->ike_remote)))
		return "malformed IKE identity";
	if (p->dst_gw_type != VPN_GW_STATIC)
		return NULL;
	if (!p->sla[0])
		return "a static gateway needs an SLA";
	if (!prefix_valid(&p->sla_src) || !prefix_valid(&p->sla_dst))
		return "malformed SLA selector";
	return NULL;
}

/* The context goes into key derivations and on the wire. */
static const char *check_bu(const struct vpn_profile *p)
{
	if (!text_ok(p->bu_context, sizeof(p->bu_context), "-"))
		return "malformed context of the Binding Update key";
	if (!p->bu_key.len != !p->bu_context[0])
		return "the Binding Update key and its context belong together";
	if (p->bu_key.len && (p->bu_key.len != 32 || p->dst_gw_type != VPN_GW_DYNAMIC))
		return "malformed Binding Update key";
	return NULL;
}

const char *vpn_profile_check(const struct vpn_profile *p)
{
	const char *why = check_selectors(p);

	if (!p->number)
		return "profile number is zero";
	if (p->security < VPN_SEC_ESP || p->security > VPN_SEC_ENCAP)
		return "unknown security type";
	if (!vpn_proposal_ok(p->esp_proposal) || !vpn_proposal_ok(p->ike_proposal))
		return "malformed proposal";
	if (!why)
		why = check_gateways(p);
	if (!why)
		why = check_keys(p);
	if (!why)
		why = check_bu(p);
	return why ? why : check_sla(p);
}

static bool key_equal(const struct vpn_key *a, const struct vpn_key *b)
{
	return a->len == b->len && a->len <= VPN_KEY_MAX && crypto_equal(a->data, b->data, a->len);
}

static bool sla_equal(const struct vpn_profile *a, const struct vpn_profile *b)
{
	return !strcmp(a->sla, b->sla) && vpn_prefix_equal(&a->sla_src, &b->sla_src) &&
	       vpn_prefix_equal(&a->sla_dst, &b->sla_dst) && !strcmp(a->ike_local, b->ike_local) &&
	       !strcmp(a->ike_remote, b->ike_remote) && !strcmp(a->ike_proposal, b->ike_proposal) &&
	       key_equal(&a->psk, &b->psk);
}

bool vpn_profile_equal(const struct vpn_profile *a, const struct vpn_profile *b)
{
	return a->number == b->number && vpn_prefix_equal(&a->src, &b->src) &&
	       vpn_prefix_equal(&a->dst, &b->dst) && a->tos_up == b->tos_up && a->tos_down == b->tos_down &&
	       a->security == b->security && a->src_gw.s_addr == b->src_gw.s_addr &&
	       a->dst_gw.s_addr == b->dst_gw.s_addr && a->dst_gw_type == b->dst_gw_type &&
	       a->spi_up == b->spi_up && a->spi_down == b->spi_down && a->required == b->required &&
	       !strcmp(a->esp_proposal, b->esp_proposal) && key_equal(&a->enc_key, &b->enc_key) &&
	       key_equal(&a->auth_key, &b->auth_key) && sla_equal(a, b);
}

/* HKDF over both keys; purpose keeps the PSK and its public name apart. */
static int derive(const struct vpn_profile *p, const char *purpose, uint8_t *out, size_t out_len)
{
	uint8_t ikm[2 * VPN_KEY_MAX], info[32];
	struct wbuf k, i;
	int rc = -1;

	wbuf_init(&k, ikm, sizeof(ikm));
	wbuf_init(&i, info, sizeof(info));
	wbuf_bytes(&i, purpose, strlen(purpose));
	wbuf_u32(&i, p->number);
	wbuf_u32(&i, p->spi_up);
	wbuf_u32(&i, p->spi_down);
	if (p->enc_key.len <= VPN_KEY_MAX && p->auth_key.len <= VPN_KEY_MAX) {
		wbuf_bytes(&k, p->enc_key.data, p->enc_key.len);
		wbuf_bytes(&k, p->auth_key.data, p->auth_key.len);
	}
	memset(out, 0, out_len);
	if (k.len && wbuf_ok(&i))
		rc = crypto_hkdf_sha256(ikm, k.len, "mipvpn", 6, info, i.len, out, out_len);
	crypto_wipe(ikm, sizeof(ikm));
	return rc;
}

int vpn_profile_psk(const struct vpn_profile *p, uint8_t psk[32])
{
	return derive(p, "ike-psk", psk, 32);
}

int vpn_profile_kid(const struct vpn_profile *p, char kid[9])
{
	uint8_t name[4];
	int rc = derive(p, "ike-kid", name, sizeof(name));

	hex_encode(name, sizeof(name), kid);
	return rc;
}

int vpn_profile_ike_id(const struct vpn_profile *p, struct in_addr gateway, char out[VPN_ID_MAX])
{
	char kid[9], addr[INET_ADDRSTRLEN];

	if (!p->enc_key.len && !p->auth_key.len)
		memcpy(kid, "shared", 7);
	else if (vpn_profile_kid(p, kid) < 0)
		return -1;
	inet_ntop(AF_INET, &gateway, addr, sizeof(addr));
	snprintf(out, VPN_ID_MAX, "%u-%u-%u-%s@%s", p->number, p->spi_up, p->spi_down, kid, addr);
	return 0;
}

void vpn_profile_wipe(struct vpn_profile *p)
{
	crypto_wipe(p, sizeof(*p));
}
