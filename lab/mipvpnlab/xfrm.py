# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's IPsec (XFRM) as ip(8) shows it, against what the agents' caches say.  Only for --data-path kernel."""
import re
from collections import Counter

from . import agents, decode, netns, topology as t
from .wait import Deadline, wait_tick

# Errors of /proc/net/xfrm_stat that a sound configuration never has, not even while users move.
NEVER = ("XfrmInTmplMismatch", "XfrmInStateSeqError", "XfrmInStateProtoError", "XfrmInStateModeError", "XfrmOutBundleGenError",
         "XfrmFwdHdrError")


def _blocks(settings, node, what):
    """The entries of `ip xfrm state` or `policy`; those of charon's own sockets are left out."""
    text = netns.ip("xfrm", what, ns=settings.ns(node))
    return [b for b in re.split(r"^(?=src )", text, flags=re.M) if b and "\n\tsocket " not in b]


def states(settings, node):
    """Counter of (source, destination, protocol)."""
    found = Counter()
    for b in _blocks(settings, node, "state"):
        m = re.match(r"src (\S+) dst (\S+)\s+proto (\S+)", b)
        found[m.groups()] += 1
    return found


def policies(settings, node):
    """Set of (direction, selectors' source and destination, outer source and destination, protocol)."""
    found = set()
    for b in _blocks(settings, node, "policy"):
        sel = re.match(r"src (\S+) dst (\S+)", b).groups()
        way = re.search(r"\bdir (\w+)", b).group(1)
        tmpl = re.search(r"tmpl src (\S+) dst (\S+)\s+proto (\S+)", b)
        found.add((way, *sel, *(tmpl.groups() if tmpl else ())))
    return found


def outer_addresses(settings, node):
    return re.findall(r"inet ([\d.]+)/", netns.ip("addr", "show", "core0", ns=settings.ns(node)))


def _selectors(p):
    """(source side, destination side) of a profile's tunnel."""
    if p["dst_gw_type"] in ("static", "handoff"):
        return p.get("sla_src") or p["src"], p.get("sla_dst") or p["dst"]
    return p["src"], p["dst"]


def _tunnel(p, self):
    """(protocol, own selector, the other's, own address, the other's) of one profile at the gateway with this address."""
    here, there = _selectors(p)
    mine, other = p["src_gw"], p["dst_gw"]
    if mine not in self:
        here, there, mine, other = there, here, other, mine
    return p["security"], here, there, mine, other


def wanted(settings, node):
    """(states, policies) that the cache of a node's agent asks for."""
    self, tunnels = outer_addresses(settings, node), {}
    for session in agents.rows(settings, node, "vpns"):
        for p in session["profiles"]:
            if "tunnel" in p:
                tunnels[p["tunnel"]] = _tunnel(p, self)
    return _as_kernel(tunnels.values())


def wanted_of_enterprise(settings):
    """The same of the enterprise's gateway: the home agent's tunnel to it, seen from the other end."""
    found = {}
    for session in agents.rows(settings, "ha", "vpns"):
        for p in session["profiles"]:
            if p["dst_gw_type"] == "static":
                found[p["tunnel"]] = _tunnel(p, (t.GW,))
    return _as_kernel(found.values())


def _as_kernel(tunnels):
    want_states, want_policies = Counter(), set()
    for proto, here, there, mine, other in tunnels:
        want_states.update([(mine, other, proto), (other, mine, proto)])
        want_policies.add(("out", here, there, mine, other, proto))
        want_policies.update((way, there, here, other, mine, proto) for way in ("in", "fwd"))
    return want_states, want_policies


def differences(scene):
    """{node: [difference]} between the kernels and the caches, the enterprise's gateway included."""
    s, out = scene.settings, {}
    for node in ("gw", *scene.agent_nodes):
        want_states, want_policies = wanted_of_enterprise(s) if node == "gw" else wanted(s, node)
        got_states, got_policies = states(s, node), policies(s, node)
        lines = [f"policy {x} is there" for x in sorted(got_policies - want_policies)]
        lines += [f"policy {x} is missing" for x in sorted(want_policies - got_policies)]
        lines += [f"state {x}: {got_states[x]}, want {want_states[x]}" for x in sorted({*got_states, *want_states})
                  if got_states[x] != want_states[x]]
        if lines:
            out[node] = lines
    return out


def check(scene, what, seconds=10):
    """An assertion: every gateway's states and policies are those of its cache; with the other data path, nothing."""
    if not scene.settings.xfrm:
        return
    deadline = Deadline(seconds * scene.settings.slow)
    while (diff := differences(scene)) and not deadline.over():
        wait_tick()
    text = "".join(f"\n     {n}: {line}" for n, lines in diff.items() for line in lines[:20])
    scene.report.check(f"{what}: states and policies in the kernel are what the caches say", not diff, text)


def replay_windows(settings, node):
    """Set of the replay windows of the states that a node receives by."""
    self, found = outer_addresses(settings, node), set()
    for b in _blocks(settings, node, "state"):
        if re.match(r"src \S+ dst (\S+)", b).group(1) in self:
            found.update(map(int, re.findall(r"replay[-_]window (\d+)", b)))
    return found - {0}      # the other notation of a window above 32 leaves this one at 0


def check_outer_dscp(scene, pcap, classes):
    """An assertion per path: the outer header carries the class (E5). classes: {(from, to): DSCP}. With the other data path
    it is charon that sends, and without."""
    if not scene.settings.xfrm:
        return
    for (source, to), dscp in classes.items():
        seen = decode.fields(pcap, f"(esp || ah) && ip.src#1 == {source} && ip.dst#1 == {to}", "ip.dsfield.dscp")
        scene.report.equal(f"outer DSCP of ESP and AH from {source} to {to}", {x.split(",")[0] for (x,) in seen}, {str(dscp)})


REPLAY = "XfrmInStateSeqError"


def check_errors(scene, replays=False):
    """An assertion: nothing that the kernel counts as a wrong configuration has happened. replays: it has to have refused
    some."""
    if not scene.settings.xfrm:
        return
    bad = {}
    for node in ("gw", *scene.agent_nodes):
        text = netns.run(scene.settings.ns(node), "cat", "/proc/net/xfrm_stat").stdout
        for name, n in re.findall(r"^(\w+)\s+(\d+)$", text, re.M):
            if name in NEVER and int(n):
                bad[node, name] = int(n)
    refused = sum(bad.pop(k) for k in list(bad) if k[1] == REPLAY and replays)
    if replays:
        scene.report.at_least("the kernel has counted the packets that came again", refused, 1)
    scene.report.equal("the kernel has counted no mismatch of policies, no replay and no broken state", bad, {})


def left(settings, nodes):
    """{node: (states, policies)} of those nodes that have some."""
    found = {n: (dict(states(settings, n)), sorted(policies(settings, n))) for n in nodes}
    return {n: x for n, x in found.items() if any(x)}
