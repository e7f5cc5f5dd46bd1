/* SPDX-License-Identifier: BSD-3-Clause
 *
 * See journal.h.
 */
#include <stdio.h>
#include <stdlib.h>

#include "agent/run/journal.h"

struct journal {
	size_t max, first, len;
	struct journal_entry entry[];
};

struct journal *journal_new(size_t max)
{
	struct journal *j = calloc(1, sizeof(*j) + max * sizeof(j->entry[0]));

	if (j)
		j->max = max;
	return j;
}

void journal_free(struct journal *j)
{
	free(j);
}

void journal_add(struct journal *j, uint64_t wall_ms, enum log_level level, const char *text)
{
	struct journal_entry *e = &j->entry[(j->first + j->len) % j->max];

	if (j->len < j->max)
		j->len++;
	else
		j->first = (j->first + 1) % j->max;
	e->wall_ms = wall_ms;
	e->level = level;
	snprintf(e->text, sizeof(e->text), "%s", text);
}

size_t journal_len(const struct journal *j)
{
	return j->len;
}

const struct journal_entry *journal_at(const struct journal *j, size_t i)
{
	return i < j->len ? &j->entry[(j->first + i) % j->max] : NULL;
}
