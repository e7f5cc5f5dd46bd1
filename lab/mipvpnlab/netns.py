# SPDX-License-Identifier: BSD-3-Clause
"""Network namespaces, their wires and their settings."""
import contextlib
import ctypes
import os
import subprocess
from pathlib import Path

from .settings import LabError

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def ip(*args, ns=None, check=True):
    """Runs ip(8), in namespace ns when given; returns what it printed."""
    cmd = ["ip"] + (["-n", ns] if ns else []) + [str(a) for a in args]
    p = subprocess.run(cmd, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if check and p.returncode:
        raise LabError(f"{' '.join(cmd)}: {p.stderr.strip()}")
    return p.stdout


def ip_batch(ns, lines):
    """Several ip(8) commands in one go."""
    cmd = ["ip"] + (["-n", ns] if ns else []) + ["-batch", "-"]
    p = subprocess.run(cmd, input="\n".join(lines) + "\n", capture_output=True, text=True)
    if p.returncode:
        raise LabError(f"ip -n {ns} -batch: {p.stderr.strip()}")


def names(prefix):
    """The namespaces that stand, of those with this prefix."""
    try:
        return sorted(n for n in os.listdir("/run/netns") if n.startswith(prefix))
    except FileNotFoundError:
        return []


def add(ns):
    ip("netns", "add", ns)
    ip("link", "set", "lo", "up", ns=ns)


def pids(ns):
    """Processes that live in namespace ns."""
    p = subprocess.run(["ip", "netns", "pids", ns], capture_output=True, text=True)
    return [int(x) for x in p.stdout.split()] if p.returncode == 0 else []


def delete(ns):
    ip("netns", "del", ns, check=False)


@contextlib.contextmanager
def entered(ns):
    """This thread is in namespace ns for the block: sockets made there stay there."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        there = os.open(f"/run/netns/{ns}", os.O_RDONLY)
        try:
            _setns(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _setns(here)
    finally:
        os.close(here)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise LabError(f"setns: {os.strerror(ctypes.get_errno())}")


def sysctl(ns, settings):
    """Sets net.* keys in namespace ns; keys that this kernel lacks are left out."""
    with entered(ns):
        for key, value in settings.items():
            path = Path("/proc/sys/net") / key
            if path.exists():
                path.write_text(f"{value}\n")


def run(ns, *cmd, check=True, timeout=30, **kw):
    """Runs a command in namespace ns to its end; returns the CompletedProcess with its text."""
    full = ["ip", "netns", "exec", ns] + [str(c) for c in cmd]
    kw.setdefault("stdin", subprocess.DEVNULL)
    p = subprocess.run(full, capture_output=True, text=True, timeout=timeout, **kw)
    if check and p.returncode:
        raise LabError(f"{' '.join(full[3:])}: {(p.stderr or p.stdout).strip()}")
    return p
