# SPDX-License-Identifier: BSD-3-Clause
"""memory: what a user more costs an agent.  A thousand users with a VPN each register one after the other in a real lab;
resident memory of mipvpn-agentd at the HA by binding, and at the FA by visitor.  To reach: 8 KiB."""
import time

from .. import home, mobile, netns, postgres, topology as t
from ..scene import Scene
from ..settings import LabError

USERS = 1000
WARM = 50		# the first ones make the heaps of libraries and threads grow: they are not counted
TO_REACH = 8.0		# KiB
HOME_NET = "10.1.0.0/16"


def run(settings, report):
    report.title(f"memory: {USERS} users with a VPN each")
    usual, t.HOME_NET = t.HOME_NET, HOME_NET
    try:
        _measure(settings, report)
    finally:
        t.HOME_NET = usual


def address(i):
    return f"10.1.{16 + i // 250}.{1 + i % 250}"


def _measure(settings, report):
    users = [(f"u{i}@{home.REALM}", address(i)) for i in range(WARM + USERS)]
    make_addresses(settings, users)
    scene = Scene(settings, report).start()
    make_users(scene, users)
    for nai, addr in users[:WARM]:
        register(scene, nai, addr)
    before, start = _memory(scene), time.monotonic()
    for nai, addr in users[WARM:]:
        register(scene, nai, addr)
    took = time.monotonic() - start
    after = _memory(scene)
    report.say(f"     {USERS} registrations took {took:.0f} s")
    _tell(report, "binding", "ha", before, after)
    _tell(report, "visitor", "fa", before, after)
    scene.finish()


def _tell(report, what, node, before, after):
    each = {p: (after[node, p] - before[node, p]) / USERS for p in ("mipvpn-agentd", "mipvpn-nethelper")}
    report.say(f"     {node}: mipvpn-agentd {before[node, 'mipvpn-agentd']} -> {after[node, 'mipvpn-agentd']} KiB; "
               f"its helper {each['mipvpn-nethelper']:.1f} KiB per {what}")
    report.check(f"mipvpn-agentd: {each['mipvpn-agentd']:.1f} KiB per {what} (to reach: {TO_REACH:.0f})",
                 each["mipvpn-agentd"] <= TO_REACH)


def _memory(scene):
    """Resident KiB of the agents and their helpers."""
    found = {}
    for node in ("fa", "ha"):
        for pid in netns.pids(scene.settings.ns(node)):
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                rows = dict(line.rstrip("\n").split(":", 1) for line in f)
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                name = f.read().split(b"\0")[0].decode().rsplit("/", 1)[-1].removeprefix("lt-")
            if name in ("mipvpn-agentd", "mipvpn-nethelper"):
                found[node, name] = int(rows["VmRSS"].split()[0])
    return found


def make_addresses(settings, users):
    """At the mobile nodes' place, and what kernel-libipsec wants to find (before charon starts: it loses events)."""
    lines = [f"addr add {addr}/32 dev lo" for _, addr in users]
    for node in ("fa", "ha"):
        netns.ip_batch(settings.ns(node), lines)
    netns.ip_batch(settings.ns("mn1"), [f"addr add {addr}/32 dev eth0" for _, addr in users])


def make_users(scene, users):
    rows = [f"('{nai}', '{addr}', '{home.wrap(scene.settings, 'alice', 'subscriber:' + nai)}')" for nai, addr in users]
    path = scene.settings.dir / "users.sql"
    path.write_text(f"""BEGIN; SET LOCAL search_path = mipvpn, pg_catalog;
        UPDATE home_agents SET home_prefix = '{HOME_NET}'; UPDATE slas SET home_selector = '{HOME_NET}';
        CREATE TEMP TABLE u (nai text, address inet, key text);
        INSERT INTO u VALUES {','.join(rows)};
        INSERT INTO subscribers (nai, aaa_key, aaa_spi, aaa_algorithm, home_agent, home_address)
            SELECT nai, decode(key, 'hex'), 256, 'hmac-md5', '{t.HA}', address FROM u;
        INSERT INTO sla_users (sla, nai) SELECT 'acme', nai FROM u;
        INSERT INTO vpns (nai, vpnshare, destination, up_class, down_class, up_spi, down_spi)
            SELECT nai, 1, '{t.ENT_NET}', 'EF', 'EF', 5000 + 2 * row_number() OVER (), 5001 + 2 * row_number() OVER ()
            FROM u;
        COMMIT;\n""")
    postgres.psql(scene.settings, files=[path])


def register(scene, nai, addr):
    with mobile.by_hand_at(scene.settings, "mn1", addr, nai, home.key(scene.settings, "alice")) as mn:
        reply = mn.register(10)
    if reply is None or reply.code:
        raise LabError(f"{nai}: {reply and (reply.code, reply.text())}")
