/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How many requests an address may make: a token bucket for each, in a table of fixed size.  Pure: the
 * time is an argument, the caller locks.  What a sign-in may is counted in the database (0010_portal.sql),
 * for all processes.
 */
#ifndef MIPVPN_PORTAL_LIMIT_H
#define MIPVPN_PORTAL_LIMIT_H

#include <stdint.h>

struct limit;
/* rate: requests per second, 1..1000; burst: how many at once, 1..10000.  NULL: no memory. */
struct limit *limit_new(uint32_t rate, uint32_t burst);
void limit_free(struct limit *l);
/* 0 = go on, else milliseconds until the next one is allowed.  address: numeric, IPv4 or IPv6 (counted by
 * /64).  An address that was not heard of for longest makes room for a new one. */
uint32_t limit_take(struct limit *l, const char *address, uint64_t now_ms);

#endif
