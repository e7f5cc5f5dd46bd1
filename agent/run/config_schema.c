/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The keys of mipvpn-agentd.conf; see lib/conf.h for how to read the tables and
 * conf/mipvpn-agentd.conf.sample for the same as a file.
 */
#include "agent/run/config.h"

static const char *const level_words[] = {"debug", "info", "notice", "warning", "error", NULL};
static const char *const algorithm_words[] = {"hmac-md5", "hmac-sha1", "hmac-sha256", "keyed-md5", NULL};

#define ROOT(m) CONF_FIELD(struct config, m)
#define FA(m) CONF_FIELD(struct config_fa, role.m)
#define HA(m) CONF_FIELD(struct config_ha, role.m)
#define VPN(m) CONF_FIELD(struct config_vpn, room.m)
#define PCN(m) CONF_FIELD(struct config_pcn, role.m)

static const struct conf_key root_keys[] = {
	{"user", CONF_STRING, ROOT(user), .min = 1, .def = "mipvpn", .doc = "user to become"},
	{"log-level", CONF_WORD, ROOT(log_level), .words = level_words, .def = "info",
	 .doc = "least level that is logged"},
	{"control-socket", CONF_STRING, ROOT(control_socket), .min = 1, .def = "/run/mipvpn/agentd.ctl",
	 .doc = "socket of mipvpnctl"},
	{"vici-socket", CONF_STRING, ROOT(vici_socket), .min = 1, .def = "/run/charon.vici",
	 .doc = "charon's VICI socket"},
	{"freediameter-conf", CONF_STRING, ROOT(freediameter_conf),
	 .doc = "freeDiameter configuration of this node"},
	{"helper", CONF_STRING, ROOT(helper),
	 .doc = "path of mipvpn-nethelper, when it is not where it was installed"},
	{"diameter-dumps", CONF_BOOL, ROOT(diameter_dumps), .def = "false",
	 .doc = "libfdcore's dumps of each message"},
	{"protect", CONF_PREFIX, CONF_LIST_FIELD(struct config, protect),
	 .doc = "enterprises' prefixes: dropped unless allowed"},
	{0}};

static const struct conf_key spi_keys[] = {{"spi", CONF_INT, CONF_FIELD(struct config_spi, spi), .min = 256,
					    .max = UINT32_MAX, .def = "256", .doc = "SPI"},
					   {"key-file", CONF_STRING, CONF_FIELD(struct config_spi, key_file),
					    .min = 1, .required = true, .doc = "64 hex digits"},
					   {0}};

static const struct conf_key sa_keys[] = {
	{"peer", CONF_IPV4, CONF_FIELD(struct config_sa, peer),
	 .doc = "agent's address, or the mobile node's home address"},
	{"nai", CONF_STRING, CONF_FIELD(struct config_sa, nai), .doc = "the mobile node's NAI"},
	{"spi", CONF_INT, CONF_FIELD(struct config_sa, spi), .min = MIP_SPI_MIN, .max = UINT32_MAX,
	 .required = true, .doc = "SPI"},
	{"algorithm", CONF_WORD, CONF_FIELD(struct config_sa, algorithm), .words = algorithm_words,
	 .def = "hmac-md5", .doc = "authenticator"},
	{"key-file", CONF_STRING, CONF_FIELD(struct config_sa, key_file), .min = 1, .required = true,
	 .doc = "64 hex digits"},
	{0}};

static const struct conf_key fa_keys[] = {
	{"care-of-address", CONF_IPV4, FA(coa), .required = true,
	 .doc = "care-of address, this gateway's address"},
	{"links", CONF_STRING, CONF_LIST_FIELD(struct config_fa, links), .min = 1, .required = true,
	 .doc = "interfaces with mobile nodes"},
	{"aaa", CONF_BOOL, FA(aaa), .def = "true", .doc = "registrations pass AAA"},
	{"lifetime-max", CONF_INT, FA(lifetime_max), .min = 1, .max = 65535, .def = "1800", .doc = "seconds"},
	{"advertisement-interval", CONF_INT, FA(adv_interval_ms), .max = 600000, .def = "1000",
	 .doc = "milliseconds"},
	{"advertisement-lifetime", CONF_INT, FA(adv_lifetime), .max = 9000, .def = "0",
	 .doc = "seconds; 0: three intervals"},
	{"advertisement-code16", CONF_BOOL, FA(icmp_code16), .def = "true", .doc = "not an ordinary router"},
	{"challenge", CONF_BOOL, FA(challenge), .def = "true", .doc = "RFC 4721 challenges"},
	{"challenge-window", CONF_INT, FA(challenge_window), .min = 2, .max = 64, .def = "2",
	 .doc = "challenges"},
	{"reverse-tunnel", CONF_BOOL, FA(reverse_tunnel), .def = "true", .doc = "RFC 3024"},
	{"reverse-tunnel-required", CONF_BOOL, FA(reverse_tunnel_required), .def = "false",
	 .doc = "RFC 3024"},
	{"pending-max", CONF_INT, FA(pending_max), .min = 1, .max = 65536, .def = "64",
	 .doc = "requests under way"},
	{"visitors-max", CONF_INT, FA(visitors_max), .min = 1, .max = 65536, .def = "4096",
	 .doc = "visitors"},
	{"aaa-timeout", CONF_INT, FA(aaa_timeout_ms), .min = 100, .max = 60000, .def = "7000",
	 .doc = "milliseconds"},
	{"vpn-timeout", CONF_INT, FA(vpn_timeout_ms), .min = 100, .max = 60000, .def = "4000",
	 .doc = "milliseconds"},
	{"smooth-handoff", CONF_BOOL, FA(smooth_handoff), .def = "true",
	 .doc = "forward to the next foreign agent what still arrives for who has moved on"},
	{"handoff-lifetime", CONF_INT, FA(handoff_lifetime), .min = 1, .max = 60, .def = "10",
	 .doc = "seconds, at most"},
	{"early-ike", CONF_BOOL, FA(early_ike), .def = "true",
	 .doc = "for a move: begin with IKE before the home agent has answered"},
	{"clock-skew", CONF_INT, FA(clock_skew_ms), .min = 1, .max = 3600000, .def = "7000",
	 .doc = "milliseconds"},
	{0}};

static const struct conf_key ha_keys[] = {
	{"address", CONF_IPV4, HA(addr), .required = true,
	 .doc = "home agent address, this gateway's address"},
	{"home-prefix", CONF_PREFIX, HA(home_prefix), .required = true, .doc = "home network"},
	{"home-link", CONF_STRING, HA(home_ifname), .doc = "interface of the home network; none: virtual"},
	{"lifetime-max", CONF_INT, HA(lifetime_max), .min = 1, .max = 65535, .def = "1800", .doc = "seconds"},
	{"advertisement-interval", CONF_INT, HA(adv_interval_ms), .max = 600000, .def = "1000",
	 .doc = "milliseconds"},
	{"clock-skew", CONF_INT, HA(clock_skew_ms), .min = 1, .max = 3600000, .def = "7000",
	 .doc = "milliseconds"},
	{"reverse-tunnel", CONF_BOOL, HA(reverse_tunnel), .def = "true", .doc = "RFC 3024"},
	{"reverse-tunnel-required", CONF_BOOL, HA(reverse_tunnel_required), .def = "false",
	 .doc = "RFC 3024"},
	{"bindings-max", CONF_INT, HA(bindings_max), .min = 1, .max = 65536, .def = "4096",
	 .doc = "bindings"},
	{"vpn-timeout", CONF_INT, HA(vpn_timeout_ms), .min = 100, .max = 60000, .def = "3000",
	 .doc = "milliseconds"},
	{"pool", CONF_PREFIX, HA(pool), .doc = "home addresses to give when the AAAH gave none"},
	{0}};

static const struct conf_key pcn_keys[] = {
	{"address", CONF_IPV4, PCN(addr), .required = true, .doc = "this gateway's address"},
	{"prefixes", CONF_PREFIX, CONF_LIST_FIELD(struct config_pcn, prefixes), .required = true,
	 .doc = "networks behind this gateway: its correspondents"},
	{"master-key-file", CONF_STRING, CONF_FIELD(struct config_pcn, key_file), .min = 1, .required = true,
	 .doc = "64 hex digits; the AAAH has the same key"},
	{"spi", CONF_INT, PCN(spi), .min = MIP_SPI_MIN, .max = UINT32_MAX, .def = "256",
	 .doc = "SPI of its authenticators"},
	{"lifetime-max", CONF_INT, PCN(lifetime_max), .min = 1, .max = 65535, .def = "1800",
	 .doc = "seconds"},
	{"request-percent", CONF_INT, PCN(request_percent), .min = 1, .max = 99, .def = "90",
	 .doc = "part of the lifetime after which it asks again"},
	{"clock-skew", CONF_INT, PCN(clock_skew_ms), .min = 1, .max = 3600000, .def = "7000",
	 .doc = "milliseconds"},
	{"bindings-max", CONF_INT, PCN(entries_max), .min = 1, .max = 65536, .def = "4096",
	 .doc = "bindings"},
	{"vpn-timeout", CONF_INT, PCN(vpn_timeout_ms), .min = 100, .max = 60000, .def = "2000",
	 .doc = "milliseconds"},
	{0}};

static const struct conf_key vpn_keys[] = {
	{"address", CONF_IPV4, VPN(self), .doc = "this gateway's address; default: of the role"},
	{"name-prefix", CONF_STRING, VPN(prefix), .min = 1, .def = "mipvpn", .doc = "of our names in charon"},
	{"esp-proposal", CONF_STRING, VPN(esp_proposal), .min = 1, .def = "aes128gcm16-curve25519",
	 .doc = "strongSwan's words"},
	{"ike-proposal", CONF_STRING, VPN(ike_proposal), .min = 1, .def = "aes128gcm16-prfsha256-curve25519",
	 .doc = "strongSwan's words"},
	{"audit-interval", CONF_INT, VPN(audit_ms), .min = 1000, .max = 3600000, .def = "30000",
	 .doc = "milliseconds"},
	{"initiate-max", CONF_INT, VPN(initiate_max), .min = 1, .max = 1000, .def = "24",
	 .doc = "tunnels under way"},
	{"initiate-timeout", CONF_INT, VPN(initiate_timeout_ms), .min = 100, .max = 60000, .def = "3000",
	 .doc = "milliseconds"},
	{"responder-wait", CONF_INT, VPN(responder_wait_ms), .min = 1000, .max = 600000, .def = "15000",
	 .doc = "milliseconds"},
	{"restore-time", CONF_INT, VPN(restore_ms), .min = 1000, .max = 600000, .def = "20000",
	 .doc = "milliseconds"},
	{"settle-time", CONF_INT, VPN(settle_ms), .min = 1, .max = 5000, .def = "20",
	 .doc = "milliseconds"},
	{"dpd-delay", CONF_INT, VPN(dpd_delay_s), .min = 1, .max = 3600, .def = "5", .doc = "seconds"},
	{"udp-encapsulation", CONF_BOOL, VPN(encap), .def = "false", .doc = "always, not only behind a NAT"},
	{"accept-early-ike", CONF_BOOL, VPN(take_early), .def = "true",
	 .doc = "HA, PCN: answer IKE_SA_INIT of gateways that this one has not been told of yet"},
	{"no-marks", CONF_BOOL, VPN(no_marks), .def = "false",
	 .doc = "no mark_in on our tunnels"},
	{0}};

static const struct conf_section sections[] = {
	{"default-spi", CONF_LIST_FIELD(struct config, default_spi), offsetof(struct config_spi, peer),
	 sizeof(((struct config_spi *)0)->peer), .keys = spi_keys,
	 .doc = "relation with another gateway; title: its address"},
	{"sa", CONF_LIST_FIELD(struct config, sa), offsetof(struct config_sa, name),
	 sizeof(((struct config_sa *)0)->name), .keys = sa_keys,
	 .doc = "configured Mobile IP security association"},
	{"fa", CONF_LIST_FIELD(struct config, fa), .keys = fa_keys, .most = 1,
	 .doc = "the role of a foreign agent"},
	{"ha", CONF_LIST_FIELD(struct config, ha), .keys = ha_keys, .most = 1,
	 .doc = "the role of a home agent"},
	{"pcn", CONF_LIST_FIELD(struct config, pcn), .keys = pcn_keys, .most = 1,
	 .doc = "the role of a proxy correspondent node"},
	{"vpn", CONF_LIST_FIELD(struct config, vpn), .keys = vpn_keys, .most = 1,
	 .doc = "VPN and tunnel control"},
	{0}};

const struct conf_schema config_schema = {sizeof(struct config), root_keys, sections};
