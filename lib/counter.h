/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Named counters: "every rejected input has a reason and is counted".  A process has one table; a counter is
 * made at its first use.  Thread-safe.  Names are lower case with dots: room.subject.reason
 * ("fa.rrq.stale_challenge").
 */
#ifndef MIPVPN_COUNTER_H
#define MIPVPN_COUNTER_H

#include <stdint.h>

void counter_add(const char *name, uint64_t n);
static inline void counter_inc(const char *name) { counter_add(name, 1); }
uint64_t counter_get(const char *name);
/* Calls fn for each counter, sorted by name, with the table locked (fn must not count). */
void counter_each(void (*fn)(const char *name, uint64_t value, void *user), void *user);

#endif
