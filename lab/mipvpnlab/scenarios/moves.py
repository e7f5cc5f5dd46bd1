# SPDX-License-Identifier: BSD-3-Clause
"""moves: 200 random moves (40 in an emulated machine) of 20 mobile nodes over four foreign agents in two domains, several
at the same time, some of them before the one before is done. Then one question: is what stands everywhere what has to stand?"""
import random
import threading
import time

from .. import expected, topology as t
from ..scene import standing
from ..settings import LabError
from .moving import Roamer

NODES, WORKERS = 20, 5
KINDS = ["static"] * 8 + ["dynamic"] * 8 + ["both", "both", "encap", "plain"]
HASTY = 0.15        # part of the moves that do not wait for the reply


def run(settings, report):
    n_moves = 40 if settings.emulated else 200
    report.title(f"moves: {n_moves} moves of {NODES} mobile nodes")
    seed = random.SystemRandom().randrange(1 << 32)
    report.say(f"     seed {seed}")
    users = {f"u{i + 1}": kind for i, kind in enumerate(KINDS)}
    scene = standing(settings, report, pcns=("pcn",), fas=tuple(t.FAS), users=users, mns=NODES,
                     fa="handoff-lifetime = 5", delay=0)
    before = scene.snapshot()
    rng = random.Random(seed)
    roamers = [Roamer(scene, u, f"mn{i + 1}", rng.choice(list(t.FAS))) for i, u in enumerate(users)]
    if not all([report.attempt(f"{m.user} registers", m.registered, 40) for m in roamers]):
        return scene.finish()
    places = {m.user: m.at for m in roamers}
    first = expected.reference(scene, places)
    expected.check(scene, "before the moves", places, first)
    _move_all(scene, roamers, rng, n_moves)
    expected.check(scene, "after the moves", scene.places, first, 30)
    _all_reached(scene, roamers)
    for m in roamers:
        m.stopped = threading.Thread(target=lambda m=m: setattr(m, "clean", m.mn.stop(20)))
        m.stopped.start()
    for m in roamers:
        m.stopped.join()
    report.equal("all end by themselves, deregistering", [m.user for m in roamers if not m.clean], [])
    scene.check_nothing_left("after the last of them has gone", before, 30)
    scene.finish()


def _move_all(scene, roamers, rng, n_moves):
    """Each worker has mobile nodes of its own, and moves them in turns."""
    failures, start, scene.places = [], time.monotonic(), {}
    per_worker = NODES // WORKERS
    workers = [threading.Thread(target=_work, args=(scene, roamers[i * per_worker:(i + 1) * per_worker],
                                                    random.Random(rng.random()), n_moves // WORKERS, failures)) for i in range(WORKERS)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    scene.report.say(f"     {n_moves} moves in {time.monotonic() - start:.0f} s")
    scene.report.equal("each move ends with a registration where the node is", failures, [])


def _work(scene, roamers, rng, n_moves, failures):
    where = {m.user: m.at for m in roamers}
    for n in range(n_moves):
        m = roamers[n % len(roamers)]
        to = rng.choice([x for x in t.FAS if x != where[m.user]])
        since = time.time()
        t.plug(scene.settings, m.node, t.FAS[to].wire)
        where[m.user] = to
        # Back where it was before the agent in between has answered: there may be nothing to tell.
        if to != m.at and rng.random() >= HASTY:
            _arrive(m, to, since, failures)
    scene.places.update(where)


def _arrive(m, to, since, failures):
    """Waits until the node says that it is registered where it is plugged in, since it was: "renewed" when its own last
    reply was from there, which we may have missed when it was in haste."""
    try:
        while m.registered(30, "renewed")["time"] < since or m.at != to:
            pass
    except LabError as e:
        failures.append(f"{m.user} to {to}: {e}")


def _all_reached(scene, roamers):
    r, failed = scene.report, []
    for m in roamers:
        kind = scene.users[m.user]
        hosts = {"plain": [t.HOME_HOST], "both": [t.CN, t.CN2]}.get(kind, [t.CN if kind == "static" else t.CN2])
        failed += [f"{m.user} at {scene.places[m.user]}: {h}" for h in hosts
                   if not scene.ping(m.node, h, m.address, count=2).received]
    r.equal("each node reaches its correspondents", failed, [])
