/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The cases of tests/aaah/decide_cases.txt as the AAAH sees them (A4, A5, C2, C3): the rows of aaah_lookup(),
 * read by row_lookup(), through plan_admit() and plan_make().  That the database gives these rows, and
 * that mipvpn.decide() says the same, is tests/db/t/decide.sql.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "extensions/app_mipvpn_aaah/row.h"
#include "lib/hex.h"
#include "tests/unit/aaah/fixture.h"

#define CASES TOP_SRCDIR "/tests/aaah/decide_cases.txt"
#define ROWS_MAX 24
#define TEXT_MAX 1024

static const uint8_t kek[32] = {1, 2, 3};

static const char *const columns[] = {
	"enabled",	 "aaa_key",	 "aaa_spi",	"aaa_algorithm", "home_address",
	"ha_address",	 "ha_host",	 "ha_realm",	"ha_enabled",	 "max_lifetime",
	"roaming",	 "ha_session",	 "fa_session",	"fa_address",	 "session_home_address",
	"multi_session", "handoff_key",	 "number",	"vpnshare",	 "destination",
	"dscp_up",	 "dscp_down",	 "spi_up",	"spi_down",	 "security",
	"required",	 "gateway",	 "kind",	"pcn_key",	 "sla",
	"sla_domain",	 "sla_home",	 "sla_psk",	"ike_local",	 "ike_remote",
	"ike_proposal",	 "esp_proposal", "sla_enabled", "sla_valid",	 "sla_listed",
	"proposal",	 "sla_security"};
#define N_COLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))

struct row_text {
	char cell[N_COLUMNS][200]; /* "" = NULL */
};

struct decide_case {
	char name[TEXT_MAX], ask[TEXT_MAX], hoa[TEXT_MAX], out[TEXT_MAX];
	char nai[128], fa[64], realm[128], to[64]; /* of ask */
	struct row_text row[ROWS_MAX];
	int n_rows;
};

static int column(const char *name)
{
	for (int i = 0; i < N_COLUMNS; i++) {
		if (strcmp(columns[i], name) == 0)
			return i;
	}
	HARNESS_AT(false, "no column %s", name);
	return 0;
}

static void cells_set(struct row_text *row, char *text)
{
	char *save, *at;

	for (char *w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		at = strchr(w, '=');
		CU_ASSERT_PTR_NOT_NULL_FATAL(at);
		*at++ = '\0';
		snprintf(row->cell[column(w)], sizeof(row->cell[0]), "%s", strcmp(at, "-") ? at : "");
	}
}

static void wrapped(const char *label, const char *of, const char *key, char out[200])
{
	uint8_t w[CRYPTO_WRAP_EXTRA + 64];
	char whole[160];

	snprintf(whole, sizeof(whole), "%s:%s", label, of);
	CU_ASSERT_EQUAL_FATAL(crypto_wrap(kek, whole, key, strlen(key), w), 0);
	strcpy(out, "\\x");
	hex_encode(w, CRYPTO_WRAP_EXTRA + strlen(key), out + 2);
}

static void keys_set(struct row_text *row, const char *nai)
{
	char(*cell)[200] = row->cell;

	if (cell[column("aaa_key")][0])
		wrapped("subscriber", nai, good_request().key, cell[column("aaa_key")]);
	if (cell[column("pcn_key")][0])
		wrapped("pcn", cell[column("gateway")], "the master key of the gateway...",
			cell[column("pcn_key")]);
	if (cell[column("sla_psk")][0])
		wrapped("sla", cell[column("sla")], "psk", cell[column("sla_psk")]);
}

static PGresult *result(struct decide_case *c)
{
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc desc[N_COLUMNS];

	memset(desc, 0, sizeof(desc));
	for (int i = 0; i < N_COLUMNS; i++)
		desc[i].name = (char *)(uintptr_t)columns[i];
	CU_ASSERT_TRUE_FATAL(PQsetResultAttrs(res, N_COLUMNS, desc));
	for (int r = 0; r < c->n_rows; r++) {
		keys_set(&c->row[r], c->nai);
		for (int i = 0; i < N_COLUMNS; i++) {
			char *v = c->row[r].cell[i];

			PQsetvalue(res, r, i, v[0] ? v : NULL, v[0] ? (int)strlen(v) : -1);
		}
	}
	return res;
}

static struct in_addr addr(const char *text)
{
	struct in_addr a = {0};

	HARNESS_AT(inet_pton(AF_INET, text, &a) == 1, "%s", text);
	return a;
}

static const char *security(enum vpn_security s)
{
	return s == VPN_SEC_ESP ? "ESP" : s == VPN_SEC_AH ? "AH" : s == VPN_SEC_ENCAP ? "ENCAP" : "?";
}

static const char *or_dash(const char *text)
{
	return text[0] ? text : "-";
}

/* The profile of the foreign agent that takes a packet: the longest destination. */
static const struct vpn_profile *taker(const struct route_set *set, struct in_addr to)
{
	const struct vpn_profile *best = NULL;

	for (size_t i = 0; i < set->n_foreign; i++) {
		const struct vpn_profile *p = &set->foreign[i];

		if (vpn_prefix_has(&p->dst, to) && (!best || p->dst.len > best->dst.len))
			best = p;
	}
	return best;
}

/* "VPN 4: why" of the longest VPN that leads there and was left out, and is longer than at_least. */
static bool left_out(const struct plan *p, const struct pol_rows *rows, struct in_addr to, int at_least,
		     char out[TEXT_MAX])
{
	for (size_t i = 0; i < rows->n_vpns; i++) {
		const struct pol_vpn *v = &rows->vpns[i];
		char word[32];
		const char *at;

		snprintf(word, sizeof(word), "VPN %u: ", v->number);
		at = strstr(p->left_out, word);
		if (!at || !vpn_prefix_has(&v->dst, to) || v->dst.len <= at_least)
			continue;
		at_least = v->dst.len;
		snprintf(out, TEXT_MAX, "%.*s", (int)strcspn(at, ";"), at);
	}
	return out[0] != '\0';
}

/* The second profile of the home agent, behind a static gateway. */
static const struct vpn_profile *onward(const struct route_set *set, const struct vpn_profile *p)
{
	for (size_t i = 0; i < set->n_home; i++) {
		if (set->home[i].number == p->number && set->home[i].dst_gw_type == VPN_GW_STATIC)
			return &set->home[i];
	}
	return NULL;
}

static void path(const struct vpn_profile *p, const struct vpn_profile *on, char out[64])
{
	char a[3][INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &p->src_gw, a[0], sizeof(a[0]));
	inet_ntop(AF_INET, &p->dst_gw, a[1], sizeof(a[1]));
	if (on)
		inet_ntop(AF_INET, &on->dst_gw, a[2], sizeof(a[2]));
	snprintf(out, 64, "%s = %s%s%s", a[0], a[1], on ? " = " : "", on ? a[2] : "");
}

/* Both ends of the first leg have it alike, and both legs are of one VPN. */
static void halves_check(const struct plan *p, const struct vpn_profile *f, const struct vpn_profile *on,
			 const char *name)
{
	const struct vpn_profile *h = NULL;

	for (size_t i = 0; i < p->route.n_home; i++) {
		if (p->route.home[i].number == f->number && p->route.home[i].dst_gw_type == f->dst_gw_type)
			h = &p->route.home[i];
	}
	CU_ASSERT_PTR_NOT_NULL_FATAL(h);
	HARNESS_AT(vpn_profile_equal(h, f), "%s", name);
	if (!on)
		return;
	HARNESS_AT(on->src_gw.s_addr == f->dst_gw.s_addr && vpn_prefix_equal(&on->dst, &f->dst), "%s", name);
	HARNESS_AT(on->tos_up == f->tos_up && on->tos_down == f->tos_down, "%s", name);
}

static const char *contract_of(const struct pol_rows *rows, uint32_t number)
{
	for (size_t i = 0; i < rows->n_vpns; i++) {
		if (rows->vpns[i].number == number)
			return or_dash(rows->vpns[i].sla);
	}
	return "?";
}

static void words(const struct plan *p, const struct pol_rows *rows, struct in_addr to, const char *name,
		  char out[TEXT_MAX])
{
	const struct vpn_profile *f = taker(&p->route, to), *on = f ? onward(&p->route, f) : NULL;
	char way[64], but[TEXT_MAX] = "";
	bool missed = left_out(p, rows, to, f ? f->dst.len : -1, but);

	if (!f) {
		snprintf(out, TEXT_MAX, missed ? "no: %.900s" : "none:", but);
		return;
	}
	halves_check(p, f, on, name);
	path(f, on, way);
	snprintf(out, TEXT_MAX,
		 "vpn %u %s %s sla=%s %s/%s keys=%s spi=%u/%u dscp=%u/%u required=%s onward=%s/%s%s%.500s",
		 f->number, on ? "static" : "dynamic", way, contract_of(rows, f->number),
		 security(f->security), or_dash(f->esp_proposal), f->enc_key.len ? "own" : "shared",
		 f->spi_up, f->spi_down, (unsigned)f->tos_up >> 2, (unsigned)f->tos_down >> 2,
		 f->required ? "yes" : "no", on ? security(on->security) : "-",
		 on ? or_dash(on->esp_proposal) : "-", missed ? " but " : "", but);
}

static void decide(const struct decide_case *c, struct pol_rows *rows, char out[TEXT_MAX])
{
	static struct fixture f;
	static struct plan p;
	struct request r = good_request();
	enum plan_address need;
	struct aaah_verdict v;
	struct in_addr hoa;

	fixture_init(&f);
	r.nai = c->nai;
	r.coa = addr(c->fa);
	r.hoa.s_addr = 0;
	fixture_request(&f, &r);
	snprintf(f.amr.user, sizeof(f.amr.user), "%s", c->nai);
	snprintf(f.amr.origin_realm, sizeof(f.amr.origin_realm), "%s", c->realm);
	if (!plan_admit(&f.rules, &f.amr, &f.rrq, rows, &need, &hoa, &v)) {
		snprintf(out, TEXT_MAX, "refused: %s", v.text);
		return;
	}
	HARNESS_AT((need == PLAN_HOA_ALLOCATE) == (c->hoa[0] != '\0'), "%s", c->name);
	if (need == PLAN_HOA_ALLOCATE)
		hoa = addr(c->hoa);
	HARNESS_AT(plan_make(&f.rules, &f.amr, &f.rrq, rows, hoa, "ha;1;2", &p, &v), "%s: %s", c->name,
		   v.text);
	words(&p, rows, addr(c->to), c->name, out);
	plan_wipe(&p);
}

static void case_run(struct decide_case *c)
{
	char out[TEXT_MAX] = "", err[128] = "";
	struct pol_rows rows;
	PGresult *res;
	size_t len;

	memset(&rows, 0, sizeof(rows));
	HARNESS_AT(sscanf(c->ask, "%127s %63s %127s %63s", c->nai, c->fa, c->realm, c->to) == 4, "%s",
		   c->name);
	res = result(c);
	HARNESS_AT(row_lookup(res, 0, PQntuples(res), kek, c->nai, &rows, err, sizeof(err)) == 0, "%s: %s",
		   c->name, err);
	PQclear(res);
	decide(c, &rows, out);
	pol_rows_wipe(&rows);
	len = strcmp(out, "none:") ? sizeof(c->out) : strlen(out); /* what follows is for the DBA */
	HARNESS_AT(strncmp(out, c->out, len) == 0, "%s: %s, expected %s", c->name, out, c->out);
}

/* A line is "word: text"; false: it is none. */
static bool line_take(struct decide_case *c, struct row_text *base, char *line)
{
	char *text = strchr(line, ':');

	if (!text)
		return false;
	*text++ = '\0';
	text += strspn(text, " ");
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(line, "base") == 0) {
		cells_set(base, text);
	} else if (strcmp(line, "row") == 0) {
		CU_ASSERT_TRUE_FATAL(c->n_rows < ROWS_MAX);
		c->row[c->n_rows] = *base;
		cells_set(&c->row[c->n_rows++], text);
	} else {
		char *to = !strcmp(line, "case")  ? c->name
			   : !strcmp(line, "ask") ? c->ask
			   : !strcmp(line, "hoa") ? c->hoa
			   : !strcmp(line, "out") ? c->out
						  : NULL;

		if (to)
			snprintf(to, TEXT_MAX, "%s", text);
		return to || strcmp(line, "sql") == 0;
	}
	return true;
}

static void test_cases(void)
{
	static struct decide_case c;
	static struct row_text base;
	unsigned n = 0;
	char line[4096];
	FILE *f = fopen(CASES, "r");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (strncmp(line, "case:", 5) == 0)
			memset(&c, 0, sizeof(c));
		HARNESS_AT(line_take(&c, &base, line), "a line of no kind: %s", line);
		if (strcmp(line, "out") == 0) { /* the last line of a case */
			case_run(&c);
			n++;
		}
	}
	fclose(f);
	HARNESS_AT(n >= 40, "%u cases", n);
}

HARNESS_MAIN("aaah/decide", HARNESS_CASE(test_cases))
