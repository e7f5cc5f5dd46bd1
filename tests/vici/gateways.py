# SPDX-License-Identifier: BSD-3-Clause
"""Gateways in network namespaces for tests/vici/run: charons, VPN rooms, and what the cases share."""
import json
import os
import queue
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

ARGS = [a for a in sys.argv[1:] if not a.startswith("-")]
VERBOSE = "-v" in sys.argv
BUILD = os.path.abspath(ARGS[0] if ARGS else ".")
DRIVER = os.path.join(BUILD, "tests/vici/driver")
CHARON = "/usr/sbin/charon-systemd"
NODES = {"fa": "198.51.100.11", "fa2": "198.51.100.12", "ha": "198.51.100.21", "gw": "198.51.100.31"}
LINKS = [("fa", "ha"), ("ha", "gw"), ("fa2", "ha"), ("fa", "fa2")]
LOCAL = {"fa": ["10.1.0.10", "10.1.0.11", "10.9.0.0"], "fa2": ["10.1.0.10"],
         "ha": ["10.1.0.10", "10.1.0.11", "10.9.0.0"], "gw": ["10.9.0.1"]}
PSK = "the-psk-of-acme"
PASSED, FAILED = [], []
SLOW = float(os.environ.get("MIPVPN_LAB_SLOW", "1"))  # of a busy machine or a sanitized build: waits take longer


def ns(node):
    return "vpn-" + node


def sh(cmd, node=None, check=True, **kw):
    full = (["ip", "netns", "exec", ns(node)] if node else []) + cmd
    r = subprocess.run(full, capture_output=True, text=True, **kw)
    if check and r.returncode:
        raise RuntimeError("%s: %s%s" % (" ".join(full), r.stdout, r.stderr))
    return r


def check(what, held, more=""):
    (PASSED if held else FAILED).append(what)
    print("%s %s%s" % ("ok    " if held else "NOT OK", what, "" if held or not more else " (%s)" % more), flush=True)


def until(fn, seconds):
    """Asks again until true: for what only a command can tell (list-sas); never longer than seconds."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = fn()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.05)


CONF = """charon-systemd {
  journal {
    default = -1
  }
  filelog {
    log {
      path = %(dir)s/charon.log
      default = 1
      flush_line = yes
    }
  }
}
charon {
  load_modular = no
  load = random nonce openssl kdf pem pkcs1 kernel-libipsec kernel-netlink socket-default vici updown
  dos_protection = no
  threads = 32
  retransmit_tries = 3
  retransmit_timeout = 0.5
  retransmit_base = 1.2
  plugins {
    vici {
      socket = unix://%(dir)s/vici
    }
    kernel-libipsec {
      allow_peer_ts = yes
    }
  }
}
swanctl {
  socket = unix://%(dir)s/vici
}
"""
GW_CONF = """connections {
  acme {
    local_addrs = 198.51.100.31
    remote_addrs = 198.51.100.21
    local {
      auth = psk
      id = gw.acme.test
    }
    remote {
      auth = psk
      id = ha.home.test
    }
    children {
      net {
        local_ts = %(ts)s
        remote_ts = 10.1.0.0/24
      }
    }
  }
}
secrets {
  ike-acme {
    id-1 = ha.home.test
    id-2 = gw.acme.test
    secret = "%(psk)s"
  }
}
"""


class Node:
    def __init__(self, top, name):
        self.name, self.dir = name, os.path.join(top, name)
        os.makedirs(self.dir)
        self.charon = self.driver = None
        with open(self.dir + "/strongswan.conf", "w") as f:
            f.write(CONF % {"dir": self.dir})
        self.env = dict(os.environ, STRONGSWAN_CONF=self.dir + "/strongswan.conf")

    def charon_start(self):
        self.charon = subprocess.Popen(["ip", "netns", "exec", ns(self.name), CHARON], env=self.env,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not until(lambda: sh(["swanctl", "--stats"], self.name, False, env=self.env).returncode == 0, 10):
            raise RuntimeError("charon of %s does not answer" % self.name)

    def charon_kill(self, sig=signal.SIGKILL):
        self.charon.send_signal(sig)
        self.charon.wait()
        if sig == signal.SIGKILL and os.path.exists(self.dir + "/vici"):
            os.unlink(self.dir + "/vici")

    def swanctl(self, *args):
        return sh(["swanctl"] + list(args), self.name, False, env=self.env).stdout

    def clean(self):
        """Nothing of ours is in charon; the words that it has otherwise."""
        left = [l for l in (self.swanctl("--list-sas") + self.swanctl("--list-conns")).splitlines() if "mipvpn" in l]
        keys = self.keys()
        return not left and not keys

    def keys(self):
        """Our shared keys: swanctl has no command that lists them, so VICI by hand (one answer, one list)."""
        with socket.socket(socket.AF_UNIX) as c:
            c.connect(self.dir + "/vici")
            c.sendall(struct.pack("!IBB", 12, 0, 10) + b"get-shared")
            size = struct.unpack("!I", c.recv(4, socket.MSG_WAITALL))[0]
            answer = c.recv(size, socket.MSG_WAITALL)
        return "mipvpn" in answer.decode("latin-1")

    def up(self, part):
        return [l for l in self.swanctl("--list-sas").splitlines() if part in l and "INSTALLED" in l]


class Driver:
    """A VPN room: commands in, lines out."""

    def __init__(self, node, *options):
        self.node = node
        self.p = subprocess.Popen([DRIVER, NODES[node.name], node.dir + "/vici", *options], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=open(node.dir + "/driver.err", "a"), text=True)
        self.lines, self.seen = queue.Queue(), []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.p.stdout:
            if VERBOSE:
                print("  %s: %s" % (self.node.name, line.rstrip()), flush=True)
            self.lines.put(line.rstrip())
        self.lines.put(None)

    def say(self, text):
        self.p.stdin.write(text + "\n")
        self.p.stdin.flush()

    def reported(self, start, seconds):
        """The next report on whether a session came up, of those that start so, or ''."""
        while True:
            line = self.wait("report " + start, seconds)
            if " CARRIES" not in line:
                return line

    def wait(self, start, seconds):
        """The next line that starts so, or ''."""
        end = time.monotonic() + seconds * SLOW
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return ""
            if line is None:
                return ""
            self.seen.append(line)
            if line.startswith(start):
                return line

    def install(self, session, profiles, deadline=4000):
        path = "%s/%s.json" % (self.node.dir, session)
        with open(path, "w") as f:
            json.dump(profiles, f)
        os.chmod(path, 0o600)
        self.say("install %s %d %s" % (session, deadline, path))

    def heard(self, text):
        while not self.lines.empty():
            self.seen.append(self.lines.get())
        return text in self.seen

    def ask(self, word):
        self.say(word)
        line = self.wait(word + " ", 5)
        return json.loads(line[len(word) + 1:]) if line else None

    def remove(self, session):
        self.say("remove " + session)

    def idle(self, seconds=5):
        self.say("idle")
        return self.wait("idle", seconds) == "idle"

    def stop(self):
        """Exit status: 0 also means that the sanitizers found nothing."""
        if self.p.poll() is None:
            self.say("quit")
        try:
            return self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            return -1


def fa_ha(number=1, home="10.1.0.10", key="11" * 32, dst="10.9.0.0/24", default=False, fa="fa"):
    p = {"number": number, "src": home, "dst": dst, "tos_up": 184, "tos_down": 136, "security": "esp",
         "src_gw": NODES[fa], "dst_gw": NODES["ha"], "dst_gw_type": "agent", "required": True,
         "spi_up": 256 if default else 1000 + number, "spi_down": 256 if default else 2000 + number}
    if not default:
        p.update(enc_key=key, auth_key="22" * 32)
    return p


def ha_gw(number=1, home="10.1.0.10", psk=PSK):
    return {"number": number, "src": home, "dst": "10.9.0.0/24", "tos_up": 184, "tos_down": 136, "security": "esp",
            "src_gw": NODES["ha"], "dst_gw": NODES["gw"], "dst_gw_type": "static", "required": True,
            "spi_up": 1000 + number, "spi_down": 2000 + number, "enc_key": "11" * 32, "auth_key": "22" * 32,
            "sla": "acme", "sla_src": "10.1.0.0/24", "sla_dst": "10.9.0.0/24", "ike_local": "ha.home.test",
            "ike_remote": "gw.acme.test", "psk": psk.encode().hex()}


def net_up():
    for n in NODES:
        sh(["ip", "netns", "add", ns(n)])
        sh(["ip", "link", "set", "lo", "up"], n)
    for a, b in LINKS:
        sh(["ip", "link", "add", "to-" + b, "netns", ns(a), "type", "veth", "peer", "name", "to-" + a, "netns", ns(b)])
        for here, there in ((a, b), (b, a)):
            sh(["ip", "addr", "add", NODES[here], "dev", "to-" + there], here)
            sh(["ip", "link", "set", "to-" + there, "up"], here)
            sh(["ip", "route", "add", NODES[there], "dev", "to-" + there, "src", NODES[here]], here)
    for n in NODES:
        # kernel-libipsec wants an address of its own in local_ts, and its routes before the local table.
        sh(["ip", "rule", "add", "pref", "1000", "lookup", "local"], n)
        sh(["ip", "rule", "del", "pref", "0"], n)
        for a in LOCAL[n]:
            sh(["ip", "addr", "add", a + "/32", "dev", "lo"], n)
        for key in ("ip_forward=1", "conf.all.rp_filter=0", "conf.default.rp_filter=0", "conf.all.send_redirects=0"):
            sh(["sysctl", "-qw", "net.ipv4." + key], n)


def net_down():
    for n in NODES:
        sh(["ip", "netns", "del", ns(n)], check=False)


def ping(home="10.1.0.10", n=3):
    return sh(["ping", "-c", str(n), "-i", "0.2", "-W", "1", "-I", home, "10.9.0.1"], "fa", False).returncode == 0


def gw_load(gw, ts="10.9.0.0/24", psk=PSK):
    path = gw.dir + "/swanctl.conf"
    with open(path, "w") as f:
        f.write(GW_CONF % {"ts": ts, "psk": psk})
    gw.swanctl("--load-all", "--file", path)


def session_up(fa, ha, name="s1", **kw):
    """As a registration does it: the HA first, then the FA.  Milliseconds, or None."""
    start = time.monotonic()
    number, home = kw.get("number", 1), kw.get("home", "10.1.0.10")
    ha.install(name, [fa_ha(**kw), ha_gw(number, home)])
    a = ha.wait("report " + name, 6)
    fa.install(name, [fa_ha(**kw)])
    b = fa.wait("report " + name, 6)
    good = a.startswith("report %s UP" % name) and b.startswith("report %s UP" % name)
    return (time.monotonic() - start) * 1000 if good else None


def end_all(nodes, fa, ha, *sessions):
    for s in sessions:
        fa.remove(s)
        ha.remove(s)
    check("both rooms are idle after the removal", fa.idle() and ha.idle())
    for n in (nodes["fa"], nodes["ha"]):
        check("%s: nothing of ours in charon" % n.name, until(n.clean, 3),
              n.swanctl("--list-sas") + n.swanctl("--list-conns"))
