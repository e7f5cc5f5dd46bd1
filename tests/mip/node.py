# SPDX-License-Identifier: BSD-3-Clause
"""A mobile node made by hand: sockets in a namespace, and craft.py's messages.  It sends what a real one would never
send, and tells what came back."""
import socket
import struct
import time

import craft

SOLICITATION = struct.pack("!BBHI", 10, 0, 0xF5FF, 0)


class HandNode:
    """enter: context manager factory that puts the thread into the node's network namespace."""

    def __init__(self, enter, home, agent, nai, key, home_agent):
        self.home, self.agent, self.nai, self.key, self.home_agent = home, agent, nai, key, home_agent
        with enter():
            self.icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind((home, 0))
        self.udp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 255)
        self.icmp.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
        self.challenge, self.care_of = None, None
        self.spent, self.last_sent, self.heard = set(), 0.0, 0.0

    def close(self):
        self.icmp.close()
        self.udp.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def advertisement(self, seconds=3, solicit=True):
        """The next advertisement of the agent; its challenge is kept for the next request."""
        self._drain(self.icmp)
        if solicit:
            self.icmp.sendto(SOLICITATION, (self.agent, 0))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.icmp.settimeout(max(end - time.monotonic(), 0.001))
            try:
                packet = self.icmp.recv(2048)
            except socket.timeout:
                break
            adv = craft.parse_advertisement(packet)
            if adv and adv.source == self.agent:
                self.challenge, self.care_of, self.heard = adv.challenge, adv.care_of[0], time.monotonic()
                return adv
        raise TimeoutError(f"no advertisement from {self.agent} within {seconds} s")

    @staticmethod
    def _drain(sock):
        sock.setblocking(False)
        try:
            while True:
                sock.recv(4096)
        except BlockingIOError:
            pass

    def fresh_challenge(self, seconds=5):
        """A challenge that was in no request yet: the last reply's, or the next advertisement's that has a new one.
        An agent takes the last few only, so one that is a second old is left."""
        self._pace()
        end = time.monotonic() + seconds
        if self.care_of is None or self.challenge in self.spent or self.heard + 1 < time.monotonic():
            self.advertisement()
        while self.challenge in self.spent and time.monotonic() < end:
            self.advertisement(solicit=False)
        return self.challenge

    def move(self, agent):
        """The agent of another link, on which the node is now; returns the care-of address of the one before."""
        before = self.care_of
        self.agent, self.care_of, self.last_sent = agent, None, 0.0
        return before

    def request(self, previous_fa=None, mn_fa=None, **changes):
        """A request as a good node would make it, with changes.  With previous_fa, a care-of address, and the MN-FA
        association of that foreign agent in mn_fa = (SPI, key, algorithm) it is that of a move: extension 96 for 10 s, MN-HA
        (give mn_ha), MN-AAA, and a request for an MN-FA key only."""
        if previous_fa:
            changes.setdefault("previous", (previous_fa, 10, *mn_fa))
            changes.setdefault("key_requests", craft.MN_FA_KEY_REQ)
        elif mn_fa:
            changes["mn_fa"] = mn_fa
        if "challenge" not in changes:
            self.fresh_challenge()
        fields = dict(home=self.home, agent=self.home_agent, care_of=self.care_of, nai=self.nai,
                      challenge=self.challenge, key=self.key)
        fields.update(changes)
        if fields["challenge"]:
            self.spent.add(fields["challenge"])
        return craft.Request(**fields)

    def _pace(self):
        """RFC 5944 3.6.3: a node sends a request once a second at most, and an agent need not answer more."""
        left = self.last_sent + 1.05 - time.monotonic()
        if left > 0:
            time.sleep(left)

    def send(self, raw):
        self.udp.sendto(raw, (self.agent, 434))

    def reply(self, seconds=10):
        """The next registration reply, None when there is silence for so long."""
        self.udp.settimeout(seconds)
        try:
            raw = self.udp.recv(4096)
        except socket.timeout:
            return None
        r = craft.parse_reply(raw)
        if r.challenge():
            self.challenge, self.heard = r.challenge(), time.monotonic()
        return r

    def exchange(self, raw, seconds=10):
        self._drain(self.udp)
        self._pace()
        self.last_sent = time.monotonic()
        self.send(raw)
        return self.reply(seconds)

    def register(self, seconds=10, **changes):
        return self.exchange(self.request(**changes).build(), seconds)
