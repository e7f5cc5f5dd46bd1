/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A binary heap of timers that live inside the things they belong to: O(log n) to arm, O(1) to ask what is
 * next, so that 4,096 visitors cost the loop nothing.
 */
#include <stdlib.h>

#include "agent/roles/role_int.h"

bool role_heap_reserve(struct role_heap *h)
{
	if (h->reserved == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 16;
		struct role_timer **t = realloc(h->t, cap * sizeof(*t));

		if (!t)
			return false;
		h->t = t;
		h->cap = cap;
	}
	h->reserved++;
	return true;
}

static void put(struct role_heap *h, size_t i, struct role_timer *t)
{
	h->t[i] = t;
	t->at = i + 1;
}

static void sift_up(struct role_heap *h, size_t i)
{
	struct role_timer *t = h->t[i];

	while (i > 0 && h->t[(i - 1) / 2]->due > t->due) {
		put(h, i, h->t[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(h, i, t);
}

static void sift_down(struct role_heap *h, size_t i)
{
	struct role_timer *t = h->t[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= h->n)
			break;
		if (child + 1 < h->n && h->t[child + 1]->due < h->t[child]->due)
			child++;
		if (h->t[child]->due >= t->due)
			break;
		put(h, i, h->t[child]);
		i = child;
	}
	put(h, i, t);
}

void role_heap_set(struct role_heap *h, struct role_timer *t, role_ms due)
{
	t->due = due;
	if (!t->at)
		put(h, h->n++, t);
	sift_up(h, t->at - 1);
	sift_down(h, t->at - 1);
}

void role_heap_clear(struct role_heap *h, struct role_timer *t)
{
	size_t i = t->at;

	if (!i)
		return;
	t->at = 0;
	if (i-- == h->n--)
		return;
	put(h, i, h->t[h->n]);
	sift_up(h, i);
	sift_down(h, i);
}

void role_heap_release(struct role_heap *h, struct role_timer *t)
{
	role_heap_clear(h, t);
	h->reserved--;
}

struct role_timer *role_heap_first(const struct role_heap *h)
{
	return h->n ? h->t[0] : NULL;
}

void role_heap_free(struct role_heap *h)
{
	free(h->t);
	*h = (struct role_heap){0};
}
