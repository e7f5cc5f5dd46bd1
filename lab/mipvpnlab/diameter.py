# SPDX-License-Identifier: BSD-3-Clause
"""freeDiameterd for AAAF and AAAH, and the Diameter side of the agents: configuration, start, peers."""
import os
import shutil
from dataclasses import dataclass

from . import procs, topology
from .settings import USER
from .wait import wait_line

FDEXT = "/usr/lib/freeDiameter"


@dataclass(frozen=True)
class Identity:
    host: str
    realm: str
    address: str


IDENTITIES = {
    "fa": Identity("fa.visited.test", "visited.test", topology.FA),
    "fb": Identity("fb.visited.test", "visited.test", topology.FAS["fb"].care_of),
    "aaaf": Identity("aaaf.visited.test", "visited.test", topology.AAAF),
    "fc": Identity("fc.visited2.test", "visited2.test", topology.FAS["fc"].care_of),
    "fd": Identity("fd.visited2.test", "visited2.test", topology.FAS["fd"].care_of),
    "aaaf2": Identity("aaaf2.visited2.test", "visited2.test", topology.AAAF2),
    "aaah": Identity("aaah.home.test", "home.test", topology.AAAH),
    "ha": Identity("ha.home.test", "home.test", topology.HA),
}
# Who connects to whom. Agents are clients; each server lets in who is on its list.
CONNECTS = {"fa": ["aaaf"], "fb": ["aaaf"], "fc": ["aaaf2"], "fd": ["aaaf2"], "aaaf": ["aaah"], "aaaf2": ["aaah"],
            "aaah": [], "ha": ["aaah"]}
ADMITS = {"aaaf": ["fa", "fb", "aaah"], "aaaf2": ["fc", "fd", "aaah"], "aaah": ["aaaf", "aaaf2", "ha"]}
# A realm other than the peer's own goes where a server says.
ROUTES = {"aaaf": [('*', "aaah")], "aaaf2": [('*', "aaah")],
          "aaah": [('dr="visited.test"', "aaaf"), ('dr="visited2.test"', "aaaf2")]}
FIRST = ("fa", "aaaf", "aaah", "ha")    # the nodes of every lab


def hosts(nodes=FIRST):
    return [IDENTITIES[n].host for n in nodes]


def _own_part(settings, node, tls):
    me = IDENTITIES[node]
    out = [f'Identity = "{me.host}";', f'Realm = "{me.realm}";', "No_SCTP;", "No_IPv6;", "TcTimer = 6;", "TwTimer = 6;",
        f'ListenOn = "{me.address}";']
    out += ["Port = 0;", "SecPort = 5868;"] if tls else ["Port = 3868;", "SecPort = 0;"]
    creds = settings.dir / "tls"
    # freeDiameter wants credentials even where no peer uses them.
    out += [f'TLS_Cred = "{creds}/{me.host}.crt", "{creds}/{me.host}.key";', f'TLS_CA = "{creds}/ca.crt";',
        f'TLS_DH_File = "{creds}/dh.pem";']
    return out


def _peers(node, tls):
    out = []
    for other in CONNECTS[node]:
        peer = IDENTITIES[other]
        how = "Port = 5868;" if tls else "No_TLS; Port = 3868;"
        out.append(f'ConnectPeer = "{peer.host}" {{ ConnectTo = "{peer.address}"; {how} No_SCTP; '
                   f'Realm = "{peer.realm}"; }};')
    return out


def write_agent_conf(settings, node, tls=True):
    """The file that the agent's libfdcore reads; returns its path."""
    conf = settings.node_dir(node) / "freediameter.conf"
    _write(conf, _own_part(settings, node, tls) + ["NoRelay;"] + _peers(node, tls))
    return conf


def write_server_conf(settings, node, extensions, tls=True):
    """extensions: lines `LoadExtension = ...;` after the built-in ones."""
    where = settings.node_dir(node)
    allow = "" if tls else "ALLOW_IPSEC "
    _write(where / "acl_wl.conf", [f"{allow}{IDENTITIES[o].host}" for o in ADMITS[node]])
    _write(where / "rt_default.conf", [f'{which} : "{IDENTITIES[to].host}" += 30;' for which, to in ROUTES[node]])
    lines = _own_part(settings, node, tls)
    lines += [f'LoadExtension = "{FDEXT}/acl_wl.fdx" : "{where}/acl_wl.conf";',
        f'LoadExtension = "{FDEXT}/rt_default.fdx" : "{where}/rt_default.conf";']
    _write(where / "freediameter.conf", lines + extensions + _peers(node, tls))
    return where / "freediameter.conf"


def _write(path, lines):
    path.write_text("\n".join(lines) + "\n")
    shutil.chown(path, group=USER)
    os.chmod(path, 0o640)


def launch(settings, node, env=None):
    conf = settings.node_dir(node) / "freediameter.conf"
    return procs.start(settings, "freediameter", node, ["/usr/bin/freeDiameterd", "-c", conf], env)


def wait_started(settings, daemon):
    wait_line(daemon.log, r"freeDiameterd daemon initialized", 20 * settings.slow, alive=daemon.alive)


def wait_peer(settings, daemon, other, start=0):
    """Waits until the connection to another node is open, by this daemon's own log."""
    host = IDENTITIES[other].host.replace(".", r"\.")
    return wait_line(daemon.log, rf"-> 'STATE_OPEN'.*{host}", 30 * settings.slow, start, daemon.alive)
