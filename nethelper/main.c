/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mipvpn-nethelper: the only privileged part of mipvpn.  It listens to nobody but the agent that started it,
 * on one socket that it inherits; it can do what the table of verbs says (nethelper/proto.h), with arguments
 * that nethelper/check.c finds in order, and nothing else.  When the socket closes it removes all that it
 * made and ends.
 *
 * One thread, one epoll loop: the agent's requests, user-space tunnels, repetitions of gratuitous ARP.
 *
 * A transaction of nftables takes longer the more users the table has, whatever is in it.  So when one has
 * taken some time the next waits twice as long (REST_MOST_MS at most), and takes along what has come by then.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"
#include "nethelper/net.h"
#include "nethelper/privileges.h"
#include "nethelper/tun.h"

#define VICI_DEFAULT "/run/charon.vici"
#define EVENTS 64
#define REST_MOST_MS 30

struct helper {
	struct watch watch; /* of the agent's socket; first */
	int epoll_fd, agent_fd, log_level;
	const char *vici_path;
	bool user_ipip, agent_ready, agent_gone;
	struct nh_allowed allowed;
	struct net *net;
	struct net_job jobs[NET_BATCH_MAX];
	size_t n_jobs, n_sent; /* answers [n_sent, n_jobs) are still to be sent */
	uint64_t rest_until;   /* 0 = requests are served as they come */
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static bool name_of(unsigned ifindex, char name[IFNAMSIZ])
{
	return if_indextoname(ifindex, name) != NULL && nh_ifname_ok(name);
}

/* --- the agent --- */

static int send_reply(int to, const struct net_job *j)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)&j->reply, .iov_len = sizeof(j->reply)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *h;

	if (j->fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(j->fd));
		memcpy(CMSG_DATA(h), &j->fd, sizeof(j->fd));
	}
	return sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? errno : 0;
}

static void want(struct helper *h, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = &h->watch};

	epoll_ctl(h->epoll_fd, EPOLL_CTL_MOD, h->agent_fd, &e);
}

/* No new requests are read before these answers are out: that bounds what we keep. */
static void send_replies(struct helper *h)
{
	while (h->n_sent < h->n_jobs) {
		struct net_job *j = &h->jobs[h->n_sent];
		int error = send_reply(h->agent_fd, j);

		if (error == EAGAIN) {
			want(h, EPOLLOUT);
			return;
		}
		if (j->fd >= 0)
			close(j->fd);
		if (error != 0)
			h->agent_gone = true;
		h->n_sent++;
	}
	h->n_jobs = h->n_sent = 0;
	want(h, h->rest_until ? 0 : EPOLLIN);
}

static void read_requests(struct helper *h)
{
	while (h->n_jobs < NET_BATCH_MAX) {
		struct nh_request *r = &h->jobs[h->n_jobs].request;
		ssize_t n = recv(h->agent_fd, r, sizeof(*r), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n != (ssize_t)sizeof(*r)) {
			if (n > 0)
				log_error("agent", "a request of %zd bytes instead of %zu: another version?",
					  n, sizeof(*r));
			h->agent_gone = true;
			return;
		}
		h->n_jobs++;
	}
}

static void run_batch(struct helper *h)
{
	uint64_t begin = now_ms(), took;

	net_batch(h->net, h->jobs, h->n_jobs, begin);
	took = now_ms() - begin;
	if (took > 0)
		h->rest_until = begin + took + (2 * took < REST_MOST_MS ? 2 * took : REST_MOST_MS);
}

static void serve_agent(struct helper *h)
{
	h->agent_ready = false;
	if (h->n_jobs == 0) {
		read_requests(h);
		run_batch(h);
	}
	send_replies(h);
}

/* What has come meanwhile is read in the next turn. */
static void rest_over(struct helper *h, uint64_t now)
{
	if (h->rest_until == 0 || now < h->rest_until)
		return;
	h->rest_until = 0;
	if (h->n_jobs == 0)
		want(h, EPOLLIN);
}

static int wait_ms(const struct helper *h, uint64_t now)
{
	uint64_t next = net_next(h->net);

	if (h->rest_until != 0 && h->rest_until < next)
		next = h->rest_until;
	return next == UINT64_MAX ? -1 : next <= now ? 0 : (int)(next - now);
}

static void agent_ready(struct watch *w)
{
	((struct helper *)w)->agent_ready = true;
}

/* The agent comes last: only its requests remove devices that other events of this turn may point to. */
static void run(struct helper *h)
{
	struct epoll_event events[EVENTS];

	while (!h->agent_gone) {
		int n = epoll_wait(h->epoll_fd, events, EVENTS, wait_ms(h, now_ms()));

		for (int i = 0; i < n; i++) {
			struct watch *w = events[i].data.ptr;

			w->ready(w);
		}
		rest_over(h, now_ms());
		if (h->agent_ready)
			serve_agent(h);
		net_tick(h->net, now_ms());
	}
}

/* --- start --- */

static const char usage[] =
	"usage: mipvpn-nethelper --fd N [--vici SOCKET] [--link IF]... [--home IF]... [--user-ipip]\n"
	"                        [--log-level debug|info|notice|warning|error]\n"
	"Started by mipvpn-agentd; see mipvpn-nethelper(8).\n";

static bool add_name(char list[][IFNAMSIZ], size_t *n, const char *name)
{
	if (*n == NH_IFS_MAX || !nh_ifname_ok(name))
		return false;
	snprintf(list[(*n)++], IFNAMSIZ, "%s", name);
	return true;
}

static bool take_option(struct helper *h, int c, const char *value)
{
	enum log_level level;

	switch (c) {
	case 'f':
		h->agent_fd = atoi(value);
		return h->agent_fd > 2;
	case 'v':
		h->vici_path = value;
		return true;
	case 'l':
		return add_name(h->allowed.links, &h->allowed.n_links, value);
	case 'o':
		return add_name(h->allowed.homes, &h->allowed.n_homes, value);
	case 'u':
		h->user_ipip = true;
		return true;
	case 'L':
		if (!log_level_parse(value, &level))
			return false;
		log_set_level(level);
		return true;
	default:
		return false;
	}
}

static bool parse_args(struct helper *h, int argc, char **argv)
{
	static const struct option options[] = {
		{"fd", required_argument, NULL, 'f'},	{"vici", required_argument, NULL, 'v'},
		{"link", required_argument, NULL, 'l'}, {"home", required_argument, NULL, 'o'},
		{"user-ipip", no_argument, NULL, 'u'},	{"log-level", required_argument, NULL, 'L'},
		{"help", no_argument, NULL, 'h'},	{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		}
		if (!take_option(h, c, optarg)) {
			if (c != '?')
				fprintf(stderr, "mipvpn-nethelper: %s is no good value\n", optarg);
			return false;
		}
	}
	return optind == argc && h->agent_fd > 2;
}

static bool agent_socket_ok(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

static int sysctl_digit(const char *path)
{
	FILE *f = fopen(path, "re");
	int c = f != NULL ? getc(f) : EOF;

	if (f != NULL)
		fclose(f);
	return c;
}

/* The operator's to set, and easily forgotten. */
static void check_sysctls(void)
{
	int rp_filter = sysctl_digit("/proc/sys/net/ipv4/conf/all/rp_filter");

	if (sysctl_digit("/proc/sys/net/ipv4/ip_forward") == '0')
		log_warn("start", "net.ipv4.ip_forward is 0: nothing will be forwarded for mobile nodes");
	if (rp_filter == '1' || rp_filter == '2')
		log_warn("start",
			 "net.ipv4.conf.all.rp_filter is %c: it will drop what comes out of IP-in-IP tunnels",
			 rp_filter);
}

static int start(struct helper *h)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = &h->watch};
	char why[128];

	h->watch.ready = agent_ready;
	h->allowed.name_of = name_of;
	h->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (h->epoll_fd < 0 || epoll_ctl(h->epoll_fd, EPOLL_CTL_ADD, h->agent_fd, &e) != 0) {
		log_error("start", "epoll: %s", strerror(errno));
		return -1;
	}
	h->net = net_open(&h->allowed, h->vici_path, h->user_ipip, h->epoll_fd, why, sizeof(why));
	if (h->net == NULL) {
		log_error("start", "%s", why);
		return -1;
	}
	check_sysctls();
	return 0;
}

int main(int argc, char **argv)
{
	static struct helper h = {.agent_fd = -1, .vici_path = VICI_DEFAULT};
	char why[128];
	int error;

	log_init("mipvpn-nethelper", LOG_LVL_NOTICE, NULL);
	if (!parse_args(&h, argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	if (!agent_socket_ok(h.agent_fd)) {
		fprintf(stderr, "mipvpn-nethelper: --fd is not the agent's socket\n");
		return 2;
	}
	/* The end comes by the socket, so that the clean-up is never cut off: not by Ctrl-C or a service
	 * stop. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (privileges_drop(why, sizeof(why)) != 0) {
		log_error("start", "%s", why);
		return 1;
	}
	if (start(&h) != 0)
		return 1;
	run(&h);
	log_info("end", "the agent is gone: removing what was made for it");
	error = net_flush(h.net);
	if (error != 0)
		log_error("end", "not everything could be removed: %s", strerror(error));
	net_close(h.net);
	close(h.epoll_fd);
	return error == 0 ? 0 : 1;
}
