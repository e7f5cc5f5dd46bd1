# SPDX-License-Identifier: BSD-3-Clause
"""Moves that the mobile node did not make: forged and replayed requests at another foreign agent, forged and replayed
Binding Updates at one.  Nothing moves, no answer has a key in it, and each is counted (requirement D2, F5)."""
import os
import socket
import struct

from .. import agents, home, netns, pcapng, topology as t
from ..mobile import by_hand_at
from ..wait import wait_for
from .pcns import identity

ATTACKER = "mn2"


def run(scene, mn, move):
    """mn stands registered at fa and was at move.to before; the scenario's captures have both of its moves."""
    import binding
    a = Attack(scene, mn, move)
    a.requests()
    pcap = scene.settings.dir / f"wires-{scene.captures}.pcapng"
    a.replayed(_requests(pcap, mn.node))
    with binding.Forger(lambda: netns.entered(scene.settings.ns("aaaf"))) as forger:
        a.updates(binding, forger, _updates(pcap))
    t.plug(scene.settings, ATTACKER, "visited")
    scene.report.check("after all that the node's traffic goes on",
                       scene.ping(mn.node, move.cn[1], mn.address, wait=2).all())


def _udp(frame):
    """(source, destination, payload) of an Ethernet frame with UDP to or from port 434, None for others."""
    if len(frame) < 42 or frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_UDP:
        return None
    at = 14 + (frame[14] & 15) * 4
    ports = struct.unpack_from("!HHH", frame, at)
    if 434 not in ports[:2]:
        return None
    return socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34]), frame[at + 8:at + ports[2]]


def _messages(pcap, port, kind):
    found = [_udp(frame) for interface, _, frame in pcapng.packets(pcap) if interface == port]
    return [m for m in found if m and m[2][:1] == bytes([kind])]


def _requests(pcap, node):
    return _messages(pcap, f"{node}.eth0", 1)


def _updates(pcap):
    """Binding Updates from one foreign agent to another."""
    agents_ = {f.care_of: n for n, f in t.FAS.items()}
    return [m for n in t.FAS for m in _messages(pcap, f"{n}.core0", 18) if m[0] == t.FAS[n].care_of and m[1] in agents_]


class Attack:
    def __init__(self, scene, mn, move):
        self.scene, self.r, self.mn, self.to = scene, scene.report, mn, move.to
        self.nodes = ("fa", move.to, "ha") + (("pcn",) if move.gateway_node == "pcn" else ())
        t.plug(scene.settings, ATTACKER, t.FAS[move.to].wire)

    def _state(self):
        """Tunnels by name and number, who is where."""
        s = self.scene.settings
        who = {n: sorted((v["homeAddress"], v["careOfAddress"], v["state"])
                         for v in agents.rows(s, n, "visitors" if n in t.FAS else "bindings"))
               for n in self.nodes if n != "pcn"}
        return [identity(self.scene, n) for n in self.nodes], who

    def _counted(self, node):
        return {k: v for k, v in agents.counters(self.scene.settings, node).items() if isinstance(v, int)}

    def _node(self):
        s = self.scene.settings
        return by_hand_at(s, ATTACKER, self.mn.address, home.nai(self.mn.user), os.urandom(32), t.FAS[self.to].link)

    def _unmoved(self, what, before, node, counted):
        self.r.equal(f"{what}: nothing has moved", self._state(), before)
        now = self._counted(node)
        changed = sorted(k for k in now if now[k] != counted.get(k, 0) and k.startswith(("fa.", "ha.")))
        self.r.check(f"{what}: counted", bool(changed))

    def requests(self):
        """With a notification of the previous agent, as from the node, under keys that are not its own."""
        wrong = (0x1001, os.urandom(20), "sha1")
        previous = (t.FA, 5, 0x1002, os.urandom(20), "sha1")
        cases = (("a forged move without AAA", dict(mn_ha=wrong, previous=previous, key=None, key_requests=False)),
                 ("a forged move with a wrong MN-AAA", dict(mn_ha=wrong, previous=previous)),
                 ("a forged move without MN-HA", dict(previous=previous)))
        with self._node() as n:
            for what, changes in cases:
                before, counted = self._state(), self._counted(self.to)
                reply = n.register(seconds=8, **changes)
                self.r.check(f"{what}: not granted", reply is None or reply.code >= 64, reply and reply.code)
                self.r.check(f"{what}: no key in the answer", reply is None or not (reply.all(41) or reply.all(43)))
                self._unmoved(what, before, self.to, counted)
        netns.ip("addr", "flush", "dev", "eth0", ns=self.scene.settings.ns(ATTACKER))

    def replayed(self, requests):
        """The node's own last request, heard on the air, at the other agent."""
        if not self.r.check("the capture has the node's own request", bool(requests)):
            return
        before, counted = self._state(), self._counted(self.to)
        with self._node() as n:
            reply = n.exchange(requests[-1][2], seconds=3)
        self.r.check("its replay elsewhere: not granted", reply is None or reply.code >= 64, reply and reply.code)
        self._unmoved("its replay elsewhere", before, self.to, counted)
        netns.ip("addr", "flush", "dev", "eth0", ns=self.scene.settings.ns(ATTACKER))

    def updates(self, binding, forger, real):
        """To the agent where the node is now: forged ones; to the one where it was: what it has had before."""
        forged = binding.Move(self.mn.address, t.FAS[self.to].care_of, os.urandom(32), os.urandom(32)).build()
        self._update("a forged Binding Update", forger, t.FAS[self.to].care_of, t.FA, forged)
        if self.r.check("the capture has a Binding Update between the agents", bool(real)):
            src, dst, raw = real[-1]
            self._update("a replayed Binding Update", forger, src, dst, raw)

    def _update(self, what, forger, src, dst, raw):
        node = next(n for n, f in t.FAS.items() if f.care_of == dst)
        before, counted = self._state(), self._counted(node)
        forger.send(src, dst, raw)
        self.r.attempt(f"{what}: reaches {node}", wait_for, "a counter", lambda: self._counted(node) != counted, 5)
        self._unmoved(what, before, node, counted)
