/* SPDX-License-Identifier: BSD-3-Clause
 *
 * struct vpn_profile <-> MIPVPN-Profile (requirement B1), and the key groups of RFC 4004 9.
 */
#include "diameter/field.h"

static const struct dm_field sla_fields[] = {
	DM_FIELD(DM_SLA_NAME, DM_TEXT, DM_REQ, struct vpn_profile, sla),
	DM_FIELD(DM_SLA_SOURCE_PREFIX, DM_PREFIX, DM_REQ, struct vpn_profile, sla_src),
	DM_FIELD(DM_SLA_DESTINATION_PREFIX, DM_PREFIX, DM_REQ, struct vpn_profile, sla_dst),
	DM_FIELD(DM_IKE_LOCAL_IDENTITY, DM_TEXT, DM_OPT, struct vpn_profile, ike_local),
	DM_FIELD(DM_IKE_REMOTE_IDENTITY, DM_TEXT, DM_OPT, struct vpn_profile, ike_remote),
	DM_FIELD(DM_IKE_PROPOSAL, DM_TEXT, DM_OPT, struct vpn_profile, ike_proposal),
	DM_FIELD(DM_PRE_SHARED_KEY, DM_KEY, DM_OPT, struct vpn_profile, psk),
	DM_FIELDS_END
};

static const struct dm_field pcn_key_fields[] = {
	DM_FIELD(DM_PCN_KEY_LABEL, DM_TEXT, DM_REQ, struct vpn_profile, bu_context),
	DM_FIELD_RANGE(DM_PCN_KEY, DM_KEY, DM_REQ, struct vpn_profile, bu_key, 32, 32),
	DM_FIELDS_END
};

const struct dm_field dm_refused_fields[] = {
	DM_FIELD(DM_PROFILE_NUMBER, DM_NUMBER, DM_REQ, struct dm_refused, number),
	DM_FIELD(DM_ERROR_MESSAGE, DM_NOTE, DM_OPT, struct dm_refused, text),
	DM_FIELDS_END
};

const struct dm_field dm_profile_fields[] = {
	DM_FIELD(DM_PROFILE_NUMBER, DM_NUMBER, DM_REQ, struct vpn_profile, number),
	DM_FIELD(DM_SOURCE_PREFIX, DM_PREFIX, DM_REQ, struct vpn_profile, src),
	DM_FIELD(DM_DESTINATION_PREFIX, DM_PREFIX, DM_REQ, struct vpn_profile, dst),
	DM_FIELD(DM_TOS_UP, DM_OCTET, DM_OPT, struct vpn_profile, tos_up),
	DM_FIELD(DM_TOS_DOWN, DM_OCTET, DM_OPT, struct vpn_profile, tos_down),
	DM_FIELD_RANGE(DM_SECURITY_TYPE, DM_NUMBER, DM_REQ, struct vpn_profile, security, VPN_SEC_ESP,
		       VPN_SEC_ENCAP),
	DM_FIELD(DM_SOURCE_GATEWAY, DM_INET, DM_REQ, struct vpn_profile, src_gw),
	DM_FIELD(DM_DESTINATION_GATEWAY, DM_INET, DM_REQ, struct vpn_profile, dst_gw),
	DM_FIELD_RANGE(DM_DESTINATION_GATEWAY_TYPE, DM_NUMBER, DM_REQ, struct vpn_profile, dst_gw_type,
		       VPN_GW_AGENT, VPN_GW_DYNAMIC),
	DM_FIELD(DM_SPI_UP, DM_NUMBER, DM_REQ, struct vpn_profile, spi_up),
	DM_FIELD(DM_SPI_DOWN, DM_NUMBER, DM_REQ, struct vpn_profile, spi_down),
	DM_FIELD(DM_ENCRYPTION_KEY, DM_KEY, DM_OPT, struct vpn_profile, enc_key),
	DM_FIELD(DM_AUTHENTICATION_KEY, DM_KEY, DM_OPT, struct vpn_profile, auth_key),
	DM_FIELD(DM_REQUIRED, DM_BOOL, DM_REQ, struct vpn_profile, required),
	DM_FIELD(DM_ESP_PROPOSAL, DM_TEXT, DM_OPT, struct vpn_profile, esp_proposal),
	DM_FIELD_GROUP(DM_SLA, DM_OPT, 0, sla_fields),
	DM_FIELD_GROUP(DM_PCN_KEY_MATERIAL, DM_OPT, 0, pcn_key_fields),
	DM_FIELDS_END
};

/* SPI, algorithm, key or nonce; the SPI of 325, 331 and 332 is optional because RFC 4004 gave it no code. */
#define MSA_SPI(avp, need) DM_FIELD(avp, DM_NUMBER, need, struct dm_msa, spi)
#define MSA_ALGORITHM DM_FIELD(DM_ALGORITHM_TYPE, DM_NUMBER, DM_REQ, struct dm_msa, algorithm)
#define MSA_REPLAY DM_FIELD_RANGE(DM_REPLAY_MODE, DM_NUMBER, DM_REQ, struct dm_msa, replay, 1, 3)
#define MSA_KEY DM_FIELD_RANGE(DM_SESSION_KEY, DM_KEY, DM_REQ, struct dm_msa, key, 16, DM_KEY_MAX)
#define MSA_NONCE DM_FIELD_RANGE(DM_NONCE, DM_KEY, DM_REQ, struct dm_msa, key, 16, DM_NONCE_MAX)

const struct dm_field dm_msa_mn_to_fa[] = {
	MSA_SPI(DM_MN_FA_SPI, DM_OPT), MSA_ALGORITHM, MSA_NONCE, DM_FIELDS_END
};
const struct dm_field dm_msa_fa_to_mn[] = {
	MSA_SPI(DM_FA_TO_MN_SPI, DM_REQ), MSA_ALGORITHM, MSA_KEY, DM_FIELDS_END
};
const struct dm_field dm_msa_fa_to_ha[] = {
	MSA_SPI(DM_FA_TO_HA_SPI, DM_REQ), MSA_ALGORITHM, MSA_KEY, DM_FIELDS_END
};
const struct dm_field dm_msa_ha_to_fa[] = {
	MSA_SPI(DM_HA_TO_FA_SPI, DM_REQ), MSA_ALGORITHM, MSA_KEY, DM_FIELDS_END
};
const struct dm_field dm_msa_mn_to_ha[] = {
	MSA_SPI(DM_MN_HA_SPI, DM_OPT), MSA_ALGORITHM, MSA_REPLAY, MSA_NONCE, DM_FIELDS_END
};
const struct dm_field dm_msa_ha_to_mn[] = {
	MSA_SPI(DM_HA_TO_MN_SPI, DM_OPT), MSA_ALGORITHM, MSA_REPLAY, MSA_KEY, DM_FIELDS_END
};
