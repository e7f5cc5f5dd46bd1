# SPDX-License-Identifier: BSD-3-Clause
"""The world of tests/portal/run: a throw-away PostgreSQL cluster with the example's users,
and mipvpn-webd processes."""
import ctypes
import html
import http.client
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse

SRC = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("MIPVPN_BUILDDIR", os.getcwd())).resolve()
EVIDENCE = pathlib.Path(os.environ.get("MIPVPN_LAB_EVIDENCE", BUILD)).resolve() / "portal"
WEBD = BUILD / "mipvpn-webd"
PASSWORDS = {
    "alice": "correct horse 1",
    "bob": "Bob's pass & word",
    "erin": "\u00fcber-geheim \u2713",
    "mallory": "m4llory 4ever",
    "frank": "frank and free",
    "carol": "carol carol",
}
PASSED, FAILED = [], []
SESSION, FORM_COOKIE = "__Host-mipvpn", "__Host-mipvpn-form"
FORM = "application/x-www-form-urlencoded"


def check(what, held, more=""):
    (PASSED if held else FAILED).append(what)
    print("%s %s%s" % ("ok  " if held else "FAIL", what, "" if held or not more else " (%s)" % (more,)), flush=True)


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def until(fn, seconds=10.0):
    """Asks again until it is true."""
    end = time.monotonic() + seconds
    while True:
        value = fn()
        if value or time.monotonic() > end:
            return value
        time.sleep(0.02)


class World:
    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="mipvpn-portal-", dir="/tmp"))
        os.chmod(self.dir, 0o755)
        self.pg = self.dir / "pg"
        self.webds = []
        shutil.rmtree(EVIDENCE, ignore_errors=True)
        EVIDENCE.mkdir(parents=True)
        self.cluster("start")
        self.psql("CREATE DATABASE mipvpn", db="postgres")
        subprocess.run(
            [SRC / "sql/apply", "-h", self.pg, "-U", "postgres", "mipvpn"], check=True, stdout=subprocess.DEVNULL
        )
        key = "01" + "0" * 86
        var = []
        for name in (
            "alice_key",
            "bob_key",
            "carol_key",
            "dave_key",
            "mallory_key",
            "acme_psk",
            "erin_key",
            "frank_key",
            "pcn_key",
            "pcn2_key",
        ):
            var += ["-v", name + "=" + key]
        for f in ("example.sql", "example-pcn.sql"):
            subprocess.run(
                self.psql_cmd("mipvpn") + var + ["-f", SRC / "sql" / f], check=True, stdout=subprocess.DEVNULL
            )
        self.psql(
            "UPDATE mipvpn.slas SET description = 'ACME head office';"
            "UPDATE mipvpn.cn_gateways SET description = 'Partner network ' || right(host(gateway), 2) WHERE"
            " kind = 'dynamic';"
            "SET ROLE mipvpn_dba;"
            + "".join(
                "SELECT mipvpn.portal_set_password('%s@home.test', '%s');" % (u, hash_of(p))
                for u, p in PASSWORDS.items()
            )
        )

    def cluster(self, verb):
        env = dict(os.environ, CLUSTER_OPTIONS="-c fsync=off")
        subprocess.run([SRC / "tests/db/cluster", verb, self.pg], check=True, stdout=subprocess.DEVNULL, env=env)

    def psql_cmd(self, db="mipvpn"):
        return ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", str(self.pg), "-U", "postgres", db]

    def psql(self, sql, db="mipvpn"):
        p = subprocess.run(self.psql_cmd(db), input=sql, capture_output=True, text=True, timeout=60)
        if p.returncode:
            raise RuntimeError("psql: " + p.stderr)
        return p.stdout.strip()

    def postgres_pids(self):
        top = int((self.pg / "data/postmaster.pid").read_text().split()[0])
        kids = pathlib.Path("/proc/%d/task/%d/children" % (top, top)).read_text().split()
        return [top] + [int(k) for k in kids]

    def webd(self, name, conf):
        w = Webd(self, name, conf)
        self.webds.append(w)
        return w

    def close(self):
        for w in self.webds:
            w.kill()
        self.cluster("stop")
        shutil.rmtree(self.dir, ignore_errors=True)


def hash_of(password):
    p = subprocess.run([WEBD, "--hash-password"], input=password + "\n", capture_output=True, text=True, check=True)
    return p.stdout.strip()


class Webd:
    """One mipvpn-webd; started as root it becomes nobody."""

    def __init__(self, world, name, conf):
        self.name, self.world = name, world
        self.conf = world.dir / (name + ".conf")
        self.conf.write_text(
            'user = "nobody"\nport = 0\nlog-level = "debug"\ndatabase = "host=%s dbname=mipvpn user=mipvpn_portal"\n%s'
            % (world.pg, conf)
        )
        self.log = EVIDENCE / (name + ".log")
        self.start()

    def start(self):
        with open(self.log, "ab") as out:
            self.p = subprocess.Popen(
                [WEBD, "-c", self.conf], stderr=out, stdout=out, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent
            )
        found = until(lambda: self.p.poll() is not None or re.findall(r"serving on \S+ port (\d+)", self.text()), 20)
        if self.p.poll() is not None:
            raise RuntimeError("%s: ended: %s" % (self.name, self.text()[-500:]))
        self.port = int(found[-1])

    def text(self):
        return self.log.read_text(errors="replace")

    def counters(self):
        before = len(self.text())
        self.p.send_signal(signal.SIGUSR1)
        until(lambda: "counter: web.requests" in self.text()[before:], 5)
        return {k: int(v) for k, v in re.findall(r"counter: (\S+) (\d+)", self.text()[before:])}

    def stop(self):
        self.p.send_signal(signal.SIGTERM)
        return self.p.wait(30)

    def kill(self):
        if self.p.poll() is None:
            self.p.kill()
            self.p.wait()


class Reply:
    def __init__(self, r):
        self.status, self.headers = r.status, r.headers
        self.raw = r.read()
        self.text = self.raw.decode("utf-8", "replace")
        self.cookies = r.headers.get_all("Set-Cookie") or []

    def shown(self):
        """What a person reads."""
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", self.text)))


class Visitor:
    """A browser without eyes, behind the proxy: keeps cookies, fills in forms."""

    def __init__(self, webd, address="192.0.2.1"):
        self.webd, self.address, self.jar = webd, address, {}

    def ask(self, method, path, body=None, headers=None, timeout=30):
        h = {"X-Forwarded-For": "203.0.113.99, " + self.address}
        if self.jar:
            h["Cookie"] = "; ".join("%s=%s" % c for c in self.jar.items())
        h.update(headers or {})
        c = http.client.HTTPConnection("127.0.0.1", self.webd.port, timeout=timeout)
        try:
            c.request(method, path, body, {k: v for k, v in h.items() if v is not None})
            r = Reply(c.getresponse())
        finally:
            c.close()
        for text in r.cookies:
            name, value = text.split(";")[0].split("=", 1)
            if value:
                self.jar[name] = value
            else:
                self.jar.pop(name, None)
        return r

    def get(self, path="/", **more):
        return self.ask("GET", path, **more)

    def post(self, path, fields, headers=None, **more):
        body = fields if isinstance(fields, (bytes, str)) else urllib.parse.urlencode(fields)
        return self.ask(
            "POST", path, body, dict({"Content-Type": FORM, "Sec-Fetch-Site": "same-origin"}, **(headers or {})), **more
        )

    def word(self):
        return re.search(r'name="word" value="([0-9a-f]{64})"', self.get().text).group(1)

    def sign_in(self, user, password=None):
        return self.post(
            "/sign-in", {"word": self.word(), "nai": user + "@home.test", "password": password or PASSWORDS[user]}
        )

    def act(self, path, **fields):
        return self.post(path, dict(fields, word=self.word()))


def in_parallel(n, fn):
    """fn(i) in n threads at once; their results, exceptions included."""
    out, gate = [None] * n, threading.Barrier(n)

    def one(i):
        gate.wait()
        try:
            out[i] = fn(i)
        except Exception as e:  # a result like any other: the test counts it
            out[i] = e

    threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


def vpns(w, user):
    return w.psql(
        "SELECT destination, coalesce(up_class, '-'), coalesce(down_class, '-'), security FROM mipvpn.vpns"
        " WHERE nai = '%s@home.test' ORDER BY 1" % user
    ).splitlines()


def everything(w):
    """A digest of all that a page could change."""
    return w.psql(
        "SELECT md5(string_agg(v::text, '|' ORDER BY number)) FROM mipvpn.vpns v;"
        "SELECT count(*) FROM mipvpn.subscribers; SELECT count(*) FROM mipvpn.portal_accounts"
    )


def signed_in(visitor):
    return "Sign out" in visitor.get().text
