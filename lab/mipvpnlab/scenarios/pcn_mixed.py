# SPDX-License-Identifier: BSD-3-Clause
"""F4-mixed: one user with a static gateway, a proxy correspondent node and a second one, in one registration; one of them
dies in the middle, and the others stand."""
import signal

from .. import decode, procs, topology as t
from ..scene import standing
from .pcns import BINDING, FRANK, stands

PATHS = (("the enterprise", t.CN, "fa", t.HA), ("the first correspondent", t.CN2, "fa", t.PCN),
         ("the second correspondent", t.CN3, "fa", t.PCN2))


def run(settings, report):
    report.title("F4-mixed: a static gateway and two dynamic ones at once")
    scene = standing(settings, report, pcns=("pcn", "pcn2"))
    before = scene.snapshot()
    scene.start_capture()
    mn = scene.mobile("frank", "mn1")
    if scene.check_registered(mn):
        _stand(scene)
    pcap = scene.stop_capture()
    acked = decode.fields(pcap, f'{BINDING} && mipbinding.type == 19 && frame.interface_name contains "core0"',
                          "mipbinding.profile", "mipbinding.status")
    report.equal("both gateways acknowledge", sorted(set(acked)), [("7", "0"), ("8", "0")])
    report.check("frank deregisters", mn.stop())
    scene.check_nothing_left("after deregistration", before, 15)
    _one_dies(scene)
    scene.finish()


def _stand(scene):
    r = scene.report
    r.equal("tunnels at FA, HA, GW, PCN, second PCN",
            [len(scene.children(n)) for n in (*t.GATEWAYS, "pcn", "pcn2")], [3, 2, 1, 1, 1])
    for what, cn, node, peer in PATHS:
        before = scene.bytes_towards(node, peer)
        r.check(f"frank reaches {what}", scene.ping("mn1", cn, FRANK).all())
        after = scene.bytes_towards(node, peer)
        r.check("through its own tunnel", min(b - a for a, b in zip(before, after)) >= 3 * 84, f"{before} {after}")


def _one_dies(scene):
    """The best-effort one, without a word."""
    r = scene.report
    mn = scene.mobile("frank", "mn1")
    if not scene.check_registered(mn):
        return
    for name in ("pcn2", "charon-pcn2"):
        procs.stop(scene.settings, scene.daemons.pop(name), 2, signal.SIGKILL)
    scene.agent_nodes = tuple(n for n in scene.agent_nodes if n != "pcn2")
    r.check("its correspondent is lost", scene.ping("mn1", t.CN3, FRANK).none())
    for what, cn, _, _ in PATHS[:2]:
        r.check(f"frank reaches {what} all the same", scene.ping("mn1", cn, FRANK).all())
    r.check("both other tunnels stand", stands(scene, "fa", t.HA) and stands(scene, "fa", t.PCN))
    r.check("frank deregisters", mn.stop())
