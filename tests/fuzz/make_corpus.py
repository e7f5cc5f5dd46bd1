#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes the seeds of tests/fuzz/corpus for lib/, agent/mip/, the IP-in-IP of nethelper/ and the control socket, with
nothing of ours: struct, hmac and scapy.

usage: tests/fuzz/make_corpus.py   (writes next to itself; the result is checked in)
"""
import hashlib
import hmac
import json
import pathlib
import socket
import struct

HERE = pathlib.Path(__file__).resolve().parent / "corpus"
IP = socket.inet_aton
HOA, HA, COA = IP("10.1.0.10"), IP("198.51.100.21"), IP("198.51.100.11")
IDENT = struct.pack("!II", 0xEC000000, 0x12345678)
MN_HA, FA_HA, AAA, CHALLENGE = b"0123456789abcdef", b"fa-ha-key-16byte", b"aaa-key-16-bytes", bytes(range(1, 9))
NAI = b"alice@home.test"


def save(subject, name, data):
    d = HERE / subject
    d.mkdir(parents=True, exist_ok=True)
    (d / name).write_bytes(data)


def short(t, data):
    return struct.pack("!BB", t, len(data)) + data


def long(t, sub, data):
    return struct.pack("!BBH", t, sub, len(data)) + data


def auth(t, spi, key, body, alg="md5"):
    head = struct.pack("!BBI", t, 4 + hashlib.new(alg).digest_size, spi)
    return body + head + hmac.new(key, body + head, alg).digest()


def mn_aaa(spi, key, body, alg="md5"):
    head = struct.pack("!BBHI", 36, 1, 4 + hashlib.new(alg).digest_size, spi)
    return body + head + hmac.new(key, body + head, alg).digest()


def chap(key, body):
    head = struct.pack("!BBHI", 36, 1, 20, 2)
    inner = hashlib.md5(body + head).digest()
    return body + head + hashlib.md5(CHALLENGE[:1] + key + inner + CHALLENGE[-237:]).digest()


def pfan(previous, coa, key, body, alg="sha1", lifetime=10, spi=0x1002):
    """Extension 96 of the request that body begins with: its authenticator is over a Binding Update."""
    size = hashlib.new(alg).digest_size
    update = struct.pack("!BBH", 18, 0xC0, lifetime) + body[4:8] + coa + body[16:24]
    mac = hmac.new(key, update + struct.pack("!BBHI", 36, 201, 4 + size, spi), alg).digest()
    return short(96, struct.pack("!H", lifetime) + previous + coa + struct.pack("!I", spi) + mac)


def rrq(flags=0, lifetime=600, hoa=HOA, ha=HA, coa=COA):
    return struct.pack("!BBH", 1, flags, lifetime) + hoa + ha + coa + IDENT


def rrp(code=0, lifetime=600):
    return struct.pack("!BBH", 3, code, lifetime) + HOA + HA + IDENT


def requests():
    plain = rrq()
    save("mip_rrq", "fixed", plain)
    save("mip_rrq", "mn-ha", auth(32, 256, MN_HA, plain))
    first = plain + short(131, NAI) + long(42, 1, struct.pack("!I", 1001)) + long(40, 1, struct.pack("!I", 1002))
    first += short(132, CHALLENGE)
    save("mip_rrq", "first", mn_aaa(0x300, AAA, first))
    save("mip_rrq", "first-chap", chap(AAA, first))
    again = auth(32, 1001, MN_HA, rrq(0x02) + short(131, NAI) + short(136, b"\1ha.home.test") +
                 short(136, b"\2aaah.home.test"))
    again = mn_aaa(0x300, AAA, again + short(132, CHALLENGE), "sha256") + short(130, b"")
    save("mip_rrq", "all-to-fa", auth(33, 1002, MN_HA, again, "sha1"))
    save("mip_rrq", "relayed", auth(34, 0x500, FA_HA, auth(32, 1001, MN_HA, plain), "sha1"))
    vendor = struct.pack("!IH", 32473, 1)
    save("mip_rrq", "service-update", auth(32, 256, MN_HA, plain + short(134, b"\0\0" + vendor)))
    save("mip_rrq", "cvse", auth(32, 256, MN_HA, plain + struct.pack("!BBH", 38, 0, 7) + vendor + b"x"))
    save("mip_rrq", "skipped", plain + b"\0\0" + short(200, b"whatever") + short(96, bytes(20)))
    moved = rrq(0x02) + short(131, NAI)
    save("mip_rrq", "pfan", auth(32, 1001, MN_HA, moved + pfan(IP("198.51.100.12"), COA, MN_HA, moved), "sha1"))
    save("mip_rrq", "dereg", auth(32, 256, MN_HA, rrq(lifetime=0, coa=HOA)))


def replies():
    save("mip_rrp", "fixed", rrp())
    nonce = bytes(range(100, 120))
    body = rrp() + short(131, NAI) + short(136, b"\1ha.home.test") + short(136, b"\2aaah.home.test")
    body += long(43, 1, struct.pack("!IIIHH", 600, 0x300, 2001, 2, 2) + nonce)
    body += long(41, 1, struct.pack("!IIIH", 600, 0x300, 2002, 2) + nonce)
    body = auth(32, 2001, MN_HA, body, "sha1")
    save("mip_rrp", "from-ha", auth(34, 0x500, FA_HA, body, "sha1"))
    save("mip_rrp", "to-mn", auth(33, 2002, MN_HA, body + short(132, CHALLENGE), "sha1"))
    save("mip_rrp", "refused", rrp(130, 0) + short(145, b"\1gateway is dead") + short(45, b"\0\x6d"))
    save("mip_rrp", "cvse", rrp(140, 0) + struct.pack("!BBHIH", 38, 0, 6, 9, 1))


def checksummed(data):
    s = sum(struct.unpack("!%dH" % ((len(data) + 1) // 2), data + b"\0" * (len(data) % 2)))
    while s >> 16:
        s = (s & 0xFFFF) + (s >> 16)
    return data[:2] + struct.pack("!H", ~s & 0xFFFF) + data[4:]


def advertisements():
    agent = struct.pack("!HHH", 7, 1800, 0x9180) + COA
    head = struct.pack("!BBHBBH", 9, 16, 0, 1, 2, 3) + IP("10.2.1.1") + bytes(4)
    full = head + short(16, agent) + short(19, b"\x18") + short(24, CHALLENGE) + short(200, b"later")
    save("mip_adv", "full", checksummed(full))
    save("mip_adv", "no-router", checksummed(struct.pack("!BBHBBH", 9, 0, 0, 0, 2, 9) + short(16, agent) + b"\0"))
    save("mip_adv", "home", checksummed(head + short(16, struct.pack("!HHH", 1, 600, 0x2100))))
    save("mip_adv", "solicitation", checksummed(struct.pack("!BBHI", 10, 0, 0, 0)))


def packets():
    from scapy.all import ICMP, IP as ScapyIP, IPOption_Router_Alert, UDP
    message = auth(32, 256, MN_HA, rrq())
    base = dict(src="10.2.1.7", dst="10.2.1.1", ttl=255)
    save("mip_ip", "udp", bytes(ScapyIP(**base) / UDP(sport=434, dport=434) / message))
    save("mip_ip", "udp-no-checksum", bytes(ScapyIP(**base) / UDP(sport=5000, dport=434, chksum=0) / message))
    save("mip_ip", "icmp", bytes(ScapyIP(**base) / ICMP(type=10)))
    save("mip_ip", "options", bytes(ScapyIP(options=[IPOption_Router_Alert()], **base) / UDP(dport=434) / b"x"))
    save("mip_ip", "ipip", bytes(ScapyIP(**base) / ScapyIP(src="10.1.0.5", dst="10.1.0.10") / ICMP()))
    save("mip_ip", "fragment", bytes(ScapyIP(flags="MF", **base) / UDP(dport=434) / b"x"))


def profiles():
    p = {"number": 7, "src": "10.1.0.10/32", "dst": "10.9.0.0/24", "tos_up": 184, "tos_down": 136, "security": "esp",
         "src_gw": "198.51.100.11", "dst_gw": "198.51.100.21", "dst_gw_type": "agent", "spi_up": 4096,
         "spi_down": 4097, "enc_key": "00112233445566778899aabbccddeeff", "auth_key": "ff" * 20, "required": True,
         "esp_proposal": "aes128gcm16-curve25519"}
    save("vpn_json", "agent", json.dumps(p).encode())
    p.update(src_gw="198.51.100.21", dst_gw="198.51.100.31", dst_gw_type="static", sla="acme", sla_src="10.1.0.0/24",
             sla_dst="10.9.0.0/24", ike_local="ha.home.test", ike_remote="gw.acme.test", psk="0f" * 32)
    save("vpn_json", "static", json.dumps(p).encode())
    save("vpn_json", "unknown-member", b'{"number": 1, "nothing": null}')
    save("vpn_json", "not-an-object", b"[1, 2]")


def configurations():
    save("conf", "full", b'# all types\nuser = "abc"\nlifetime = 0x10\ntunnel = on\nlevel = error\n'
         b'net = 10.9.0.0/24\nkey = 0aff\nlinks = { link0, "link1" }\n'
         b'peer "a" { address = 192.0.2.2\n ports = {1, 65535} }\npeer b { address = 192.0.2.3 }\n')
    save("conf", "bad-values", b"lifetime = 70000\ntunnel = maybe\nnet = 10.9.0.1/24\n")
    save("conf", "unknown-key", b"\nhelp = 1\n")
    save("conf", "open-string", b'user = "abc')
    save("conf", "open-section", b'peer "a" { address = ${HOME}')
    save("conf", "comments", b"/* a */ // b\n# c\nuser = 'x\\'y' links += {a}")


def tunnelled():
    from scapy.all import ICMP, IP as ScapyIP, TCP, UDP
    outer = dict(src="198.51.100.11", dst="198.51.100.21")
    inner = dict(src="10.1.0.10", dst="10.9.0.5")
    for name, o, packet in (
            ("plain", {}, ScapyIP(**inner) / UDP(sport=5000, dport=5001) / b"data"),
            ("df", {"tos": 0xB8}, ScapyIP(flags="DF", tos=0xB8, **inner) / TCP(dport=443) / bytes(100)),
            ("congested", {"tos": 3}, ScapyIP(tos=2, **inner) / UDP(dport=9)),
            ("congested-not-ect", {"tos": 3}, ScapyIP(**inner) / UDP(dport=9)),
            ("ect1", {"tos": 1}, ScapyIP(tos=2, ttl=255, **inner) / UDP(dport=9)),
            ("ping", {}, ScapyIP(**inner) / ICMP() / bytes(56)),
            ("error", {}, ScapyIP(**inner) / ICMP(type=3) / bytes(28)),
            ("fragment", {}, ScapyIP(frag=10, proto=17, **inner) / bytes(64)),
            ("group", {}, ScapyIP(src="224.0.0.5", dst="10.9.0.5") / UDP(dport=9)),
            ("options", {}, ScapyIP(options=b"\x94\x04\0\0", **inner) / UDP(dport=9)),
            ("loop", {}, ScapyIP(src="198.51.100.21", dst="198.51.100.11") / ScapyIP(**inner) / UDP())):
        save("ipip", name, bytes(ScapyIP(proto=4, **outer, **o) / packet))
    save("ipip", "cut", bytes(ScapyIP(proto=4, **outer) / bytes(ScapyIP(**inner) / UDP())[:12]))


def members():
    """What lies behind a seal: fuzz_sealed.c seals it."""
    save("sealed", "soft", b"\1\0\1\1")
    save("sealed", "request", b"\1\0\1\0" + b"\2\0\x08" + IDENT)
    save("sealed", "later", b"\x09\0\3abc" + b"\1\0\1\1")
    save("sealed", "short", b"\2\0\4abcd")
    save("sealed", "cut", b"\1\0\xff\1")
    save("sealed", "profile", (HERE / "vpn_wire" / "profile").read_bytes())


def console():
    for name, line in (
            ("show", b'{"command": "show", "what": "bindings"}\n'),
            ("drop", b'{"command":"drop","nai":"alice@home.test"}\n'),
            ("default-spi", json.dumps({"command": "default-spi set", "peer": "198.51.100.31", "key": "0f" * 32})
             .encode() + b"\n"),
            ("nested", b'{"command": "show", "a": [[[{}]], null, 1e3, true, "\\u00fc\\ud83d\\ude00"]}\n'),
            ("two-lines", b'{"command": "show"}\n{"command": "log"}\n'),
            ("twice", b'{"command": "a", "command": "b"}\n'),
            ("no-command", b'{"what": "bindings"}\n'),
            ("number", b'{"command": 7}\n'),
            ("array", b'["show"]\n'),
            ("not-json", b"show bindings\n"),
            ("no-line", b'{"command": "show"}'),
            ("empty", b"\n"),
            ("letters", json.dumps({"command": "x" + "\u00fc" * 40}, ensure_ascii=False).encode() + b"\n"),
            ("long", b'{"command": "' + b"x" * 4096 + b'"}\n')):
        save("ctl", name, line)


if __name__ == "__main__":
    for make in (requests, replies, advertisements, packets, profiles, configurations, tunnelled, members, console):
        make()
