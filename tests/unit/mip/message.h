/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Messages with given extensions, for the tests of this room.  The addresses are those of vectors.h.
 */
#ifndef MIPVPN_TESTS_MIP_MESSAGE_H
#define MIPVPN_TESTS_MIP_MESSAGE_H

#include <arpa/inet.h>
#include <string.h>

#include "agent/mip/mip.h"

#define TEST_HOA ((struct in_addr){htonl(0x0a01000a)})
#define TEST_HA ((struct in_addr){htonl(0xc6336415)})
#define TEST_COA ((struct in_addr){htonl(0xc633640b)})
#define TEST_IDENT 0xec00000012345678u

static inline void put_rrq(struct wbuf *w, uint8_t flags)
{
	mip_rrq_put(w, flags, 600, TEST_HOA, TEST_HA, TEST_COA, TEST_IDENT);
}

static inline void put_rrp(struct wbuf *w, uint8_t code, uint16_t lifetime)
{
	mip_rrp_put(w, code, lifetime, TEST_HOA, TEST_HA, TEST_IDENT);
}

/* The decoded message borrows a static buffer: one at a time. */
static inline struct wbuf *message_new(void)
{
	static uint8_t mem[MIP_MSG_MAX];
	static struct wbuf w;

	wbuf_init(&w, mem, sizeof(mem));
	return &w;
}

#endif
