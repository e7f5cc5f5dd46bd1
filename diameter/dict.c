/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tables in, dictionary objects out.
 *
 * Rules are as in RFC 4004's ABNF for requests: libfdcore then answers a request that violates them by
 * itself.  Answers and the key groups that answers carry get them in a weak form, "any number": libfdcore
 * 1.2.1 drops an answer that says success and violates its ABNF without telling anybody, so the codec checks
 * these and says what is wrong.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "diameter/dict.h"

const struct dm_avp_id dm_avp_ids[DM_AVP_COUNT] = {
#define BASE(symbol, code, name) [symbol] = { code, 0, name },
#define RFC4004(symbol, code, name, base, derived, section) [symbol] = { code, 0, name },
#define OURS(symbol, code, name, base, derived) [symbol] = { code, MIPVPN_VENDOR_ID, name },
#include "diameter/avps.def"
#undef BASE
#undef RFC4004
#undef OURS
};

static const struct avp_type {
	enum dict_avp_basetype base;
	const char *derived;
	bool define;		/* false: libfdcore has it */
} types[DM_AVP_COUNT] = {
#define BASE(symbol, code, name)
#define RFC4004(symbol, code, name, base, derived, section) [symbol] = { AVP_TYPE_ ## base, derived, true },
#define OURS(symbol, code, name, base, derived) [symbol] = { AVP_TYPE_ ## base, derived, true },
#include "diameter/avps.def"
#undef BASE
#undef RFC4004
#undef OURS
};

static const struct enum_value {
	const char *type, *name;
	int32_t value;
} enum_values[] = {
	{ "Enumerated(MIP-Algorithm-Type)", "HMAC-SHA-1 [HMAC]", 2 },
	{ "Enumerated(MIP-Replay-Mode)", "None", 1 },
	{ "Enumerated(MIP-Replay-Mode)", "Timestamp", 2 },
	{ "Enumerated(MIP-Replay-Mode)", "Nonce", 3 },
};

static const struct result_name {
	const char *name;
	uint32_t value;
} result_names[] = {	/* RFC 4004 6 */
	{ "DIAMETER_ERROR_MIP_REPLY_FAILURE", 4005 },
	{ "DIAMETER_ERROR_HA_NOT_AVAILABLE", 4006 },
	{ "DIAMETER_ERROR_BAD_KEY", 4007 },
	{ "DIAMETER_ERROR_MIP_FILTER_NOT_SUPPORTED", 4008 },
	{ "DIAMETER_ERROR_NO_FOREIGN_HA_SERVICE", 5024 },
	{ "DIAMETER_ERROR_END_TO_END_MIP_KEY_ENCRYPTION", 5025 },
};

/* One member of an ABNF, marked as RFC 6733 3.2 writes it: < first, { required, [ at most one, * any
 * number. */
struct member {
	char how;
	enum dm_avp avp;
};
#define END_OF_ABNF { 0, 0 }

static const struct member amr_abnf[] = {	/* RFC 4004 5.1 */
	{ '<', DM_SESSION_ID }, { '{', DM_AUTH_APPLICATION_ID }, { '{', DM_USER_NAME },
	{ '{', DM_DESTINATION_REALM }, { '{', DM_ORIGIN_HOST }, { '{', DM_ORIGIN_REALM },
	{ '{', DM_REG_REQUEST }, { '{', DM_MN_AAA_AUTH }, { '[', DM_ACCT_MULTI_SESSION_ID },
	{ '[', DM_DESTINATION_HOST }, { '[', DM_ORIGIN_STATE_ID }, { '[', DM_MOBILE_NODE_ADDRESS },
	{ '[', DM_HOME_AGENT_ADDRESS }, { '[', DM_FEATURE_VECTOR }, { '[', DM_ORIGINATING_FOREIGN_AAA },
	{ '[', DM_AUTHORIZATION_LIFETIME }, { '[', DM_AUTH_SESSION_STATE }, { '[', DM_FA_CHALLENGE },
	{ '[', DM_CANDIDATE_HOME_AGENT_HOST }, { '[', DM_HOME_AGENT_HOST }, { '[', DM_HA_TO_FA_SPI },
	{ '[', DM_PREVIOUS_FA }, { '[', DM_SERVICE_UPDATE }, { '*', DM_PROXY_INFO },
	{ '*', DM_ROUTE_RECORD }, END_OF_ABNF
};
static const struct member ama_abnf[] = {	/* 5.2 */
	{ '<', DM_SESSION_ID }, { '{', DM_AUTH_APPLICATION_ID }, { '{', DM_RESULT_CODE },
	{ '{', DM_ORIGIN_HOST }, { '{', DM_ORIGIN_REALM }, { '[', DM_ACCT_MULTI_SESSION_ID },
	{ '[', DM_USER_NAME }, { '[', DM_AUTHORIZATION_LIFETIME }, { '[', DM_AUTH_SESSION_STATE },
	{ '[', DM_ERROR_MESSAGE }, { '[', DM_ERROR_REPORTING_HOST }, { '[', DM_RE_AUTH_REQUEST_TYPE },
	{ '[', DM_FEATURE_VECTOR }, { '[', DM_REG_REPLY }, { '[', DM_MN_TO_FA_MSA },
	{ '[', DM_MN_TO_HA_MSA }, { '[', DM_FA_TO_MN_MSA }, { '[', DM_FA_TO_HA_MSA },
	{ '[', DM_HA_TO_MN_MSA }, { '[', DM_MSA_LIFETIME }, { '[', DM_HOME_AGENT_ADDRESS },
	{ '[', DM_MOBILE_NODE_ADDRESS }, { '*', DM_FILTER_RULE }, { '[', DM_ORIGIN_STATE_ID },
	{ '[', DM_PREVIOUS_FA }, { '[', DM_PROFILE_CACHE }, { '*', DM_PROFILE }, { '[', DM_HANDOFF_KEY },
	{ '*', DM_REFUSED_VPN }, { '[', DM_HA_TO_FA_SPI }, { '*', DM_PROXY_INFO }, END_OF_ABNF
};
static const struct member har_abnf[] = {	/* 5.3; 336 and 348 by the text and the table of 8.1 */
	{ '<', DM_SESSION_ID }, { '{', DM_AUTH_APPLICATION_ID }, { '{', DM_AUTHORIZATION_LIFETIME },
	{ '{', DM_AUTH_SESSION_STATE }, { '{', DM_REG_REQUEST }, { '{', DM_ORIGIN_HOST },
	{ '{', DM_ORIGIN_REALM }, { '{', DM_USER_NAME }, { '{', DM_DESTINATION_REALM },
	{ '{', DM_FEATURE_VECTOR }, { '[', DM_DESTINATION_HOST }, { '[', DM_MN_TO_HA_MSA },
	{ '[', DM_MN_TO_FA_MSA }, { '[', DM_HA_TO_MN_MSA }, { '[', DM_HA_TO_FA_MSA },
	{ '[', DM_MSA_LIFETIME }, { '[', DM_ORIGINATING_FOREIGN_AAA }, { '[', DM_MOBILE_NODE_ADDRESS },
	{ '[', DM_HOME_AGENT_ADDRESS }, { '*', DM_FILTER_RULE }, { '[', DM_CANDIDATE_HOME_AGENT_HOST },
	{ '[', DM_HOME_AGENT_HOST }, { '[', DM_ORIGIN_STATE_ID }, { '[', DM_PROFILE_CACHE },
	{ '*', DM_PROFILE }, { '[', DM_HANDOFF_KEY }, { '*', DM_PROXY_INFO },
	{ '*', DM_ROUTE_RECORD }, END_OF_ABNF
};
static const struct member haa_abnf[] = {	/* 5.4 */
	{ '<', DM_SESSION_ID }, { '{', DM_AUTH_APPLICATION_ID }, { '{', DM_RESULT_CODE },
	{ '{', DM_ORIGIN_HOST }, { '{', DM_ORIGIN_REALM }, { '[', DM_ACCT_MULTI_SESSION_ID },
	{ '[', DM_USER_NAME }, { '[', DM_ERROR_REPORTING_HOST }, { '[', DM_ERROR_MESSAGE },
	{ '[', DM_REG_REPLY }, { '[', DM_HOME_AGENT_ADDRESS }, { '[', DM_MOBILE_NODE_ADDRESS },
	{ '[', DM_FA_TO_HA_SPI }, { '[', DM_FA_TO_MN_SPI }, { '[', DM_ORIGIN_STATE_ID },
	{ '[', DM_PREVIOUS_FA }, { '[', DM_PROFILE_CACHE }, { '*', DM_REFUSED_VPN },
	{ '*', DM_PROXY_INFO }, END_OF_ABNF
};

static const struct member vur_abnf[] = {	/* ours: doc/protocol.md, "VPN-Update" */
	{ '<', DM_SESSION_ID }, { '{', DM_AUTH_APPLICATION_ID }, { '{', DM_ORIGIN_HOST },
	{ '{', DM_ORIGIN_REALM }, { '{', DM_DESTINATION_REALM }, { '{', DM_USER_NAME },
	{ '[', DM_DESTINATION_HOST }, { '[', DM_PROFILE_CACHE }, { '*', DM_PROFILE },
	{ '[', DM_ORIGIN_STATE_ID }, { '*', DM_PROXY_INFO }, { '*', DM_ROUTE_RECORD }, END_OF_ABNF
};
static const struct member vua_abnf[] = {
	{ '<', DM_SESSION_ID }, { '{', DM_AUTH_APPLICATION_ID }, { '{', DM_RESULT_CODE },
	{ '{', DM_ORIGIN_HOST }, { '{', DM_ORIGIN_REALM }, { '[', DM_USER_NAME }, { '[', DM_ERROR_MESSAGE },
	{ '[', DM_ERROR_REPORTING_HOST }, { '*', DM_REFUSED_VPN }, { '[', DM_ORIGIN_STATE_ID },
	{ '*', DM_PROXY_INFO }, END_OF_ABNF
};

static const struct command {
	uint32_t code;
	const char *name;
	bool request;
	const struct member *abnf;
} commands[] = {
	{ DM_CC_AMR, "AA-Mobile-Node-Request", true, amr_abnf },
	{ DM_CC_AMR, "AA-Mobile-Node-Answer", false, ama_abnf },
	{ DM_CC_HAR, "Home-Agent-MIP-Request", true, har_abnf },
	{ DM_CC_HAR, "Home-Agent-MIP-Answer", false, haa_abnf },
	{ DM_CC_VUR, "VPN-Update-Request", true, vur_abnf },
	{ DM_CC_VUR, "MIPVPN-VPN-Update-Answer", false, vua_abnf },
};

static const struct group {
	enum dm_avp avp;
	bool weak;		/* answers carry it */
	struct member abnf[12];
} groups[] = {
	{ DM_MN_AAA_AUTH, false,
	  { { '{', DM_MN_AAA_SPI }, { '{', DM_AUTH_INPUT_DATA_LENGTH }, { '{', DM_AUTHENTICATOR_LENGTH },
	    { '{', DM_AUTHENTICATOR_OFFSET } } },
	{ DM_ORIGINATING_FOREIGN_AAA, false, { { '{', DM_ORIGIN_REALM }, { '{', DM_ORIGIN_HOST } } },
	{ DM_HOME_AGENT_HOST, false, { { '{', DM_DESTINATION_REALM }, { '{', DM_DESTINATION_HOST } } },
	{ DM_MN_TO_FA_MSA, true,
	  { { '[', DM_MN_FA_SPI }, { '{', DM_ALGORITHM_TYPE }, { '{', DM_NONCE } } },
	{ DM_FA_TO_MN_MSA, true,
	  { { '{', DM_FA_TO_MN_SPI }, { '{', DM_ALGORITHM_TYPE }, { '{', DM_SESSION_KEY } } },
	{ DM_FA_TO_HA_MSA, true,
	  { { '{', DM_FA_TO_HA_SPI }, { '{', DM_ALGORITHM_TYPE }, { '{', DM_SESSION_KEY } } },
	{ DM_HA_TO_FA_MSA, true,
	  { { '{', DM_HA_TO_FA_SPI }, { '{', DM_ALGORITHM_TYPE }, { '{', DM_SESSION_KEY } } },
	{ DM_MN_TO_HA_MSA, true,
	  { { '[', DM_MN_HA_SPI }, { '{', DM_ALGORITHM_TYPE }, { '{', DM_REPLAY_MODE }, { '{', DM_NONCE } } },
	{ DM_HA_TO_MN_MSA, true,
	  { { '[', DM_HA_TO_MN_SPI }, { '{', DM_ALGORITHM_TYPE }, { '{', DM_REPLAY_MODE },
	    { '{', DM_SESSION_KEY } } },
	{ DM_PCN_KEY_MATERIAL, true,
	  { { '[', DM_PCN_ADDRESS }, { '{', DM_PCN_KEY_LABEL }, { '{', DM_PCN_KEY } } },
	{ DM_REFUSED_VPN, true, { { '{', DM_PROFILE_NUMBER }, { '[', DM_ERROR_MESSAGE } } },
	{ DM_SLA, true,
	  { { '{', DM_SLA_NAME }, { '[', DM_SLA_SOURCE_PREFIX }, { '[', DM_SLA_DESTINATION_PREFIX },
	    { '[', DM_IKE_LOCAL_IDENTITY }, { '[', DM_IKE_REMOTE_IDENTITY }, { '[', DM_IKE_PROPOSAL },
	    { '[', DM_PRE_SHARED_KEY } } },
};
static const struct member profile_abnf[] = {	/* requirement B1 */
	{ '{', DM_PROFILE_NUMBER }, { '{', DM_SOURCE_PREFIX }, { '{', DM_DESTINATION_PREFIX },
	{ '[', DM_TOS_UP }, { '[', DM_TOS_DOWN }, { '{', DM_SECURITY_TYPE }, { '{', DM_SOURCE_GATEWAY },
	{ '{', DM_DESTINATION_GATEWAY }, { '{', DM_DESTINATION_GATEWAY_TYPE }, { '{', DM_SPI_UP },
	{ '{', DM_SPI_DOWN }, { '[', DM_ENCRYPTION_KEY }, { '[', DM_AUTHENTICATION_KEY },
	{ '{', DM_REQUIRED }, { '[', DM_ESP_PROPOSAL }, { '[', DM_SLA }, { '[', DM_PCN_KEY_MATERIAL },
	END_OF_ABNF
};

static struct dict_object *avp_objects[DM_AVP_COUNT];
static struct dict_object *application_object;
static const uint32_t request_codes[] = { DM_CC_AMR, DM_CC_HAR, DM_CC_VUR, CC_SESSION_TERMINATION,
					  CC_ABORT_SESSION };
#define N_REQUESTS (sizeof(request_codes) / sizeof(*request_codes))
static struct dict_object *request_objects[N_REQUESTS];

static int fail(int errnum, char *err, size_t err_len, const char *what, const char *name)
{
	snprintf(err, err_len, "%s %s: %s", what, name,
		 errnum == EEXIST ? "another dictionary defines it differently" : strerror(errnum));
	return errnum;
}

static int find_avp(enum dm_avp avp, struct dict_object **out)
{
	const struct dm_avp_id *id = &dm_avp_ids[avp];
	struct dict_avp_request by_code = { .avp_vendor = id->vendor, .avp_code = id->code };

	return fd_dict_search(fd_g_config->cnf_dict, DICT_AVP, AVP_BY_CODE_AND_VENDOR, &by_code, out, ENOENT);
}

/* The derived type, made here unless libfdcore or another dictionary has it. */
static int find_or_add_type(const char *name, enum dict_avp_basetype base, struct dict_object **out)
{
	struct dict_type_data data = { .type_base = base, .type_name = (char *)name };

	*out = NULL;
	if (!name || !fd_dict_search(fd_g_config->cnf_dict, DICT_TYPE, TYPE_BY_NAME, name, out, ENOENT))
		return 0;
	return fd_dict_new(fd_g_config->cnf_dict, DICT_TYPE, &data, NULL, out);
}

static int add_enum_values(char *err, size_t err_len)
{
	for (size_t i = 0; i < sizeof(enum_values) / sizeof(*enum_values); i++) {
		const struct enum_value *v = &enum_values[i];
		struct dict_enumval_data data = { .enum_name = (char *)v->name, .enum_value.i32 = v->value };
		struct dict_object *type;
		int rc = find_or_add_type(v->type, AVP_TYPE_INTEGER32, &type);

		if (!rc)
			rc = fd_dict_new(fd_g_config->cnf_dict, DICT_ENUMVAL, &data, type, NULL);
		if (rc)
			return fail(rc, err, err_len, v->type, v->name);
	}
	return 0;
}

/* The type's name differs between releases of freeDiameter: found through the AVP. */
static int add_result_names(char *err, size_t err_len)
{
	struct dict_object *avp = NULL, *type = NULL;
	int rc = find_avp(DM_RESULT_CODE, &avp);

	if (!rc)
		rc = fd_dict_search(fd_g_config->cnf_dict, DICT_TYPE, TYPE_OF_AVP, avp, &type, ENOENT);
	if (rc)
		return fail(rc, err, err_len, "type of", "Result-Code");
	for (size_t i = 0; i < sizeof(result_names) / sizeof(*result_names); i++) {
		const struct result_name *n = &result_names[i];
		struct dict_enumval_data data = { .enum_name = (char *)n->name, .enum_value.u32 = n->value };

		rc = fd_dict_new(fd_g_config->cnf_dict, DICT_ENUMVAL, &data, type, NULL);
		if (rc)
			return fail(rc, err, err_len, "Result-Code", n->name);
	}
	return 0;
}

/* A vendor with our number but another name (a site's own dictionary) serves as well. */
static int add_vendor(char *err, size_t err_len)
{
	struct dict_vendor_data data = { .vendor_id = MIPVPN_VENDOR_ID, .vendor_name = (char *)"mipvpn" };
	int rc;

	if (!fd_dict_search(fd_g_config->cnf_dict, DICT_VENDOR, VENDOR_BY_ID, &data.vendor_id, NULL, ENOENT))
		return 0;
	rc = fd_dict_new(fd_g_config->cnf_dict, DICT_VENDOR, &data, NULL, NULL);
	return rc ? fail(rc, err, err_len, "vendor", data.vendor_name) : 0;
}

static int add_avps(char *err, size_t err_len)
{
	for (enum dm_avp a = 0; a < DM_AVP_COUNT; a++) {
		const struct dm_avp_id *id = &dm_avp_ids[a];
		struct dict_avp_data data = {
			.avp_code = id->code, .avp_vendor = id->vendor, .avp_name = (char *)id->name,
			.avp_flag_mask = AVP_FLAG_VENDOR | AVP_FLAG_MANDATORY,
			.avp_flag_val = id->vendor ? AVP_FLAG_VENDOR : AVP_FLAG_MANDATORY,
			.avp_basetype = types[a].base,
		};
		struct dict_object *type;
		int rc;

		if (!types[a].define)
			continue;
		rc = find_or_add_type(types[a].derived, types[a].base, &type);
		if (!rc)
			rc = fd_dict_new(fd_g_config->cnf_dict, DICT_AVP, &data, type, NULL);
		if (rc)
			return fail(rc, err, err_len, "AVP", id->name);
	}
	return 0;
}

/* A rule that is there already (another dictionary's, for the same group) stands. */
static int add_rule(struct dict_object *parent, const struct member *m, bool weak)
{
	struct dict_rule_data rule = { .rule_position = RULE_OPTIONAL, .rule_min = 0, .rule_max = -1 };
	struct dict_rule_request request = { .rule_parent = parent };
	int rc = find_avp(m->avp, &rule.rule_avp);

	if (rc)
		return rc;
	request.rule_avp = rule.rule_avp;
	if (!fd_dict_search(fd_g_config->cnf_dict, DICT_RULE, RULE_BY_AVP_AND_PARENT, &request, NULL, ENOENT))
		return 0;
	if (!weak && m->how != '*') {
		rule.rule_max = 1;
		rule.rule_min = m->how == '[' ? 0 : 1;
		rule.rule_position = m->how == '<'   ? RULE_FIXED_HEAD
				     : m->how == '{' ? RULE_REQUIRED
						     : RULE_OPTIONAL;
		rule.rule_order = m->how == '<' ? 1 : 0;
	}
	return fd_dict_new(fd_g_config->cnf_dict, DICT_RULE, &rule, parent, NULL);
}

static int add_rules(struct dict_object *parent, const struct member *m, bool weak)
{
	int rc = 0;

	for (; m->how && !rc; m++)
		rc = add_rule(parent, m, weak);
	return rc;
}

static int add_group_rules(char *err, size_t err_len)
{
	struct dict_object *avp = NULL;
	int rc;

	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		rc = find_avp(groups[i].avp, &avp);
		if (!rc)
			rc = add_rules(avp, groups[i].abnf, groups[i].weak);
		if (rc)
			return fail(rc, err, err_len, "members of", dm_avp_ids[groups[i].avp].name);
	}
	rc = find_avp(DM_PROFILE, &avp);
	if (!rc)
		rc = add_rules(avp, profile_abnf, true);
	return rc ? fail(rc, err, err_len, "members of", dm_avp_ids[DM_PROFILE].name) : 0;
}

static int add_commands(char *err, size_t err_len)
{
	struct dict_application_data app = { DM_APPLICATION_ID, (char *)"Diameter Mobile IPv4" };
	struct dict_object *application, *command;
	int rc;

	if (fd_dict_search(fd_g_config->cnf_dict, DICT_APPLICATION, APPLICATION_BY_ID, &app.application_id,
			   &application, ENOENT)) {
		rc = fd_dict_new(fd_g_config->cnf_dict, DICT_APPLICATION, &app, NULL, &application);
		if (rc)
			return fail(rc, err, err_len, "application", app.application_name);
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		const struct command *c = &commands[i];
		struct dict_cmd_data data = {
			.cmd_code = c->code,
			.cmd_name = (char *)c->name,
			.cmd_flag_mask =
				CMD_FLAG_REQUEST | CMD_FLAG_PROXIABLE | (c->request ? CMD_FLAG_ERROR : 0),
			.cmd_flag_val = CMD_FLAG_PROXIABLE | (c->request ? CMD_FLAG_REQUEST : 0),
		};

		rc = fd_dict_new(fd_g_config->cnf_dict, DICT_COMMAND, &data, application, &command);
		if (!rc)
			rc = add_rules(command, c->abnf, !c->request);
		if (rc)
			return fail(rc, err, err_len, "command", c->name);
	}
	return 0;
}

int dict_mipvpn_load(char *err, size_t err_len)
{
	static int (*const steps[])(char *, size_t) = {
		add_vendor, add_enum_values, add_result_names, add_avps, add_group_rules, add_commands,
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) && !rc; i++)
		rc = steps[i](err, err_len);
	return rc;
}

int dm_dict_resolve(char *err, size_t err_len)
{
	application_id_t app = DM_APPLICATION_ID;

	for (enum dm_avp a = 0; a < DM_AVP_COUNT; a++)
		if (find_avp(a, &avp_objects[a]))
			return fail(ENOENT, err, err_len, "AVP", dm_avp_ids[a].name);
	for (size_t i = 0; i < N_REQUESTS; i++)
		if (fd_dict_search(fd_g_config->cnf_dict, DICT_COMMAND, CMD_BY_CODE_R, &request_codes[i],
				   &request_objects[i], ENOENT))
			return fail(ENOENT, err, err_len, "command", "of RFC 4004 or 6733");
	if (fd_dict_search(fd_g_config->cnf_dict, DICT_APPLICATION, APPLICATION_BY_ID, &app,
			   &application_object, ENOENT))
		return fail(ENOENT, err, err_len, "application", "2");
	return 0;
}

struct dict_object *dm_dict_avp(enum dm_avp avp)
{
	return avp_objects[avp];
}

struct dict_object *dm_dict_command(uint32_t code)
{
	for (size_t i = 0; i < N_REQUESTS; i++)
		if (request_codes[i] == code)
			return request_objects[i];
	return NULL;
}

struct dict_object *dm_dict_application(void)
{
	return application_object;
}
