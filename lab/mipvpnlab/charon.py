# SPDX-License-Identifier: BSD-3-Clause
"""strongSwan in the lab: one charon-systemd per gateway, ESP in user space (kernel-libipsec) or by the kernel, VICI socket
in the node's directory.  Only the enterprise's gateway gets a configuration; on FA and HA the agent loads what it wants."""
import subprocess

from . import procs
from .settings import LabError
from .vici import Vici
from .wait import wait_socket

CHARON = "/usr/sbin/charon-systemd"
# kernel-libipsec has to stand before kernel-netlink.
PLUGINS = "random nonce openssl kdf pem pkcs1 pkcs8 pubkey x509 {libipsec}kernel-netlink socket-default vici updown"

CONF = """\
charon-systemd {{
    load_modular = no
    load = {plugins}
    threads = 32
    dos_protection = no
    half_open_timeout = 8
    retransmit_timeout = {retransmit}
    retransmit_base = 1.5
    retransmit_tries = 5
    plugins {{
        vici {{
            socket = unix://{dir}/charon.vici
        }}
        kernel-libipsec {{
            allow_peer_ts = yes
        }}
    }}
    journal {{
        default = -1
    }}
    filelog {{
        main {{
            path = {dir}/charon.log
            time_format = %s
            time_add_ms = yes
            default = 1
            flush_line = yes
        }}
    }}
}}
"""


def socket_path(settings, node):
    return settings.node_dir(node) / "charon.vici"


def vici(settings, node, events=()):
    return Vici(socket_path(settings, node), events)


def launch(settings, node):
    """Starts charon on a node; it takes VICI connections when wait_ready() returns."""
    where = settings.node_dir(node)
    plugins = PLUGINS.format(libipsec="" if settings.xfrm else "kernel-libipsec ")
    (where / "strongswan.conf").write_text(CONF.format(plugins=plugins, dir=where, retransmit=2.0 if settings.emulated else 0.5))
    (where / "charon.log").unlink(missing_ok=True)
    socket_path(settings, node).unlink(missing_ok=True)
    return procs.start(settings, "charon", node, [CHARON], {"STRONGSWAN_CONF": str(where / "strongswan.conf")})


def wait_ready(settings, daemon):
    wait_socket(socket_path(settings, daemon.node), 10 * settings.slow, daemon.alive)


def load_static(settings, node, text):
    """Loads a swanctl.conf as an administrator would."""
    conf = settings.node_dir(node) / "swanctl.conf"
    conf.write_text(text)
    conf.chmod(0o600)
    swanctl(settings, node, "--load-all", "--noprompt", "--file", conf)


def swanctl(settings, node, *args):
    cmd = ["swanctl", args[0], "--uri", f"unix://{socket_path(settings, node)}", *map(str, args[1:])]
    env = {"STRONGSWAN_CONF": str(settings.node_dir(node) / "strongswan.conf"), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    p = subprocess.run(cmd, capture_output=True, text=True, timeout=60, env=env, stdin=subprocess.DEVNULL)
    if p.returncode:
        raise LabError(f"{' '.join(cmd)}: {p.stderr.strip() or p.stdout.strip()}")
    return p.stdout


CONN = """\
    {name} {{
        version = 2
        local_addrs = {local}
        remote_addrs = {remote}
        proposals = {proposals}
        reauth_time = 0
        mobike = no
        local {{
            auth = psk
            id = {local_id}
        }}
        remote {{
            auth = psk
            id = {remote_id}
        }}
        children {{
            {name} {{
                local_ts = {local_ts}
                remote_ts = {remote_ts}
                esp_proposals = aes128gcm16-curve25519
                replay_window = 256
            }}
        }}
    }}
"""


IKE_PROPOSAL = "aes128gcm16-prfsha256-curve25519"


def conn(name, local, remote, ids, ts, proposals=IKE_PROPOSAL):
    """One connection of a swanctl.conf; ids and ts are (local, remote), proposals those of IKE."""
    return CONN.format(name=name, local=local, remote=remote, local_id=ids[0], remote_id=ids[1],
        local_ts=ts[0], remote_ts=ts[1], proposals=proposals)


def swanctl_conf(conns, secrets):
    """conns: texts of conn(); secrets: [(name, (id, id), secret)]."""
    out = "connections {\n" + "".join(conns) + "}\nsecrets {\n"
    for name, (a, b), secret in secrets:
        out += f"\tike-{name} {{\n\t\tid-a = {a}\n\t\tid-b = {b}\n\t\tsecret = {secret}\n\t}}\n"
    return out + "}\n"
