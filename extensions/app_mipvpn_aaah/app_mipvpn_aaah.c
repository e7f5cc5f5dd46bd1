/* SPDX-License-Identifier: BSD-3-Clause
 *
 * freeDiameter extension app_mipvpn_aaah.fdx: the home AAA server of a Mobile IPv4 provider with VPNs (RFC 4004,
 * requirements A and C).  doc/aaah.md walks through it; conf/app_mipvpn_aaah.conf.sample is the manual.
 *
 *   this file       libfdcore's side: callbacks parse and post
 *   engine.c        the one thread that does all the rest; registration.c, termination.c: what it does
 *   store*.c row*.c the database
 *   request auth route keys plan   the decisions: pure
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "extensions/app_mipvpn_aaah/engine.h"
#include "lib/counter.h"
#include "lib/log.h"

#define NAME "app_mipvpn_aaah"

static struct engine *engine;
static struct disp_hdl *handles[2];

static void to_fd_log(enum log_level level, const char *tag, const char *text)
{
	static const int levels[] = {
		[LOG_LVL_DEBUG] = FD_LOG_DEBUG,	  [LOG_LVL_INFO] = FD_LOG_NOTICE,
		[LOG_LVL_NOTICE] = FD_LOG_NOTICE, [LOG_LVL_WARN] = FD_LOG_ERROR,
		[LOG_LVL_ERROR] = FD_LOG_ERROR,
	};

	fd_log(levels[level], "%s: %s", tag, text);
}

/* Always ends in an answer: from the engine, or (its queue is full, no memory) from here. */
static int post_request(struct job *j, struct msg **msg, enum disp_action *act)
{
	if (j) {
		j->msg = *msg;
		if (engine_post(engine, j)) {
			*msg = NULL;
			return 0;
		}
		j->msg = NULL;
		job_free(j);
	}
	counter_inc("aaah.queue.full");
	if (dm_plain_answer(DM_TOO_BUSY, "too busy", msg) == 0)
		*act = DISP_ACT_SEND;
	return 0;
}

static int on_amr(struct msg **msg, struct avp *avp, struct session *session, void *data,
		  enum disp_action *act)
{
	struct job *j = job_new(JOB_AMR);

	if (j && (j->amr = calloc(1, sizeof(*j->amr)))) {
		j->result = (uint32_t)dm_amr_parse(*msg, j->amr, j->text, sizeof(j->text));
		if (j->result) {
			j->type = JOB_REFUSE;
			counter_inc("aaah.amr.malformed");
			log_notice("aaah", "AMR from %s refused with %u: %s", j->amr->origin_host, j->result,
				   j->text);
		}
	} else if (j) {
		job_free(j);
		j = NULL;
	}
	return post_request(j, msg, act);
}

static int on_str(struct msg **msg, struct avp *avp, struct session *session, void *data,
		  enum disp_action *act)
{
	struct job *j = job_new(JOB_STR);

	if (j && (j->end = calloc(1, sizeof(*j->end)))) {
		j->result = (uint32_t)dm_end_parse(*msg, j->end, j->text, sizeof(j->text));
		if (j->result) {
			j->type = JOB_REFUSE;
			counter_inc("aaah.str.malformed");
		}
	} else if (j) {
		job_free(j);
		j = NULL;
	}
	return post_request(j, msg, act);
}

static void on_reload(void)
{
	struct job *j = job_new(JOB_RELOAD);

	if (j && !engine_post(engine, j))
		job_free(j);
}

static void count_line(const char *name, uint64_t value, void *user)
{
	log_notice("aaah", "counter %s %lu", name, (unsigned long)value);
}

static void on_counters(void)
{
	counter_each(count_line, NULL);
}

static int register_callback(uint32_t command,
			     int (*cb)(struct msg **, struct avp *, struct session *, void *,
				       enum disp_action *),
			     struct disp_hdl **handle)
{
	struct disp_when when;

	memset(&when, 0, sizeof(when));
	when.app = dm_dict_application();
	when.command = dm_dict_command(command);
	return fd_disp_register(cb, DISP_HOW_CC, &when, NULL, handle);
}

static int join_daemon(const struct settings *s)
{
	char err[256];
	int rc;

	if (dm_dict_resolve(err, sizeof(err))) {
		log_error("aaah", "dictionary: %s; load dict_mipvpn.fdx first", err);
		return ENOENT;
	}
	if ((rc = dm_workarounds_install(s->message_dumps)) || (rc = dm_route_guard_install()))
		return rc;
	if ((rc = register_callback(DM_CC_AMR, on_amr, &handles[0])) ||
	    (rc = register_callback(CC_SESSION_TERMINATION, on_str, &handles[1])))
		return rc;
	if ((rc = fd_event_trig_regcb(SIGUSR1, NAME, on_reload)) ||
	    (rc = fd_event_trig_regcb(SIGUSR2, NAME, on_counters)))
		return rc;
	return fd_disp_app_support(dm_dict_application(), NULL, 1, 0);
}

static int aaah_entry(char *conffile)
{
	struct settings s;
	char err[4096];
	int rc;

	log_init(NAME, LOG_LVL_INFO, to_fd_log);
	if (!conffile || settings_load(conffile, &s, err, sizeof(err))) {
		log_error("aaah", "%s",
			  conffile ? err : "no configuration file: LoadExtension = \"...\" : \"FILE\";");
		return EINVAL;
	}
	log_set_level(s.log_level);
	engine = engine_start(&s, conffile);
	rc = engine ? join_daemon(&s) : ENOMEM;
	settings_wipe(&s);
	return rc;
}

void fd_ext_fini(void); /* freeDiameter calls it by name */
void fd_ext_fini(void)
{
	for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++) {
		if (handles[i])
			fd_disp_unregister(&handles[i], NULL);
	}
	if (engine)
		engine_stop(engine);
	on_counters();
}

EXTENSION_ENTRY(NAME, aaah_entry, "dict_mipvpn");
