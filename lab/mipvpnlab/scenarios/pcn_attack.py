# SPDX-License-Identifier: BSD-3-Clause
"""The attack part of F4: binding messages that no home agent and no PCN would send, from a host on the core that lies about
its address.  tests/mip/binding.py makes them with cryptography of its own, and knows the master key where a case needs to
get behind the authenticator.  Each is refused with the right status or with silence, is counted, and changes nothing."""
import socket
import time

from .. import agents, home, netns, topology as t
from .pcns import Ear, counter, loaded, wait_counter

HOME, NUMBER, CONTEXT = "10.1.0.99", 99, "attack-1"
PAUSE = 1.05    # the PCN answers a bounded number of refusals in a second
IP_TRANSPARENT = 19


def run(scene):
    import binding
    master = home.key(scene.settings, "pcn")
    good = binding.Update(HOME, t.FA, t.HA, NUMBER, CONTEXT, master, profile=_profile(binding))
    with binding.Forger(lambda: netns.entered(scene.settings.ns("aaaf"))) as forger, Ear(scene, "ha") as ear:
        a = Attack(scene, binding, forger, ear, master)
        for case in _cases(binding, good):
            a.case(*case)
        a.accepted(good)
        a.every_length(good)
        a.every_byte(good)
        a.oversized(good)
        a.deletes(good)
        _requests(scene, binding, forger)


def _profile(binding, number=NUMBER, net=t.PCN_NET, fa=t.FA, pcn=t.PCN, hoa=HOME, **kw):
    return binding.profile(number, hoa, net, fa, pcn, **kw)


def _cases(binding, good):
    """(what, update, status or None for silence, counter, source, destination)"""
    b, now = binding, time.time()
    unknown = b.struct.pack("!BBHIH", b.CRITICAL, 0, 6, 4711, 1)
    return (
        ("a forged authenticator", good.but(auth_key=b"\0" * 32), b.AUTH, "bad_authenticator"),
        ("another master key", good.but(master=b"\x55" * 32), b.AUTH, "bad_authenticator"),
        ("the key of another session", good.but(auth_key=b.keys(good.master, t.HA, "other")[0]), b.AUTH, "bad_authenticator"),
        ("a seal of another key", good.but(seal_key=b"\x55" * 32), b.POOR, "bad_profile"),
        ("no Identification", good.but(flags=b.A), b.IDENT, "no_identification"),
        ("an Identification of a minute ago", good.but(ident=b.ident(now - 60)), b.IDENT, "stale"),
        ("an Identification of the next minute", good.but(ident=b.ident(now + 60)), b.IDENT, "stale"),
        ("a profile for another gateway", good.but(profile=_profile(b, pcn=t.PCN2)), b.PROHIBITED, "other_gateway"),
        ("a destination behind another gateway", good.but(profile=_profile(b, net=t.PCN2_NET)), b.PROHIBITED, "other_prefix"),
        ("a destination wider than the gateway's", good.but(profile=_profile(b, net="203.0.112.0/22")), b.PROHIBITED,
         "other_prefix"),
        ("another profile than is said", good.but(profile=_profile(b, number=98)), b.POOR, "other_profile"),
        ("another mobile node's profile", good.but(profile=_profile(b, hoa="10.1.0.98")), b.POOR, "other_profile"),
        ("another foreign agent's profile", good.but(profile=_profile(b, fa=t.GW)), b.POOR, "other_profile"),
        ("an unknown critical extension", good.but(before_auth=unknown), b.POOR, "cvse"),
        ("another kind of authentication", good.but(subtype=201), None, "no_authenticator"),
        ("another sender than the key's", good, None, "other_sender", t.AAAF),
    )


class Attack:
    def __init__(self, scene, binding, forger, ear, master):
        self.scene, self.report, self.b = scene, scene.report, binding
        self.forger, self.ear, self.master = forger, ear, master

    def _ack(self, ident, seconds=3):
        def mine(_, payload):
            ack = self.b.parse_ack(payload, self.master)
            return ack if ack and ack.ident == ident else None
        return self.ear.wait(mine, seconds * self.scene.settings.slow)

    def case(self, what, update, status, name, src=t.HA, dst=t.CN2, rarely=None):
        """One bad Binding Update. status: of the answer, None = silence; rarely: a status that may come instead of it, when the
        allowance for refusals has grown again."""
        r, before = self.report, counter(self.scene, "pcn", f"pcn.bu.{name}")
        update = update.but(ident=update.ident or self.b.ident())
        self.forger.send(src, dst, update.build())
        if status is None:
            wait_counter(self.scene, "pcn", f"pcn.bu.{name}", before + 1)
            ack = self._ack(update.ident, 0.3)
            r.check(f"{what}: silence", ack is None or ack.status == rarely, ack)
        else:
            ack = self._ack(update.ident if update.flags & self.b.I else 0)
            r.equal(f"{what}: status", ack and ack.status, status)
        r.check(f"{what}: counted", counter(self.scene, "pcn", f"pcn.bu.{name}") == before + 1)

    def accepted(self, good):
        """What is right is taken, whoever wrote the program; once."""
        r, update = self.report, good.but(ident=self.b.ident())
        raw = update.build()
        self.forger.send(t.HA, t.CN2, raw)
        ack = self._ack(update.ident)
        r.check("a right one of another program is accepted", ack and ack.status == self.b.OK and ack.authentic and
                ack.number == NUMBER, ack)
        conns = loaded(self.scene, "pcn")
        r.equal("its connection and secret are loaded", [len(x) for x in conns], [1, 1])
        taken = counter(self.scene, "pcn", "pcn.bu.taken")
        self.forger.send(t.HA, t.CN2, raw)
        ack = self._ack(update.ident)
        r.check("replayed, it is answered again", ack is not None and ack.status == self.b.OK, ack)
        earlier = update.but(ident=update.ident - (1 << 32))
        self.forger.send(t.HA, t.CN2, earlier.build())
        ack = self._ack(earlier.ident)
        r.equal("an earlier Identification: status", ack and ack.status, self.b.IDENT)
        r.equal("and neither is taken", (counter(self.scene, "pcn", "pcn.bu.taken"), loaded(self.scene, "pcn")), (taken, conns))

    def _send_all(self, messages):
        """Many, no more at once than a socket buffer holds; returns after the PCN has looked at the last one."""
        before = counter(self.scene, "pcn", "pcn.bu.received")
        for i in range(0, len(messages), 50):
            for m in messages[i:i + 50]:
                self.forger.send(t.HA, t.CN2, m)
            wait_counter(self.scene, "pcn", "pcn.bu.received", before + min(i + 50, len(messages)), 20)

    def _unmoved(self, what, messages, idents):
        rows, taken = agents.rows(self.scene.settings, "pcn", "vpns"), counter(self.scene, "pcn", "pcn.bu.taken")
        conns = loaded(self.scene, "pcn")
        self.ear.drain()
        self._send_all(messages)
        acks = [self.b.parse_ack(p, self.master) for _, p in self.ear.drain()]
        wrong = [a for a in acks if a and a.ident in idents and a.status < 128]
        self.report.equal(f"{what}: none is accepted", (counter(self.scene, "pcn", "pcn.bu.taken"), wrong), (taken, []))
        now = agents.rows(self.scene.settings, "pcn", "vpns"), loaded(self.scene, "pcn")
        self.report.check(f"{what}: nothing has changed", _names(now[0]) == _names(rows) and now[1] == conns)

    def every_length(self, good):
        update = good.but(ident=self.b.ident())
        raw = update.build()
        self._unmoved(f"cut at each of its {len(raw)} lengths", [raw[:n] for n in range(1, len(raw))], {update.ident})

    def every_byte(self, good):
        update = good.but(ident=self.b.ident())
        raw = update.build()
        # Not the first: that would be another message, which nobody looks at here.
        spoilt = [raw[:i] + bytes([raw[i] ^ 1]) + raw[i + 1:] for i in range(1, len(raw))]
        self._unmoved("each byte of it spoilt", spoilt, {update.ident})

    def oversized(self, good):
        """Padded with extensions that may be skipped, to what one frame carries; and beyond what a message may have."""
        raw = good.but(ident=self.b.ident()).build()
        self._unmoved("padded to 1,400 bytes", [raw + bytes([200, 250]) + bytes(250) + bytes([200, 255]) + bytes(255)], set())
        with netns.entered(self.scene.settings.ns("aaaf")):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
        s.bind((t.HA, 434))
        taken = counter(self.scene, "pcn", "pcn.bu.taken")
        for size in (4096, 4097, 20000, 65000):
            s.sendto(raw + bytes([255]) * (size - len(raw)), (t.CN2, 434))
        s.close()
        self.case("after oversized ones, a forged one", good.but(auth_key=b"\0" * 32), None, "received", rarely=self.b.AUTH)
        self.report.equal("oversized ones are not taken", counter(self.scene, "pcn", "pcn.bu.taken"), taken)

    def deletes(self, good):
        r = self.report
        forged = good.but(profile=b"", lifetime=0, auth_key=b"\0" * 32)
        before = loaded(self.scene, "pcn")
        time.sleep(PAUSE)   # wall clock of the PCN's allowance
        self.case("a forged deletion", forged, self.b.AUTH, "bad_authenticator")
        r.equal("deletes nothing", loaded(self.scene, "pcn"), before)
        update = good.but(profile=b"", lifetime=0, ident=self.b.ident())
        self.forger.send(t.HA, t.CN2, update.build())
        ack = self._ack(update.ident)
        r.check("a right deletion is acknowledged", ack is not None and ack.status == self.b.OK, ack)
        from ..wait import wait_for
        r.attempt("and takes connection and secret away",
                  lambda: wait_for("conns to go", lambda: loaded(self.scene, "pcn") == ([], []), 5))


def _names(rows):
    return sorted(str(x.get("session", x)) for x in rows)


def _requests(scene, binding, forger):
    """Binding Requests and acknowledgements that nobody asked for, to the home agent: all that they can do is to make it
    repeat what is true, and not often."""
    r, erin = scene.report, t.HOME["erin"]
    raw = binding.request(erin, t.HA, 5, "attack-1", b"\0" * 32)
    sent = counter(scene, "ha", "ha.bu.sent")
    for _ in range(3):
        for n in range(1, len(raw) + 1):
            forger.send(t.CN2, t.HA, raw[:n])
        forger.send(t.AAAF, t.HA, raw)
        forger.send("203.0.113.77", t.HA, bytes([binding.ACK]) + raw[1:])
    wait_counter(scene, "ha", "ha.ba.not_authentic", 1)
    more = counter(scene, "ha", "ha.bu.sent") - sent
    r.check("hundreds of forged Binding Requests: the home agent repeats itself a few times at most", more <= 4, f"{more} updates")
    r.check("and all its bindings are as they were", erin in agents.ctl(scene.settings, "ha", "show", "bindings"))
