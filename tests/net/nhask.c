/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Talks to a real mipvpn-nethelper over the agent's own client library, for tests/net/run.
 *
 *	nhask HELPER [helper's --link IF --home IF ...]
 *
 * Reads lines "verb key=value ..." from standard input, sends each, and prints "verb ok [value]" or "verb
 * ERRNO words". Lines between "begin" and "commit" are sent together.  "hold" keeps the descriptors of
 * open-* (default: closed). "echo": a datagram from the transparent socket goes back to its sender, as from
 * the host that it was for; prints both. "packets MS": how many packets NFLOG tells of until none has come
 * for MS. Ends, and so ends the helper, at end of file; then prints "helper exit STATUS".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nethelper/check.h"
#include "nethelper/client.h"

static bool hold;
static int held = -1; /* the last one that was opened */

static void done(void *user, const struct nh_reply *r, int fd)
{
	const char *verb = user;

	if (r->error == 0)
		printf("%s ok %u\n", verb, r->value);
	else
		printf("%s %s %s\n", verb, strerrorname_np(r->error), r->text);
	if (fd >= 0 && hold)
		held = fd;
	else if (fd >= 0)
		close(fd);
}

static void set(struct nh_request *r, const char *key, const char *value)
{
	unsigned m[6];

	if (strcmp(key, "addr") == 0)
		inet_aton(value, &r->addr);
	else if (strcmp(key, "local") == 0)
		inet_aton(value, &r->local);
	else if (strcmp(key, "peer") == 0)
		inet_aton(value, &r->peer);
	else if (strcmp(key, "if") == 0)
		r->ifindex = if_nametoindex(value);
	else if (strcmp(key, "ifname") == 0)
		snprintf(r->ifname, sizeof(r->ifname), "%s", value);
	else if (strcmp(key, "src") == 0)
		vpn_prefix_parse(value, &r->src);
	else if (strcmp(key, "dst") == 0)
		vpn_prefix_parse(value, &r->dst);
	else if (strcmp(key, "up") == 0)
		r->tos_up = (uint8_t)atoi(value);
	else if (strcmp(key, "down") == 0)
		r->tos_down = (uint8_t)atoi(value);
	else if (strcmp(key, "side") == 0)
		r->side = (uint8_t)(strcmp(value, "src") == 0	 ? NH_SIDE_SRC
				    : strcmp(value, "dst") == 0	 ? NH_SIDE_DST
				    : strcmp(value, "both") == 0 ? NH_SIDE_BOTH
								 : 99);
	else if (strcmp(key, "mac") == 0 &&
		 sscanf(value, "%x:%x:%x:%x:%x:%x", m, m + 1, m + 2, m + 3, m + 4, m + 5) == 6)
		for (int i = 0; i < 6; i++)
			r->mac[i] = (uint8_t)m[i];
	else
		fprintf(stderr, "nhask: what is %s=%s?\n", key, value);
}

/* The host that a datagram of the transparent socket was for. */
static struct in_addr packet_for(struct msghdr *m)
{
	struct in_pktinfo info = {0};

	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h))
		if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO)
			memcpy(&info, CMSG_DATA(h), sizeof(info));
	return info.ipi_addr;
}

static ssize_t send_from(struct msghdr *m, struct in_addr src)
{
	struct in_pktinfo info = {.ipi_spec_dst = src};
	struct cmsghdr *h;

	m->msg_controllen = CMSG_SPACE(sizeof(info));
	h = CMSG_FIRSTHDR(m);
	*h = (struct cmsghdr){
		.cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(info))};
	memcpy(CMSG_DATA(h), &info, sizeof(info));
	return sendmsg(held, m, 0);
}

static void echo(void)
{
	struct pollfd p = {.fd = held, .events = POLLIN};
	char data[64], control[256], src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN];
	struct sockaddr_in from;
	struct iovec iov = {data, sizeof(data)};
	struct msghdr m = {.msg_name = &from,
			   .msg_namelen = sizeof(from),
			   .msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct in_addr was_for;
	ssize_t n;

	n = poll(&p, 1, 3000) == 1 ? recvmsg(held, &m, 0) : -1;
	if (n < 0) {
		puts("echo nothing");
		return;
	}
	iov.iov_len = (size_t)n;
	was_for = packet_for(&m);
	inet_ntop(AF_INET, &from.sin_addr, src, sizeof(src));
	inet_ntop(AF_INET, &was_for, dst, sizeof(dst));
	printf("echo %s %s %s\n", src, dst, send_from(&m, was_for) < 0 ? strerror(errno) : "sent");
}

static void packets(int quiet_ms)
{
	struct pollfd p = {.fd = held, .events = POLLIN};
	char buf[4096];
	int n = 0;

	while (poll(&p, 1, quiet_ms) == 1 && recv(held, buf, sizeof(buf), 0) > 0)
		n++;
	printf("packets %d\n", n);
}

static void drain(struct nh_client *c)
{
	while (nh_client_waiting(c) > 0) {
		struct pollfd p = {.fd = nh_client_fd(c), .events = POLLIN};

		if (nh_client_io(c) != 0)
			return;
		if (nh_client_waiting(c) > 0 && poll(&p, 1, 10000) <= 0) {
			printf("TIMEOUT\n");
			exit(1);
		}
	}
	fflush(stdout);
}

static void ask(struct nh_client *c, char *line)
{
	struct nh_request r = {0};
	char *save, *word = strtok_r(line, " \n", &save), *eq;

	while (++r.verb < NH_VERB_MAX && strcmp(nh_verb_str(r.verb), word) != 0)
		;
	while ((word = strtok_r(NULL, " \n", &save)) != NULL) {
		eq = strchr(word, '=');
		if (eq == NULL)
			continue;
		*eq = '\0';
		set(&r, word, eq + 1);
	}
	if (nh_client_send(c, &r, done, (void *)(uintptr_t)nh_verb_str(r.verb)) != 0)
		printf("SEND %s\n", strerror(errno));
}

int main(int argc, char **argv)
{
	const char *links[8], *homes[8], *vici = NULL;
	struct nh_client_args a = {
		.program = argv[1], .links = links, .homes = homes, .log_level = "warning"};
	char err[128], line[512];
	struct nh_client *c;
	bool batch = false;
	int fd, status;
	pid_t pid;

	for (int i = 2; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--link") == 0)
			links[a.n_links++] = argv[i + 1];
		else if (strcmp(argv[i], "--home") == 0)
			homes[a.n_homes++] = argv[i + 1];
		else if (strcmp(argv[i], "--vici") == 0)
			vici = argv[i + 1];
	}
	a.vici_path = vici;
	fd = nh_client_spawn(&a, &pid, err, sizeof(err));
	if (fd < 0) {
		fprintf(stderr, "nhask: %s\n", err);
		return 1;
	}
	c = nh_client_new(fd);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (strcmp(line, "begin\n") == 0)
			batch = true;
		else if (strcmp(line, "commit\n") == 0)
			batch = false;
		else if (strcmp(line, "hold\n") == 0)
			hold = true;
		else if (strcmp(line, "echo\n") == 0)
			echo();
		else if (strncmp(line, "packets ", 8) == 0)
			packets(atoi(line + 8));
		else if (line[0] != '\n' && line[0] != '#')
			ask(c, line);
		if (!batch)
			drain(c);
	}
	nh_client_free(c);
	waitpid(pid, &status, 0);
	printf("helper exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
