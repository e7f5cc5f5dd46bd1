# SPDX-License-Identifier: BSD-3-Clause
"""F1-dead: the enterprise's gateway refuses, or is not there; so does charon at an agent.  The mobile node gets an
honest error within the deadline, and nothing stays behind: no SA, connection, secret, route, rule, row."""
import time

from .. import charon, netns, topology as t
from ..scene import SLA_IDS, standing

DEADLINE = 9.0      # fa: aaa-timeout 7 s and its answer
REFUSALS = (64, 65, 66, 78, 128, 129, 130)


def run(settings, report):
    report.title("F1-dead: the tunnel does not come up")
    scene = standing(settings, report)
    before = scene.snapshot()
    with scene.by_hand("alice", "mn1") as mn:
        _case(scene, mn, before, "the gateway has another key", _other_key, _right_key)
        _case(scene, mn, before, "the gateway knows no such network", _other_network, _right_key)
        _case(scene, mn, before, "the gateway is dead", _cable_out, _cable_in)
    scene.finish()


def _case(scene, mn, before, what, wrong, right):
    from .refuse import good_registration
    wrong(scene)
    start = time.monotonic()
    reply = mn.register(DEADLINE * scene.settings.slow + 5)
    took = time.monotonic() - start
    r = scene.report
    code = reply.code if reply else None
    r.check(f"{what}: the mobile node is told", code in REFUSALS, f"got {code}")
    if reply:
        r.check(f"{what}: in words", any(reply.text()), f"code {code}, no text")
        r.say(f"     code {code} after {took:.1f} s: {' / '.join(reply.text())}")
    r.check(f"{what}: within the deadline", took <= DEADLINE * scene.settings.slow, f"{took:.1f} s")
    scene.check_nothing_left(what, before, 12)
    right(scene)
    good_registration(scene, mn, f"afterwards ({what})")
    scene.check_nothing_left(f"and afterwards ({what})", before, 12)


def _reload(scene, ids, secret, ts):
    with charon.vici(scene.settings, "gw") as v:
        v.call("unload-shared", {"id": "ike-home-isp"})
    conn = charon.conn("home-isp", t.GW, t.HA, ids, ts)
    charon.load_static(scene.settings, "gw", charon.swanctl_conf([conn], [("home-isp", ids, secret)]))


def _other_key(scene):
    _reload(scene, SLA_IDS, "0x" + "5a" * 32, (t.ENT_NET, t.HOME_NET))


def _other_network(scene):
    from .. import home
    _reload(scene, SLA_IDS, "0x" + home.key(scene.settings, "acme").hex(), ("10.77.0.0/24", t.HOME_NET))


def _right_key(scene):
    from ..scene import gateway_conf
    charon.load_static(scene.settings, "gw", gateway_conf(scene.settings))


def _cable_out(scene):
    netns.ip("link", "set", "gw.core0", "down", ns=scene.settings.ns(t.NET))


def _cable_in(scene):
    netns.ip("link", "set", "gw.core0", "up", ns=scene.settings.ns(t.NET))
    netns.ip("route", "replace", *t.TO_HOME.split(), ns=scene.settings.ns("gw"))
