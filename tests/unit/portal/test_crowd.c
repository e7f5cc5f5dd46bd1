/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who is shut when there are too many connections, on real sockets.
 */
#include "portal/crowd.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/counter.h"
#include "tests/unit/harness.h"

#define MOST 4

struct party {
	struct crowd *crowd;
	struct guest *guest[16];
	int here[16], there[16];
	unsigned n;
};

static void come(struct party *p, const char *address)
{
	int fd[2];

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	p->here[p->n] = fd[0];
	p->there[p->n] = fd[1];
	p->guest[p->n] = crowd_enter(p->crowd, fd[0], address);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p->guest[p->n]);
	p->n++;
}

static void go(struct party *p, unsigned i)
{
	crowd_leave(p->crowd, p->guest[i]);
	close(p->here[i]);
	close(p->there[i]);
	p->guest[i] = NULL;
}

/* As the client sees it: "+" open, "-" shut, " " gone, one for each. */
static const char *seen(const struct party *p)
{
	static char out[17];
	char c;

	for (unsigned i = 0; i < p->n; i++) {
		if (!p->guest[i])
			out[i] = ' ';
		else
			out[i] = recv(p->there[i], &c, 1, MSG_DONTWAIT) == 0 ? '-' : '+';
	}
	out[p->n] = '\0';
	return out;
}

static void begin(struct party *p)
{
	*p = (struct party){.crowd = crowd_new(MOST)};
	CU_ASSERT_PTR_NOT_NULL_FATAL(p->crowd);
}

static void end(struct party *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		if (p->guest[i])
			go(p, i);
	}
	crowd_free(p->crowd);
}

static void test_longest_first(void)
{
	uint64_t before = counter_get("web.crowded");
	struct party p;

	begin(&p);
	for (int i = 0; i < MOST; i++)
		come(&p, "192.0.2.1");
	CU_ASSERT_STRING_EQUAL(seen(&p), "++++");
	come(&p, "192.0.2.1");
	CU_ASSERT_STRING_EQUAL(seen(&p), "-++++");
	crowd_busy(p.crowd, p.guest[1], true);
	come(&p, "192.0.2.1");
	CU_ASSERT_STRING_EQUAL(seen(&p), "-+-+++");
	crowd_busy(p.crowd, p.guest[1], false); /* is the last one in the queue now */
	come(&p, "192.0.2.1");
	CU_ASSERT_STRING_EQUAL(seen(&p), "-+--+++");
	CU_ASSERT_EQUAL(counter_get("web.crowded") - before, 3);
	end(&p);
}

static void test_most_of_an_address_first(void)
{
	struct party p;

	begin(&p);
	come(&p, "192.0.2.7");
	come(&p, "2001:db8::1");
	come(&p, "2001:db8::2"); /* the same network */
	come(&p, "192.0.2.8");
	come(&p, "192.0.2.9");
	CU_ASSERT_STRING_EQUAL(seen(&p), "+-+++");
	come(&p, "192.0.2.10"); /* one each: the longest */
	CU_ASSERT_STRING_EQUAL(seen(&p), "--++++");
	end(&p);
}

static void test_room_is_given_back(void)
{
	struct party p;

	begin(&p);
	for (int i = 0; i < MOST; i++)
		come(&p, "192.0.2.1");
	go(&p, 2);
	come(&p, "192.0.2.1");
	CU_ASSERT_STRING_EQUAL(seen(&p), "++ ++");
	come(&p, "192.0.2.1");
	go(&p, 0); /* was shut: it counts once */
	come(&p, "192.0.2.1");
	CU_ASSERT_STRING_EQUAL(seen(&p), " - ++++");
	end(&p);
}

static void test_all_busy(void)
{
	struct party p;

	begin(&p);
	for (int i = 0; i < MOST + 2; i++) {
		come(&p, "192.0.2.1");
		crowd_busy(p.crowd, p.guest[i], true);
	}
	CU_ASSERT_STRING_EQUAL(seen(&p), "++++++"); /* the server's own limit is the end of it */
	crowd_busy(p.crowd, p.guest[5], false);
	crowd_busy(p.crowd, p.guest[4], false);
	come(&p, "192.0.2.2");
	CU_ASSERT_STRING_EQUAL(seen(&p), "++++--+");
	crowd_busy(p.crowd, NULL, true);
	crowd_leave(p.crowd, NULL);
	end(&p);
}

HARNESS_MAIN("portal/crowd", HARNESS_CASE(test_longest_first), HARNESS_CASE(test_most_of_an_address_first),
	     HARNESS_CASE(test_room_is_given_back), HARNESS_CASE(test_all_busy))
