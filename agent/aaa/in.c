/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What libfdcore's threads call: dispatch callbacks for the AAAH's requests, the answer callback, the routing
 * callback and the hook on peers (see the essay in aaa.c).  A dispatch callback here never returns an error:
 * libfdcore would drop the request and send no answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/aaa/internal.h"
#include "diameter/codec.h"
#include "lib/counter.h"
#include "lib/log.h"

#define ROUTE_PRIORITY 1 /* behind libfdcore's own callbacks (10), in front of the route guard */

static struct aaa
	*the_aaa; /* an answer callback has room for the id only; libfdcore is one per process as well */

/* --- requests of the AAAH --- */

/* Parks the message and posts the event with its token; refuses when one of them is full. Takes both. */
static void park_and_post(struct aaa *a, struct msg *m, const char *name, struct aaa_event *e)
{
	struct aaa_parked *p = e ? calloc(1, sizeof(*p)) : NULL;
	uint64_t token = 0;

	if (p) {
		p->msg = m;
		p->name = name;
		token = e->token = aaa_table_put(a->parked, p, aaa_now_ms() + atomic_load(&a->patience_ms));
	}
	if (token) {
		aaa_queue_kick(a->jobs); /* the sender has a new deadline to keep */
		if (aaa_post(a, e))
			return;
		p = aaa_table_take(a->parked, token);
		if (!p)
			return;
	} else {
		aaa_event_free(e);
	}
	counter_inc("aaa.request.busy");
	aaa_out_refuse(a, m, DM_TOO_BUSY, "too many requests");
	free(p);
}

static void refuse(struct aaa *a, struct msg *m, const char *name, int result, const char *why)
{
	counter_inc("aaa.request.refused");
	log_warn("aaa", "%s refused with %d: %s", name, result, why);
	aaa_out_refuse(a, m, (uint32_t)result, why);
}

static void take_profiles(struct aaa *a, struct msg *req, enum aaa_event_type type, const char *name)
{
	struct aaa_event *e = aaa_event_new(type, NULL, 0, NULL);
	char why[DM_ERROR_MAX] = "out of memory";
	int rc = DM_TOO_BUSY;

	if (e)
		e->har = calloc(1, sizeof(*e->har));
	if (e && e->har)
		rc = type == AAA_HAR ? dm_har_parse(req, e->har, why, sizeof(why))
				     : dm_vur_parse(req, e->har, why, sizeof(why));
	if (rc) {
		aaa_event_free(e);
		refuse(a, req, name, rc, why);
		return;
	}
	snprintf(e->session, sizeof(e->session), "%s", e->har->session);
	park_and_post(a, req, name, e);
}

static int on_har(struct msg **m, struct avp *avp, struct session *s, void *opaque, enum disp_action *act)
{
	struct msg *req = *m;

	*m = NULL;
	take_profiles(opaque, req, AAA_HAR, "HAR");
	return 0;
}

static int on_vur(struct msg **m, struct avp *avp, struct session *s, void *opaque, enum disp_action *act)
{
	struct msg *req = *m;

	*m = NULL;
	take_profiles(opaque, req, AAA_VUR, "VUR");
	return 0;
}

static int on_asr(struct msg **m, struct avp *avp, struct session *s, void *opaque, enum disp_action *act)
{
	struct aaa *a = opaque;
	struct msg *req = *m;
	struct dm_end end = {0};
	char why[DM_ERROR_MAX] = "";
	int rc = dm_end_parse(req, &end, why, sizeof(why));

	*m = NULL;
	if (rc)
		refuse(a, req, "ASR", rc, why);
	else
		park_and_post(a, req, "ASR", aaa_event_new(AAA_ASR, end.session, 0, NULL));
	return 0;
}

/* --- answers to our requests --- */

static void ama_in(struct aaa *a, struct aaa_request *r, struct msg *m)
{
	struct aaa_event *e = aaa_event_new(AAA_AMA, r->session, 0, NULL);
	char why[DM_ERROR_MAX] = "out of memory";
	int rc = DM_UNABLE_TO_COMPLY;

	if (e)
		e->ama = calloc(1, sizeof(*e->ama));
	if (e && e->ama)
		rc = dm_ama_parse(m, e->ama, why, sizeof(why));
	if (!rc && e->ama->result / 1000 == 3) { /* protocol errors: nobody has decided anything */
		rc = (int)e->ama->result;
		snprintf(why, sizeof(why), "%s", e->ama->error);
	}
	if (rc) {
		aaa_event_free(e);
		aaa_out_fail(a, r, (uint32_t)rc, why);
		return;
	}
	aaa_post(a, e);
	free(r);
}

static void sta_in(struct aaa *a, struct aaa_request *r, struct msg *m)
{
	char text[DM_ERROR_MAX] = "";
	uint32_t result = 0;
	int rc = dm_plain_parse(m, &result, text, sizeof(text));

	aaa_post(a, aaa_event_new(AAA_STA, r->session, rc ? (uint32_t)rc : result, text));
	free(r);
}

void aaa_in_answer(void *data, struct msg **m)
{
	struct aaa *a = the_aaa;
	struct aaa_request *r = aaa_table_take(a->waiting, (uint64_t)(uintptr_t)data);

	if (!r)
		counter_inc("aaa.answer.unexpected"); /* its deadline has passed */
	else if (r->type == AAA_JOB_AMR)
		ama_in(a, r, *m);
	else
		sta_in(a, r, *m);
	fd_msg_free(*m);
	*m = NULL;
}

/* --- routing: an agent's peers are its AAA servers, each good for any realm --- */

static int on_route(void *cbdata, struct msg **pm, struct fd_list *candidates)
{
	for (struct fd_list *li = candidates->next; li != candidates; li = li->next) {
		struct rtd_candidate *c = (struct rtd_candidate *)li;

		if (c->score ==
		    FD_SCORE_INI) /* open, speaks the application, and no rule says anything of it */
			c->score = FD_SCORE_DEFAULT;
	}
	return 0;
}

/* --- peers --- */

static void on_peer(enum fd_hook_type type, struct msg *msg, struct peer_hdr *peer, void *other,
		    struct fd_hook_permsgdata *pmd, void *regdata)
{
	enum aaa_event_type t = type == HOOK_PEER_CONNECT_SUCCESS ? AAA_PEER_UP : AAA_PEER_DOWN;

	if (peer)
		aaa_post(regdata, aaa_event_new(t, NULL, 0, peer->info.pi_diamid));
}

/* --- registration --- */

static int command_register(struct aaa *a, struct dict_object *app, const char *name,
			    int (*cb)(struct msg **, struct avp *, struct session *, void *,
				      enum disp_action *))
{
	struct disp_when when = {.app = app};
	int rc =
		fd_dict_search(fd_g_config->cnf_dict, DICT_COMMAND, CMD_BY_NAME, name, &when.command, ENOENT);

	if (!rc)
		rc = fd_disp_register(cb, DISP_HOW_CC, &when, a, NULL);
	return rc;
}

int aaa_in_register(struct aaa *a, char *err, size_t err_len)
{
	application_id_t id = 2; /* Diameter Mobile IPv4, RFC 4004 */
	struct dict_object *app = NULL;
	int rc =
		fd_dict_search(fd_g_config->cnf_dict, DICT_APPLICATION, APPLICATION_BY_ID, &id, &app, ENOENT);

	the_aaa = a;
	if (!rc)
		rc = command_register(a, app, "Home-Agent-MIP-Request", on_har);
	if (!rc)
		rc = command_register(a, app, "VPN-Update-Request", on_vur);
	if (!rc) /* of the base application, whatever Application-Id its header names */
		rc = command_register(a, NULL, "Abort-Session-Request", on_asr);
	if (!rc)
		rc = fd_disp_app_support(app, NULL, 1, 0);
	if (!rc)
		rc = fd_rt_out_register(on_route, a, ROUTE_PRIORITY, &a->route);
	if (!rc)
		rc = dm_route_guard_install();
	if (!rc)
		rc = fd_hook_register(HOOK_MASK(HOOK_PEER_CONNECT_SUCCESS, HOOK_PEER_CONNECT_FAILED), on_peer,
				      a, NULL, &a->peer_hook);
	if (rc)
		snprintf(err, err_len, "libfdcore refuses our callbacks: %s", strerror(rc));
	return rc ? -1 : 0;
}
