# SPDX-License-Identifier: BSD-3-Clause
"""`lab/run selftest`: the lab without any program of ours.  Two tunnels made by hand carry packets between a mobile
node and the correspondent, Diameter speaks over TLS, PostgreSQL answers.  When a scenario fails and this holds, the
fault is in the project; when this fails, it is in the lab."""
import time
from statistics import median

from . import capture, certs, charon, decode, diameter, netns, ping, postgres, topology as t

ALICE = t.HOME["alice"]
FA_HA_IDS = ("fa.selftest", "ha.selftest")
HA_GW_IDS = ("ha.selftest", "gw.selftest")
SECRET = "not-a-secret-made-for-the-selftest"


def configurations():
    """swanctl.conf of FA, HA and GW."""
    mn, ent = ALICE + "/32", t.ENT_NET
    fa = [charon.conn("fa-ha", t.FA, t.HA, FA_HA_IDS, (mn, ent))]
    ha = [charon.conn("fa-ha", t.HA, t.FA, FA_HA_IDS[::-1], (ent, mn)),
          charon.conn("ha-gw", t.HA, t.GW, HA_GW_IDS, (mn, ent))]
    gw = [charon.conn("ha-gw", t.GW, t.HA, HA_GW_IDS[::-1], (ent, mn))]
    s1, s2 = ("fa-ha", FA_HA_IDS, SECRET), ("ha-gw", HA_GW_IDS, SECRET)
    return {"fa": charon.swanctl_conf(fa, [s1]), "ha": charon.swanctl_conf(ha, [s1, s2]),
            "gw": charon.swanctl_conf(gw, [s2])}


def by_hand(settings):
    """What the agents do on FA and HA, and the mobile node's own addresses, for alice alone."""
    pair = [f"rule add pref 100 from {ALICE} to {t.ENT_NET} lookup 220",
            f"rule add pref 100 from {t.ENT_NET} to {ALICE} lookup 220"]
    netns.ip_batch(settings.ns("fa"), pair + ["rule add pref 110 lookup 434",
                                              f"route add {ALICE}/32 dev link0 table 434"])
    netns.ip_batch(settings.ns("ha"), pair)
    netns.ip_batch(settings.ns("mn1"), [f"addr add {ALICE}/32 dev eth0",
                                        f"route add default via {t.FA_LINK} dev eth0 onlink"])


def initiate_timed(settings, rounds=10):
    """Median seconds of bringing both tunnels up, one after the other, as `swanctl --initiate` does; they stay up."""
    took = []
    with charon.vici(settings, "fa") as fa, charon.vici(settings, "ha") as ha:
        for i in range(rounds):
            start = time.monotonic()
            ha.must("initiate", {"child": "ha-gw", "timeout": 5000, "loglevel": -1})
            fa.must("initiate", {"child": "fa-ha", "timeout": 5000, "loglevel": -1})
            took.append(time.monotonic() - start)
            if i < rounds - 1:
                ha.must("terminate", {"ike": "ha-gw", "timeout": 5000})
                fa.must("terminate", {"ike": "fa-ha", "timeout": 5000})
    return median(took)


def start_charons(settings):
    daemons = [charon.launch(settings, n) for n in t.GATEWAYS]
    for d in daemons:
        charon.wait_ready(settings, d)
    for node, text in configurations().items():
        charon.load_static(settings, node, text)


def tunnels(settings, report):
    start_charons(settings)
    by_hand(settings)
    cap = capture.Capture(settings, settings.dir / "selftest.pcapng").start()
    seconds = report.attempt("HA=GW and FA=HA come up by hand", initiate_timed, settings, 1)
    report.check("MN reaches CN through both tunnels", ping.ping(settings, "mn1", t.CN, ALICE).all())
    report.check("CN reaches MN through both tunnels", ping.ping(settings, "cn", ALICE).all())
    pcap = cap.stop()
    for a, b, name in ((t.FA, t.HA, "FA and HA"), (t.HA, t.GW, "HA and GW")):
        wire = decode.between(a, b)
        report.at_least(f"ESP on the wire between {name}", decode.count(pcap, f"{wire} && {decode.esp(settings)}"), 12)
    plain = f'frame.interface_name contains "core0" && ip.addr == {ALICE} && ip.addr == {t.CN}'
    report.equal("no plain packet of the pair on the core", decode.count(pcap, plain), 0)
    if seconds:
        report.say(f"     both tunnels by hand: {seconds * 1000:.1f} ms")


def servers(settings, report):
    certs.make(settings, diameter.hosts())
    for node in ("aaaf", "aaah"):
        diameter.write_server_conf(settings, node, [])
    postgres.create(settings, [])
    daemons = [diameter.launch(settings, n) for n in ("aaah", "aaaf")]
    db = postgres.launch(settings)
    postgres.wait_ready(settings, db)
    report.equal("PostgreSQL answers", postgres.psql(settings, "SELECT 6 * 7", database="postgres"), "42")
    cap_filter = "tcp.port == 5868 && tls"
    report.attempt("AAAF and AAAH open their connection", diameter.wait_peer, settings, daemons[1], "aaah")
    return daemons, cap_filter


def run(settings, report):
    report.title("selftest: the lab by itself")
    cap = capture.Capture(settings, settings.dir / "servers.pcapng").start()
    servers(settings, report)
    pcap = cap.stop()
    report.at_least("Diameter runs over TLS", decode.count(pcap, "tcp.port == 5868 && tls.handshake"), 2)
    report.equal("no Diameter in clear", decode.count(pcap, "diameter && !tls"), 0)
    tunnels(settings, report)
