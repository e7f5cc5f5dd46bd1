/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Commands, one JSON object a line ("do" says which; the rest is optional):
 *   amr    nai key alg spi hoa ha coa lifetime challenge features fa_spi session bad_mac service_update dest_realm
 *   str    session cause dest_host dest_realm
 *   har    mode: ok | refuse | silent | hold (until release); quiet: true = no events      how HARs are answered from now on
 *   vur    mode: ok | refuse | silent | busy | later (a contract's connection)      how VURs are answered
 *   asr    mode: ok | silent | busy
 *   release    first: true: of those held the HAR that came first, else the last, is answered: ok
 *   bench  n first outstanding key coa ha
 *   quit
 * Events: peer, ama, sta, har, vur, asr, bench.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/counter.h"
#include "lib/hex.h"
#include "tests/aaah/sim.h"

static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;
enum { MODE_OK, MODE_REFUSE, MODE_SILENT, MODE_HOLD, MODE_LATER };
static atomic_int har_mode, vur_mode, asr_mode, quiet;

void sim_say(json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	pthread_mutex_lock(&out_lock);
	puts(text);
	fflush(stdout);
	pthread_mutex_unlock(&out_lock);
	free(text);
	json_decref(o);
}

/* --- structs as JSON ------------------------------------------------------------------------------------------------ */

static json_t *hex_json(const uint8_t *data, size_t len)
{
	char text[2 * DM_RR_MAX + 1];

	hex_encode(data, len, text);
	return json_string(text);
}

static json_t *msa_json(const struct dm_msa *m)
{
	if (!m->present)
		return json_null();
	return json_pack("{sI so}", "spi", (json_int_t)m->spi, "key", hex_json(m->key.data, m->key.len));
}

static json_t *vpn_json(const struct dm_vpn *v)
{
	json_t *list = json_array();

	for (uint8_t i = 0; i < v->n; i++)
		json_array_append_new(list, vpn_profile_json(&v->p[i], true));
	return list;
}

static json_t *addr_json(bool has, struct in_addr a)
{
	char text[INET_ADDRSTRLEN];

	return has ? json_string(inet_ntop(AF_INET, &a, text, sizeof(text))) : json_null();
}

/* --- the foreign agent ---------------------------------------------------------------------------------------------- */

static void ama_say(const struct dm_ama *a, int rc, const char *err)
{
	sim_say(json_pack(
		"{ss si ss sI ss ss so so so so so so sI sb so}", "event", "ama", "parse", rc, "session",
		a->session, "result", (json_int_t)a->result, "error", rc ? err : a->error, "multi",
		a->multi_session, "rrp", hex_json(a->rrp.data, a->rrp.len), "hoa",
		addr_json(a->has_hoa, a->hoa), "vpn", vpn_json(&a->vpn), "fa_to_mn", msa_json(&a->fa_to_mn),
		"fa_to_ha", msa_json(&a->fa_to_ha), "handoff",
		hex_json(a->vpn.handoff.data, a->vpn.handoff.len), "lifetime", (json_int_t)a->auth_lifetime,
		"cached", a->vpn.cached, "previous_fa", addr_json(a->has_previous_fa, a->previous_fa)));
}

static void ama_arrived(void *data, struct msg **answer)
{
	struct dm_ama ama;
	char err[256] = "";
	int rc = dm_ama_parse(*answer, &ama, err, sizeof(err));

	ama_say(&ama, rc, err);
	dm_ama_wipe(&ama);
	fd_msg_free(*answer);
	*answer = NULL;
}

static void do_amr(const json_t *cmd)
{
	struct dm_amr *amr = malloc(sizeof(*amr));
	struct msg *m = NULL;
	int rc = amr && sim_amr_make(cmd, amr) ? dm_amr_build(amr, &m) : -1;

	if (!rc)
		rc = fd_msg_send(&m, ama_arrived, NULL);
	if (rc)
		sim_say(json_pack("{ss si}", "event", "failed", "rc", rc));
	free(amr);
}

static void sta_arrived(void *data, struct msg **answer)
{
	union avp_value *value = NULL;
	struct avp *avp = NULL;
	struct avp_hdr *hdr;

	if (!fd_msg_search_avp(*answer, dm_dict_avp(DM_RESULT_CODE), &avp) && avp &&
	    !fd_msg_avp_hdr(avp, &hdr))
		value = hdr->avp_value;
	sim_say(json_pack("{ss sI}", "event", "sta", "result", (json_int_t)(value ? value->u32 : 0)));
	fd_msg_free(*answer);
	*answer = NULL;
}

static void copy(char *to, size_t cap, const json_t *cmd, const char *name, const char *def)
{
	const char *s = json_string_value(json_object_get(cmd, name));

	snprintf(to, cap, "%s", s ? s : def);
}

static void do_str(const json_t *cmd)
{
	struct dm_end end = {0};
	struct msg *m = NULL;
	int rc;

	copy(end.session, sizeof(end.session), cmd, "session", "");
	copy(end.dest_host, sizeof(end.dest_host), cmd, "dest_host", "aaah.home.test");
	copy(end.dest_realm, sizeof(end.dest_realm), cmd, "dest_realm", "home.test");
	end.cause = (uint32_t)json_integer_value(json_object_get(cmd, "cause"));
	rc = dm_str_build(&end, &m);
	if (!rc)
		rc = fd_msg_send(&m, sta_arrived, NULL);
	if (rc)
		sim_say(json_pack("{ss si}", "event", "failed", "rc", rc));
}

/* --- the home agent ------------------------------------------------------------------------------------------------- */

static void har_say(const struct dm_har *h)
{
	sim_say(json_pack("{ss ss ss so so so so so so so sI sI}", "event", "har", "session", h->session,
			  "user", h->user, "hoa", addr_json(h->has_hoa, h->hoa), "vpn", vpn_json(&h->vpn),
			  "mn_to_ha", msa_json(&h->mn_to_ha), "mn_to_fa", msa_json(&h->mn_to_fa), "ha_to_mn",
			  msa_json(&h->ha_to_mn), "ha_to_fa", msa_json(&h->ha_to_fa), "rrq",
			  hex_json(h->rrq.data, h->rrq.len), "lifetime", (json_int_t)h->auth_lifetime,
			  "msa_lifetime", (json_int_t)h->msa_lifetime));
}

/* One binding's memory: the care-of address that the last session had, as a home agent says it. */
static void where_was(const char *session, struct in_addr coa, struct dm_haa *out)
{
	static char last[DM_SESSION_MAX];
	static struct in_addr at;

	out->has_previous_fa = !strcmp(last, session) && at.s_addr != coa.s_addr;
	out->previous_fa = at;
	snprintf(last, sizeof(last), "%s", session);
	at = coa;
}

static void haa_fill(const struct dm_har *h, struct dm_haa *out)
{
	struct mip_rrq rrq = {0};
	struct wbuf w;

	mip_rrq_decode(h->rrq.data, h->rrq.len, &rrq);
	snprintf(out->session, sizeof(out->session), "%s", h->session);
	snprintf(out->user, sizeof(out->user), "%s", h->user);
	snprintf(out->multi_session, sizeof(out->multi_session), "multi;%.200s", h->session);
	out->result = har_mode != MODE_REFUSE ? DM_SUCCESS : DM_MIP_REPLY_FAILURE;
	if (har_mode == MODE_REFUSE)
		snprintf(out->error, sizeof(out->error), "the simulator refuses");
	wbuf_init(&w, out->rrp.data, sizeof(out->rrp.data));
	mip_rrp_put(&w, har_mode != MODE_REFUSE ? MIP_ACCEPTED : MIP_HA_RESOURCES, rrq.lifetime, h->hoa, h->ha,
		    rrq.ident);
	out->rrp.len = (uint16_t)w.len;
	out->has_hoa = out->has_ha = true;
	out->hoa = h->hoa;
	out->ha = h->ha;
	out->fa_to_ha_spi = h->ha_to_fa.present ? 2318 : 0;
	out->fa_to_mn_spi = rrq.mn_fa_key.spi;
	out->vpn_cached = true;
	where_was(h->session, rrq.coa, out);
}

static struct {
	pthread_mutex_t lock;
	struct msg *m[4];
	unsigned n;
} held = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void hold(struct msg **m)
{
	pthread_mutex_lock(&held.lock);
	if (held.n < sizeof(held.m) / sizeof(held.m[0]))
		held.m[held.n++] = *m;
	else
		fd_msg_free(*m);
	pthread_mutex_unlock(&held.lock);
	*m = NULL;
}

static void do_release(bool first)
{
	static struct dm_har har;
	static struct dm_haa haa;
	char err[256];
	struct msg *m = NULL;

	pthread_mutex_lock(&held.lock);
	if (held.n)
		m = held.m[first ? 0 : held.n - 1];
	if (held.n && --held.n && first)
		memmove(held.m, held.m + 1, held.n * sizeof(held.m[0]));
	pthread_mutex_unlock(&held.lock);
	memset(&haa, 0, sizeof(haa));
	if (!m || dm_har_parse(m, &har, err, sizeof(err)))
		return;
	haa_fill(&har, &haa);
	if (!dm_haa_answer(&haa, &m))
		fd_msg_send(&m, NULL, NULL);
	dm_har_wipe(&har);
}

static int on_har(struct msg **m, struct avp *avp, struct session *s, void *data, enum disp_action *act)
{
	struct dm_har *har = calloc(1, sizeof(*har));
	struct dm_haa *haa = calloc(1, sizeof(*haa));
	char err[256];
	int rc;

	rc = dm_har_parse(*m, har, err, sizeof(err));
	if (rc)
		fprintf(stderr, "HAR: %d %s\n", rc, err);
	else if (!quiet)
		har_say(har);
	if (har_mode == MODE_SILENT) {
		fd_msg_free(*m);
		*m = NULL;
	} else if (har_mode == MODE_HOLD) {
		hold(m);
	} else {
		haa_fill(har, haa);
		rc = rc ? dm_plain_answer((uint32_t)rc, err, m) : dm_haa_answer(haa, m);
		*act = DISP_ACT_SEND;
	}
	dm_har_wipe(har);
	dm_haa_wipe(haa);
	free(har);
	free(haa);
	return 0;
}

/* What a home or foreign agent answers when its VPNs are others. */
static int on_vur(struct msg **m, struct avp *avp, struct session *s, void *data, enum disp_action *act)
{
	struct dm_har *vur = calloc(1, sizeof(*vur));
	struct dm_haa *vua = calloc(1, sizeof(*vua));
	int mode = vur_mode; /* as it was when the event was not known yet */
	char err[256] = "";
	int rc = dm_vur_parse(*m, vur, err, sizeof(err));

	sim_say(json_pack("{ss ss ss si so}", "event", "vur", "session", vur->session, "user", vur->user,
			  "parse", rc, "vpn", vpn_json(&vur->vpn)));
	vua->result = mode == MODE_REFUSE ? DM_UNABLE_TO_COMPLY
		      : mode == MODE_HOLD ? DM_TOO_BUSY
					      : DM_SUCCESS;
	if (mode == MODE_LATER && vur->vpn.n) {
		vua->n_refused = 1;
		vua->refused[0].number = vur->vpn.p[vur->vpn.n - 1].number;
		snprintf(vua->refused[0].text, sizeof(vua->refused[0].text), "it refused our authentication");
	}
	if (vua->result != DM_SUCCESS)
		snprintf(vua->error, sizeof(vua->error), "the simulator refuses");
	if (mode == MODE_SILENT) {
		fd_msg_free(*m);
		*m = NULL;
	} else if (!dm_vua_answer(vua, m)) {
		*act = DISP_ACT_SEND;
	}
	dm_har_wipe(vur);
	free(vur);
	free(vua);
	return 0;
}

static int on_asr(struct msg **m, struct avp *avp, struct session *s, void *data, enum disp_action *act)
{
	struct dm_end end;
	char err[256] = "";
	int rc = dm_end_parse(*m, &end, err, sizeof(err));

	if (!quiet)
		sim_say(json_pack("{ss si ss ss}", "event", "asr", "parse", rc, "session", end.session,
				  "user", end.user));
	if (asr_mode == MODE_SILENT) {
		fd_msg_free(*m);
		*m = NULL;
	} else if (dm_plain_answer(asr_mode == MODE_HOLD ? DM_TOO_BUSY : DM_SUCCESS, NULL, m) == 0) {
		*act = DISP_ACT_SEND;
	}
	return 0;
}

/* --- the process ---------------------------------------------------------------------------------------------------- */

static void on_peer(enum fd_hook_type type, struct msg *m, struct peer_hdr *peer, void *other,
		    struct fd_hook_permsgdata *pmd, void *data)
{
	sim_say(json_pack("{ss ss}", "event", "peer", "host", peer ? peer->info.pi_diamid : "?"));
}

static int listen_for(uint32_t command,
		      int (*cb)(struct msg **, struct avp *, struct session *, void *, enum disp_action *))
{
	struct disp_when when = {.app = dm_dict_application(), .command = dm_dict_command(command)};

	return fd_disp_register(cb, DISP_HOW_CC, &when, NULL, NULL);
}

static int node_start(const char *conf)
{
	struct fd_hook_hdl *hook;
	char err[256];
	int rc;

	if ((rc = fd_core_initialize()) || (rc = fd_core_parseconf(conf)))
		return rc;
	if ((rc = dict_mipvpn_load(err, sizeof(err))) || (rc = dm_dict_resolve(err, sizeof(err)))) {
		fprintf(stderr, "%s\n", err);
		return rc;
	}
	if ((rc = dm_workarounds_install(false)) || (rc = listen_for(DM_CC_HAR, on_har)) ||
	    (rc = listen_for(DM_CC_VUR, on_vur)) ||
	    (rc = listen_for(CC_ABORT_SESSION, on_asr)) ||
	    (rc = fd_disp_app_support(dm_dict_application(), NULL, 1, 0)) ||
	    (rc = fd_hook_register(HOOK_MASK(HOOK_PEER_CONNECT_SUCCESS), on_peer, NULL, NULL, &hook)) ||
	    (rc = fd_core_start()))
		return rc;
	return fd_core_waitstartcomplete();
}

static int mode_of(const json_t *cmd)
{
	const char *mode = json_string_value(json_object_get(cmd, "mode"));

	if (!mode || !strcmp(mode, "ok"))
		return MODE_OK;
	if (!strcmp(mode, "refuse"))
		return MODE_REFUSE;
	if (!strcmp(mode, "later"))
		return MODE_LATER;
	return !strcmp(mode, "hold") || !strcmp(mode, "busy") ? MODE_HOLD : MODE_SILENT;
}

static void do_vur(const json_t *cmd)
{
	vur_mode = mode_of(cmd);
	sim_say(json_pack("{ss}", "event", "set"));
}

static void do_asr(const json_t *cmd)
{
	asr_mode = mode_of(cmd);
	sim_say(json_pack("{ss}", "event", "set"));
}

static void do_har(const json_t *cmd)
{
	har_mode = mode_of(cmd);
	quiet = json_is_true(json_object_get(cmd, "quiet"));
	sim_say(json_pack("{ss}", "event", "set"));
}

static bool run_command(const char *line)
{
	json_t *cmd = json_loads(line, 0, NULL);
	const char *what = json_string_value(json_object_get(cmd, "do"));
	bool go_on = what && strcmp(what, "quit") != 0;

	if (go_on && !strcmp(what, "amr"))
		do_amr(cmd);
	else if (go_on && !strcmp(what, "str"))
		do_str(cmd);
	else if (go_on && !strcmp(what, "har"))
		do_har(cmd);
	else if (go_on && !strcmp(what, "vur"))
		do_vur(cmd);
	else if (go_on && !strcmp(what, "asr"))
		do_asr(cmd);
	else if (go_on && !strcmp(what, "release"))
		do_release(json_is_true(json_object_get(cmd, "first")));
	else if (go_on && !strcmp(what, "bench"))
		sim_bench(cmd);
	json_decref(cmd);
	return go_on;
}

static int run_node(const char *conf)
{
	char line[16384];
	sigset_t all;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	rc = node_start(conf);
	if (rc) {
		fprintf(stderr, "aaah_sim: %s: %s\n", conf, strerror(rc));
		return 1;
	}
	while (fgets(line, sizeof(line), stdin) && run_command(line))
		continue;
	fd_core_shutdown();
	fd_core_wait_shutdown_complete();
	return 0;
}

static int wrap(const char *keyfile, const char *label, const char *hex, char out[256])
{
	uint8_t kek[32], key[64], wrapped[CRYPTO_WRAP_EXTRA + sizeof(key)];
	char err[256];
	int n = hex_decode(hex, strlen(hex), key, sizeof(key));

	if (n <= 0 || crypto_keyfile_read(keyfile, kek, err, sizeof(err)) ||
	    crypto_wrap(kek, label, key, (size_t)n, wrapped))
		return -1;
	hex_encode(wrapped, CRYPTO_WRAP_EXTRA + (size_t)n, out);
	return 0;
}

static int users(const char *keyfile, const char *hex, int n)
{
	char label[96], wrapped[256];

	for (int i = 1; i <= n; i++) {
		snprintf(label, sizeof(label), "subscriber:u%d@home.test", i);
		if (wrap(keyfile, label, hex, wrapped))
			return 1;
		printf("u%d@home.test\t\\\\x%s\t198.51.100.21\t10.64.%d.%d\n", i, wrapped, i / 250,
		       i % 250 + 1);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "users"))
		return users(argv[2], argv[3], atoi(argv[4]));
	if (argc == 2)
		return run_node(argv[1]);
	fprintf(stderr, "usage: aaah_sim CONF | users KEYFILE HEX N\n");
	return 2;
}
