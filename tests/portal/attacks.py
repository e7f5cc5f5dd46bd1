# SPDX-License-Identifier: BSD-3-Clause
"""tests/portal/run: what people do to a page who mean no good, and 200 of them at once."""
import http.client
import socket
import ssl
import threading
import time
import urllib.parse

from world import PASSWORDS, SESSION, Visitor, check, everything, in_parallel, signed_in, until, vpns


def test_others_rows(w, webd):
    before = everything(w)
    a, b = Visitor(webd, "192.0.2.40"), Visitor(webd, "192.0.2.41")
    a.sign_in("alice")
    b.sign_in("bob")
    check(
        "bob's page has nothing of alice's",
        "calls to the office" in a.get().text and "calls to the office" not in b.get().text,
    )
    check("bob changes alice's VPN", b.act("/vpn/change", number="1", up="", down="", security="ENCAP").status == 404)
    check("bob removes alice's VPN", b.act("/vpn/remove", number="1").status == 404)
    for number in ("1 OR 1=1", "1;--", "-1", "", "99999999999999999999", "1e0", "0x1", "\u0661"):
        check("bob asks for number %r" % number, b.act("/vpn/remove", number=number).status == 404)
    r = b.post("/vpn/remove", {"word": b.word(), "number": "2", "nai": "alice@home.test", "token": a.jar[SESSION]})
    check(
        "fields that no form has change nothing for anybody else",
        vpns(w, "alice") == ["10.9.0.0/24|EF|AF41|ESP"] and r.status == 303,
    )
    w.psql(
        "INSERT INTO mipvpn.vpns (number, nai, destination, up_class, down_class, up_spi, down_spi, description)"
        " VALUES (2, 'bob@home.test', '10.9.0.0/24', '0', '0', 4099, 4100, 'the office')"
    )
    check("all is as it was", everything(w) == before)
    return a, b


def test_csrf(w, a, b):
    before = everything(w)
    fields = {"number": "1"}
    foreign = b.word()
    for what, extra, headers in (
        ("without the form's word", {}, {}),
        ("with an empty one", {"word": ""}, {}),
        ("with that of another session", {"word": foreign}, {}),
        ("with a long one", {"word": "a" * 500}, {}),
        ("from another site", {"word": a.word()}, {"Sec-Fetch-Site": "cross-site"}),
        ("from a sibling site", {"word": a.word()}, {"Sec-Fetch-Site": "same-site"}),
        ("without the cookie", {"word": a.word()}, {"Cookie": None}),
    ):
        for path in ("/vpn/remove", "/vpn/change", "/vpn/add", "/sign-out"):
            r = a.post(path, dict(fields, **extra), headers)
            if r.status != 403:
                check("CSRF: %s %s" % (path, what), False, r.status)
        check("CSRF: a change " + what, everything(w) == before and signed_in(a))
    v = Visitor(a.webd, "192.0.2.42")
    v.get()
    good = {"nai": "bob@home.test", "password": PASSWORDS["bob"]}
    check("CSRF: a sign-in without the form's word", v.post("/sign-in", good).status == 403)
    check("CSRF: ... with another's", v.post("/sign-in", dict(good, word=Visitor(a.webd).word())).status == 403)
    jar = dict(a.jar)
    a.jar = {SESSION: jar[SESSION] + "; %s=%s" % (SESSION, "ab" * 32)}
    check("a cookie that is there twice is none", not signed_in(a))
    a.jar = jar


INJECTIONS = (
    "' OR '1'='1",
    "'; DROP TABLE mipvpn.vpns; --",
    "\\'; SELECT pg_sleep(10); --",
    "$1",
    "$$; DELETE FROM mipvpn.vpns; $$",
    "1); UPDATE mipvpn.vpns SET nai='alice@home.test' --",
    "\"; --",
    "%27%20OR%201=1",
    "alice@home.test'--",
    "{alice@home.test}",
    "\\x00",
)


def test_injection(w, a):
    before = everything(w)
    slow, statuses = 0.0, set()
    for text in INJECTIONS:
        v = Visitor(a.webd, "198.18.%d.1" % INJECTIONS.index(text))
        for nai, password in ((text, "x"), ("alice@home.test", text)):
            begin = time.monotonic()
            statuses.add(v.post("/sign-in", {"word": v.word(), "nai": nai, "password": password}).status)
            slow = max(slow, time.monotonic() - begin)
        for field in ("network", "part", "up", "down", "security"):
            fields = dict(network="10.9.0.0/24", part="", name="", up="", down="", security="ESP")
            fields[field] = text
            begin = time.monotonic()
            statuses.add(a.act("/vpn/add", **fields).status)
            slow = max(slow, time.monotonic() - begin)
        for field in ("number", "up", "down", "security"):
            fields = dict(number="1", up="EF", down="AF41", security="ESP")
            fields[field] = text
            statuses.add(a.act("/vpn/change", **fields).status)
        a.get("/?done=" + urllib.parse.quote(text))
    w.psql("SELECT mipvpn.portal_unlock('alice@home.test')")
    check("SQL in every field: refused", statuses <= {403, 404, 422, 429}, statuses)
    check("... no table has changed", everything(w) == before)
    check("... and nothing slept", slow < 5, slow)


XSS = '<script>alert(1)</script>"\'><img src=x onerror=alert(2)>&amp;'


def test_xss(w, a):
    r = a.act("/vpn/add", network="10.9.0.0/24", part="10.9.0.66", name=XSS[:60], up="", down="", security="ESP")
    page = a.get()
    check(
        "markup as a name is taken as a name",
        r.status == 303 and w.psql("SELECT description FROM mipvpn.vpns WHERE destination = '10.9.0.66'") == XSS[:60],
    )
    check(
        "... and shown as text",
        "<script>alert" not in page.text and "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&gt;&lt;img" in page.text,
    )
    w.psql(
        "UPDATE mipvpn.slas SET description = '<i>ACME</i>'; UPDATE mipvpn.qos_classes SET description ="
        " '\"><b>x' WHERE name = 'EF'"
    )
    page = a.get().text
    check("... so is what the DBA writes", "<i>ACME" not in page and "&lt;i&gt;ACME" in page and '"><b>x' not in page)
    w.psql(
        "UPDATE mipvpn.slas SET description = 'ACME head office'; UPDATE mipvpn.qos_classes SET description ="
        " 'telephony' WHERE name = 'EF';"
        "DELETE FROM mipvpn.vpns WHERE destination = '10.9.0.66'"
    )
    v = Visitor(a.webd, "192.0.2.50")
    r = v.post("/sign-in", {"word": v.word(), "nai": XSS, "password": "x"})
    check("markup as a user name comes back as text", "<script>alert" not in r.text and "&lt;script&gt;" in r.text)
    r = a.act("/vpn/add", network=XSS, part=XSS, name="", up=XSS, down=XSS, security=XSS)
    check("... so does every other field", r.status == 422 and "<script" not in r.text and "<img" not in r.text)
    r = a.get("/?done=" + urllib.parse.quote(XSS))
    check("what the address says is not shown", "alert(" not in r.text)
    r = a.get("/" + urllib.parse.quote(XSS))
    check("nor is a path", r.status == 404 and "alert(" not in r.text)


def test_bad_input(w, a):
    before, word = everything(w), a.word()
    ok = "word=%s&number=1&up=&down=&security=ESP" % word
    for what, body, headers, statuses in (
        ("a name of 600 bytes", ok + "&name=" + "x" * 600, {}, {413}),
        ("a field name of 100 bytes", ok + "&" + "x" * 100 + "=1", {}, {413}),
        ("a body of 9000 bytes", ok + "&a=" + "x" * 9000, {}, {413}),
        ("200 fields", ok + "".join("&f%d=" % i for i in range(200)), {}, {400}),
        ("bytes that are not UTF-8", ok + "&name=%ff%fe", {}, {400}),
        ("an overlong slash", ok + "&name=%c0%af", {}, {400}),
        ("half a surrogate", ok + "&name=%ed%a0%80", {}, {400}),
        ("raw bytes", ok.encode() + b"&name=\xff\xfe", {}, {400}),
        ("a NUL", ok + "&name=a%00b", {}, {400}),
        ("a line break", ok + "&name=a%0d%0ab", {}, {400}),
        ("half a code", ok + "&name=%4", {}, {400}),
        ("a code that is none", ok + "&name=%zz", {}, {400}),
        ("a field twice", ok + "&number=2", {}, {400}),
        ("a field without a name", ok + "&=x", {}, {400}),
        ("JSON", '{"number": 1}', {"Content-Type": "application/json"}, {415}),
        ("no type", ok, {"Content-Type": None}, {415}),
        ("multipart", ok, {"Content-Type": "multipart/form-data; boundary=x"}, {415}),
        ("nothing", "", {}, {403}),
    ):
        r = a.post("/vpn/change", body, headers)
        check("bad input: " + what, r.status in statuses, r.status)
    check("... nothing changed", everything(w) == before)
    r = Visitor(a.webd, "192.0.2.60").get("/" + "x" * 60000)
    check("an address of 60,000 bytes", r.status in (400, 414, 431), r.status)
    r = Visitor(a.webd, "192.0.2.60").get("/", headers={"Cookie": "a=" + "x" * 60000})
    check("a header of 60,000 bytes", r.status in (400, 431), r.status)
    for what, text in (
        ("no HTTP", b"\x16\x03\x01\x02\x00" * 50 + b"\r\n\r\n"),
        ("a negative length", b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"),
        ("a length that is no number", b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n"),
        ("two hosts", b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
        ("half a request", b"GET / HTT"),
    ):
        s = socket.create_connection(("127.0.0.1", a.webd.port), 5)
        s.sendall(text)
        s.shutdown(socket.SHUT_WR)
        s.settimeout(15)
        try:
            while s.recv(4096):
                pass
            ended = True
        except ConnectionResetError:
            ended = True
        except socket.timeout:
            ended = False
        s.close()
        check("bad input: %s: the connection ends" % what, ended)
    s = socket.create_connection(("127.0.0.1", a.webd.port), 5)
    s.sendall(
        b"POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Type:"
        b" application/x-www-form-urlencoded\r\n\r\n"
    )
    sent = 0
    try:
        while sent < 50 << 20:
            sent += s.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
    except OSError:
        pass
    s.close()
    check("bad input: a body without an end is cut", sent < 20 << 20, sent)
    check("... and all goes on", signed_in(a))


def test_brute_force(w, webd):
    w.psql("DELETE FROM mipvpn.portal_limits")
    got = [Visitor(webd, "198.19.0.%d" % i).sign_in("carol", "guess %d" % i).status for i in range(14)]
    check("guesses for one account from many addresses: ten", got == [403] * 10 + [429] * 4, got)
    r = Visitor(webd, "198.19.1.1").sign_in("carol")
    check(
        "... then even the right one waits, and is told how long",
        r.status == 429 and 0 < int(r.headers["Retry-After"]) <= 900,
        r.status,
    )
    check(
        "... and a name that nobody has is treated likewise",
        [Visitor(webd, "198.19.2.%d" % i).sign_in("nosuch", "x").status for i in range(11)][9:] == [403, 429],
    )
    w.psql("SET ROLE mipvpn_dba; SELECT mipvpn.portal_unlock('carol@home.test')")
    check("the DBA lets her in", Visitor(webd, "198.19.1.1").sign_in("carol").status == 303)
    got = [Visitor(webd, "198.19.3.1").sign_in("user%d" % i, "guess").status for i in range(44)]
    check("guesses from one address for many accounts: forty", got == [403] * 40 + [429] * 4, got)
    check("... does not lock anybody who is elsewhere", Visitor(webd, "198.19.3.2").sign_in("bob").status == 303)


def test_rate(webd):
    v = Visitor(webd, "198.19.4.1")
    got = [v.get("/icon.svg").status for _ in range(250)]
    check(
        "requests from one address: a hundred at once, ten a second",
        got[:100] == [200] * 100 and got.count(429) > 50,
        got.count(429),
    )
    check("... is counted", webd.counters().get("web.refused.rate", 0) == got.count(429))
    check("... and no matter of anybody else", Visitor(webd, "198.19.4.2").get().status == 200)
    got = [v.get("/icon.svg", headers={"X-Forwarded-For": "198.19.%d.9, 198.19.4.1" % i}).status for i in range(30)]
    check("... nor to be got round with an address of one's own making", got.count(429) > 10, got.count(429))


def test_parallel(w, webd):
    w.psql("DELETE FROM mipvpn.portal_limits")
    words = Visitor(webd, "198.18.200.1")
    word, jar = words.word(), words.jar

    def guess(i):
        v = Visitor(webd, "198.18.200.%d" % (i % 8))
        v.jar = dict(jar)
        return v.post("/sign-in", {"word": word, "nai": "bob@home.test", "password": "guess %d" % i}, timeout=60).status

    before = webd.counters()
    begin = time.monotonic()
    got = in_parallel(200, guess)
    after = webd.counters()
    counts = {s: got.count(s) for s in set(map(str, got)) for s in [int(s) if s.isdigit() else s]}
    check(
        "200 guesses at once: each is answered", all(isinstance(s, int) and s in (403, 429, 503) for s in got), counts
    )
    check("... ten at most were looked at", got.count(403) <= 10, counts)
    refused = sum(
        after.get(k, 0) - before.get(k, 0) for k in after if k.startswith(("web.refused.", "db.busy", "db.down"))
    )
    check("... all are counted", refused >= 200, refused)
    print("     200 guesses: %s in %.1f s" % (counts, time.monotonic() - begin))
    check("... and it is alive", Visitor(webd, "198.18.201.1").sign_in("alice").status == 303)
    w.psql(
        "DELETE FROM mipvpn.portal_limits;"
        "INSERT INTO mipvpn.subscribers (nai, aaa_key, home_agent) SELECT 'p' || i || '@home.test', aaa_key, home_agent"
        " FROM mipvpn.subscribers, generate_series(1, 200) AS i WHERE nai = 'alice@home.test';"
        "INSERT INTO mipvpn.portal_accounts SELECT 'p' || i || '@home.test', setting, verifier FROM"
        " mipvpn.portal_accounts,"
        " generate_series(1, 200) AS i WHERE nai = 'bob@home.test'"
    )
    begin = time.monotonic()

    def honest(i):
        v, told = Visitor(webd, "198.18.210.%d" % (i + 1)), 0
        while True:  # as a person does who is told to try again
            v.jar = dict(jar)
            r = v.post(
                "/sign-in", {"word": word, "nai": "p%d@home.test" % (i + 1), "password": PASSWORDS["bob"]}, timeout=60
            )
            if r.status != 503 or told == 10:
                return (r.status if r.status != 303 or signed_in(v) else "not in"), told
            time.sleep(int(r.headers["Retry-After"]))
            told += 1

    got = in_parallel(200, honest)
    check(
        "200 honest sign-ins at once: all are in",
        all(isinstance(g, tuple) and g[0] == 303 for g in got),
        set(map(str, got)),
    )
    print(
        "     200 sign-ins: in %.1f s, %d of them told to try again"
        % (time.monotonic() - begin, sum(g[1] > 0 for g in got if isinstance(g, tuple)))
    )


class Dribbler(threading.Thread):
    """Sends a byte of a request now and then on each of its connections, and never the whole of it."""

    def __init__(self, sockets):
        super().__init__(daemon=True)
        self.sockets, self.over = sockets, threading.Event()

    def run(self):
        for byte in b"GET /" + b"a" * 1000:
            for s in self.sockets:
                try:
                    s.send(bytes([byte]))
                except OSError:
                    pass
            if self.over.wait(0.5):
                return


def _silent(webd, n, source="127.0.0.1"):
    return [socket.create_connection(("127.0.0.1", webd.port), 5, (source, 0)) for _ in range(n)]


def _served(webd, who):
    begin = time.monotonic()
    ok = until(lambda: _alive(webd), 20)
    took = time.monotonic() - begin
    print("     %s: served after %.2f s" % (who, took))
    return ok and took < 2


def test_silent(webd, tls):
    """As many connections as there may be, and more, that say nothing: others are served at once."""
    limit = 300
    before = webd.counters().get("web.crowded", 0)
    held = _silent(webd, limit)
    check("%d silent connections, the limit: an honest visitor is served within 2 s" % limit, _served(webd, "limit"))
    held += _silent(webd, limit)
    check("... twice the limit", _served(webd, "twice"))
    slow = Dribbler(held)
    slow.start()
    check("... that send a byte now and then", all(_served(webd, "dribble") for _ in range(5)))
    slow.over.set()
    slow.join()
    check("... somebody signs in", Visitor(webd, "192.0.2.71").sign_in("bob").status == 303)
    crowded = webd.counters()["web.crowded"] - before
    check("... those that were shut are counted", crowded >= limit, crowded)
    for s in held:
        s.close()
    check("... the process is the same", webd.p.poll() is None)
    # With TLS, where addresses are real: many of each of a dozen do not push out the one of somebody else.
    context = ssl.create_default_context(cafile=webd.world.dir / "tls.crt")
    context.check_hostname = False
    with context.wrap_socket(socket.create_connection(("127.0.0.1", tls.port), 5, ("127.0.0.99", 0))) as quiet:
        held = sum((_silent(tls, 32, "127.0.0.%d" % i) for i in range(10, 22)), [])
        begin = time.monotonic()
        c = http.client.HTTPSConnection("127.0.0.1", tls.port, timeout=20, context=context)
        c.request("GET", "/health")
        status, took = c.getresponse().status, time.monotonic() - begin
        print("     TLS, 384 silent connections of 12 addresses: served after %.2f s" % took)
        check("TLS, 384 silent connections of 12 addresses: served within 2 s", status == 200 and took < 2, took)
        quiet.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check("... and who was there before, by himself, still is", quiet.recv(4096).startswith(b"HTTP/1.1 200"))
        c.close()
    for s in held:
        s.close()


def _alive(webd):
    try:
        return Visitor(webd, "192.0.2.70").get("/health", timeout=3).status == 200
    except OSError:
        return False
