# SPDX-License-Identifier: BSD-3-Clause
"""Mobile IPv4 registrations written and read by hand, apart from agent/mip: what the tests believe the RFCs to say.

RFC 5944 (messages, authentication), RFC 2794 (NAI), RFC 4721 (challenge, MN-AAA), RFC 3957 (generated keys), RFC 3024.
Standard library only.
"""
import hashlib
import hmac
import os
import socket
import struct
import time
from dataclasses import dataclass, field

NTP = 2208988800
RRQ, RRP = 1, 3
MN_HA, MN_FA, FA_HA, GENERALIZED, FA_ERROR = 32, 33, 34, 36, 45
MN_FA_KEY_REQ, MN_FA_KEY, MN_HA_KEY_REQ, MN_HA_KEY = 40, 41, 42, 43
PREVIOUS_FA = 96
DELIVERY, NAI, CHALLENGE, VENDOR, NAI_CARRY, TEXT = 130, 131, 132, 134, 136, 145
LONG = (GENERALIZED, MN_FA_KEY_REQ, MN_FA_KEY, MN_HA_KEY_REQ, MN_HA_KEY)
S, B, D, M, G, R, T, X = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01
CHAP_SPI = 2
ALGORITHMS = {1: "md5", 2: "sha1", 5: "sha256"}     # of RFC 3957's replies


def ident(now=None):
    """A time stamp identification, its low bits random."""
    now = time.time() if now is None else now
    return (int(now) + NTP) << 32 | int(now % 1 * 2**32) & 0xFFFFF000 | int.from_bytes(os.urandom(2), "big") & 0xFFF


def short(kind, data):
    return bytes([kind, len(data)]) + data


def long(kind, subtype, data):
    return struct.pack("!BBH", kind, subtype, len(data)) + data


def auth(kind, spi, key, before, algorithm="sha1"):
    """Extensions 32, 33, 34: RFC 5944 3.5."""
    size = hmac.new(b"", b"", algorithm).digest_size
    head = struct.pack("!BBI", kind, 4 + size, spi)
    return head + hmac.new(key, before + head, algorithm).digest()


def mn_aaa(spi, key, before, challenge, algorithm="md5"):
    """Extension 36, subtype 1: RFC 4721 5 and 8."""
    if spi == CHAP_SPI:
        head = struct.pack("!BBHI", GENERALIZED, 1, 20, spi)
        inner = hashlib.md5(before + head).digest()
        return head + hashlib.md5(challenge[:1] + key + inner + challenge[-237:]).digest()
    size = hmac.new(b"", b"", algorithm).digest_size
    head = struct.pack("!BBHI", GENERALIZED, 1, 4 + size, spi)
    return head + hmac.new(key, before + head, algorithm).digest()


def previous_fa(request, previous, new, lifetime, spi, key, algorithm="sha1"):
    """Extension 96 of draft-ietf-mobileip-optim-09 4.5 for a request, of which the fixed part is read: the authenticator is
    over the Binding Update to the previous foreign agent and the head of its extension 36/201."""
    size = hmac.new(b"", b"", algorithm).digest_size
    new = socket.inet_aton(new)
    update = struct.pack("!BBH", 18, 0xC0, lifetime) + request[4:8] + new + request[16:24]
    mac = hmac.new(key, update + struct.pack("!BBHI", GENERALIZED, 201, 4 + size, spi), algorithm).digest()
    return short(PREVIOUS_FA, struct.pack("!H", lifetime) + socket.inet_aton(previous) + new + struct.pack("!I", spi) + mac)


@dataclass
class Request:
    """A registration request; build() gives its bytes. None leaves an extension out."""
    home: str
    agent: str
    care_of: str
    nai: str
    challenge: bytes
    key: bytes                     # MN-AAA
    spi: int = 256
    algorithm: str = "md5"
    flags: int = 0
    lifetime: int = 600
    identification: int = None
    mn_ha: tuple = None             # (spi, key, algorithm)
    mn_fa: tuple = None
    previous: tuple = None          # (previous FA, lifetime in s, SPI, key, algorithm): extension 96
    key_requests: bool = True       # for both keys; or one of MN_HA_KEY_REQ, MN_FA_KEY_REQ
    extra: bytes = b""              # extensions in front of the authentication

    def fixed(self):
        if self.identification is None:
            self.identification = ident()
        return struct.pack("!BBH", RRQ, self.flags, self.lifetime) + socket.inet_aton(self.home) + \
            socket.inet_aton(self.agent) + socket.inet_aton(self.care_of) + struct.pack("!Q", self.identification)

    def build(self):
        out = self.fixed()
        if self.nai is not None:
            out += short(NAI, self.nai.encode())
        for kind, spi in ((MN_HA_KEY_REQ, 0x1001), (MN_FA_KEY_REQ, 0x1002)):
            if self.key_requests in (True, kind):
                out += long(kind, 1, struct.pack("!I", spi))
        if self.previous:
            previous, lifetime, spi, key, algorithm = self.previous
            out += previous_fa(out, previous, self.care_of, lifetime, spi, key, algorithm)
        out += self.extra
        if self.mn_ha:
            spi, key, algorithm = self.mn_ha
            out += auth(MN_HA, spi, key, out, algorithm)
        if self.challenge is not None:
            out += short(CHALLENGE, self.challenge)
        if self.key is not None:
            out += mn_aaa(self.spi, self.key, out, self.challenge or b"", self.algorithm)
        if self.mn_fa:
            spi, key, algorithm = self.mn_fa
            out += auth(MN_FA, spi, key, out, algorithm)
        return out


@dataclass
class Extension:
    kind: int
    subtype: int
    data: bytes
    start: int      # where it begins in the message
    end: int


@dataclass
class Reply:
    code: int
    lifetime: int
    home: str
    agent: str
    identification: int
    extensions: list = field(default_factory=list)
    raw: bytes = b""

    def all(self, kind):
        return [e for e in self.extensions if e.kind == kind]

    def one(self, kind):
        found = self.all(kind)
        return found[0] if len(found) == 1 else None

    def challenge(self):
        """The new challenge: the last one in the message is the foreign agent's."""
        found = self.all(CHALLENGE)
        return found[-1].data if found else None

    def text(self):
        return [e.data.decode("utf-8", "replace") for e in self.all(TEXT)]


def walk(raw, at):
    """The extensions of a message from offset at on; ValueError when they do not fit."""
    out = []
    while at < len(raw):
        kind = raw[at]
        if kind == 0:
            at += 1
            continue
        start = at
        if kind in LONG:
            subtype, size = struct.unpack_from("!BH", raw, at + 1)
            at += 4
        elif kind in (FA_ERROR, NAI_CARRY, TEXT):
            subtype, size = raw[at + 2], raw[at + 1] - 1
            at += 3
        else:
            subtype, size = 0, raw[at + 1]
            at += 2
        if at + size > len(raw):
            raise ValueError(f"extension {kind} at {start} is longer than the message")
        out.append(Extension(kind, subtype, raw[at:at + size], start, at + size))
        at += size
    return out


def parse_reply(raw):
    if len(raw) < 20 or raw[0] != RRP:
        raise ValueError("no registration reply")
    code, lifetime = struct.unpack_from("!BH", raw, 1)
    home, agent = socket.inet_ntoa(raw[4:8]), socket.inet_ntoa(raw[8:12])
    return Reply(code, lifetime, home, agent, struct.unpack_from("!Q", raw, 12)[0], walk(raw, 20), raw)


@dataclass
class GeneratedKey:
    """What a key generation nonce reply (41, 43) gives the mobile node."""
    lifetime: int
    spi: int
    algorithm: str
    key: bytes


def generated_key(extension, aaa_key, nai):
    lifetime, _, spi, algorithm = struct.unpack_from("!IIIH", extension.data)
    nonce = extension.data[16 if extension.kind == MN_HA_KEY else 14:]
    return GeneratedKey(lifetime, spi, ALGORITHMS[algorithm], hmac.new(aaa_key, nonce + nai.encode(), "sha1").digest())


def verify(reply, kind, key, algorithm):
    """Whether the reply's extension 32, 33 or 34 is right under key."""
    e = reply.one(kind)
    if not e:
        return False
    return hmac.compare_digest(hmac.new(key, reply.raw[:e.start + 6], algorithm).digest(), e.data[4:])


def check_keys(reply, aaa_key, nai):
    """Derives both keys of an accepted reply and verifies 32 and 33 by them: (mn_ha, mn_fa), or ValueError."""
    out = []
    for nonce_kind, auth_kind, name in ((MN_HA_KEY, MN_HA, "MN-HA"), (MN_FA_KEY, MN_FA, "MN-FA")):
        e = reply.one(nonce_kind)
        if not e:
            raise ValueError(f"no {name} key generation nonce")
        k = generated_key(e, aaa_key, nai)
        if not verify(reply, auth_kind, k.key, k.algorithm):
            raise ValueError(f"{name} authentication is wrong under the generated key")
        out.append((k.spi, k.key, k.algorithm))
    return tuple(out)


@dataclass
class Advertisement:
    source: str
    code: int
    lifetime: int
    sequence: int
    registration_lifetime: int
    flags: int
    care_of: list
    challenge: bytes


def parse_advertisement(packet):
    """An agent advertisement from an IP packet, None when it is something else."""
    head = (packet[0] & 15) * 4
    icmp = packet[head:]
    if packet[9] != 1 or len(icmp) < 8 or icmp[0] != 9:
        return None
    count, size, lifetime = struct.unpack_from("!BBH", icmp, 4)
    at, mobility, challenge = 8 + count * size * 4, None, None
    while at < len(icmp):
        if icmp[at] == 0:
            at += 1
            continue
        data = icmp[at + 2:at + 2 + icmp[at + 1]]
        if icmp[at] == 16:
            mobility = data
        elif icmp[at] == 24:
            challenge = data
        at += 2 + icmp[at + 1]
    if mobility is None:
        return None
    sequence, reg, flags = struct.unpack_from("!HHH", mobility)
    care_of = [socket.inet_ntoa(mobility[i:i + 4]) for i in range(6, len(mobility), 4)]
    return Advertisement(socket.inet_ntoa(packet[12:16]), icmp[1], lifetime, sequence, reg, flags, care_of, challenge)
