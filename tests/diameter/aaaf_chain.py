#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""FA - AAAF - AAAH on three network namespaces: a real freeDiameterd with app_mipvpn_aaaf between two simulators.

Shows what passes, what the AAAF refuses, what it answers by itself, what it keeps, and that a capture of all of it is
clean for tshark.  Runs in the build directory; needs root, freeDiameterd and tshark, else it is skipped (77).
"""
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

PREFIX = os.environ.get("MIPVPN_TEST_PREFIX", f"diam{os.getpid()}")
NODES = {"fa": ("fa.visited.test", "visited.test"), "aaaf": ("aaaf.visited.test", "visited.test"),
         "aaah": ("aaah.home.test", "home.test")}
LINKS = [("fa", "10.201.1.1", "aaaf", "10.201.1.2"), ("aaaf", "10.201.2.1", "aaah", "10.201.2.2")]
FREEDIAMETER = "/usr/lib/freeDiameter"
passed, failed = [], []


def check(what, holds, detail=""):
    (passed if holds else failed).append(what)
    print(f"{'ok' if holds else 'NOT OK'}: {what}{'' if holds else ' -- ' + str(detail)}", flush=True)


def run(*argv):
    subprocess.run(argv, check=True, capture_output=True, text=True)


def netns(node):
    return f"{PREFIX}-{node}"


def network_up():
    for node in NODES:
        run("ip", "netns", "add", netns(node))
        run("ip", "-n", netns(node), "link", "set", "lo", "up")
    for a, a_ip, b, b_ip in LINKS:
        run("ip", "link", "add", f"to-{b}", "netns", netns(a), "type", "veth", "peer", f"to-{a}", "netns", netns(b))
        for node, name, ip in ((a, f"to-{b}", a_ip), (b, f"to-{a}", b_ip)):
            run("ip", "-n", netns(node), "addr", "add", ip + "/24", "dev", name)
            run("ip", "-n", netns(node), "link", "set", name, "up")


def network_down():
    for node in NODES:
        subprocess.run(["ip", "netns", "del", netns(node)], capture_output=True)


def configuration(directory, node, connect=(), admit=(), extensions=()):
    identity, realm = NODES[node]
    acl = os.path.join(directory, node + ".acl")
    with open(acl, "w") as f:
        f.writelines(f"ALLOW_IPSEC {NODES[n][0]}\n" for n in admit)
    lines = [f'Identity = "{identity}"; Realm = "{realm}"; Port = 3868; SecPort = 0;',
             "No_SCTP; No_IPv6; TcTimer = 6; TwTimer = 6;"]
    if admit:
        lines.append(f'LoadExtension = "{FREEDIAMETER}/acl_wl.fdx" : "{acl}";')
    lines += [f'LoadExtension = "{path}"' + (f' : "{argument}";' if argument else ";") for path, argument in extensions]
    lines += [f'ConnectPeer = "{NODES[n][0]}" {{ ConnectTo = "{ip}"; No_TLS; No_SCTP; Port = 3868; }};'
              for n, ip in connect]
    path = os.path.join(directory, node + ".conf")
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    return path


class Process:
    """A child in a namespace whose output lines can be waited for."""

    def __init__(self, node, argv, log):
        self.lines, self.seen, self.log = queue.Queue(), [], open(log, "w")
        self.p = subprocess.Popen(["ip", "netns", "exec", netns(node)] + argv, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.p.stdout:
            self.log.write(line)
            self.log.flush()
            self.lines.put(line.rstrip("\n"))

    def wait(self, pattern, seconds=15):
        """The match of the next line that fits; None when none comes in time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                line = self.lines.get(timeout=left)
            except queue.Empty:
                return None
            self.seen.append(line)
            if m := re.search(pattern, line):
                return m
        return None

    def tell(self, order):
        self.p.stdin.write(order + "\n")
        self.p.stdin.flush()

    def stop(self, how=signal.SIGTERM):
        if self.p.poll() is None:
            self.p.send_signal(how)
        try:
            return self.p.wait(20)
        except subprocess.TimeoutExpired:
            self.p.kill()
            return self.p.wait()


AAAF_CONF = """foreign-agents = {"fa.visited.test"}
home-realms = {"home.test", "void.test"}
candidate-home-agent = "ha.visited.test"
answer-deadline = 1500
"""


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def start(directory):
    here = os.getcwd()
    aaaf_conf = write(os.path.join(directory, "app_mipvpn_aaaf.conf"), AAAF_CONF)
    rt = write(os.path.join(directory, "rt_default.conf"), '* : "aaah.home.test" += 30;\n')
    rt_fa = write(os.path.join(directory, "rt_fa.conf"), '* : "aaaf.visited.test" += 30;\n')
    aaaf = configuration(directory, "aaaf", connect=[("aaah", "10.201.2.2")], admit=["fa"], extensions=[
        (f"{here}/.libs/dict_mipvpn.fdx", None), (f"{here}/.libs/app_mipvpn_aaaf.fdx", aaaf_conf),
        (f"{FREEDIAMETER}/rt_default.fdx", rt)])
    aaah = configuration(directory, "aaah", admit=["aaaf"], extensions=[
        (f"{FREEDIAMETER}/rt_default.fdx", rt_fa)])
    fa = configuration(directory, "fa", connect=[("aaaf", "10.201.1.2")], extensions=[
        (f"{FREEDIAMETER}/rt_default.fdx", rt_fa)])
    p = {}
    sim = [f"{here}/tests/diameter/sim"]
    p["aaah"] = Process("aaah", sim + [aaah], directory + "/aaah.log")
    check("AAAH starts", p["aaah"].wait("^ready"))
    p["aaaf"] = Process("aaaf", ["freeDiameterd", "-c", aaaf], directory + "/aaaf.log")
    check("AAAF reaches the AAAH", p["aaah"].wait("-> 'STATE_OPEN'\\s+'aaaf") and
          p["aaaf"].wait("-> 'STATE_OPEN'\\s+'aaah"))
    p["fa"] = Process("fa", sim + [fa], directory + "/fa.log")
    check("FA reaches the AAAF", p["fa"].wait("-> 'STATE_OPEN'\\s+'aaaf") and p["aaaf"].wait("-> 'STATE_OPEN'\\s+'fa"))
    return p


def scenario_registration(p):
    p["fa"].tell("amr fa;1;1 alice@home.test 0x70")
    check("the AMR reaches the AAAH as the FA sent it",
          p["aaah"].wait(r"^AMR session=fa;1;1 user=alice@home.test from=fa.visited.test features=112 aaaf= candidate=$"))
    check("the AMA reaches the FA with profiles and keys",
          p["fa"].wait(r"^AMA session=fa;1;1 result=2001 profiles=2 keys=2 from=aaah.home.test"))
    check("one line for the transaction", p["aaaf"].wait(
        r"AMR session=fa;1;1 user=alice@home.test from=fa.visited.test to=home.test result=2001 ms=\d+$"))


def scenario_features(p):
    p["fa"].tell("amr fa;1;2 alice@home.test 0xd4")
    check("what only an AAAF may say is taken out of the FA's mouth, and a home agent is offered", p["aaah"].wait(
        r"^AMR session=fa;1;2 .* features=92 aaaf=aaaf.visited.test candidate=ha.visited.test$"), p["aaah"].seen[-3:])
    check("answered", p["fa"].wait(r"^AMA session=fa;1;2 result=2001"))


def scenario_refusals(p):
    p["fa"].tell("amr fa;1;3 alice@elsewhere.test")
    check("a home realm without a contract is refused", p["fa"].wait(
        r"^AMA session=fa;1;3 result=3003 .*from=aaaf.visited.test error=no roaming agreement"), p["fa"].seen[-3:])
    p["aaah"].tell("mode refuse")
    p["fa"].tell("amr fa;1;4 alice@home.test")
    check("a refusal of the home network passes", p["fa"].wait(
        r"^AMA session=fa;1;4 result=4001 .*error=MN-AAA authenticator is wrong"), p["fa"].seen[-3:])
    p["aaah"].tell("mode malformed")
    p["fa"].tell("amr fa;1;5 alice@home.test")
    check("a malformed success passes and is not kept", p["fa"].wait(r"^AMA malformed 5014 MIP-Session-Key"))
    check("the AAAF says why", p["aaaf"].wait(r"AMA of fa;1;5 not kept: MIP-Session-Key: 5 bytes"))


def scenario_deadline(p):
    p["aaah"].tell("mode silent")
    began = time.monotonic()
    p["fa"].tell("amr fa;1;6 alice@home.test")
    got = p["fa"].wait(r"^AMA session=fa;1;6 result=3002 .*from=aaaf.visited.test error=no answer", 10)
    check("a silent home network is answered for at the deadline", got and 1.0 < time.monotonic() - began < 5,
          p["fa"].seen[-3:])
    p["aaah"].tell("mode answer")
    p["fa"].tell("amr fa;1;7 alice@home.test")
    check("the next one works", p["fa"].wait(r"^AMA session=fa;1;7 result=2001"))


def scenario_ends(p):
    counters(p, {"aaaf.session.cached": 3, "sessions": 3})
    p["fa"].tell("str fa;1;1 alice@home.test")
    check("an STR passes", p["aaah"].wait(r"^STR session=fa;1;1 from=fa.visited.test cause=1"))
    check("its STA comes back", p["fa"].wait(r"^STA result=2001"))
    p["aaah"].tell("asr fa;1;2 visited.test fa.visited.test")
    check("an ASR passes", p["fa"].wait(r"^ASR session=fa;1;2 from=aaah.home.test"))
    check("its ASA comes back", p["aaah"].wait(r"^ASA result=2001"))
    counters(p, {"aaaf.session.ended": 2, "sessions": 1})
    p["fa"].tell("str fa;1;9 alice@home.test 0")
    check("freeDiameter 1.2.1 does not forward an STR of application 0", p["aaaf"].wait(
        "request 275 of application 0.*routable message with application id 0"), p["aaaf"].seen[-3:])
    p["aaah"].tell("asr fa;1;9 visited.test fa.visited.test 0")
    check("nor an ASR of application 0", p["aaaf"].wait(
        "request 274 of application 0.*routable message with application id 0"), p["aaaf"].seen[-3:])


def daemon_pid(process):
    return process.p.pid


def counters(p, expected):
    """`ip netns exec` becomes the daemon, so its pid is the daemon's."""
    os.kill(daemon_pid(p["aaaf"]), signal.SIGUSR2)
    got = {}
    while m := p["aaaf"].wait(r"aaaf: (?:counter (\S+)|(sessions)) (\d+)", 5):
        got[m[1] or m[2]] = int(m[3])
        if m[2]:
            break
    for name, value in expected.items():
        check(f"counter {name} is {value}", got.get(name) == value, got)


def scenario_reload(p, directory):
    path = os.path.join(directory, "app_mipvpn_aaaf.conf")
    write(path, AAAF_CONF + "answer-deadline = soon\n")
    os.kill(daemon_pid(p["aaaf"]), signal.SIGUSR1)
    check("a bad configuration is refused with file, line and key",
          p["aaaf"].wait(r"app_mipvpn_aaaf.conf:5: .*answer-deadline"), p["aaaf"].seen[-3:])
    p["fa"].tell("amr fa;2;1 alice@home.test")
    check("the old one stays in use", p["fa"].wait(r"^AMA session=fa;2;1 result=2001"))
    write(path, AAAF_CONF.replace("fa.visited.test", "other.visited.test"))
    os.kill(daemon_pid(p["aaaf"]), signal.SIGUSR1)
    check("a good one is taken", p["aaaf"].wait("configuration reloaded"))
    p["fa"].tell("amr fa;2;2 alice@home.test")
    check("an FA that is not authorised is refused", p["fa"].wait(
        r"^AMA session=fa;2;2 result=5003 .*error=not a foreign agent of this network"), p["fa"].seen[-3:])


def scenario_capture(path):
    out = subprocess.run(["tshark", "-r", path, "-Y", "diameter", "-V"], capture_output=True, text=True).stdout
    check("tshark decodes AMR, AMA, STR, ASR", all(re.search(rf"Command Code: .*{c}\b", out) or c in out
                                                  for c in ("MIP-Reg-Request", "MIP-FA-to-HA-MSA", "Session-Termination",
                                                            "Abort-Session")))
    check("tshark finds nothing malformed", out and "Malformed" not in out)
    vendor = subprocess.run(["tshark", "-r", path, "-Y", "diameter.avp.vendorId == 32473", "-T", "fields", "-e",
                             "diameter.cmd.code"], capture_output=True, text=True).stdout.split()
    check("the VPN AVPs are on the wire", "260" in vendor, vendor)


def main():
    if os.geteuid() or not all(map(shutil.which, ("ip", "freeDiameterd", "tshark"))):
        print("needs root, iproute2, freeDiameterd and tshark")
        return 77
    directory = tempfile.mkdtemp(prefix=PREFIX + "-")
    pcap, p = os.path.join(directory, "aaaf.pcap"), {}
    network_down()
    try:
        network_up()
        capture = Process("aaaf", ["tshark", "-i", "any", "-f", "tcp port 3868", "-w", pcap], directory + "/tshark.log")
        capture.wait("Capturing")
        p = start(directory)
        for scenario in (scenario_registration, scenario_features, scenario_refusals, scenario_deadline, scenario_ends):
            scenario(p)
        scenario_reload(p, directory)
        p["fa"].tell("quit")
        p["aaah"].tell("quit")
        check("the AAAF ends by itself", p["aaaf"].stop() == 0)
        capture.stop(signal.SIGINT)
        scenario_capture(pcap)
    finally:
        for process in p.values():
            process.stop()
        network_down()
    print(f"{len(passed)} passed, {len(failed)} failed" + (f"; logs in {directory}" if failed else ""))
    if not failed:
        shutil.rmtree(directory)
    return 1 if failed or not passed else 0


sys.exit(main())
