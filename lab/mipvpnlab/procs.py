# SPDX-License-Identifier: BSD-3-Clause
"""Daemons of the lab: started into a namespace, recorded on disk by pid and start time, ended whatever happened."""
import json
import os
import select
import signal
import subprocess
from pathlib import Path

from . import netns
from .settings import LabError
from .wait import Deadline

# PostgreSQL's SIGTERM waits for its clients to go.
END_SIGNAL = {"postgres": signal.SIGINT}


def start_time(pid):
    """Start time of a process in clock ticks (with the pid it names a process for ever), None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
            fields = f.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


class Daemon:
    """One running program of the lab."""

    def __init__(self, name, node, pid, started, log):
        self.name, self.node, self.pid, self.started, self.log = name, node, pid, started, log
        self.popen = None

    def alive(self):
        if self.popen:
            self.popen.poll()
        return start_time(self.pid) == self.started

    def mark(self):
        """Size of its log now: where a later wait_line() begins."""
        return self.log.stat().st_size if self.log.exists() else 0

    def text(self, start=0):
        with open(self.log, "rb") as f:
            f.seek(start)
            return f.read().decode("utf-8", "replace")


def start(settings, name, node, cmd, env=None, user=None, stdin=subprocess.DEVNULL):
    """Starts cmd in node's namespace, in a session of its own, output to NODE/NAME.log."""
    log = settings.node_dir(node) / f"{name}.log"
    full = ["ip", "netns", "exec", settings.ns(node)]
    full += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
    with open(log, "ab") as out:
        p = subprocess.Popen(full + [str(c) for c in cmd], stdin=stdin, stdout=out,
            stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}, start_new_session=True)
    d = Daemon(name, node, p.pid, start_time(p.pid), log)
    d.popen = p
    _record(settings, d)
    return d


def _record(settings, d):
    where = settings.dir / "pids"
    where.mkdir(exist_ok=True)
    (where / f"{d.node}.{d.name}.json").write_text(
        json.dumps({"name": d.name, "node": d.node, "pid": d.pid, "started": d.started, "log": str(d.log)}))


def _unrecord(settings, d):
    (settings.dir / "pids" / f"{d.node}.{d.name}.json").unlink(missing_ok=True)


def recorded(settings):
    """What stands on record as running."""
    found = []
    for f in sorted((settings.dir / "pids").glob("*.json")):
        r = json.loads(f.read_text())
        found.append(Daemon(r["name"], r["node"], r["pid"], r["started"], Path(r["log"])))
    return found


def stop(settings, daemon, seconds=5, sig=None):
    """Ends a daemon and what belongs to its session; returns True when it went by itself within the time."""
    return stop_all(settings, [daemon], seconds, sig)


def stop_all(settings, daemons, seconds=5, sig=None):
    """Ends several daemons at once."""
    waiting = []
    for d in daemons:
        if d.alive():
            fd = os.pidfd_open(d.pid)
            _kill_group(d.pid, sig or END_SIGNAL.get(d.name, signal.SIGTERM))
            waiting.append((d, fd))
    clean = _wait_gone(waiting, seconds)
    for d, fd in waiting:
        _kill_group(d.pid, signal.SIGKILL)
        select.select([fd], [], [], 2)
        os.close(fd)
        if d.popen:
            d.popen.wait()
    for d in daemons:
        _unrecord(settings, d)
    return clean


def _wait_gone(waiting, seconds):
    deadline = Deadline(seconds)
    left = [fd for _, fd in waiting]
    while left and not deadline.over():
        gone = select.select(left, [], [], deadline.left())[0]
        left = [fd for fd in left if fd not in gone]
    return not left


def _kill_group(pid, sig):
    try:
        os.killpg(pid, sig)
    except (ProcessLookupError, PermissionError):
        pass


def kill_stragglers(settings):
    """Ends whatever else lives in the lab's namespaces: children of a crashed run that no record names."""
    for ns in netns.names(settings.prefix):
        for pid in netns.pids(ns):
            try:
                fd = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            try:
                signal.pidfd_send_signal(fd, signal.SIGKILL)
                select.select([fd], [], [], 2)
            except ProcessLookupError:
                pass
            finally:
                os.close(fd)


def require_alive(daemon):
    if not daemon.alive():
        tail = "\n".join(daemon.text().splitlines()[-15:])
        raise LabError(f"{daemon.name} on {daemon.node} ended:\n{tail}")
