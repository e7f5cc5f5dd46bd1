# SPDX-License-Identifier: BSD-3-Clause
"""F1-users: three users at once behind one FA.  alice and bob have each a VPN of their own to the same enterprise,
carol has none: plain Mobile IP with and without reverse tunnel, until she comes home.  mallory is not on the contract's
list.  dave has a home address from the pool.  (E1, E2, E5, E9, A1, A5)"""
from .. import decode, netns, topology as t
from ..scene import standing

OWN_DSCP = 10
ALICE, BOB, CAROL, MALLORY = (t.HOME[u] for u in ("alice", "bob", "carol", "mallory"))


def run(settings, report):
    report.title("F1-users: several users behind one FA")
    scene = standing(settings, report)
    before = scene.snapshot()
    scene.start_capture()
    nodes = {u: scene.mobile(u, n) for u, n in (("alice", "mn1"), ("bob", "mn2"), ("carol", "mn3"))}
    if all([scene.check_registered(m) for m in nodes.values()]):
        _own_tunnels(scene)
        _class_0(scene)
        _plain(scene)
    pcap = scene.stop_capture()
    _unmarked(scene, pcap)
    _home_again(scene, nodes.pop("carol"))
    _reverse(scene)
    _not_on_the_list(scene)
    _from_the_pool(scene)
    for m in nodes.values():
        report.check(f"{m.user} deregisters", m.stop())
    scene.check_nothing_left("after the last of them has gone", before)
    scene.finish()


def _child_of(scene, node, user_address):
    """The FA=HA tunnel that is for one user's address."""
    found = [c[3] for c in scene.children(node)
             if any(ts.startswith(user_address + "/32") for ts in c[3]["local-ts"] + c[3]["remote-ts"])]
    return found[0] if len(found) == 1 else None


def _own_tunnels(scene):
    """No packet of one ever takes another's tunnel: by the counters of each user's own SA."""
    r = scene.report
    r.equal("tunnels at FA, HA, GW", [len(scene.children(n)) for n in t.GATEWAYS], [2, 3, 1])
    for me, other, node, name in ((ALICE, BOB, "mn1", "alice"), (BOB, ALICE, "mn2", "bob")):
        before = [_counters(scene, a) for a in (me, other)]
        r.check(f"{name} reaches CN", scene.ping(node, t.CN, me, count=4).all())
        r.check(f"CN reaches {name}", scene.ping("cn", me, count=4).all())
        after = [_counters(scene, a) for a in (me, other)]
        grown = [a - b for a, b in zip(after[0], before[0])]
        r.equal(f"{name}'s packets are in {name}'s tunnel", grown, [8, 8])
        r.equal(f"and none in the other's while {name} pings", after[1], before[1])


def _class_0(scene):
    """Class 0 leaves alone what the user has set himself."""
    scene.report.check("bob's own marks pass", scene.ping("mn2", t.CN, BOB, tos=OWN_DSCP << 2).all())


def _counters(scene, address):
    c = _child_of(scene, "fa", address)
    return (int(c["packets-in"]), int(c["packets-out"])) if c else (0, 0)


def _plain(scene):
    r = scene.report
    before = scene.bytes_towards("fa", t.HA)
    r.check("a host on the home link reaches carol (proxy ARP, IP-in-IP)", scene.ping("hh", CAROL).all())
    r.check("carol reaches a host on her home link", scene.ping("mn3", t.HOME_HOST, CAROL).all())
    r.check("carol does not reach the enterprise", scene.ping("mn3", t.CN, CAROL).none())
    r.equal("none of it entered a tunnel", scene.bytes_towards("fa", t.HA), before)
    neighbour = netns.ip("neigh", "show", CAROL, ns=scene.settings.ns("hh"))
    mac = netns.ip("-br", "link", "show", "home0", ns=scene.settings.ns("ha")).split()[2]
    r.check("the home host's neighbour entry for carol is the HA's", mac in neighbour, neighbour)


def _unmarked(scene, pcap):
    flt = f'frame.interface_name == "gw.ent0" && icmp.type == 8 && ip.src == {BOB}'
    scene.report.equal("class 0 leaves bob's packets alone, marked by him or not",
                       sorted(set(decode.fields(pcap, flt, "ip.dsfield.dscp"))), [("0",), (str(OWN_DSCP),)])
    ipip = f"ip.proto == 4 && ip.src == {t.HA} && ip.dst == {t.FA} && ip.addr == {CAROL}"
    scene.report.at_least("carol's packets come by IP-in-IP", decode.count(pcap, ipip), 3)
    plain = f'frame.interface_name == "fa.core0" && ip.src#1 == {CAROL} && ip.dst == {t.HOME_HOST}'
    scene.report.at_least("and go plainly without reverse tunnel", decode.count(pcap, plain), 3)


def _home_again(scene, carol):
    """She comes home: hears her HA, deregisters, and is reached without it."""
    r, s = scene.report, scene.settings
    t.plug(s, "mn3", "home")
    if r.attempt("carol comes home and deregisters", lambda: carol.wait_event("home", seconds=30)) is None:
        return
    r.check("the home host reaches carol at home", scene.ping("hh", CAROL).all())
    mac = netns.ip("-br", "link", "show", "eth0", ns=s.ns("mn3")).split()[2]
    r.check("by her own address on the link", mac in netns.ip("neigh", "show", CAROL, ns=s.ns("hh")))
    left = scene.sql("SELECT count(*) FROM mipvpn.sessions WHERE nai LIKE 'carol%'")
    r.equal("her session is gone from the database", left, "0")
    r.check("carol's program ends", carol.stop())
    t.plug(s, "mn3", "visited")


def _reverse(scene):
    r = scene.report
    scene.start_capture()
    carol = scene.mobile("carol", "mn3", reverse=True)
    if scene.check_registered(carol):
        r.check("carol reaches her home link through a reverse tunnel", scene.ping("mn3", t.HOME_HOST, CAROL).all())
        r.check("and is reached", scene.ping("hh", CAROL).all())
    pcap = scene.stop_capture()
    up = f"ip.proto == 4 && ip.src == {t.FA} && ip.dst == {t.HA} && ip.src == {CAROL}"
    r.at_least("her packets go by IP-in-IP from FA to HA", decode.count(pcap, up), 3)
    plain = f'frame.interface_name == "fa.core0" && ip.src#1 == {CAROL}'
    r.equal("and none plainly", decode.count(pcap, plain), 0)
    r.check("carol deregisters from the visited link", carol.stop())


def _not_on_the_list(scene):
    """A5: registered, as Mobile IP goes; no tunnel into that domain, and nothing passes the gateways."""
    r = scene.report
    tunnels = len(scene.children("fa"))
    mallory = scene.mobile("mallory", "mn3")
    if scene.check_registered(mallory):
        r.equal("mallory is not on the contract's list and has no tunnel", len(scene.children("fa")), tunnels)
        r.check("mallory does not reach the enterprise", scene.ping("mn3", t.CN, MALLORY).none())
        r.check("mallory reaches other hosts", scene.ping("mn3", t.HOME_HOST, MALLORY).all())
        r.check("the enterprise does not reach mallory", scene.ping("cn", MALLORY).none())
    r.check("mallory deregisters", mallory.stop())


def _from_the_pool(scene):
    r = scene.report
    dave = scene.mobile("dave", "mn3")
    got = scene.check_registered(dave)
    if got:
        address = got.get("home_address", "")
        last = int(address.split(".")[3]) if address.startswith("10.1.0.") else 0
        r.check("dave's home address is from the pool", last >= 128, str(got))
        r.check("the home host reaches it", scene.ping("hh", address).all())
    r.check("dave deregisters", dave.stop())
