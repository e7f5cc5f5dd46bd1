# SPDX-License-Identifier: BSD-3-Clause
"""What the helper does when a user moves: packets wait and go on, a visitor who has moved on, tunnels that are replaced.
Part of tests/net/run, on its network; fa is the previous foreign agent, an address of ha stands in for the new one.
"""
import re
import time

import net
from net import CN, FA, HA, HOA, MN_MAC, VPN, Capture, check, counter, frame, inject, ip, mac, python, run as command, \
    snapshot, wait_for

FA2, NEXT = "198.51.100.12", "198.51.100.22"

# argv: source, destination, packets, from number; 1,000 packets/s, each with its number
SEND = """import socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
print('go', flush=True)
start = time.monotonic()
for i in range(int(sys.argv[3])):
    s.sendto(struct.pack('!I', int(sys.argv[4]) + i), (sys.argv[2], 9))
    time.sleep(max(0, start + (i + 1) / 1000 - time.monotonic()))
"""
# argv: udp address, or ipip; prints "number/TTL" of what comes until nothing has come for 1.5 s
RECEIVE = """import socket, struct, sys
if sys.argv[1] == 'udp':
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((sys.argv[2], 9))
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IPIP)
s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4000000)
s.settimeout(30)
print('open', flush=True)
seen = []
try:
    while True:
        data, control, _, _ = s.recvmsg(2048, 256)
        s.settimeout(1.5)
        if sys.argv[1] == 'udp':
            ttl = struct.unpack('i', control[0][2])[0]
        else:
            if data[9] != 4 or socket.inet_ntoa(data[16:20]) != sys.argv[2] or data[29] != 17:
                continue
            data, ttl = data[20:], data[28]
            data = data[28:]
        seen.append('%d/%d' % (struct.unpack('!I', data[:4])[0], ttl))
except TimeoutError:
    pass
print(*seen)
"""


class Receiver:
    def __init__(self, node, *args):
        self.p = python(node, RECEIVE, *args)
        self.p.stdout.readline()

    def numbers(self):
        got = [x.split("/") for x in self.p.communicate()[0].split()]
        self.ttls = {int(t) for _, t in got}
        return [int(n) for n, _ in got]


def send(node, src, n, first=0):
    p = python(node, SEND, src, HOA, n, first)
    p.stdout.readline()
    return p


def left(numbers, wanted):
    """For the report: what is missing and what is out of place."""
    wrong = [n for n, w in zip(numbers, wanted) if n != w]
    return f"{len(numbers)} of {len(wanted)}, missing {sorted(set(wanted) - set(numbers))[:9]}, first out of place {wrong[:3]}"


def test_hold(fa):
    """1,000 packets/s, held for 300 ms."""
    mn = Receiver("mn", "udp", HOA)
    s = send("host", "10.1.0.5", 600)
    time.sleep(0.15)
    fa.good(f"hold-add addr={HOA}")
    time.sleep(0.3)
    a = fa.ask(f"hold-del addr={HOA}")[0]
    s.wait()
    got = mn.numbers()
    check("hold: what has waited goes on, none is lost, and in order", got == list(range(600)) and a == "hold-del ok 0",
          f"{a}, {left(got, range(600))}")
    check("... and waiting is no hop", len(mn.ttls) == 1, mn.ttls)


def test_hold_then_forward(fa):
    mn, on = Receiver("mn", "udp", HOA), Receiver("ha", "ipip", NEXT)
    s = send("host", "10.1.0.5", 600)
    time.sleep(0.15)
    fa.good(f"hold-add addr={HOA}")
    time.sleep(0.15)
    fa.good(f"ipip-add local={FA} peer={NEXT}", f"forward-add addr={HOA} local={FA} peer={NEXT}")
    check("hold: a new route changes nothing while it stands", "dev mvhold0" in ip("fa", "route", "get", HOA, "from", "10.1.0.5",
                                                                                 "iif", "core0"))
    time.sleep(0.15)
    a = fa.ask(f"hold-del addr={HOA}")[0]
    s.wait()
    first, rest = mn.numbers(), on.numbers()
    check("hold, then forward: each packet goes the old way or the new one, none is lost, and in order",
          first and len(rest) > 300 and first + rest == list(range(600)) and a == "hold-del ok 0",
          f"{len(first)} + {left(rest, range(len(first), 600))}")
    check("... with one TTL", len(on.ttls) == 1, on.ttls)


def test_overflow(fa):
    fa.good(f"forward-del addr={HOA}", f"hold-add addr={HOA}")
    mn = Receiver("mn", "udp", HOA)
    send("host", "10.1.0.5", 700).wait()
    time.sleep(0.2)
    a = fa.ask(f"hold-del addr={HOA}")[0]
    got = mn.numbers()
    check("hold: of 700 the last 512 wait, 188 are lost and counted", a == "hold-del ok 188" and
          got == list(range(188, 700)), f"{a}, {left(got, range(188, 700))}")


def test_limits(fa):
    before = ip("fa", "rule")
    a = fa.ask(*[f"hold-add addr=10.77.0.{i}" for i in range(1, 66)])
    check("hold: 64 addresses, no more", all(" ok " in x for x in a[:64]) and a[64].startswith("hold-add ENOSPC"), a[63:])
    a = fa.ask(*[f"hold-del addr=10.77.0.{i}" for i in range(1, 66)])
    check("... and the end of one that is not is no error", all(" ok " in x for x in a), a)
    check("... nothing of them is left", wait_for(lambda: ip("fa", "rule") == before and "mvhold" not in ip("fa", "link")),
          ip("fa", "rule"))


def test_nowhere(fa):
    """Nobody knows any more where they should go: they do not go the way of all others."""
    fa.good(f"hold-add addr={HOA}")
    send("host", "10.1.0.5", 20).wait()
    fa.good(f"visitor-del addr={HOA}")
    plain = Capture("fa", "core0", f"src host {FA} or src host 10.1.0.5", "ip.src")
    before = counter("fa", "hold_lost")
    fa.good(f"hold-del addr={HOA}")
    check("hold: no visitor, no forward: dropped and counted", counter("fa", "hold_lost") == before + 20,
          counter("fa", "hold_lost") - before)
    check("... and nothing leaves", plain.lines(0, 0.2) == [], plain.read())
    fa.good(f"visitor-add addr={HOA} if=link0 mac={MN_MAC}")


def test_expiry(fa):
    fa.good(f"hold-add addr={HOA}")
    mn = Receiver("mn", "udp", HOA)
    send("host", "10.1.0.5", 20).wait()
    check("hold: ended by the helper after 10 s", wait_for(lambda: f"to {HOA}" not in ip("fa", "rule"), 12))
    send("host", "10.1.0.5", 20, 100).wait()
    check("... its packets are dropped, later ones pass", mn.numbers() == list(range(100, 120)))


def test_forward(fa):
    """Every order leads to the same, and leaves nothing."""
    def route():
        return "".join(re.findall(rf"^{HOA} dev \S+", ip("fa", "route", "show", "table", "434", ok=False), re.M))
    link = route()
    check("forward: the visitor's link before", link == f"{HOA} dev link0", link)
    visitor, add = f"visitor-add addr={HOA} if=link0 mac={MN_MAC}", f"forward-add addr={HOA} local={FA} peer={NEXT}"
    fa.good(add)
    check("... the tunnel while it stands", f"{HOA} dev mip" in route() and route() != link, route())
    fa.good(visitor)
    check("... also when the visitor comes back", f"{HOA} dev mip" in route(), route())
    fa.good(f"forward-del addr={HOA}")
    check("... and the link when it ends", route() == link, route())
    fa.good(add, f"forward-del addr={HOA}", visitor)
    check("... in the other order too", route() == link, route())
    fa.good(add, f"visitor-del addr={HOA}")
    check("... the visitor is forgotten first: the tunnel", f"{HOA} dev mip" in route(), route())
    on = Receiver("ha", "ipip", NEXT)
    send("host", "10.1.0.5", 20).wait()
    check("... and the stray check still lets packets to him pass", on.numbers() == list(range(20)))
    fa.good(f"forward-del addr={HOA}")
    check("... then nothing", route() == "", route())
    a = fa.ask(f"forward-del addr={HOA}", f"forward-add addr={HOA} local={FA} peer=203.0.113.9")
    check("... which does not end twice, nor lead where there is no tunnel",
          a[0].startswith("forward-del ENOENT") and a[1].startswith("forward-add ENOENT"), a)
    fa.good(visitor)


def cn_to_mn(n, first=0):
    return send("cn", CN, n, first)


def core_capture():
    """What leaves fa on the core link and is not its tunnel."""
    return Capture("fa", "core0", f"(src host {FA} and ip proto 4) or src host {CN}", "ip.dst")


def test_vpn(fa, ha):
    """A profile's packets: out of the tunnel, held, and on only into another tunnel."""
    for h, side in ((fa, "src"), (ha, "both")):
        h.good(f"vpn-add {VPN} side={side} up=184 down=136")
    mn = Receiver("mn", "udp", HOA)
    fa.good(f"hold-add addr={HOA}")
    cn_to_mn(50).wait()
    inject("ha", "core0", frame(mac("ha", "core0"), mac("fa", "core0"), CN, HOA, 1, net.ECHO))
    down = Capture("mn", "mn0", f"src host {CN}", "ip.dsfield.dscp")
    fa.good(f"hold-del addr={HOA}")
    check("hold, a profile's packets: back to the link, in order", mn.numbers() == list(range(50)))
    check("... with the class's mark, and without what came from beside the tunnel", down.lines(50) == ["34"] * 50, down.read())
    plain, before = core_capture(), counter("fa", "in_clear")
    fa.good(f"hold-add addr={HOA}", f"forward-add addr={HOA} local={FA} peer={NEXT}")
    cn_to_mn(50).wait()
    fa.good(f"hold-del addr={HOA}")
    cn_to_mn(10).wait()
    check("... forwarded without a tunnel of theirs: dropped and counted", wait_for(
        lambda: counter("fa", "in_clear") == before + 60), counter("fa", "in_clear") - before)
    check("... and never in clear", plain.lines(0, 0.2) == [], plain.read())
    test_vpn_handoff(fa)
    test_vpn_gone(fa)
    fa.good(f"forward-del addr={HOA}")
    ha.good(f"vpn-del {VPN} side=both")


def test_vpn_handoff(fa):
    """Tunnels between foreign agents: ipsec2 stands in."""
    net.veth("fa", "ipsec2", "ha", "ipsec2")
    ip("fa", "link", "set", "ipsec2", "arp", "off")
    plain, tunnel = core_capture(), Capture("fa", "ipsec2", f"udp and src host {CN}", "data.data", "ip.dsfield.dscp")
    fa.good(f"hold-add addr={HOA}", f"vpn-add {VPN} side=dst up=184 down=136")
    cn_to_mn(200).wait()
    ip("fa", "route", "add", HOA, "dev", "ipsec2", "table", "220")
    fa.good(f"hold-del addr={HOA}")
    cn_to_mn(10, 200).wait()
    got = [x.split(";") for x in tunnel.lines(210)]
    check("... with one: all of them through it, in order, marked",
          got == [[f"{i:08x}", "34"] for i in range(210)], f"{len(got)}: {got[:3]}")
    check("... and never in clear", plain.lines(0, 0.2) == [], plain.read())
    test_vpn_sides(fa)
    ip("fa", "route", "del", HOA, "dev", "ipsec2", "table", "220")
    fa.good(f"vpn-del {VPN} side=dst")
    ip("fa", "link", "del", "ipsec2")


def test_vpn_sides(fa):
    """A user who comes back from another foreign agent, and leaves: rule and filter change together, for every packet."""
    add, forward = f"vpn-add {VPN} side=dst up=184 down=136", f"forward-add addr={HOA} local={FA} peer={NEXT}"
    fa.good(f"forward-del addr={HOA}")
    before, sender = counter("fa", "in_clear"), cn_to_mn(600)
    for _ in range(40):
        fa.good(f"vpn-del {VPN} side=dst")
        fa.good(add)
    sender.wait()
    check("forty changes of side under traffic: no packet is without a way", counter("fa", "in_clear") == before,
          counter("fa", "in_clear") - before)
    fa.good(forward)


def test_vpn_gone(fa):
    """The profile ends while its packets wait: what was its is still not for the clear."""
    plain = core_capture()
    fa.good(f"hold-add addr={HOA}")
    cn_to_mn(20).wait()
    fa.good(f"vpn-del {VPN} side=src", "protect-del dst=10.9.0.0/24", f"hold-del addr={HOA}", "protect-add dst=10.9.0.0/24")
    check("... of a profile that is gone meanwhile: dropped", plain.lines(0, 0.3) == [], plain.read())


def test_encap_moves(ha):
    """An encapsulated profile's tunnel leads to another foreign agent: one rule replaces the other."""
    def leads():
        tables = re.findall(rf"from 10.9.0.0/24 to {HOA} lookup (\d+)", ip("ha", "rule"))
        return [re.search(r"dev (\S+)", ip("ha", "route", "show", "table", t)).group(1) for t in tables]

    def taken():
        return set(re.findall(r'"(mip\d+)" \. %s' % re.escape(HOA), command("ha", "nft", "list", "set", "ip", "mipvpn", "tunnel_sources")))
    old, new = (f"{VPN} side=dst local={HA} peer={p}" for p in (FA, FA2))
    ha.good(f"ipip-add local={HA} peer={FA2}", f"encap-add {old}")
    first = leads()
    ha.good(f"encap-add {new}")
    second = leads()
    check("encapsulation: another peer replaces the tunnel", len(first) == len(second) == 1 and first != second, (first, second))
    check("... and what is under way is still taken from the old one", taken() >= {first[0], second[0]}, taken())
    ha.good(f"encap-del {old}")
    check("... the end of the old one changes nothing", leads() == second, leads())
    check("... it is not ended twice", ha.ask(f"encap-del {old}")[0].startswith("encap-del ENOENT"))
    ha.good(f"encap-add {old}", f"encap-add {new}", f"encap-add {old}")
    check("... back again", leads() == first, leads())
    ha.good(f"encap-del {old}", f"encap-del {old}")
    check("... the end of the present one: the one before it, while that stands", leads() == second, leads())
    ha.good(f"encap-del {new}", f"encap-del {new}")
    check("... and nothing is left of it", leads() == [])
    ha.good(f"ipip-del local={HA} peer={FA2}")


def run(fa, ha):
    ip("ha", "addr", "add", NEXT + "/24", "dev", "core0")
    ha.good(f"binding-add addr={HOA} local={HA} peer={FA}")
    before = {n: snapshot(n) for n in ("fa", "ha")}
    fa.good(f"ipip-add local={FA} peer={HA}")
    test_hold(fa)
    test_hold_then_forward(fa)
    test_overflow(fa)
    test_limits(fa)
    test_nowhere(fa)
    test_expiry(fa)
    test_forward(fa)
    test_vpn(fa, ha)
    fa.good(f"ipip-del local={FA} peer={NEXT}", f"ipip-del local={FA} peer={HA}")
    test_encap_moves(ha)
    for h in (fa, ha):
        wait_for(lambda: "mvhold" not in snapshot(h.node))
        now = re.sub(r"packets \d+ bytes \d+", "", snapshot(h.node))
        was = re.sub(r"packets \d+ bytes \d+", "", before[h.node])
        gone = [x for x in net.diff(was, now) if "mark_" not in x and "dscp" not in x]
        check(f"{h.node}: moves leave nothing", not gone, gone)
    ip("ha", "addr", "del", NEXT + "/24", "dev", "core0")
