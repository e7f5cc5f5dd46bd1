/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The room that a unit test drives, see fake_charon.h.
 */
#include "tests/unit/vpn/fake_charon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/harness.h"

static void on_open(void *user, unsigned which)
{
	struct room *r = user;
	int fd[2] = {-1, -1};

	if (!r->f.absent) {
		CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
		if (r->f.fd[which] >= 0)
			close(r->f.fd[which]);
		r->f.fd[which] = fd[1];
		r->f.in_len[which] = 0;
		memset(r->f.subscribed[which], 0, sizeof(r->f.subscribed[which]));
	}
	vpn_charon_fd(r->v, which, fd[0], r->now);
}

static const char *verb(uint32_t v)
{
	static const char *const words[NH_VERB_MAX] = {
		[NH_VPN_ADD] = "vpn-add",	  [NH_VPN_DEL] = "vpn-del",
		[NH_PROTECT_ADD] = "protect-add", [NH_PROTECT_DEL] = "protect-del",
		[NH_ENCAP_ADD] = "encap-add",	  [NH_ENCAP_DEL] = "encap-del",
		[NH_IPIP_ADD] = "ipip-add",	  [NH_IPIP_DEL] = "ipip-del",
	};

	return v < NH_VERB_MAX && words[v] ? words[v] : "?";
}

static void on_net(void *user, const struct nh_request *q, uint64_t cookie)
{
	struct room *r = user;
	char src[VPN_PREFIX_STRLEN], dst[VPN_PREFIX_STRLEN];
	size_t n = strlen(r->net);

	snprintf(r->net + n, sizeof(r->net) - n, "%s %s %s %u/%u;", verb(q->verb),
		 vpn_prefix_str(&q->src, src), vpn_prefix_str(&q->dst, dst), q->tos_up, q->tos_down);
	if (q->verb != r->net_fails)
		fake_kernel_take(&r->kernel, q);
	CU_ASSERT_TRUE_FATAL(r->n_cookies < sizeof(r->cookies) / sizeof(r->cookies[0]));
	r->cookies[r->n_cookies++] = cookie << 8 | (q->verb == r->net_fails ? 1 : 0);
}

static void on_report(void *user, const char *session, enum vpn_report what, const char *text)
{
	static const char *const words[] = {"UP", "FAILED", "DOWN"};
	struct room *r = user;
	size_t n = strlen(r->reports);

	r->reports_inside += r->inside;
	if (what == VPN_REPORT_CARRIES) {
		n = strlen(r->carries);
		snprintf(r->carries + n, sizeof(r->carries) - n, "%s;", session);
		return;
	}
	snprintf(r->reports + n, sizeof(r->reports) - n, "%s %s %s;", session, words[what], text);
	if (r->remove_on_report && !strcmp(r->remove_on_report, session))
		vpn_remove(r->v, session, r->now);
}

static void on_event(void *user, int level, const char *text)
{
	(void)user;
	(void)level;
	if (getenv("VPN_TEST_VERBOSE"))
		fprintf(stderr, "    %s\n", text);
}

void room_open(struct room *r, const struct vpn_config *c)
{
	static const struct vpn_ops ops = {on_open, on_net, on_report, on_event};

	memset(r, 0, sizeof(*r));
	r->now = 1000;
	r->f.commands = calloc(1, 1);
	for (unsigned i = 0; i < VPN_CHARON_CONNS; i++)
		r->f.fd[i] = -1;
	r->v = vpn_new(c, &ops, r, r->now);
	CU_ASSERT_PTR_NOT_NULL_FATAL(r->v);
}

void room_close(struct room *r)
{
	vpn_free(r->v);
	fake_kill(r);
	free(r->f.commands);
}

static bool answer_net(struct room *r)
{
	uint64_t c;

	if (!r->n_cookies || r->net_silent)
		return false;
	c = r->cookies[0];
	memmove(&r->cookies[0], &r->cookies[1], --r->n_cookies * sizeof(c));
	vpn_net_done(r->v, c >> 8, c & 1 ? EPERM : 0, c & 1 ? "not allowed" : "", r->now);
	return true;
}

static bool serve_room(struct room *r, unsigned which)
{
	bool write;
	int fd = vpn_charon_poll(r->v, which, &write);
	uint8_t byte;
	bool readable = fd >= 0 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != -1;

	if (!readable && !write)
		return false;
	vpn_charon_io(r->v, which, readable, write, r->now);
	return true;
}

void room_settle(struct room *r)
{
	bool busy = true;

	for (int turn = 0; busy; turn++) {
		busy = false;
		if (turn == 200000)
			CU_FAIL_FATAL("the room never comes to rest");
		if (vpn_next(r->v) <= r->now) {
			vpn_tick(r->v, r->now);
			busy = true;
		}
		for (unsigned i = 0; i < VPN_CHARON_CONNS; i++)
			busy |= fake_serve(r, i) | serve_room(r, i);
		busy |= answer_net(r);
	}
}

void room_pass(struct room *r, uint64_t ms)
{
	uint64_t end = r->now + ms, next;

	room_settle(r);
	while ((next = vpn_next(r->v)) <= end) {
		r->now = next > r->now ? next : r->now;
		room_settle(r);
	}
	r->now = end;
	room_settle(r);
}

int room_install(struct room *r, const char *session, const struct vpn_profile *p, size_t n,
		 uint32_t deadline_ms)
{
	char err[128] = "";
	int rc;

	r->inside = true;
	rc = vpn_install(r->v, session, p, n, deadline_ms, r->now, err, sizeof(err));
	r->inside = false;
	CU_ASSERT_EQUAL(rc == 0, !err[0]);
	return rc;
}

void room_remove(struct room *r, const char *session)
{
	vpn_remove(r->v, session, r->now);
	room_settle(r);
}

bool room_said(const struct room *r, const char *text)
{
	return strstr(r->reports, text) != NULL;
}

bool room_net(const struct room *r, const char *text)
{
	return strstr(r->net, text) != NULL;
}
