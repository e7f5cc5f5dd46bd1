/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rules into charon's table that go behind the transaction of their batch.  While a user moves, a path may
 * lose the part that tunnels what comes down: as long as the packet filter wants to see such a packet on its
 * way into a tunnel, the rule has to lead it there.
 */
#include "nethelper/net_impl.h"

#include <string.h>

static bool same_rule(const struct rt_rule *a, const struct rt_rule *b)
{
	return a->pref == b->pref && a->table == b->table && vpn_prefix_equal(&a->src, &b->src) &&
	       vpn_prefix_equal(&a->dst, &b->dst);
}

static void rule_del(struct net *n, const struct rt_rule *rule)
{
	net_rt_fail(n, rt_rule_set(n->rt, false, rule), "removing the rule of the profile");
}

void late_rule_del(struct net *n, const struct rt_rule *rule)
{
	if (n->n_late == NET_LATE_MAX)
		rule_del(n, rule);
	else
		n->late[n->n_late++] = *rule;
}

bool late_rule_keep(struct net *n, const struct rt_rule *rule)
{
	for (size_t i = 0; i < n->n_late; i++) {
		if (!same_rule(&n->late[i], rule))
			continue;
		n->late[i] = n->late[--n->n_late];
		return true;
	}
	return false;
}

void late_rules_release(struct net *n)
{
	while (n->n_late > 0)
		rule_del(n, &n->late[--n->n_late]);
}
