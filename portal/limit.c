/* SPDX-License-Identifier: BSD-3-Clause */
#include "portal/limit.h"

#include <stdlib.h>
#include <string.h>

#include "portal/client.h"

#define SETS 1024u
#define WAYS 8u

struct bucket {
	uint8_t key[CLIENT_KEY];
	uint64_t at;	/* ms; 0 = never used */
	uint32_t milli; /* thousandths of requests that are left */
};
struct limit {
	uint32_t rate, burst;
	struct bucket b[SETS][WAYS];
};

struct limit *limit_new(uint32_t rate, uint32_t burst)
{
	struct limit *l = calloc(1, sizeof(*l));

	if (l) {
		l->rate = rate;
		l->burst = burst;
	}
	return l;
}

void limit_free(struct limit *l)
{
	free(l);
}

static unsigned set_of(const uint8_t key[CLIENT_KEY])
{
	uint32_t h = 2166136261u;

	for (unsigned i = 0; i < CLIENT_KEY; i++)
		h = (h ^ key[i]) * 16777619u;
	return (h ^ h >> 15) % SETS;
}

static struct bucket *find(struct limit *l, const uint8_t key[CLIENT_KEY])
{
	struct bucket *set = l->b[set_of(key)], *oldest = set;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].at && !memcmp(set[i].key, key, CLIENT_KEY))
			return &set[i];
		if (set[i].at < oldest->at)
			oldest = &set[i];
	}
	memcpy(oldest->key, key, CLIENT_KEY);
	oldest->at = 0;
	return oldest;
}

uint32_t limit_take(struct limit *l, const char *address, uint64_t now_ms)
{
	uint64_t full = (uint64_t)l->burst * 1000, have;
	struct bucket *b;
	uint8_t key[CLIENT_KEY];

	client_key(address, key);
	b = find(l, key);
	have = b->at && now_ms >= b->at ? b->milli + (now_ms - b->at) * l->rate : full;
	if (have > full)
		have = full;
	b->at = now_ms ? now_ms : 1;
	b->milli = (uint32_t)(have >= 1000 ? have - 1000 : have);
	return have >= 1000 ? 0 : (uint32_t)((1000 - have + l->rate - 1) / l->rate);
}
