# SPDX-License-Identifier: BSD-3-Clause
"""Reads what capture.py writes, for questions about many packets that would take tshark a minute."""
import math
import mmap
import struct
from typing import NamedTuple

INTERFACE, PACKET = 1, 6
MAGIC = b"mvTL"     # head of lab-traffic's payload: magic, direction, 3 zeros, number, time
DIRECTIONS = {"up": 0, "down": 1}


def _blocks(path):
    """(kind, block) of a capture."""
    with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at, end = 0, len(data)
        while at + 12 <= end:
            kind, size = struct.unpack_from("<II", data, at)
            yield kind, data[at:at + size]
            at += size


def _frame(block):
    return block[28:28 + struct.unpack_from("<I", block, 20)[0]]


def packets(path):
    """(interface, time, frame) of each packet, in the order of the capture."""
    names = []
    for kind, block in _blocks(path):
        if kind == INTERFACE:
            n = struct.unpack_from("<HH", block, 16)[1]
            names.append(block[20:20 + n].decode())
        elif kind == PACKET:
            ifindex, high, low = struct.unpack_from("<III", block, 8)
            yield names[ifindex], (high << 32 | low) / 1e9, _frame(block)


def is_tunnelled(frame):
    """ESP or AH, or ESP in UDP."""
    return frame[23] in (50, 51) or (frame[23] == 17 and 4500 in struct.unpack_from("!HH", frame, 34) and
                                     frame[42:46] != b"\0\0\0\0")


def _is_data(frame):
    """lab-traffic in clear, ESP, AH, or ESP in UDP."""
    return frame.find(MAGIC, 28) >= 0 or (len(frame) >= 46 and frame[12:15] == b"\x08\x00\x45" and is_tunnelled(frame))


def signalling(path):
    """A copy of the capture without the packets of the users, for questions about all the rest: some hundreds of frames
    instead of some ten thousands."""
    copy = path.with_name(f"signalling-{path.name}")
    if not copy.exists():
        with open(copy, "wb") as out:
            out.writelines(block for kind, block in _blocks(path) if kind != PACKET or not _is_data(_frame(block)))
    return copy


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
