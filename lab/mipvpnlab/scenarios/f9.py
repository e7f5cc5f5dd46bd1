# SPDX-License-Identifier: BSD-3-Clause
"""F9: a correspondent begins.  The gateway of CN3 was away when frank registered and holds no binding; the first packet of
CN3 to his home address comes to the home agent, which tells the gateway then: the tunnel stands.  Never more than one
Binding Update per interval, and a flood of correspondents changes nothing else (requirement F9)."""
import os
import socket
import time

from .. import netns, topology as t
from ..scene import standing
from .pcns import FRANK, counter, stands, updates, wait_tunnel

INTERVAL = 5.0      # the home agent's pause between two tries, doubling


def run(settings, report):
    report.title("F9: the correspondent begins")
    scene = standing(settings, report, pcns=("pcn",))
    mn = scene.mobile("frank", "mn1")
    if scene.check_registered(mn, 20):
        _flood(scene)
        _gateway_comes(scene)
    before = len(scene.children("pcn2")) if "pcn2" in scene.daemons else 0
    report.check("frank deregisters", mn.stop())
    if before:
        report.attempt("and the tunnel is gone", lambda: wait_tunnel(scene, "pcn2", t.FA, up=False))
    scene.finish()


def _flood(scene):
    """The gateway is dead; a thousand correspondents call."""
    import binding
    r = scene.report
    pid = scene.daemons["ha"].pid
    scene.start_capture()
    start = time.monotonic()
    with binding.Forger(lambda: netns.entered(scene.settings.ns("pcn2"))) as forger:
        for i in range(4000):
            src = f"203.0.114.{i % 250 + 2}" if i % 4 else f"203.0.{120 + i // 1000}.{i // 4 % 250 + 1}"
            forger.send(src, FRANK, os.urandom(16), sport=5000, dport=5000)
    r.check("meanwhile another VPN of his carries packets", scene.ping("mn1", t.CN2, FRANK).all())
    r.check("and the one behind the static gateway", scene.ping("mn1", t.CN, FRANK).all())
    took = time.monotonic() - start
    pcap = scene.stop_capture()
    to_pcn2 = {u[3] for u in updates(pcap) if u[2].startswith("203.0.114.")}
    others = [u for u in updates(pcap) if not u[2].startswith("203.0.114.")]
    r.check("at most one Binding Update per interval", len(to_pcn2) <= 1 + took / INTERVAL, f"{len(to_pcn2)} in {took:.1f} s")
    r.equal("and none to anybody else", others, [])
    r.check("the home agent is the same process", scene.daemons["ha"].alive() and scene.daemons["ha"].pid == pid)


def _gateway_comes(scene):
    r = scene.report
    r.check("there is no tunnel before", scene.child_towards("fa", t.PCN2) is None)
    scene.start_pcn("pcn2")
    scene.start_capture()
    end = time.monotonic() + 60 * scene.settings.slow
    while time.monotonic() < end and not (stands(scene, "pcn2", t.FA) and stands(scene, "fa", t.PCN2)):
        scene.ping("cn3", FRANK, count=2)
    pcap = scene.stop_capture()
    r.check("CN3's packets reach the home agent and bring the tunnel", stands(scene, "pcn2", t.FA) and stands(scene, "fa", t.PCN2))
    r.check("it saw the first packet", counter(scene, "ha", "ha.bu.first_packet") > 0)
    # To CN3, or to one of the flood a moment ago: whoever called.
    told = [u for u in updates(pcap) if u[2].startswith("203.0.114.") and u[2] != "203.0.114.1" and u[4] > 0]
    r.check("the Binding Update went to the correspondent that called", bool(told), updates(pcap))
    r.check("CN3 reaches frank", scene.ping("cn3", FRANK).all())
    r.check("and frank CN3", scene.ping("mn1", t.CN3, FRANK).all())
    r.check("through the tunnel", min(scene.bytes_towards("pcn2", t.FA)) >= 6 * 84)
