/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Profiles of the fast lab for the VPN room's unit tests.
 */
#ifndef MIPVPN_TESTS_PROFILES_H
#define MIPVPN_TESTS_PROFILES_H

#include <arpa/inet.h>
#include <string.h>

#include "lib/vpn_profile.h"

#define FA "198.51.100.11"
#define FA2 "198.51.100.12"
#define HA "198.51.100.21"
#define GW "198.51.100.31"

static inline struct in_addr addr_of(const char *text)
{
	struct in_addr a = {0};

	inet_pton(AF_INET, text, &a);
	return a;
}

static inline struct vpn_profile profile_of(unsigned number, const char *src_gw, const char *dst_gw)
{
	struct vpn_profile p;

	memset(&p, 0, sizeof(p));
	p.number = number;
	p.src.addr.s_addr = htonl(0x0a010000 + 9 + number); /* 10.1.0.10 is number 1 */
	p.src.len = 32;
	vpn_prefix_parse("10.9.0.0/24", &p.dst);
	p.tos_up = 0xb8;
	p.tos_down = 0x88;
	p.security = VPN_SEC_ESP;
	p.src_gw = addr_of(src_gw);
	p.dst_gw = addr_of(dst_gw);
	p.spi_up = 1000 + number;
	p.spi_down = 2000 + number;
	p.enc_key.len = p.auth_key.len = 32;
	memset(p.enc_key.data, 'E', 32);
	memset(p.auth_key.data, 'A', 32);
	p.required = true;
	return p;
}

static inline struct vpn_profile profile_fa_ha(unsigned number)
{
	return profile_of(number, FA, HA);
}

/* At a gateway behind which nothing goes on. */
static inline struct vpn_profile profile_dynamic(unsigned number, const char *src_gw, const char *dst_gw)
{
	struct vpn_profile p = profile_of(number, src_gw, dst_gw);

	p.dst_gw_type = VPN_GW_DYNAMIC;
	return p;
}

static inline struct vpn_profile profile_default(unsigned number)
{
	struct vpn_profile p = profile_fa_ha(number);

	p.spi_up = p.spi_down = VPN_SPI_DEFAULT;
	memset(&p.enc_key, 0, sizeof(p.enc_key));
	memset(&p.auth_key, 0, sizeof(p.auth_key));
	return p;
}

static inline struct vpn_profile profile_ha_gw(unsigned number)
{
	struct vpn_profile p = profile_of(number, HA, GW);

	p.dst_gw_type = VPN_GW_STATIC;
	strcpy(p.sla, "acme");
	vpn_prefix_parse("10.1.0.0/24", &p.sla_src);
	vpn_prefix_parse("10.9.0.0/24", &p.sla_dst);
	strcpy(p.ike_local, "ha.home.test");
	strcpy(p.ike_remote, "gw.acme.test");
	p.psk.len = 7;
	memcpy(p.psk.data, "sla-psk", 7);
	return p;
}

#endif
