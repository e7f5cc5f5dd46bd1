/* SPDX-License-Identifier: BSD-3-Clause
 *
 * lab-delay: a learning switch between network interfaces whose frames leave a fixed time after they came,
 * for kernels without netem (doc/lab.md).  Not installed.
 *
 * Packet sockets with virtio_net headers: what the kernel left for later (segmentation, checksums) stays
 * for later.  A frame's time begins with the kernel's time stamp of its arrival, so that a late wake-up of
 * this program is not added.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "queue.h"

#define PORTS_MAX 32
#define MACS_MAX 1024u /* a power of two */
#define FRAME_MAX (68 * 1024)
#define BURST 64 /* frames of one port in one turn */
#define SOCKET_BUFFER (16 << 20)
#define SECOND 1000000000LL
#define EXIT_USAGE 2

struct port {
	const char *name;
	int fd;
	struct queue *queue;
};

struct learnt {
	uint8_t mac[ETH_ALEN];
	int8_t port; /* 1 + index; 0 = the place is free */
};

struct sw {
	struct port ports[PORTS_MAX];
	int n_ports;
	struct learnt macs[MACS_MAX];
	unsigned int n_macs;
	int64_t delay;
	double loss; /* 0..1 */
	uint64_t forwarded, lost, full, unsent;
};

static volatile sig_atomic_t ended;

static void end(int sig)
{
	(void)sig;
	ended = 1;
}

static int64_t now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

/* -- who is where */

static struct learnt *mac_place(struct sw *s, const uint8_t *mac)
{
	uint32_t h = 2166136261u;
	for (int i = 0; i < ETH_ALEN; i++)
		h = (h ^ mac[i]) * 16777619u;
	struct learnt *l;
	while ((l = &s->macs[h % MACS_MAX])->port && memcmp(l->mac, mac, ETH_ALEN) != 0)
		h++;
	return l;
}

static void learn(struct sw *s, const uint8_t *mac, int port)
{
	if (s->n_macs == MACS_MAX / 2) { /* forget and flood: there is always a free place */
		memset(s->macs, 0, sizeof(s->macs));
		s->n_macs = 0;
	}
	struct learnt *l = mac_place(s, mac);
	s->n_macs += !l->port;
	memcpy(l->mac, mac, ETH_ALEN);
	l->port = (int8_t)(port + 1);
}

/* -- frames */

static void send_to(struct sw *s, int port, const struct frame *f)
{
	if (send(s->ports[port].fd, f->data, f->len, 0) < 0)
		s->unsent++;
	else
		s->forwarded++;
}

static void forward(struct sw *s, int from, const struct frame *f)
{
	const uint8_t *dst = f->data + sizeof(struct virtio_net_hdr);
	int to = dst[0] & 1 ? 0 : mac_place(s, dst)->port;
	if (to && to - 1 != from)
		send_to(s, to - 1, f);
	for (int i = 0; !to && i < s->n_ports; i++)
		if (i != from)
			send_to(s, i, f);
}

/* Nanoseconds since the frame came, by the time stamp that came with it. */
static int64_t age(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		struct timespec t;
		memcpy(&t, CMSG_DATA(c), sizeof(t));
		int64_t ns = now(CLOCK_REALTIME) - (t.tv_sec * SECOND + t.tv_nsec);
		return ns < 0 || ns > SECOND ? 0 : ns; /* a clock that was set says nothing */
	}
	return 0;
}

/* One frame from a port into its queue; false when there is none. */
static bool take(struct sw *s, int port, uint8_t *buf)
{
	char control[CMSG_SPACE(sizeof(struct timespec)) + 64];
	struct iovec iov = {buf, FRAME_MAX};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(s->ports[port].fd, &m, MSG_DONTWAIT);
	if (n < 0)
		return false;
	if (n < (ssize_t)(sizeof(struct virtio_net_hdr) + ETH_HLEN) || m.msg_flags & MSG_TRUNC)
		return true;
	learn(s, buf + sizeof(struct virtio_net_hdr) + ETH_ALEN, port);
	if (s->loss > 0 && drand48() < s->loss)
		s->lost++;
	else if (!queue_put(s->ports[port].queue, buf, (size_t)n, now(CLOCK_MONOTONIC) - age(&m) + s->delay))
		s->full++;
	return true;
}

static void send_due(struct sw *s, int port, int64_t when)
{
	const struct frame *f;
	while ((f = queue_first(s->ports[port].queue)) && f->due <= when) {
		forward(s, port, f);
		queue_drop(s->ports[port].queue);
	}
}

/* -- the loop */

static int64_t next_due(const struct sw *s)
{
	int64_t first = INT64_MAX;
	for (int i = 0; i < s->n_ports; i++) {
		const struct frame *f = queue_first(s->ports[i].queue);
		if (f && f->due < first)
			first = f->due;
	}
	return first;
}

static void wait_turn(const struct sw *s, const sigset_t *during)
{
	struct pollfd fds[PORTS_MAX];
	for (int i = 0; i < s->n_ports; i++)
		fds[i] = (struct pollfd){.fd = s->ports[i].fd, .events = POLLIN};
	int64_t first = next_due(s), left = first - now(CLOCK_MONOTONIC);
	if (left < 0)
		left = 0;
	struct timespec t = {left / SECOND, left % SECOND};
	ppoll(fds, (nfds_t)s->n_ports, first == INT64_MAX ? NULL : &t, during);
}

static void run(struct sw *s, const sigset_t *during)
{
	static uint8_t buf[FRAME_MAX];
	while (!ended) {
		wait_turn(s, during);
		for (int i = 0; i < s->n_ports; i++)
			for (int n = 0; n < BURST && take(s, i, buf); n++)
				;
		int64_t when = now(CLOCK_MONOTONIC);
		for (int i = 0; i < s->n_ports; i++)
			send_due(s, i, when);
	}
}

/* -- coming up */

static void die(const char *what, const char *name)
{
	fprintf(stderr, "lab-delay: %s: %s: %s\n", name, what, strerror(errno));
	exit(1);
}

static void open_port(struct port *p, const char *name)
{
	int one = 1, size = SOCKET_BUFFER;
	p->name = name;
	p->queue = calloc(1, sizeof(*p->queue));
	p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* hears nothing until it is bound */
	struct sockaddr_ll a = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	a.sll_ifindex = (int)if_nametoindex(name);
	if (!p->queue || p->fd < 0 || !a.sll_ifindex)
		die("cannot open", name);
	if (setsockopt(p->fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    setsockopt(p->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) ||
	    setsockopt(p->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)))
		die("cannot set up", name);
	setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(p->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	if (bind(p->fd, (struct sockaddr *)&a, sizeof(a)))
		die("cannot bind", name);
}

/* As exact as the machine lets us be; less is not an error. */
static void be_punctual(void)
{
	struct sched_param p = {.sched_priority = 1};
	prctl(PR_SET_TIMERSLACK, 1);
	if (sched_setscheduler(0, SCHED_FIFO, &p))
		(void)setpriority(PRIO_PROCESS, 0, -20);
}

static double number(const char *text, double max)
{
	char *rest;
	double x = strtod(text, &rest);
	if (*rest || rest == text || !(x >= 0 && x <= max)) {
		fprintf(stderr, "lab-delay: %s: not a number from 0 to %g\n", text, max);
		exit(EXIT_USAGE);
	}
	return x;
}

static void options(struct sw *s, int argc, char **argv)
{
	int c;
	while ((c = getopt(argc, argv, "d:l:")) != -1) {
		if (c == 'd')
			s->delay = (int64_t)(number(optarg, 10000) * 1e6);
		else if (c == 'l')
			s->loss = number(optarg, 100) / 100;
		else
			exit(EXIT_USAGE);
	}
	if (argc - optind < 2 || argc - optind > PORTS_MAX) {
		fprintf(stderr, "usage: lab-delay [-d ms] [-l percent-lost] INTERFACE INTERFACE...\n");
		exit(EXIT_USAGE);
	}
	for (; optind < argc; optind++)
		open_port(&s->ports[s->n_ports++], argv[optind]);
}

int main(int argc, char **argv)
{
	static struct sw s = {.delay = 10 * SECOND / 1000};
	sigset_t blocked, during;
	struct sigaction a = {.sa_handler = end};
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, &during);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGINT, &a, NULL);
	options(&s, argc, argv);
	be_punctual();
	printf("ready\n");
	fflush(stdout);
	run(&s, &during);
	printf("{\"forwarded\":%lu,\"lost\":%lu,\"full\":%lu,\"unsent\":%lu}\n", s.forwarded, s.lost, s.full,
	       s.unsent);
	for (int i = 0; i < s.n_ports; i++) {
		while (queue_first(s.ports[i].queue))
			queue_drop(s.ports[i].queue);
		free(s.ports[i].queue);
		close(s.ports[i].fd);
	}
	return 0;
}
