/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The last events of the agent, for `mipvpnctl show events` and `explain`: a ring in memory.  Pure.
 */
#ifndef MIPVPN_RUN_JOURNAL_H
#define MIPVPN_RUN_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/log.h"

#define JOURNAL_TEXT_MAX 256 /* with the NUL; longer lines are cut */

struct journal_entry {
	uint64_t wall_ms;
	enum log_level level;
	char text[JOURNAL_TEXT_MAX];
};

struct journal;
struct journal *journal_new(size_t max); /* NULL without memory */
void journal_free(struct journal *j);
void journal_add(struct journal *j, uint64_t wall_ms, enum log_level level, const char *text);
size_t journal_len(const struct journal *j);
/* 0 = oldest; NULL = no such entry. */
const struct journal_entry *journal_at(const struct journal *j, size_t i);

#endif
