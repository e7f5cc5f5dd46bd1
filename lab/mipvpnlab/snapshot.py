# SPDX-License-Identifier: BSD-3-Clause
"""What a registration could leave behind: charon's SAs, connections and secrets, rules, routes, neighbours, tunnels,
nftables, database rows, the agents' own lists.  Taken before and after, it must be the same."""
import difflib
import json
import re

from . import agents, charon, netns, postgres
from .wait import Deadline, wait_tick

AGENT_LISTS = ("visitors", "bindings", "vpns", "tunnels")
TABLES = ("mipvpn.sessions", "mipvpn.session_profiles")


def of_charon(settings, node):
    with charon.vici(settings, node) as v:
        return {"sas": sorted(f"{ike}/{name} {child['state']}" for ike, _, name, child in v.sas()) +
                sorted(f"ike {name} {ike['state']}" for name, ike in v.ikes()),
                "conns": v.conns(), "secrets": sorted(v.secrets())}


def of_kernel(settings, node):
    """Routing, neighbours, links and nftables of a gateway; counters, handles and ages left out."""
    ns = settings.ns(node)
    # The chain that sets a DSCP is made once and for all users of the class.
    rules = netns.run(ns, "nft", "-s", "list", "ruleset").stdout
    rules = re.sub(r"\n\tchain mark_\d+ \{.*?\n\t\}\n", "", rules, flags=re.S)
    routes = netns.ip("route", "show", "table", "all", ns=ns)
    return {
        "rules": netns.ip("rule", "show", ns=ns).splitlines(),
        "routes": sorted(line.strip() for line in routes.splitlines() if not line.startswith("broadcast")),
        "proxies": netns.ip("neigh", "show", "proxy", ns=ns).splitlines(),
        "pinned": sorted(netns.ip("neigh", "show", "nud", "permanent", ns=ns).splitlines()),
        "links": sorted(re.findall(r"^\d+: ([^:@]+)", netns.ip("link", "show", ns=ns), re.M)),
        "nft": [line for line in rules.splitlines() if line],
    }


def of_agent(settings, node):
    return {what: agents.rows(settings, node, what) for what in AGENT_LISTS}


def of_database(settings):
    return {t: postgres.psql(settings, f"SELECT count(*) FROM {t}") for t in TABLES}


def take(settings, nodes=("fa", "ha")):
    """The whole of it, as one dict of printable values. nodes: those with an agent."""
    out = {"gw": of_charon(settings, "gw"), "database": of_database(settings)}
    for node in nodes:
        out[node] = {**of_charon(settings, node), **of_kernel(settings, node), **of_agent(settings, node)}
    return out


def _lines(snap):
    return json.dumps(snap, indent=1, sort_keys=True, default=str).splitlines()


def difference(before, after):
    """What changed, as text; empty when nothing did."""
    diff = difflib.unified_diff(_lines(before), _lines(after), "before", "after", lineterm="", n=1)
    return "\n".join(diff)


def wait_same(settings, before, seconds, nodes=("fa", "ha")):
    """Waits until everything is as it was before; returns the difference that stays, empty when none does."""
    deadline = Deadline(seconds * settings.slow)
    while True:
        diff = difference(before, take(settings, nodes))
        if not diff or deadline.over():
            return diff
        wait_tick()
