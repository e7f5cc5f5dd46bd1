/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The agent's side against a helper that this test plays: order, descriptors, bounds, and a helper that goes
 * away.
 */
#include "nethelper/client.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/harness.h"

struct seen {
	unsigned n;
	uint32_t value[64];
	int error, fd;
	struct nh_client *again; /* ask once more from within the callback */
	int again_result;
};

static void done(void *user, const struct nh_reply *r, int fd)
{
	struct seen *s = user;
	struct nh_request more = {.verb = NH_HELLO};

	if (s->n < 64)
		s->value[s->n] = r->value;
	s->n++;
	s->error = r->error;
	s->fd = fd;
	if (s->again != NULL)
		s->again_result = nh_client_send(s->again, &more, NULL, NULL);
}

static struct nh_client *pair(int *helper)
{
	struct nh_client *c;
	int sv[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv), 0);
	c = nh_client_new(sv[0]);
	CU_ASSERT_PTR_NOT_NULL_FATAL(c);
	*helper = sv[1];
	return c;
}

static bool take(int helper, struct nh_request *r)
{
	return recv(helper, r, sizeof(*r), 0) == sizeof(*r);
}

static void reply(int helper, uint32_t id, uint32_t value, int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct nh_reply r = {.id = id, .value = value};
	struct iovec iov = {.iov_base = &r, .iov_len = sizeof(r)};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *h;

	if (fd >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	}
	CU_ASSERT_EQUAL(sendmsg(helper, &m, 0), (ssize_t)sizeof(r));
}

static void test_order(void)
{
	struct seen s = {0};
	struct nh_request r = {.verb = NH_HELLO};
	struct nh_client *c;
	uint32_t ids[3];
	int helper;

	c = pair(&helper);
	for (int i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(nh_client_send(c, &r, done, &s), 0);
	CU_ASSERT_EQUAL(nh_client_waiting(c), 3);
	CU_ASSERT_TRUE(nh_client_want_write(c));
	CU_ASSERT_EQUAL(nh_client_io(c), 0);
	CU_ASSERT_FALSE(nh_client_want_write(c));
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_TRUE_FATAL(take(helper, &r));
		ids[i] = r.id;
	}
	CU_ASSERT_TRUE(ids[0] != ids[1] && ids[1] != ids[2]);
	for (uint32_t i = 0; i < 3; i++)
		reply(helper, ids[i], 100 + i, -1);
	CU_ASSERT_EQUAL(nh_client_io(c), 0);
	CU_ASSERT_EQUAL(s.n, 3);
	CU_ASSERT_EQUAL(s.value[0], 100);
	CU_ASSERT_EQUAL(s.value[2], 102);
	CU_ASSERT_EQUAL(s.fd, -1);
	CU_ASSERT_EQUAL(nh_client_waiting(c), 0);
	nh_client_free(c);
	close(helper);
}

static void test_descriptor(void)
{
	struct seen s = {0};
	struct nh_request r = {.verb = NH_OPEN_UDP};
	struct stat a, b;
	struct nh_client *c;
	int helper, fd = open("/dev/null", O_RDONLY);

	c = pair(&helper);
	CU_ASSERT_EQUAL(nh_client_send(c, &r, done, &s), 0);
	CU_ASSERT_EQUAL(nh_client_io(c), 0);
	CU_ASSERT_TRUE_FATAL(take(helper, &r));
	reply(helper, r.id, 0, fd);
	CU_ASSERT_EQUAL(nh_client_io(c), 0);
	CU_ASSERT_TRUE_FATAL(s.fd >= 0 && s.fd != fd);
	CU_ASSERT_TRUE(fstat(fd, &a) == 0 && fstat(s.fd, &b) == 0 && a.st_rdev == b.st_rdev);
	CU_ASSERT_TRUE((fcntl(s.fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(s.fd);
	close(fd);
	nh_client_free(c);
	close(helper);
}

/* A full queue says so and loses nothing; what did not fit the socket goes later. */
static void test_bounds(void)
{
	struct nh_request r = {.verb = NH_HELLO};
	struct nh_client *c;
	size_t n = 0, taken = 0;
	int helper;

	c = pair(&helper);
	while (nh_client_send(c, &r, NULL, NULL) == 0)
		n++;
	CU_ASSERT_EQUAL(errno, ENOBUFS);
	CU_ASSERT_EQUAL(n, NH_CLIENT_QUEUE_MAX);
	while (taken < n) {
		CU_ASSERT_EQUAL_FATAL(nh_client_io(c), 0);
		while (take(helper, &r))
			CU_ASSERT_EQUAL_FATAL(r.id, ++taken);
	}
	CU_ASSERT_FALSE(nh_client_want_write(c));
	nh_client_free(c);
	close(helper);
}

static void test_lost(void)
{
	struct seen s = {0};
	struct nh_request r = {.verb = NH_HELLO};
	struct nh_client *c;
	int helper;

	c = pair(&helper);
	s.again = c;
	CU_ASSERT_EQUAL(nh_client_send(c, &r, done, &s), 0);
	CU_ASSERT_EQUAL(nh_client_send(c, &r, done, &s), 0);
	CU_ASSERT_EQUAL(nh_client_io(c), 0);
	close(helper);
	CU_ASSERT_EQUAL(nh_client_io(c), -1);
	CU_ASSERT_EQUAL(s.n, 2);
	CU_ASSERT_EQUAL(s.error, EPIPE);
	CU_ASSERT_EQUAL(s.again_result, -1);
	CU_ASSERT_EQUAL(nh_client_fd(c), -1);
	CU_ASSERT_EQUAL(nh_client_send(c, &r, done, &s), -1);
	CU_ASSERT_EQUAL(nh_client_io(c), -1);
	nh_client_free(c);
}

/* An answer that nobody asked for, with the wrong id, or cut: the helper is not to be trusted any more. */
static void test_nonsense(void)
{
	for (int kind = 0; kind < 3; kind++) {
		struct seen s = {0};
		struct nh_request r = {.verb = NH_HELLO};
		struct nh_client *c;
		int helper;

		c = pair(&helper);
		if (kind > 0) {
			CU_ASSERT_EQUAL(nh_client_send(c, &r, done, &s), 0);
			CU_ASSERT_EQUAL(nh_client_io(c), 0);
		}
		if (kind < 2)
			reply(helper, 77, 0, -1);
		else
			CU_ASSERT_EQUAL(send(helper, &r, 10, 0), 10);
		HARNESS_AT(nh_client_io(c) == -1, "kind %d", kind);
		CU_ASSERT_EQUAL(s.n, kind > 0);
		nh_client_free(c);
		close(helper);
	}
}

static void test_call(void)
{
	struct nh_request r = {.verb = NH_HELLO}, got;
	struct nh_reply out;
	struct nh_client *c;
	int helper;

	c = pair(&helper);
	CU_ASSERT_EQUAL(nh_client_call(c, &r, &out, NULL, 20), -1);
	CU_ASSERT_EQUAL(errno, ETIMEDOUT);
	CU_ASSERT_TRUE_FATAL(take(helper, &got));
	reply(helper, got.id, 1, -1); /* too late: must be taken without harm, and not for the next one's */
	reply(helper, got.id + 1, 2, -1);
	CU_ASSERT_EQUAL(nh_client_send(c, &r, NULL, NULL), 0);
	CU_ASSERT_EQUAL(nh_client_io(c), 0);
	CU_ASSERT_EQUAL(nh_client_waiting(c), 0);
	if (fork() == 0) {
		fcntl(helper, F_SETFL, 0);
		if (take(helper, &got) && take(helper, &got))
			reply(helper, got.id, 42, -1);
		_exit(0);
	}
	close(helper);
	CU_ASSERT_EQUAL(nh_client_call(c, &r, &out, NULL, 10000), 0);
	CU_ASSERT_EQUAL(out.value, 42);
	wait(NULL);
	CU_ASSERT_EQUAL(nh_client_call(c, &r, &out, NULL, 10000) != 0, true);
	nh_client_free(c);
}

static void test_spawn_errors(void)
{
	struct nh_client_args a = {.program = "/nonexistent/mipvpn-nethelper"};
	char err[128] = "";
	pid_t pid;

	CU_ASSERT_EQUAL(nh_client_spawn(&a, &pid, err, sizeof(err)), -1);
	HARNESS_AT(strstr(err, "/nonexistent/mipvpn-nethelper: No such file") != NULL, "%s", err);
	a.n_links = 1000;
	CU_ASSERT_EQUAL(nh_client_spawn(&a, &pid, err, sizeof(err)), -1);
	HARNESS_AT(strstr(err, "too many interfaces") != NULL, "%s", err);
}

HARNESS_MAIN("nethelper/client", HARNESS_CASE(test_order), HARNESS_CASE(test_descriptor),
	     HARNESS_CASE(test_bounds), HARNESS_CASE(test_lost), HARNESS_CASE(test_nonsense),
	     HARNESS_CASE(test_call), HARNESS_CASE(test_spawn_errors))
