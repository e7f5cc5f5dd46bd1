#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes vectors.h: messages and MACs for the unit tests, by struct, hashlib and hmac; the fixed parts are compared with
scapy's.  usage: tests/unit/mip/make_vectors.py > tests/unit/mip/vectors.h"""
import hashlib
import hmac
import pathlib
import struct
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "fuzz"))
from make_corpus import (AAA, CHALLENGE, COA, FA_HA, HA, HOA, IP, MN_HA, NAI, auth, chap, checksummed, long, mn_aaa,  # noqa: E402
                         pfan, rrp, rrq, short)


def compare_with_scapy():
    from scapy.layers.mobileip import MobileIP, MobileIPRRP, MobileIPRRQ
    q = MobileIP() / MobileIPRRQ(flags=0, lifetime=600, homeaddr="10.1.0.10", haaddr="198.51.100.21",
                                 coaddr="198.51.100.11", id=0xEC00000012345678)
    p = MobileIP() / MobileIPRRP(code=0, lifetime=600, homeaddr="10.1.0.10", haaddr="198.51.100.21",
                                 id=0xEC00000012345678)
    assert bytes(q) == rrq(), (bytes(q).hex(), rrq().hex())
    assert bytes(p) == rrp(), (bytes(p).hex(), rrp().hex())


def c_array(name, data):
    print(f"static const uint8_t {name}[] = {{")
    for i in range(0, len(data), 16):
        print("\t" + " ".join(f"0x{b:02x}," for b in data[i:i + 16]))
    print("};")


def keyed_md5(t, spi, key, body):
    head = struct.pack("!BBI", t, 20, spi)
    return body + head + hashlib.md5(key + body + head + key).digest()


def chap_long(key, body, challenge):
    head = struct.pack("!BBHI", 36, 1, 20, 2)
    inner = hashlib.md5(body + head).digest()
    return body + head + hashlib.md5(challenge[:1] + key + inner + challenge[-237:]).digest()


def requests():
    first = rrq(0x02) + short(131, NAI)
    first += long(42, 1, struct.pack("!I", 1001)) + long(40, 1, struct.pack("!I", 1002)) + short(132, CHALLENGE)
    c_array("rrq_fixed", rrq())
    c_array("rrq_mn_ha", auth(32, 256, MN_HA, rrq()))
    c_array("rrq_keyed_md5", keyed_md5(32, 256, MN_HA, rrq()))
    c_array("rrq_first", mn_aaa(0x300, AAA, first))
    c_array("rrq_first_sha1", mn_aaa(0x300, AAA, first, "sha1"))
    c_array("rrq_first_chap", chap(AAA, first))
    challenge = bytes(range(1, 251))
    c_array("rrq_long_chap", chap_long(AAA, rrq() + short(132, challenge), challenge))
    c_array("rrq_zero_chap", chap_long(AAA, rrq(), b"\0"))
    carry = short(136, b"\1ha.home.test") + short(136, b"\2aaah.home.test")
    update = short(134, b"\0\0" + struct.pack("!IH", 32473, 1))
    m = auth(32, 1001, MN_HA, rrq(0x02) + short(131, NAI) + carry + update)
    m = mn_aaa(0x300, AAA, m + short(132, CHALLENGE), "sha256")
    c_array("rrq_to_fa", auth(33, 1002, MN_HA, m + short(130, b"") + short(96, bytes(range(20))), "sha1"))
    m = rrq(0x82) + short(131, NAI)
    for name, alg in (("rrq_pfan_sha1", "sha1"), ("rrq_pfan_md5", "md5"), ("rrq_pfan_sha256", "sha256")):
        c_array(name, m + pfan(IP("198.51.100.12"), COA, MN_HA, m, alg))
    c_array("rrq_relayed", auth(34, 0x500, FA_HA, auth(32, 1001, MN_HA, rrq()), "sha1"))


def replies():
    nonce = bytes(range(100, 120))
    m = rrp() + short(131, NAI) + short(136, b"\1ha.home.test") + short(136, b"\2aaah.home.test")
    m += long(43, 1, struct.pack("!IIIHH", 600, 0x300, 2001, 2, 2) + nonce)
    m += long(41, 1, struct.pack("!IIIH", 601, 0x301, 2002, 2) + nonce[:16])
    m = auth(32, 2001, MN_HA, m, "sha1")
    c_array("rrp_from_ha", auth(34, 0x500, FA_HA, m, "sha1"))
    c_array("rrp_to_mn", auth(33, 2002, MN_HA, m + short(132, CHALLENGE), "sha1"))
    m = rrp(130, 0) + short(145, b"\1gateway is dead") + short(145, b"\2it is") + short(45, b"\0\x6d")
    c_array("rrp_refused", m)
    c_array("keygen_nonce", nonce)
    c_array("keygen_by_nai", hmac.new(AAA, nonce + NAI, "sha1").digest())
    c_array("keygen_by_hoa", hmac.new(AAA, nonce + HOA, "sha1").digest())


def others():
    agent = struct.pack("!HHH", 7, 1800, 0x9180) + COA + HA
    head = struct.pack("!BBHBBH", 9, 16, 0, 1, 2, 3) + IP("10.2.1.1") + bytes(4)
    c_array("adv_full", checksummed(head + short(16, agent) + short(19, b"\x18") + short(24, CHALLENGE)))
    c_array("solicitation", checksummed(struct.pack("!BBHI", 10, 0, 0, 0)))
    from scapy.all import ICMP, IP as ScapyIP, UDP
    base = dict(src="10.2.1.7", dst="10.2.1.1", ttl=255, id=0x1234)
    c_array("udp_packet", bytes(ScapyIP(**base) / UDP(sport=5000, dport=434) / b"hello"))
    c_array("icmp_packet", bytes(ScapyIP(**base) / ICMP(type=10)))


if __name__ == "__main__":
    compare_with_scapy()
    print("/* SPDX-License-Identifier: BSD-3-Clause */")
    print("/* Made by make_vectors.py: do not edit. */")
    print("#include <stdint.h>\n")
    c_array("key_mn_ha", MN_HA)
    c_array("key_fa_ha", FA_HA)
    c_array("key_aaa", AAA)
    c_array("challenge", CHALLENGE)
    requests()
    replies()
    others()
