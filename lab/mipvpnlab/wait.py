# SPDX-License-Identifier: BSD-3-Clause
"""Waiting without sleeping: every wait has a deadline and ends with the event it waits for."""
import ctypes
import os
import re
import select
import socket
import time

from .settings import LabError

IN_MODIFY, IN_MOVED_TO, IN_CREATE = 0x2, 0x80, 0x100
_libc = ctypes.CDLL(None, use_errno=True)


class Deadline:
    """A point in time by which something must have happened."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.end = time.monotonic() + seconds

    def left(self):
        return max(0.0, self.end - time.monotonic())

    def over(self):
        return time.monotonic() >= self.end


class Watch:
    """An inotify watch on a directory or a file."""

    def __init__(self, path, mask):
        self.fd = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0 or _libc.inotify_add_watch(self.fd, os.fsencode(str(path)), mask) < 0:
            raise LabError(f"inotify on {path}: {os.strerror(ctypes.get_errno())}")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        os.close(self.fd)

    def wait(self, seconds):
        """True when something happened."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        os.read(self.fd, 65536)
        return True


def wait_path(path, seconds, alive=None):
    """Waits until path exists. alive() tells whether its maker still runs."""
    deadline = Deadline(seconds)
    with Watch(path.parent, IN_CREATE | IN_MOVED_TO) as w:
        while not path.exists():
            _check(deadline, f"{path} to appear", alive)
            w.wait(min(deadline.left(), 1.0))


def wait_socket(path, seconds, alive=None):
    """Waits until a stream socket at path takes connections."""
    wait_path(path, seconds, alive)
    deadline = Deadline(seconds)
    while True:
        s = socket.socket(socket.AF_UNIX)
        try:
            s.settimeout(max(deadline.left(), 0.01))
            s.connect(str(path))
            return
        except (ConnectionRefusedError, BlockingIOError):
            # Bound and not listening yet: there is no event for listen().
            _check(deadline, f"{path} to listen", alive)
            wait_tick()
        finally:
            s.close()


def wait_tick(seconds=0.02):
    """The shortest pause where the kernel tells nothing; only inside a loop with a deadline."""
    select.select([], [], [], seconds)


def wait_for(what, predicate, seconds, alive=None, every=0.02):
    """Waits until predicate() is true, and returns what it gave. For states that announce nothing; see wait_line(). every: where
    asking costs something, seconds in between."""
    deadline = Deadline(seconds)
    while True:
        got = predicate()
        if got:
            return got
        _check(deadline, what, alive)
        wait_tick(every)


def wait_line(path, pattern, seconds, start=0, alive=None):
    """Waits until a line of the log at path, from byte start on, matches pattern; returns the match."""
    deadline, regex = Deadline(seconds), re.compile(pattern, re.M)
    wait_path(path, seconds, alive)
    with Watch(path, IN_MODIFY) as w:
        while True:
            with open(path, "rb") as f:
                f.seek(start)
                m = regex.search(f.read().decode("utf-8", "replace"))
            if m:
                return m
            _check(deadline, f"'{pattern}' in {path}", alive)
            w.wait(min(deadline.left(), 1.0))


def _check(deadline, what, alive):
    if alive and not alive():
        raise LabError(f"waited for {what}, but the program ended")
    if deadline.over():
        raise LabError(f"waited {deadline.seconds:g} s for {what} in vain")
