# SPDX-License-Identifier: BSD-3-Clause
"""The world of an AAAH for tests/aaah/run and tests/bench/bench_aaah: a throw-away PostgreSQL cluster, freeDiameterd
with our extension in a network namespace, and two aaah_sim processes that are a foreign and a home agent.

Everything lies under one temporary directory and one namespace, both named aaah-PID, and goes away in World.close()."""
import ctypes
import json
import os
import pathlib
import queue
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time

SRC = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MIPVPN_BUILDDIR", os.getcwd())).resolve()
SANITIZED = "-fsanitize=address" in (BUILD / "Makefile").read_text() if (BUILD / "Makefile").exists() else False
USERS = ("alice", "bob", "carol", "dave", "mallory")
ADDRESS = {"aaah": "192.0.2.1", "fa": "192.0.2.2", "ha": "192.0.2.3", "fa2": "192.0.2.4",
           "aaah2": "192.0.2.5"}
IDENTITY = {"aaah": "aaah.home.test", "fa": "fa.visited.test", "ha": "ha.home.test", "fa2": "fa2.visited.test",
            "aaah2": "aaah2.home.test"}


class Failed(Exception):
    pass


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Lines:
    """The output of a process, line by line, with waiting for a line."""

    def __init__(self, stream, keep):
        self.q, self.all, self.keep = queue.Queue(), [], keep
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream):
        for line in stream:
            self.all.append(line)
            self.keep.write(line)
            self.keep.flush()
            self.q.put(line)
        self.q.put(None)

    def wait(self, match, seconds):
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.q.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return None
            if line is None:
                return None
            if match(line):
                return line


class Sim:
    """One aaah_sim process."""

    def __init__(self, world, name):
        self.name = name
        self.p = world.spawn(["%s/tests/aaah/aaah_sim" % BUILD, world.node_conf(name)], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=open(world.dir / (name + ".log"), "w"))
        self.lines = Lines(self.p.stdout, open(world.dir / (name + ".out"), "w"))

    def send(self, **cmd):
        self.p.stdin.write(json.dumps(cmd) + "\n")
        self.p.stdin.flush()

    def event(self, kind, seconds=8, **fields):
        def match(line):
            try:
                o = json.loads(line)
            except ValueError:
                return False
            return o.get("event") == kind and all(o.get(k) == v for k, v in fields.items())
        line = self.lines.wait(match, seconds)
        if line is None:
            raise Failed("%s: no event %s %s within %s s" % (self.name, kind, fields or "", seconds))
        return json.loads(line)

    def quiet_for(self, kind, seconds):
        """True when no such event comes."""
        try:
            self.event(kind, seconds)
        except Failed:
            return True
        return False

    def amr(self, **cmd):
        self.send(do="amr", **cmd)
        return self.event("ama")


class World:
    def __init__(self, conf="", sims=("fa", "ha"), cluster_options="", load=True):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="aaah-", dir="/tmp"))
        os.chmod(self.dir, 0o755)
        self.ns = self.dir.name
        self.procs, self.sims, self.keys = [], {}, {u: secrets.token_hex(16) for u in USERS}
        self.psk = secrets.token_hex(32)
        try:
            self._network()
            self._database(cluster_options, load)
            self._aaah(conf)
            for s in sims:
                self.sims[s] = Sim(self, s)
            for s in self.sims.values():
                s.event("peer", 20)
        except BaseException:
            self.close(keep=True)
            raise

    def __getattr__(self, name):
        try:
            return self.__dict__["sims"][name]
        except KeyError:
            raise AttributeError(name) from None

    # --- processes
    def environment(self, preload):
        """Of a sanitized build; preload: the program is not ours, but loads a module of ours."""
        if not SANITIZED:
            return None
        env = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
                   ASAN_OPTIONS="exitcode=99:log_path=%s/sanitizer:detect_odr_violation=0:suppressions=%s/lab/asan.supp:"
                   "detect_leaks=%d" % (self.dir, SRC, not preload),    # acl_wl.fdx leaks, unloaded when it shows
                   LSAN_OPTIONS="suppressions=%s/lab/lsan.supp:print_suppressions=0" % SRC)
        if preload:
            env["LD_PRELOAD"] = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True,
                                               check=True).stdout.strip()
        return env

    def findings(self):
        """What the sanitizers have reported, after close(keep=True)."""
        return "\n".join("\n".join(f.read_text(errors="replace").splitlines()[:20]) for f in self.dir.glob("sanitizer.*"))

    def spawn(self, argv, preload=False, **kw):
        p = subprocess.Popen(["ip", "netns", "exec", self.ns] + [str(a) for a in argv], text=True,
                             env=self.environment(preload), preexec_fn=die_with_parent, **kw)
        self.procs.append(p)
        return p

    def _network(self):
        run = lambda *a: subprocess.run(["ip"] + list(a), check=True)
        run("netns", "add", self.ns)
        run("-n", self.ns, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
        for a in ADDRESS.values():
            run("-n", self.ns, "addr", "add", a + "/24", "dev", "v0")
        for d in ("lo", "v0", "v1"):
            run("-n", self.ns, "link", "set", d, "up")

    def node_conf(self, name):
        """A freeDiameter configuration of one simulator: plain TCP; both AAAHs are peers, if they are there."""
        path = self.dir / (name + ".fd")
        path.write_text("""Identity = "%s";\nRealm = "%s";\nPort = 3868;\nSecPort = 0;\nNo_SCTP;\nNo_IPv6;\nTcTimer = 6;
TwTimer = 6;\nListenOn = "%s";\n"""
                        % (IDENTITY[name], IDENTITY[name].split(".", 1)[1], ADDRESS[name]) +
                        "".join('ConnectPeer = "%s" { ConnectTo = "%s"; No_TLS; No_SCTP; Port = 3868; };\n' %
                                (IDENTITY[a], ADDRESS[a]) for a in ("aaah", "aaah2")))
        return path

    # --- database
    def cluster(self, verb, **env):
        return subprocess.run([SRC / "tests/db/cluster", verb, self.dir / "pg"], check=True, text=True,
                              capture_output=True, env=dict(os.environ, **env)).stdout.strip()

    def sql(self, text, *args):
        return subprocess.run(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", self.dir / "pg", "-U", "postgres",
                               "postgres", *args], input=text, check=True, text=True, capture_output=True).stdout.strip()

    def wrap(self, label, key):
        return subprocess.run([BUILD / "mipvpn-keytool", "wrap", "-k", self.keyfile, "-l", label], check=True, text=True,
                              input=key + "\n", capture_output=True).stdout.strip().removeprefix("\\x")

    def _database(self, options, load):
        self.cluster("start", CLUSTER_OPTIONS=options)
        self.keyfile = self.dir / "key"
        self.keyfile.touch(0o600)
        self.keyfile.write_text(secrets.token_hex(32) + "\n")
        if load:
            self.load()

    def load(self):
        subprocess.run([SRC / "sql/apply", "-h", self.dir / "pg", "-U", "postgres", "postgres"], check=True,
                       stdout=subprocess.DEVNULL)
        args = []
        for u in USERS:
            args += ["-v", "%s_key=%s" % (u, self.wrap("subscriber:%s@home.test" % u, self.keys[u]))]
        args += ["-v", "acme_psk=" + self.wrap("sla:acme", self.psk)]
        self.sql("", *args, "-f", str(SRC / "sql/example.sql"))

    # --- the AAAH
    def write_conf(self, text, node="aaah"):
        (self.dir / (node + ".conf")).write_text('database = "host=%s user=mipvpn_aaah dbname=postgres"\nkey-file = "%s"\n%s\n'
                                            % (self.dir / "pg", self.keyfile, text))

    def _aaah(self, conf):
        self.write_conf(conf)
        (self.dir / "acl").write_text("ALLOW_IPSEC *.visited.test\nALLOW_IPSEC *.home.test\n")
        self._write_fd("aaah")
        self.start_aaah()

    def _write_fd(self, node):
        (self.dir / (node + ".fd")).write_text("""Identity = "%s";\nRealm = "home.test";\nPort = 3868;\nSecPort = 0;
No_SCTP;\nNo_IPv6;\nTcTimer = 6;\nTwTimer = 6;\nListenOn = "%s";
LoadExtension = "acl_wl.fdx" : "%s/acl";
LoadExtension = "%s/.libs/dict_mipvpn.fdx";
LoadExtension = "%s/.libs/app_mipvpn_aaah.fdx" : "%s/%s.conf";
""" % (IDENTITY[node], ADDRESS[node], self.dir, BUILD, BUILD, self.dir, node))

    def start_second(self, conf):
        """Another AAAH on the same database; returns its process. Its log is aaah2.log."""
        self.write_conf(conf, "aaah2")
        self._write_fd("aaah2")
        p = self.spawn(["freeDiameterd", "-c", self.dir / "aaah2.fd"], preload=True, stdout=open(self.dir / "aaah2.log", "a"),
                       stderr=subprocess.STDOUT)
        for s in self.sims.values():
            s.event("peer", 30, host=IDENTITY["aaah2"])
        return p

    def start_aaah(self):
        self.aaah = self.spawn(["freeDiameterd", "-c", self.dir / "aaah.fd"], preload=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
        self.log = Lines(self.aaah.stdout, open(self.dir / "aaah.log", "a"))
        self.logged("freeDiameterd daemon initialized", 10)

    def logged(self, pattern, seconds=5):
        """Waits for a line of the log that comes after the last one waited for."""
        line = self.log.wait(lambda l: re.search(pattern, l), seconds)
        if line is None:
            raise Failed("no line /%s/ in the log within %s s" % (pattern, seconds))
        return line

    @staticmethod
    def wait_end(p):
        """Of a freeDiameterd that has been told to end."""
        try:
            p.wait(5 if SANITIZED else 20)
        except subprocess.TimeoutExpired:
            if not SANITIZED:
                raise
            # With libasan preloaded, exit() waits for ever in libp11-kit's destructor for a lock of the C library.
            p.kill()
            p.wait()

    def restart_aaah(self):
        self.aaah.terminate()
        self.logged("counter aaah.amr.received", 20)    # our part of the end is over
        self.wait_end(self.aaah)
        self.start_aaah()
        for s in self.sims.values():
            s.event("peer", 30)

    def wait_sql(self, query, value, seconds=5):
        """Polls the database: it has no events that a test could wait for."""
        end = time.monotonic() + seconds
        while True:
            got = self.sql(query)
            if got == value:
                return got
            if time.monotonic() > end:
                raise Failed("%s: %r instead of %r" % (query, got, value))
            time.sleep(0.02)

    def reload(self):
        os.kill(self.daemon_pid(), signal.SIGUSR1)

    def daemon_pid(self):
        return self.aaah.pid    # ip netns exec has become the daemon

    def close(self, keep=False):
        for p in reversed(self.procs):
            if p.poll() is None:
                p.terminate()
        for p in self.procs:
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        subprocess.run([SRC / "tests/db/cluster", "stop", self.dir / "pg"], stdout=subprocess.DEVNULL)
        subprocess.run(["ip", "netns", "del", self.ns], stderr=subprocess.DEVNULL)
        if not keep:
            self.remove()

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)
