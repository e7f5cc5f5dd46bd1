# SPDX-License-Identifier: BSD-3-Clause
"""Questions to tshark, the decoder that is not ours."""
import subprocess

from .settings import TOP, LabError

# Binding messages are unknown to tshark 4.0: a dissector of our own.
LUA = ("-X", f"lua_script:{TOP}/tests/mipbinding.lua")


def tshark(pcap, display_filter, *args):
    cmd = ["tshark", *(LUA if "mipbinding" in display_filter else ()), "-n", "-r", str(pcap), "-Y", display_filter, *args]
    p = subprocess.run(cmd, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    if p.returncode:
        raise LabError(f"{' '.join(cmd)}: {p.stderr.strip()}")
    return p.stdout


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


def between(a, b):
    """Filter: outer packets between two addresses, either way. ip.addr would look into tunnels too: callers that mind
    the inner packet use layer operators (ip.addr#1)."""
    return f"(ip.addr#1 == {a} && ip.addr#1 == {b})"
