# SPDX-License-Identifier: BSD-3-Clause
"""db-restart: PostgreSQL restarts in the middle of 100 registrations and of a change of the contract that concerns all
of them, once by a crash and once by an orderly stop.  Nobody does anything about it: mobile nodes send again by
themselves.  Afterwards nothing is lost, and nothing is there or done twice.  (A3, A5, A6, B1, B3, C1, note 16)"""
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter

from .. import agents, crowd, decode, home, netns, procs, sanitize, topology as t
from ..scene import Scene
from ..wait import wait_line
from .live_change import settle

N_HAND, N_PROGRAMS, N_POOL = 90, 5, 5       # by hand; mipvpn-mn; mipvpn-mn with a home address from the pool
ALL = N_HAND + N_PROGRAMS + N_POOL
HAND = [f"u{i + 1}" for i in range(N_HAND)]
PROGRAMS = [f"u{N_HAND + i + 1}" for i in range(N_PROGRAMS)] + [f"pool{i + 1}" for i in range(N_POOL)]
POOL_USED = [f"10.1.0.{i}" for i in range(128, 148)]
SPREAD = 1.5                                # s, from the first request to the last one
CHANGE_AT, GOES_AT = 5, 25                 # so many are on at the COMMIT, and when the database goes
SAMPLE = 4                                  # users whose packets are looked at, of either sort
ROUNDS = (("crash", signal.SIGQUIT, "AF31", 26), ("orderly", signal.SIGINT, "AF21", 18))


def run(settings, report):
    report.title(f"db-restart: PostgreSQL restarts in the middle of {ALL} registrations and of a change")
    if not settings.xfrm:       # kernel-libipsec wants to find them
        for node in ("fa", "ha"):
            netns.ip_batch(settings.ns(node), [f"addr add {a}/32 dev lo" for a in POOL_USED])
    scene = Scene(settings, report, users={u: "static" for u in HAND + PROGRAMS}, mns=1 + len(PROGRAMS),
                  fa="pending-max = 256").start()
    # The longest time that the AAAH is prepared for: a crash may forget what was committed in its last 0.6 to 1.8 s.
    scene.sql("ALTER SYSTEM SET wal_writer_delay = '600ms'")
    scene.sql("ALTER SYSTEM SET wal_writer_flush_after = '1GB'")
    scene.sql("SELECT pg_reload_conf()")
    scene.sql("UPDATE mipvpn.vpns SET up_class = NULL, down_class = NULL")
    settle(scene)
    before = scene.snapshot()
    walkers = crowd.Crowd(settings, "mn1", [(home.nai(u), t.home_address(u), home.key(settings, u)) for u in HAND])
    running = _running(scene)
    for name, sig, dscp, code in ROUNDS:
        told = Told(report, name)
        _round(scene, walkers, told, sig, dscp, code)
        _leave(scene, walkers, told)
        scene.check_nothing_left("after all have deregistered", before, 20)
    report.equal("no program of ours, and no charon, has died or is another one", _running(scene), running)
    walkers.close()
    scene.finish()


class Told:
    """The report of one restart: each of its lines begins with the restart's name."""

    def __init__(self, report, name):
        self.report, self.name = report, name

    def __getattr__(self, what):
        return lambda text, *args: getattr(self.report, what)(f"{self.name}: {text}", *args)

    def say(self, text):
        self.report.say(f"     {self.name}: {text}")


def _running(scene):
    """{node: its programs' pids}, children of the agents too."""
    found = {n: sorted(p for p in netns.pids(scene.settings.ns(n)) if _is_ours(p)) for n in ("fa", "ha", "gw", "aaaf")}
    return {**found, "aaah": [scene.daemons["aaah"].pid, scene.daemons["aaah"].alive()]}


def _is_ours(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return re.search(rb"mipvpn-|charon|freeDiameterd", f.read()) is not None
    except OSError:
        return False


# -- the restart

def _round(scene, walkers, r, sig, dscp, code):
    s = scene.settings
    since = float(scene.sql("SELECT extract(epoch FROM clock_timestamp())"))
    mark = scene.daemons["aaah"].mark()
    first = int(scene.sql("SELECT coalesce(max(id), 0) FROM mipvpn.change_log"))
    mns = [scene.mobile(u, f"mn{i + 2}") for i, u in enumerate(PROGRAMS)]
    start = time.monotonic()
    walkers.start(spread=SPREAD)
    r.check(f"{CHANGE_AT} users are on", walkers.run(lambda c: c.count("on") >= CHANGE_AT, 20))
    # The DBA's own COMMIT waits for the log, in the lab too: it is not to be what a crash forgets.
    scene.sql(f"SET synchronous_commit = on; UPDATE mipvpn.slas SET up_class = '{dscp}', down_class = '{dscp}' "
              "WHERE name = 'acme'")
    walkers.run(lambda c: c.count("on") >= GOES_AT, 20)
    on, at = walkers.count("on"), time.monotonic()
    procs.stop(s, scene.daemons.pop("postgres"), 20 * s.slow, sig)
    gone = time.monotonic()
    asked = _back(scene, walkers)
    r.check("registrations were under way when the database went", on < N_HAND, on)
    r.check("everybody by hand is on in the end", walkers.run(lambda c: c.count("asking") == 0, 60) and
            walkers.count("on") == N_HAND, Counter(w.state for w in walkers.walkers))
    for m in mns:
        scene.check_registered(m, 60)
    took = time.monotonic() - start
    r.say(f"{on} by hand were on, change committed, {(gone - at) * 1000:.0f} ms to stop, {asked:.1f} s to start; "
          f"all on after {took:.1f} s; refusals by code: {dict(Counter(c for w in walkers.walkers for c in w.codes))}")
    settle(scene, 60)
    r.say(f"all settled after {time.monotonic() - start:.1f} s")
    _nothing_lost(scene, r)
    _caches(scene, r, code)
    _change_once(scene, r, dscp, first, since)
    _connection(scene, r, mark)
    _packets(scene, walkers, mns, r, code)


def _back(scene, walkers):
    """The database comes back while the mobile nodes go on; returns how long it took."""
    start, ready = time.monotonic(), []
    starter = threading.Thread(target=lambda: (scene.start_database(fresh=False), ready.append(time.monotonic())))
    starter.start()
    walkers.run(lambda c: not starter.is_alive(), 30)
    starter.join()
    return ready[0] - start


def _leave(scene, walkers, r):
    walkers.start(lifetime=0)
    enders = [threading.Thread(target=scene.stop, args=(f"mn-{u}",)) for u in PROGRAMS]
    for e in enders:
        e.start()
    r.check("all by hand deregister", walkers.run(lambda c: c.count("asking") == 0, 30) and
            walkers.count("off") == N_HAND, Counter(w.state for w in walkers.walkers))
    for e in enders:
        e.join()


# -- what stands

def _rows(scene, sql):
    return [line.split("|") for line in scene.sql(sql).splitlines()]


def _nothing_lost(scene, r):
    """Each user once: in the database, at the home agent, at the foreign agent, in charon."""
    s = scene.settings
    rows = _rows(scene, "SELECT nai, host(home_address), ha_session, fa_session, fa_ended FROM mipvpn.sessions")
    users = sorted(home.nai(u) for u in HAND + PROGRAMS)
    r.equal("sessions in the database", sorted(x[0] for x in rows), users)
    for i, what in ((1, "home address"), (2, "Session-Id of the home agent"), (3, "Session-Id of the foreign agent")):
        r.equal(f"no {what} is there twice", len({x[i] for x in rows}), ALL)
    for node, what, column in (("ha", "bindings", 2), ("fa", "visitors", 3)):
        got = sorted((x["nai"], x["homeAddress"], x["session"]) for x in agents.rows(s, node, what))
        want = sorted((x[0], x[1], x[column]) for x in rows)
        r.check(f"the {ALL} {what} are those sessions", len(got) == ALL and got == want, _differ(got, want))
    for node in ("fa", "ha"):
        found = Counter(m.group(1) for c in scene.children(node)
                        if (m := re.search(r"\b(10\.1\.0\.\d+)/32", " ".join(c[3]["local-ts"] + c[3]["remote-ts"]))))
        want = Counter(x[1] for x in rows)
        r.check(f"each has one tunnel at {node}", found == want, _differ(found, want))
    held = _rows(scene, "SELECT nai, host(address) FROM mipvpn.home_addresses WHERE nai IS NOT NULL ORDER BY 1")
    r.equal("addresses of the pool are held by who has them, and no other", held,
            sorted(x[:2] for x in rows if x[0].startswith("pool")))


def _differ(got, want):
    return f"too much: {sorted(set(got) - set(want))[:5]}, missing: {sorted(set(want) - set(got))[:5]}"


FIELDS = ("number", "tos_up", "tos_down", "spi_up", "spi_down", "src_gw", "dst_gw")


def _caches(scene, r, code):
    """The VPN information cache is the same everywhere (B1, B2), keys too, and has the new class."""
    rows = _rows(scene, "SELECT s.ha_session, s.fa_session, p.number, p.tos_up, p.tos_down, p.spi_up, p.spi_down, "
                 "host(p.source_gateway), host(p.destination_gateway), encode(p.enc_key, 'hex') "
                 "FROM mipvpn.session_profiles p JOIN mipvpn.sessions s ON s.id = p.session")
    r.equal("profiles in the database", len(rows), 2 * ALL)
    r.equal("all of them have the new class", {(x[3], x[4]) for x in rows}, {(str(code << 2),) * 2})
    for node, column in (("ha", 0), ("fa", 1)):
        got = _cached(scene, node)
        want = {(x[column], *x[2:9]): x for x in rows if node == "ha" or x[7] == t.FA}
        r.check(f"{node} has the same ones", sorted(got) == sorted(want), _differ(got, want))
        wrong = [k for k in want if want[k][9] and not (got.get(k) and got[k] == _clear(scene, want[k]))]
        r.equal("and the same keys", wrong, [])


def _cached(scene, node):
    """{(session, fields): encryption key} of an agent's cache."""
    told = json.loads(agents.ctl(scene.settings, node, "--json", "--show-keys", "show", "vpns"))
    return {(o["session"], *(str(p[f]) for f in FIELDS)): p.get("enc_key", "") for o in told for p in o["profiles"]}


def _clear(scene, row):
    """The key that the database has wrapped."""
    s = scene.settings
    cmd = [s.program("mipvpn-keytool"), "unwrap", "-k", str(home.key_path(s, "wrapping")), "-l",
           f"profile:{row[0]}:{row[2]}", "--show-keys", "-x", row[9]]
    env = {**os.environ, **sanitize.environment(s, "aaah")}
    return subprocess.run(cmd, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL).stdout.strip()


def _change_once(scene, r, dscp, first, since):
    is_now = scene.sql("SELECT up_class, down_class FROM mipvpn.slas WHERE name = 'acme'")
    r.equal("the change is there", is_now, f"{dscp}|{dscp}")
    r.equal("once in the audit", scene.sql(f"SELECT count(*) FROM mipvpn.audit WHERE at >= to_timestamp({since})"), "1")
    change = _rows(scene, f"SELECT id, tbl, key, expanded_at IS NOT NULL FROM mipvpn.change_log WHERE id > {first}")
    r.equal("one change, and its sessions were looked for", [x[1:] for x in change], [["slas", "acme", "t"]])
    told = _rows(scene, "SELECT session, string_agg(outcome, ', ') FROM mipvpn.live_history WHERE change > 0 AND "
                 f"effective_at >= to_timestamp({since}) GROUP BY session, change")
    r.equal("no session has it twice", [x for x in told if "," in x[1]], [])
    r.equal("it is given up for nobody", [x for x in told if x[1] not in ("effective", "unchanged")], [])
    r.check("it has reached some who were on", len(told) > 0)
    looked = scene.sql("SELECT count(*) FROM mipvpn.live_history WHERE change = 0 AND "
                       f"effective_at >= to_timestamp({since})")
    r.say(f"{len(told)} were told of the change, {looked} looked at once more, the others have registered with it")
    r.equal("nobody waits for anything", scene.sql("SELECT count(*) FROM mipvpn.live_updates"), "0")


def _connection(scene, r, mark):
    """By its own counters: one connection was lost, and there is one again."""
    d = scene.daemons["aaah"]
    at = d.mark()
    os.kill(d.pid, signal.SIGUSR2)
    last = r"counter aaah\.vur\.sent \d+"       # they come in the order of their names
    lost = r.attempt("the AAAH tells its counters", wait_line, d.log, last, 5 * scene.settings.slow, at)
    count = dict(re.findall(r"counter aaah\.(\S+) (\d+)", d.text(at)))
    r.equal("it is connected again", int(count["db.connected"]), d.text().count("database connected:"))
    r.equal("the database has refused nothing", count.get("db.error", "0"), "0")
    later, restored = (int(count.get(x, 0)) for x in ("amr.stored_later", "db.restored"))
    r.say(f"so far {count.get('db.again', 0)} sessions were said once more, {restored - later} of them had been "
          f"forgotten, {later} had been granted while the database was away")
    r.check("it had lost the connection", lost is not None and "database connected:" in d.text(mark))


def _packets(scene, walkers, mns, r, code):
    """Of some of either sort, both ways, with the new marks."""
    where = {w.address: "mn1" for w in walkers.walkers[::N_HAND // SAMPLE][:SAMPLE]}
    rows = dict(_rows(scene, "SELECT nai, host(home_address) FROM mipvpn.sessions"))
    where.update({rows[home.nai(m.user)]: m.node for m in mns[::len(mns) // SAMPLE][:SAMPLE]})
    scene.start_capture()
    for address, node in where.items():
        r.check(f"{address} reaches CN", scene.ping(node, t.CN, address).all())
        r.check("and is reached", scene.ping("cn", address).all())
    pcap = scene.stop_capture()
    at_gw, at_fa = (f'frame.interface_name == "{x}" && icmp && ip' for x in ("gw.ent0", "fa.link0"))
    up = decode.fields(pcap, f"{at_gw}.dst == {t.CN}", "ip.src", "ip.dsfield.dscp")
    down = decode.fields(pcap, f"{at_fa}.src == {t.CN}", "ip.dst", "ip.dsfield.dscp")
    want = sorted((a, str(code)) for a in where)
    r.equal("all packets to the enterprise have the new mark", sorted(set(up)), want)
    r.equal("and all to the users", sorted(set(down)), want)
