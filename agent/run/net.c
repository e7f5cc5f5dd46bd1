/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The agent's side of mipvpn-nethelper in the loop: start, requests, answers, and the sockets that it opens.
 * The helper answers strictly in order, so "request number n is answered" is all that a barrier needs
 * (held.c).
 *
 * The helper holds the privileges that this process has given up: it cannot be started again from here.  When
 * it ends, the agent ends too (the helper has taken down what it made), and the service manager starts both
 * anew.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/run/agent.h"
#include "lib/counter.h"
#include "lib/log.h"

#define START_MS 5000

struct ask {
	struct agent *g;
	enum role_id role; /* counts toward the barrier of batch */
	uint64_t batch;
	uint32_t verb;
	struct in_addr addr;
	uint64_t cookie; /* of the VPN room */
	unsigned which;	 /* connection to charon */
	struct link *link;
};

static const char *const verb_words[NH_VERB_MAX] = {
	[NH_HELLO] = "hello",
	[NH_FLUSH] = "flush",
	[NH_OPEN_UDP] = "open UDP port 434",
	[NH_OPEN_LINK] = "open link",
	[NH_OPEN_VICI] = "connect to charon",
	[NH_VISITOR_ADD] = "add visitor",
	[NH_VISITOR_DEL] = "remove visitor",
	[NH_IPIP_ADD] = "add IP-in-IP tunnel",
	[NH_IPIP_DEL] = "remove IP-in-IP tunnel",
	[NH_BINDING_ADD] = "add binding",
	[NH_BINDING_DEL] = "remove binding",
	[NH_REVERSE_ADD] = "add reverse tunnel",
	[NH_REVERSE_DEL] = "remove reverse tunnel",
	[NH_PROXY_ARP_ADD] = "add proxy ARP",
	[NH_PROXY_ARP_DEL] = "remove proxy ARP",
	[NH_GARP] = "gratuitous ARP",
	[NH_VPN_ADD] = "add VPN route",
	[NH_VPN_DEL] = "remove VPN route",
	[NH_PROTECT_ADD] = "protect prefix",
	[NH_PROTECT_DEL] = "unprotect prefix",
	[NH_ENCAP_ADD] = "add encapsulation",
	[NH_ENCAP_DEL] = "remove encapsulation",
	[NH_OPEN_TRANSPARENT] = "open UDP port 434 of correspondents",
	[NH_PCN_ADD] = "take Binding Updates for prefix",
	[NH_PCN_DEL] = "leave Binding Updates for prefix",
	[NH_OPEN_NFLOG] = "open NFLOG",
	[NH_WATCH_ADD] = "watch for first packets to",
	[NH_WATCH_DEL] = "no longer watch for first packets to",
	[NH_HOLD_ADD] = "hold packets to",
	[NH_HOLD_DEL] = "let go packets to",
	[NH_FORWARD_ADD] = "forward packets to",
	[NH_FORWARD_DEL] = "no longer forward packets to",
};

static const char *verb_str(uint32_t verb)
{
	return verb < NH_VERB_MAX && verb_words[verb] ? verb_words[verb] : "?";
}

/* --- requests and answers --- */

static void link_opened(struct agent *g, struct link *l, const struct nh_reply *r, int fd);

static void complain(struct agent *g, const struct ask *a, const struct nh_reply *r)
{
	char addr[INET_ADDRSTRLEN];

	counter_inc("net.request.failed");
	inet_ntop(AF_INET, &a->addr, addr, sizeof(addr));
	agent_note(g, LOG_LVL_ERROR, "helper: %s %s: %s", verb_str(a->verb), a->addr.s_addr ? addr : "",
		   r->text[0] ? r->text : strerror(r->error));
}

/* Verbs without which a registration does not work. */
static bool verb_adds(uint32_t verb)
{
	return verb == NH_VISITOR_ADD || verb == NH_IPIP_ADD || verb == NH_BINDING_ADD ||
	       verb == NH_REVERSE_ADD || verb == NH_PROXY_ARP_ADD;
}

static void user_failed(struct agent *g, const struct ask *a, const char *why)
{
	char hoa[INET_ADDRSTRLEN];

	held_fail(g, a->batch, why);
	inet_ntop(AF_INET, &a->addr, hoa, sizeof(hoa));
	agent_later(g, a->role, EV_DROP, NULL, 0, hoa);
}

static void on_reply(void *user, const struct nh_reply *r, int fd)
{
	struct ask *a = user;
	struct agent *g = a->g;

	g->answered++;
	switch (a->verb) {
	case NH_OPEN_LINK:
		link_opened(g, a->link, r, fd);
		break;
	case NH_OPEN_VICI:
		charon_opened(g, a->which, fd, r->error, r->text);
		break;
	default:
		if (a->cookie)
			vpn_net_done(g->vpn, a->cookie, r->error, r->text, loop_now(g->loop));
		else if (r->error)
			complain(g, a, r);
		if (r->error && a->role != ROLE_NONE && verb_adds(a->verb))
			user_failed(g, a, r->text[0] ? r->text : strerror(r->error));
	}
	free(a);
}

/* Ends the ask without the helper; as if it had said errnum. */
static void refused(struct ask *a, int errnum)
{
	struct nh_reply r = {.error = errnum};

	snprintf(r.text, sizeof(r.text), "mipvpn-nethelper: %s", strerror(errnum));
	a->g->asked++;
	on_reply(a, &r, -1);
}

static void ask(struct agent *g, const struct nh_request *r, const struct ask *with)
{
	struct ask *a = malloc(sizeof(*a));

	if (!a) {
		counter_inc("net.request.no_memory");
		return;
	}
	*a = *with;
	a->g = g;
	a->verb = r->verb;
	a->addr = r->addr;
	if (a->role != ROLE_NONE)
		a->batch = g->batch;
	if (nh_client_send(g->nh, r, on_reply, a)) {
		refused(a, errno);
		return;
	}
	g->asked++;
	if (a->role != ROLE_NONE)
		g->batch_ask = g->asked;
}

void net_ask(struct agent *g, const struct nh_request *r, enum role_id role)
{
	ask(g, r, &(struct ask){.role = role});
}

void net_ask_vpn(struct agent *g, const struct nh_request *r, uint64_t cookie)
{
	ask(g, r, &(struct ask){.cookie = cookie});
}

void net_ask_charon(struct agent *g, unsigned which)
{
	ask(g, &(struct nh_request){.verb = NH_OPEN_VICI}, &(struct ask){.which = which});
}

bool net_batch_pending(const struct agent *g)
{
	return g->batch_ask > g->answered;
}

static void on_helper(void *user, bool readable, bool writable)
{
	struct agent *g = user;

	if (nh_client_io(g->nh) == 0 || g->nh_gone)
		return;
	g->nh_gone = true;
	loop_io_del(g->nh_io);
	g->nh_io = NULL;
	agent_note(g, LOG_LVL_ERROR, "mipvpn-nethelper has ended: so does the agent");
	agent_stop(g, true);
}

/* --- links --- */

static void link_close(struct link *l)
{
	loop_io_del(l->io);
	l->io = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->ifindex = 0;
}

static void link_opened(struct agent *g, struct link *l, const struct nh_reply *r, int fd)
{
	int on = 1;

	l->opening = false;
	if (!r->error && fd >= 0) {
		l->fd = fd;
		setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)); /* see dispatch.c: checksums */
		l->io = loop_io_add(g->loop, fd, dispatch_link_io, l);
	}
	if (!l->io) {
		if (!l->complained)
			agent_note(g, LOG_LVL_WARN, "link %s: %s (will be tried again)", l->name,
				   r->error ? r->text : "cannot be polled");
		l->complained = true;
		link_close(l);
		return;
	}
	l->complained = false;
	agent_note(g, LOG_LVL_NOTICE, "link %s: open", l->name);
	agent_links_changed(g);
}

static void link_open(struct agent *g, struct link *l)
{
	struct nh_request r = {.verb = NH_OPEN_LINK};

	if (!links_lookup(l)) {
		if (!l->complained)
			agent_note(g, LOG_LVL_WARN, "link %s: %s (waiting for it)", l->name,
				   l->ifindex ? "has no IPv4 address" : "is not there, or down");
		l->complained = true;
		l->ifindex = 0;
		return;
	}
	l->opening = true;
	l->agent = g;
	r.ifindex = l->ifindex;
	memcpy(r.ifname, l->name, sizeof(r.ifname));
	ask(g, &r, &(struct ask){.link = l});
}

void net_links_open(struct agent *g)
{
	for (size_t i = 0; i < g->n_links; i++) {
		if (g->links[i].fd < 0 && !g->links[i].opening)
			link_open(g, &g->links[i]);
	}
}

void net_link_lost(struct link *l, const char *why)
{
	struct agent *g = l->agent;

	agent_note(g, LOG_LVL_WARN, "link %s: %s", l->name, why);
	link_close(l);
	agent_links_changed(g);
}

/* --- prefixes: protected ones, those of the PCN --- */

struct prefixes {
	const struct vpn_prefix *v;
	size_t n;
};

static struct prefixes protected_by(const struct config *c)
{
	return c ? (struct prefixes){c->protect.v, c->protect.n} : (struct prefixes){0};
}

static struct prefixes told_for(const struct config *c)
{
	if (!c || !c->pcn.n)
		return (struct prefixes){0};
	return (struct prefixes){c->pcn.v->prefixes.v, c->pcn.v->prefixes.n};
}

static bool has_prefix(struct prefixes l, const struct vpn_prefix *p)
{
	for (size_t i = 0; i < l.n; i++) {
		if (vpn_prefix_equal(&l.v[i], p))
			return true;
	}
	return false;
}

static void ask_missing(struct agent *g, struct prefixes in, struct prefixes not_in, uint32_t verb)
{
	struct nh_request r = {.verb = verb};

	for (size_t i = 0; i < in.n; i++) {
		r.dst = in.v[i];
		if (!has_prefix(not_in, &r.dst))
			net_ask(g, &r, ROLE_NONE);
	}
}

void net_prefixes(struct agent *g, const struct config *old, const struct config *wanted)
{
	ask_missing(g, protected_by(wanted), protected_by(old), NH_PROTECT_ADD);
	ask_missing(g, protected_by(old), protected_by(wanted), NH_PROTECT_DEL);
	ask_missing(g, told_for(wanted), told_for(old), NH_PCN_ADD);
	ask_missing(g, told_for(old), told_for(wanted), NH_PCN_DEL);
}

/* --- start and stop --- */

static void link_names(struct agent *g, const char **links, size_t *n_links, const char **homes,
		       size_t *n_homes)
{
	*n_links = *n_homes = 0;
	for (size_t i = 0; i < g->n_links; i++) {
		if (g->links[i].home)
			homes[(*n_homes)++] = g->links[i].name;
		else
			links[(*n_links)++] = g->links[i].name;
	}
}

static void link_add(struct agent *g, const char *name, bool home)
{
	struct link *l = &g->links[g->n_links++];

	snprintf(l->name, sizeof(l->name), "%s", name);
	l->home = home;
	l->fd = -1;
	l->agent = g;
}

int net_start(struct agent *g, char *err, size_t err_len)
{
	static const char *const levels[] = {"debug", "info", "notice", "warning", "error"};
	const char *links[LINKS_MAX], *homes[LINKS_MAX];
	struct nh_client_args args = {
		.program = g->conf->helper[0] ? g->conf->helper : NULL,
		.vici_path = g->conf->vici_socket,
		.log_level = levels[g->conf->log_level],
		.links = links,
		.homes = homes,
	};
	int fd;

	for (size_t i = 0; g->conf->fa.n && i < g->conf->fa.v->links.n; i++)
		link_add(g, g->conf->fa.v->links.v[i], false);
	if (g->conf->ha.n && g->conf->ha.v->role.home_ifname[0])
		link_add(g, g->conf->ha.v->role.home_ifname, true);
	link_names(g, links, &args.n_links, homes, &args.n_homes);
	fd = nh_client_spawn(&args, &g->helper_pid, err, err_len);
	if (fd < 0)
		return -1;
	g->nh = nh_client_new(fd);
	if (g->nh)
		return 0;
	snprintf(err, err_len, "out of memory");
	return -1;
}

static int call(struct agent *g, uint32_t verb, struct nh_reply *reply, int *fd, char *err, size_t err_len)
{
	struct nh_request r = {.verb = verb};
	int rc = nh_client_call(g->nh, &r, reply, fd, START_MS);

	if (rc == 0)
		return 0;
	if (rc < 0)
		snprintf(reply->text, sizeof(reply->text), "%s",
			 errno == EPIPE ? "it has ended" : strerror(errno));
	snprintf(err, err_len, "mipvpn-nethelper: %s: %s", verb_str(verb), reply->text);
	return -1;
}

/* Sockets that only one role needs.  A home agent does without NFLOG: then correspondents cannot begin
 * (F9). */
static int open_role_sockets(struct agent *g, char *err, size_t err_len)
{
	struct nh_reply reply = {0};

	if (g->conf->pcn.n) {
		if (call(g, NH_OPEN_TRANSPARENT, &reply, &g->transparent, err, err_len))
			return -1;
		g->transparent_io = loop_io_add(g->loop, g->transparent, dispatch_transparent_io, g);
		if (!g->transparent_io) {
			snprintf(err, err_len, "the loop cannot poll the transparent socket");
			return -1;
		}
	}
	if (!g->conf->ha.n)
		return 0;
	if (call(g, NH_OPEN_NFLOG, &reply, &g->nflog, err, err_len) == 0)
		g->nflog_io = loop_io_add(g->loop, g->nflog, dispatch_nflog_io, g);
	else
		agent_note(g, LOG_LVL_WARN, "%s: correspondents cannot begin (see mipvpn-agentd.conf(5))",
			   err);
	return 0;
}

int net_open(struct agent *g, char *err, size_t err_len)
{
	struct nh_reply reply = {0};

	if (call(g, NH_HELLO, &reply, NULL, err, err_len))
		return -1;
	g->kernel_ipip = reply.value == 1;
	if (call(g, NH_FLUSH, &reply, NULL, err, err_len) ||
	    call(g, NH_OPEN_UDP, &reply, &g->udp, err, err_len))
		return -1;
	g->udp_io = loop_io_add(g->loop, g->udp, dispatch_udp_io, g);
	g->nh_io = loop_io_add(g->loop, nh_client_fd(g->nh), on_helper, g);
	if (!g->udp_io || !g->nh_io) {
		snprintf(err, err_len, "the loop cannot poll sockets");
		return -1;
	}
	g->n_own_addrs = links_own_addrs(g->own_addrs, sizeof(g->own_addrs) / sizeof(g->own_addrs[0]));
	if (open_role_sockets(g, err, err_len))
		return -1;
	net_prefixes(g, NULL, g->conf);
	net_links_open(g);
	return 0;
}

void net_turn(struct agent *g)
{
	held_release(g);
	if (g->nh_io)
		loop_io_want_write(g->nh_io, nh_client_want_write(g->nh));
}

static void close_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

void net_stop(struct agent *g)
{
	for (size_t i = 0; i < g->n_links; i++)
		link_close(&g->links[i]);
	loop_io_del(g->udp_io);
	loop_io_del(g->transparent_io);
	loop_io_del(g->nflog_io);
	close_open(g->udp);
	close_open(g->transparent);
	close_open(g->nflog);
	loop_io_del(g->nh_io);
	held_free(g);
	nh_client_free(g->nh); /* the helper removes what is left and ends */
	if (g->helper_pid > 0)
		waitpid(g->helper_pid, NULL, 0);
}
