# SPDX-License-Identifier: BSD-3-Clause
"""Binding messages written and read by hand, apart from agent/mip and lib: what doc/protocol.md says, with Python's own
hmac and hashlib and AES-GCM of python3-cryptography.  What a test spoils, it spoils here."""
import hashlib
import hmac
import os
import socket
import struct
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from craft import ident

WARNING, REQUEST, UPDATE, ACK = 16, 17, 18, 19
A, I = 0x80, 0x40
OK, PROHIBITED, RESOURCES, AUTH, IDENT, POOR = 0, 129, 130, 131, 133, 134
VENDOR, SEALED, NUMBER, HANDOFF = 32473, 2, 3, 4
GENERALIZED, CRITICAL = 36, 38
ROUTE, BETWEEN_AGENTS = 200, 201
DYNAMIC, ESP = 2, 1


def hkdf(key, info, size=32, salt=b"mipvpn"):
    """RFC 5869 with SHA-256."""
    prk = hmac.new(salt, key, hashlib.sha256).digest()
    out, block = b"", b""
    for i in range(1, size // 32 + 2):
        block = hmac.new(prk, block + info + bytes([i]), hashlib.sha256).digest()
        out += block
    return out[:size]


def keys(master, home_agent, context):
    """(authentication, seal) of a session."""
    key = hkdf(master, b"bu" + socket.inet_aton(home_agent) + context.encode())
    return hkdf(key, b"bu-auth"), hkdf(key, b"bu-seal")


def _prefix(text):
    net, length = text.split("/")
    return socket.inet_aton(net) + bytes([int(length)])


def profile(number, home, dst, fa, pcn, tos=(184, 136), spis=(4201, 4202), session_keys=None, kind=DYNAMIC):
    """A VPN profile as type, length, value."""
    enc, auth = session_keys or (os.urandom(32), os.urandom(32))
    fields = [(1, struct.pack("!I", number)), (2, _prefix(home + "/32")), (3, _prefix(dst)), (4, bytes([tos[0]])),
              (5, bytes([tos[1]])), (6, bytes([ESP])), (7, socket.inet_aton(fa)), (8, socket.inet_aton(pcn)),
              (9, bytes([kind])), (10, struct.pack("!I", spis[0])), (11, struct.pack("!I", spis[1])), (12, enc),
              (13, auth), (14, b"\x01")]
    return b"".join(struct.pack("!BH", t, len(v)) + v for t, v in fields)


@dataclass
class Update:
    """A Binding Update; build() gives its bytes."""
    home: str
    care_of: str
    home_agent: str
    number: int
    context: str
    master: bytes
    profile: bytes = b""
    lifetime: int = 60
    flags: int = A | I
    ident: int = 0                 # 0 = now
    spi: int = 256
    subtype: int = ROUTE
    seal_key: bytes = None         # None = the right one
    auth_key: bytes = None
    before_auth: bytes = b""       # extensions of a test's own

    def but(self, **changes):
        return replace(self, **changes)

    def build(self):
        auth, seal = keys(self.master, self.home_agent, self.context)
        raw = struct.pack("!BBH4s4s", UPDATE, self.flags, self.lifetime, socket.inet_aton(self.home),
                          socket.inet_aton(self.care_of))
        if self.flags & I:
            raw += struct.pack("!Q", self.ident or ident())
        raw += self._vendor(raw, self.seal_key or seal) + self.before_auth
        return signed(raw, self.auth_key or auth, self.spi, self.subtype)

    def _vendor(self, before, seal):
        name = socket.inet_aton(self.home_agent) + struct.pack("!IB", self.number, len(self.context)) + self.context.encode()
        if not self.profile:
            return vendor_extension(NUMBER, name)
        head = vendor_extension(SEALED, name, len(self.profile) + 28)
        nonce = os.urandom(12)
        return head + nonce + AESGCM(seal).encrypt(nonce, self.profile, before + head)


@dataclass
class Move:
    """A Binding Update from a foreign agent to the previous one; build() gives its bytes."""
    home: str
    care_of: str
    auth_key: bytes
    seal_key: bytes
    lifetime: int = 10
    soft: bool = False
    request: int = 0               # Identification of the registration; 0 = leave it out
    ident: int = 0                 # 0 = now
    spi: int = 256

    def build(self):
        raw = struct.pack("!BBH4s4sQ", UPDATE, A | I, self.lifetime, socket.inet_aton(self.home),
                          socket.inet_aton(self.care_of), self.ident or ident())
        plain = struct.pack("!BHB", 1, 1, self.soft)
        if self.request:
            plain += struct.pack("!BHQ", 2, 8, self.request)
        raw += vendor_extension(HANDOFF, b"", len(plain) + 28)
        nonce = os.urandom(12)
        return signed(raw + nonce + AESGCM(self.seal_key).encrypt(nonce, plain, raw), self.auth_key, self.spi,
                      BETWEEN_AGENTS)


def vendor_extension(kind, data, more=0):
    return struct.pack("!BBHIH", CRITICAL, 0, 6 + len(data) + more, VENDOR, kind) + data


def signed(raw, key, spi=256, subtype=ROUTE):
    raw += struct.pack("!BBHI", GENERALIZED, subtype, 36, spi)
    return raw + hmac.new(key, raw, hashlib.sha256).digest()


def request(home, home_agent, number, context, key):
    """A Binding Request as a PCN would send it."""
    raw = struct.pack("!BHB4sQ", REQUEST, 0, 0, socket.inet_aton(home), ident())
    name = socket.inet_aton(home_agent) + struct.pack("!IB", number, len(context)) + context.encode()
    return signed(raw + vendor_extension(NUMBER, name), key)


@dataclass
class Ack:
    status: int
    home: str
    ident: int
    number: int
    context: str
    authentic: bool


def parse_ack(raw, master):
    """A Binding Acknowledge, None when it is something else."""
    if len(raw) < 16 or raw[0] != ACK:
        return None
    at, number, context, agent = 16, 0, "", "0.0.0.0"
    authentic = False
    while at + 4 <= len(raw):
        kind, subtype, size = struct.unpack_from("!BBH", raw, at)
        data = raw[at + 4:at + 4 + size]
        if kind == CRITICAL and struct.unpack_from("!IH", data) == (VENDOR, NUMBER):
            agent, number = socket.inet_ntoa(data[6:10]), struct.unpack_from("!I", data, 10)[0]
            context = data[15:15 + data[14]].decode()
        elif kind == GENERALIZED and subtype == ROUTE and context:
            auth = keys(master, agent, context)[0]
            authentic = hmac.compare_digest(hmac.new(auth, raw[:at + 8], hashlib.sha256).digest(), data[4:])
        at += 4 + size
    return Ack(raw[3], socket.inet_ntoa(raw[4:8]), struct.unpack_from("!Q", raw, 8)[0], number, context, authentic)


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def datagram(src, dst, payload, sport=434, dport=434, ttl=64):
    """An IP datagram from whomever: what an attacker on the way can send."""
    s, d, n = socket.inet_aton(src), socket.inet_aton(dst), 8 + len(payload)
    pseudo = s + d + struct.pack("!BBH", 0, 17, n)
    udp = struct.pack("!HHHH", sport, dport, n, 0)
    udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp + payload) or 0xFFFF) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + n, int.from_bytes(os.urandom(2), "big"), 0, ttl, 17, 0, s, d)
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + udp


class Forger:
    """Sends datagrams with any source address from inside a namespace, and hears who answers to it."""

    def __init__(self, enter):
        with enter():
            self.out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def close(self):
        self.out.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def send(self, src, dst, payload, **how):
        self.out.sendto(datagram(src, dst, payload, **how), (dst, 0))
