# SPDX-License-Identifier: BSD-3-Clause
"""Many mobile nodes by hand at one node's interface, all at the same time: messages by tests/mip, no code of ours.
Each sends again by itself as RFC 5944 3.6.3 wants it (after 1 s, doubling, a new Identification each time), and comes
again when it is refused, as any mobile node does."""
import random
import selectors
import sys
import time

from . import netns, topology as t
from .settings import TOP
from .wait import Deadline

sys.path.insert(0, str(TOP / "tests" / "mip"))

FIRST, MOST = 1.0, 16.0     # s between transmissions
BACK = 2.0                  # s after a refusal, doubling


class Walker:
    """One of them.  state: asking, on, off, or a text that says what is wrong with a reply."""

    def __init__(self, nai, address, key, node):
        self.nai, self.address, self.key, self.node = nai, address, key, node
        self.state, self.at, self.wait, self.back = "off", 0.0, FIRST, BACK
        self.taken = -1     # which of the requests has been granted
        self.lifetime, self.keys, self.codes, self.sent = 600, None, [], {}

    def start(self, now, lifetime):
        self.lifetime, self.state, self.at, self.wait, self.back = lifetime, "asking", now, FIRST, BACK
        self.codes, self.sent, self.taken = [], {}, -1

    def send(self, crowd, now):
        more = {"lifetime": self.lifetime}
        if not self.lifetime:
            more.update(key=None, key_requests=False, mn_ha=self.keys[0], mn_fa=self.keys[1])
        challenge = self.node.challenge if self.node.heard > crowd.heard else crowd.challenge
        if challenge in self.node.spent:
            challenge = crowd.challenge
        self.node.care_of = crowd.care_of
        request = self.node.request(challenge=challenge, **more)
        self.node.send(request.build())
        self.sent[request.identification & 0xFFFFFFFF] = now
        self.at, self.wait = now + self.wait, min(self.wait * 2, MOST)

    def take(self, raw, now):
        """A reply; one that is not to the newest request counts when it says yes, and of two the one to the later request
        does, as in mipvpn-mn: both have keys, and the agents go by the later one."""
        import craft
        reply = craft.parse_reply(raw)
        asked = list(self.sent)
        if reply.identification & 0xFFFFFFFF not in self.sent:
            return
        which = asked.index(reply.identification & 0xFFFFFFFF)
        later = self.state == "on" and which > self.taken and reply.code in (0, 1)
        if self.state != "asking" and not later:
            return
        if reply.challenge():
            self.node.challenge, self.node.heard = reply.challenge(), now
        if reply.code in (0, 1):
            self.taken = which
            self._accepted(reply)
        elif which == len(asked) - 1:
            self.codes.append(reply.code)
            self.at, self.wait = now + self.back * random.uniform(0.75, 1.25), FIRST
            self.back = min(self.back * 2, MOST)

    def _accepted(self, reply):
        import craft
        if not self.lifetime:
            self.state, self.keys = "off", None
            return
        try:
            self.keys = craft.check_keys(reply, self.key, self.nai)
            self.state = "on"
        except ValueError as e:
            self.state = str(e)


class Crowd:
    """users: [(nai, home address, key)], at the lab's node of that name."""

    def __init__(self, settings, node, users):
        self.settings, self.node = settings, node
        self.selector, self.challenge, self.care_of, self.heard = selectors.DefaultSelector(), None, None, 0.0
        from node import HandNode
        ns = settings.ns(node)
        netns.ip_batch(ns, [f"addr add {address}/32 dev eth0" for _, address, _ in users] +
                       [f"route replace default via {t.FA_LINK} dev eth0 onlink"])
        self.walkers = []
        for nai, address, key in users:
            hand = HandNode(lambda: netns.entered(ns), address, t.FA_LINK, nai, key, t.HA)
            self.walkers.append(Walker(nai, address, key, hand))
            self.selector.register(hand.udp, selectors.EVENT_READ, self.walkers[-1])
        self.ears = self.walkers[0].node     # one hears the advertisements for all of them
        for w in self.walkers[1:]:
            w.node.icmp.close()
        self.selector.register(self.ears.icmp, selectors.EVENT_READ, None)

    def close(self):
        self.selector.close()
        for w in self.walkers:
            w.node.close()

    def start(self, lifetime=600, spread=0.0):
        """All begin, one after the other within so many seconds: with lifetime 0 to deregister."""
        if self.challenge is None:
            self.ears.advertisement()
            self._hear(self.ears.challenge, self.ears.care_of)
        for i, w in enumerate(self.walkers):
            w.start(time.monotonic() + spread * i / len(self.walkers), lifetime)

    def run(self, until, seconds):
        """Sends, receives and repeats until until(crowd) is true; False when it is not within so many seconds."""
        deadline = Deadline(seconds * self.settings.slow)
        while not until(self):
            if deadline.over():
                return False
            self._turn(min(0.02, deadline.left()))
        return True

    def count(self, state):
        return sum(w.state == state for w in self.walkers)

    def _hear(self, challenge, care_of):
        self.challenge, self.care_of, self.heard = challenge, care_of, time.monotonic()

    def _turn(self, seconds):
        now = time.monotonic()
        for w in self.walkers:
            if w.state == "asking" and w.at <= now:
                w.send(self, now)
                self._receive(0)
        self._receive(seconds)

    def _receive(self, seconds):
        import craft
        for key, _ in self.selector.select(seconds):
            raw = key.fileobj.recv(4096)
            if key.data:
                key.data.take(raw, time.monotonic())
                continue
            adv = craft.parse_advertisement(raw)
            if adv and adv.source == t.FA_LINK:
                self._hear(adv.challenge, adv.care_of[0])
