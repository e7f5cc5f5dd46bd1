/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A Diameter node for tests, foreign agent or home AAA server as its orders say: libfdcore with our
 * dictionary and codec inside, as in the agent.  Orders come on stdin, one a line; what happens goes to
 * stdout, one line each.
 *
 *	amr SESSION USER [FEATURES [PREVIOUS-FA]]	send an AMR to the user's realm
 *	move SESSION USER CARE-OF PREVIOUS IDENT [forged|care_of|long]	one with a PFAN under the keys of our
 *			AMAs; PREVIOUS -: a first registration, without
 *	str SESSION USER [APPLICATION]	asr SESSION REALM HOST [APPLICATION]
 *	mode answer|silent|refuse|malformed		what becomes of AMRs that come in (answer)
 *	quit
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/mip/mip.h"
#include "diameter/codec.h"
#include "tests/unit/diameter/wire.h"

static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;
static enum { ANSWER, SILENT, REFUSE, MALFORMED } mode = ANSWER;

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pthread_mutex_lock(&out_lock);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
	pthread_mutex_unlock(&out_lock);
	va_end(ap);
}

static void log_line(int level, const char *format, va_list args)
{
	if (level < FD_LOG_NOTICE)
		return;
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

/* --- answers to what we sent --- */

static void on_ama(void *data, struct msg **m)
{
	struct dm_ama a;
	char err[256] = "";
	int rc = dm_ama_parse(*m, &a, err, sizeof(err));

	if (rc)
		say("AMA malformed %d %s", rc, err);
	else
		say("AMA session=%s result=%u profiles=%u keys=%d gateway=%s spi=%u from=%s error=%s",
		    a.session, a.result, a.vpn.n, a.fa_to_mn.present + a.fa_to_ha.present,
		    a.vpn.n ? inet_ntoa(a.vpn.p[0].src_gw) : "-", a.ha_to_fa_spi, a.origin_host, a.error);
	dm_ama_wipe(&a);
	fd_msg_free(*m);
	*m = NULL;
}

static void on_plain(void *name, struct msg **m)
{
	struct avp *avp = NULL, *session = NULL;
	struct avp_hdr *hdr = NULL, *session_hdr = NULL;

	fd_msg_search_avp(*m, dm_dict_avp(DM_SESSION_ID), &session);
	if (session)
		fd_msg_avp_hdr(session, &session_hdr);
	fd_msg_search_avp(*m, dm_dict_avp(DM_RESULT_CODE), &avp);
	if (avp)
		fd_msg_avp_hdr(avp, &hdr);
	say("%s result=%u session=%.*s", (const char *)name, hdr && hdr->avp_value ? hdr->avp_value->u32 : 0,
	    session_hdr ? (int)session_hdr->avp_value->os.len : 0,
	    session_hdr ? (const char *)session_hdr->avp_value->os.data : "");
	fd_msg_free(*m);
	*m = NULL;
}

/* --- requests that come in --- */

static void answer_amr(const struct dm_amr *amr, struct msg **m)
{
	struct dm_ama a;

	wire_ama(&a);
	snprintf(a.session, sizeof(a.session), "%s", amr->session);
	snprintf(a.user, sizeof(a.user), "%s", amr->user);
	if (mode == REFUSE) {
		dm_ama_wipe(&a);
		dm_plain_answer(DM_AUTHENTICATION_REJECTED, "MN-AAA authenticator is wrong", m);
		return;
	}
	if (mode == MALFORMED)
		a.fa_to_mn.key.len = 5;
	dm_ama_answer(&a, m);
	dm_ama_wipe(&a);
}

static int on_amr(struct msg **m, struct avp *avp, struct session *session, void *data,
		  enum disp_action *action)
{
	struct dm_amr a;
	char err[256] = "";
	int rc = dm_amr_parse(*m, &a, err, sizeof(err));

	if (rc) {
		say("AMR malformed %d %s", rc, err);
		dm_plain_answer((uint32_t)rc, err, m);
	} else {
		say("AMR session=%s user=%s from=%s features=%u aaaf=%s candidate=%s", a.session, a.user,
		    a.origin_host, a.features, a.originating_host, a.ha_candidate);
		if (mode == SILENT) {
			*m = NULL;	/* kept for ever: a server that has died in the middle */
			return 0;
		}
		answer_amr(&a, m);
	}
	dm_amr_wipe(&a);
	fd_msg_send(m, NULL, NULL);
	return 0;
}

static int on_end(struct msg **m, struct avp *avp, struct session *session, void *name,
		  enum disp_action *action)
{
	struct dm_end e;
	char err[256] = "";
	int rc = dm_end_parse(*m, &e, err, sizeof(err));

	say("%s session=%s from=%s cause=%u", (const char *)name, rc ? err : e.session, e.origin_host,
	    e.cause);
	dm_plain_answer(rc ? (uint32_t)rc : DM_SUCCESS, err, m);
	fd_msg_send(m, NULL, NULL);
	return 0;
}

/* --- orders --- */

static char word[7][DM_ID_MAX];

static void send_with(struct msg *m, void (*done)(void *, struct msg **), const char *name,
		      uint32_t application)
{
	struct msg_hdr *hdr;

	fd_msg_hdr(m, &hdr);
	hdr->msg_appl = application;
	if (fd_msg_send(&m, done, (void *)name))
		say("not sent");
}

static void order_amr(int n)
{
	struct dm_amr a;
	struct msg *m = NULL;
	const char *at = strchr(word[2], '@');

	wire_amr(&a);
	snprintf(a.session, sizeof(a.session), "%s", word[1]);
	snprintf(a.user, sizeof(a.user), "%s", word[2]);
	snprintf(a.dest_realm, sizeof(a.dest_realm), "%s", at ? at + 1 : "home.test");
	a.dest_host[0] = '\0';
	a.has_ha = false;
	if (n > 3)
		a.features = (uint32_t)strtoul(word[3], NULL, 0);
	a.has_previous_fa = n > 4 && inet_pton(AF_INET, word[4], &a.previous_fa) == 1;
	if (dm_amr_build(&a, &m))
		say("not built");
	else
		send_with(m, on_ama, "AMA", DM_APPLICATION_ID);
}

static struct in_addr inet(const char *text)
{
	struct in_addr a = { 0 };

	inet_pton(AF_INET, text, &a);
	return a;
}

static void put_pfan(struct wbuf *w, const struct dm_amr *a, const char *spoil)
{
	struct mip_pfan pfan = { .lifetime = 10, .previous_fa = a->previous_fa, .spi = a->ha_to_fa_spi };
	struct dm_ama ama;

	wire_ama(&ama);	/* the keys that our AMAs give */
	ama.fa_to_mn.key.data[0] ^= !strcmp(spoil, "forged");
	pfan.coa = inet(strcmp(spoil, "care_of") ? word[3] : "198.51.100.99");
	mip_ext_put_pfan(w, &pfan, CRYPTO_HMAC_SHA1, ama.fa_to_mn.key.data, ama.fa_to_mn.key.len);
	dm_ama_wipe(&ama);
}

static void order_move(const char *spoil)
{
	static const uint8_t key[16] = { 1 };
	struct dm_amr a;
	struct msg *m = NULL;
	struct wbuf w;

	wire_amr(&a);
	snprintf(a.session, sizeof(a.session), "%s", word[1]);
	snprintf(a.user, sizeof(a.user), "%s", word[2]);
	a.dest_host[0] = '\0';
	a.service_update = false;
	a.features = DM_F_MN_FA_KEY | DM_F_FA_HA_KEY;
	a.has_previous_fa = strcmp(word[4], "-") != 0;
	a.previous_fa = inet(word[4]);
	wbuf_init(&w, a.rrq.data, sizeof(a.rrq.data));
	mip_rrq_put(&w, 0, strcmp(spoil, "long") ? 60 : 900, a.hoa, a.ha, inet(word[3]),
		    strtoull(word[5], NULL, 0));
	mip_ext_put_nai(&w, a.user);
	if (a.has_previous_fa)
		put_pfan(&w, &a, spoil);
	mip_ext_put_auth(&w, MIP_EXT_MN_HA, 1042, CRYPTO_HMAC_MD5, key, sizeof(key));
	a.rrq.len = (uint16_t)w.len;
	a.auth_input_len = a.auth_offset = 0;
	if (dm_amr_build(&a, &m))
		say("not built");
	else
		send_with(m, on_ama, "AMA", DM_APPLICATION_ID);
}

static void order_end(int n, bool is_str)
{
	struct dm_end e = { .cause = DM_TERM_LOGOUT };
	struct msg *m = NULL;
	const char *at = strchr(word[2], '@');
	int application = is_str ? 3 : 4;

	snprintf(e.session, sizeof(e.session), "%s", word[1]);
	snprintf(e.dest_realm, sizeof(e.dest_realm), "%s", is_str && at ? at + 1 : word[2]);
	if (is_str && n > 4)
		e.cause = (uint32_t)atoi(word[4]);
	if (is_str)
		snprintf(e.user, sizeof(e.user), "%s", word[2]);
	else
		snprintf(e.dest_host, sizeof(e.dest_host), "%s", word[3]);
	if (is_str ? dm_str_build(&e, &m) : dm_asr_build(&e, &m))
		say("not built");
	else
		send_with(m, on_plain, is_str ? "STA" : "ASA",
			  n > application ? (uint32_t)atoi(word[application]) : DM_APPLICATION_ID);
}

static void order_mode(void)
{
	static const char *const modes[] = { "answer", "silent", "refuse", "malformed" };

	for (unsigned i = 0; i < 4; i++)
		if (!strcmp(word[1], modes[i]))
			mode = i;
	say("mode %s", modes[mode]);
}

static void obey(void)
{
	char line[1024];

	while (fgets(line, sizeof(line), stdin)) {
		int n = sscanf(line, "%255s %255s %255s %255s %255s %255s %255s", word[0], word[1],
			       word[2], word[3], word[4], word[5], word[6]);

		if (n >= 3 && !strcmp(word[0], "amr"))
			order_amr(n);
		else if (n >= 6 && !strcmp(word[0], "move"))
			order_move(n > 6 ? word[6] : "");
		else if (n >= 3 && !strcmp(word[0], "str"))
			order_end(n, true);
		else if (n >= 4 && !strcmp(word[0], "asr"))
			order_end(n, false);
		else if (n >= 2 && !strcmp(word[0], "mode"))
			order_mode();
		else if (n >= 1 && !strcmp(word[0], "quit"))
			return;
		else
			say("what? %s", line);
	}
}

static void register_all(void)
{
	struct disp_when when = { .app = dm_dict_application() };

	fd_disp_app_support(when.app, NULL, 1, 0);
	when.command = dm_dict_command(DM_CC_AMR);
	fd_disp_register(on_amr, DISP_HOW_CC, &when, NULL, NULL);
	when.app = NULL;	/* of any application */
	when.command = dm_dict_command(CC_SESSION_TERMINATION);
	fd_disp_register(on_end, DISP_HOW_CC, &when, (void *)"STR", NULL);
	when.command = dm_dict_command(CC_ABORT_SESSION);
	fd_disp_register(on_end, DISP_HOW_CC, &when, (void *)"ASR", NULL);
}

int main(int argc, char **argv)
{
	char err[256] = "libfdcore";
	sigset_t all;

	if (argc != 2) {
		fprintf(stderr, "usage: sim FREEDIAMETER-CONF\n");
		return 2;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	fd_log_handler_register(log_line);
	if (fd_core_initialize() || fd_core_parseconf(argv[1]) || dict_mipvpn_load(err, sizeof(err)) ||
	    dm_dict_resolve(err, sizeof(err)) || dm_workarounds_install(false) || dm_route_guard_install()) {
		fprintf(stderr, "sim: %s\n", err);
		return 1;
	}
	register_all();
	if (fd_core_start() || fd_core_waitstartcomplete()) {
		fprintf(stderr, "sim: cannot start\n");
		return 1;
	}
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	say("ready %s", fd_g_config->cnf_diamid);
	obey();
	fd_core_shutdown();
	return fd_core_wait_shutdown_complete();
}
