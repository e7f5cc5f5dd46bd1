/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Round trips of whole messages with every field set, through the bytes that a peer would see; and every
 * refusal.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/diameter/wire.h"
#include "tests/unit/harness.h"

static char err[256];

/* The node's own identity is what a built message carries. */
#define OWN(s)                                                                                               \
	do {                                                                                                 \
		strcpy((s).origin_host, "node.example.net");                                                 \
		strcpy((s).origin_realm, "example.net");                                                     \
	} while (0)

static void expect_vpn(struct dm_vpn *in, struct dm_vpn *out)
{
	CU_ASSERT_EQUAL_FATAL(out->n, in->n);
	CU_ASSERT_EQUAL(memcmp(out->p, in->p, in->n * sizeof(*in->p)), 0);
	CU_ASSERT_EQUAL(out->cached, in->cached);
	CU_ASSERT_EQUAL(memcmp(&out->handoff, &in->handoff, sizeof(in->handoff)), 0);
	/* the pointers differ, the rest is compared as a whole by the caller */
	free(out->p);
	out->p = in->p;
}

static void test_amr(void)
{
	struct dm_amr in, out;
	struct msg *m = NULL;

	wire_amr(&in);
	CU_ASSERT_EQUAL_FATAL(dm_amr_build(&in, &m), 0);
	m = wire_through(m);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	HARNESS_AT(dm_amr_parse(m, &out, err, sizeof(err)) == 0, "%s", err);
	OWN(in);
	CU_ASSERT_EQUAL(memcmp(&in, &out, sizeof(in)), 0);
	dm_amr_wipe(&out);
	CU_ASSERT_EQUAL(out.challenge.len, 0);
	fd_msg_free(m);
}

static void test_har(void)
{
	struct dm_har in, out;
	struct msg *m = NULL;

	wire_har(&in);
	CU_ASSERT_EQUAL_FATAL(dm_har_build(&in, &m), 0);
	m = wire_through(m);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	HARNESS_AT(dm_har_parse(m, &out, err, sizeof(err)) == 0, "%s", err);
	OWN(in);
	expect_vpn(&in.vpn, &out.vpn);
	CU_ASSERT_EQUAL(memcmp(&in, &out, sizeof(in)), 0);
	dm_har_wipe(&out);
	fd_msg_free(m);
}

/* Our own command: a HAR without a registration, and an answer without a reply. */
static void test_vur(void)
{
	struct dm_haa answer = {.result = DM_UNABLE_TO_COMPLY, .error = "why", .n_refused = 1,
				.refused = {{8, "it does not answer"}}}, got;
	struct dm_har in, out;
	struct msg *m = NULL;

	wire_har(&in);
	memset(&in.vpn.handoff, 0, sizeof(in.vpn.handoff)); /* stays what it is */
	CU_ASSERT_EQUAL_FATAL(dm_vur_build(&in, &m), 0);
	m = wire_through(m);
	CU_ASSERT_EQUAL_FATAL(dm_vur_parse(m, &out, err, sizeof(err)), 0);
	CU_ASSERT_STRING_EQUAL(out.session, in.session);
	CU_ASSERT_STRING_EQUAL(out.user, in.user);
	CU_ASSERT_STRING_EQUAL(out.dest_host, in.dest_host);
	expect_vpn(&in.vpn, &out.vpn);
	CU_ASSERT_EQUAL(out.rrq.len + out.ha_to_fa.key.len, 0);
	dm_har_wipe(&out);
	CU_ASSERT_EQUAL_FATAL(dm_vua_answer(&answer, &m), 0);
	m = wire_through(m);
	CU_ASSERT_EQUAL_FATAL(dm_vua_parse(m, &got, err, sizeof(err)), 0);
	CU_ASSERT_EQUAL(got.result, DM_UNABLE_TO_COMPLY);
	CU_ASSERT_STRING_EQUAL(got.error, "why");
	CU_ASSERT_STRING_EQUAL(got.session, in.session);
	CU_ASSERT_TRUE(got.n_refused == 1 && got.refused[0].number == 8);
	fd_msg_free(m);
}

static void test_ama(void)
{
	struct dm_ama in, out;
	struct msg *m = wire_request(DM_CC_AMR);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	wire_ama(&in);
	CU_ASSERT_EQUAL_FATAL(dm_ama_answer(&in, &m), 0);
	m = wire_through(m);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	HARNESS_AT(dm_ama_parse(m, &out, err, sizeof(err)) == 0, "%s", err);
	OWN(in);
	expect_vpn(&in.vpn, &out.vpn);
	CU_ASSERT_EQUAL(memcmp(&in, &out, sizeof(in)), 0);
	dm_ama_wipe(&out);
	fd_msg_free(m);
}

static void test_haa(void)
{
	struct dm_haa in, out;
	struct msg *m = wire_request(DM_CC_HAR);

	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	wire_haa(&in);
	CU_ASSERT_EQUAL_FATAL(dm_haa_answer(&in, &m), 0);
	m = wire_through(m);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	HARNESS_AT(dm_haa_parse(m, &out, err, sizeof(err)) == 0, "%s", err);
	OWN(in);
	CU_ASSERT_EQUAL(memcmp(&in, &out, sizeof(in)), 0);
	fd_msg_free(m);
}

/* D2: the AAAF's own answer has 323 and no reply. */
static void test_ama_of_an_aaaf(void)
{
	struct msg *m = wire_request(DM_CC_AMR);
	struct dm_ama in, out;

	wire_ama(&in);
	in.rrp = (struct dm_bytes){ 0 };
	in.ha_to_fa_spi = 300;
	CU_ASSERT_EQUAL_FATAL(dm_ama_answer(&in, &m), 0);
	m = wire_through(m);
	CU_ASSERT_PTR_NOT_NULL_FATAL(m);
	HARNESS_AT(dm_ama_parse(m, &out, err, sizeof(err)) == 0, "%s", err);
	CU_ASSERT_EQUAL(out.ha_to_fa_spi, 300);
	CU_ASSERT_EQUAL(out.rrp.len, 0);
	CU_ASSERT_TRUE(out.has_previous_fa && out.previous_fa.s_addr == in.previous_fa.s_addr);
	dm_ama_wipe(&in);
	dm_ama_wipe(&out);
	fd_msg_free(m);
}

static void test_refusal_answers(void)
{
	static const uint32_t results[] = { 3002, 3004, 4001, 5003, 5012 };
	struct dm_ama out;
	struct msg_hdr *hdr;

	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
		struct msg *m = wire_request(DM_CC_AMR);

		CU_ASSERT_EQUAL_FATAL(dm_plain_answer(results[i], "because\nof that", &m), 0);
		m = wire_through(m);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		HARNESS_AT(dm_ama_parse(m, &out, err, sizeof(err)) == 0, "%u: %s", results[i], err);
		CU_ASSERT_EQUAL(out.result, results[i]);
		CU_ASSERT_STRING_EQUAL(out.error, "because?of that");
		CU_ASSERT_STRING_EQUAL(out.session, "fa.visited.test;1;2;abc");
		CU_ASSERT_EQUAL(fd_msg_hdr(m, &hdr), 0);
		CU_ASSERT_EQUAL(!!(hdr->msg_flags & CMD_FLAG_ERROR), results[i] / 1000 == 3);
		CU_ASSERT_EQUAL(hdr->msg_code, DM_CC_AMR);
		fd_msg_free(m);
	}
}

static void test_end(void)
{
	static int (*const build[])(const struct dm_end *, struct msg **) = { dm_str_build, dm_asr_build };
	struct dm_end in, out;
	struct msg_hdr *hdr;

	for (unsigned i = 0; i < 2; i++) {
		struct msg *m = NULL;

		wire_end(&in);
		CU_ASSERT_EQUAL_FATAL(build[i](&in, &m), 0);
		m = wire_through(m);
		CU_ASSERT_PTR_NOT_NULL_FATAL(m);
		HARNESS_AT(dm_end_parse(m, &out, err, sizeof(err)) == 0, "%s", err);
		OWN(in);
		if (i == 1)
			in.cause = 0;
		CU_ASSERT_EQUAL(memcmp(&in, &out, sizeof(in)), 0);
		CU_ASSERT_EQUAL(fd_msg_hdr(m, &hdr), 0);
		CU_ASSERT_EQUAL(hdr->msg_appl, DM_APPLICATION_ID);
		fd_msg_free(m);
	}
}

/* The least that RFC 4004 asks for: all that is optional stays absent on both sides. */
static void test_minimal(void)
{
	struct dm_amr in, out;
	struct msg *m = NULL;

	wire_amr(&in);
	in.dest_host[0] = in.originating_host[0] = in.originating_realm[0] = in.ha_host[0] = in.ha_realm[0] =
		'\0';
	in.ha_candidate[0] = '\0';
	in.has_hoa = in.has_ha = in.has_previous_fa = in.service_update = false;
	in.features = in.ha_to_fa_spi = in.auth_lifetime = 0;
	in.challenge.len = 0;
	CU_ASSERT_EQUAL_FATAL(dm_amr_build(&in, &m), 0);
	m = wire_through(m);
	HARNESS_AT(dm_amr_parse(m, &out, err, sizeof(err)) == 0, "%s", err);
	CU_ASSERT_FALSE(out.has_hoa || out.has_ha || out.has_previous_fa || out.service_update);
	CU_ASSERT_EQUAL(out.challenge.len + out.features + out.ha_to_fa_spi + out.auth_lifetime, 0);
	CU_ASSERT_STRING_EQUAL(out.ha_candidate, "");
	CU_ASSERT_STRING_EQUAL(out.originating_host, "");
	fd_msg_free(m);
}

static void test_builders_refuse(void)
{
	struct dm_amr a;
	struct msg *m = NULL;

	wire_amr(&a);
	a.user[0] = '\0';
	CU_ASSERT_NOT_EQUAL(dm_amr_build(&a, &m), 0);
	CU_ASSERT_PTR_NULL(m);
	wire_amr(&a);
	a.rrq.len = DM_RR_MAX + 1;
	CU_ASSERT_NOT_EQUAL(dm_amr_build(&a, &m), 0);
	CU_ASSERT_PTR_NULL(m);
}

/* --- what a peer can get wrong: a good AMR or AMA with one AVP changed, removed or added --- */

enum change { SET, REMOVE, ADD };
struct bad {
	const char *what;
	enum change change;
	enum dm_avp avp;
	const char *value;
	size_t len;
	uint32_t result;
	const char *reason;	/* begins with */
};
#define V(text) text, sizeof(text) - 1
#define INET6 "\0\2" "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"

static const struct bad bad_amr[] = {
	{ "request cut", SET, DM_REG_REQUEST, V("\1twelve bytes"), DM_INVALID_AVP_LENGTH,
	  "MIP-Reg-Request: 13 bytes, at least 24" },
	{ "a reply", SET, DM_REG_REQUEST, V("\3twenty four bytes and more."), DM_INVALID_AVP_VALUE,
	  "MIP-Reg-Request: type 3" },
	{ "NUL in user", SET, DM_USER_NAME, V("al\0ice@home.test"), DM_INVALID_AVP_VALUE, "User-Name: NUL" },
	{ "line end in user", SET, DM_USER_NAME, V("alice@home.test\n"), DM_INVALID_AVP_VALUE,
	  "User-Name: NUL or another" },
	{ "empty user", SET, DM_USER_NAME, V(""), DM_INVALID_AVP_VALUE, "User-Name: empty" },
	{ "no realm", SET, DM_USER_NAME, V("alice"), DM_INVALID_AVP_VALUE, "User-Name: not user@realm" },
	{ "only realm", SET, DM_USER_NAME, V("@home.test"), DM_INVALID_AVP_VALUE,
	  "User-Name: not user@realm" },
	{ "empty realm", SET, DM_USER_NAME, V("alice@"), DM_INVALID_AVP_VALUE, "User-Name: not user@realm" },
	{ "two realms", SET, DM_USER_NAME, V("alice@b@c"), DM_INVALID_AVP_VALUE, "User-Name: more than one" },
	{ "decorated", SET, DM_USER_NAME, V("home.test!alice@visited.test"), DM_INVALID_AVP_VALUE,
	  "User-Name: decorated" },
	{ "no user", REMOVE, DM_USER_NAME, NULL, 0, DM_MISSING_AVP, "User-Name: missing" },
	{ "empty origin realm", SET, DM_ORIGIN_REALM, V(""), DM_INVALID_AVP_VALUE, "Origin-Realm: empty" },
	{ "origin host of blanks", SET, DM_ORIGIN_HOST, V("a b"), DM_INVALID_AVP_VALUE,
	  "Origin-Host: not a Diameter" },
	{ "NUL in session", SET, DM_SESSION_ID, V("a;1\0;2"), DM_INVALID_AVP_VALUE, "Session-Id: NUL" },
	{ "no auth", REMOVE, DM_MN_AAA_AUTH, NULL, 0, DM_MISSING_AVP, "MIP-MN-AAA-Auth: missing" },
	{ "input beyond the request", SET, DM_AUTH_INPUT_DATA_LENGTH, V("\0\0\0\x65"), DM_INVALID_AVP_VALUE,
	  "MIP-Auth-Input-Data-Length: 101" },
	{ "authenticator beyond", SET, DM_AUTHENTICATOR_OFFSET, V("\0\0\0\x55"), DM_INVALID_AVP_VALUE,
	  "MIP-Authenticator-Offset: 85 + 16" },
	{ "authenticator far beyond", SET, DM_AUTHENTICATOR_OFFSET, V("\xff\xff\xff\xff"),
	  DM_INVALID_AVP_VALUE,
	  "MIP-Authenticator-Offset: 4294967295" },
	{ "IPv6 home address", SET, DM_MOBILE_NODE_ADDRESS, V(INET6), DM_INVALID_AVP_VALUE,
	  "MIP-Mobile-Node-Address: address family 2" },
	{ "short address", SET, DM_HOME_AGENT_ADDRESS, V("\0\1\1\2\3"), DM_INVALID_AVP_LENGTH,
	  "MIP-Home-Agent-Address: 5" },
	{ "empty address", SET, DM_HOME_AGENT_ADDRESS, V(""), DM_INVALID_AVP_LENGTH,
	  "MIP-Home-Agent-Address: 0" },
	{ "two home agents", ADD, DM_HOME_AGENT_ADDRESS, V("\0\1\1\2\3\4"), DM_AVP_OCCURS_TOO_MANY_TIMES,
	  "MIP-Home-Agent-Address: more" },
	{ "service update 7", SET, DM_SERVICE_UPDATE, V("\0\0\0\7"), DM_INVALID_AVP_VALUE,
	  "MIPVPN-Service-Update: 7" },
};
static const struct bad bad_ama[] = {
	{ "no result", REMOVE, DM_RESULT_CODE, NULL, 0, DM_MISSING_AVP, "Result-Code: missing" },
	{ "no reply", REMOVE, DM_REG_REPLY, NULL, 0, DM_MISSING_AVP, "MIP-Reg-Reply: missing in a success" },
	{ "no home address", REMOVE, DM_MOBILE_NODE_ADDRESS, NULL, 0, DM_MISSING_AVP,
	  "MIP-Mobile-Node-Address: missing" },
	{ "no home agent", REMOVE, DM_HOME_AGENT_ADDRESS, NULL, 0, DM_MISSING_AVP,
	  "MIP-Home-Agent-Address: missing" },
	{ "short key", SET, DM_SESSION_KEY, V("short"), DM_INVALID_AVP_LENGTH,
	  "MIP-Session-Key: 5 bytes, at least 16" },
	{ "no key", REMOVE, DM_SESSION_KEY, NULL, 0, DM_MISSING_AVP, "MIP-Session-Key: missing" },
	{ "two keys", ADD, DM_FA_TO_HA_MSA, NULL, 0, DM_AVP_OCCURS_TOO_MANY_TIMES,
	  "MIP-FA-to-HA-MSA: more than one" },
	{ "no profile number", REMOVE, DM_PROFILE_NUMBER, NULL, 0, DM_MISSING_AVP,
	  "MIPVPN-Profile-Number: missing" },
	{ "unknown security", SET, DM_SECURITY_TYPE, V("\0\0\0\4"), DM_INVALID_AVP_VALUE,
	  "MIPVPN-Security-Type: 4" },
	{ "unknown gateway type", SET, DM_DESTINATION_GATEWAY_TYPE, V("\0\0\0\3"), DM_INVALID_AVP_VALUE,
	  "MIPVPN-Destination-Gateway-Type: 3" },
	{ "TOS too large", SET, DM_TOS_UP, V("\0\0\1\0"), DM_INVALID_AVP_VALUE, "MIPVPN-TOS-Up: 256" },
	{ "prefix of 33 bits", SET, DM_SOURCE_PREFIX, V("\0\x21\x0a\1\0\x0a"), DM_INVALID_AVP_VALUE,
	  "MIPVPN-Source-Prefix: prefix length 33" },
	{ "short prefix", SET, DM_SOURCE_PREFIX, V("\0\x20\x0a\1\0"), DM_INVALID_AVP_LENGTH,
	  "MIPVPN-Source-Prefix: 5" },
	{ "host bits", SET, DM_DESTINATION_PREFIX, V("\0\x18\x0a\x09\0\1"), DM_INVALID_AVP_VALUE,
	  "MIPVPN-Destination-Prefix: host bits" },
	{ "long key", SET, DM_ENCRYPTION_KEY,
	  V("0123456789012345678901234567890123456789012345678901234567890123456789"),
	  DM_INVALID_AVP_LENGTH, "MIPVPN-Encryption-Key: 70" },
	{ "IPv6 gateway", SET, DM_SOURCE_GATEWAY, V(INET6), DM_INVALID_AVP_VALUE,
	  "MIPVPN-Source-Gateway: address family" },
	{ "not installable", SET, DM_SOURCE_PREFIX, V("\0\x18\x0a\1\0\0"), DM_INVALID_AVP_VALUE,
	  "MIPVPN-Profile: number 1" },
	{ "NUL in proposal", SET, DM_ESP_PROPOSAL, V("aes\0256"), DM_INVALID_AVP_VALUE,
	  "MIPVPN-ESP-Proposal: NUL" },
	{ "SLA without a name", REMOVE, DM_SLA_NAME, NULL, 0, DM_MISSING_AVP, "MIPVPN-SLA-Name: missing" },
};

static struct avp *find(struct msg *m, enum dm_avp which)
{
	struct avp *avp = NULL;
	struct avp_hdr *hdr;

	for (fd_msg_browse(m, MSG_BRW_WALK, &avp, NULL); avp; fd_msg_browse(avp, MSG_BRW_WALK, &avp, NULL))
		if (!fd_msg_avp_hdr(avp, &hdr) && hdr->avp_code == dm_avp_ids[which].code &&
		    hdr->avp_vendor == dm_avp_ids[which].vendor)
			return avp;
	return NULL;
}

static void spoil(struct msg *m, const struct bad *b)
{
	struct avp *avp = find(m, b->avp);
	struct avp_hdr *hdr;
	uint32_t number;

	CU_ASSERT_PTR_NOT_NULL_FATAL(avp);
	if (b->change == REMOVE) {
		fd_msg_free(avp);
		return;
	}
	if (b->change == ADD) {
		CU_ASSERT_EQUAL_FATAL(fd_msg_avp_new(dm_dict_avp(b->avp), 0, &avp), 0);
		CU_ASSERT_EQUAL_FATAL(fd_msg_avp_add(m, MSG_BRW_LAST_CHILD, avp), 0);
	}
	if (!b->value)
		return;
	CU_ASSERT_EQUAL_FATAL(fd_msg_avp_hdr(avp, &hdr), 0);
	memcpy(&number, b->value, b->len < 4 ? b->len : 4);
	union avp_value v = { .os = { (uint8_t *)b->value, b->len } };
	struct dict_avp_data data;

	CU_ASSERT_EQUAL_FATAL(fd_dict_getval(dm_dict_avp(b->avp), &data), 0);
	if (data.avp_basetype != AVP_TYPE_OCTETSTRING)
		v.u32 = ntohl(number);
	CU_ASSERT_EQUAL_FATAL(fd_msg_avp_setvalue(avp, &v), 0);
}

static void expect_refusal(struct msg *m, const struct bad *b, int (*parse)(struct msg *))
{
	int result;

	spoil(m, b);
	m = wire_through(m);
	HARNESS_AT(m != NULL, "%s: libfdproto refuses it", b->what);
	if (!m)
		return;
	result = parse(m);
	HARNESS_AT((uint32_t)result == b->result, "%s: %d, %s", b->what, result, err);
	HARNESS_AT(!strncmp(err, b->reason, strlen(b->reason)), "%s: %s", b->what, err);
	fd_msg_free(m);
}

static int parse_amr(struct msg *m)
{
	struct dm_amr out;
	int rc = dm_amr_parse(m, &out, err, sizeof(err));

	dm_amr_wipe(&out);
	return rc;
}

static int parse_ama(struct msg *m)
{
	struct dm_ama out;
	int rc = dm_ama_parse(m, &out, err, sizeof(err));

	dm_ama_wipe(&out);
	return rc;
}

static void test_bad_amr(void)
{
	for (size_t i = 0; i < sizeof(bad_amr) / sizeof(*bad_amr); i++) {
		struct dm_amr a;
		struct msg *m = NULL;

		wire_amr(&a);
		CU_ASSERT_EQUAL_FATAL(dm_amr_build(&a, &m), 0);
		expect_refusal(m, &bad_amr[i], parse_amr);
	}
}

static void test_bad_ama(void)
{
	for (size_t i = 0; i < sizeof(bad_ama) / sizeof(*bad_ama); i++) {
		struct dm_ama a;
		struct msg *m = wire_request(DM_CC_AMR);

		wire_ama(&a);
		CU_ASSERT_EQUAL_FATAL(dm_ama_answer(&a, &m), 0);
		dm_ama_wipe(&a);
		expect_refusal(m, &bad_ama[i], parse_ama);
	}
}

static void test_too_many_profiles(void)
{
	struct dm_ama a;

	for (unsigned n = VPN_PROFILES_MAX; n <= VPN_PROFILES_MAX + 1; n++) {
		struct msg *m = wire_request(DM_CC_AMR);

		wire_ama(&a);
		a.vpn.p = realloc(a.vpn.p, n * sizeof(*a.vpn.p));
		for (unsigned i = 1; i < n; i++)
			a.vpn.p[i] = a.vpn.p[0];
		a.vpn.n = (uint8_t)n;
		CU_ASSERT_EQUAL_FATAL(dm_ama_answer(&a, &m), 0);
		dm_ama_wipe(&a);
		m = wire_through(m);
		CU_ASSERT_EQUAL(parse_ama(m), n > VPN_PROFILES_MAX ? DM_AVP_OCCURS_TOO_MANY_TIMES : 0);
		fd_msg_free(m);
	}
	CU_ASSERT_STRING_EQUAL(err, "MIPVPN-Profile: 33 of them, at most 32");
}

static void test_too_many_refused(void)
{
	struct msg *m = wire_request(DM_CC_HAR);
	struct msg *fits = wire_request(DM_CC_HAR);
	struct avp *avp = NULL;
	struct dm_haa in, out;

	wire_haa(&in);
	in.n_refused = DM_REFUSED_MAX + 1;
	CU_ASSERT_EQUAL(dm_haa_answer(&in, &m), EINVAL);
	fd_msg_free(m);
	in.n_refused = DM_REFUSED_MAX;
	for (unsigned i = 0; i < DM_REFUSED_MAX; i++)
		in.refused[i].number = i + 1;
	CU_ASSERT_EQUAL_FATAL(dm_haa_answer(&in, &fits), 0);
	CU_ASSERT_EQUAL(dm_haa_parse(fits, &out, err, sizeof(err)), 0);
	CU_ASSERT_EQUAL(out.refused[DM_REFUSED_MAX - 1].number, DM_REFUSED_MAX);
	CU_ASSERT_EQUAL_FATAL(fd_msg_avp_new(dm_dict_avp(DM_REFUSED_VPN), 0, &avp), 0);
	CU_ASSERT_EQUAL(fd_msg_avp_add(fits, MSG_BRW_LAST_CHILD, avp), 0);
	CU_ASSERT_EQUAL(dm_haa_parse(fits, &out, err, sizeof(err)), DM_AVP_OCCURS_TOO_MANY_TIMES);
	CU_ASSERT_STRING_EQUAL(err, "MIPVPN-Refused-VPN: at most 8");
	fd_msg_free(fits);
}

/* A key that is none, or that has no name, is refused: the home agent could not use it. */
static void test_pcn_key_lengths(void)
{
	for (unsigned len = 1; len <= 33; len += 16) {
		struct msg *m = wire_request(DM_CC_AMR);
		struct dm_ama a;

		wire_ama(&a);
		a.vpn.p[2].bu_key.len = (uint8_t)len;
		CU_ASSERT_EQUAL_FATAL(dm_ama_answer(&a, &m), 0);
		dm_ama_wipe(&a);
		m = wire_through(m);
		CU_ASSERT_EQUAL(parse_ama(m), DM_INVALID_AVP_LENGTH);
		fd_msg_free(m);
	}
}

static void test_session_ids_differ(void)
{
	char a[DM_SESSION_MAX], b[DM_SESSION_MAX];

	CU_ASSERT_EQUAL(dm_session_new(a), 0);
	CU_ASSERT_EQUAL(dm_session_new(b), 0);
	CU_ASSERT_STRING_NOT_EQUAL(a, b);
	CU_ASSERT_EQUAL(strncmp(a, "node.example.net;", 17), 0);
}

static int run(void)
{
	static const struct harness_case cases[] = {
		HARNESS_CASE(test_amr),
		HARNESS_CASE(test_har), HARNESS_CASE(test_vur),
		HARNESS_CASE(test_ama),
		HARNESS_CASE(test_haa),
		HARNESS_CASE(test_ama_of_an_aaaf), HARNESS_CASE(test_refusal_answers),
		HARNESS_CASE(test_end),
		HARNESS_CASE(test_minimal),
		HARNESS_CASE(test_builders_refuse),
		HARNESS_CASE(test_bad_amr),
		HARNESS_CASE(test_bad_ama),
		HARNESS_CASE(test_too_many_profiles),
		HARNESS_CASE(test_too_many_refused),
		HARNESS_CASE(test_pcn_key_lengths),
		HARNESS_CASE(test_session_ids_differ),
	};

	return harness_run("diameter/codec", cases, sizeof(cases) / sizeof(*cases));
}

int main(void)
{
	wire_start();
	return run();
}
