# SPDX-License-Identifier: BSD-3-Clause
"""F8: lifetimes at the proxy correspondent node, in real time.  It asks at 90 % of the lifetime, the home agent answers and
the VPN stays; a home agent that has that VPN no longer is silent, and the PCN removes everything (requirement F8)."""
from .. import agents, decode, topology as t
from ..scene import standing
from ..wait import wait_for
from .. import snapshot
from .pcns import BINDING, ERIN, counter, identity, updates, wait_counter, wait_tunnel

LIFETIME = 10


def run(settings, report):
    report.title("F8: Binding Requests, and what is not renewed")
    scene = standing(settings, report, pcns=("pcn",), pcn=f"    lifetime-max = {LIFETIME}")
    before = _pcn(scene)
    scene.start_capture()
    mn = scene.mobile("erin", "mn1")
    if scene.check_registered(mn):
        _kept(scene)
        _silent(scene, mn, before)
    pcap = scene.stop_capture()
    _wire(scene, pcap)
    mn.end_at_once()
    scene.finish()


def _pcn(scene):
    return {**snapshot.of_charon(scene.settings, "pcn"), **snapshot.of_kernel(scene.settings, "pcn"),
            **snapshot.of_agent(scene.settings, "pcn")}


def _kept(scene):
    r, s = scene.report, scene.settings
    tunnel = identity(scene, "pcn")
    r.attempt("the PCN asks before the lifetime is over",
              lambda: wait_counter(scene, "pcn", "pcn.request.sent", 1, LIFETIME))
    r.attempt("the home agent answers with a Binding Update", lambda: wait_counter(scene, "pcn", "pcn.bu.taken", 2, 3))
    r.attempt("and so again", lambda: wait_counter(scene, "pcn", "pcn.bu.taken", 3, LIFETIME + 2))
    r.equal("the same tunnel stands", identity(scene, "pcn"), tunnel)
    r.check("and carries packets", scene.ping("mn1", t.CN2, ERIN).all())


def _silent(scene, mn, before):
    """The home agent loses everything it knew, as in a crash."""
    r = scene.report
    taken = counter(scene, "pcn", "pcn.bu.taken")
    from .. import procs
    import signal
    procs.stop(scene.settings, scene.daemons.pop("ha"), 2, signal.SIGKILL)
    mn.end_at_once()
    scene.start_agents(("ha",))
    agents.wait_ready(scene.settings, scene.daemons["ha"])
    r.attempt("the PCN gives up after its lifetime", lambda: wait_for("pcn.binding.ended", lambda:
              counter(scene, "pcn", "pcn.binding.ended") >= 1, (LIFETIME + 4) * scene.settings.slow))
    r.equal("a home agent without that VPN is silent", counter(scene, "pcn", "pcn.bu.taken"), taken)
    left = None

    def same():
        nonlocal left
        left = snapshot.difference(before, _pcn(scene))
        return not left
    r.check("and everything is gone at the PCN", bool(r.attempt("state of the PCN comes back",
            lambda: wait_for("everything to go", same, 10 * scene.settings.slow) or True)), left)


def _wire(scene, pcap):
    r = scene.report
    asked = decode.times(pcap, f'{BINDING} && mipbinding.type == 17 && frame.interface_name == "pcn.core0"')
    told = [u[0] for u in updates(pcap)]
    first = [a - max(x for x in told if x < a) for a in asked if any(x < a for x in told)]
    r.check("the first Binding Request comes at 90 % of the lifetime",
            bool(first) and 0.85 * LIFETIME <= first[0] <= 0.99 * LIFETIME, first[:3])
    answers = [x - asked[0] for x in told if x > asked[0]] if asked else []
    r.check("and is answered at once", bool(answers) and answers[0] < 1, answers[:3])
