# SPDX-License-Identifier: BSD-3-Clause
"""Questions to tshark, the decoder that is not ours."""
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

from .settings import TOP, LabError

# Binding messages are unknown to tshark 4.0: a dissector of our own.
LUA = ("-X", f"lua_script:{TOP}/tests/mipbinding.lua")


def tshark(pcap, display_filter, *args):
    if ASK:
        pcap = _brought_out(Path(pcap))
    cmd = ["tshark", *(LUA if "mipbinding" in display_filter else ()), "-n", "-r", str(pcap), "-Y", display_filter, *args]
    status, out, err = _asked(cmd) if ASK else _run(cmd)
    if status:
        raise LabError(f"{' '.join(cmd)}: {err.strip()}")
    return out


def _run(cmd):
    p = subprocess.run(cmd, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    return p.returncode, p.stdout, p.stderr


# -- in a guest: tshark runs on the host, which is not emulated; captures and answers go through the output directory

ASK = os.environ.get("MIPVPN_LAB_ASK")      # a raw serial line to guest.answer()
OUTPUT = Path("/run/output")
_lock = threading.Lock()


def _brought_out(pcap):
    """The name under which the host finds this capture as it is now, in its output directory."""
    there = OUTPUT / "captures" / pcap.name
    there.parent.mkdir(exist_ok=True)
    if not there.exists() or there.stat().st_size != pcap.stat().st_size:
        shutil.copy(pcap, there)
    return there.relative_to(OUTPUT)


def _asked(cmd):
    with _lock, open(ASK, "r+b", buffering=0) as line:
        line.write(json.dumps([str(c) for c in cmd]).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            answer += line.read(64) or b""
        out, err = ((OUTPUT / f"tshark.{n}").read_text() for n in ("out", "err"))
    return int(answer), out, err


def count(pcap, display_filter):
    return len(tshark(pcap, display_filter, "-T", "fields", "-e", "frame.number").split())


def fields(pcap, display_filter, *names):
    """One tuple of strings per matching packet; several values of a field are joined by commas."""
    args = ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    for n in names:
        args += ["-e", n]
    lines = tshark(pcap, display_filter, *args).splitlines()
    return [tuple((line.split("\t") + [""] * len(names))[:len(names)]) for line in lines]


def times(pcap, display_filter):
    return [float(t) for (t,) in fields(pcap, display_filter, "frame.time_epoch")]


def esp(settings):
    """Filter: ESP as this data path sends it: by the kernel natively, in user space inside UDP."""
    return "(esp && !udpencap)" if settings.xfrm else "(esp && udpencap)"


def between(a, b):
    """Filter: outer packets between two addresses, either way. ip.addr would look into tunnels too: callers that mind
    the inner packet use layer operators (ip.addr#1)."""
    return f"(ip.addr#1 == {a} && ip.addr#1 == {b})"
