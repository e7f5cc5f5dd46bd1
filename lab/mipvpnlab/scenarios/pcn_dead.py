# SPDX-License-Identifier: BSD-3-Clause
"""F4-dead: the proxy correspondent node does not answer.  A VPN that is required refuses the registration, honestly and in
time; one that is best-effort does not, the other VPNs stand, and everybody is told why."""
import time

from .. import agents, topology as t
from ..scene import standing
from .pcns import FRANK, stands

DEADLINE = 9.0
REFUSALS = (66, 78, 130)


def run(settings, report):
    report.title("F4-dead: the dynamic gateway is not there")
    scene = standing(settings, report, pcns=())
    before = scene.snapshot()
    _required(scene, before)
    scene.start_pcn("pcn")
    _best_effort(scene, scene.snapshot())
    scene.finish()


def _required(scene, before):
    r = scene.report
    with scene.by_hand("erin", "mn1") as mn:
        mn.fresh_challenge()
        start = time.monotonic()
        reply = mn.register(DEADLINE * scene.settings.slow + 5)
        took = time.monotonic() - start
    r.check("a required VPN: the mobile node is told", reply is not None and reply.code in REFUSALS,
            f"got {reply.code if reply else None}")
    words = " / ".join(reply.text()) if reply else ""
    r.check("in words that name the VPN and its gateway", "5" in words and t.PCN in words, words)
    r.check("within the deadline", took <= DEADLINE * scene.settings.slow, f"{took:.1f} s")
    r.say(f"     code {reply.code if reply else None} after {took:.1f} s: {words}")
    scene.check_nothing_left("a required VPN refused", before, 15)


def _best_effort(scene, before):
    r = scene.report
    mark = scene.daemons["aaah"].mark()
    mn = scene.mobile("frank", "mn2")
    got = scene.check_registered(mn, 20)
    if got:
        r.check("the mobile node is told what is missing", "VPN 8" in got.get("message", ""), got)
        r.check("the AAAH tells it in the AMA", f"VPN 8" in scene.daemons["aaah"].text(mark))
        r.check("his other VPNs stand", stands(scene, "fa", t.PCN) and stands(scene, "fa", t.HA))
        r.check("he reaches the correspondent behind the first", scene.ping("mn2", t.CN2, FRANK).all())
        r.check("he reaches the enterprise behind the static gateway", scene.ping("mn2", t.CN, FRANK).all())
        text = agents.ctl(scene.settings, "fa", "show", "vpns")
        r.check("mipvpnctl show vpns tells which does not stand", any("8" in line and t.PCN2 in line
                for line in text.splitlines()), text)
        r.say("\n".join("     " + line for line in text.splitlines()))
    r.check("frank deregisters", mn.stop())
    scene.check_nothing_left("a best-effort VPN left out", before, 15)
