# SPDX-License-Identifier: BSD-3-Clause
"""live-move: a change reaches a user who has moved within the visited domain, which his home server has not seen (D2):
the AAAF passes it to the foreign agent of now, and answers the next move with it.  (C4, D1, D2, E7, note 16)"""
from .. import agents, decode, netns, topology as t
from ..scene import standing
from .f7 import sas
from .live_change import commit, settle, told
from .moving import Roamer, peers_of, wait_peers

ALICE = t.HOME["alice"]
EF, AF31 = 46, 26


def run(settings, report):
    report.title("live-move: a change, and a user who has moved without his home server")
    scene = standing(settings, report, fas=("fa", "fb"))
    before = scene.snapshot()
    who = Roamer(scene, "alice")
    who.registered()
    scene.start_capture()
    _cut(scene, who, "fb")
    report.check("the AAAF has answered by itself", _row(scene) == t.FA, _row(scene))
    _change(scene, "fb", AF31, "AF31")
    _cut(scene, who, "fa")
    report.equal("still by itself", _row(scene), t.FA)
    report.equal("the AAAF gives the next foreign agent the new class", _dscp(scene), {AF31})
    _change(scene, "fa", EF, "EF")
    at = commit(scene, "UPDATE mipvpn.subscribers SET enabled = false WHERE nai = 'alice@home.test'")
    settle(scene)
    report.equal("switched off: her session is ended", told(scene, at), [("alice@home.test", "ended")])
    report.check("and it is at the foreign agent of now", scene.ping("mn1", t.CN, ALICE).none())
    who.mn.end_at_once()
    scene.daemons.pop("mn-alice")
    netns.ip("addr", "flush", "dev", "eth0", ns=settings.ns("mn1"))
    scene.check_nothing_left("after the end", before, 15)
    scene.finish()


def _row(scene):
    return scene.sql("SELECT host(fa_address) FROM mipvpn.sessions")


def _cut(scene, who, to):
    who.cut(to)
    wait_peers(scene, "ha", ALICE, [t.FAS[to].care_of])


def _dscp(scene):
    """Of alice's packets from now on, as the enterprise sees them."""
    scene.stop_capture()
    scene.start_capture()
    scene.report.check("alice reaches the office", scene.ping("mn1", t.CN, ALICE).all())
    pcap = scene.capture.snapshot()
    echo = f'frame.interface_name == "gw.ent0" && icmp.type == 8 && ip.src == {ALICE}'
    return {int(d) for (d,) in decode.fields(pcap, echo, "ip.dsfield.dscp")}


def _change(scene, at, dscp, name):
    r = scene.report
    pairs = ((at, t.HA), ("ha", t.FAS[at].care_of), ("ha", t.GW))
    was = [sas(scene, *p) for p in pairs]
    done = int(agents.counters(scene.settings, at).get("fa.vur.done", 0))
    since = commit(scene, f"UPDATE mipvpn.vpns SET up_class = '{name}' WHERE number = 1")
    settle(scene)
    r.equal(f"{name}: told is alice", told(scene, since), [("alice@home.test", "effective")])
    r.equal(f"by the foreign agent where she is, {at}",
            int(agents.counters(scene.settings, at).get("fa.vur.done", 0)) - done, 1)
    r.equal("her packets have it", _dscp(scene), {dscp})
    r.equal("by the same tunnels", [sas(scene, *p) for p in pairs], was)
    r.equal("which lead where she is", peers_of(scene, "ha", ALICE), [t.FAS[at].care_of])
