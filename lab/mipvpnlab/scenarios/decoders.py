# SPDX-License-Identifier: BSD-3-Clause
"""F1-decode: decoders that are not ours read everything that our programs send.  Diameter runs without TLS here,
so that tshark can look into it; registrations with extensions 40-43, which tshark 4.0 does not know, go through tests/mip."""
from .. import decode, topology as t
from ..scene import standing

AMR, HAR, STR, ASR = 260, 262, 275, 274


def run(settings, report):
    report.title("F1-decode: other people's decoders")
    scene = standing(settings, report, tls=False)
    scene.start_capture()
    for user, node in (("alice", "mn1"), ("carol", "mn3")):
        mn = scene.mobile(user, node)
        scene.check_registered(mn)
        report.check(f"{user} deregisters", mn.stop())
    pcap = scene.stop_capture()
    _diameter(scene, pcap)
    _registrations(scene, pcap)
    scene.finish()


def _diameter(scene, pcap):
    r = scene.report
    for code, name, least in ((AMR, "AMR/AMA", 4), (HAR, "HAR/HAA", 4), (STR, "STR/STA", 2)):
        r.at_least(f"tshark reads {name}", decode.count(pcap, f"diameter.cmd.code == {code}"), least)
    r.equal("no malformed Diameter message", decode.count(pcap, "diameter && _ws.malformed"), 0)
    answers = decode.fields(pcap, f"diameter.cmd.code == {AMR} && diameter.flags.request == 0", "diameter.Result-Code")
    r.equal("result of every AMA", sorted(set(answers)), [("2001",)])
    users = decode.fields(pcap, f"diameter.cmd.code == {AMR} && diameter.flags.request == 1", "diameter.User-Name")
    r.equal("users in the AMRs", sorted(set(users)), [("alice@home.test",), ("carol@home.test",)])
    homes = decode.fields(pcap, f"diameter.cmd.code == {HAR} && diameter.flags.request == 0",
                          "diameter.MIP-Mobile-Node-Address.IPv4")
    r.equal("home addresses in the HAAs", sorted(set(homes)), [(t.HOME["alice"],), (t.HOME["carol"],)])


def _registrations(scene, pcap):
    """Every UDP/434 payload on the visited link, by our own checker; and by tshark where it knows all extensions."""
    import craft
    r = scene.report
    raw = decode.fields(pcap, 'udp.port == 434 && frame.interface_name contains "0"', "udp.payload")
    messages = [bytes.fromhex(x) for (x,) in raw if x]
    kinds = [m[0] for m in messages]
    r.at_least("requests and replies were seen", min(kinds.count(craft.RRQ), kinds.count(craft.RRP)), 2)
    bad = [m.hex() for m in messages if not _readable(m, craft)]
    r.equal("each is readable to its last byte", bad, [])
    known = [m for m in messages if _readable(m, craft) and not _kinds(m, craft) & {40, 41, 42, 43}]
    r.at_least("some have only extensions that tshark knows", len(known), 1)
    r.equal("and those are not malformed to tshark", _malformed(scene, known), 0)


def _kinds(m, craft):
    return {e.kind for e in craft.walk(m, 24 if m[0] == craft.RRQ else 20)}


def _readable(m, craft):
    try:
        _kinds(m, craft)
    except (ValueError, IndexError):
        return False
    return True


def _malformed(scene, messages):
    """Messages packed into a capture of their own and read by tshark."""
    import struct
    path = scene.settings.dir / "known.pcap"
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for m in messages:
            udp = struct.pack("!HHHH", 434, 434, 8 + len(m), 0) + m
            ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\n\0\0\1", b"\n\0\0\2")
            f.write(struct.pack("<IIII", 0, 0, len(ip + udp), len(ip + udp)) + ip + udp)
    return decode.count(path, "_ws.malformed") + (0 if decode.count(path, "mip") == len(messages) else 1000)
