/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Drives one VPN room against a real charon: poll() instead of the agent's loop, commands from standard
 * input, reports and requests to the network helper as lines on standard output (the requests are answered
 * with success: charon's own rule leads packets into the tunnels here).
 *
 * usage: driver SELF VICI-SOCKET [option=number]...
 *	install SESSION DEADLINE-MS FILE	profiles as a JSON array
 *	late SESSION DEADLINE-MS FILE		the same; the CHILD_SA is the other end's to make
 *	move SESSION DEADLINE-MS FROM TO | leave SESSION LINGER-MS
 *	handoff SESSION DEADLINE-MS FROM-SESSION PEER old|new	with a key that both have
 *	remove SESSION | default PEER SPI SECRET | resync | vpns | tunnels | bye | idle | quit
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent/vpn/vpn.h"
#include "lib/log.h"

#define NET_QUEUE 256

struct driver {
	struct vpn *v;
	const char *socket;
	bool wanted[VPN_CHARON_CONNS];
	uint64_t net[NET_QUEUE]; /* cookies to be answered */
	size_t n_net;
	bool waits_idle;
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int charon_connect(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void on_open(void *user, unsigned which)
{
	((struct driver *)user)->wanted[which] = true;
}

static const char *verb_name(uint32_t verb)
{
	switch (verb) {
	case NH_VPN_ADD:
		return "vpn-add";
	case NH_VPN_DEL:
		return "vpn-del";
	case NH_PROTECT_ADD:
		return "protect-add";
	case NH_PROTECT_DEL:
		return "protect-del";
	default:
		return "other";
	}
}

static void on_net(void *user, const struct nh_request *r, uint64_t cookie)
{
	struct driver *d = user;
	char src[VPN_PREFIX_STRLEN], dst[VPN_PREFIX_STRLEN];

	static const char *const sides[] = {"dst", "src", "both"};

	printf("net %s %s %s %s\n", verb_name(r->verb), vpn_prefix_str(&r->src, src),
	       vpn_prefix_str(&r->dst, dst), sides[r->side]);
	if (d->n_net < NET_QUEUE)
		d->net[d->n_net++] = cookie;
}

static void on_report(void *user, const char *session, enum vpn_report what, const char *text)
{
	static const char *const words[] = {"UP", "FAILED", "DOWN", "CARRIES"};

	(void)user;
	printf("report %s %s %s\n", session, words[what], text);
}

static void on_event(void *user, int level, const char *text)
{
	(void)user;
	printf("event %d %llu %s\n", level, (unsigned long long)now_ms(), text);
}

static void do_install(struct driver *d, char *args, bool late)
{
	struct vpn_profile p[VPN_PROFILES_MAX];
	char session[128], file[256], err[128] = "";
	unsigned deadline;
	size_t i, n;
	json_t *j;

	if (sscanf(args, "%127s %u %255s", session, &deadline, file) != 3 ||
	    !(j = json_load_file(file, 0, NULL))) {
		printf("bad install\n");
		return;
	}
	n = json_array_size(j);
	for (i = 0; i < n && i < VPN_PROFILES_MAX; i++) {
		if (vpn_profile_from_json(json_array_get(j, i), &p[i], err, sizeof(err)) < 0)
			break;
	}
	if (i < n || (late ? vpn_install_late : vpn_install)(d->v, session, p, n, deadline, now_ms(), err,
							     sizeof(err)) < 0)
		printf("refused %s %s\n", session, err);
	json_decref(j);
}

static void do_move(struct driver *d, char *args)
{
	char session[128], from[32], to[32], err[128] = "";
	struct in_addr a = {0}, b = {0};
	unsigned deadline;

	if (sscanf(args, "%127s %u %31s %31s", session, &deadline, from, to) != 4 ||
	    inet_pton(AF_INET, from, &a) != 1 || inet_pton(AF_INET, to, &b) != 1 ||
	    vpn_move(d->v, session, a, b, deadline, now_ms(), err, sizeof(err)) < 0)
		printf("refused %s %s\n", args, err);
}

static void do_leave(struct driver *d, char *args)
{
	char session[128];
	unsigned linger;

	if (sscanf(args, "%127s %u", session, &linger) == 2)
		vpn_leave(d->v, session, linger, now_ms());
}

static void do_handoff(struct driver *d, char *args)
{
	static const struct vpn_key key = {32, "the handoff key of both agents!!"};
	char session[128], from[128], peer[32], who[8], err[128] = "";
	struct in_addr a = {0};
	unsigned deadline;

	if (sscanf(args, "%127s %u %127s %31s %7s", session, &deadline, from, peer, who) != 5 ||
	    inet_pton(AF_INET, peer, &a) != 1 ||
	    vpn_handoff(d->v, session, from, a, !strcmp(who, "new"), &key, deadline, now_ms(), err,
			sizeof(err)) < 0)
		printf("refused %s %s\n", args, err);
}

static void do_default(struct driver *d, char *args)
{
	struct vpn_default_spi s = {.spi = 0};
	char peer[64], secret[VPN_KEY_MAX + 1];

	if (sscanf(args, "%63s %u %64s", peer, &s.spi, secret) != 3 || inet_pton(AF_INET, peer, &s.peer) != 1)
		return;
	s.key.len = (uint8_t)strlen(secret);
	memcpy(s.key.data, secret, s.key.len);
	vpn_default_spi_set(d->v, &s, now_ms());
}

static void show(const char *word, json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT);

	printf("%s %s\n", word, text);
	free(text);
	json_decref(j);
}

static bool command_of_move(struct driver *d, const char *word, char *args)
{
	if (!strcmp(word, "move"))
		do_move(d, args);
	else if (!strcmp(word, "leave"))
		do_leave(d, args);
	else if (!strcmp(word, "handoff"))
		do_handoff(d, args);
	else
		return false;
	return true;
}

static bool command(struct driver *d, char *line)
{
	char *args = strchr(line, ' ');

	line[strcspn(line, "\n")] = '\0';
	if (args)
		*args++ = '\0';
	if (args && command_of_move(d, line, args))
		return true;
	if ((!strcmp(line, "install") || !strcmp(line, "late")) && args)
		do_install(d, args, line[0] == 'l');
	else if (!strcmp(line, "remove") && args)
		vpn_remove(d->v, args, now_ms());
	else if (!strcmp(line, "default") && args)
		do_default(d, args);
	else if (!strcmp(line, "resync"))
		vpn_resync(d->v, now_ms());
	else if (!strcmp(line, "vpns"))
		show("vpns", vpn_json_vpns(d->v, false));
	else if (!strcmp(line, "tunnels"))
		show("tunnels", vpn_json_tunnels(d->v));
	else if (!strcmp(line, "bye"))
		vpn_quit(d->v, now_ms());
	else if (!strcmp(line, "idle"))
		d->waits_idle = true;
	else if (!strcmp(line, "quit"))
		return false;
	return true;
}

static void answer_net(struct driver *d)
{
	uint64_t cookie;

	while (d->n_net) {
		cookie = d->net[0];
		memmove(&d->net[0], &d->net[1], --d->n_net * sizeof(d->net[0]));
		vpn_net_done(d->v, cookie, 0, "", now_ms());
	}
}

static void serve(struct driver *d, struct pollfd *fds)
{
	for (unsigned i = 0; i < VPN_CHARON_CONNS; i++) {
		if (d->wanted[i]) {
			d->wanted[i] = false;
			vpn_charon_fd(d->v, i, charon_connect(d->socket), now_ms());
		}
		if (fds[i].fd >= 0 && fds[i].revents)
			vpn_charon_io(d->v, i, fds[i].revents & ~POLLOUT, fds[i].revents & POLLOUT, now_ms());
	}
	vpn_tick(d->v, now_ms());
	answer_net(d);
	if (d->waits_idle && vpn_idle(d->v)) {
		d->waits_idle = false;
		printf("idle\n");
	}
}

static int wait_ms(const struct driver *d)
{
	uint64_t next = vpn_next(d->v), now = now_ms();

	for (unsigned i = 0; i < VPN_CHARON_CONNS; i++) {
		if (d->wanted[i])
			return 0;
	}
	if (next == UINT64_MAX)
		return -1;
	return next <= now ? 0 : next - now > 60000 ? 60000 : (int)(next - now);
}

static void loop(struct driver *d)
{
	struct pollfd fds[VPN_CHARON_CONNS + 1];
	char line[512];
	bool write;

	for (;;) {
		for (unsigned i = 0; i < VPN_CHARON_CONNS; i++) {
			fds[i].fd = vpn_charon_poll(d->v, i, &write);
			fds[i].events = (short)(POLLIN | (write ? POLLOUT : 0));
			fds[i].revents = 0;
		}
		fds[VPN_CHARON_CONNS] = (struct pollfd){.fd = 0, .events = POLLIN};
		if (poll(fds, VPN_CHARON_CONNS + 1, wait_ms(d)) < 0)
			return;
		if (fds[VPN_CHARON_CONNS].revents && (!fgets(line, sizeof(line), stdin) || !command(d, line)))
			return;
		serve(d, fds);
	}
}

static void option(struct vpn_config *c, const char *arg)
{
	static const struct {
		const char *name;
		size_t at;
	} numbers[] = {
		{"audit_ms=", offsetof(struct vpn_config, audit_ms)},
		{"initiate_timeout_ms=", offsetof(struct vpn_config, initiate_timeout_ms)},
		{"responder_wait_ms=", offsetof(struct vpn_config, responder_wait_ms)},
		{"restore_ms=", offsetof(struct vpn_config, restore_ms)},
		{"dpd_delay_s=", offsetof(struct vpn_config, dpd_delay_s)},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		size_t n = strlen(numbers[i].name);

		if (!strncmp(arg, numbers[i].name, n))
			*(uint32_t *)(void *)((char *)c + numbers[i].at) =
				(uint32_t)strtoul(arg + n, NULL, 10);
	}
	c->no_marks |= !strcmp(arg, "no_marks");
	c->take_early |= !strcmp(arg, "take_early");
}

int main(int argc, char **argv)
{
	static const struct vpn_ops ops = {on_open, on_net, on_report, on_event};
	struct vpn_config c = {.audit_ms = 0};
	struct driver d = {.n_net = 0};

	if (argc < 3 || inet_pton(AF_INET, argv[1], &c.self) != 1) {
		fprintf(stderr, "usage: driver SELF VICI-SOCKET [option=number]...\n");
		return 2;
	}
	for (int i = 3; i < argc; i++)
		option(&c, argv[i]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	d.socket = argv[2];
	d.v = vpn_new(&c, &ops, &d, now_ms());
	if (!d.v)
		return 1;
	loop(&d);
	vpn_free(d.v);
	return 0;
}
