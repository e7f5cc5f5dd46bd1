/* SPDX-License-Identifier: BSD-3-Clause
 *
 * VICI: the first byte chooses. Even: the rest is one message, which is walked, searched, and read as an
 * answer and as a row of list-sas; what the walk accepts (lists aside) can be written again to the same
 * bytes. Odd: the rest is what a peer sends on a connection with commands and a subscription in flight; it
 * may kill the connection, and every command is answered exactly once.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/vpn/internal.h"
#include "tests/fuzz/check.h"

#define COMMANDS 3

static bool rewrite(const struct vici_walk *w, void *user)
{
	struct vici_msg *m = user;

	switch (w->element) {
	case VICI_SECTION_START:
		vici_msg_section(m, w->path[w->depth - 1]);
		break;
	case VICI_SECTION_END:
		vici_msg_section_end(m);
		break;
	case VICI_KEY_VALUE:
		vici_msg_kv_bytes(m, w->key, w->value, w->value_len);
		break;
	default:
		break; /* lists are written whole; without them the bytes differ, see below */
	}
	return true;
}

static bool count_lists(const struct vici_walk *w, void *user)
{
	*(unsigned *)user += w->element == VICI_LIST_START;
	return true;
}

static void message(const uint8_t *data, size_t size)
{
	struct vici_msg *m = vici_msg_new();
	const uint8_t *again;
	const char *why;
	unsigned lists = 0;
	char out[64];
	struct sa_row row;
	size_t len;

	vici_find(data, size, "a.b", out, sizeof(out));
	FUZZ_CHECK(vpn_reply_ok(data, size, out, sizeof(out)) || strlen(out) < sizeof(out));
	FUZZ_CHECK(!vpn_row_parse(data, size, &row) || (row.name[0] && strlen(row.name) < sizeof(row.name)));
	if (vici_walk(data, size, count_lists, &lists, &why) == 0 && !lists) {
		FUZZ_CHECK(!why);
		FUZZ_CHECK(vici_walk(data, size, rewrite, m, &why) == 0);
		FUZZ_CHECK(vici_msg_bytes(m, &again, &len));
		FUZZ_CHECK(len == size && (!size || !memcmp(again, data, size)));
	}
	vici_msg_free(m);
}

struct heard {
	unsigned replies, closed;
};

static void on_reply(void *user, uint64_t id, bool ok, const uint8_t *data, size_t len, const char *why)
{
	struct heard *h = user;
	const char *bad;

	FUZZ_CHECK(id >= 1 && id <= COMMANDS);
	FUZZ_CHECK(ok == !why);
	FUZZ_CHECK(!ok || vici_walk(data, len, NULL, NULL, &bad) == 0);
	h->replies++;
}

static void on_event(void *user, const char *name, const uint8_t *data, size_t len)
{
	const char *bad;

	(void)user;
	FUZZ_CHECK(strlen(name) < 256);
	FUZZ_CHECK(vici_walk(data, len, NULL, NULL, &bad) == 0);
}

static void on_closed(void *user, const char *why)
{
	struct heard *h = user;

	FUZZ_CHECK(why);
	h->closed++;
}

static void connection(const uint8_t *data, size_t size)
{
	static const struct vici_conn_ops ops = {on_reply, on_event, on_closed};
	struct heard h = {0, 0};
	struct vici_conn *c;
	uint8_t sink[512];
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) < 0)
		return;
	c = vici_conn_new(fd[0], &ops, &h);
	vici_conn_command(c, "get-conns", NULL, NULL, 1000, 0);
	vici_conn_command(c, "list-sas", NULL, "list-sa", 1000, 0);
	vici_conn_subscribe(c, "log", 0);
	vici_conn_command(c, "version", NULL, NULL, 1000, 0);
	vici_conn_io(c, false, true, 0);
	FUZZ_CHECK(size == 0 || write(fd[1], data, size) == (ssize_t)size);
	for (int i = 0; i < 4 && !h.closed; i++) {
		vici_conn_io(c, true, vici_conn_wants_write(c), 0);
		while (read(fd[1], sink, sizeof(sink)) > 0)
			;
	}
	close(fd[1]);
	for (int i = 0; i < 70 && !h.closed; i++)
		vici_conn_io(c, true, vici_conn_wants_write(c), 0);
	FUZZ_CHECK(h.closed == 1 && h.replies == COMMANDS);
	vici_conn_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] & 1)
		connection(data + 1, size - 1);
	else
		message(data + 1, size - 1);
	return 0;
}
