# SPDX-License-Identifier: BSD-3-Clause
"""F2, F3, F5, F6: a user moves and the VPN moves along. To an agent of the same domain (F2, F5) or of another one
(F3, F6); the correspondent is behind a static gateway (F2, F3) or behind a proxy correspondent node (F5, F6). First
with both links in reach, then back by a hard cut, with a thousand packets a second each way (doc/moves.md)."""
from .. import agents, decode, pcapng, sanitize, topology as t, xfrm
from ..scene import standing
from ..traffic import Traffic, describe, lost
from ..wait import wait_for
from . import move_forged
from .moving import Roamer, towards, unanswered, wait_peers

LIFETIME = 3        # s, of the forwarding by the previous foreign agent
USER = "u1"
SANITIZED = 50      # packets that programs with sanitizers may lose, being late
BINDING = "mipbinding && !mipbinding.malformed"


class Move:
    """One of the four."""

    def __init__(self, name, kind, to, title):
        self.name, self.kind, self.to, self.title = name, kind, to, title
        self.within = t.FAS[to].realm == t.FAS["fa"].realm
        self.cn = ("cn", t.CN) if kind == "static" else ("cn2", t.CN2)
        self.gateway = t.HA if kind == "static" else t.PCN
        self.gateway_node = "ha" if kind == "static" else "pcn"

    def run(self, settings, report):
        report.title(f"{self.name}: {self.title}")
        # Diameter in clear: what passes between the domains is looked at.
        scene = standing(settings, report, tls=False, pcns=("pcn",),
                         fas=("fa", self.to), users={USER: self.kind, "u2": "encap", "u3": "plain", "u4": self.kind},
                         mns=4, fa=f"handoff-lifetime = {LIFETIME}", delay=10)
        before = scene.snapshot()
        mn = Roamer(scene, USER)
        if report.attempt(f"{USER} registers at fa", mn.registered):
            if self._overlap(scene, mn):
                self._hard_cut(scene, mn)
                self._fading(scene, mn)
                if self.within:
                    self._slow_switch(scene, mn)
                    self._missed(scene, mn)
            self._others(scene)
            self._gone_with_the_lifetime(scene)
            move_forged.run(scene, mn, self)
        report.check("the mobile node ends by itself, deregistering", mn.mn.stop())
        scene.check_nothing_left("after deregistration", before, 20)
        scene.finish()

    def _none(self, scene, what, missing):
        """No packet is missing. Programs with sanitizers hold packets several times as long, which then come in bursts that
        user-space ESP has no room for: a build with them may miss some (doc/lab.md)."""
        most = SANITIZED if sanitize.enabled(scene.settings.builddir) else 0
        scene.report.check(what, len(missing) <= most, f"{len(missing)} are, at most {most}: {missing[:20]}")

    # -- with both links in reach

    def _traffic(self, scene, mn):
        mn.traffic = Traffic(scene.settings, mn.user, (mn.node, mn.address), self.cn)
        # Both directions have come through before anything moves.
        wait_for("packets in both directions", lambda: scene.ping(mn.node, self.cn[1], mn.address, count=2).received,
                 5 * scene.settings.slow)
        return mn.traffic

    def _overlap(self, scene, mn):
        r, old, new = scene.report, "fa", self.to
        scene.start_capture()
        traffic = self._traffic(scene, mn)
        ok = r.attempt("overlap: the node registers at the new agent", mn.overlap, new) is not None or mn.at == new
        if ok:
            r.attempt("overlap: one tunnel of the user is left at the gateway, to the new agent", wait_peers, scene,
                      self.gateway_node, mn.address, [t.FAS[new].care_of])
        result = traffic.stop()
        mn.traffic = None
        mn.settle(old) if ok else None
        pcap = scene.stop_capture()
        for way in ("up", "down"):
            r.say(f"     {way}: {describe(result[way])}")
            self._none(scene, f"overlap: no packet is lost {way}", lost(result[way]))
        if mn.took_ms is not None:
            r.say(f"     from request to reply: {mn.took_ms:.1f} ms")
        self._wires(scene, pcap, mn, "overlap")
        self._signalling(scene, pcap, old, new)
        return ok

    def _wires(self, scene, pcap, mn, what):
        """Returns the peers of each ESP packet on the core: [{from, to}]."""
        r = scene.report
        clear = {k[0] for k in pcapng.sightings(pcap) if k[0].endswith(".core0")}
        r.equal(f"{what}: no packet of the pair in clear between gateways", clear, set())
        pair = f"(ip.addr == {mn.address} && ip.addr == {self.cn[1]})"
        seen = decode.fields(pcap, f'frame.interface_name contains "core0" && (esp || ip.proto == 4 && {pair})',
                             "esp.spi", "ip.src", "ip.dst")
        r.equal(f"{what}: nor in IP-in-IP", [x for x in seen if not x[0]], [])
        esp = [set(x[1:]) for x in seen if x[0]]
        r.at_least(f"{what}: ESP between the new agent and the gateway",
                   esp.count({t.FAS[self.to].care_of, self.gateway}), 20)
        return esp

    def _signalling(self, scene, pcap, old, new):
        """What Diameter and Binding Updates there were, by one look at the capture."""
        names = ("ip.src", "ip.dst", "frame.interface_name", "diameter.cmd.code", "diameter.flags.request",
                 "mipbinding.type", "mipbinding.auth.subtype", "mipbinding.lifetime", "mipbinding.status",
                 "mipbinding.malformed")
        seen = decode.fields(pcapng.signalling(pcap), "diameter.cmd.code in {260, 262} || mipbinding", *names)
        seen = [dict(zip(names, x)) for x in seen]
        self._diameter(scene.report, [x for x in seen if x["diameter.cmd.code"]], new)
        self._bindings(scene.report, [x for x in seen if not x["diameter.cmd.code"]], old, new)

    def _diameter(self, r, seen, new):
        """D2: the visited network's server answers by itself; between domains the home network is asked."""
        fa = t.FAS[new]
        aaaf = {"aaaf": t.AAAF, "aaaf2": t.AAAF2}[fa.aaaf]
        between = [({x["ip.src"], x["ip.dst"]}, x) for x in seen]
        asked = [x for ends, x in between if ends == {fa.care_of, aaaf} and "1" in x["diameter.flags.request"]]
        r.at_least("the new agent asks its AAA server", len(asked), 1)
        home = sum(ends == {aaaf, t.AAAH} for ends, _ in between)
        if self.within:
            r.equal("which answers from its cache: nothing leaves the domain", home, 0)
        else:
            r.at_least("which asks the home network", home, 2)

    def _bindings(self, r, seen, old, new):
        a, b = t.FAS[old].care_of, t.FAS[new].care_of
        r.equal("no malformed binding message", [x for x in seen if x["mipbinding.malformed"]], [])
        sent = [x for x in seen if x["mipbinding.type"] == "18" and (x["ip.src"], x["ip.dst"]) == (b, a) and
                x["frame.interface_name"] == f"{new}.core0"]
        r.check("the new agent sends the previous one a Binding Update", sent and sent[0]["mipbinding.auth.subtype"] ==
                "201" and 0 < int(sent[0]["mipbinding.lifetime"]) <= LIFETIME, sent)
        acks = [x["mipbinding.status"] for x in seen
                if x["mipbinding.type"] == "19" and (x["ip.src"], x["ip.dst"]) == (a, b)]
        r.check("which is acknowledged", "0" in acks, acks)

    # -- back, by a hard cut

    def _hard_cut(self, scene, mn):
        r, old, new = scene.report, self.to, "fa"
        scene.start_capture()
        traffic = self._traffic(scene, mn)
        cut = r.attempt("hard cut: the node registers at the agent where it comes up", mn.cut, new)
        if cut:
            r.attempt("hard cut: one tunnel of the user is left at the gateway, to the new agent", wait_peers, scene,
                      self.gateway_node, mn.address, [t.FAS[new].care_of])
        result = traffic.stop()
        mn.traffic = None
        pcap = scene.stop_capture()
        for way in ("up", "down"):
            r.say(f"     {way}: {describe(result[way])}")
        if cut:
            beyond = cut.beyond(result, pcap)
            for way in ("up", "down"):
                self._none(scene, f"hard cut: nothing but what was on the cut link is lost {way}", beyond[way])
            if mn.took_ms is not None:
                r.say(f"     from request to reply: {mn.took_ms:.1f} ms")
            self._left_alone(scene, pcap, "hard cut", old, new)
        self._wires(scene, pcap, mn, "hard cut")
        xfrm.check(scene, "after a move there and back")

    @staticmethod
    def _left_alone(scene, pcap, what, old, new):
        """Once the previous agent has said that packets go to the new one, none of them goes onto its own link."""
        a, b = t.FAS[old].care_of, t.FAS[new].care_of
        said = decode.times(pcapng.signalling(pcap),
                            f"{BINDING} && mipbinding.type == 19 && mipbinding.status == 0 && ip.src == {a} && "
                            f'ip.dst == {b} && frame.interface_name == "{old}.core0"')
        late = [k[2] for k, sight in pcapng.sightings(pcap).items()
                if k[:2] == (f"{old}.link0", pcapng.DIRECTIONS["down"]) and said and sight.when > said[0]]
        scene.report.check(f"{what}: the previous agent has acknowledged, and sends nothing onto its link from then on",
                           said and not late, f"acknowledged {len(said)} times, late {late[:10]}")

    # -- a gateway that is slow to switch

    # -- the old agent fades

    def _fading(self, scene, mn):
        """Nothing is heard of the old agent any more, though its link still carries both ways. Ends where it began."""
        r = scene.report
        traffic = self._traffic(scene, mn)
        if r.attempt("fading: the node registers at the new agent", mn.fade, self.to) is not None or mn.at == self.to:
            r.attempt("fading: one tunnel of the user is left at the gateway, to the new agent", wait_peers, scene,
                      self.gateway_node, mn.address, [t.FAS[self.to].care_of])
        result = traffic.stop()
        mn.traffic = None
        for way in ("up", "down"):
            r.say(f"     {way}: {describe(result[way])}")
            self._none(scene, f"fading: no packet is lost {way}", lost(result[way]))
        if mn.at == self.to:
            mn.settle("fa")
            r.attempt("and comes back", mn.cut, "fa")

    def _slow_switch(self, scene, mn):
        """The gateway's tunnel to the new agent cannot come up, so that it goes on sending to the previous one, which
        has to forward it all; and then it can."""
        r, old, new = scene.report, "fa", self.to
        scene.start_capture()
        traffic = self._traffic(scene, mn)
        with unanswered(scene.settings, new, self.gateway):
            cut = mn.leave(new)
            forwarded = r.attempt("slow gateway: the previous agent forwards what comes meanwhile", self._forwarded,
                                  scene, old, new)
        ok = r.attempt("slow gateway: then the node is registered", mn.arrive, new)
        r.attempt("slow gateway: one tunnel of the user is left at the gateway, to the new agent", wait_peers, scene,
                  self.gateway_node, mn.address, [t.FAS[new].care_of])
        result = traffic.stop()
        mn.traffic = None
        pcap = scene.stop_capture()
        r.say(f"     down: {describe(result['down'])}; {forwarded} had been forwarded when the tunnel could come up")
        self._none(scene, "slow gateway: nothing but what was on the cut link is lost down",
                   cut.beyond(result, pcap)["down"])
        esp = self._wires(scene, pcap, mn, "slow gateway")
        r.at_least("slow gateway: the packets have gone from agent to agent as ESP",
                   esp.count({t.FAS[old].care_of, t.FAS[new].care_of}), scene.settings.rate // 20)
        if ok:
            r.attempt("and the node goes back", mn.cut, old)

    def _missed(self, scene, mn):
        """The agent that the user has left is not reached when its tunnel is taken down; he comes back there while it
        still thinks that it has one."""
        r, old, new = scene.report, "fa", self.to

        def one(peer, seconds=20):
            wait_peers(scene, self.gateway_node, mn.address, [t.FAS[peer].care_of], seconds)

        def taken_down():   # as its agent wants it: charon may still be waiting for an answer
            desired = {x["peer"]: x["observed"] for x in agents.rows(scene.settings, self.gateway_node, "tunnels")
                       if x["desired"]}
            return t.FAS[new].care_of not in desired and desired.get(t.FAS[old].care_of) == "up"
        r.attempt("missed DELETE: registers at the new agent", mn.cut, new)
        r.attempt("missed DELETE: one tunnel of the user, to the new agent", one, new)
        with unanswered(scene.settings, new, self.gateway):
            r.attempt("missed DELETE: goes back", mn.cut, old)
            r.attempt("missed DELETE: the gateway takes down the tunnel to the new agent", wait_for, "no such tunnel desired",
                      taken_down, 10 * scene.settings.slow)
            mn.leave(new)
            r.attempt("missed DELETE: and comes again, where nobody has heard of it", mn.arrive, new)
        r.attempt("missed DELETE: one tunnel of the user, to the new agent again, before dead peer detection", one, new, 8)
        got = scene.ping(mn.node, self.cn[1], mn.address, wait=2)
        r.check("missed DELETE: it carries", got.all(), got.text)
        r.attempt("missed DELETE: and the node goes back", mn.cut, old)

    def _forwarded(self, scene, old, new):
        """Packets in the tunnel from the previous agent to the new one, when there are some."""
        some = scene.settings.rate // 20    # 50 ms of traffic

        def packets():
            n = sum(int(c["packets-out"]) for c in towards(scene, old, t.FAS[new].care_of))
            return n if n >= some else 0
        return wait_for(f"{some} packets in the tunnel between the agents", packets, 3 * scene.settings.slow)

    def _gone_with_the_lifetime(self, scene):
        r = scene.report
        pairs = (("fa", self.to), (self.to, "fa"))
        r.attempt("after its lifetime the tunnel between the agents is gone", wait_for, "tunnels between agents to go",
                  lambda: not any(towards(scene, a, t.FAS[b].care_of) for a, b in pairs),
                  (LIFETIME + 6) * scene.settings.slow)
        r.attempt("and so is everybody who was handed off", wait_for, "visitors to go",
                  lambda: not any(v["state"] == "handed-off" for a, _ in pairs
                                  for v in agents.rows(scene.settings, a, "visitors")),
                  (LIFETIME + 2) * scene.settings.slow)

    # -- users of other kinds

    def _others(self, scene):
        """Encapsulation only; no VPN; a node that does not say where it comes from. All at once."""
        r = scene.report
        cases = (("u2", "mn2", ("cn2", t.CN2), "", "encapsulation only"),
                 ("u3", "mn3", ("hh", t.HOME_HOST), "", "no VPN"),
                 ("u4", "mn4", self.cn, "smooth-handoff = false\n", "no notification of the previous agent"))
        roamers = [(Roamer(scene, user, node, more=more), peer, what) for user, node, peer, more, what in cases]
        for m, _, what in roamers:
            r.attempt(f"{what}: registers", m.registered)
        for m, _, _ in roamers:
            t.plug(scene.settings, m.node, t.FAS[self.to].wire)
        for m, peer, what in roamers:
            if r.attempt(f"{what}: moves", m.registered):
                r.equal(f"{what}: is where it went", m.at, self.to)
                for way, ping in (("reaches its correspondent", (m.node, peer[1], m.address)),
                                  ("and is reached", (peer[0], m.address))):
                    got = scene.ping(*ping, wait=2)
                    r.check(f"{what}: {way}", got.all(), got.text)
        for m, _, what in roamers:
            r.check(f"{what}: deregisters", m.mn.stop())


F2 = Move("F2", "static", "fb", "a move within the visited domain, static gateway")
F3 = Move("F3", "static", "fc", "a move to another domain, static gateway")
F5 = Move("F5", "dynamic", "fb", "a move within the visited domain, dynamic gateway")
F6 = Move("F6", "dynamic", "fc", "a move to another domain, dynamic gateway")
