/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The reconcile function over every combination of desired and observed: taken alone it always comes to its
 * goal.
 */
#include "agent/vpn/reconcile.h"
#include "tests/unit/harness.h"

#define DESIRED_BITS 9
#define OBSERVED_BITS 7

static struct tunnel_desired desired_of(unsigned bits)
{
	struct tunnel_desired d = {
		.wanted = bits & 1,
		.initiator = bits & 2,
		.backoff = bits & 4,
		.may_initiate = bits & 8,
		.hold = bits & 16,
		.give_up = bits & 32,
		.tidy = bits & 64,
		.key_waits = bits & 128,
		.redo = bits & 256,
	};

	return d;
}

static struct tunnel_observed observed_of(unsigned bits)
{
	struct tunnel_observed o = {
		.known = true,
		.key = bits & 1,
		.conn = bits & 2,
		.dialing = bits & 4,
		.ike = bits & (8 | 16 | 64),
		.bare = bits & 64,
		.child = bits & 16,
		.terminating = bits & 32 && (bits & (4 | 8 | 16 | 64)),
	};

	return o;
}

/* What happens when charon does as told. */
static void apply(struct tunnel_desired *d, struct tunnel_observed *o, enum tunnel_step step)
{
	switch (step) {
	case STEP_REKEY:
		d->redo = false;
		break;
	case STEP_LOAD_KEY:
		o->key = true;
		break;
	case STEP_LOAD_CONN:
		o->conn = true;
		break;
	case STEP_INITIATE:
		o->ike = o->child = true;
		o->dialing = o->bare = false;
		break;
	case STEP_TERMINATE:
		o->ike = o->bare = o->child = o->dialing = o->terminating = false;
		break;
	case STEP_UNLOAD_CONN:
		o->conn = false;
		break;
	case STEP_UNLOAD_KEY:
		o->key = false;
		break;
	case STEP_NONE:
	case STEP_FORGET:
		break;
	}
}

/* Whether nothing is left to do is right. */
static bool at_rest(const struct tunnel_desired *d, const struct tunnel_observed *o, enum tunnel_step last)
{
	bool nothing = !o->conn && !o->key;

	if (o->terminating)
		return last == STEP_NONE;
	if (!d->wanted)
		return last == STEP_FORGET && nothing && !o->ike && !o->dialing;
	if (d->give_up)
		return nothing && !o->ike && !o->dialing;
	if (o->child && !d->hold)
		return nothing && !d->redo;
	if (d->backoff)
		return (!o->child || d->hold) && (!d->tidy || nothing);
	if (d->key_waits && !o->key)
		return true;
	return o->conn && o->key &&
	       ((!d->initiator && !o->bare) || o->child || o->dialing || !d->may_initiate);
}

static void test_converges(void)
{
	for (unsigned i = 0; i < 1u << (DESIRED_BITS + OBSERVED_BITS); i++) {
		struct tunnel_desired d = desired_of(i & ((1u << DESIRED_BITS) - 1));
		struct tunnel_observed o = observed_of(i >> DESIRED_BITS);
		enum tunnel_step step;
		int n = 0;

		do {
			step = vpn_reconcile(&d, &o);
			apply(&d, &o, step);
		} while (step != STEP_NONE && step != STEP_FORGET && ++n < 12);
		HARNESS_AT(n < 12, "combination %x runs in circles", i);
		HARNESS_AT(at_rest(&d, &o, step), "combination %x ends with step %d", i, step);
	}
}

/* Nothing without knowledge or while a command runs; never initiates half loaded, nor as a responder
 * except in an IKE_SA that has been seen without a CHILD_SA. */
static void test_never(void)
{
	for (unsigned i = 0; i < 1u << (DESIRED_BITS + OBSERVED_BITS); i++) {
		struct tunnel_desired d = desired_of(i & ((1u << DESIRED_BITS) - 1));
		struct tunnel_observed o = observed_of(i >> DESIRED_BITS);
		enum tunnel_step step = vpn_reconcile(&d, &o);

		if (step == STEP_INITIATE)
			HARNESS_AT(d.wanted && d.may_initiate && !d.backoff && o.conn && o.key && !o.child &&
					   !o.dialing && (d.initiator ? !o.ike : o.bare),
				   "combination %x", i);
		if (step == STEP_LOAD_KEY)
			HARNESS_AT(!d.key_waits, "two keys, combination %x", i);
		if (step == STEP_REKEY)
			HARNESS_AT(d.wanted && !d.give_up && o.child && d.redo, "combination %x", i);
		if (step == STEP_LOAD_CONN)
			HARNESS_AT(o.key, "connection before its key, combination %x", i);
		if (step == STEP_UNLOAD_KEY)
			HARNESS_AT(!o.conn, "key before its connection, combination %x", i);
		if (step == STEP_TERMINATE)
			HARNESS_AT(!d.wanted || d.give_up || !o.child, "a good tunnel, combination %x", i);
		o.busy = true;
		HARNESS_AT(vpn_reconcile(&d, &o) == STEP_NONE, "busy, combination %x", i);
		o.busy = o.known = false;
		HARNESS_AT(vpn_reconcile(&d, &o) == STEP_NONE, "unknown, combination %x", i);
	}
}

static void test_names(void)
{
	for (int s = TUNNEL_IDLE; s <= TUNNEL_GIVEN_UP; s++)
		CU_ASSERT_STRING_NOT_EQUAL(vpn_tunnel_state_name((enum tunnel_state)s), "?");
	CU_ASSERT_STRING_EQUAL(vpn_tunnel_state_name((enum tunnel_state)99), "?");
}

HARNESS_MAIN("vpn/reconcile", HARNESS_CASE(test_converges), HARNESS_CASE(test_never),
	     HARNESS_CASE(test_names))
