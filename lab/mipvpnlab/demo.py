# SPDX-License-Identifier: BSD-3-Clause
"""`./demo`: one screen that shows what the system does, from the running parts themselves."""
import sys

from . import agents, status, topology as t
from .report import Report
from .scene import Scene

USERS = (("alice", "mn1"), ("bob", "mn2"), ("carol", "mn3"))
FURTHER = """\
look further (as root, while the lab is up: ./demo --keep)
  lab/status                                     this picture again         lab/down    takes all of it down
  ip netns exec {p}mn1 ping 10.9.0.5             alice's terminal: it has no VPN program
  {ctl} -s {dir}/fa/agentd.ctl show tunnels      also: show status|visitors|vpns|events, drop USER; ha has bindings
  swanctl --list-sas --uri unix://{dir}/ha/charon.vici
  psql -h {dir}/aaah/pg -U postgres mipvpn -c 'TABLE mipvpn.v_tunnels'    v_online, v_user_vpns, v_slas, v_history
  ip netns exec {p}net tshark -ni ha.core0       the wire of the HA: IKE and ESP in UDP, Diameter in TLS
"""


def run(settings, keep=False):
    print("bringing the lab up: 3 mobile nodes, FA, HA, an enterprise's gateway, 2 Diameter servers, PostgreSQL ...",
          flush=True)
    scene = Scene(settings, Report()).start()
    good = _register(scene)
    print(status.picture(settings))
    _show("who is on, by the database (mipvpn.v_online)", status.users(settings))
    good &= _traffic(scene)
    _show("what the foreign agent says (mipvpnctl show visitors)",
          agents.ctl(settings, "fa", "show", "visitors").splitlines())
    print(FURTHER.format(p=settings.prefix, dir=settings.dir, ctl=settings.program("mipvpnctl")))
    if not keep and sys.stdin.isatty() and sys.stdout.isatty():
        input("Enter takes the lab down: ")
    return good


def _show(title, lines):
    print(title)
    print("\n".join("  " + x for x in lines) + "\n")


def _register(scene):
    nodes = [scene.mobile(u, n) for u, n in USERS]
    print("\n".join(f"  {m.user} registers: {m.wait_event('registered') and 'accepted'}" for m in nodes) + "\n", flush=True)
    return len(scene.children("ha")) == 3


def _traffic(scene):
    """The counters of the tunnels before and after pings."""
    _show("tunnels, by charon", status.tunnel_lines(scene.settings))
    rtt = []
    for user, node in USERS[:2]:
        p = scene.ping(node, t.CN, t.HOME[user], count=10)
        rtt.append(f"{user} pings {t.CN} through both tunnels: {p.received} of {p.sent} answered")
    p = scene.ping("hh", t.HOME["carol"], count=10)
    rtt.append(f"a host on the home link pings carol, who has no VPN (IP-in-IP): {p.received} of {p.sent} answered")
    _show("\n  ".join(rtt), [])
    _show("tunnels, after the pings", status.tunnel_lines(scene.settings))
    return all(x.endswith("10 of 10 answered") for x in rtt)
