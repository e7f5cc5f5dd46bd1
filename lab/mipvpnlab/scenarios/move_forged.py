# SPDX-License-Identifier: BSD-3-Clause
"""Moves that the mobile node did not make: forged and replayed requests at another foreign agent, forged and replayed
Binding Updates at one.  Nothing moves, no answer has a key in it, and each has its counter (requirement D2, F5)."""
import os
import socket
import struct

from .. import agents, decode, home, netns, pcapng, topology as t
from ..mobile import by_hand, by_hand_at
from ..wait import wait_for
from .pcns import identity

ATTACKER = "mn2"
HALF_RIGHT = ("u4", "mn4")      # a user whose node is made by hand
# Of an earlier move: another key, a later registration or update, or seconds old.
BACK_AGAIN = ("fa.bu.not_authentic", "fa.bu.old_move", "fa.bu.replay", "fa.bu.stale")
STALE = ("fa.rrq.stale_challenge", "fa.rrq.unknown_challenge")


def run(scene, mn, move):
    """mn stands registered at fa and was at move.to before; the scenario's captures have both of its moves."""
    import binding
    a = Attack(scene, mn, move)
    a.requests()
    there, back = (scene.settings.dir / f"wires-{n}.pcapng" for n in (1, 2))
    a.replayed("its own last request there", _requests(there, mn.node), STALE)
    a.replayed("its request at the other agent", _requests(back, mn.node), ("fa.rrq.care_of",))
    with binding.Forger(lambda: netns.entered(scene.settings.ns("aaaf"))) as forger:
        a.updates(binding, forger, _updates(there), _updates(back))
    t.plug(scene.settings, ATTACKER, "visited")
    a.half_right()
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
        self.within = move.within
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

    def _unmoved(self, what, before, node, counted, names):
        """Who is where has not changed; a tunnel that was begun early goes. One of the counters names the reason."""
        self.r.equal(f"{what}: nothing has moved", self._state()[1], before[1])
        self.r.attempt(f"{what}: no tunnel has come or gone", wait_for, "the tunnels of before",
                       lambda: self._state() == before, 6 * self.scene.settings.slow)
        now = self._counted(node)
        changed = sorted(k for k in now if now[k] != counted.get(k, 0))
        self.r.check(f"{what}: counted as {' or '.join(names)}", set(names) & set(changed),
                     f"counted at {node}: {changed}")

    def requests(self):
        """With a notification of the previous agent, as from the node, under keys that are not its own."""
        wrong = (0x1001, os.urandom(20), "sha1")
        previous = (t.FA, 5, 0x1002, os.urandom(20), "sha1")
        cases = (("a forged move without AAA", dict(mn_ha=wrong, previous=previous, key=None, key_requests=False),
                  "fa.rrq.bare_challenge"),
                 ("a forged move with a wrong MN-AAA", dict(mn_ha=wrong, previous=previous), "fa.rrq.aaa_auth"),
                 ("a forged move without MN-HA", dict(previous=previous), "fa.rrq.aaa_auth"))
        with self._node() as n:
            for what, changes, name in cases:
                before, counted = self._state(), self._counted(self.to)
                reply = n.register(seconds=2, **changes)
                self.r.check(f"{what}: not granted", reply is None or reply.code >= 64, reply and reply.code)
                self.r.check(f"{what}: no key in the answer", reply is None or not (reply.all(41) or reply.all(43)))
                self._unmoved(what, before, self.to, counted, (name,))
        netns.ip("addr", "flush", "dev", "eth0", ns=self.scene.settings.ns(ATTACKER))

    def replayed(self, what, requests, names):
        """A request of the node's own, heard on the air, at the agent where it is not."""
        if not self.r.check(f"{what}: the capture has it", bool(requests)):
            return
        before, counted = self._state(), self._counted(self.to)
        with self._node() as n:
            reply = n.exchange(requests[-1][2], seconds=2)
        self.r.check(f"{what}, replayed: not granted", reply is None or reply.code >= 64, reply and reply.code)
        self._unmoved(f"{what}, replayed", before, self.to, counted, names)
        netns.ip("addr", "flush", "dev", "eth0", ns=self.scene.settings.ns(ATTACKER))

    def updates(self, binding, forger, there, back):
        """To the agent where the node is: forged ones, and what it had when the node left; to the other, too."""
        forged = binding.Move(self.mn.address, t.FAS[self.to].care_of, os.urandom(32), os.urandom(32)).build()
        self._update("a forged Binding Update", forger, t.FAS[self.to].care_of, t.FA, forged, ("fa.bu.not_authentic",))
        for what, real, names in (("to the agent where the node is", there, BACK_AGAIN),
                                  ("to the one that it has left", back, ("fa.bu.no_visitor",))):
            if self.r.check(f"the capture has a Binding Update {what}", bool(real)):
                self._update(f"a replayed Binding Update {what}", forger, *real[-1], names)

    def _update(self, what, forger, src, dst, raw, names):
        node = next(n for n, f in t.FAS.items() if f.care_of == dst)
        before, counted = self._state(), self._counted(node)
        forger.send(src, dst, raw)
        self.r.attempt(f"{what}: reaches {node}", wait_for, "a counter", lambda: self._counted(node) != counted, 5)
        self._unmoved(what, before, node, counted, names)

    def half_right(self):
        """Of a node that is registered at fa: right MN-AAA but wrong MN-HA; then all right but the notification."""
        import craft
        s, (user, node) = self.scene.settings, HALF_RIGHT
        t.plug(s, node, t.FAS["fa"].wire)
        with by_hand(s, user, node) as n:
            reply = n.register()
            if not self.r.check(f"{user}, by hand, registers at fa", reply and reply.code == 0, reply and reply.code):
                return
            mn_ha, mn_fa = craft.check_keys(reply, n.key, n.nai)
            t.plug(s, node, t.FAS[self.to].wire)
            netns.ip("route", "replace", "default", "via", t.FAS[self.to].link, "dev", "eth0", "onlink", ns=s.ns(node))
            n.move(t.FAS[self.to].link)
            self._wrong_mn_ha(n, mn_ha, mn_fa)
            self._wrong_notification(n, mn_ha, mn_fa)
            bye = n.register(lifetime=0, mn_ha=mn_ha, key_requests=False)
            self.r.check(f"{user} deregisters", bye and bye.code == 0, bye and (bye.code, bye.text()))
        netns.ip("addr", "flush", "dev", "eth0", ns=s.ns(node))

    def _wrong_mn_ha(self, n, mn_ha, mn_fa):
        what = "right MN-AAA, wrong MN-HA"
        before, counted = self._state(), self._counted("ha")
        reply = n.register(previous_fa=t.FA, mn_fa=mn_fa, mn_ha=(mn_ha[0], os.urandom(20), mn_ha[2]))
        self.r.check(f"{what}: refused by the home agent", reply and reply.code == 131, reply and reply.code)
        # To whom MN-AAA is right, the AAAH's nonce for a key with a foreign agent says nothing new.
        self.r.check(f"{what}: no MN-HA key in the answer", reply and not reply.all(43))
        self._unmoved(what, before, "ha", counted, (f"ha.{'rrq' if self.within else 'har'}.mn_ha_wrong",))

    def _wrong_notification(self, n, mn_ha, mn_fa):
        """Whoever has MN-AAA and MN-HA is the node; but the visited network's word alone is not enough."""
        what = "wrong key under the notification alone"
        self.scene.start_capture()
        n.heard = 0.0       # the challenge of the refusal is too old on a busy machine
        reply = n.register(previous_fa=t.FA, mn_fa=(mn_fa[0], os.urandom(20), mn_fa[2]), mn_ha=mn_ha)
        pcap = pcapng.signalling(self.scene.stop_capture())
        self.r.check(f"{what}: granted", reply and reply.code == 0, reply and (reply.code, reply.text()))
        aaaf = {"aaaf": t.AAAF, "aaaf2": t.AAAF2}[t.FAS[self.to].aaaf]
        self.r.at_least(f"{what}: after the home network was asked", decode.count(
            pcap, f"diameter && diameter.cmd.code in {{260, 262}} && {decode.between(aaaf, t.AAAH)}"), 2)
