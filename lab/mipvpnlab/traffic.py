# SPDX-License-Identifier: BSD-3-Clause
"""lab-traffic: numbered packets both ways between two nodes while something happens, and what became of each of
them."""
import json
import subprocess
import time
from dataclasses import dataclass

from . import pcapng, procs
from .settings import LabError
from .wait import wait_line


class Traffic:
    """a, b: (node, address). "up" goes from a to b, "down" from b to a."""

    def __init__(self, settings, name, a, b, rate=None, port=5555):
        cmd = [settings.program("lab-traffic"), "-r", rate or settings.rate, "-p", port, "-w", int(1000 * settings.slow),
               settings.ns(a[0]), a[1], settings.ns(b[0]), b[1]]
        self.settings = settings
        self.daemon = procs.start(settings, f"traffic-{name}", a[0], cmd, stdin=subprocess.PIPE)
        self.start = time.time()
        self.marks = []
        wait_line(self.daemon.log, "^ready$", 5 * settings.slow, alive=self.daemon.alive)

    def mark(self, name, at=None):
        """Names this point in time, or another one; returns it."""
        at = time.time() if at is None else at
        self.marks.append((name, at))
        self.daemon.popen.stdin.write(f"{name} {at:.6f}\n".encode())
        self.daemon.popen.stdin.flush()
        return at

    def stop(self):
        """Ends it and returns what it prints: {"up": {...}, "down": {...}}."""
        self.daemon.popen.stdin.close()
        try:
            self.daemon.popen.wait(10 * self.settings.slow)
        except subprocess.TimeoutExpired:
            pass
        procs.stop(self.settings, self.daemon, 1)
        lines = self.daemon.text().splitlines()
        if not lines or not lines[-1].startswith("{"):
            raise LabError(f"lab-traffic ended without a word: {lines[-3:]}")
        return json.loads(lines[-1])


def lost(flow):
    """[(number, about when it was sent)] of what did not come."""
    out = []
    for r in flow["lost"]:
        n = r["last"] - r["first"] + 1
        step = (r["until"] - r["sent"]) / max(n - 1, 1)
        out += [(r["first"] + i, r["sent"] + i * step) for i in range(n)]
    return out


def lost_between(flow, start, end):
    return [x for x in lost(flow) if start <= x[1] < end]


@dataclass
class Cut:
    """A hard cut: when it began and when the link was off, of which node, the agent that was left and its MAC address
    on the visited link."""
    at: float
    off: float
    node: str
    old: str
    mac: bytes

    def excuses_down(self, seen, number):
        """The old agent has sent it on the link that was cut."""
        sight = seen.get((f"{self.old}.link0", pcapng.DIRECTIONS["down"], number))
        return bool(sight) and sight.when >= self.at

    def excuses_up(self, seen, packet, back):
        """The node has sent it to the agent that it could not reach any more, or had no link: nothing of it was on a
        wire yet. What it sends later, waits for the new agent."""
        number, sent = packet
        sight = seen.get((f"{self.node}.eth0", pcapng.DIRECTIONS["up"], number))
        if sight:
            return sight.when >= self.at and sight.to == self.mac
        return self.at <= sent < back

    def beyond(self, result, pcap):
        """What was lost although it was not on the cut link: {"up": [...], "down": [...]}."""
        seen, back = pcapng.sightings(pcap), pcapng.first_after(pcap, f"{self.node}.eth0", self.off)
        return {"up": [x for x in lost(result["up"]) if not self.excuses_up(seen, x, back)],
                "down": [x for x in lost(result["down"]) if not self.excuses_down(seen, x[0])]}


def describe(flow):
    """One line for people."""
    where = [f"{r['first']}..{r['last']}" + (f" ({r['mark']} {r['ms']:+.1f} ms)" if "mark" in r else "")
             for r in flow["lost"][:6]]
    return (f"sent {flow['sent']}, lost {flow['sent'] - flow['received']}, duplicates {flow['duplicates']}, reordered "
            f"{flow['reordered']}, longest gap {flow['gap_ms']:.1f} ms"
            + (f"; lost: {', '.join(where)}" if where else ""))
