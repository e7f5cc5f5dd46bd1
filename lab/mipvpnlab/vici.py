# SPDX-License-Identifier: BSD-3-Clause
"""A small VICI client (strongSwan's control protocol), written apart from the agent's: the lab's own eye on charon.

Messages come back as dicts: sections are dicts, lists are lists, values are str.
"""
import socket
import struct

from .settings import LabError
from .wait import Deadline

CMD_REQUEST, CMD_RESPONSE, CMD_UNKNOWN, EVENT_REGISTER, EVENT_UNREGISTER, EVENT_CONFIRM, EVENT_UNKNOWN, EVENT = range(8)
SECTION_START, SECTION_END, KEY_VALUE, LIST_START, LIST_ITEM, LIST_END = range(1, 7)


def encode(message):
    out = b""
    for key, value in message.items():
        name = struct.pack("!B", len(key)) + key.encode()
        if isinstance(value, dict):
            out += bytes([SECTION_START]) + name + encode(value) + bytes([SECTION_END])
        elif isinstance(value, (list, tuple)):
            items = b"".join(bytes([LIST_ITEM]) + _value(v) for v in value)
            out += bytes([LIST_START]) + name + items + bytes([LIST_END])
        else:
            out += bytes([KEY_VALUE]) + name + _value(value)
    return out


def _value(v):
    raw = v if isinstance(v, bytes) else str(v).encode()
    return struct.pack("!H", len(raw)) + raw


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def byte(self):
        return self.take(1)[0]

    def name(self):
        return self.take(self.byte()).decode()

    def value(self):
        return self.take(struct.unpack("!H", self.take(2))[0]).decode("utf-8", "replace")

    def section(self):
        out = {}
        while self.at < len(self.data):
            kind = self.byte()
            if kind == SECTION_END:
                break
            key = self.name()
            if kind == SECTION_START:
                out[key] = self.section()
            elif kind == KEY_VALUE:
                out[key] = self.value()
            else:
                out[key] = self.items()
        return out

    def items(self):
        out = []
        while self.byte() == LIST_ITEM:
            out.append(self.value())
        return out


def decode(data):
    return _Reader(data).section()


class Vici:
    """One connection. events: names to register for at once; they are queued while commands run."""

    def __init__(self, path, events=(), timeout=10):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.sock.connect(str(path))
        self.queue = []
        for e in events:
            self._register(e, EVENT_REGISTER)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()

    def _register(self, event, how):
        self._send(bytes([how, len(event)]) + event.encode())
        if self._response()[0] != EVENT_CONFIRM:
            raise LabError(f"charon knows no event '{event}'")

    def _send(self, packet):
        self.sock.sendall(struct.pack("!I", len(packet)) + packet)

    def _receive(self):
        size = struct.unpack("!I", self._exactly(4))[0]
        packet = self._exactly(size)
        if packet[0] == EVENT:
            n = packet[1]
            return EVENT, packet[2:2 + n].decode(), decode(packet[2 + n:])
        return packet[0], None, decode(packet[1:])

    def _exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            if not more:
                raise LabError("charon closed the VICI connection")
            data += more
        return data

    def _response(self):
        while True:
            kind, event, message = self._receive()
            if kind != EVENT:
                return kind, message
            self.queue.append((event, message))

    def call(self, command, message=None):
        self._send(bytes([CMD_REQUEST, len(command)]) + command.encode() + encode(message or {}))
        kind, answer = self._response()
        if kind != CMD_RESPONSE:
            raise LabError(f"charon knows no command '{command}'")
        return answer

    def must(self, command, message=None):
        answer = self.call(command, message)
        if answer.get("success", "yes") != "yes":
            raise LabError(f"charon: {command}: {answer.get('errmsg', answer)}")
        return answer

    def stream(self, command, event, message=None):
        """A command that streams its answer as events (list-sas, list-conns)."""
        self._register(event, EVENT_REGISTER)
        self.call(command, message)
        got = [m for e, m in self.queue if e == event]
        self.queue = [(e, m) for e, m in self.queue if e != event]
        self._register(event, EVENT_UNREGISTER)
        return got

    def wait_event(self, event, accept, seconds):
        """The next event of this name that accept() takes."""
        deadline = Deadline(seconds)
        while True:
            for i, (e, m) in enumerate(self.queue):
                if e == event and accept(m):
                    del self.queue[i]
                    return m
            self.sock.settimeout(max(deadline.left(), 0.01))
            try:
                kind, name, message = self._receive()
            except socket.timeout:
                raise LabError(f"waited {seconds:g} s for charon's event {event} in vain") from None
            if kind == EVENT:
                self.queue.append((name, message))

    def sas(self):
        """[(ike name, ike, child name, child)] of all CHILD_SAs."""
        found = []
        for m in self.stream("list-sas", "list-sa"):
            for ike_name, ike in m.items():
                for child in ike.get("child-sas", {}).values():
                    found.append((ike_name, ike, child["name"], child))
        return found

    def ikes(self):
        """{name: ike} is not unique: a list of (name, ike)."""
        return [(n, i) for m in self.stream("list-sas", "list-sa") for n, i in m.items()]

    def conns(self):
        """Names of the connections; the agents' one for gateways that they have not been told of yet always stands."""
        return sorted(n for m in self.stream("list-conns", "list-conn") for n in m if not n.endswith("-any"))

    def secrets(self):
        return self.call("get-shared").get("keys", [])
