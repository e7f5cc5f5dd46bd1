# SPDX-License-Identifier: BSD-3-Clause
"""F4: the shortest path.  The correspondent's gateway is a proxy correspondent node: one tunnel FA=PCN, set up by a Binding
Update; no packet of the pair passes the home agent (requirements F4, B2, C2, E3, E5, G1-G4)."""
from .. import agents, decode, topology as t, xfrm
from ..scene import standing
from . import pcn_attack
from .pcns import BINDING, ERIN, identity, loaded, mac, stands, updates

EF, AF41 = 46, 34


def run(settings, report):
    report.title("F4: a dynamic gateway, one tunnel, the shortest path")
    scene = standing(settings, report, pcns=("pcn",))
    before = scene.snapshot()
    scene.start_capture()
    mn = scene.mobile("erin", "mn1")
    if scene.check_registered(mn):
        _tunnel(scene)
        xfrm.check(scene, "registered")
        _pings(scene)
        _plain_way(scene)
    pcap = scene.stop_capture()
    _shortest(scene, pcap)
    _binding(scene, pcap)
    _marks(scene, pcap)
    tunnels = identity(scene, "pcn"), identity(scene, "fa")
    pcn_attack.run(scene)
    report.equal("the tunnel is the same as before the attacks", (identity(scene, "pcn"), identity(scene, "fa")), tunnels)
    report.check("and carries packets", scene.ping("mn1", t.CN2, ERIN).all())
    scene.start_capture()
    report.check("the mobile node ends by itself, deregistering", mn.stop())
    scene.check_nothing_left("after deregistration", before, 15)
    pcap = scene.stop_capture()
    report.check("the PCN was told by a Binding Update of lifetime 0", any(u[4] == 0 for u in updates(pcap)))
    scene.finish()


def _tunnel(scene):
    r = scene.report
    r.check("tunnel FA=PCN is INSTALLED at both", stands(scene, "fa", t.PCN) and stands(scene, "pcn", t.FA))
    r.equal("number of tunnels at FA, HA, PCN", [len(scene.children(n)) for n in ("fa", "ha", "pcn")], [1, 0, 1])
    r.equal("connections and secrets are unloaded again", [loaded(scene, n) for n in ("fa", "pcn")], [([], [])] * 2)
    kinds = scene.sql("SELECT kind, to_gateway FROM mipvpn.v_tunnels")
    r.equal("the database says so", kinds, f"dynamic|{t.PCN}")
    wrapped = scene.sql("SELECT bool_and(bu_key IS NOT NULL AND bu_context IS NOT NULL) FROM mipvpn.session_profiles")
    r.equal("with the key of its Binding Updates, wrapped", wrapped, "t")
    for node in ("fa", "pcn"):
        text = agents.ctl(scene.settings, node, "show", "vpns")
        r.check(f"mipvpnctl show vpns at {node} has the profile", ERIN in text, text)


def _pings(scene):
    r = scene.report
    fa0, pcn0 = scene.bytes_towards("fa", t.PCN), scene.bytes_towards("pcn", t.FA)
    r.check("MN reaches CN", scene.ping("mn1", t.CN2, ERIN, count=5).all())
    r.check("CN reaches MN", scene.ping("cn2", ERIN, count=5).all())
    fa1, pcn1 = scene.bytes_towards("fa", t.PCN), scene.bytes_towards("pcn", t.FA)
    moved = [a - b for a, b in zip(fa1 + pcn1, fa0 + pcn0)]
    r.check("the tunnel carried it, both ways", min(moved) >= 10 * 84, f"bytes {moved}")


def _plain_way(scene):
    """A correspondent's other traffic is as it was before."""
    r = scene.report
    before = scene.bytes_towards("pcn", t.FA)
    r.check("CN reaches a host of nobody's VPN", scene.ping("cn2", t.AAAF).all())
    r.check("the home host reaches CN", scene.ping("hh", t.CN2).all())
    r.check("CN reaches its own gateway", scene.ping("cn2", t.PCN).all())
    r.check("MN reaches a host outside of its profile", scene.ping("mn1", t.AAAF, ERIN).all())
    r.equal("none of this entered the tunnel", scene.bytes_towards("pcn", t.FA), before)


def _shortest(scene, pcap):
    r = scene.report
    ha = mac(scene, "ha")
    r.at_least("ESP between FA and PCN",
               decode.count(pcap, f"{decode.between(t.FA, t.PCN)} && {decode.esp(scene.settings)}"), 20)
    pair = f"ip.addr == {ERIN} && ip.addr == {t.CN2}"
    r.equal("no ESP to or from the home agent", decode.count(pcap, f"esp && eth.addr == {ha}"), 0)
    r.equal("no packet of the pair to or from the home agent", decode.count(pcap, f"{pair} && eth.addr == {ha}"), 0)
    r.equal("no plain packet of the pair on the core",
            decode.count(pcap, f'frame.interface_name contains "core0" && {pair}'), 0)
    r.equal("no IKE with the home agent", decode.count(pcap, f"isakmp && ip.addr == {t.HA}"), 0)


def _binding(scene, pcap):
    """Binding Update and Acknowledge, by a decoder of their own."""
    r = scene.report
    r.equal("no malformed binding message", decode.count(pcap, "mipbinding && mipbinding.malformed"), 0)
    flt = f"{BINDING} && mipbinding.type == 18"
    names = ("ip.src", "mipbinding.flags", "mipbinding.home", "mipbinding.care_of", "mipbinding.profile",
             "mipbinding.key.home_agent", "mipbinding.auth.subtype", "mipbinding.auth.spi")
    sent = decode.fields(pcap, flt, *names)
    r.equal("Binding Updates", sorted(set(sent)), [(t.HA, "0xc0", ERIN, t.FA, "5", t.HA, "200", "256")])
    sealed = [bytes.fromhex(x.replace(":", "")) for (x,) in decode.fields(pcap, flt, "mipbinding.sealed")]
    clear = [bytes(map(int, a.split("."))) for a in (ERIN, t.FA, t.PCN, "203.0.113.0")]
    r.check("the profile is unreadable", bool(sealed) and all(len(s) > 100 for s in sealed) and
            not any(c in s for c in clear for s in sealed))
    idents = {i for (i,) in decode.fields(pcap, flt, "mipbinding.ident")}
    acks = decode.fields(pcap, f"{BINDING} && mipbinding.type == 19", "ip.src", "ip.dst", "mipbinding.status",
                         "mipbinding.home", "mipbinding.profile", "mipbinding.ident")
    r.check("Binding Acknowledge: accepted, by the CN's address, to the home agent",
            bool(acks) and all(a[0].startswith("203.0.113.") and a[1:5] == (t.HA, "0", ERIN, "5") and a[5] in idents
                               for a in acks), acks)
    acked = decode.times(pcap, f"{BINDING} && mipbinding.type == 19")
    replied = decode.times(pcap, 'frame.interface_name == "fa.link0" && mip.type == 3 && mip.code == 0 && mip.life > 0')
    r.check("the Registration Reply comes after it", bool(acked and replied) and replied[0] > acked[0])


def _marks(scene, pcap):
    echo = "icmp.type == 8"
    up = decode.fields(pcap, f'frame.interface_name == "pcn.ent0" && {echo} && ip.src == {ERIN}', "ip.dsfield.dscp")
    down = decode.fields(pcap, f'frame.interface_name == "fa.link0" && {echo} && ip.src == {t.CN2}', "ip.dsfield.dscp")
    scene.report.equal("DSCP of packets to the CN is EF", sorted(set(up)), [(str(EF),)])
    xfrm.check_outer_dscp(scene, pcap, {(t.FA, t.PCN): EF, (t.PCN, t.FA): AF41})
    scene.report.equal("DSCP of packets from the CN is AF41", sorted(set(down)), [(str(AF41),)])
