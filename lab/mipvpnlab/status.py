# SPDX-License-Identifier: BSD-3-Clause
"""Draws the nodes of the lab and the tunnels that stand."""
import sys

from . import agents, charon, postgres, procs, topology as t
from .settings import LabError

NAMES = {t.FA: "fa", t.HA: "ha", t.GW: "gw"}
PICTURE = """\
   visited link              core 198.51.100.0/24                enterprise
   10.2.1.0/24                                                   10.9.0.0/24
  mn1 mn2 mn3 ---- [fa .11] {fa_ha} [ha .21] {ha_gw} [gw .31] ---- cn .5
                       |                    |
                   [aaaf .41] --------- [aaah .51] -- PostgreSQL     (hh .5: on ha's home link 10.1.0.0/24)
"""


def tunnels(settings):
    """[(from, to, child)] of all CHILD_SAs, each told once, by its initiator's end."""
    found = []
    for node in t.GATEWAYS:
        try:
            with charon.vici(settings, node) as v:
                found += [(node, NAMES.get(ike["remote-host"], ike["remote-host"]), child)
                          for _, ike, _, child in v.sas() if ike.get("initiator") == "yes"]
        except (OSError, LabError):
            continue
    return found


def _line(standing, a, b):
    return "==IPsec==" if any({x, y} == {a, b} for x, y, _ in standing) else "-" * 9


def picture(settings):
    standing = tunnels(settings)
    return PICTURE.format(fa_ha=_line(standing, "fa", "ha"), ha_gw=_line(standing, "ha", "gw"))


def tunnel_lines(settings):
    """One line per tunnel: ends, selectors, what went through."""
    out = []
    for a, b, c in tunnels(settings):
        ts = f"{','.join(c['local-ts'])} <=> {','.join(c['remote-ts'])}"
        out.append(f"  {a} ==> {b:3} {c['state']:10} {ts:32} {c.get('encr-alg', '?')}-{c.get('encr-keysize', '')}"
                   f"  out {int(c['packets-out']):5} packets {int(c['bytes-out']):8} bytes"
                   f"  in {int(c['packets-in']):5} packets {int(c['bytes-in']):8} bytes")
    return out


def users(settings):
    """Who is on, as the database sees it."""
    return postgres.psql(settings, "SELECT nai || '  ' || home_address || '  at ' || foreign_agent || ', care-of ' || "
                         "care_of || ', ' || vpns || ' VPN' FROM mipvpn.v_online ORDER BY nai").splitlines()


def draw(settings, out=sys.stdout):
    print(picture(settings), file=out)
    running = {}
    for d in procs.recorded(settings):
        running.setdefault(d.node, []).append(d.name if d.alive() else d.name + " (ended)")
    print("nodes", file=out)
    for node, spec in t.NODES.items():
        where = ", ".join(a for _, a in spec.interfaces.values() if a)
        print(f"  {node:5} {where:34} {', '.join(running.get(node, [])) or '-'}", file=out)
    print("\ntunnels" if tunnels(settings) else "\nno tunnel stands", file=out)
    print("\n".join(tunnel_lines(settings)), file=out)
    _safely(out, "users (database)", lambda: users(settings))
    for node, what in (("fa", "visitors"), ("ha", "bindings")):
        _safely(out, f"{what} ({node})", lambda n=node, w=what: agents.ctl(settings, n, "show", w).splitlines())


def _safely(out, title, lines):
    """A part whose source may not run."""
    try:
        got = lines()
    except (LabError, OSError) as e:
        got = [f"not to be had: {str(e).splitlines()[0]}"]
    print(f"\n{title}", file=out)
    print("\n".join("  " + x for x in got) if got else "  none", file=out)
