# SPDX-License-Identifier: BSD-3-Clause
"""F7: the user chooses.  frank has VPNs to the enterprise and behind a PCN, with traffic in both.  He chooses one
behind a second PCN and drops the enterprise; his mobile node asks for a service update.  What is new comes up, what is
gone goes, the one that stays is not touched.  Then he drops the PCN's and takes the enterprise back.  (C5, D2, E7-E9,
F7, note 16)"""
import time

from .. import decode, topology as t
from ..scene import standing
from ..traffic import Traffic, describe, lost
from .moving import towards, wait_reach
from .pcns import FRANK, updates, wait_tunnel

OFFICE, PARTNER, OTHER = 6, 7, 8        # numbers of frank's VPNs in sql/example-pcn.sql
RATE = 200


def run(settings, report):
    report.title("F7: the user chooses other destinations, and asks for a service update")
    # What is committed would reach him without his asking (live-change).
    scene = standing(settings, report, pcns=("pcn", "pcn2"), aaah="live-updates-most = 0\n")
    choose(scene, {OFFICE, PARTNER})
    before = scene.snapshot()
    mn = scene.mobile("frank", "mn1")
    if scene.check_registered(mn):
        _first(scene, mn)
        _second(scene, mn)
        _nothing_changed(scene, mn)
    report.check("frank deregisters", mn.stop())
    scene.check_nothing_left("after deregistration", before, 15)
    scene.finish()


def choose(scene, numbers):
    """What the service page does: these of frank's VPNs, all that his home network is to know of it."""
    listed = ", ".join(map(str, numbers))
    scene.sql(f"UPDATE mipvpn.vpns SET enabled = number IN ({listed}), required = true WHERE nai = 'frank@home.test'")


def sas(scene, node, peer):
    """What names the security associations of a node with a peer."""
    return sorted((c[1]["uniqueid"], c[3]["uniqueid"], c[3]["spi-in"], c[3]["spi-out"])
                  for c in scene.children(node) if c[1]["remote-host"] == peer)


def kept(scene, pairs):
    return [sas(scene, node, peer) for node, peer in pairs]


def update(scene, mn):
    """The user's command; returns his seconds until the answer."""
    start = time.time()
    mn.update()
    ok = scene.report.attempt("the service update is granted", lambda: mn.wait_event("renewed", seconds=15))
    return time.time() - start if ok else 0


def _first(scene, mn):
    """Partner stays, office goes, the other one comes."""
    r = scene.report
    r.check("frank reaches the office and the partner",
            scene.ping("mn1", t.CN, FRANK).all() and scene.ping("mn1", t.CN2, FRANK).all())
    r.check("and not by a VPN who is not chosen", not sas(scene, "fa", t.PCN2))
    pairs = (("fa", t.PCN), ("pcn", t.FA))
    was, carried = kept(scene, pairs), scene.bytes_towards("fa", t.PCN)
    scene.start_capture()
    stays = Traffic(scene.settings, "partner", ("mn1", FRANK), ("cn2", t.CN2), RATE)
    goes = Traffic(scene.settings, "office", ("mn1", FRANK), ("cn", t.CN), RATE, port=5556)
    wait_reach(scene, ("mn1", t.CN2, FRANK), ("mn1", t.CN, FRANK))  # both flows are there before anything is changed
    choose(scene, {PARTNER, OTHER})
    took = update(scene, mn)
    answered = time.time()
    r.say(f"     from the command to the answer: {took * 1000:.0f} ms")
    wait_tunnel(scene, "fa", t.HA, False)
    wait_tunnel(scene, "ha", t.FA, False)
    r.check("the new destination is reached", scene.ping("mn1", t.CN3, FRANK, count=5).all())
    r.check("its correspondent reaches him", scene.ping("cn3", FRANK, count=5).all())
    r.check("the old one is closed, from both ends",
            scene.ping("mn1", t.CN, FRANK).none() and scene.ping("cn", FRANK).none())
    _kept(scene, stays.stop(), goes.stop(), answered)
    r.equal("the tunnel that stays is the same one, at both ends", kept(scene, pairs), was)
    grown = [b - a for a, b in zip(carried, scene.bytes_towards("fa", t.PCN))]
    r.check("and its counters have gone on", min(grown) > 10000, f"bytes {grown}")
    pcap = scene.stop_capture()
    _wires(scene, pcap, answered)


def _kept(scene, stays, goes, answered):
    r = scene.report
    for way in ("up", "down"):
        r.check(f"nothing is lost on the VPN that stays, {way}", not lost(stays[way]), describe(stays[way]))
        late = [x for x in lost(goes[way]) if x[1] > answered + 1]
        r.check(f"the one that goes carries before and not after, {way}",
                goes[way]["received"] > RATE / 4 and len(late) > RATE, describe(goes[way]))


def _wires(scene, pcap, answered):
    r = scene.report
    core = 'frame.interface_name contains "core0"'
    r.at_least("the new destination: ESP between FA and second PCN",
               decode.count(pcap, f"{decode.between(t.FA, t.PCN2)} && esp"), 10)
    # What the enterprise's own gateway sends into the world without a tunnel is its affair: it gets no further.
    old = f'{t.CN} && frame.interface_name != "gw.core0"'
    for name, cn in (("the new", t.CN3), ("the kept", t.CN2), ("the old", old)):
        r.equal(f"no packet of frank and {name} destination in clear on the core",
                decode.count(pcap, f"{core} && ip.addr == {FRANK} && ip.addr == {cn}"), 0)
    r.equal("no IKE_SA is made with the PCN whose VPN stays",
            decode.count(pcap, f"{decode.between(t.FA, t.PCN)} && isakmp.exchangetype == 34"), 0)
    r.equal("and no CHILD_SA is re-keyed",
            decode.count(pcap, f"{decode.between(t.FA, t.PCN)} && isakmp.exchangetype == 36"), 0)
    asked = decode.count(pcap, 'frame.interface_name == "mn1.eth0" && mip.type == 1 && frame contains 7e:d9:00:01')
    r.at_least("the request has the vendor extension of a service update", asked, 1)
    replies = decode.times(pcap, 'frame.interface_name == "fa.link0" && mip.type == 3 && mip.code == 0 && mip.life > 0')
    auths = decode.times(pcap, f"{decode.between(t.FA, t.PCN2)} && isakmp.exchangetype == 35")
    r.check("the reply leaves last (E8)", bool(replies and auths) and replies[-1] > auths[0], f"{replies} {auths}")


def _second(scene, mn):
    """The office comes back, the partner goes: his gateway is told."""
    r = scene.report
    pairs = (("fa", t.PCN2), ("pcn2", t.FA))
    was = kept(scene, pairs)
    scene.start_capture()
    choose(scene, {OFFICE, OTHER})
    update(scene, mn)
    wait_tunnel(scene, "fa", t.PCN, False)
    wait_tunnel(scene, "pcn", t.FA, False)
    r.check("the office is reached again", scene.ping("mn1", t.CN, FRANK).all())
    r.check("the other partner still is", scene.ping("mn1", t.CN3, FRANK).all())
    r.equal("by the same tunnel", kept(scene, pairs), was)
    pcap = scene.stop_capture()
    told = {int(u[4] > 0) for u in updates(pcap, f"&& mipbinding.profile == {PARTNER}")}
    r.equal("the PCN that loses its VPN is told by Binding Updates of lifetime 0 only", told, {0})


def _nothing_changed(scene, mn):
    r = scene.report
    pairs = (("fa", t.PCN2), ("pcn2", t.FA), ("fa", t.HA), ("ha", t.FA), ("ha", t.GW))
    was = kept(scene, pairs)
    update(scene, mn)
    r.equal("asked again without a change: every tunnel is the same one", kept(scene, pairs), was)
