/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rows of the database: good ones, NULLs, a schema that is not ours, keys that do not unwrap.  Results
 * are made by hand with libpq's own functions; tests/aaah/run has the real ones.
 */
#include "extensions/app_mipvpn_aaah/row.h"
#include "extensions/app_mipvpn_aaah/settings.h"
#include "lib/hex.h"
#include "tests/unit/aaah/fixture.h"

static const uint8_t kek[32] = {1, 2, 3};

struct cell {
	const char *name, *value; /* value NULL = SQL NULL */
};

static PGresult *result(const struct cell *cells, int n)
{
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc desc[48];

	memset(desc, 0, sizeof(desc));
	for (int i = 0; i < n; i++)
		desc[i].name = (char *)(uintptr_t)cells[i].name;
	PQsetResultAttrs(res, n, desc);
	for (int i = 0; i < n; i++) {
		const char *v = cells[i].value;

		PQsetvalue(res, 0, i, (char *)(uintptr_t)v, v ? (int)strlen(v) : -1);
	}
	return res;
}

static const char *wrapped(const char *label, const char *key, char text[200])
{
	uint8_t w[CRYPTO_WRAP_EXTRA + 64];

	crypto_wrap(kek, label, key, strlen(key), w);
	strcpy(text, "\\x");
	hex_encode(w, CRYPTO_WRAP_EXTRA + strlen(key), text + 2);
	return text;
}

#define USER_CELLS 18
static void user_cells(struct cell c[USER_CELLS], const char *key)
{
	const struct cell all[USER_CELLS] = {{"enabled", "t"},
					     {"aaa_key", key},
					     {"aaa_spi", "4294967295"},
					     {"aaa_algorithm", "hmac-sha256"},
					     {"home_address", "10.1.0.10"},
					     {"ha_address", "198.51.100.21"},
					     {"ha_host", "ha.home.test"},
					     {"ha_realm", "home.test"},
					     {"ha_enabled", "t"},
					     {"max_lifetime", NULL},
					     {"roaming", "ok"},
					     {"ha_session", NULL},
					     {"fa_session", NULL},
					     {"fa_address", NULL},
					     {"session_home_address", NULL},
					     {"multi_session", NULL},
					     {"handoff_key", NULL},
					     {"number", NULL}};

	memcpy(c, all, sizeof(all));
}

static int read_user(const struct cell *cells, int n, struct pol_rows *out, char *err)
{
	PGresult *res = result(cells, n);
	int rc;

	memset(out, 0, sizeof(*out));
	rc = row_lookup(res, 0, PQntuples(res), kek, "alice@home.test", out, err, 128);
	PQclear(res);
	return rc;
}

static void test_user(void)
{
	struct cell c[USER_CELLS];
	char key[200], err[128] = "";
	struct pol_rows r;

	user_cells(c, wrapped("subscriber:alice@home.test", "0123456789abcdef", key));
	CU_ASSERT_EQUAL(read_user(c, USER_CELLS, &r, err), 0);
	CU_ASSERT_TRUE(r.user.found && r.user.enabled && r.user.has_hoa && !r.user.key_bad &&
		       !r.session.live);
	CU_ASSERT_EQUAL(r.user.spi, 4294967295u);
	CU_ASSERT_EQUAL(r.user.alg, CRYPTO_HMAC_SHA256);
	CU_ASSERT_EQUAL(r.user.key.len, 16);
	CU_ASSERT_EQUAL(memcmp(r.user.key.data, "0123456789abcdef", 16), 0);
	CU_ASSERT_EQUAL(r.user.hoa.s_addr, HOA.s_addr);
	c[4].value = NULL;
	CU_ASSERT_EQUAL(read_user(c, USER_CELLS, &r, err), 0);
	CU_ASSERT_FALSE(r.user.has_hoa);
}

static void test_user_spoilt(void)
{
	static const struct {
		int col;
		const char *value;
		bool bad; /* the row is refused (else only its key) */
	} rows[] = {{2, "4294967296", true}, {2, "-1", true},	{2, "x", true},
		    {4, "10.1.0", true},     {4, "::1", true},	{5, "198.51.100.21/24", true},
		    {1, "\\x01", false},     {1, "abc", false}, {1, NULL, false},
		    {1, "\\xzz", false}};
	struct cell c[USER_CELLS];
	char key[200], err[128];
	struct pol_rows r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		user_cells(c, wrapped("subscriber:alice@home.test", "0123456789abcdef", key));
		c[rows[i].col].value = rows[i].value;
		HARNESS_AT((read_user(c, USER_CELLS, &r, err) != 0) == rows[i].bad, "row %zu", i);
		HARNESS_AT(rows[i].bad || r.user.key_bad, "row %zu: key", i);
	}
	for (int n = 1; n < USER_CELLS - 1; n++)
		HARNESS_AT(read_user(c, n, &r, err) != 0, "%d columns", n);
}

static void test_key_of_another_row(void)
{
	struct cell c[USER_CELLS];
	char key[200], err[128];
	struct pol_rows r;

	user_cells(c, wrapped("subscriber:bob@home.test", "0123456789abcdef", key));
	CU_ASSERT_EQUAL(read_user(c, USER_CELLS, &r, err), 0);
	CU_ASSERT_TRUE(r.user.key_bad);
	CU_ASSERT_EQUAL(r.user.key.len, 0);
}

static void test_no_row_is_no_user(void)
{
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	struct pol_rows r = {0};
	char err[128];

	CU_ASSERT_EQUAL(row_lookup(res, 0, PQntuples(res), kek, "x", &r, err, sizeof(err)), 0);
	CU_ASSERT_FALSE(r.user.found);
	PQclear(res);
}

/* One column n: which place of the question's list each row answers. */
static PGresult *places(const char *const *n, int rows)
{
	PGresAttDesc col = {.name = (char *)(uintptr_t) "n"};
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

	PQsetResultAttrs(res, 1, &col);
	for (int i = 0; i < rows; i++)
		PQsetvalue(res, i, 0, (char *)(uintptr_t)n[i], (int)strlen(n[i]));
	return res;
}

static void test_groups(void)
{
	static const char *const good[] = {"1", "1", "3", "1000"}, *const bad[] = {"0", "-1", "x", "", "1"};
	PGresult *res = places(good, 4);
	size_t n = 9;

	CU_ASSERT_EQUAL(row_group(res, 0, &n), 2);
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT_EQUAL(row_group(res, 2, &n), 3);
	CU_ASSERT_EQUAL(n, 2);
	CU_ASSERT_EQUAL(row_group(res, 3, &n), 4);
	CU_ASSERT_EQUAL(n, 999);
	PQclear(res);
	res = places(bad, 5);
	for (int i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(row_group(res, i, &n), -1);
	PQclear(res);
}

static void test_list(void)
{
	static const char *const texts[] = {"alice@home.test", "a\"b", "c\\d", "", "NULL", "{,}"};
	char *got = row_list(texts, 6);

	CU_ASSERT_STRING_EQUAL(got, "{\"alice@home.test\",\"a\\\"b\",\"c\\\\d\",\"\",\"NULL\",\"{,}\"}");
	free(got);
	got = row_list(texts, 0);
	CU_ASSERT_STRING_EQUAL(got, "{}");
	free(got);
}

/* What row_put_json() writes, row_profiles() reads. */
static void put_example(struct pol_put *put, struct route_set *set, struct vpn_key *handoff)
{
	struct route_ends ends = {FA, HA, HOA};
	struct pol_vpn v = fixture_dynamic_vpn(7), other = fixture_vpn(6);

	memset(set, 0, sizeof(*set));
	route_add(set, &v, &ends);
	route_add(set, &other, &ends);
	aaah_profile_keys_make(set);
	aaah_bu_keys_make(set, &v, 1, HA);
	handoff->len = 32;
	*put = (struct pol_put){"alice@home.test",
				"ha;1",
				"ha.home.test",
				"home.test",
				"fa;1",
				"fa.visited.test",
				"visited.test",
				"",
				HOA,
				HA,
				FA,
				handoff,
				1830,
				set->home,
				set->n_home,
				1700000000123,
				12,
				true};
}

static void test_put(void)
{
	char err[128] = "", enc_hex[2 * VPN_KEY_MAX + 1];
	struct vpn_key handoff = {0};
	struct pol_rows r = {0};
	struct route_set set;
	struct pol_put put;
	json_t *o, *p;
	char *text;
	PGresult *res;

	put_example(&put, &set, &handoff);
	text = row_put_json(&put, kek);
	CU_ASSERT_PTR_NOT_NULL_FATAL(text);
	hex_encode(set.home[0].enc_key.data, 32, enc_hex);
	CU_ASSERT_PTR_NULL(strstr(text, enc_hex));
	hex_encode(set.home[0].bu_key.data, 32, enc_hex);
	CU_ASSERT_PTR_NULL(strstr(text, enc_hex));
	o = json_loads(text, 0, NULL);
	p = json_array_get(json_object_get(o, "profiles"), 0);
	CU_ASSERT_EQUAL(json_array_size(json_object_get(o, "profiles")), 3);
	CU_ASSERT_TRUE(json_is_null(json_object_get(o, "multi_session")));
	CU_ASSERT_EQUAL(json_integer_value(json_object_get(o, "lasting_s")), 1830);
	{
		const struct cell c[] = {
			{"number", "7"},
			{"source", json_string_value(json_object_get(p, "source"))},
			{"destination", json_string_value(json_object_get(p, "destination"))},
			{"tos_up", "184"},
			{"tos_down", "136"},
			{"security", "1"},
			{"source_gateway", json_string_value(json_object_get(p, "source_gateway"))},
			{"destination_gateway", json_string_value(json_object_get(p, "destination_gateway"))},
			{"destination_kind", "2"},
			{"spi_up", "4097"},
			{"spi_down", "4098"},
			{"enc_key", json_string_value(json_object_get(p, "enc_key"))},
			{"auth_key", json_string_value(json_object_get(p, "auth_key"))},
			{"required", "t"},
			{"esp_proposal", "aes256gcm16"},
			{"sla", NULL},
			{"sla_domain", NULL},
			{"sla_home", NULL},
			{"sla_psk", NULL},
			{"ike_local", NULL},
			{"ike_remote", NULL},
			{"ike_proposal", NULL},
			{"bu_key", json_string_value(json_object_get(p, "bu_key"))},
			{"bu_context", json_string_value(json_object_get(p, "bu_context"))}};

		res = result(c, sizeof(c) / sizeof(c[0]));
	}
	HARNESS_AT(row_profiles(res, 0, PQntuples(res), kek, "ha;1", &r, err, sizeof(err)) == 0, "%s", err);
	CU_ASSERT_EQUAL_FATAL(r.n_cached, 1);
	CU_ASSERT_TRUE(vpn_profile_equal(&r.cached[0], &set.home[0]));
	CU_ASSERT_EQUAL(memcmp(&r.cached[0].bu_key, &set.home[0].bu_key, sizeof(set.home[0].bu_key)), 0);
	CU_ASSERT_STRING_EQUAL(r.cached[0].bu_context, set.home[0].bu_context);
	CU_ASSERT_FALSE(r.cached_bad);
	pol_rows_wipe(&r);
	/* wrapped for another session */
	CU_ASSERT_EQUAL(row_profiles(res, 0, PQntuples(res), kek, "ha;2", &r, err, sizeof(err)), 0);
	CU_ASSERT_TRUE(r.cached_bad);
	pol_rows_wipe(&r);
	PQclear(res);
	json_decref(o);
	free(text);
}

/* The master key of a gateway opens only in the row of that gateway. */
static void test_gateway_key(void)
{
	static const struct {
		const char *label;
		bool good;
	} rows[] = {{"pcn:198.51.100.32", true}, {"pcn:198.51.100.33", false}, {"sla:acme", false}};
	struct cell c[USER_CELLS + 14];
	char key[200], mine[200], err[128];
	struct pol_rows r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct cell vpn[] = {
			{"vpnshare", "1"},
			{"destination", "203.0.113.0/24"},
			{"dscp_up", "46"},
			{"dscp_down", "34"},
			{"spi_up", "4105"},
			{"spi_down", "4106"},
			{"security", "1"},
			{"proposal", NULL},
			{"required", "t"},
			{"gateway", "198.51.100.32"},
			{"kind", "dynamic"},
			{"pcn_key", wrapped(rows[i].label, "the master key of the gateway...", key)},
			{"sla", NULL}};

		user_cells(c, wrapped("subscriber:alice@home.test", "0123456789abcdef", mine));
		c[USER_CELLS - 1].value = "5";
		memcpy(c + USER_CELLS, vpn, sizeof(vpn));
		HARNESS_AT(read_user(c, USER_CELLS + 13, &r, err) == 0, "row %zu: %s", i, err);
		CU_ASSERT_EQUAL_FATAL(r.n_vpns, 1);
		HARNESS_AT(r.vpns[0].kind == VPN_GW_DYNAMIC && r.vpns[0].pcn_key_bad == !rows[i].good,
			   "row %zu", i);
		HARNESS_AT(r.vpns[0].pcn_key.len == (rows[i].good ? 32 : 0), "row %zu", i);
		pol_rows_wipe(&r);
	}
}

/* A row of a VPN behind a static gateway; each case spoils one column of it. */
#define VPN_CELLS 24
static void vpn_cells(struct cell c[USER_CELLS + VPN_CELLS], const char *key)
{
	static const struct cell all[VPN_CELLS] = {{"security", "3"},
						   {"proposal", NULL},
						   {"sla_security", "2"},
						   {"esp_proposal", "sha256-curve25519,sha384"},
						   {"ike_proposal", NULL},
						   {"vpnshare", "1"},
						   {"destination", "10.9.0.0/24"},
						   {"dscp_up", "46"},
						   {"dscp_down", "34"},
						   {"spi_up", "4105"},
						   {"spi_down", "4106"},
						   {"required", "t"},
						   {"gateway", "198.51.100.31"},
						   {"kind", "static"},
						   {"pcn_key", NULL},
						   {"sla", "acme"},
						   {"sla_domain", "10.9.0.0/24"},
						   {"sla_home", "10.1.0.0/24"},
						   {"sla_psk", NULL},
						   {"ike_local", NULL},
						   {"ike_remote", NULL},
						   {"sla_enabled", "t"},
						   {"sla_valid", "t"},
						   {"sla_listed", "t"}};

	user_cells(c, key);
	c[USER_CELLS - 1].value = "5";
	memcpy(c + USER_CELLS, all, sizeof(all));
}

static void test_security(void)
{
	struct cell c[USER_CELLS + VPN_CELLS];
	char key[200], err[128] = "";
	struct pol_rows r;

	vpn_cells(c, wrapped("subscriber:alice@home.test", "0123456789abcdef", key));
	HARNESS_AT(read_user(c, USER_CELLS + VPN_CELLS, &r, err) == 0, "%s", err);
	CU_ASSERT_EQUAL_FATAL(r.n_vpns, 1);
	CU_ASSERT_EQUAL(r.vpns[0].security, VPN_SEC_ENCAP);
	CU_ASSERT_STRING_EQUAL(r.vpns[0].proposal, "");
	CU_ASSERT_EQUAL(r.vpns[0].sla_security, VPN_SEC_AH);
	CU_ASSERT_STRING_EQUAL(r.vpns[0].esp_proposal, "sha256-curve25519,sha384");
	pol_rows_wipe(&r);
	c[USER_CELLS].value = "2";
	c[USER_CELLS + 1].value = "sha512";
	CU_ASSERT_EQUAL(read_user(c, USER_CELLS + VPN_CELLS, &r, err), 0);
	CU_ASSERT_EQUAL(r.vpns[0].security, VPN_SEC_AH);
	CU_ASSERT_STRING_EQUAL(r.vpns[0].proposal, "sha512");
	pol_rows_wipe(&r);
}

static void test_security_spoilt(void)
{
	static const struct {
		int col;
		const char *value;
	} rows[] = {{0, NULL},
		    {0, "0"},
		    {0, "4"},
		    {0, "-1"},
		    {0, "ESP"},
		    {1, "sha256"}, /* with encapsulation only */
		    {2, NULL},
		    {2, "0"},
		    {2, "3"},
		    {3, "AES 128"},
		    {3, "aes128gcm16\n}"},
		    {4, "aes\"x"},
		    {3, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}};
	struct cell c[USER_CELLS + VPN_CELLS];
	char key[200], err[128], want[64];
	struct pol_rows r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		vpn_cells(c, wrapped("subscriber:alice@home.test", "0123456789abcdef", key));
		c[USER_CELLS + rows[i].col].value = rows[i].value;
		err[0] = '\0';
		HARNESS_AT(read_user(c, USER_CELLS + VPN_CELLS, &r, err) != 0, "row %zu", i);
		snprintf(want, sizeof(want), "column %s is", c[USER_CELLS + rows[i].col].name);
		HARNESS_AT(strstr(err, want), "row %zu: %s", i, err);
		pol_rows_wipe(&r);
	}
}

static void test_settings(void)
{
	static const struct {
		const char *text, *says; /* says NULL = good */
	} rows[] = {
		{"database = \"dbname=x\"\nkey-file = \"KEY\"\n", NULL},
		{"database = \"dbname=x\"\nkey-file = \"KEY\"\nalgorithms = { hmac-sha256, chap-md5 }\n",
		 NULL},
		{"key-file = \"KEY\"\n", "database"},
		{"database = \"dbname=x\"\n", "key-file"},
		{"database = \"dbname=x\"\nkey-file = \"/nonexistent/key\"\n", "/nonexistent/key"},
		{"database = \"dbname=x\"\nkey-file = \"KEY\"\nalgorithms = { rot13 }\n", "algorithms"},
		{"database = \"dbname=x\"\nkey-file = \"KEY\"\nauthorization-lifetime = 1\n",
		 "authorization-lifetime"},
		{"database = \"dbname=x\"\nkey-file = \"KEY\"\nvpn-not-permitted = perhaps\n",
		 "vpn-not-permitted"},
		{"database = \"dbname=x\"\nkey-file = \"KEY\"\ncolour = red\n", "colour"},
	};
	char dir[] = "/tmp/test_row-XXXXXX", path[64], key[64], err[4096], text[512], *at;
	struct settings s;

	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/conf", dir);
	snprintf(key, sizeof(key), "%s/key", dir);
	CU_ASSERT_EQUAL(crypto_keyfile_create(key, err, sizeof(err)), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *f = fopen(path, "w");
		int rc;

		snprintf(text, sizeof(text), "%s", rows[i].text);
		at = strstr(text, "KEY");
		if (at)
			fprintf(f, "%.*s%s%s", (int)(at - text), text, key, at + 3);
		else
			fputs(text, f);
		fclose(f);
		rc = settings_load(path, &s, err, sizeof(err));
		HARNESS_AT((rc == 0) == !rows[i].says, "row %zu: %s", i, err);
		HARNESS_AT(!rows[i].says || strstr(err, rows[i].says), "row %zu: %s", i, err);
		if (i == 1)
			CU_ASSERT_EQUAL(s.rules.algorithms, AAAH_ALG_SHA256 | AAAH_ALG_CHAP);
		settings_wipe(&s);
	}
	remove(path);
	remove(key);
	remove(dir);
}

/* The sample's key file is not there, which must be all that is wrong with it. */
static void test_sample_is_right(void)
{
	static struct settings s;
	char err[4096] = "", *end;
	int rc = settings_load(TOP_SRCDIR "/conf/app_mipvpn_aaah.conf.sample", &s, err, sizeof(err));

	end = strchr(err, '\n');
	HARNESS_AT(rc == 0 || (strstr(err, "/etc/mipvpn/database.key") && (!end || !end[1])), "%s", err);
	settings_wipe(&s);
}

HARNESS_MAIN("aaah/row", HARNESS_CASE(test_user), HARNESS_CASE(test_user_spoilt),
	     HARNESS_CASE(test_key_of_another_row), HARNESS_CASE(test_no_row_is_no_user),
	     HARNESS_CASE(test_groups), HARNESS_CASE(test_list), HARNESS_CASE(test_put),
	     HARNESS_CASE(test_gateway_key), HARNESS_CASE(test_security), HARNESS_CASE(test_security_spoilt),
	     HARNESS_CASE(test_settings), HARNESS_CASE(test_sample_is_right))
