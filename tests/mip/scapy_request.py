#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""A registration whose fixed part scapy writes and whose reply scapy reads (Debian's python3-scapy); runs in a mobile
node's namespace.  Extensions, which scapy does not know, are by craft.py.  Prints one JSON line."""
import argparse
import json
import socket
import sys
import time

from scapy.layers.mobileip import MobileIP, MobileIPRRP, MobileIPRRQ
from scapy.packet import Raw

import craft
from node import SOLICITATION


def arguments():
    p = argparse.ArgumentParser()
    for name in ("home", "agent", "home-agent", "nai", "key-file"):
        p.add_argument("--" + name, required=True)
    p.add_argument("--lifetime", type=int, default=600)
    p.add_argument("--flags", type=int, default=0)
    p.add_argument("--wrong-key", action="store_true")
    return p.parse_args()


def hear(agent, seconds=5):
    """The agent's advertisement: care-of address and challenge."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
        s.settimeout(seconds)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
        s.sendto(SOLICITATION, (agent, 0))
        while True:
            adv = craft.parse_advertisement(s.recv(2048))
            if adv and adv.source == agent:
                return adv


def build(a, adv, key):
    now = time.time() + craft.NTP
    fixed = bytes(MobileIP() / MobileIPRRQ(flags=a.flags, lifetime=a.lifetime, homeaddr=a.home, haaddr=a.home_agent,
                                           coaddr=adv.care_of[0], id=int(now) << 32 | int(now % 1 * 2**32)))
    own = craft.Request(a.home, a.home_agent, adv.care_of[0], a.nai, adv.challenge, key)
    own.fixed = lambda: fixed
    return own.build()


def main():
    a = arguments()
    with open(a.key_file, encoding="ascii") as f:
        key = bytes.fromhex(f.read().strip())
    adv = hear(a.agent)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((a.home, 0))
        s.settimeout(12)
        s.sendto(build(a, adv, b"?" * 32 if a.wrong_key else key), (a.agent, 434))
        raw = s.recv(4096)
    reply = MobileIP(raw)[MobileIPRRP]
    print(json.dumps({"code": reply.code, "lifetime": reply.lifetime, "home": reply.homeaddr, "agent": reply.haaddr,
                      "extensions": len(reply.payload[Raw].load) if reply.payload else 0}))


if __name__ == "__main__":
    sys.exit(main())
