# SPDX-License-Identifier: BSD-3-Clause
"""`./demo`: one screen that shows what the system does, from the running parts themselves."""
import sys

from . import agents, postgres, status, topology as t
from .report import Report
from .scene import Scene

USERS = (("alice", "mn1"), ("bob", "mn2"), ("carol", "mn3"))
PINGS = 10
PATHS = """SELECT nai || '  VPN ' || vpn || ':  ' || from_gateway || ' => ' || to_gateway || '  ' || security ||
coalesce(', contract ' || sla, '') || ', TOS up ' || tos_up || ' down ' || tos_down
FROM mipvpn.v_tunnels ORDER BY nai, vpn, kind"""
FURTHER = """\
look further, as root ({keep})
  lab/status                                  the picture again; lab/down takes all of it down
  ip netns exec {p}mn1 ping {cn}          alice's terminal: no VPN program runs there
  {ctl} -s {dir}/fa/agentd.ctl show tunnels   or status, visitors, vpns, events; explain, drop USER
  swanctl --list-sas --uri unix://{dir}/ha/charon.vici
  psql -h {dir}/aaah/pg -U postgres mipvpn -c 'TABLE mipvpn.v_tunnels'    also v_online, v_user_vpns, v_slas
  ip netns exec {p}net tshark -ni ha.core0    the wire of the HA: IKE and ESP in UDP, Diameter in TLS"""


def run(settings, keep=False):
    print("bringing the lab up: 3 mobile nodes, FA, HA, an enterprise's gateway, 2 Diameter servers, PostgreSQL ...",
          flush=True)
    scene = Scene(settings, Report()).start()
    nodes = [scene.mobile(u, n) for u, n in USERS]
    for m in nodes:
        got = m.wait_event("registered")
        print(f"  {m.user}: {got['text']}", flush=True)
    print("\n" + status.picture(settings))
    good = _traffic(scene)
    _database(scene)
    stays = "the lab stays up" if keep else "with ./demo --keep the lab stays up"
    print(FURTHER.format(p=settings.prefix, dir=settings.dir, ctl=settings.program("mipvpnctl"), cn=t.CN, keep=stays))
    if not keep and sys.stdin.isatty() and sys.stdout.isatty():
        input("Enter takes the lab down: ")
    return good


def _tunnels(scene):
    """{(from, to, selectors): (packets out, packets in)} of every tunnel, by charon."""
    return {(a, b, f"{c['local-ts'][0]} <=> {c['remote-ts'][0]}", c["encr-alg"]):
            (int(c["packets-out"]), int(c["packets-in"])) for a, b, c in status.tunnels(scene.settings)}


def _traffic(scene):
    """Pings, and what they did to the counters."""
    before = _tunnels(scene)
    pings = [(f"{u} pings {t.CN}", scene.ping(n, t.CN, t.HOME[u], count=PINGS)) for u, n in USERS[:2]]
    pings.append(("a host on the home link pings carol, who has no VPN",
                  scene.ping("hh", t.HOME["carol"], count=PINGS)))
    after = _tunnels(scene)
    print("tunnels, by charon, before and after the pings          packets out    packets in")
    for key in sorted(after, key=lambda k: (k[0] != "fa", k[2])):
        a, b, selectors, algorithm = key
        (out0, in0), (out1, in1) = before.get(key, (0, 0)), after[key]
        print(f"  {a} => {b}  {selectors:30} {algorithm:12} {out0:4} -> {out1:<4}   {in0:4} -> {in1:<4}")
    print("\n".join(f"  {what}: {p.received} of {p.sent} answered" for what, p in pings) + "\n")
    return len(after) == 3 and all(p.all() for _, p in pings)


def _database(scene):
    s = scene.settings
    print("who is on, by the database (mipvpn.v_online) and by the foreign agent (mipvpnctl show visitors)")
    print("\n".join("  " + x for x in status.users(s)))
    print("\n".join("  " + x for x in agents.ctl(s, "fa", "show", "visitors").splitlines()))
    paths = postgres.psql(s, PATHS)
    print("which path the AAAH decided (mipvpn.v_tunnels)")
    print("\n".join("  " + x for x in paths.splitlines()) + "\n")
