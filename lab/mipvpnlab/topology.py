# SPDX-License-Identifier: BSD-3-Clause
"""The nodes and wires of the fast lab.

      visited link 10.2.1.0/24           core 198.51.100.0/24                 enterprise 10.9.0.0/24
  mn1 mn2 mn3 ----------- fa .11 ---------+--------+------- gw .31 ------------- cn .5
                                          |        |
                         aaaf .41 --------+        +------- ha .21 ------------- hh .5
                         aaah .51 --------+                     home link 10.1.0.0/24

Scenarios with proxy correspondent nodes have two more enterprises on the core (add_pcns()):

  pcn .32 ------------- cn2 .5   203.0.113.0/24          pcn2 .33 ------------- cn3 .5   203.0.114.0/24

Scenarios in which somebody moves (add_moves()) have more foreign agents, a second visited domain with a AAA server of
its own, and more mobile nodes; each foreign agent has a visited link of its own:

  visited.test:  fa .11 10.2.1.0/24   fb .12 10.2.2.0/24   aaaf .41
  visited2.test: fc .13 10.2.3.0/24   fd .14 10.2.4.0/24   aaaf2 .42

Every wire is a bridge in the namespace `net`, its ports are named NODE.INTERFACE: a node is moved to another link by
giving its port another master, and one capture there sees every wire.
"""
from dataclasses import dataclass, field

from . import netns

WIRES = ("core", "visited", "home", "ent", "ent2", "ent3")
MOVE_WIRES = ("visitedb", "visitedc", "visitedd")
NET = "net"

FA, HA, GW, AAAF, AAAH = "198.51.100.11", "198.51.100.21", "198.51.100.31", "198.51.100.41", "198.51.100.51"
FA_LINK, HA_HOME, HOME_HOST, CN = "10.2.1.1", "10.1.0.1", "10.1.0.5", "10.9.0.5"
PCN, PCN2, CN2, CN3 = "198.51.100.32", "198.51.100.33", "203.0.113.5", "203.0.114.5"
PCN_NET, PCN2_NET = "203.0.113.0/24", "203.0.114.0/24"
HOME_NET, VISITED_NET, ENT_NET = "10.1.0.0/24", "10.2.1.0/24", "10.9.0.0/24"
HOME = {"alice": "10.1.0.10", "bob": "10.1.0.11", "carol": "10.1.0.12", "mallory": "10.1.0.14",
        "erin": "10.1.0.15", "frank": "10.1.0.16"}
GENERATED_FIRST = 20    # user u1 has 10.1.0.20
VPN_USERS = ("alice", "bob", "mallory", "erin", "frank")		# whose addresses kernel-libipsec must find on a gateway



@dataclass(frozen=True)
class ForeignAgent:
    care_of: str
    link: str       # its address on its visited link, a /24
    wire: str
    realm: str
    aaaf: str

    def net(self):
        return self.link.rsplit(".", 1)[0] + ".0/24"


FAS = {
    "fa": ForeignAgent(FA, FA_LINK, "visited", "visited.test", "aaaf"),
    "fb": ForeignAgent("198.51.100.12", "10.2.2.1", "visitedb", "visited.test", "aaaf"),
    "fc": ForeignAgent("198.51.100.13", "10.2.3.1", "visitedc", "visited2.test", "aaaf2"),
    "fd": ForeignAgent("198.51.100.14", "10.2.4.1", "visitedd", "visited2.test", "aaaf2"),
}
AAAF2 = "198.51.100.42"

# What the Internet between the domains would know.
TO_HOME, TO_VISITED, TO_ENT = f"{HOME_NET} via {HA}", f"{VISITED_NET} via {FA}", f"{ENT_NET} via {GW}"


@dataclass
class Node:
    """interfaces: name -> (wire, address or None)."""
    interfaces: dict
    routes: list = field(default_factory=list)
    forwards: bool = False


NODES = {
    "fa": Node({"core0": ("core", FA + "/24"), "link0": ("visited", FA_LINK + "/24")}, [TO_HOME, TO_ENT], True),
    "ha": Node({"core0": ("core", HA + "/24"), "home0": ("home", HA_HOME + "/24")}, [TO_VISITED, TO_ENT], True),
    "gw": Node({"core0": ("core", GW + "/24"), "ent0": ("ent", "10.9.0.1/24")}, [TO_HOME, TO_VISITED], True),
    "aaaf": Node({"core0": ("core", AAAF + "/24")}, [TO_HOME, TO_VISITED]),
    "aaah": Node({"core0": ("core", AAAH + "/24")}, [TO_HOME, TO_VISITED]),
    "cn": Node({"eth0": ("ent", CN + "/24")}, ["default via 10.9.0.1"]),
    "hh": Node({"eth0": ("home", HOME_HOST + "/24")}, [f"default via {HA_HOME}"]),
    "mn1": Node({"eth0": ("visited", None)}),
    "mn2": Node({"eth0": ("visited", None)}),
    "mn3": Node({"eth0": ("visited", None)}),
}
GATEWAYS = ("fa", "ha", "gw")
PCN_NODES = {
    "pcn": Node({"core0": ("core", PCN + "/24"), "ent0": ("ent2", "203.0.113.1/24")}, [TO_HOME, TO_VISITED], True),
    "cn2": Node({"eth0": ("ent2", CN2 + "/24")}, ["default via 203.0.113.1"]),
    "pcn2": Node({"core0": ("core", PCN2 + "/24"), "ent0": ("ent3", "203.0.114.1/24")}, [TO_HOME, TO_VISITED], True),
    "cn3": Node({"eth0": ("ent3", CN3 + "/24")}, ["default via 203.0.114.1"]),
}
PCNS = {"pcn": (PCN, PCN_NET), "pcn2": (PCN2, PCN2_NET)}
TO_PCNS = [f"{net} via {address}" for address, net in PCNS.values()]


def home_address(user):
    """A user's home address; None = from the pool. u1, u2, ... are those that a scenario makes."""
    if user in HOME or not user[1:].isdigit():
        return HOME.get(user)
    return f"10.1.0.{GENERATED_FIRST - 1 + int(user[1:])}"


def build(settings):
    """Makes the namespaces, wires, addresses and routes."""
    net = settings.ns(NET)
    netns.add(net)
    netns.sysctl(net, {"ipv6/conf/all/disable_ipv6": 1})
    netns.ip_batch(net, [line for w in WIRES for line in (
        f"link add {w} type bridge stp_state 0 forward_delay 0 mcast_snooping 0", f"link set {w} up")])
    for name, node in NODES.items():
        _build_node(settings, name, node)


def _build_node(settings, name, node):
    ns = settings.ns(name)
    netns.add(ns)
    netns.sysctl(ns, _sysctls(node))
    for ifname, (wire, _) in node.interfaces.items():
        port = f"{name}.{ifname}"
        netns.ip_batch(settings.ns(NET), [f"link add {port} type veth peer name {ifname} netns {ns}",
            f"link set {port} master {wire} up"])
    lines = [f"link set {i} up" for i in node.interfaces]
    lines += [f"addr add {addr} dev {i}" for i, (_, addr) in node.interfaces.items() if addr]
    lines += [f"route add {r}" for r in node.routes]
    netns.ip_batch(ns, lines)


def _sysctls(node):
    settings = {"ipv6/conf/all/disable_ipv6": 1, "ipv4/conf/all/rp_filter": 0, "ipv4/conf/default/rp_filter": 0,
        "ipv4/conf/all/send_redirects": 0, "ipv4/conf/default/send_redirects": 0}
    if node.forwards:
        # arp_ignore: the addresses that kernel-libipsec wants on lo must not be answered for on a link.
        settings.update({"ipv4/ip_forward": 1, "ipv4/conf/all/arp_ignore": 1})
    return settings


LOCAL_LAST = ["rule add pref 1000 lookup local", "rule del pref 0"]


def prepare_libipsec(settings):
    """What kernel-libipsec needs and kernel XFRM does not: an address inside each local traffic selector, and the
    local table behind charon's and the agent's (see doc/lab.md)."""
    if settings.xfrm:
        return
    # accept_local: these users' packets must not look like our own before their routes stand.
    for node in ("fa", "ha"):
        netns.sysctl(settings.ns(node), {"ipv4/conf/all/accept_local": 1})
    home = [f"addr add {HOME[u]}/32 dev lo" for u in VPN_USERS]
    netns.ip_batch(settings.ns("fa"), LOCAL_LAST + home)
    netns.ip_batch(settings.ns("ha"), LOCAL_LAST + home + [f"addr add {ENT_NET.split('/')[0]}/32 dev lo"])


def add_pcns(settings):
    """The proxy correspondent nodes and their correspondents, beside a lab that stands."""
    for name, node in PCN_NODES.items():
        _build_node(settings, name, node)
    for name in () if settings.xfrm else PCNS:
        netns.ip_batch(settings.ns(name), LOCAL_LAST)
    for name in ("fa", "ha", "gw", "aaaf"):
        netns.ip_batch(settings.ns(name), [f"route add {r}" for r in TO_PCNS])


def add_moves(settings, fas, mns, users):
    """More foreign agents, the second domain, more mobile nodes and users, beside a lab that stands."""
    netns.ip_batch(settings.ns(NET), [line for w in MOVE_WIRES for line in (
        f"link add {w} type bridge stp_state 0 forward_delay 0 mcast_snooping 0", f"link set {w} up")])
    # Radio: every station hears every frame; nobody waits until a bridge has learnt where a node is now.
    netns.ip_batch(settings.ns(NET), [f"link set {w} type bridge ageing_time 0" for w in ("visited", *MOVE_WIRES)])
    added = [n for n in fas if n != "fa"]
    for name in added:
        fa = FAS[name]
        _build_node(settings, name, Node({"core0": ("core", fa.care_of + "/24"), "link0": (fa.wire, fa.link + "/24")},
                                         [TO_HOME, TO_ENT, *TO_PCNS], True))
    if "aaaf2" in (FAS[n].aaaf for n in fas):
        _build_node(settings, "aaaf2", Node({"core0": ("core", AAAF2 + "/24")}, [TO_HOME]))
    for name in mns:
        _build_node(settings, name, Node({"eth0": ("visited", None)}))
    to_links = [f"route add {FAS[n].net()} via {FAS[n].care_of}" for n in added]
    for name in ("ha", "gw", "aaaf", "aaah"):
        netns.ip_batch(settings.ns(name), to_links)
    if not settings.xfrm:
        _prepare_moves(settings, added, users)


def _prepare_moves(settings, added, users):
    """prepare_libipsec() for them; and both ends of a tunnel from one foreign agent to the next."""
    new = [f"addr add {home_address(u)}/32 dev lo" for u in users if u[1:].isdigit()]
    ends = [f"addr add {net.split('/')[0]}/32 dev lo" for net in (ENT_NET, PCN_NET, PCN2_NET)]
    for name in added:
        netns.sysctl(settings.ns(name), {"ipv4/conf/all/accept_local": 1})
        old = [f"addr add {HOME[u]}/32 dev lo" for u in VPN_USERS]
        netns.ip_batch(settings.ns(name), LOCAL_LAST + old + new + ends)
    netns.ip_batch(settings.ns("fa"), new + ends)
    if new:
        netns.ip_batch(settings.ns("ha"), new)


def plug(settings, node, wire, ifname="eth0"):
    """Takes a node's cable to another wire: its carrier goes and comes, as on a real machine."""
    port = f"{node}.{ifname}"
    netns.ip_batch(settings.ns(NET), [f"link set {port} down", f"link set {port} master {wire}", f"link set {port} up"])


def unplug(settings, node, ifname="eth0"):
    """The first half of it."""
    netns.ip("link", "set", f"{node}.{ifname}", "down", ns=settings.ns(NET))


def slide(settings, node, wire, ifname="eth0"):
    """The same without a blink of the carrier: the radio was on the new link before. Frames of the next milliseconds
    may be lost, which is the lab's doing."""
    netns.ip("link", "set", f"{node}.{ifname}", "master", wire, ns=settings.ns(NET))


def _joint(a, b):
    """Names of the two ends of the joint between two wires, 15 characters at most."""
    short = {"visited": "a", "visitedb": "b", "visitedc": "c", "visitedd": "d"}
    x, y = sorted((short[a], short[b]))
    return f"joint-{x}{y}-0", f"joint-{x}{y}-1"


def join(settings, a, b):
    """Two visited links overlap: what is sent on one is heard on both."""
    ends = _joint(a, b)
    netns.ip_batch(settings.ns(NET), [f"link add {ends[0]} type veth peer name {ends[1]}",
        f"link set {ends[0]} master {a} up", f"link set {ends[1]} master {b} up"])


def part(settings, a, b):
    """They overlap no more."""
    netns.ip("link", "del", _joint(a, b)[0], ns=settings.ns(NET))


def gateway_port(cn):
    """The port on the wires of the gateway's interface before a correspondent."""
    return {"cn": "gw.ent0", "cn2": "pcn.ent0", "cn3": "pcn2.ent0"}[cn]


def core_ports(settings):
    """The ports on the core wire."""
    lines = netns.ip("-br", "link", "show", "master", "core", ns=settings.ns(NET)).splitlines()
    return [line.split("@")[0].split()[0] for line in lines]


def netem_on_core(settings, what):
    """netem(8) on each port of the core wire, towards its node: every frame passes one."""
    for port in core_ports(settings):
        netns.run(settings.ns(NET), "tc", "qdisc", "replace", "dev", port, "root", "netem", *what.split(), "limit", 10000)


def take_off_core(settings, ports):
    """The ports leave the core's bridge: a program stands in for it."""
    netns.ip_batch(settings.ns(NET), [f"link set {p} nomaster" for p in ports])


def destroy(settings):
    for ns in netns.names(settings.prefix):
        netns.delete(ns)
