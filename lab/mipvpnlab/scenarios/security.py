# SPDX-License-Identifier: BSD-3-Clause
"""F1-security: users whose VPNs differ in security type and algorithms, each with a static gateway and with a proxy
correspondent node.  What the database says is what charon negotiates and what is on the wires; the leg to the
enterprise is the contract's, whatever the user has chosen (A1, A5, B1, E5, G2)."""
from dataclasses import dataclass

from .. import agents, charon, decode, home, topology as t, xfrm
from ..scene import standing
from ..wait import wait_for
from .dead import REFUSALS

EF, AF41 = 46, 34
REASON = "cannot do the tunnel's security type or algorithms"
CORE = 'frame.interface_name contains "core0"'


@dataclass(frozen=True)
class Kind:
    """What charon shows of the user's own tunnel; protocol None = IP-in-IP."""
    protocol: str
    encr: str = ""
    size: str = ""
    integ: str = ""
    kernel_only: bool = False       # charon's user-space IPsec has no AH


GCM, CBC = Kind("ESP", "AES_GCM_16", "256"), Kind("ESP", "AES_CBC", "128", "HMAC_SHA2_256_128")
NULL = Kind("ESP", "NULL", "", "HMAC_SHA2_256_128")
AH, ENCAP = Kind("AH", "", "", "HMAC_SHA2_256_128", True), Kind(None)
KINDS = {"gcm": GCM, "cbc": CBC, "null": NULL, "ah": AH, "encap": ENCAP}


@dataclass(frozen=True)
class User:
    name: str
    node: str
    kind: Kind
    words: str
    static: bool

    def address(self):
        return t.home_address(self.name)

    def host(self):
        return t.CN if self.static else t.CN2

    def gateway(self):
        """(node, address) of the other end of the user's own tunnel."""
        return ("ha", t.HA) if self.static else ("pcn", t.PCN)


def _users():
    names = [(k, p) for k in KINDS for p in ("static", "dynamic")]
    return [User(f"u{i}", f"mn{i}", KINDS[k], f"{k}-{p}", p == "static") for i, (k, p) in enumerate(names, 1)]


def run(settings, report):
    report.title("F1-security: security types and algorithms by VPN")
    users = _users()
    kernel = settings.xfrm
    kinds = {u.name: u.words for u in users}
    scene = standing(settings, report, pcns=("pcn",), users=kinds, mns=len(users))
    scene.sql("UPDATE mipvpn.vpns SET up_class = 'EF', down_class = 'AF41'")
    before = scene.snapshot()
    good = [u for u in users if kernel or not u.kind.kernel_only]
    for u in users:
        if u not in good:
            _refused(scene, u, before)
    scene.start_capture()
    mns = {u: scene.mobile(u.name, u.node) for u in good}
    good = [u for u in good if scene.check_registered(mns[u])]
    for u in good:
        _negotiated(scene, u)
    _contract(scene)
    _shown(scene, good)
    for u in good:
        report.check(f"{u.words}: reaches {u.host()}", scene.ping(u.node, u.host(), u.address()).all())
        report.check(f"{u.words}: is reached", scene.ping("cn" if u.static else "cn2", u.address()).all())
    xfrm.check(scene, "all registered")
    spis = {u: _spis(scene, u) for u in good}
    pcap = scene.stop_capture()
    for u in good:
        _wires(scene, pcap, u, spis[u], kernel)
    _contract_lost(scene, [u for u in good if u.words == "encap-static"])
    for m in mns.values():
        report.check(f"{m.user} deregisters", m.stop())
    scene.check_nothing_left("after the last of them has gone", before, 15)
    scene.finish()


def _child(scene, node, u):
    """The tunnel of this user's own at a node."""
    mine = u.address() + "/32"
    found = [c[3] for c in scene.children(node) if mine in (c[3]["local-ts"] + c[3]["remote-ts"])]
    return found[0] if len(found) == 1 else None


def _algorithms(child):
    return tuple(child.get(k, "") for k in ("protocol", "encr-alg", "encr-keysize", "integ-alg")) if child else None


def _negotiated(scene, u):
    k, r = u.kind, scene.report
    for node in ("fa", u.gateway()[0]):
        if k.protocol:
            want = (k.protocol, k.encr, k.size, k.integ)
            r.equal(f"{u.words}: algorithms of his tunnel at {node}", _algorithms(_child(scene, node, u)), want)
        else:
            r.check(f"{u.words}: no tunnel of his in charon at {node}", _child(scene, node, u) is None)


def _contract(scene):
    """One connection for all users of the contract, as its gateway was configured."""
    want = ("ESP", "AES_GCM_16", "128", "")
    for node, peer in (("ha", t.GW), ("gw", t.HA)):
        scene.report.equal(f"the contract's tunnel at {node} is the contract's",
                           _algorithms(scene.child_towards(node, peer)), want)


def _shown(scene, users):
    """What the DBA sees."""
    rows = scene.sql("SELECT nai, kind, security, proposal FROM mipvpn.v_tunnels ORDER BY nai, kind").splitlines()
    want = []
    for u in users:
        proposal = home.KINDS[u.words][0][2] if u.kind.protocol else ""
        word = u.kind.protocol or "ENCAP"
        want.append(f"{home.nai(u.name)}|{'agent' if u.static else 'dynamic'}|{word}|{proposal}")
        want += [f"{home.nai(u.name)}|static|ESP|"] if u.static else []
    scene.report.equal("v_tunnels shows type and algorithms of each", sorted(rows), sorted(want))


def _spis(scene, u):
    """(up, down) of his tunnel, as on the wire."""
    child = _child(scene, "fa", u) if u.kind.protocol else None
    return (child["spi-out"], child["spi-in"]) if child else ("0", "0")


def _wires(scene, pcap, u, spis, kernel):
    r, k, peer = scene.report, u.kind, u.gateway()[1]
    echo = f"{u.words}: on the wire"
    for way, src, dst, spi, dscp in (("up", t.FA, peer, spis[0], EF), ("down", peer, t.FA, spis[1], AF41)):
        outer = f'{CORE} && ip.src#1 == {src} && ip.dst#1 == {dst}'
        if not k.protocol:
            flt = f"{outer} && ip.proto#1 == 4 && ip.addr#2 == {u.address()} && ip.addr#2 == {u.host()}"
        elif kernel:
            flt = f"{outer} && ip.proto#1 == {51 if k.protocol == 'AH' else 50} && {k.protocol.lower()}.spi == 0x{spi}"
        else:
            flt = f"{outer} && udpencap && esp.spi == 0x{spi}"
        marks = [d.split(",")[0] for (d,) in decode.fields(pcap, flt, "ip.dsfield.dscp")]
        r.at_least(f"{echo}, {way}: {k.protocol or 'IP-in-IP'} between FA and {u.gateway()[0].upper()}", len(marks), 6)
        if kernel or not k.protocol:
            r.equal(f"{echo}, {way}: the outer header has the class", sorted(set(marks)), [str(dscp)])
    if u.static:
        for a, b in ((t.HA, t.GW), (t.GW, t.HA)):
            esp = f"{CORE} && ip.src#1 == {a} && ip.dst#1 == {b} && esp"
            r.at_least(f"{echo}: ESP from {a} to {b}", decode.count(pcap, esp), 6)
    _in_clear(scene, pcap, u, f"{echo}: nothing in clear")


def _in_clear(scene, pcap, u, what):
    """No packet of his with his correspondent on the core without a tunnel around it."""
    naked = f"{CORE} && ip.addr#1 == {u.address()} && ip.addr#1 == {u.host()}"
    scene.report.equal(what, decode.count(pcap, naked), 0)
    if u.static:
        scene.report.equal(f"{what}, nor by IP-in-IP to the enterprise",
                           decode.count(pcap, f"{CORE} && ip.addr#1 == {t.GW} && ip.proto#1 == 4"), 0)


def _contract_lost(scene, users):
    """The contract's tunnel goes while an encapsulated user sends: his packets go nowhere until it is back."""
    r, s = scene.report, scene.settings
    for u in users:
        scene.start_capture()
        for _ in range(3):
            with charon.vici(s, "gw") as v:
                v.must("terminate", {"ike": "home-isp"})
            scene.ping(u.node, t.CN, u.address(), count=20)
            wait_for("the contract's tunnel to be back", lambda: scene.child_towards("ha", t.GW), 15 * s.slow)
        r.attempt(f"{u.words}: reaches {t.CN} when it is back", wait_for, "an answer",
                  lambda: scene.ping(u.node, t.CN, u.address(), count=1).all(), 10 * s.slow)
        _in_clear(scene, scene.stop_capture(), u, f"{u.words}: nothing in clear while the contract's tunnel is away")


def _refused(scene, u, before):
    """What this data path cannot do is refused with a reason, counted, and nothing stays."""
    r = scene.report
    counters = agents.counters(scene.settings, "fa")
    with scene.by_hand(u.name, u.node) as mn:
        reply = mn.register(15 * scene.settings.slow)
        code = reply.code if reply else None
        r.check(f"{u.words}: refused here", code in REFUSALS, f"got {code}")
        said = " ".join(reply.text()) if reply else ""
        r.check(f"{u.words}: the reply says why", REASON in said, said)
    now = agents.counters(scene.settings, "fa")
    still = [k for k in ("fa.vpn.failed", "vpn.tunnel.failed") if now.get(k, 0) == counters.get(k, 0)]
    r.equal(f"{u.words}: counted", still, [])
    events = agents.ctl(scene.settings, "fa", "show", "events")
    told = [line for line in events.splitlines() if home.nai(u.name) in line and REASON in line]
    r.check(f"{u.words}: the reason is in show events", bool(told), events[-600:])
    scene.check_nothing_left(f"{u.words}: after the refusal", before, 12)
