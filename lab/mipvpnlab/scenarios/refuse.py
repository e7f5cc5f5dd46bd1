# SPDX-License-Identifier: BSD-3-Clause
"""F1-refuse: registrations that must not be accepted.  Requests written by hand (tests/mip, no code of ours): the right
code or silence, a counter that moved, a reason in the log, nothing left, and the next good registration works."""
import json
import os

from .. import agents, home, netns, topology as t
from ..scene import standing
from ..settings import TOP

GOOD_SECONDS, SILENT_SECONDS = 10, 1.0


def run(settings, report):
    report.title("F1-refuse: what must be refused, is")
    scene = standing(settings, report)
    before = scene.snapshot()
    with scene.by_hand("bob", "mn1") as mn:
        _wrong_at_the_agent(scene, mn)
        _wrong_at_home(scene, mn)
        _truncated(scene, mn)
        scene.check_nothing_left("after all refusals", before)
        _replayed(scene, mn)
        _by_scapy(scene, mn)
    scene.check_nothing_left("at the end", before)
    scene.finish()


def total(scene):
    """Sum of all counters of both agents: a refusal must move one."""
    return {n: agents.counters(scene.settings, n) for n in ("fa", "ha")}


def _moved(before, after):
    return [f"{n}.{k}" for n in after for k, v in after[n].items() if v != before[n].get(k, 0)]


def refused(scene, mn, what, codes, request, seconds=GOOD_SECONDS):
    """Sends it; wants a reply with one of codes (None among them: silence) and a counter that moved."""
    before, marks = total(scene), {n: scene.daemons[n].mark() for n in ("fa", "ha")}
    reply = mn.exchange(request, SILENT_SECONDS * scene.settings.slow if codes == (None,) else seconds)
    code = reply.code if reply else None
    wanted = " or ".join("silence" if c is None else f"code {c}" for c in codes)
    scene.report.check(f"{what}: {wanted}", code in codes, f"got {code}")
    moved = _moved(before, total(scene))
    scene.report.check(f"{what}: counted", bool(moved), "no counter moved")
    said = "".join(scene.daemons[n].text(marks[n]) for n in ("fa", "ha"))
    scene.report.check(f"{what}: a reason in the log", bool(said.strip()), "nothing was logged")
    return reply


def fresh(mn, **changes):
    return mn.request(**changes).build()


def _wrong_at_the_agent(scene, mn):
    """RFC 5944 3.7.2 and RFC 4721 3.2: what the FA refuses by itself."""
    import craft
    refused(scene, mn, "reserved bits", (70,), fresh(mn, flags=0x04 | craft.X))
    reply = refused(scene, mn, "lifetime too long", (69,), fresh(mn, lifetime=40000))
    if reply:
        scene.report.check("lifetime too long: the reply names the longest", 0 < reply.lifetime <= 1800, reply.lifetime)
    refused(scene, mn, "a care-of address that is not offered", (77,), fresh(mn, care_of="198.51.100.99"))
    refused(scene, mn, "minimal encapsulation", (72,), fresh(mn, flags=craft.M))
    refused(scene, mn, "GRE", (72,), fresh(mn, flags=craft.G))
    refused(scene, mn, "unknown challenge", (104,), fresh(mn, challenge=os.urandom(8)))
    refused(scene, mn, "no challenge", (105,), fresh(mn, challenge=None))
    refused(scene, mn, "unknown extension that may not be skipped", (None,), fresh(mn, extra=craft.short(99, b"what")))
    delivery = craft.short(craft.DELIVERY, b"")
    refused(scene, mn, "encapsulating delivery without reverse tunnel", (70,), fresh(mn, extra=delivery))
    refused(scene, mn, "the agent's own address as home agent", (194,), fresh(mn, agent=t.FA))


def _wrong_at_home(scene, mn):
    """What AAAH and HA refuse."""
    refused(scene, mn, "wrong MN-AAA key", (108,), fresh(mn, key=os.urandom(32)))
    refused(scene, mn, "unknown NAI", (65,), fresh(mn, nai="nobody@home.test"))
    refused(scene, mn, "unknown realm", (80,), fresh(mn, nai="bob@nowhere.test"))
    with scene.by_hand("alice", "mn2", key=mn.key, nai=mn.nai) as other:
        refused(scene, other, "somebody else's home address", (65,), fresh(other))
    import craft
    stale = craft.ident(craft.time.time() - 3600)
    reply = refused(scene, mn, "stale time stamp", (133,), fresh(mn, identification=stale))
    if reply:
        scene.report.equal("stale time stamp: its low half comes back", reply.identification & 0xFFFFFFFF,
                           stale & 0xFFFFFFFF)
        ahead = abs((reply.identification >> 32) - craft.NTP - craft.time.time())
        scene.report.check("stale time stamp: the reply tells the right time", ahead < 10, f"{ahead} s off")


def _truncated(scene, mn):
    """A good request cut at every length: never accepted, never fatal; at most one answer, and an honest one."""
    whole = fresh(mn)
    before, answers = total(scene), []
    mn._drain(mn.udp)
    for n in range(len(whole)):
        mn.send(whole[:n])
    while (reply := mn.reply(SILENT_SECONDS * scene.settings.slow)) is not None:
        answers.append(reply.code)
    scene.report.check(f"truncated at every length from 0 to {len(whole) - 1}: none is accepted",
                       all(c >= 64 for c in answers), answers)
    scene.report.check("truncated requests: counted", bool(_moved(before, total(scene))))
    good_registration(scene, mn, "after them")


def good_registration(scene, mn, when):
    """A good registration, its keys verified by hand; deregisters again."""
    import craft
    reply = mn.register(GOOD_SECONDS * scene.settings.slow)
    if not scene.report.check(f"a good registration {when} is accepted", reply is not None and reply.code in (0, 1),
                              reply and (reply.code, reply.text())):
        return None
    keys = scene.report.attempt("its generated keys verify", craft.check_keys, reply, mn.key, mn.nai)
    if keys:
        mn_ha, mn_fa = keys
        end = mn.request(lifetime=0, key=None, key_requests=False, mn_ha=mn_ha, mn_fa=mn_fa).build()
        reply = mn.exchange(end)
        scene.report.check("and the deregistration with them", reply is not None and reply.code in (0, 1),
                           reply and (reply.code, reply.text()))
    return keys


def _replayed(scene, mn):
    """An accepted request once more, bit by bit, and with the challenge renewed."""
    request = mn.request()
    raw = request.build()
    reply = mn.exchange(raw)
    if not scene.report.check("a good registration is accepted", reply is not None and reply.code in (0, 1),
                              reply and (reply.code, reply.text())):
        return
    import craft
    mn_ha, mn_fa = craft.check_keys(reply, mn.key, mn.nai)
    refused(scene, mn, "the same request again", (None, 104, 106, 133), raw)
    used = request.challenge
    refused(scene, mn, "a challenge that was used", (106,), fresh(mn, challenge=used, key=None, key_requests=False,
                                                                  mn_ha=mn_ha, mn_fa=mn_fa))
    again = fresh(mn, identification=request.identification, key=None, key_requests=False, mn_ha=mn_ha, mn_fa=mn_fa)
    refused(scene, mn, "the same identification again", (133,), again)
    forged = fresh(mn, key=None, key_requests=False, mn_ha=(mn_ha[0], os.urandom(20), mn_ha[2]), mn_fa=mn_fa)
    refused(scene, mn, "wrong MN-HA authentication", (131,), forged)
    forged = fresh(mn, key=None, key_requests=False, mn_ha=mn_ha, mn_fa=(mn_fa[0], os.urandom(20), mn_fa[2]))
    refused(scene, mn, "wrong MN-FA authentication", (67,), forged)
    scene.report.check("the binding stands all the same", len(agents.rows(scene.settings, "ha", "bindings")) == 1)
    end = fresh(mn, lifetime=0, key=None, key_requests=False, mn_ha=mn_ha, mn_fa=mn_fa)
    reply = mn.exchange(end)
    scene.report.check("and ends when told rightly", reply is not None and reply.code in (0, 1), reply and reply.code)


def _by_scapy(scene, mn):
    """Requests that scapy wrote get the same answers, and scapy reads them."""
    s, r = scene.settings, scene.report
    cmd = ["/usr/bin/python3", TOP / "tests" / "mip" / "scapy_request.py", "--home", mn.home, "--agent", mn.agent,
           "--home-agent", mn.home_agent, "--nai", mn.nai, "--key-file", home.key_path(s, "bob")]

    def answer(*more):
        for _ in range(2):      # one request a second, and a challenge that nobody has used
            mn.advertisement(solicit=False)
        return json.loads(netns.run(s.ns("mn1"), *cmd, *more, timeout=60).stdout)
    r.equal("scapy's request with a wrong key", answer("--wrong-key")["code"], 108)
    r.equal("scapy's request that is too long", answer("--lifetime", 40000)["code"], 69)
    good = answer()
    r.equal("scapy's good request", (good["code"], good["home"], good["agent"]), (0, mn.home, t.HA))
    agents.ctl(s, "ha", "drop", mn.nai)
