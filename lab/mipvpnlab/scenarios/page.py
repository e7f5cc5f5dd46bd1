# SPDX-License-Identifier: BSD-3-Clause
"""F7-page: the user chooses on the service page, in Chromium, while his mobile node is on.  A destination that he adds is
reached when the page is there again, through a tunnel of its own; one that he removes is closed; the one that he keeps is
not touched; his mobile node notices nothing.  (F7, A5, A6, G2, note 16)"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .. import decode, home, netns, postgres, procs, topology as t
from ..scene import standing
from ..settings import TOP, USER
from ..wait import wait_line
from .f7 import OFFICE, OTHER, sas
from .pcns import FRANK, stands, wait_tunnel

sys.path.insert(0, str(TOP / "tests" / "portal"))
PASSWORD = "frank and free"
CONF = """\
user = "{user}"
listen = "127.0.0.1"
port = 8443
tls-certificate = "{dir}/webd.crt"
tls-key = "{dir}/webd.key"
database = "host={pg} dbname=mipvpn user=mipvpn_portal"
live-wait = {wait}
help = "Questions? Call the service desk at 12345."
"""
URL = "https://localhost:8443/"


def run(settings, report):
    report.title("F7-page: chosen on the service page, live before it is there again")
    scene = standing(settings, report, pcns=("pcn", "pcn2"))
    scene.sql(f"DELETE FROM mipvpn.vpns WHERE number = {OTHER}")
    before = scene.snapshot()
    mn = scene.mobile("frank", "mn1")
    if scene.check_registered(mn):
        _start_page(scene)
        _looked_at(scene)
        scene.stop("webd")
    report.check("frank deregisters", mn.stop())
    scene.check_nothing_left("after deregistration", before, 15)
    scene.finish()


def _start_page(scene):
    """mipvpn-webd at the home network's server; frank gets a password as the DBA gives him one."""
    s, where = scene.settings, scene.settings.node_dir("aaah")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                    "-subj", "/CN=localhost", "-keyout", where / "webd.key", "-out", where / "webd.crt"],
                   check=True, capture_output=True)
    (where / "webd.key").chmod(0o600)
    conf = where / "webd.conf"
    conf.write_text(CONF.format(user=USER, dir=where, pg=postgres.socket_dir(s), wait=int(1000 * s.slow)))
    p = subprocess.run([s.program("mipvpn-webd"), "--hash-password"], input=PASSWORD + "\n", capture_output=True, text=True,
                       check=True)
    scene.sql(f"SELECT mipvpn.portal_set_password('{home.nai('frank')}', '{p.stdout.strip()}')")
    scene.daemons["webd"] = d = procs.start(s, "webd", "aaah", [s.program("mipvpn-webd"), "-c", conf])
    wait_line(d.log, "serving on", 10 * s.slow, alive=d.alive)


def _looked_at(scene):
    import browser
    for name in ("chromium", "chromedriver"):
        if not shutil.which(name):
            scene.report.check(f"NO BROWSER: {name} is not installed", False)
            return
    # chromedriver wants ::1.
    netns.sysctl(scene.settings.ns("aaah"), {"ipv6/conf/lo/disable_ipv6": 0})
    netns.ip("addr", "replace", "::1/128", "dev", "lo", ns=scene.settings.ns("aaah"))
    # The browser runs beside the page: the thread's namespace is its children's.
    with netns.entered(scene.settings.ns("aaah")):
        driver = browser.Driver(scene.settings.node_dir("aaah"))
        try:
            _chosen(scene, driver.browser(1000, 900))
        finally:
            driver.close()


def _shot(scene, b, name):
    where = Path(os.environ.get("MIPVPN_LAB_EVIDENCE", "/var/tmp")) / f"{scene.settings.prefix}page"
    where.mkdir(parents=True, exist_ok=True)
    scene.report.at_least(f"screenshot {where / name}.png", b.shot(where / f"{name}.png"), 5000)


def _chosen(scene, b):
    r = scene.report
    b.open(URL)
    b.type("#nai", home.nai("frank"))
    b.type("#password", PASSWORD)
    b.go("button.main")
    r.check("frank has signed in and sees that he is on", "Your VPNs" in b.text("h1") and "Registered" in b.text("main"),
            b.text("body"))
    kept = [sas(scene, n, p) for n, p in (("fa", t.PCN), ("pcn", t.FA))]
    scene.start_capture()
    _added(scene, b)
    _removed(scene, b)
    pcap = scene.stop_capture()
    r.equal("the tunnel that he keeps is the same one", [sas(scene, n, p) for n, p in (("fa", t.PCN), ("pcn", t.FA))], kept)
    r.check("and is used", scene.ping("mn1", t.CN2, FRANK).all())
    r.equal("his mobile node has asked for nothing", decode.count(pcap, 'frame.interface_name == "mn1.eth0" && mip.type == 1'), 0)
    r.equal("no packet with the new correspondent in clear on the core",
            decode.count(pcap, f'frame.interface_name contains "core0" && ip.addr#1 == {FRANK} && ip.addr#1 == {t.CN3}'), 0)
    who = scene.sql(f"SELECT DISTINCT who FROM mipvpn.audit WHERE tbl = 'vpns' AND at > now() - interval '10 minutes' "
                    f"AND who LIKE '%@%'")
    r.equal("the audit has his name", who, home.nai("frank"))


def _added(scene, b):
    r = scene.report
    r.check("before, there is no tunnel to the other one", not stands(scene, "fa", t.PCN2))
    b.click(f'input[value="{t.PCN2_NET}"]')
    b.type("#name", "Other partner")
    b.choose("#up-new", "EF")
    _shot(scene, b, "choosing")
    b.go('form[action="/vpn/add"] button')
    reached = scene.ping("mn1", t.CN3, FRANK, count=1)
    r.check("the page is there again, and the new destination is reached at once", reached.all(), reached.text)
    r.check("through a tunnel of its own", stands(scene, "fa", t.PCN2) and stands(scene, "pcn2", t.FA))
    r.check("the page says so", "The destination was added" in b.text(".good") and "Other partner" in b.text("main"))
    _shot(scene, b, "added")


def _removed(scene, b):
    r = scene.report
    r.check("the enterprise is reached", scene.ping("mn1", t.CN, FRANK).all())
    b.open(URL)
    b.click(f"#vpn-{OFFICE} details:nth-of-type(2) summary")
    b.go(f"#vpn-{OFFICE} form[action='/vpn/remove'] button")
    r.check("removed: the enterprise is closed when the page is there again", scene.ping("mn1", t.CN, FRANK).none())
    r.attempt("and the tunnels to it are gone", wait_tunnel, scene, "fa", t.HA, False)
    _shot(scene, b, "removed")
