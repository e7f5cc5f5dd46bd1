# SPDX-License-Identifier: BSD-3-Clause
"""Traffic of the lab's hosts: the plain programs that any host has."""
import re
from dataclasses import dataclass

from . import netns


@dataclass
class Pinged:
    sent: int
    received: int
    text: str

    def all(self):
        return self.sent > 0 and self.sent == self.received

    def none(self):
        return self.sent > 0 and self.received == 0


def ping(settings, node, target, source=None, count=3, wait=1, size=56, tos=None, df=False):
    """df: must not be fragmented. count echo requests, 50 ms apart; the last answer is waited for at most `wait` seconds."""
    wait *= settings.slow
    cmd = ["ping", "-n", "-c", count, "-i", "0.05", "-W", wait, "-s", size, "-w", int(2 + wait)]
    cmd += ["-I", source] if source else []
    cmd += ["-M", "do" if df else "dont"]
    cmd += ["-Q", tos] if tos is not None else []
    p = netns.run(settings.ns(node), *cmd, target, check=False)
    m = re.search(r"(\d+) packets transmitted, (\d+) received", p.stdout)
    if not m:
        return Pinged(count, 0, (p.stdout + p.stderr).strip())
    return Pinged(int(m.group(1)), int(m.group(2)), p.stdout.strip())
