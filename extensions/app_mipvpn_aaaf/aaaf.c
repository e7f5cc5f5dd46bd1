/* SPDX-License-Identifier: BSD-3-Clause
 *
 * app_mipvpn_aaaf.fdx: the visited network's AAA server (requirement D; RFC 4004, RFC 6733 proxy).
 *
 * freeDiameterd routes by itself; this extension stands in its forwarding path (fd_rt_fwd_register), where
 * both halves of each transaction pass.  A request gets a deadline, after which its foreign agent is
 * answered by us; when it began travels with it as callback data, so there is no table of transactions that
 * could leak.
 *
 * Threads: on_forward runs in libfdcore's Routing-IN thread, which every message of the daemon passes:
 * nothing in there waits for anything but the short locks below.  on_expired runs in libfdcore's expiry
 * thread.  One thread of our own sweeps the cache.  SIGUSR1 and SIGUSR2 come in the daemon's main thread.
 *
 * A forwarding callback that returns an error ends the daemon: on_forward returns 0, whatever happens.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "diameter/codec.h"
#include "extensions/app_mipvpn_aaaf/aaaf.h"
#include "extensions/app_mipvpn_aaaf/aaaf_message.h"
#include "extensions/app_mipvpn_aaaf/aaaf_rename.h"
#include "lib/counter.h"
#include "lib/log.h"

#define TAG "aaaf"

static struct {
	pthread_rwlock_t conf_lock;
	struct aaaf_conf conf;
	const char *conf_path;
	pthread_mutex_t pending_lock;
	struct aaaf_pending pending;
	struct aaaf_cache *cache;
	struct fd_rt_fwd_hdl *forward;
	pthread_t sweeper;
	bool sweeper_runs;
	pthread_mutex_t stop_lock;
	pthread_cond_t stop_changed;
	bool stop;
} self = {
	.conf_lock = PTHREAD_RWLOCK_INITIALIZER,
	.pending_lock = PTHREAD_MUTEX_INITIALIZER,
	.stop_lock = PTHREAD_MUTEX_INITIALIZER,
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return UINT64_C(1000) * (uint64_t)t.tv_sec + (uint64_t)t.tv_nsec / 1000000;
}

/* --- transactions --- */

static void transaction_log(struct msg *request, uint32_t result, uint64_t ms, const char *why)
{
	struct aaaf_transaction t;
	bool wanted;

	pthread_rwlock_rdlock(&self.conf_lock);
	wanted = self.conf.log_transactions;
	pthread_rwlock_unlock(&self.conf_lock);
	if (!wanted)
		return;
	aaaf_transaction_describe(&t, request);
	log_info(TAG, "%s session=%s user=%s from=%s to=%s result=%" PRIu32 " ms=%" PRIu64 "%s%s",
		 t.command ? t.command : "request", t.session, t.user[0] ? t.user : "-", t.from, t.realm,
		 result, ms, why && why[0] ? " " : "", why ? why : "");
}

/* Answers the request *m by ourselves and takes it. */
static void refuse(struct msg **m, uint32_t result, uint64_t ms, const char *why)
{
	transaction_log(*m, result, ms, why);
	if (dm_plain_answer(result, why, m) || fd_msg_send(m, NULL, NULL))
		counter_inc("aaaf.answer.failed");
	if (*m)
		fd_msg_free(*m);
	*m = NULL;
}

/* The callback data is the time of the request in ms, cut to 32 bits so that a pointer holds it anywhere. */
static void *stamp_of(uint64_t ms)
{
	return (void *)(uintptr_t)(uint32_t)ms;
}

static uint64_t stamp_age(void *stamp, uint64_t now)
{
	return (uint32_t)((uint32_t)now - (uint32_t)(uintptr_t)stamp);
}

static void pending_end(uint64_t began)
{
	pthread_mutex_lock(&self.pending_lock);
	aaaf_pending_end(&self.pending, began);
	pthread_mutex_unlock(&self.pending_lock);
}

/* Never called: the answers of what we forward pass on_forward.  But without an answer callback libfdcore
 * 1.2.1 calls on_expired without its data. */
static void on_answer(void *stamp, struct msg **answer)
{
	counter_inc("aaaf.answer.not_forwarded");
}

static void on_expired(void *stamp, DiamId_t sent_to, size_t len, struct msg **request)
{
	uint64_t now = now_ms(), age = stamp_age(stamp, now);

	pending_end(now - age);
	counter_inc("aaaf.request.expired");
	aaaf_rename_back(*request, *request, fd_g_config->cnf_diamid);
	refuse(request, DM_UNABLE_TO_DELIVER, age, "no answer from the home network in time");
}

/* Counts the request in and sets its deadline; NULL, or why not. */
static const char *begin(struct msg *m, uint64_t now)
{
	struct timespec until;
	uint32_t deadline, most;
	bool ok;

	pthread_rwlock_rdlock(&self.conf_lock);
	deadline = self.conf.answer_deadline_ms;
	most = self.conf.outstanding_max;
	pthread_rwlock_unlock(&self.conf_lock);
	pthread_mutex_lock(&self.pending_lock);
	ok = aaaf_pending_begin(&self.pending, now, deadline, most);
	pthread_mutex_unlock(&self.pending_lock);
	if (!ok)
		return "too many requests under way";
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += deadline / 1000;
	until.tv_nsec += (long)(deadline % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	if (fd_msg_anscb_associate(m, on_answer, stamp_of(now), on_expired, &until))
		return "out of memory";
	return NULL;
}

/* --- requests --- */

/* 0, or the Result-Code to refuse with and why. */
static uint32_t check(const struct dm_amr *amr, const char *peer, char *why, size_t why_len)
{
	uint32_t result = 0;
	const char *refusal;

	pthread_rwlock_rdlock(&self.conf_lock);
	refusal = aaaf_policy_refuses(&self.conf, amr, peer, &result);
	pthread_rwlock_unlock(&self.conf_lock);
	if (!refusal)
		return 0;
	snprintf(why, why_len, "%s", refusal);
	return result;
}

static uint32_t revise(struct msg *m, struct dm_amr *amr, char *why, size_t why_len)
{
	bool revised;

	pthread_rwlock_rdlock(&self.conf_lock);
	revised = aaaf_policy_revise(&self.conf, fd_g_config->cnf_diamid, fd_g_config->cnf_diamrlm, amr);
	pthread_rwlock_unlock(&self.conf_lock);
	if (!revised || !dm_amr_revise(m, amr))
		return 0;
	snprintf(why, why_len, "out of memory");
	return DM_UNABLE_TO_COMPLY;
}

/* D2: true when the AMR was answered from the cache. */
static bool answer_move(struct msg **m, const struct dm_amr *amr, uint64_t now)
{
	struct dm_ama ama;
	char name[64];
	const char *why;
	uint32_t most;

	if (!amr->has_previous_fa)
		return false;
	pthread_rwlock_rdlock(&self.conf_lock);
	most = self.conf.sessions_max;
	pthread_rwlock_unlock(&self.conf_lock);
	why = aaaf_cache_move(self.cache, amr, now, most, &ama);
	snprintf(name, sizeof(name), "aaaf.move.%s", why ? why : "answered");
	counter_inc(name);
	if (why)
		return false;
	transaction_log(*m, DM_SUCCESS, 0, "moved within the domain, answered from the cache");
	if (dm_ama_answer(&ama, m) || fd_msg_send(m, NULL, NULL)) {
		counter_inc("aaaf.answer.failed");
		aaaf_cache_forget(self.cache, amr->session);
	}
	if (*m)
		fd_msg_free(*m);
	*m = NULL;
	dm_ama_wipe(&ama);
	return true;
}

static void forward_amr(struct msg **m, uint64_t now)
{
	DiamId_t peer = NULL;
	struct dm_amr amr;
	char why[DM_ERROR_MAX] = "";
	uint32_t result = (uint32_t)dm_amr_parse(*m, &amr, why, sizeof(why));
	const char *busy;

	counter_inc("aaaf.amr.received");
	if (fd_msg_source_get(*m, &peer, NULL))
		peer = NULL;
	if (!result)
		result = check(&amr, peer ? peer : "", why, sizeof(why));
	if (!result && answer_move(m, &amr, now)) {
		dm_amr_wipe(&amr);
		return;
	}
	if (!result)
		result = revise(*m, &amr, why, sizeof(why));
	dm_amr_wipe(&amr);
	if (result) {
		counter_inc("aaaf.amr.refused");
		refuse(m, result, 0, why);
	} else if ((busy = begin(*m, now))) {
		counter_inc("aaaf.amr.busy");
		refuse(m, DM_TOO_BUSY, 0, busy);
	}
}

/* With the name that the other side knows the session by. */
static void forward_translated(struct msg **m, const char *session, const struct aaaf_end_to *to, bool to_fa,
			       uint64_t now)
{
	if (!aaaf_rename(*m, fd_g_config->cnf_diamid, session, to->session, to_fa ? to->host : NULL)) {
		counter_inc("aaaf.session.translated");
		return;
	}
	pending_end(now);
	refuse(m, DM_UNABLE_TO_COMPLY, 0, "out of memory");
}

/* Whichever end the session is ended by, what we know of it goes at once. */
static void forward_end(struct msg **m, uint32_t code, uint64_t now)
{
	struct dm_end e;
	struct aaaf_end_to to;
	char why[DM_ERROR_MAX] = "";
	uint32_t result = (uint32_t)dm_end_parse(*m, &e, why, sizeof(why));
	bool by_home = code == CC_ABORT_SESSION;
	enum aaaf_end what = AAAF_END_UNKNOWN;
	const char *busy;

	if (!result)
		what = by_home ? aaaf_cache_end_by_home(self.cache, e.session, e.origin_host, &to)
			       : aaaf_cache_end_by_fa(self.cache, e.session, e.origin_host, e.cause, &to);
	if (what == AAAF_END_PASS || what == AAAF_END_TRANSLATE)
		counter_inc("aaaf.session.ended");
	if (result) {
		refuse(m, result, 0, why);
	} else if (what == AAAF_END_MOVED) {
		counter_inc("aaaf.session.left");
		refuse(m, DM_SUCCESS, 0, "the user has moved on");
	} else if (what == AAAF_END_UNDONE) {
		counter_inc("aaaf.session.undone");
		refuse(m, DM_SUCCESS, 0, "the move is undone");
	} else if ((busy = begin(*m, now))) {
		refuse(m, DM_TOO_BUSY, 0, busy);
	} else if (what == AAAF_END_TRANSLATE) {
		forward_translated(m, e.session, &to, by_home, now);
	}
}

/* Other VPNs for a session: to the foreign agent that has it now. */
static void forward_update(struct msg **m, uint64_t now)
{
	enum aaaf_end what = AAAF_END_UNKNOWN;
	struct aaaf_end_to to;
	struct dm_har u;
	char why[DM_ERROR_MAX] = "";
	uint32_t result = (uint32_t)dm_vur_parse(*m, &u, why, sizeof(why));
	const char *busy;

	counter_inc("aaaf.vur.received");
	if (!result)
		what = aaaf_cache_where(self.cache, u.session, u.origin_host, &to);
	if (result)
		refuse(m, result, 0, why);
	else if ((busy = begin(*m, now)))
		refuse(m, DM_TOO_BUSY, 0, busy);
	else if (what == AAAF_END_TRANSLATE)
		forward_translated(m, u.session, &to, true, now);
	dm_har_wipe(&u);
}

static void forward_request(struct msg **m, uint32_t code)
{
	uint64_t now = now_ms();
	const char *busy;

	if (code == DM_CC_AMR)
		forward_amr(m, now);
	else if (code == DM_CC_VUR)
		forward_update(m, now);
	else if (code == CC_SESSION_TERMINATION || code == CC_ABORT_SESSION)
		forward_end(m, code, now);
	else if ((busy = begin(*m, now)))
		refuse(m, DM_TOO_BUSY, 0, busy);
}

/* --- answers --- */

static void cache_session(const struct dm_amr *amr, struct dm_ama *ama, uint64_t now)
{
	static const char *const counter[] = {[AAAF_PUT_FULL] = "aaaf.session.cache_full",
					      [AAAF_PUT_CACHED] = "aaaf.session.cached",
					      [AAAF_PUT_OLDER] = "aaaf.session.older"};
	struct aaaf_session s;
	uint32_t lifetime_max, most;

	pthread_rwlock_rdlock(&self.conf_lock);
	lifetime_max = self.conf.session_lifetime_max;
	most = self.conf.sessions_max;
	pthread_rwlock_unlock(&self.conf_lock);
	aaaf_session_make(&s, amr, ama, now, lifetime_max);
	counter_inc(counter[aaaf_cache_put(self.cache, &s, most)]);
}

/* The answer goes on in any case: its foreign agent is told what the home network said. */
static void forward_ama(struct msg *answer, struct msg *request, uint64_t now)
{
	struct dm_amr amr;
	struct dm_ama ama;
	char why[DM_ERROR_MAX];

	if (dm_ama_parse(answer, &ama, why, sizeof(why)) || dm_amr_parse(request, &amr, why, sizeof(why))) {
		counter_inc("aaaf.ama.malformed");
		log_warn(TAG, "AMA of %s not kept: %s", ama.session, why);
	} else {
		counter_inc(ama.result == DM_SUCCESS ? "aaaf.ama.success" : "aaaf.ama.failure");
		if (ama.result == DM_SUCCESS)
			cache_session(&amr, &ama, now);
		dm_amr_wipe(&amr);
	}
	dm_ama_wipe(&ama);
}

/* The cache follows its foreign agent.  When the user has gone on meanwhile, with the old ones, the home
 * server has to come again. */
static void forward_vua(struct msg *answer, struct msg *request)
{
	struct dm_har u;
	char why[DM_ERROR_MAX];

	if (aaaf_result_of(answer) != DM_SUCCESS)
		return;
	if (dm_vur_parse(request, &u, why, sizeof(why)) ||
	    !aaaf_cache_update(self.cache, u.session, &u.vpn)) {
		counter_inc("aaaf.vua.overtaken");
		aaaf_result_set(answer, DM_TOO_BUSY);
	} else {
		counter_inc("aaaf.vua.success");
	}
	dm_har_wipe(&u);
}

static void forward_answer(struct msg *answer, uint32_t code)
{
	void (*answered)(void *, struct msg **) = NULL;
	void (*expired)(void *, DiamId_t, size_t, struct msg **) = NULL;
	void *stamp = NULL;
	struct msg *request = NULL;
	uint64_t now = now_ms(), age;

	if (fd_msg_answ_getq(answer, &request) || !request ||
	    fd_msg_anscb_get(request, &answered, &expired, &stamp) || answered != on_answer)
		return;		/* not of ours */
	age = stamp_age(stamp, now);
	pending_end(now - age);
	if (code == DM_CC_VUR)
		forward_vua(answer, request);
	if (code == DM_CC_AMR)
		forward_ama(answer, request, now);
	else if (aaaf_rename_back(request, answer, fd_g_config->cnf_diamid))
		counter_inc("aaaf.answer.not_translated");
	transaction_log(request, aaaf_result_of(answer), age, NULL);
}

static int on_forward(void *data, struct msg **m)
{
	struct msg_hdr *hdr;

	if (fd_msg_hdr(*m, &hdr) || hdr->msg_appl != DM_APPLICATION_ID || !aaaf_command_name(hdr->msg_code))
		return 0;
	/* What the dictionary does not bear out is refused by the parsers, with a reason; here it only makes
	 * the AVPs readable. */
	(void)fd_msg_parse_dict(*m, fd_g_config->cnf_dict, NULL);
	if (hdr->msg_flags & CMD_FLAG_REQUEST)
		forward_request(m, hdr->msg_code);
	else
		forward_answer(*m, hdr->msg_code);
	return 0;
}

/* --- the extension --- */

static void log_to_freediameter(enum log_level level, const char *tag, const char *text)
{
	int theirs = level >= LOG_LVL_WARN ? FD_LOG_ERROR : FD_LOG_NOTICE;

	fd_log(level < LOG_LVL_INFO ? FD_LOG_DEBUG : theirs, "%s: %s", tag, text);
}

static void log_errors(const struct conf_errors *errs)
{
	char *text = strdup(errs->text), *rest = text;

	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest))
		log_error(TAG, "%s", line);
	free(text);
}

static void on_reload(void)
{
	struct conf_errors errs;
	struct aaaf_conf fresh, old;

	if (aaaf_conf_load(self.conf_path, &fresh, &errs)) {
		log_errors(&errs);
		log_error(TAG, "reload refused, the configuration in use stays");
		counter_inc("aaaf.reload.refused");
		return;
	}
	pthread_rwlock_wrlock(&self.conf_lock);
	old = self.conf;
	self.conf = fresh;
	pthread_rwlock_unlock(&self.conf_lock);
	aaaf_conf_free(&old);
	log_notice(TAG, "configuration reloaded from %s", self.conf_path);
}

static void log_counter(const char *name, uint64_t value, void *user)
{
	log_notice(TAG, "counter %s %" PRIu64, name, value);
}

static void on_counters(void)
{
	counter_each(log_counter, NULL);
	log_notice(TAG, "sessions %zu", aaaf_cache_count(self.cache));
}

/* True until the extension ends; waits a second. */
static bool next_second(void)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	pthread_mutex_lock(&self.stop_lock);
	while (!self.stop && pthread_cond_timedwait(&self.stop_changed, &self.stop_lock, &until) != ETIMEDOUT)
		;
	stop = self.stop;
	pthread_mutex_unlock(&self.stop_lock);
	return !stop;
}

static void *sweep(void *unused)
{
	uint64_t second = 0;
	uint32_t interval;

	fd_log_threadname("mipvpn/sweep");
	while (next_second()) {
		counter_add("aaaf.session.expired", aaaf_cache_sweep(self.cache, now_ms()));
		pthread_rwlock_rdlock(&self.conf_lock);
		interval = self.conf.counters_interval;
		pthread_rwlock_unlock(&self.conf_lock);
		if (interval && ++second % interval == 0)
			on_counters();
	}
	return NULL;
}

static int start_sweeper(void)
{
	pthread_condattr_t attr;
	sigset_t all, old;
	int rc;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&self.stop_changed, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	rc = pthread_create(&self.sweeper, NULL, sweep, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	self.sweeper_runs = !rc;
	return rc;
}

static int start(void)
{
	int rc = dm_workarounds_install(self.conf.message_dumps);

	if (!rc)
		rc = dm_route_guard_install();
	if (!rc)
		rc = start_sweeper();
	if (!rc)
		rc = fd_rt_fwd_register(on_forward, NULL, RT_FWD_ALL, &self.forward);
	if (!rc)
		rc = fd_event_trig_regcb(SIGUSR1, "app_mipvpn_aaaf", on_reload);
	if (!rc)
		rc = fd_event_trig_regcb(SIGUSR2, "app_mipvpn_aaaf", on_counters);
	return rc;
}

static int aaaf_entry(char *conf_path)
{
	struct conf_errors errs;
	char err[256];

	log_init("app_mipvpn_aaaf", LOG_LVL_DEBUG, log_to_freediameter);
	self.conf_path = conf_path;
	if (!conf_path) {
		log_error(TAG, "LoadExtension must name a configuration file");
		return EINVAL;
	}
	if (aaaf_conf_load(conf_path, &self.conf, &errs)) {
		log_errors(&errs);
		return EINVAL;
	}
	if (dm_dict_resolve(err, sizeof(err))) {
		log_error(TAG, "dict_mipvpn is not loaded: %s", err);
		return ENOENT;
	}
	self.cache = aaaf_cache_new();
	return self.cache ? start() : ENOMEM;
}

void fd_ext_fini(void);
void fd_ext_fini(void)
{
	if (self.forward)
		fd_rt_fwd_unregister(self.forward, NULL);
	pthread_mutex_lock(&self.stop_lock);
	self.stop = true;
	pthread_mutex_unlock(&self.stop_lock);
	if (self.sweeper_runs) {
		pthread_cond_signal(&self.stop_changed);
		pthread_join(self.sweeper, NULL);
	}
	aaaf_cache_free(self.cache);
	aaaf_conf_free(&self.conf);
}

EXTENSION_ENTRY("app_mipvpn_aaaf", aaaf_entry, "dict_mipvpn");
