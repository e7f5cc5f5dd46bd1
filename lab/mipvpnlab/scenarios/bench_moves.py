# SPDX-License-Identifier: BSD-3-Clause
"""bench-moves: how long a move interrupts the traffic. The four moves, with overlapping links and by a hard cut, some
rounds each (MIPVPN_BENCH_ROUNDS); those within a domain also without early-ike; beside them what strongSwan by itself
makes of a host that moves: a new IKE_SA from the new address, and MOBIKE. Same delay, same traffic program. A table;
nothing is passed or failed by its time."""
import os
from dataclasses import dataclass, field
from statistics import median

from .. import charon, netns, procs, topology as t
from ..scene import Scene, standing
from ..settings import LabError
from ..traffic import Traffic, lost
from ..wait import wait_for
from .moving import Roamer, wait_peers

ROUNDS = int(os.environ.get("MIPVPN_BENCH_ROUNDS", "5"))
DELAY = 10
INNER = "10.77.0.1"     # of the host that moves with strongSwan alone
IDS = ("mn.bench", "gw.bench")
SECRET = "0x" + 32 * "b7"
OUTER = {"fa": "10.2.1.50", "fb": "10.2.2.50"}


@dataclass
class Row:
    name: str
    gap: dict = field(default_factory=lambda: {"up": [], "down": []})
    lost: dict = field(default_factory=lambda: {"up": [], "down": []})
    took: list = field(default_factory=list)

    def add(self, result, took_ms=None):
        for way in ("up", "down"):
            self.gap[way].append(result[way]["gap_ms"])
            self.lost[way].append(len(lost(result[way])))
        if took_ms is not None:
            self.took.append(took_ms)

    def line(self):
        cells = [f"{self.name:44}", f"{len(self.gap['up']):2}"]
        for way in ("up", "down"):
            cells.append(_two(self.gap[way]))
            cells.append(f"{median(self.lost[way]):4.0f} {max(self.lost[way]):4}" if self.lost[way] else "   -    -")
        return " | ".join([*cells, _two(self.took)])


def _two(values):
    return f"{median(values):6.1f} {max(values):6.1f}" if values else "     -      -"


HEAD = (f"{'median and worst of each':44} |  n | gap up, ms    | lost up   | gap down, ms  | lost down | request to "
        "reply, ms")


def run(settings, report):
    report.title("bench-moves: what a move interrupts")
    rows = []
    for early in (True, False):
        rows += _moves(settings, report, early)
        _fresh(settings)
    _baselines(settings, report, rows)
    report.say(f"     {DELAY if settings.delay is None else settings.delay:g} ms one way between any two gateways")
    for line in (HEAD, *(r.line() for r in rows)):
        report.say(f"     {line}")


def _fresh(settings):
    from ..cli import prepare
    prepare(settings)


# -- ours

def _moves(settings, report, early):
    rows = []
    scene = standing(settings, report, pcns=("pcn",), fas=("fa", "fb", "fc"), users={"u1": "static", "u2": "dynamic"},
                     fa=f"early-ike = {str(early).lower()}", delay=DELAY)
    for user, node, cn, gateway, names in (("u1", "mn1", ("cn", t.CN), "ha", ("F2", "F3")),
                                           ("u2", "mn2", ("cn2", t.CN2), "pcn", ("F5", "F6"))):
        mn = Roamer(scene, user, node)
        mn.registered()
        for name, to in zip(names, ("fb", "fc") if early else ("fb",)):
            overlap, cut = (Row(f"{name}, {how}{'' if early else ', early-ike = false'}") for how in
                            ("both links in reach", "hard cut"))
            rows += [overlap, cut]
            ok = report.attempt(f"{name}: {ROUNDS} rounds", _rounds, scene, mn, to, cn, gateway, overlap, cut)
            if ok is None:
                break
        mn.mn.stop()
    scene.finish()
    return rows


def _rounds(scene, mn, to, cn, gateway, overlap, cut):
    for _ in range(ROUNDS):
        overlap.add(_measured(scene, mn, cn, gateway, mn.overlap, to), mn.took_ms)
        mn.settle("fa")
        cut.add(_measured(scene, mn, cn, gateway, mn.cut, "fa"), mn.took_ms)
    return True


def _measured(scene, mn, cn, gateway, move, to):
    mn.traffic = Traffic(scene.settings, mn.user, (mn.node, mn.address), cn)
    try:
        # A gap begins with a packet that has come.
        wait_for("packets in both directions", lambda: scene.ping(mn.node, cn[1], mn.address, count=2).all(), 5)
        move(to)
        wait_peers(scene, gateway, mn.address, [t.FAS[to].care_of])
        scene.ping(mn.node, cn[1], mn.address, count=2)
    finally:
        result = mn.traffic.stop()
        mn.traffic = None
    return result


# -- strongSwan by itself

def _conn(local, remote, ids, ts, mobike):
    text = charon.conn("bench", local, remote, ids, ts)
    return text.replace("mobike = no", f"mobike = {'yes' if mobike else 'no'}\n        unique = replace")


class Host:
    """A host with strongSwan, at home nowhere, that reaches the enterprise by the enterprise's gateway. Two
    interfaces."""

    def __init__(self, settings, mobike):
        self.settings, self.mobike, self.at = settings, mobike, "fa"
        self.ns = settings.ns("mn1")
        scene = Scene(settings, delay=DELAY)
        scene.fas = ("fa", "fb")
        scene.add_moves()
        if scene.delay:
            scene.start_delay()
        netns.ip_batch(settings.ns(t.NET), [f"link add mn1.eth1 type veth peer name eth1 netns {self.ns}",
            "link set mn1.eth1 master visitedb up"])
        netns.ip_batch(self.ns, [f"addr add {INNER}/32 dev lo", "link set eth1 up"])
        self.address("eth0", "fa")
        self.daemons = [charon.launch(settings, n) for n in ("gw", "mn1")]
        for d in self.daemons:
            charon.wait_ready(settings, d)
        self.daemons.append(scene.daemons.get("delay"))
        secret = [("bench", IDS, SECRET)]
        charon.load_static(settings, "gw", charon.swanctl_conf(
            [_conn(t.GW, "%any", IDS[::-1], (t.ENT_NET, f"{INNER}/32"), mobike)], secret))
        charon.load_static(settings, "mn1", charon.swanctl_conf(
            [_conn("%any", t.GW, IDS, (f"{INNER}/32", t.ENT_NET), mobike)], secret))
        self.initiate()

    def address(self, interface, at, metric=10):
        netns.ip_batch(self.ns, [f"addr replace {OUTER[at]}/24 dev {interface}",
            f"route replace default via {t.FAS[at].link} dev {interface} metric {metric}"])

    def no_address(self, interface):
        netns.ip("addr", "flush", "dev", interface, ns=self.ns)

    def initiate(self):
        with charon.vici(self.settings, "mn1") as v:
            v.must("initiate", {"child": "bench", "timeout": 5000, "loglevel": -1})

    def stop(self):
        procs.stop_all(self.settings, [d for d in self.daemons if d], 5)

    def outer(self):
        """The address by which the gateway knows the host, when there is one tunnel."""
        with charon.vici(self.settings, "gw") as v:
            found = {ike["remote-host"] for _, ike, _, child in v.sas() if child["state"] == "INSTALLED"}
        return found.pop() if len(found) == 1 else None

    # the moves

    def from_scratch(self, to):
        """Another link, another address there, a new IKE_SA."""
        t.plug(self.settings, "mn1", t.FAS[to].wire)
        self.no_address("eth0")
        self.address("eth0", to)
        with charon.vici(self.settings, "mn1") as v:
            v.call("terminate", {"ike": "bench", "force": "yes", "timeout": -1, "loglevel": -1})
        self.initiate()

    def address_change(self, to):
        """Another link and address; the rest is charon's own doing."""
        t.plug(self.settings, "mn1", t.FAS[to].wire)
        self.no_address("eth0")
        self.address("eth0", to)

    def second_interface(self, to):
        """The other interface is up, with address and route, before the one in use goes."""
        old, new = ("eth0", "eth1") if to == "fb" else ("eth1", "eth0")
        self.address(new, to, 20)
        self.no_address(old)


def _baselines(settings, report, rows):
    for mobike, name, how in ((False, "strongSwan, a new IKE_SA", "from_scratch"),
                              (True, "strongSwan, MOBIKE, the address changes", "address_change"),
                              (True, "strongSwan, MOBIKE, second interface ready", "second_interface")):
        rows.append(Row(name))
        host = report.attempt(f"{name}: stands", Host, settings, mobike)
        if host:
            report.attempt(f"{name}: {ROUNDS} rounds", _host_rounds, host, rows[-1], getattr(host, how))
            host.stop()
        _fresh(settings)


def _host_rounds(host, row, move):
    s = host.settings
    for i in range(ROUNDS):
        to = ("fb", "fa")[i % 2]
        traffic = Traffic(s, "bench", ("mn1", INNER), ("cn", t.CN))
        try:
            _reached(host)
            traffic.mark("cut")
            move(to)
            wait_for(f"the gateway to see {OUTER[to]}", lambda: host.outer() == OUTER[to], 20 * s.slow)
            _reached(host)
        finally:
            result = traffic.stop()
        row.add(result)
    return True


def _reached(host):
    from ..ping import ping
    if not wait_for("the enterprise to answer", lambda: ping(host.settings, "mn1", t.CN, INNER, count=2).received,
                    20 * host.settings.slow):
        raise LabError("no answer")
