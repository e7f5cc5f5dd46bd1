# SPDX-License-Identifier: BSD-3-Clause
"""A mobile node that moves, the three ways it can (overlap, hard cut, fading), and what the scenarios ask about it."""
import contextlib
import json
import socket
import time

from .. import agents, netns, topology as t
from ..settings import LabError
from ..traffic import Cut
from ..wait import wait_for

NFT_DEAF = """\
table netdev lab_fade {{
    chain fade {{
        type filter hook ingress device "{port}" priority 0;
        icmp type router-advertisement drop
    }}
}}
"""

NFT_UNANSWERED = """\
table ip lab_unanswered {{
    chain input {{
        type filter hook input priority 0;
        ip saddr {peer} udp sport {{ 500, 4500 }} drop
        ip saddr {peer} ip protocol {{ esp, ah }} drop
    }}
}}
"""


class Roamer:
    """mipvpn-mn on a node, and where it is. traffic: told of cut, request and registered."""

    def __init__(self, scene, user, node="mn1", at="fa", **kw):
        self.scene, self.user, self.node, self.at = scene, user, node, at
        self.address = t.home_address(user)
        if t.FAS[at].wire != "visited":
            t.plug(scene.settings, node, t.FAS[at].wire)
        self.mn = scene.mobile(user, node, **kw)
        self.traffic = None
        self.took_ms = None

    def registered(self, seconds=20, *also):
        """Waits for the reply; the agent that granted it is where we are now. also: other events that say so."""
        event = self.mn.wait_event("registered", *also, seconds=seconds)
        self.took_ms = event["took_us"] / 1000 if "took_us" in event else None
        at = [n for n, f in t.FAS.items() if f.care_of == event["care_of_address"]]
        if not at:
            raise LabError(f"registered at nobody's care-of address: {event}")
        self.at = at[0]
        return event

    def _mark(self, name):
        return self.traffic.mark(name) if self.traffic else time.time()

    def arrive(self, to, seconds=20):
        """Waits for the reply by this agent, and returns when that was."""
        while self.registered(seconds)["care_of_address"] != t.FAS[to].care_of:
            pass
        return self._mark("registered")

    def overlap(self, to, seconds=20):
        """Both agents are heard, the link layer gives its hint; the links stay joined: see settle()."""
        s = self.scene.settings
        t.join(s, t.FAS[self.at].wire, t.FAS[to].wire)
        hear(s, self.node, t.FAS[to].link)
        self._mark("request")
        self.mn.hint()
        self.arrive(to, seconds)

    def settle(self, left):
        """Out of reach of the link that was left."""
        t.slide(self.scene.settings, self.node, t.FAS[self.at].wire)
        t.part(self.scene.settings, t.FAS[left].wire, t.FAS[self.at].wire)

    def cut(self, to, seconds=20):
        """The cable goes and comes somewhere else; returns the Cut when the new agent's reply is there."""
        cut = self.leave(to)
        self.arrive(to, seconds)
        return cut

    def leave(self, to):
        """The first half of cut()."""
        s = self.scene.settings
        mac = link_mac(s, self.at)
        at = self._mark("cut")
        t.unplug(s, self.node)
        cut = Cut(at, time.time(), self.node, self.at, mac)
        t.plug(s, self.node, t.FAS[to].wire)
        return cut

    def fade(self, to, seconds=20):
        """Nothing is heard of the old agent any more, though it still serves; the new one is."""
        s, port = self.scene.settings, f"{self.at}.link0"
        netns.run(s.ns(t.NET), "nft", "-f", "-", input=NFT_DEAF.format(port=port), stdin=None)
        try:
            t.join(s, t.FAS[self.at].wire, t.FAS[to].wire)
            self._mark("request")
            self.arrive(to, seconds)
        finally:
            netns.run(s.ns(t.NET), "nft", "delete", "table", "netdev", "lab_fade", check=False)


@contextlib.contextmanager
def unanswered(settings, node, peer):
    """Nothing of IKE and ESP that this peer sends reaches the node meanwhile; anything else does."""
    ns = settings.ns(node)
    netns.run(ns, "nft", "-f", "-", input=NFT_UNANSWERED.format(peer=peer), stdin=None)
    try:
        yield
    finally:
        netns.run(ns, "nft", "delete", "table", "ip", "lab_unanswered")


def link_mac(settings, agent):
    """The MAC address of a foreign agent on its visited link."""
    found = json.loads(netns.ip("-j", "link", "show", "link0", ns=settings.ns(agent)))
    return bytes.fromhex(found[0]["address"].replace(":", ""))


def hear(settings, node, agent, seconds=5):
    """Waits until an advertisement of this agent reaches the node."""
    import craft
    with netns.entered(settings.ns(node)):
        s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    end = time.monotonic() + seconds * settings.slow
    with s:
        while time.monotonic() < end:
            s.settimeout(max(end - time.monotonic(), 0.001))
            try:
                adv = craft.parse_advertisement(s.recv(2048))
            except socket.timeout:
                break
            if adv and adv.source == agent:
                return adv
    raise LabError(f"{node} does not hear {agent}")


def towards(scene, node, peer_address):
    """Installed CHILD_SAs of a node with one peer."""
    return [c[3] for c in scene.children(node) if c[1]["remote-host"] == peer_address]


def for_user(scene, node, address):
    """Installed CHILD_SAs of a node that are for one home address: [(peer, child)]. Without those being deleted."""
    return [(c[1]["remote-host"], c[3]) for c in scene.children(node) if c[1]["state"] != "DELETING" and
            any(ts.startswith(f"{address}/32") for ts in c[3]["local-ts"] + c[3]["remote-ts"])]


def peers_of(scene, node, address):
    return sorted(peer for peer, _ in for_user(scene, node, address))


def wait_peers(scene, node, address, peers, seconds=20):
    """Waits until a node's tunnels for a home address are exactly those with these peers."""
    what = f"tunnels of {node} for {address} to be with {peers}, they are with {{}}"
    try:
        wait_for(what, lambda: peers_of(scene, node, address) == sorted(peers), seconds * scene.settings.slow)
    except LabError as e:
        raise LabError(str(e).format(peers_of(scene, node, address))) from None


def wait_reach(scene, *paths, seconds=5):
    """Waits until all pings of all paths are answered; paths: (node, target, source address)."""
    wait_for(f"answers on {paths}", lambda: all(scene.ping(*p).all() for p in paths), seconds * scene.settings.slow)


def counters(scene, node, prefix):
    """Non-zero counters of a node that begin so."""
    return {k: v for k, v in agents.counters(scene.settings, node).items() if k.startswith(prefix) and v}
