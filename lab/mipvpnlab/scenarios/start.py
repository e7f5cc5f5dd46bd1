# SPDX-License-Identifier: BSD-3-Clause
"""F1-start: PostgreSQL, charon or a peer is missing at the start, or goes away: the daemon says so, keeps trying,
and is ready when they come."""
from .. import agents, charon, topology as t
from ..scene import Scene
from ..wait import wait_line

ALICE = t.HOME["alice"]


def run(settings, report):
    report.title("F1-start: daemons come up in the wrong order")
    scene = Scene(settings, report)
    scene.configure()
    # Nothing but the agents and the AAA servers.
    scene.start_agents()
    scene.start_servers()
    _complains(scene, "aaah", r"(?i)(database|postgres|libpq)", "the AAAH says that its database is missing")
    for node in ("fa", "ha"):
        _complains(scene, node, r"(?i)(charon|vici)", f"the agent at {node} says that charon is missing")
    report.check("the agent does not call itself ready", not agents.show(settings, "fa", "status").get("ready"))
    scene.start_database()
    scene.start_charons()
    report.attempt("all are ready when everything has come", scene.wait_all_ready)
    before = scene.snapshot()
    _works(scene, before, "then a registration works")
    _charon_restarts(scene, before)
    _database_restarts(scene, before)
    _bad_configuration(scene, before)
    scene.finish()


def _complains(scene, name, pattern, what):
    d = scene.daemons[name]
    scene.report.attempt(what, lambda: wait_line(d.log, pattern, 15 * scene.settings.slow, alive=d.alive))


def _works(scene, before, what):
    mn = scene.mobile("alice", "mn1")
    if scene.check_registered(mn, 30):
        scene.report.check(what, scene.ping("mn1", t.CN, ALICE).all())
    scene.report.check("and is ended", mn.stop())
    scene.check_nothing_left(what, before)


def _charon_restarts(scene, before):
    """charon is killed under a standing registration: the agent brings the tunnel back."""
    mn = scene.mobile("alice", "mn1")
    if not scene.check_registered(mn):
        return
    old = scene.daemons["fa"].mark()
    scene.stop("charon-fa")
    wait_line(scene.daemons["fa"].log, r"(?i)(charon|vici)", 10 * scene.settings.slow, old)
    scene.start_charons(("fa",))

    def back():
        from ..wait import wait_for
        return wait_for("the tunnel", lambda: scene.child_towards("fa", t.HA), 40 * scene.settings.slow)
    scene.report.attempt("charon restarts at the FA: the tunnel comes back", back)
    scene.report.check("and carries packets", scene.ping("mn1", t.CN, ALICE).all())
    scene.report.check("deregistration after it", mn.stop())
    scene.check_nothing_left("charon's restart", before, 15)


def _database_restarts(scene, before):
    scene.stop("postgres")
    scene.start_database(fresh=False)
    _works(scene, before, "a registration after PostgreSQL's restart works")


def _bad_configuration(scene, before):
    """A reload with errors names file, line and key, and changes nothing."""
    r, s = scene.report, scene.settings
    conf = s.node_dir("fa") / "agentd.conf"
    good = conf.read_text()
    conf.write_text(good.replace("fa {", "fa {\n    lifetime-max = 70000", 1))
    line = good[:good.index("fa {")].count("\n") + 2
    said = agents.ctl_refused(s, "fa", "reload")
    r.check("a reload with an error names file, line and key", f"{conf}:{line}" in said and "lifetime-max" in said,
            said)
    conf.write_text(good)
    _works(scene, before, "a registration after a refused reload works")
    r.attempt("the right configuration is taken again", agents.ctl, s, "fa", "reload")
