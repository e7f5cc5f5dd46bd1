/* SPDX-License-Identifier: BSD-3-Clause
 *
 * lab-traffic: UDP both ways between two network namespaces, evenly paced, with a number and the time in
 * each packet; at the end what became of them, as JSON (doc/lab.md).  Not installed.
 *
 * One process has both ends, so that both see one clock.  Lines on standard input name points in time
 * ("cut", or with its time, "cut 1700000000.123"); its end, or SIGTERM, ends the run: what is under way is
 * waited for, then the JSON comes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "flow.h"

#define MAGIC 0x6d76544cu /* "mvTL" */
#define SIZE_MAX_ 1400
#define MARKS_MAX 256
#define BURST 64
#define SECOND 1000000000LL
#define EXIT_USAGE 2

/* In network byte order at the head of each payload; the lab's captures are searched for it. */
struct head {
	uint32_t magic;
	uint8_t direction; /* 0 = from the first end, 1 = from the second */
	uint8_t zero[3];
	uint32_t number;
	uint32_t sec, nsec;
} __attribute__((packed));

struct end {
	const char *ns, *address;
	struct sockaddr_in sin;
	int fd;
};

struct traffic {
	struct end ends[2];
	struct flow flows[2]; /* flows[i] is sent by ends[i] */
	struct mark marks[MARKS_MAX];
	int n_marks, rate, size, port;
	int64_t drain; /* how long late packets are waited for */
	char line[256];
	size_t line_len;
};

static volatile sig_atomic_t ended;

static void on_signal(int sig)
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

/* -- packets */

static void send_one(struct traffic *t, int from)
{
	uint8_t buf[SIZE_MAX_] = {0};
	int64_t at = now(CLOCK_REALTIME), n = flow_sent(&t->flows[from], at);
	if (n < 0)
		return;
	struct head h = {htonl(MAGIC),
			 (uint8_t)from,
			 {0},
			 htonl((uint32_t)n),
			 htonl((uint32_t)(at / SECOND)),
			 htonl((uint32_t)(at % SECOND))};
	memcpy(buf, &h, sizeof(h));
	if (sendto(t->ends[from].fd, buf, (size_t)t->size, MSG_DONTWAIT,
		   (struct sockaddr *)&t->ends[!from].sin, sizeof(struct sockaddr_in)) < 0)
		flow_refused(&t->flows[from]);
}

/* When the kernel had it. */
static int64_t stamp(struct msghdr *m)
{
	struct timespec t;
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
		return now(CLOCK_REALTIME);
	memcpy(&t, CMSG_DATA(c), sizeof(t));
	return t.tv_sec * SECOND + t.tv_nsec;
}

static bool receive_one(struct traffic *t, int at)
{
	uint8_t buf[SIZE_MAX_];
	char control[128];
	struct head h;
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(t->ends[at].fd, &m, MSG_DONTWAIT);
	if (n < 0)
		return errno != EAGAIN && errno != EINTR; /* an ICMP error is read like a packet */
	if (n < (ssize_t)sizeof(h))
		return true;
	memcpy(&h, buf, sizeof(h));
	if (ntohl(h.magic) == MAGIC && h.direction == !at)
		flow_received(&t->flows[!at], ntohl(h.number), stamp(&m));
	return true;
}

/* -- marks */

static void add_mark(struct traffic *t, const char *line)
{
	struct mark *m = &t->marks[t->n_marks];
	int n = 0;
	if (t->n_marks == MARKS_MAX || sscanf(line, "%31[a-zA-Z0-9_-]%n", m->name, &n) < 1)
		return;
	double at = strtod(line + n, NULL); /* 0 when there is none */
	m->at = at > 0 ? (int64_t)(at * 1e9) : now(CLOCK_REALTIME);
	t->n_marks++;
}

static void read_marks(struct traffic *t)
{
	ssize_t n = read(STDIN_FILENO, t->line + t->line_len, sizeof(t->line) - 1 - t->line_len);
	if (n <= 0) {
		ended = 1;
		return;
	}
	t->line_len += (size_t)n;
	t->line[t->line_len] = '\0';
	char *end, *line = t->line;
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		add_mark(t, line);
		line = end + 1;
	}
	t->line_len = strlen(line);
	memmove(t->line, line, t->line_len + 1);
	if (t->line_len == sizeof(t->line) - 1)
		t->line_len = 0; /* no mark is that long */
}

/* -- the loop */

static void turn(struct traffic *t, int64_t until, bool marks, const sigset_t *during)
{
	struct pollfd fds[3] = {{.fd = t->ends[0].fd, .events = POLLIN},
				{.fd = t->ends[1].fd, .events = POLLIN},
				{.fd = marks ? STDIN_FILENO : -1, .events = POLLIN}};
	int64_t left = until - now(CLOCK_MONOTONIC);
	struct timespec wait = {0, 0};
	if (left > 0)
		wait = (struct timespec){left / SECOND, left % SECOND};
	if (ppoll(fds, 3, &wait, during) <= 0)
		return;
	for (int i = 0; i < 2; i++)
		for (int n = 0; fds[i].revents && n < BURST && receive_one(t, i); n++)
			;
	if (fds[2].revents)
		read_marks(t);
}

static void run(struct traffic *t, const sigset_t *during)
{
	int64_t start = now(CLOCK_MONOTONIC), interval = SECOND / t->rate;
	for (int64_t n = 1; !ended; n++) {
		send_one(t, 0);
		send_one(t, 1);
		int64_t next = start + n * interval;
		do {
			turn(t, next, true, during);
		} while (!ended && now(CLOCK_MONOTONIC) < next);
	}
	int64_t until = now(CLOCK_MONOTONIC) + t->drain;
	while (now(CLOCK_MONOTONIC) < until && !(flow_complete(&t->flows[0]) && flow_complete(&t->flows[1])))
		turn(t, until, false, during);
}

/* -- coming up */

static void die(const char *what, const char *name)
{
	fprintf(stderr, "lab-traffic: %s: %s: %s\n", name, what, strerror(errno));
	exit(1);
}

static void open_end(struct end *e, int port)
{
	char path[256];
	int one = 1, size = 4 << 20;
	snprintf(path, sizeof(path), "/run/netns/%s", e->ns);
	int ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		die("no such namespace", e->ns);
	close(ns);
	e->sin = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	if (inet_pton(AF_INET, e->address, &e->sin.sin_addr) != 1)
		die("no address", e->address);
	e->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (e->fd < 0 || setsockopt(e->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)))
		die("socket", e->address);
	/* A mobile node's address comes and goes. */
	setsockopt(e->fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof(one));
	setsockopt(e->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(e->fd, (struct sockaddr *)&e->sin, sizeof(e->sin)))
		die("bind", e->address);
}

static void be_punctual(void)
{
	struct sched_param p = {.sched_priority = 1};
	prctl(PR_SET_TIMERSLACK, 1);
	if (sched_setscheduler(0, SCHED_FIFO, &p))
		(void)setpriority(PRIO_PROCESS, 0, -20);
}

static int number(const char *text, int min, int max)
{
	char *rest;
	long n = strtol(text, &rest, 10);
	if (*rest || rest == text || n < min || n > max) {
		fprintf(stderr, "lab-traffic: %s: not a number from %d to %d\n", text, min, max);
		exit(EXIT_USAGE);
	}
	return (int)n;
}

static void options(struct traffic *t, int argc, char **argv)
{
	int c;
	while ((c = getopt(argc, argv, "r:s:p:w:")) != -1) {
		if (c == 'r')
			t->rate = number(optarg, 1, 100000);
		else if (c == 's')
			t->size = number(optarg, (int)sizeof(struct head), SIZE_MAX_);
		else if (c == 'p')
			t->port = number(optarg, 1, 65535);
		else if (c == 'w')
			t->drain = number(optarg, 0, 60000) * (SECOND / 1000);
		else
			exit(EXIT_USAGE);
	}
	if (argc - optind != 4) {
		fprintf(stderr, "usage: lab-traffic [-r packets-per-second] [-s bytes] [-p port] [-w ms] "
				"NAMESPACE ADDRESS "
				"NAMESPACE ADDRESS\n");
		exit(EXIT_USAGE);
	}
	for (int i = 0; i < 2; i++) {
		t->ends[i].ns = argv[optind + 2 * i];
		t->ends[i].address = argv[optind + 2 * i + 1];
		open_end(&t->ends[i], t->port);
	}
}

static void block_signals(sigset_t *during)
{
	sigset_t blocked;
	struct sigaction a = {.sa_handler = on_signal};
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, during);
	sigaction(SIGTERM, &a, NULL);
}

int main(int argc, char **argv)
{
	static struct traffic t = {.rate = 1000, .size = 100, .port = 5555, .drain = SECOND};
	sigset_t during;
	block_signals(&during);
	options(&t, argc, argv);
	be_punctual();
	printf("ready\n");
	fflush(stdout);
	run(&t, &during);
	printf("{\"up\":");
	flow_print(&t.flows[0], t.marks, t.n_marks, stdout);
	printf(",\"down\":");
	flow_print(&t.flows[1], t.marks, t.n_marks, stdout);
	printf("}\n");
	flow_free(&t.flows[0]);
	flow_free(&t.flows[1]);
	return 0;
}
