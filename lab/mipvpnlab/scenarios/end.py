# SPDX-License-Identifier: BSD-3-Clause
"""F1-end: every way in which a registration ends: deregistration, expiry, `mipvpnctl drop` at the FA and at the HA, and
the mobile node's re-registration before.  Everything is gone at all nodes, keys included."""
from .. import agents, topology as t
from ..scene import standing

ALICE = t.HOME["alice"]


def run(settings, report):
    report.title("F1-end: everything goes when a registration ends")
    scene = standing(settings, report)
    before = scene.snapshot()
    _deregistered(scene, before)
    _renewed(scene, before)
    _dropped(scene, before, "fa")
    _dropped(scene, before, "ha")
    _expired(scene, before)
    scene.finish()


def _up(scene, **kw):
    mn = scene.mobile("alice", "mn1", **kw)
    ok = scene.check_registered(mn) is not None
    return mn, ok and scene.report.check("and reaches the enterprise", scene.ping("mn1", t.CN, ALICE).all())


def _deregistered(scene, before):
    mn, _ = _up(scene)
    scene.report.check("deregistration is answered", mn.stop())
    scene.check_nothing_left("deregistration", before)


def _renewed(scene, before):
    """A re-registration changes neither tunnels nor session."""
    mn, ok = _up(scene)
    if ok:
        ids = [c[3]["uniqueid"] for c in scene.children("fa")]
        mn.renew()
        scene.report.attempt("re-registration on request", lambda: mn.wait_event("renewed", "registered"))
        scene.report.equal("leaves the tunnel as it is", [c[3]["uniqueid"] for c in scene.children("fa")], ids)
        scene.report.check("and the enterprise in reach", scene.ping("mn1", t.CN, ALICE).all())
    scene.report.check("deregistration after it is answered", mn.stop())
    scene.check_nothing_left("deregistration after re-registration", before)


def _dropped(scene, before, node):
    mn, ok = _up(scene)
    mn.end_at_once()
    if ok:
        agents.ctl(scene.settings, node, "drop", "alice@home.test")
    scene.check_nothing_left(f"mipvpnctl drop at {node}", before)


def _expired(scene, before):
    """A short lifetime, and a mobile node that is switched off. AAAH gives a grace period on top (see its manual)."""
    mn, _ = _up(scene, lifetime=5)
    mn.end_at_once()
    scene.check_nothing_left("expiry", before, 20)
