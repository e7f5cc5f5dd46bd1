/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For `make bench` only: the same store with its reads answered out of memory (bench = "no-reads"), or everything
 * (bench = "no-database"), so that what the database costs can be measured against the same program.  Each user is read
 * once; changes in the database are not seen afterwards, sessions are not seen at all.  Never switch it on in service.
 */
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "extensions/app_mipvpn_aaah/store_int.h"

struct learnt {
	char nai[DM_ID_MAX];
	struct pol_user user;
	struct pol_vpn *vpns;
	size_t n_vpns;
	UT_hash_handle hh;
};
struct bench {
	enum store_bench mode;
	struct learnt *users;
};

void store_bench(struct store *s, enum store_bench mode)
{
	if (mode == STORE_BENCH_NONE || s->bench)
		return;
	s->bench = calloc(1, sizeof(*s->bench));
	if (s->bench)
		s->bench->mode = mode;
}

static bool bench_lookup(struct store *s, const struct store_ask *ask)
{
	struct store_answer a = {.op = ask->op, .id = ask->id};
	struct learnt *l;

	HASH_FIND_STR(s->bench->users, ask->nai, l);
	if (!l)
		return false;
	a.rows.user = l->user;
	a.rows.n_vpns = l->n_vpns;
	a.rows.vpns = l->n_vpns ? malloc(l->n_vpns * sizeof(*l->vpns)) : NULL;
	if (l->n_vpns && !a.rows.vpns)
		return false;
	if (l->n_vpns)
		memcpy(a.rows.vpns, l->vpns, l->n_vpns * sizeof(*l->vpns));
	s->done(s->user, &a);
	pol_rows_wipe(&a.rows);
	return true;
}

bool bench_ask(struct store *s, const struct store_ask *ask)
{
	struct store_answer a = {.op = ask->op, .id = ask->id};

	if (ask->op == STORE_LOOKUP)
		return bench_lookup(s, ask);
	if (s->bench->mode != STORE_BENCH_NO_DATABASE || ask->op == STORE_ALLOCATE)
		return false;
	a.end.found = a.end.ended = a.ok = true;
	s->done(s->user, &a);
	return true;
}

void bench_learn(struct store *s, const char *nai, const struct store_answer *a)
{
	struct learnt *l;

	if (a->op != STORE_LOOKUP || a->status != STORE_OK || !a->rows.user.found)
		return;
	HASH_FIND_STR(s->bench->users, nai, l);
	if (l || !(l = calloc(1, sizeof(*l))))
		return;
	memcpy(l->nai, nai, strlen(nai));
	l->user = a->rows.user;
	l->vpns = a->rows.n_vpns ? malloc(a->rows.n_vpns * sizeof(*l->vpns)) : NULL;
	if (l->vpns) {
		memcpy(l->vpns, a->rows.vpns, a->rows.n_vpns * sizeof(*l->vpns));
		l->n_vpns = a->rows.n_vpns;
	}
	HASH_ADD_STR(s->bench->users, nai, l);
}

void bench_free(struct bench *b)
{
	struct learnt *l, *tmp;

	if (!b)
		return;
	HASH_ITER(hh, b->users, l, tmp)
	{
		HASH_DEL(b->users, l);
		if (l->vpns)
			crypto_wipe(l->vpns, l->n_vpns * sizeof(*l->vpns));
		free(l->vpns);
		crypto_wipe(l, sizeof(*l));
		free(l);
	}
	free(b);
}
