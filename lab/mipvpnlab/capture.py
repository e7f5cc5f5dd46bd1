# SPDX-License-Identifier: BSD-3-Clause
"""Captures every wire of the lab into one pcapng, with an interface per port (NODE.INTERFACE) and the kernel's time
stamps.  One packet socket in the wires' namespace takes what each node sends, once: what a port receives from its node.
The socket stands when start() returns, so nothing that follows is missed."""
import os
import socket
import struct
import threading

from . import netns, topology

SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
ETH_P_ALL = 3
PACKET_OUTGOING = 4


class Capture:
    def __init__(self, settings, path):
        self.path = path
        with netns.entered(settings.ns(topology.NET)):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.wires = {*topology.WIRES, *topology.MOVE_WIRES, "lo"}
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.sock.settimeout(None)
        self.interfaces = {}
        self.wake_r, self.wake_w = os.pipe()
        self.count, self.lock = 0, threading.Lock()
        self.file = open(path, "wb")
        self.file.write(_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()
        return self

    def stop(self):
        """Ends the capture with everything in it that was sent before."""
        os.write(self.wake_w, b"x")
        self.thread.join()
        self.sock.close()
        self.file.close()
        os.close(self.wake_r)
        os.close(self.wake_w)
        return self.path

    def snapshot(self):
        """The file so far, complete blocks only; packets still queued in the socket come later."""
        with self.lock:
            self.file.flush()
        return self.path

    def _run(self):
        import select
        while True:
            ready = select.select([self.sock, self.wake_r], [], [])[0]
            if self.sock in ready:
                self._drain()
            elif self.wake_r in ready:
                return

    def _drain(self):
        while True:
            try:
                data, anc, _, addr = self.sock.recvmsg(65536, 64, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            ifname, _, pkttype = addr[:3]
            if pkttype == PACKET_OUTGOING or ifname in self.wires or ifname.startswith("joint-"):
                continue
            with self.lock:
                self._write(ifname, data, anc)

    def _write(self, ifname, data, anc):
        if ifname not in self.interfaces:
            self.interfaces[ifname] = len(self.interfaces)
            self.file.write(_block(1, struct.pack("<HHI", 1, 0, 0) + _option(2, ifname.encode()) +
                _option(9, b"\x09") + _option(0, b"")))
        ns = 0
        for level, kind, value in anc:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                sec, nsec = struct.unpack("qq", value[:16])
                ns = sec * 1000000000 + nsec
        head = struct.pack("<IIIII", self.interfaces[ifname], ns >> 32, ns & 0xFFFFFFFF, len(data), len(data))
        self.file.write(_block(6, head + _pad(data)))
        self.count += 1


def _pad(data):
    return data + b"\0" * (-len(data) % 4)


def _option(code, value):
    return struct.pack("<HH", code, len(value)) + _pad(value)


def _block(kind, body):
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size
