/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See fake_charon.h.
 */
#include "tests/unit/vpn/fake_charon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/harness.h"

static const char *const event_names[6] = {"ike-updown",  "child-updown", "ike-rekey",
					   "child-rekey", "log",	  "list-sa"};

/* --- packets --- */

static void send_packet(struct fake *f, unsigned which, uint8_t type, const char *name, struct vici_msg *m)
{
	static uint8_t out[65536];
	const uint8_t *data = NULL;
	size_t len = 0, at = 4;

	if (m)
		CU_ASSERT_TRUE_FATAL(vici_msg_bytes(m, &data, &len));
	out[at++] = type;
	if (name) {
		out[at++] = (uint8_t)strlen(name);
		memcpy(out + at, name, strlen(name));
		at += strlen(name);
	}
	if (len)
		memcpy(out + at, data, len);
	at += len;
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)((at - 4) >> (24 - 8 * i));
	if (f->fd[which] >= 0)
		CU_ASSERT_EQUAL_FATAL(send(f->fd[which], out, at, MSG_NOSIGNAL), (ssize_t)at);
	vici_msg_free(m);
}

static bool rows_in_udp;

static struct vici_msg *row(const struct fake_sa *s, bool up)
{
	struct vici_msg *m = vici_msg_new();

	if (up)
		vici_msg_kv(m, "up", "yes");
	vici_msg_section(m, s->name);
	vici_msg_kvf(m, "uniqueid", "%u", s->id);
	vici_msg_kv(m, "state", s->deleting ? "DELETING" : s->established ? "ESTABLISHED" : "CONNECTING");
	vici_msg_section(m, "child-sas");
	if (s->child) {
		vici_msg_section(m, "child-1");
		vici_msg_kv(m, "name", s->name);
		vici_msg_kv(m, "state", "INSTALLED");
		vici_msg_kv(m, "bytes-in", "4711");
		vici_msg_kv(m, "spi-in", "c0ffee01");
		if (rows_in_udp)
			vici_msg_kv(m, "encap", "yes");
		vici_msg_section_end(m);
	}
	vici_msg_section_end(m);
	vici_msg_section_end(m);
	return m;
}

static void event(struct fake *f, int which_event, struct vici_msg *m)
{
	for (unsigned i = 0; i < VPN_CHARON_CONNS; i++) {
		if (f->subscribed[i][which_event]) {
			send_packet(f, i, 7, event_names[which_event], m);
			return;
		}
	}
	vici_msg_free(m);
}

void fake_log(struct room *r, const char *ike_name, const char *msg)
{
	struct vici_msg *m = vici_msg_new();

	if (ike_name)
		vici_msg_kv(m, "ikesa-name", ike_name);
	vici_msg_kv(m, "msg", msg);
	event(&r->f, 4, m);
}

/* --- state --- */

static bool add_name(char list[][FAKE_NAME], size_t *n, const char *name)
{
	CU_ASSERT_TRUE_FATAL(*n < FAKE_MAX);
	snprintf(list[(*n)++], FAKE_NAME, "%s", name);
	return true;
}

static void add_key(struct fake *f, const char *id)
{
	size_t n = 0;

	add_name(f->keys, &f->n_keys, id);
	for (size_t i = 0; i < f->n_keys; i++)
		n += strstr(f->keys[i], "-sla-") != NULL;
	if (n > f->contract_keys_max)
		f->contract_keys_max = n;
}

static bool del_name(char list[][FAKE_NAME], size_t *n, const char *name)
{
	for (size_t i = 0; i < *n; i++) {
		if (strcmp(list[i], name))
			continue;
		memmove(list[i], list[i + 1], (*n - i - 1) * FAKE_NAME);
		(*n)--;
		return true;
	}
	return false;
}

static struct fake_sa *sa_new(struct fake *f, const char *name)
{
	struct fake_sa *s = &f->sas[f->n_sas++];

	CU_ASSERT_TRUE_FATAL(f->n_sas < FAKE_MAX);
	memset(s, 0, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->id = ++f->next_id;
	return s;
}

static void sa_drop(struct fake *f, size_t i)
{
	struct fake_sa s = f->sas[i];

	memmove(&f->sas[i], &f->sas[i + 1], (f->n_sas - i - 1) * sizeof(s));
	f->n_sas--;
	event(f, 0, row(&s, false));
}

static void ike_up(struct fake *f, struct fake_sa *s)
{
	s->established = true;
	event(f, 0, row(s, true));
}

static void child_up(struct fake *f, struct fake_sa *s)
{
	s->child = true;
	event(f, 1, row(s, true));
}

/* IKE_AUTH with the CHILD_SA in it: both are there before anybody can look. */
static void sa_up(struct fake *f, struct fake_sa *s)
{
	s->established = s->child = true;
	event(f, 0, row(s, true));
	event(f, 1, row(s, true));
}

static unsigned connecting(const struct fake *f)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->n_sas; i++)
		n += !f->sas[i].established;
	return n;
}

/* --- commands --- */

static struct vici_msg *answer(bool ok, const char *err)
{
	struct vici_msg *m = vici_msg_new();

	vici_msg_kv(m, "success", ok ? "yes" : "no");
	if (!ok)
		vici_msg_kv(m, "errmsg", err);
	return m;
}

struct load {
	char name[FAKE_NAME];
	struct fake *f;
	int owners;
};

static bool load_element(const struct vici_walk *w, void *user)
{
	struct load *l = user;

	if (w->element == VICI_SECTION_START && w->depth == 1)
		snprintf(l->name, sizeof(l->name), "%s", w->path[0]);
	if (w->element == VICI_LIST_ITEM && !strcmp(w->key, "owners") && l->owners < 2)
		snprintf(l->f->owners[l->owners++], sizeof(l->f->owners[0]), "%.*s", (int)w->value_len,
			 (const char *)w->value);
	if (w->element == VICI_KEY_VALUE && !strcmp(w->key, "data") && w->value_len <= sizeof(l->f->secret)) {
		memcpy(l->f->secret, w->value, w->value_len);
		l->f->secret_len = w->value_len;
	}
	return true;
}

static struct fake_sa *standing(struct fake *f, const char *name)
{
	for (size_t i = 0; i < f->n_sas; i++) {
		if (f->sas[i].established && !strcmp(f->sas[i].name, name))
			return &f->sas[i];
	}
	return NULL;
}

/* In the IKE_SA that stands, as charon does. */
static bool do_child(struct room *r, const char *name)
{
	struct fake_sa *s = standing(&r->f, name);

	if (!s)
		return false;
	r->f.initiates++;
	if (r->f.child_fails)
		fake_log(r, name, "received TS_UNACCEPTABLE notify, no CHILD_SA built");
	else
		child_up(&r->f, s);
	return true;
}

static void do_initiate(struct room *r, const char *name, bool child)
{
	struct fake *f = &r->f;
	struct fake_sa *s;
	unsigned n;

	if (child && do_child(r, name))
		return;
	s = sa_new(f, name);
	n = connecting(f);
	f->initiates++;
	if (n > f->initiates_max)
		f->initiates_max = n;
	switch (f->outcome) {
	case FAKE_UP:
		if (child)
			sa_up(f, s);
		else
			ike_up(f, s);
		break;
	case FAKE_AUTH_FAILED:
		sa_drop(f, f->n_sas - 1);
		fake_log(r, name,
			 "received AUTHENTICATION_FAILED notify error"); /* comes behind, as in charon */
		break;
	case FAKE_NO_PROPOSAL:
		fake_log(r, name, "received NO_PROPOSAL_CHOSEN notify error");
		sa_drop(f, f->n_sas - 1);
		break;
	case FAKE_NO_CHILD_PROPOSAL:
	case FAKE_TS_UNACCEPTABLE:
	case FAKE_TS_SILENT:
		s->established = true;
		event(f, 0, row(s, true));
		if (f->outcome == FAKE_TS_UNACCEPTABLE)
			fake_log(r, name, "received TS_UNACCEPTABLE notify, no CHILD_SA built");
		if (f->outcome == FAKE_NO_CHILD_PROPOSAL)
			fake_log(r, name, "received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built");
		break;
	case FAKE_BLACK_HOLE:
	case FAKE_HANGS:
		break;
	}
}

static struct vici_msg *do_terminate(struct fake *f, const char *name, bool force)
{
	bool found = false;

	for (size_t i = 0; i < f->n_sas;) {
		if (strcmp(f->sas[i].name, name)) {
			i++;
			continue;
		}
		found = true;
		if (f->stubborn && !force) {
			f->sas[i].deleting = true;
			break;
		}
		sa_drop(f, i);
	}
	return answer(found, "no matching SAs to terminate found");
}

static struct vici_msg *names(const char *list, char items[][FAKE_NAME], size_t n)
{
	static const char *p[FAKE_MAX];
	struct vici_msg *m = vici_msg_new();

	for (size_t i = 0; i < n; i++)
		p[i] = items[i];
	vici_msg_list(m, list, p, n);
	return m;
}

static void list_sas(struct fake *f, unsigned which, const char *ike)
{
	for (size_t i = 0; i < f->n_sas; i++) {
		if (!ike[0] || !strcmp(f->sas[i].name, ike))
			send_packet(f, which, 7, "list-sa", row(&f->sas[i], false));
	}
}

static void note(struct fake *f, const char *cmd)
{
	size_t n = strlen(f->commands);

	if (!strncmp(cmd, "get-", 4) || !strcmp(cmd, "list-sas"))
		return;
	f->commands = realloc(f->commands, n + strlen(cmd) + 2);
	sprintf(f->commands + n, "%s;", cmd);
}

static struct vici_msg *do_load(struct room *r, const char *cmd, const uint8_t *msg, size_t len,
				const char *id)
{
	struct load l = {"", &r->f, 0};
	const char *why;

	CU_ASSERT_EQUAL_FATAL(vici_walk(msg, len, load_element, &l, &why), 0);
	if (!strcmp(cmd, "load-shared"))
		add_key(&r->f, id);
	else
		add_name(r->f.conns, &r->f.n_conns, l.name);
	return answer(true, NULL);
}

static struct vici_msg *execute(struct room *r, unsigned which, const char *cmd, const uint8_t *msg,
				size_t len)
{
	struct fake *f = &r->f;
	char name[FAKE_NAME], child[FAKE_NAME], force[8];

	if (f->refuse && !strcmp(cmd, f->refuse))
		return answer(false, "as the test wants");
	rows_in_udp = f->udp;
	vici_find(msg, len, "ike", name, sizeof(name));
	if (!strcmp(cmd, "rekey")) {
		f->rekeys++;
		return answer(standing(f, name) != NULL, "not found");
	}
	if (!strcmp(cmd, "initiate")) {
		if (!fake_has_conn(f, name))
			return answer(false, "CHILD_SA config not found");
		do_initiate(r, name, vici_find(msg, len, "child", child, sizeof(child)));
		return answer(true, NULL);
	}
	if (!strcmp(cmd, "terminate"))
		return do_terminate(f, name, vici_find(msg, len, "force", force, sizeof(force)));
	if (!strcmp(cmd, "list-sas")) {
		f->list_sas++;
		list_sas(f, which, name);
		return NULL;
	}
	if (!strcmp(cmd, "get-conns"))
		return names("conns", f->conns, f->n_conns);
	if (!strcmp(cmd, "get-shared"))
		return names("keys", f->keys, f->n_keys);
	vici_find(msg, len, !strcmp(cmd, "unload-conn") ? "name" : "id", name, sizeof(name));
	if (!strcmp(cmd, "unload-conn"))
		return answer(del_name(f->conns, &f->n_conns, name), "not found");
	if (!strcmp(cmd, "unload-shared"))
		return answer(del_name(f->keys, &f->n_keys, name), "not found");
	return do_load(r, cmd, msg, len, name);
}

static void take_packet(struct room *r, unsigned which, const uint8_t *p, size_t len)
{
	char name[256];
	size_t n = p[1];

	memcpy(name, p + 2, n);
	name[n] = '\0';
	if (p[0] == 0) {
		note(&r->f, name);
		send_packet(&r->f, which, 1, NULL, execute(r, which, name, p + 2 + n, len - 2 - n));
		return;
	}
	for (int i = 0; i < 6; i++) {
		if (!strcmp(name, event_names[i]))
			r->f.subscribed[which][i] = p[0] == 3;
	}
	send_packet(&r->f, which, 5, NULL, NULL);
}

/* True when something was done. */
bool fake_serve(struct room *r, unsigned which)
{
	struct fake *f = &r->f;
	uint8_t *in = f->in[which];
	bool done = false;
	size_t len;
	ssize_t n;

	if (f->fd[which] < 0)
		return false;
	n = recv(f->fd[which], in + f->in_len[which], sizeof(f->in[0]) - f->in_len[which], MSG_DONTWAIT);
	if (n > 0)
		f->in_len[which] += (size_t)n;
	while (f->in_len[which] >= 4) {
		len = (size_t)in[2] << 8 | in[3];
		if (f->in_len[which] < 4 + len)
			break;
		take_packet(r, which, in + 4, len);
		f->in_len[which] -= 4 + len;
		memmove(in, in + 4 + len, f->in_len[which]);
		done = true;
	}
	return done;
}

/* --- the other end, and other people --- */

void fake_peer_up(struct room *r, const char *part)
{
	for (size_t i = 0; i < r->f.n_conns; i++) {
		if (strstr(r->f.conns[i], part))
			sa_up(&r->f, sa_new(&r->f, r->f.conns[i]));
	}
	room_settle(r);
}

void fake_finish(struct room *r, const char *part)
{
	for (size_t i = 0; i < r->f.n_sas; i++) {
		if (strstr(r->f.sas[i].name, part) && !r->f.sas[i].child)
			sa_up(&r->f, &r->f.sas[i]);
	}
	room_settle(r);
}

void fake_peer_ike(struct room *r, const char *part)
{
	for (size_t i = 0; i < r->f.n_conns; i++) {
		if (strstr(r->f.conns[i], part))
			ike_up(&r->f, sa_new(&r->f, r->f.conns[i]));
	}
	room_settle(r);
}

void fake_peer_child(struct room *r, const char *part)
{
	for (size_t i = 0; i < r->f.n_sas; i++) {
		if (strstr(r->f.sas[i].name, part) && r->f.sas[i].established && !r->f.sas[i].child)
			child_up(&r->f, &r->f.sas[i]);
	}
	room_settle(r);
}

unsigned fake_children(const struct fake *f, const char *part)
{
	unsigned n = 0;

	for (size_t i = 0; i < f->n_sas; i++)
		n += f->sas[i].child && strstr(f->sas[i].name, part);
	return n;
}

void fake_peer_down(struct room *r, const char *part)
{
	for (size_t i = 0; i < r->f.n_sas;) {
		if (strstr(r->f.sas[i].name, part))
			sa_drop(&r->f, i);
		else
			i++;
	}
	room_settle(r);
}

void fake_unload_all(struct fake *f)
{
	f->n_conns = f->n_keys = 0;
}

bool fake_empty(const struct fake *f)
{
	return !f->n_conns && !f->n_keys && !f->n_sas;
}

bool fake_has_conn(const struct fake *f, const char *part)
{
	for (size_t i = 0; i < f->n_conns; i++) {
		if (strstr(f->conns[i], part))
			return true;
	}
	return false;
}

void fake_kill(struct room *r)
{
	struct fake *f = &r->f;

	for (unsigned i = 0; i < VPN_CHARON_CONNS; i++) {
		if (f->fd[i] >= 0)
			close(f->fd[i]);
		f->fd[i] = -1;
		f->in_len[i] = 0;
	}
	memset(f->subscribed, 0, sizeof(f->subscribed));
	fake_unload_all(f);
	f->n_sas = 0;
}

void room_open_as(struct room *r, const char *self)
{
	struct vpn_config c = {.responder_wait_ms = 5000, .restore_ms = 8000};

	inet_pton(AF_INET, self, &c.self);
	room_open(r, &c);
	room_settle(r);
}

void room_close_empty(struct room *r)
{
	room_pass(r, 6000);
	CU_ASSERT_TRUE(fake_empty(&r->f));
	CU_ASSERT_TRUE(vpn_idle(r->v));
	CU_ASSERT_TRUE(fake_kernel_empty(&r->kernel));
	CU_ASSERT_EQUAL(r->reports_inside, 0);
	room_close(r);
}
