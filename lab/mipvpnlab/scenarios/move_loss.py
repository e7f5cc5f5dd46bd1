# SPDX-License-Identifier: BSD-3-Clause
"""moves-loss: one move of each kind (F2, F3, F5, F6), and of other security types, while the core delays every frame and
loses some: requests, Diameter, IKE, Binding Updates and users' packets alike."""
from .. import expected, topology as t
from ..scene import standing
from ..traffic import Traffic, describe
from ..wait import wait_for
from .moving import Roamer, wait_peers

DELAY, LOSS = 10, 2     # ms one way; percent of all frames
# A packet of the static users crosses the core twice; what the move itself may cost beyond is a blink.
WORST, BLINK_S = 0.12, 1.0
MOVES = (("F2", "u1", "fb"), ("F5", "u2", "fb"), ("F3", "u1", "fc"), ("F6", "u2", "fc"), ("F3", "u3", "fc"), ("F5", "u4", "fb"))
CNS = {"u1": ("cn", t.CN, "ha", "static gateway"), "u2": ("cn2", t.CN2, "pcn", "PCN"),
       "u3": ("cn", t.CN, None, "static gateway, IP-in-IP to HA"), "u4": ("cn2", t.CN2, "pcn", "PCN, {}")}


def run(settings, report):
    report.title(f"moves-loss: a move of each kind, {DELAY} ms and {LOSS} % loss on the core")
    scene = standing(settings, report, pcns=("pcn",), fas=("fa", "fb", "fc"), mns=4,
                     users={"u1": "static", "u2": "dynamic", "u3": "encap-static",
                            "u4": "ah-dynamic" if settings.xfrm else "cbc-dynamic"}, fa="handoff-lifetime = 4", delay=DELAY, loss=LOSS)
    before = scene.snapshot()
    nodes = {u: Roamer(scene, u, f"mn{i + 1}") for i, u in enumerate(CNS)}
    if all([report.attempt(f"{u} registers", m.registered, 40) for u, m in nodes.items()]):
        for name, user, to in MOVES:
            _move(scene, nodes[user], name, to)
        expected.check(scene, "after the moves", {u: m.at for u, m in nodes.items()}, seconds=40)
    for user, mn in nodes.items():
        report.check(f"{user} deregisters", mn.mn.stop(30))
    scene.check_nothing_left("after deregistration", before, 40)
    scene.finish()


def _move(scene, mn, name, to):
    r, (cn, address, gateway, kind) = scene.report, CNS[mn.user]
    kind = kind.format("AH" if scene.settings.xfrm else "CBC and HMAC")
    what, left, rate = f"{name}, {kind}", mn.at, min(scene.settings.rate, 200)
    mn.traffic = traffic = Traffic(scene.settings, f"{name}-{mn.user}", (mn.node, mn.address), (cn, address), rate)
    wait_for("packets in both directions", lambda: scene.ping(mn.node, address, mn.address, count=2).received, 10)
    moved = r.attempt(f"{what}: the node registers at {to}", mn.overlap, to, 60) is not None or mn.at == to
    if moved and gateway:
        r.attempt(f"{what}: one tunnel of the user is left at the gateway, to the new agent", wait_peers, scene, gateway,
                  mn.address, [t.FAS[to].care_of], 40)
    result, mn.traffic = traffic.stop(), None
    if moved:
        mn.settle(left)
    for way in ("up", "down"):
        flow = result[way]
        most = WORST * flow["sent"] + BLINK_S * rate
        r.say(f"     {way}: {describe(flow)}")
        r.check(f"{what}: {way}, no more is lost than the wires lose, and a blink",
                flow["sent"] - flow["received"] <= most, f"{flow['sent'] - flow['received']} of {flow['sent']}, at most {most:.0f}")
