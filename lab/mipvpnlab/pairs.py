# SPDX-License-Identifier: BSD-3-Clause
"""Scenarios that wait more than they compute, two at a time: each a lab/run of its own, with its prefix and directory.
What one prints comes when it is done, so that lines of two never mix."""
import queue
import signal
import subprocess
import threading

from .report import Tally
from .settings import TOP

AT_ONCE = 2
PATIENCE = 900  # seconds until the next one is done, times MIPVPN_LAB_SLOW


def _command(s, name, which):
    cmd = [TOP / "lab" / "run", name, "--builddir", s.builddir, "--data-path", s.data_path]
    cmd += ["--dir", f"{s.dir}-{which}", "--prefix", f"{s.prefix}{which}-"]
    cmd += ["--pcap", s.pcap] if s.pcap else []
    cmd += ["--delay", str(s.delay)] if s.delay is not None else []
    return [str(c) for c in cmd]


class _Worker(threading.Thread):
    """Takes one scenario after the other."""

    def __init__(self, s, which, names, done):
        super().__init__(daemon=True)
        self.s, self.which, self.names, self.done, self.process = s, which, names, done, None

    def run(self):
        while True:
            try:
                name = self.names.get_nowait()
            except queue.Empty:
                return
            try:
                self.done.put((name, *self._one(name)))
            except OSError as e:
                self.done.put((name, -1, str(e).encode()))

    def _one(self, name):
        with subprocess.Popen(_command(self.s, name, self.which), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, start_new_session=True) as self.process:
            told = self.process.stdout.read()
        return self.process.returncode, told


def _stop(workers):
    """Whatever still runs takes its lab down and ends."""
    for w in workers:
        if w.process and w.process.poll() is None:
            w.process.send_signal(signal.SIGTERM)
    for w in workers:
        if w.process:
            w.process.wait()


def _add(report, name, status, told):
    tally = Tally()
    summed = tally.add(told)
    report.passed += tally.passed
    report.failed += tally.failed
    for line in told.decode("utf-8", "replace").splitlines():
        if not (summed and line == f"{tally.passed} passed, {tally.failed} failed"):
            report.say(line)
    if not summed or (status and not tally.failed):
        report.check(f"{name} runs to its end", False, f"exit status {status}")


def run(s, names, report):
    todo, done = queue.Queue(), queue.Queue()
    for name in names:
        todo.put(name)
    workers = [_Worker(s, i + 1, todo, done) for i in range(AT_ONCE)]
    try:
        for w in workers:
            w.start()
        for _ in names:
            _add(report, *done.get(timeout=PATIENCE * s.slow))
    except queue.Empty:
        report.check("each scenario ends", False, "out of time")
    finally:
        with todo.mutex:
            todo.queue.clear()
        _stop(workers)
