# SPDX-License-Identifier: BSD-3-Clause
"""The lab's commands: up, down, run, status."""
import argparse
import contextlib
import fcntl
import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

from . import netns, procs, settings as st, topology
from .report import Report
from .settings import LabError, Settings


def _parser(prog, what):
    p = argparse.ArgumentParser(prog=f"lab/{prog}", description=what)
    p.add_argument("--dir", default=st.DEFAULT_DIR, help="run directory of this lab [%(default)s]")
    p.add_argument("--prefix", default=None, help=f"prefix of its network namespaces [{st.DEFAULT_PREFIX}]")
    return p


def _with_build(p):
    p.add_argument("--builddir", help="build directory of the programs to run [., build/, the source tree]")
    return p


def _with_delay(p):
    p.add_argument("--delay", metavar="MS", type=float, help="each frame on the core takes so long, one way [0, or the "
                   "scenario's own]")


def _with_data_path(p):
    p.add_argument("--data-path", choices=["user", "kernel"], help="who does ESP: charon in user space, or the kernel, "
                   "which then has to have it [user]")


def _require_root():
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces: run it as root")


def _require_user():
    """The daemons' system user, made when it is missing."""
    try:
        pwd.getpwnam(st.USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
            "--shell", "/usr/sbin/nologin", st.USER], check=True)


@contextlib.contextmanager
def lock(directory):
    """One lab per run directory: a second command waits for the first."""
    path = Path(str(directory).rstrip("/") + ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def bring_down(s):
    """Everything of this lab ends and goes; works after a crash too, and when there is nothing."""
    recorded = procs.recorded(s)
    # Two freeDiameterds that end at the same time wait for each other; who minds their end stops them before.
    procs.stop_all(s, [d for d in recorded if d.name == "freediameter"], 0)
    procs.stop_all(s, [d for d in recorded if d.name != "freediameter"], 3 * s.slow)
    procs.kill_stragglers(s)
    topology.destroy(s)
    shutil.rmtree(s.dir, ignore_errors=True)


def prepare(s):
    """An empty run directory with a directory per node, and the namespaces."""
    bring_down(s)
    s.dir.mkdir(parents=True)
    s.dir.chmod(0o755)
    for node in topology.NODES:
        s.make_node_dir(node)
    s.save()
    topology.build(s)
    topology.prepare_libipsec(s)


def _scenarios():
    """Those of `all` in their order, and those that are run by name only."""
    from . import scenarios, selftest
    return {"selftest": selftest, **scenarios.ALL}, scenarios.OTHERS


def run_one(s, module, report):
    """A lab of its own for one scenario; what went wrong in it is a failed assertion."""
    prepare(s)
    try:
        module.run(s, report)
    except LabError as e:
        report.check(f"scenario goes through ({e})", False)
    except Exception:
        traceback.print_exc()
        report.check("scenario goes through", False, "see above")


def keep_evidence(s, name, failed):
    """Captures go to --pcap DIR; logs of a failed scenario too, or to /var/tmp/mipvpn-lab-NAME."""
    if s.pcap:
        s.pcap.mkdir(parents=True, exist_ok=True)
        for f in s.dir.glob("*.pcapng"):
            shutil.copy(f, s.pcap / f"{name}-{f.name}")
    if failed:
        where = Path(os.environ.get("MIPVPN_LAB_EVIDENCE", "/var/tmp")) / f"{s.prefix}lab-{name}"
        shutil.rmtree(where, ignore_errors=True)
        skip = shutil.ignore_patterns("pgdata", "tls", "*.key", "*.ctl", "*.vici", "pg")
        shutil.copytree(s.dir, where, ignore=skip)
        return where
    return None


def cmd_run(argv):
    usual, others = _scenarios()
    known = {**usual, **others}
    p = _with_build(_parser("run", "Runs a scenario in a lab of its own; exit status 0 only if every assertion held."))
    p.add_argument("scenario", nargs="+", choices=[*known, "all"], metavar="SCENARIO", help=f"{', '.join(known)}, all")
    p.add_argument("--keep", action="store_true", help="leave the lab of the last scenario up")
    p.add_argument("--pcap", metavar="DIR", help="keep the captures there")
    _with_delay(p)
    _with_data_path(p)
    p.add_argument("--pairs", action="store_true", help="two scenarios at a time, each in a lab of its own, then one "
                   "by one those that measure")
    p.add_argument("--kernel", choices=["debian"], help="in a guest that boots Debian's stock kernel, with its IPsec")
    p.add_argument("--output", metavar="DIR", help="with --kernel: where logs and captures go [/var/tmp/mipvpn-guest]")
    a = p.parse_args(argv)
    names = list(usual) if "all" in a.scenario else a.scenario
    if a.kernel:
        from . import guest
        return guest.run_scenarios(a, names)
    s = Settings(a.dir, a.prefix or st.DEFAULT_PREFIX, a.builddir, a.pcap, a.delay, a.data_path)
    report = Report()
    if a.pairs:
        from . import pairs, scenarios
        pairs.run(s, [n for n in names if n not in scenarios.ALONE], report)
        names = [n for n in names if n in scenarios.ALONE]
    with lock(s.dir):
        for i, name in enumerate(names):
            _run_and_clear(s, name, known[name], report, a.keep and i == len(names) - 1)
    return report.finish()


def _cpu():
    """Seconds of a processor that this process and those of its children that have ended have used."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _run_and_clear(s, name, module, report, keep):
    before, begin, cpu = report.failed, time.monotonic(), _cpu()
    try:
        run_one(s, module, report)
        where = keep_evidence(s, name, report.failed > before)
        if where:
            report.say(f"     logs of this scenario: {where}")
    finally:
        if not keep:
            bring_down(s)
    report.say(f"     {name}: {time.monotonic() - begin:.0f} s, {_cpu() - cpu:.0f} s of a processor")


def cmd_up(argv):
    p = _with_build(_parser("up", "Brings a lab up with its servers and agents, and leaves it up."))
    p.add_argument("topology", choices=["F1"])
    _with_delay(p)
    a = p.parse_args(argv)
    s = Settings(a.dir, a.prefix or st.DEFAULT_PREFIX, a.builddir, delay=a.delay)
    from .scene import Scene
    with lock(s.dir):
        prepare(s)
        try:
            Scene(s).start()
        except BaseException:
            keep_evidence(s, "up", True)
            bring_down(s)
            raise
    print("the lab stands: lab/status shows it, lab/down takes it down")
    return 0


def cmd_down(argv):
    a = _parser("down", "Takes a lab down, whatever is left of it.").parse_args(argv)
    with lock(a.dir):
        bring_down(Settings.load(a.dir, a.prefix))
    return 0


def cmd_show(argv):
    """What ./demo shows."""
    from . import demo
    p = _with_build(_parser("show", "Brings a lab up, registers three users, shows what stands, and takes it down."))
    p.add_argument("--keep", action="store_true", help="leave the lab up")
    a = p.parse_args(argv)
    s = Settings(a.dir, a.prefix or st.DEFAULT_PREFIX, a.builddir)
    keep = False
    with lock(s.dir):
        prepare(s)
        try:
            good = demo.run(s, a.keep)
            keep = a.keep
        except LabError:
            keep_evidence(s, "demo", True)
            raise
        finally:
            if not keep:
                bring_down(s)
    print("the lab is still up; lab/down takes it down" if keep else "the lab is down again")
    return 0 if good else 1


def cmd_status(argv):
    from . import status
    a = _parser("status", "Draws the nodes of the lab and the tunnels that stand.").parse_args(argv)
    s = Settings.load(a.dir, a.prefix)
    if not netns.names(s.prefix + topology.NET):
        print("no lab is up")
        return 1
    status.draw(s)
    return 0


COMMANDS = {"up": cmd_up, "down": cmd_down, "run": cmd_run, "status": cmd_status, "show": cmd_show}


def _end(*_):
    """What is up is taken down, and that is not to be broken off by a second one."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


def main(command):
    signal.signal(signal.SIGTERM, _end)
    try:
        _require_root()
        _require_user()
        return COMMANDS[command](sys.argv[1:])
    except LabError as e:
        print(f"lab/{command}: {e}", file=sys.stderr)
        return 1
