# SPDX-License-Identifier: BSD-3-Clause
"""F1-path: what the data path does with packets that are too big, and with packets that come twice.  On both data paths;
where they differ, doc/data-path.md says so (E5, E9)."""
import re
import socket

from .. import capture, netns, pcapng, topology as t, xfrm
from ..scene import standing
from .moving import Roamer

ETHERNET = 1500
HEADERS = 28        # IPv4 and ICMP
KINDS = {"u1": ("static", "cn", t.CN, t.HA), "u2": ("dynamic", "cn2", t.CN2, t.PCN), "u3": ("encap", "cn2", t.CN2, t.PCN)}
WORDS = {"static": "ESP, static gateway", "dynamic": "ESP, PCN", "encap": "encapsulation only"}


def run(settings, report):
    report.title("F1-path: packets that are too big, packets that come twice")
    scene = standing(settings, report, pcns=("pcn",), users={u: k[0] for u, k in KINDS.items()})
    before = scene.snapshot()
    nodes = {u: Roamer(scene, u, f"mn{i + 1}") for i, u in enumerate(KINDS)}
    for user, (kind, cn, address, gateway) in KINDS.items():
        mn = nodes[user]
        if report.attempt(f"{WORDS[kind]}: registers", mn.registered):
            _too_big(scene, mn, WORDS[kind], cn, address)
            if kind != "encap":
                _window(scene, WORDS[kind], gateway)
                _twice(scene, mn, WORDS[kind], cn, address, gateway)
    for user, mn in nodes.items():
        report.check(f"{user} deregisters", mn.mn.stop())
    scene.check_nothing_left("after deregistration", before, 15)
    scene.finish(replays=settings.xfrm)


# -- too big

def _path_mtu(scene, mn, address):
    """What the foreign agent says about a packet that must not be fragmented; None when it says nothing."""
    text = scene.ping(mn.node, address, mn.address, count=2, size=ETHERNET - HEADERS, df=True).text
    found = re.search(r"mtu ?= ?(\d+)", text)
    return int(found.group(1)) if found else None


def _too_big(scene, mn, what, cn, address):
    r, big = scene.report, ETHERNET - HEADERS
    # Twice: the first may be what tells a sender on the way of the path's MTU.
    scene.ping(mn.node, address, mn.address, count=1, size=big)
    r.check(f"{what}: MN's full packets reach CN, in fragments", scene.ping(mn.node, address, mn.address, size=big).all())
    scene.ping(cn, mn.address, count=1, size=big)
    r.check(f"{what}: and CN's reach MN", scene.ping(cn, mn.address, size=big).all())
    mtu = _path_mtu(scene, mn, address)
    if r.check(f"{what}: one that must not be fragmented is answered with the path's MTU",
               mtu is not None and ETHERNET - 150 < mtu < ETHERNET, mtu):
        r.say(f"     {what}: MTU {mtu}")
        r.check(f"{what}: and one of that size goes through",
                scene.ping(mn.node, address, mn.address, size=mtu - HEADERS, df=True).all())


# -- twice

def _window(scene, what, gateway):
    """Packets that queues have reordered are no replay."""
    if scene.settings.xfrm:
        nodes = "fa", {t.HA: "ha", t.PCN: "pcn"}[gateway]
        scene.report.equal(f"{what}: replay window at both ends", [xfrm.replay_windows(scene.settings, n) for n in nodes],
                           [{256}, {256}])


def _esp_of(path, sender, receiver):
    """The newest ESP frame from one gateway's core interface to another address."""
    want, found = socket.inet_aton(receiver), None
    for name, _, frame in pcapng.packets(path):
        if name == f"{sender}.core0" and frame[12:14] == b"\x08\x00" and frame[30:34] == want and pcapng.is_tunnelled(frame):
            found = frame
    return found


def _inject(scene, node, frame, times=3):
    with netns.entered(scene.settings.ns(node)):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    with s:
        s.bind(("core0", 0))
        for _ in range(times):
            s.send(frame)


def _twice(scene, mn, what, cn, address, gateway):
    """An attacker on the core sends a user's ESP packet again."""
    r, s = scene.report, scene.settings
    cap = capture.Capture(s, s.dir / f"twice-{mn.user}.pcapng").start()
    scene.ping(mn.node, address, mn.address, count=1)
    once = cap.stop()
    frame = _esp_of(once, "fa", gateway)
    if not r.check(f"{what}: there is an ESP packet to repeat", frame is not None):
        return
    cap = capture.Capture(s, s.dir / f"again-{mn.user}.pcapng").start()
    _inject(scene, "fa", frame)
    r.check(f"{what}: after it has come again the tunnel goes on", scene.ping(mn.node, address, mn.address, count=3).all())
    before, seen = (_requests(path, t.gateway_port(cn), mn.address) for path in (once, cap.stop()))
    r.check(f"{what}: the correspondent has seen each packet once", len(seen) == len(set(seen)) >= 3 and
            not {*before} & {*seen}, (before, seen))


def _requests(path, port, source):
    """Identifier and sequence number of each echo request from an address."""
    want = socket.inet_aton(source)
    return [f[38:42].hex() for name, _, f in pcapng.packets(path)
            if name == port and f[12:14] == b"\x08\x00" and f[23] == 1 and f[26:30] == want and f[34] == 8]
