# SPDX-License-Identifier: BSD-3-Clause
"""F3-more: TCP over ten moves between four foreign agents; moves that come before the one before is done; two moves
of one node at once; a move when the registration runs out. After each, what stands is what has to (E7, F2, F3)."""
import hashlib
import random
import socket
import threading
import time

from .. import agents, expected, mobile, netns, topology as t
from ..scene import standing
from ..wait import wait_for, wait_line
from .moving import Roamer

RATE, BLOCK = 400_000, 8000         # bytes per second, and in one write
ROUTE = ("fb", "fc", "fd", "fa", "fc", "fb", "fd", "fc", "fa", "fb")
PORT = 7000


def run(settings, report):
    report.title("F3-more: TCP over ten moves; quick moves; two at once; a move at expiry")
    users = {"u1": "static", "u2": "dynamic", "u3": "static", "u4": "dynamic"}
    scene = standing(settings, report, pcns=("pcn",), fas=tuple(t.FAS), users=users, mns=6, fa="handoff-lifetime = 4",
                     delay=10)
    before = scene.snapshot()
    a, b = Roamer(scene, "u1", "mn1"), Roamer(scene, "u2", "mn2")
    if report.attempt("u1 registers", a.registered) and report.attempt("u2 registers", b.registered):
        _ten_moves(scene, a)
        expected.check(scene, "after ten moves", {"u1": a.at, "u2": b.at})
        _quick(scene, b)
        expected.check(scene, "after quick moves", {"u1": a.at, "u2": "fc"})
        _at_expiry(scene, {"u1": a.at, "u2": "fc"})
        _two_at_once(scene, {"u1": a.at, "u2": "fc"})
    for m in (a, b):
        report.check(f"{m.user} deregisters", m.mn.stop())
    scene.check_nothing_left("after deregistration", before, 30)
    scene.finish()


# -- TCP

class Stream:
    """One TCP connection from the node to the enterprise, at a bounded rate, both sides sum up what they have seen."""

    def __init__(self, scene, mn, cn="cn", address=t.CN):
        with netns.entered(scene.settings.ns(cn)):
            server = socket.create_server((address, PORT))
        with netns.entered(scene.settings.ns(mn.node)):
            self.client = socket.socket()
            self.client.bind((mn.address, 0))
        self.client.settimeout(30)
        self.client.connect((address, PORT))
        self.peer, _ = server.accept()
        server.close()
        self.peer.settimeout(30)
        self.sent, self.received, self.error, self.ended = 0, 0, None, threading.Event()
        self.sums = hashlib.sha256(), hashlib.sha256()
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self._send, self._receive)]
        for th in self.threads:
            th.start()

    def _send(self):
        try:
            while not self.ended.wait(BLOCK / RATE):
                block = random.randbytes(BLOCK)
                self.client.sendall(block)
                self.sums[0].update(block)
                self.sent += BLOCK
            self.client.shutdown(socket.SHUT_WR)
        except OSError as e:
            self.error = e

    def _receive(self):
        try:
            while got := self.peer.recv(65536):
                self.sums[1].update(got)
                self.received += len(got)
        except OSError as e:
            self.error = e

    def finish(self):
        self.ended.set()
        for th in self.threads:
            th.join(40)
        self.client.close()
        self.peer.close()


def _ten_moves(scene, mn):
    r = scene.report
    tcp = Stream(scene, mn)
    for to in ROUTE:
        if not r.attempt(f"TCP goes on while the node moves to {to}", _move_with, scene, mn, to, tcp):
            break
    tcp.finish()
    r.equal("the connection has not broken", tcp.error, None)
    r.check("and has carried every byte in its order", tcp.sent == tcp.received > 0 and
            tcp.sums[0].digest() == tcp.sums[1].digest(), f"sent {tcp.sent}, received {tcp.received}")


def _move_with(scene, mn, to, tcp):
    mn.cut(to)
    had = tcp.received
    wait_for("TCP to go on", lambda: tcp.received > had + 3 * BLOCK or tcp.error, 20 * scene.settings.slow)
    if tcp.error:
        raise tcp.error
    return True


# -- moves that disturb each other

def _quick(scene, mn):
    """To and fro, each before the last one is done: the link is there until the request is out, then it is gone."""
    for to in ("fb", "fa", "fb", "fc", "fa", "fc"):
        mark = mn.mn.daemon.mark()
        t.plug(scene.settings, mn.node, t.FAS[to].wire)
        # Registering, or nothing to register: it is back where it was.
        scene.report.attempt(f"quick: the node has seen {to}", wait_line, mn.mn.daemon.log,
                             r'"event": ?"(registering|renewed|registered|agent|moved)"', 15 * scene.settings.slow,
                             mark, mn.mn.daemon.alive)
    scene.report.attempt("quick: it ends at fc", _until_at, mn, "fc")


def _until_at(mn, to):
    while mn.at != to:
        mn.registered()
    return True


def _at_expiry(scene, others):
    """The link is away until the registration has all but run out; then the node comes up elsewhere."""
    r = scene.report
    mn = Roamer(scene, "u3", "mn3", lifetime=5)
    if r.attempt("u3 registers for 5 s", mn.registered):
        port = f"{mn.node}.eth0"
        netns.ip("link", "set", port, "down", ns=scene.settings.ns(t.NET))
        r.attempt("its binding is about to expire", wait_for, "the last second of the binding",
                  lambda: _left(scene, mn.address) <= 1, 15 * scene.settings.slow)
        mn.mn.seen = mn.mn.daemon.mark()
        t.plug(scene.settings, mn.node, t.FAS["fb"].wire)
        if r.attempt("at expiry: it registers at fb", mn.registered):
            r.check("at expiry: it reaches the enterprise", wait_for("an answer", lambda: scene.ping(
                mn.node, t.CN, mn.address).received, 10 * scene.settings.slow))
            expected.check(scene, "at expiry", {**others, "u3": mn.at})
    mn.mn.stop()
    expected.check(scene, "and after its end", others)


def _left(scene, address):
    rows = [r["leftSeconds"] for r in agents.rows(scene.settings, "ha", "bindings") if r["homeAddress"] == address]
    return rows[0] if rows else 0


def _two_at_once(scene, others):
    """One node's requests by two foreign agents: the later Identification wins, whatever the order of arrival."""
    import craft
    r, s = scene.report, scene.settings
    nodes = {}
    for fa, node in (("fa", "mn4"), ("fb", "mn5"), ("fc", "mn6")):
        t.plug(s, node, t.FAS[fa].wire)
        nodes[fa] = mobile.by_hand(s, "u4", node, link=t.FAS[fa].link)
    reply = nodes["fa"].register()
    if not r.check("u4, by hand, registers at fa", reply is not None and reply.code == 0, reply and reply.code):
        return
    mn_ha, _ = craft.check_keys(reply, nodes["fa"].key, nodes["fa"].nai)
    # Made in this order, sent in the other.
    how = {"mn_ha": mn_ha, "key_requests": craft.MN_FA_KEY_REQ}
    for fa in ("fb", "fc"):
        nodes[fa].fresh_challenge()
    first, second = (nodes[fa].request(**how, challenge=nodes[fa].challenge) for fa in ("fb", "fc"))
    now = time.time()
    first.identification, second.identification = craft.ident(now), craft.ident(now + 0.2)
    nodes["fc"].send(second.build())
    nodes["fb"].send(first.build())
    replies = {fa: nodes[fa].reply(10) for fa in ("fc", "fb")}
    r.check("two at once: the later one is granted", replies["fc"] is not None and replies["fc"].code == 0,
            {k: v and (v.code, v.text()) for k, v in replies.items()})
    expected.check(scene, "two at once", {**others, "u4": "fc"})
    bye = nodes["fc"].request(lifetime=0, mn_ha=mn_ha, key_requests=False)
    reply = nodes["fc"].exchange(bye.build())
    r.check("and can be ended", reply is not None and reply.code == 0, reply and (reply.code, reply.text()))
    for n in nodes.values():
        n.close()
    expected.check(scene, "after its end", others)
