/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The VICI connection against a peer that the test plays itself, at the other end of a socketpair.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/vici/vici.h"
#include "tests/unit/harness.h"

struct side {
	struct vici_conn *c;
	int peer;
	char heard[2048]; /* "R1+" reply ok, "R1-why", "Ename/len", "Cwhy" */
	int chain;	  /* commands still to be queued from within a reply */
};

static void hear(struct side *s, const char *text)
{
	strncat(s->heard, text, sizeof(s->heard) - strlen(s->heard) - 1);
	strncat(s->heard, ";", sizeof(s->heard) - strlen(s->heard) - 1);
}

static void on_reply(void *user, uint64_t id, bool ok, const uint8_t *data, size_t len, const char *why)
{
	struct side *s = user;
	char text[128];

	(void)data;
	(void)len;
	snprintf(text, sizeof(text), "R%llu%s%s", (unsigned long long)id, ok ? "+" : "-", ok ? "" : why);
	hear(s, text);
	if (s->chain > 0) {
		s->chain--;
		vici_conn_command(s->c, "again", NULL, NULL, 1000, 0);
	}
}

static void on_event(void *user, const char *name, const uint8_t *data, size_t len)
{
	char text[300];

	(void)data;
	snprintf(text, sizeof(text), "E%s/%zu", name, len);
	hear(user, text);
}

static void on_closed(void *user, const char *why)
{
	char text[128];

	snprintf(text, sizeof(text), "C%s", why);
	hear(user, text);
}

static const struct vici_conn_ops ops = {on_reply, on_event, on_closed};

static void side_open(struct side *s)
{
	int fd[2];

	memset(s, 0, sizeof(*s));
	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	s->peer = fd[1];
	s->c = vici_conn_new(fd[0], &ops, s);
}

static void side_close(struct side *s)
{
	vici_conn_free(s->c);
	if (s->peer >= 0)
		close(s->peer);
}

static void io(struct side *s, uint64_t now)
{
	vici_conn_io(s->c, true, vici_conn_wants_write(s->c), now);
}

/* The next packet that charon would see: "<type>name" of the first one waiting; "" when there is none. */
static const char *peer_takes(struct side *s)
{
	static char text[300];
	uint8_t head[4], body[4096];
	ssize_t n = read(s->peer, head, 4);
	size_t len;

	text[0] = '\0';
	if (n != 4)
		return text;
	len = (size_t)head[2] << 8 | head[3];
	CU_ASSERT_EQUAL_FATAL(read(s->peer, body, len), (ssize_t)len);
	snprintf(text, sizeof(text), "%u%.*s", body[0], body[1], (const char *)body + 2);
	return text;
}

static void peer_sends(struct side *s, const char *body, size_t len)
{
	uint8_t head[4] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len};

	CU_ASSERT_EQUAL(write(s->peer, head, 4), 4);
	CU_ASSERT_EQUAL(write(s->peer, body, len), (ssize_t)len);
}

static void test_one_in_flight(void)
{
	struct side s;

	side_open(&s);
	CU_ASSERT_EQUAL(vici_conn_command(s.c, "version", NULL, NULL, 1000, 0), 1);
	CU_ASSERT_EQUAL(vici_conn_command(s.c, "stats", NULL, NULL, 1000, 0), 2);
	CU_ASSERT_TRUE(vici_conn_wants_write(s.c));
	io(&s, 0);
	CU_ASSERT_FALSE(vici_conn_wants_write(s.c));
	CU_ASSERT_STRING_EQUAL(peer_takes(&s), "0version");
	CU_ASSERT_STRING_EQUAL(peer_takes(&s), "");
	peer_sends(&s, "\1", 1);
	io(&s, 0);
	CU_ASSERT_STRING_EQUAL(s.heard, "R1+;");
	CU_ASSERT_STRING_EQUAL(peer_takes(&s), "0stats");
	peer_sends(&s, "\2", 1);
	io(&s, 0);
	CU_ASSERT_STRING_EQUAL(s.heard, "R1+;R2-charon does not know this command;");
	CU_ASSERT_EQUAL(vici_conn_next(s.c), UINT64_MAX);
	side_close(&s);
}

static void test_stream(void)
{
	struct side s;

	side_open(&s);
	CU_ASSERT_EQUAL(vici_conn_subscribe(s.c, "log", 0), 0);
	CU_ASSERT_EQUAL(vici_conn_command(s.c, "list-sas", NULL, "list-sa", 1000, 0), 1);
	io(&s, 0);
	CU_ASSERT_STRING_EQUAL(peer_takes(&s), "3log");
	peer_sends(&s, "\6", 1); /* unknown to this charon: goes on without */
	io(&s, 0);
	CU_ASSERT_STRING_EQUAL(peer_takes(&s), "3list-sa");
	peer_sends(&s, "\5", 1);
	io(&s, 0);
	CU_ASSERT_STRING_EQUAL(peer_takes(&s), "0list-sas");
	peer_sends(&s, "\7\7list-sa\3\1k\0\1v", 15);
	peer_sends(&s, "\7\7list-sa", 9);
	peer_sends(&s, "\1", 1);
	io(&s, 0);
	CU_ASSERT_STRING_EQUAL(peer_takes(&s), "4list-sa");
	peer_sends(&s, "\5", 1);
	io(&s, 0);
	CU_ASSERT_STRING_EQUAL(s.heard, "Elist-sa/6;Elist-sa/0;R1+;");
	side_close(&s);
}

static void test_commands_from_a_reply(void)
{
	struct side s;

	side_open(&s);
	s.chain = 2;
	vici_conn_command(s.c, "first", NULL, NULL, 1000, 0);
	io(&s, 0);
	for (int i = 0; i < 3; i++) {
		CU_ASSERT_STRING_EQUAL(peer_takes(&s), i ? "0again" : "0first");
		peer_sends(&s, "\1", 1);
		io(&s, 0);
	}
	CU_ASSERT_STRING_EQUAL(s.heard, "R1+;R2+;R3+;");
	side_close(&s);
}

/* Byte by byte: a stream knows no borders. */
static void test_dribble(void)
{
	static const uint8_t bytes[] = {0, 0, 0, 1, 1, 0, 0, 0, 4, 7, 2, 'e', 'v'};
	struct side s;

	side_open(&s);
	vici_conn_command(s.c, "version", NULL, NULL, 1000, 0);
	io(&s, 0);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		CU_ASSERT_EQUAL(write(s.peer, bytes + i, 1), 1);
		io(&s, 0);
	}
	CU_ASSERT_STRING_EQUAL(s.heard, "R1+;Eev/0;");
	side_close(&s);
}

static void test_garbage(void)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		const char *heard;
	} rows[] = {
		{"empty packet", "\0\0\0\0", 4, "Can empty packet;"},
		{"huge", "\0\10\0\1", 4, "Ca message over 512 KiB;"},
		{"huger", "\377\377\377\377", 4, "Ca message over 512 KiB;"},
		{"type", "\0\0\0\1\11", 5, "Cunknown packet type;"},
		{"a request", "\0\0\0\1\0", 5, "Cunknown packet type;"},
		{"event without name", "\0\0\0\1\7", 5, "Ctruncated event name;"},
		{"event name too long", "\0\0\0\3\7\5a", 7, "Ctruncated event name;"},
		{"event malformed", "\0\0\0\4\7\1a\2", 8, "Csection end without a section;"},
		{"answer malformed", "\0\0\0\2\1\2", 6, "Csection end without a section;"},
		{"confirmation", "\0\0\0\1\5", 5, "Ca confirmation of no subscription;"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct side s;

		side_open(&s);
		vici_conn_command(s.c, "version", NULL, NULL, 1000, 0);
		io(&s, 0);
		CU_ASSERT_EQUAL(write(s.peer, rows[i].bytes, rows[i].len), (ssize_t)rows[i].len);
		io(&s, 0);
		HARNESS_AT(!strncmp(s.heard, "R1-", 3), "%s: %s", rows[i].name, s.heard);
		HARNESS_AT(strstr(s.heard, rows[i].heard), "%s: %s", rows[i].name, s.heard);
		CU_ASSERT_EQUAL(vici_conn_fd(s.c), -1);
		CU_ASSERT_EQUAL(vici_conn_command(s.c, "more", NULL, NULL, 1000, 0), 0);
		io(&s, 0);
		side_close(&s);
	}
}

static void test_answer_to_nothing(void)
{
	struct side s;

	side_open(&s);
	peer_sends(&s, "\1", 1);
	io(&s, 0);
	CU_ASSERT_STRING_EQUAL(s.heard, "Can answer to no command;");
	side_close(&s);
	/* An answer of the wrong kind to the request in flight. */
	side_open(&s);
	vici_conn_subscribe(s.c, "log", 0);
	io(&s, 0);
	peer_sends(&s, "\1", 1);
	io(&s, 0);
	CU_ASSERT_STRING_EQUAL(s.heard, "Can answer to no command;");
	side_close(&s);
}

static void test_deadline(void)
{
	struct side s;

	side_open(&s);
	vici_conn_command(s.c, "slow", NULL, NULL, 300, 0);
	vici_conn_command(s.c, "behind", NULL, NULL, 300, 0);
	CU_ASSERT_EQUAL(vici_conn_next(s.c), UINT64_MAX);
	io(&s, 1000);
	CU_ASSERT_EQUAL(vici_conn_next(s.c), 1300);
	vici_conn_tick(s.c, 1299);
	CU_ASSERT_STRING_EQUAL(s.heard, "");
	vici_conn_tick(s.c, 1300);
	CU_ASSERT_STRING_EQUAL(s.heard, "R1-charon did not answer in time;R2-charon did not answer in time;"
					"Ccharon did not answer in time;");
	CU_ASSERT_EQUAL(vici_conn_next(s.c), UINT64_MAX);
	side_close(&s);
}

static void test_peer_goes(void)
{
	struct side s;

	side_open(&s);
	vici_conn_command(s.c, "version", NULL, NULL, 300, 0);
	io(&s, 0);
	close(s.peer);
	s.peer = -1;
	io(&s, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(s.heard, "R1-"));
	CU_ASSERT_PTR_NOT_NULL(strstr(s.heard, ";C"));
	side_close(&s);
}

/* The queue has a bound, and a message that is spoilt is never sent. */
static void test_bounds(void)
{
	struct vici_msg *m = vici_msg_new();
	struct side s;
	int n = 0;

	side_open(&s);
	vici_msg_section(m, "open");
	CU_ASSERT_EQUAL(vici_conn_command(s.c, "bad", m, NULL, 300, 0), 0);
	CU_ASSERT_FALSE(vici_conn_wants_write(s.c));
	while (n < 100000 && vici_conn_command(s.c, "q", NULL, NULL, 300, 0))
		n++;
	CU_ASSERT_TRUE(n > 1000 && n < 100000);
	side_close(&s);
}

/* A message larger than the socket's buffer goes out in parts. */
static void test_large_write(void)
{
	static uint8_t value[60000], sink[65536];
	struct vici_msg *m = vici_msg_new();
	struct side s;
	int small = 4096;
	size_t got = 0;
	ssize_t n;

	side_open(&s);
	setsockopt(vici_conn_fd(s.c), SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	for (int i = 0; i < 8; i++)
		vici_msg_kv_bytes(m, "k", value, sizeof(value));
	CU_ASSERT_EQUAL(vici_conn_command(s.c, "large", m, NULL, 300, 0), 1);
	for (int i = 0; i < 10000 && vici_conn_wants_write(s.c); i++) {
		vici_conn_io(s.c, false, true, 0);
		while ((n = read(s.peer, sink, sizeof(sink))) > 0)
			got += (size_t)n;
	}
	CU_ASSERT_EQUAL(got, 4 + 2 + 5 + 8 * (1 + 2 + 2 + sizeof(value)));
	CU_ASSERT_STRING_EQUAL(s.heard, "");
	side_close(&s);
}

HARNESS_MAIN("vici/conn", HARNESS_CASE(test_one_in_flight), HARNESS_CASE(test_stream),
	     HARNESS_CASE(test_commands_from_a_reply), HARNESS_CASE(test_dribble), HARNESS_CASE(test_garbage),
	     HARNESS_CASE(test_answer_to_nothing), HARNESS_CASE(test_deadline), HARNESS_CASE(test_peer_goes),
	     HARNESS_CASE(test_bounds), HARNESS_CASE(test_large_write))
