# SPDX-License-Identifier: BSD-3-Clause
"""What the scenarios with proxy correspondent nodes ask of a lab."""
import socket

from .. import agents, charon, decode, netns, topology as t
from ..wait import wait_for

ERIN, FRANK = t.HOME["erin"], t.HOME["frank"]
BINDING = "mipbinding && !mipbinding.malformed"


def counter(scene, node, name):
    return int(agents.counters(scene.settings, node).get(name, 0))


def wait_counter(scene, node, name, least, seconds=5):
    wait_for(f"{name} at {node} to be {least}", lambda: counter(scene, node, name) >= least, seconds * scene.settings.slow)


def stands(scene, node, peer):
    return scene.child_towards(node, peer) is not None


def wait_tunnel(scene, node, peer, up=True, seconds=20):
    what = f"tunnel of {node} with {peer} to be {'there' if up else 'gone'}"
    wait_for(what, lambda: stands(scene, node, peer) == up, seconds * scene.settings.slow)


def identity(scene, node):
    """What names each security association of a node: the same before and after means undisturbed."""
    with charon.vici(scene.settings, node) as v:
        return sorted((name, ike["uniqueid"], child["uniqueid"], child["spi-in"]) for name, ike, _, child in v.sas())


def loaded(scene, node):
    with charon.vici(scene.settings, node) as v:
        return v.conns(), sorted(v.secrets())


def mac(scene, node, interface="core0"):
    return netns.ip("-br", "link", "show", interface, ns=scene.settings.ns(node)).split()[2]


def updates(pcap, more=""):
    """(time, source, destination, identification, lifetime) of each Binding Update, once per message on the wire."""
    flt = f'{BINDING} && mipbinding.type == 18 && frame.interface_name == "ha.core0" {more}'
    rows = decode.fields(pcap, flt, "frame.time_epoch", "ip.src", "ip.dst", "mipbinding.ident", "mipbinding.lifetime")
    return [(float(when), src, dst, ident, int(life)) for when, src, dst, ident, life in rows]


class Ear:
    """Hears every UDP datagram that reaches a node, whoever it is for."""

    def __init__(self, scene, node):
        with netns.entered(scene.settings.ns(node)):
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def drain(self):
        """Everything that was heard, as (source, payload)."""
        heard = []
        self.sock.setblocking(False)
        try:
            while True:
                heard.append(_payload(self.sock.recv(65536)))
        except BlockingIOError:
            return heard

    def wait(self, wanted, seconds):
        """The first payload that wanted() gives something for; what it gave, None after the time."""
        import time
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.sock.settimeout(max(end - time.monotonic(), 0.001))
            try:
                got = wanted(*_payload(self.sock.recv(65536)))
            except socket.timeout:
                return None
            if got is not None:
                return got
        return None


def _payload(packet):
    head = (packet[0] & 15) * 4
    return socket.inet_ntoa(packet[12:16]), packet[head + 8:]
