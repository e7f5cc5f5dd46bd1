#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A foreign agent, home agent and AAA server in one, for tests of mipvpn-mn: written from the RFCs with nothing of
mipvpn in it (RFC 5944, 2794, 3957, 4721).

usage: fake_agent.py INTERFACE ADDRESS COA HA NAI KEY_HEX HOME_ADDRESS [option=value ...]
Options: flags (of the advertisement), lifetime (granted), max (advertised), prefix, refuse=CODE,CODE,... (for the first
requests), skew=SECONDS (of the clock, with code 133), badkey=1 (sign with another key), mute=N (answer every Nth
only), challenge=0, quiet_after=N (advertisements).
Prints what it sees, one line each: "rrq ok ...", "rrq bad ...", "solicit".
"""
import hashlib
import hmac
import os
import select
import socket
import struct
import sys
import time

iface, address, coa, ha, nai, key, hoa = sys.argv[1:8]
key = bytes.fromhex(key)
opt = dict(flags="0x1000", lifetime="600", max="1800", prefix="24", refuse="", skew="0", badkey="0", mute="1",
           challenge="1", quiet_after="0", interval="1", advlife="3")
opt.update(a.split("=", 1) for a in sys.argv[8:])
refuse = [int(c) for c in opt["refuse"].split(",") if c]
ip = socket.inet_aton
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
sock.bind((iface, 0x0800))
own_mac = sock.getsockname()[4]
challenges, sa = [], {}


def say(*words):
    print(*words, flush=True)


def cksum(data):
    if len(data) % 2:
        data += b"\0"
    s = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff


def frame(mac, src, dst, ttl, proto, payload):
    h = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, ttl, proto, 0, ip(src), ip(dst))
    h = h[:10] + struct.pack("!H", cksum(h)) + h[12:]
    try:
        sock.send(mac + own_mac + b"\x08\x00" + h + payload)
    except OSError:     # the cable was pulled
        pass


def advertise(seq):
    p = struct.pack("!BBHBBH4sI", 9, 16, 0, 1, 2, int(opt["advlife"]), ip(address), 0)
    flags = int(opt["flags"], 0)
    coas = ip(coa) if flags & 0x1000 else b""
    p += struct.pack("!BBHHH", 16, 6 + len(coas), seq, int(opt["max"]), flags) + coas
    p += bytes([19, 1, int(opt["prefix"])])
    if opt["challenge"] == "1":
        c = os.urandom(8)
        challenges.append(c)
        del challenges[:-2]
        p += bytes([24, 8]) + c
    p = p[:2] + struct.pack("!H", cksum(p)) + p[4:]
    frame(b"\xff" * 6, address, "255.255.255.255", 1, 1, p)


def extensions(m, at):
    while at < len(m):
        t = m[at]
        if t == 0:
            at += 1
            continue
        if t in (36, 40, 41, 42, 43):
            n = 4 + struct.unpack("!H", m[at + 2:at + 4])[0]
            yield t, at, m[at + 1], m[at + 4:at + n]
        else:
            n = 2 + m[at + 1]
            yield t, at, None, m[at + 2:at + n]
        at += n


def auth(t, spi, k, m):
    h = struct.pack("!BBI", t, 24, spi)
    return m + h + hmac.new(k, m + h, hashlib.sha1).digest()


def keygen(t, spi, m):
    nonce = os.urandom(16)
    body = struct.pack("!IIIH", 3600, 256, spi, 2) + (struct.pack("!H", 2) if t == 43 else b"") + nonce
    return m + struct.pack("!BBH", t, 1, len(body)) + body, hmac.new(key, nonce + nai.encode(), hashlib.sha1).digest()


def judge(m):
    """What is wrong with the request, and what it holds."""
    ext = {}
    for t, at, sub, data in extensions(m, 24):
        if t in ext:
            return "extension %d twice" % t, ext
        ext[t] = (at, data)
    order = [t for t in ext]
    if order != [t for t in (131, 136, 42, 40, 96, 32, 132, 36, 33) if t in ext]:
        return "order %s" % order, ext
    if 131 not in ext or ext[131][1] != nai.encode():
        return "nai", ext
    if 36 in ext:
        at, data = ext[36]
        if hmac.new(key, m[:at + 8], hashlib.md5).digest() != data[4:]:
            return "mn-aaa", ext
        if challenges and 132 not in ext:
            return "no challenge", ext
        if 132 in ext and ext[132][1] not in challenges:
            return "unknown challenge", ext
    elif not (32 in ext and 33 in ext):
        return "not signed", ext
    for t, name in ((32, "ha"), (33, "fa")):
        if t in ext:
            at, data = ext[t]
            if name not in sa or hmac.new(sa[name], m[:at + 6], hashlib.sha1).digest() != data[4:]:
                return "ext %d" % t, ext
    return None, ext


seen = 0


def answer(mac, src, sport, m):
    global seen
    flags, life, rhoa, rha, rcoa, ident = m[1], *struct.unpack("!H4s4s4sQ", m[2:24])
    wrong, ext = judge(m)
    full = 36 in ext
    say("rrq", "bad %s" % wrong if wrong else "ok", "flags=%02x" % flags, "life=%d" % life,
        "hoa=%s" % socket.inet_ntoa(rhoa), "ha=%s" % socket.inet_ntoa(rha), "coa=%s" % socket.inet_ntoa(rcoa),
        "full" if full else "fast", "src=%s" % src)
    seen += 1
    if wrong or seen % int(opt["mute"]):
        return
    code = refuse.pop(0) if refuse else 0
    granted = min(life, int(opt["lifetime"]))
    if code == 69:
        granted = 33
    if code == 133:
        ident = (int(time.time()) + 2208988800 + int(opt["skew"])) << 32 | ident & 0xffffffff
    r = struct.pack("!BBH4s4sQ", 3, code, granted, ip(hoa), ip(ha), ident) + m[ext[131][0]:ext[131][0] + 2 + len(nai)]
    if 64 <= code < 128:
        r += bytes([145, 4, 2]) + b"why"
    if full and life and (code < 64 or code >= 128):
        r, sa["ha"] = keygen(43, 1000, r)
        r, sa["fa"] = keygen(41, 2000, r)
    if "ha" in sa and (code < 64 or code >= 128):
        r = auth(32, 1001, os.urandom(20) if opt["badkey"] == "1" else sa["ha"], r)
    if opt["challenge"] == "1":
        c = os.urandom(8)
        challenges.append(c)
        r += bytes([132, 8]) + c
    if "fa" in sa:
        r = auth(33, 2001, sa["fa"], r)
    if life == 0 and code == 0:
        sa.clear()
    udp = struct.pack("!HHHH", 434, sport, 8 + len(r), 0) + r
    frame(mac, address, src if src != "0.0.0.0" else "255.255.255.255", 64, 17, udp)


seq, due = 0, 0.0
while True:
    if time.monotonic() >= due:
        if not int(opt["quiet_after"]) or seq < int(opt["quiet_after"]):
            advertise(seq)
        seq += 1
        due = time.monotonic() + float(opt["interval"])
    ready, _, _ = select.select([sock], [], [], max(0, due - time.monotonic()))
    if not ready:
        continue
    try:
        f, who = sock.recvfrom(65535)
    except OSError:     # the cable was pulled
        continue
    if who[2] == socket.PACKET_OUTGOING:
        continue
    p = f[14:]
    n = (p[0] & 15) * 4
    if p[9] == 1 and p[n] == 10:
        say("solicit")
        due = 0.0
    elif p[9] == 17 and struct.unpack("!H", p[n + 2:n + 4])[0] == 434:
        total = struct.unpack("!H", p[2:4])[0]
        answer(f[6:12], socket.inet_ntoa(p[12:16]), struct.unpack("!H", p[n:n + 2])[0], p[n + 8:total])
