/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reply codes (RFC 5944 3.4 and its extensions) and the codec's reasons, in words.
 */
#include "agent/mip/mip.h"

static const char *const codes[256] = {
	[MIP_ACCEPTED] = "accepted",
	[MIP_ACCEPTED_NO_SIMUL] = "accepted, no simultaneous bindings",
	[MIP_FA_UNSPECIFIED] = "foreign agent: reason unspecified",
	[MIP_FA_PROHIBITED] = "foreign agent: administratively prohibited",
	[MIP_FA_RESOURCES] = "foreign agent: insufficient resources",
	[MIP_FA_MN_AUTH] = "foreign agent: mobile node failed authentication",
	[MIP_FA_HA_AUTH] = "foreign agent: home agent failed authentication",
	[MIP_FA_LIFETIME] = "foreign agent: requested lifetime too long",
	[MIP_FA_POOR_REQUEST] = "foreign agent: poorly formed request",
	[MIP_FA_POOR_REPLY] = "foreign agent: poorly formed reply",
	[MIP_FA_ENCAP] = "foreign agent: encapsulation unavailable",
	[MIP_FA_NO_TUNNEL] = "foreign agent: reverse tunnel unavailable",
	[MIP_FA_TUNNEL_MANDATORY] = "foreign agent: reverse tunnel is mandatory",
	[MIP_FA_TTL] = "foreign agent: mobile node too distant",
	[MIP_FA_COA] = "foreign agent: invalid care-of address",
	[MIP_FA_TIMEOUT] = "foreign agent: registration timeout",
	[MIP_FA_STYLE] = "foreign agent: delivery style not supported",
	[MIP_FA_HOME_NET] = "foreign agent: home network unreachable",
	[MIP_FA_HOME_HOST] = "foreign agent: home agent host unreachable",
	[MIP_FA_HOME_PORT] = "foreign agent: home agent port unreachable",
	[MIP_FA_HA_UNREACHABLE] = "foreign agent: home agent unreachable",
	[MIP_FA_NONZERO_HA] = "foreign agent: home agent address must not be zero",
	[MIP_FA_NONZERO_HOA] = "foreign agent: home address must not be zero",
	[MIP_FA_NO_NAI] = "foreign agent: NAI is missing",
	[MIP_FA_NO_HA] = "foreign agent: home agent is missing",
	[MIP_FA_NO_HOA] = "foreign agent: home address is missing",
	[MIP_FA_CVSE_MN] = "foreign agent: cannot interpret the mobile node's vendor extension",
	[MIP_FA_CVSE_HA] = "foreign agent: cannot interpret the home agent's vendor extension",
	[MIP_FA_CHALLENGE_UNKNOWN] = "foreign agent: unknown challenge",
	[MIP_FA_CHALLENGE_MISSING] = "foreign agent: missing challenge",
	[MIP_FA_CHALLENGE_STALE] = "foreign agent: stale challenge",
	[MIP_FA_NO_KEY] = "foreign agent: missing mobile-foreign key",
	[MIP_FA_AAA_AUTH] = "foreign agent: mobile node failed AAA authentication",
	[MIP_FA_HA_CHALLENGE] = "foreign agent: home agent returned a wrong challenge",
	[MIP_HA_UNSPECIFIED] = "home agent: reason unspecified",
	[MIP_HA_PROHIBITED] = "home agent: administratively prohibited",
	[MIP_HA_RESOURCES] = "home agent: insufficient resources",
	[MIP_HA_MN_AUTH] = "home agent: mobile node failed authentication",
	[MIP_HA_FA_AUTH] = "home agent: foreign agent failed authentication",
	[MIP_HA_IDENT] = "home agent: identification mismatch",
	[MIP_HA_POOR_REQUEST] = "home agent: poorly formed request",
	[MIP_HA_TOO_MANY] = "home agent: too many simultaneous bindings",
	[MIP_HA_UNKNOWN_HA] = "home agent: unknown home agent address",
	[MIP_HA_NO_TUNNEL] = "home agent: reverse tunnel unavailable",
	[MIP_HA_TUNNEL_MANDATORY] = "home agent: reverse tunnel is mandatory",
	[MIP_HA_ENCAP] = "home agent: encapsulation unavailable",
	[MIP_HA_CVSE_MN] = "home agent: cannot interpret the mobile node's vendor extension",
	[MIP_HA_CVSE_FA] = "home agent: cannot interpret the foreign agent's vendor extension",
	[MIP_HA_AAA_AUTH] = "home agent: mobile node failed AAA authentication",
	[MIP_FA_INVALID_HA] = "foreign agent: invalid home agent address",
};

static const char *const rejects[] = {
	[MIP_REJ_OK] = "ok",
	[MIP_REJ_TRUNCATED] = "truncated",
	[MIP_REJ_TYPE] = "type",
	[MIP_REJ_TOO_LONG] = "too_long",
	[MIP_REJ_EXT_LENGTH] = "ext_length",
	[MIP_REJ_EXT_UNKNOWN] = "ext_unknown",
	[MIP_REJ_EXT_DUPLICATE] = "ext_duplicate",
	[MIP_REJ_EXT_ORDER] = "ext_order",
	[MIP_REJ_NAI] = "nai",
	[MIP_REJ_SPI] = "spi",
	[MIP_REJ_CVSE] = "cvse",
	[MIP_REJ_CHECKSUM] = "checksum",
	[MIP_REJ_HEADER] = "header",
};

const char *mip_code_str(uint8_t code)
{
	return codes[code] ? codes[code] : "unknown code";
}

const char *mip_reject_str(enum mip_reject r)
{
	return (size_t)r < sizeof(rejects) / sizeof(rejects[0]) ? rejects[r] : "unknown";
}
