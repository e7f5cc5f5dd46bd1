# SPDX-License-Identifier: BSD-3-Clause
"""bench: F1 from Registration Request to Reply, against a bare `swanctl --initiate` of the same two tunnels, in the
same lab and in turns.  The ratio to reach is 1.5."""
import time
from statistics import median

from .. import charon, home, topology as t
from ..scene import SLA_IDS, standing
from ..settings import LabError

ROUNDS = 20
TO_REACH = 1.5
IDS = ("fa.bench", "ha.bench")


def run(settings, report):
    report.title("bench: a registration against its two tunnels by hand")
    scene = standing(settings, report)
    registered, bare, by_vici = [], [], []
    with scene.by_hand("alice", "mn1") as mn:
        for i in range(ROUNDS + 1):
            registered.append(_register(mn))
            _load_by_hand(scene)
            bare.append(_initiate(scene))
            _terminate(scene)
            by_vici.append(_initiate_by_vici(scene))
            _terminate(scene)
            _unload(scene)
    ours, theirs = median(registered[1:]), median(bare[1:])    # the first of each warms up
    ratio = ours / theirs
    report.say(f"     Registration Request to Reply {ours * 1000:.1f} ms")
    report.say(f"     swanctl --initiate of both {theirs * 1000:.1f} ms")
    report.say(f"     the same two by VICI, without the start of a program: {median(by_vici[1:]) * 1000:.1f} ms")
    report.check(f"F1 takes {ratio:.2f} times as long as the bare tunnels (to reach: {TO_REACH})", ratio <= TO_REACH)
    scene.finish()


def _register(mn):
    """Seconds from request to reply; deregisters again."""
    import craft
    raw = mn.request().build()
    reply = mn.exchange(raw)
    took = time.monotonic() - mn.last_sent
    if reply is None or reply.code:
        raise LabError(f"refused: {reply and (reply.code, reply.text())}")
    mn_ha, mn_fa = craft.check_keys(reply, mn.key, mn.nai)
    mn.exchange(mn.request(lifetime=0, key=None, key_requests=False, mn_ha=mn_ha, mn_fa=mn_fa).build())
    return took


def _load_by_hand(scene):
    s, mn, ent = scene.settings, t.HOME["alice"] + "/32", t.ENT_NET
    psk = "0x" + home.key(s, "acme").hex()
    fa_ha = ("fa-ha", IDS, "0x" + home.key(s, "alice").hex())
    charon.load_static(s, "ha", charon.swanctl_conf(
        [charon.conn("fa-ha", t.HA, t.FA, IDS[::-1], (ent, mn)),
         charon.conn("ha-gw", t.HA, t.GW, SLA_IDS[::-1], (t.HOME_NET, ent))],
        [fa_ha, ("ha-gw", SLA_IDS, psk)]))
    charon.load_static(s, "fa", charon.swanctl_conf([charon.conn("fa-ha", t.FA, t.HA, IDS, (mn, ent))], [fa_ha]))


def _initiate(scene):
    start = time.monotonic()
    charon.swanctl(scene.settings, "ha", "--initiate", "--child", "ha-gw", "--timeout", 5)
    charon.swanctl(scene.settings, "fa", "--initiate", "--child", "fa-ha", "--timeout", 5)
    return time.monotonic() - start


def _initiate_by_vici(scene):
    with charon.vici(scene.settings, "ha") as ha, charon.vici(scene.settings, "fa") as fa:
        start = time.monotonic()
        for vici, child in ((ha, "ha-gw"), (fa, "fa-ha")):
            vici.must("initiate", {"child": child, "timeout": 5000, "loglevel": -1})
        return time.monotonic() - start


def _terminate(scene):
    charon.swanctl(scene.settings, "fa", "--terminate", "--ike", "fa-ha", "--timeout", 5)
    charon.swanctl(scene.settings, "ha", "--terminate", "--ike", "ha-gw", "--timeout", 5)


def _unload(scene):
    """Connections and secrets gone: the agents' charon is as it was."""
    for node in ("fa", "ha"):
        charon.load_static(scene.settings, node, "connections {\n}\nsecrets {\n}\n")
