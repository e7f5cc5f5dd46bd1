# SPDX-License-Identifier: BSD-3-Clause
"""Reads what capture.py writes, for questions about many packets that would take tshark a minute."""
import math
import mmap
import struct
from typing import NamedTuple

INTERFACE, PACKET = 1, 6
MAGIC = b"mvTL"     # head of lab-traffic's payload: magic, direction, 3 zeros, number, time
DIRECTIONS = {"up": 0, "down": 1}


def packets(path):
    """(interface, time, frame) of each packet, in the order of the capture."""
    names = []
    with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at, end = 0, len(data)
        while at + 12 <= end:
            kind, size = struct.unpack_from("<II", data, at)
            if kind == INTERFACE:
                n = struct.unpack_from("<HH", data, at + 16)[1]
                names.append(data[at + 20:at + 20 + n].decode())
            elif kind == PACKET:
                ifindex, high, low, n = struct.unpack_from("<IIII", data, at + 8)
                yield names[ifindex], (high << 32 | low) / 1e9, data[at + 28:at + 28 + n]
            at += size


class Sight(NamedTuple):
    when: float
    to: bytes       # the frame's destination MAC address


def sightings(path):
    """Where lab-traffic's packets were seen in clear: {(interface, direction, number): the last Sight}."""
    found = {}
    for interface, when, frame in packets(path):
        at = frame.find(MAGIC, 28)
        if at >= 0 and len(frame) >= at + 12:
            direction, number = frame[at + 4], struct.unpack_from("!I", frame, at + 8)[0]
            found[interface, direction, number] = Sight(when, frame[:6])
    return found


def first_after(path, interface, start):
    """When something was first seen on an interface after this time; infinity = never."""
    return min((when for name, when, _ in packets(path) if name == interface and when >= start), default=math.inf)
