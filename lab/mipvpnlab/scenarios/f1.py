# SPDX-License-Identifier: BSD-3-Clause
"""F1: initial registration with a static gateway.  One mobile node without any VPN function registers, and its traffic
to the enterprise runs through FA=HA and HA=GW (requirements F1, B, C, E1-E2, E4-E6, E8-E9, G1, G4)."""
import re

from .. import agents, decode, netns, topology as t, xfrm
from ..scene import standing

ALICE = t.HOME["alice"]
EF, AF41 = 46, 34


def run(settings, report):
    report.title("F1: a mobile node registers and its VPN stands")
    scene = standing(settings, report)
    before = scene.snapshot()
    scene.start_capture()
    mn = scene.mobile("alice", "mn1")
    if scene.check_registered(mn):
        _tunnels(scene)
        xfrm.check(scene, "registered")
        if settings.xfrm:   # doc/data-path.md: the policies take packets from their plain route
            report.equal("charon has made no route at FA, which owns no address in the selector",
                         netns.ip("route", "show", "table", "220", ns=settings.ns("fa"), check=False), "")
        _pings(scene)
        _plain_way(scene)
        _views(scene)
    pcap = scene.stop_capture()
    _wires(scene, pcap)
    _reply_last(scene, pcap)
    _marks(scene, pcap)
    _decoded(scene, pcap)
    report.check("the mobile node ends by itself, deregistering", mn.stop())
    scene.check_nothing_left("after deregistration", before)
    scene.finish()


def _tunnels(scene):
    r = scene.report
    for node, peer, name in (("fa", t.HA, "FA=HA"), ("ha", t.GW, "HA=GW")):
        r.check(f"tunnel {name} is INSTALLED", scene.child_towards(node, peer) is not None)
    r.equal("number of tunnels at FA, HA, GW", [len(scene.children(n)) for n in t.GATEWAYS], [1, 2, 1])
    left = {n: (s["conns"], s["secrets"]) for n, s in scene.snapshot().items() if n in ("fa", "ha")}
    r.equal("connections and secrets are unloaded again", left, {"fa": ([], []), "ha": ([], [])})


def _pings(scene):
    r = scene.report
    fa0, gw0 = scene.bytes_towards("fa", t.HA), scene.bytes_towards("gw", t.HA)
    r.check("MN reaches CN", scene.ping("mn1", t.CN, ALICE, count=5).all())
    r.check("CN reaches MN", scene.ping("cn", ALICE, count=5).all())
    fa1, gw1 = scene.bytes_towards("fa", t.HA), scene.bytes_towards("gw", t.HA)
    moved = [a - b for a, b in zip(fa1 + gw1, fa0 + gw0)]
    r.check("both tunnels carried it, both ways", min(moved) >= 10 * 84, f"bytes {moved}")


def _plain_way(scene):
    """E9, and A5 at the gateways: what matches no profile stays out; who is not allowed does not get in."""
    r = scene.report
    # The enterprise's gateway may send what it likes (its policy is the whole home network): only what leaves counts.
    def sent():
        return [scene.bytes_towards(a, b)[1] for a, b in (("fa", t.HA), ("ha", t.FA), ("ha", t.GW))]
    before = sent()
    r.check("MN reaches a host outside of every profile", scene.ping("mn1", t.AAAF, ALICE).all())
    r.check("the home host reaches MN", scene.ping("hh", ALICE).all())
    r.check("a home address without VPN does not reach the enterprise", scene.ping("hh", t.CN).none())
    r.check("the enterprise does not reach it", scene.ping("cn", t.HOME_HOST).none())
    scene.by_hand("bob", "mn2").close()
    r.check("an address that is not registered does not reach it through the FA",
            scene.ping("mn2", t.CN, t.HOME["bob"]).none())
    r.equal("none of this entered a tunnel", sent(), before)


def _views(scene):
    r = scene.report
    online = scene.sql("SELECT nai, home_address, visited, care_of, vpns FROM mipvpn.v_online")
    r.equal("the database says who is on", online, f"alice@home.test|{ALICE}|visited.test|{t.FA}|1")
    paths = scene.sql("SELECT from_gateway, to_gateway, kind FROM mipvpn.v_tunnels ORDER BY 1")
    r.equal("the database says which tunnels stand", paths, f"{t.FA}|{t.HA}|agent\n{t.HA}|{t.GW}|static")
    wrapped = scene.sql("SELECT bool_and(enc_key IS NOT NULL) FROM mipvpn.session_profiles WHERE destination_kind = 0")
    r.equal("the session's own keys are there", wrapped, "t")
    for node, what in (("fa", "visitors"), ("ha", "bindings"), ("fa", "vpns"), ("ha", "vpns")):
        text = agents.ctl(scene.settings, node, "show", what)
        r.check(f"mipvpnctl show {what} at {node} names the user", "alice@home.test" in text or ALICE in text, text)
    shown = "".join(agents.ctl(scene.settings, n, "--json", "show", w)
                    for n in ("fa", "ha") for w in ("vpns", "status"))
    r.check("no key is shown", not re.search(r"[0-9a-f]{32}", shown))


def _wires(scene, pcap):
    r = scene.report
    for a, b, name in ((t.FA, t.HA, "FA and HA"), (t.HA, t.GW, "HA and GW")):
        wire = decode.between(a, b)
        r.at_least(f"IKE between {name}", decode.count(pcap, f"{wire} && isakmp"), 4)
        r.at_least(f"ESP between {name}", decode.count(pcap, f"{wire} && {decode.esp(scene.settings)}"), 20)
    core = 'frame.interface_name contains "core0"'
    pair = f"ip.addr == {ALICE} && ip.addr == {t.CN}"
    r.equal("no plain packet of the pair on the core", decode.count(pcap, f"{core} && {pair}"), 0)
    # From the home host's side and from bob's address by hand.
    stray = f"{core} && ip.addr == {t.ENT_NET} && (ip.addr == {t.HOME_HOST} || ip.addr == {t.HOME['bob']})"
    r.equal("no packet of an address that is not allowed on the core", decode.count(pcap, stray), 0)
    r.at_least("what is outside of the profiles goes plainly",
               decode.count(pcap, f"{core} && icmp && ip.src == {ALICE} && ip.dst == {t.AAAF}"), 3)
    r.at_least("and comes back by IP-in-IP from HA to FA",
               decode.count(pcap, f"ip.proto == 4 && ip.src == {t.HA} && ip.dst == {t.FA} && icmp"), 3)
    for a, b, name in ((t.FA, t.AAAF, "FA-AAAF"), (t.AAAF, t.AAAH, "AAAF-AAAH"), (t.HA, t.AAAH, "HA-AAAH")):
        r.at_least(f"Diameter {name} runs over TLS", decode.count(pcap, f"{decode.between(a, b)} && tls.app_data"), 2)
    r.equal("no Diameter in clear", decode.count(pcap, "tcp.port == 3868 && tcp.len > 0"), 0)


def _reply_last(scene, pcap):
    """E8: by the capture's clock and charon's log, which is the same clock."""
    r = scene.report
    replies = decode.times(pcap, 'frame.interface_name == "fa.link0" && mip.type == 3 && mip.code == 0 && mip.life > 0')
    installed = {}
    for node in t.GATEWAYS:
        log = (scene.settings.node_dir(node) / "charon.log").read_text()
        installed[node] = [float(x) for x in re.findall(r"^(\d+\.\d+) .*CHILD_SA .* established", log, re.M)]
    r.equal("CHILD_SAs established at FA, HA, GW", [len(installed[n]) for n in t.GATEWAYS], [1, 2, 1])
    last = max(sum(installed.values(), [0.0]))
    r.check("the Registration Reply leaves the FA after all of them", bool(replies) and replies[0] >= last,
            f"replies {replies}, last CHILD_SA {last}")
    requests = decode.times(pcap, 'frame.interface_name == "mn1.eth0" && mip.type == 1')
    if requests and replies:
        r.say(f"     from Registration Request to Reply: {(replies[0] - requests[0]) * 1000:.1f} ms")


def _marks(scene, pcap):
    """E4: as the CN and the MN see their packets."""
    echo = "icmp.type == 8"
    up = decode.fields(pcap, f'frame.interface_name == "gw.ent0" && {echo} && ip.src == {ALICE}', "ip.dsfield.dscp")
    down = decode.fields(pcap, f'frame.interface_name == "fa.link0" && {echo} && ip.src == {t.CN}', "ip.dsfield.dscp")
    scene.report.equal("DSCP of packets to the enterprise is EF", sorted(set(up)), [(str(EF),)])
    scene.report.equal("DSCP of packets from the enterprise is AF41", sorted(set(down)), [(str(AF41),)])
    # The enterprise's gateway marks nothing: what it sends carries what the correspondent has set.
    xfrm.check_outer_dscp(scene, pcap, {(t.FA, t.HA): EF, (t.HA, t.GW): EF, (t.HA, t.FA): AF41})


def _decoded(scene, pcap):
    """A decoder that is not ours; its 4.0 does not know extensions 40-43, see tests/mip for those."""
    r = scene.report
    r.at_least("tshark decodes agent advertisements with challenge",
               decode.count(pcap, "icmp.type == 9 && icmp.mip.type == 16 && !_ws.malformed"), 1)
    r.equal("no malformed advertisement", decode.count(pcap, "icmp.type == 9 && _ws.malformed"), 0)
    r.at_least("registrations between FA and MN", decode.count(pcap, "mip.type == 1 || mip.type == 3"), 2)
