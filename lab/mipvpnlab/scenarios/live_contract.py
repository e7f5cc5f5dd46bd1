# SPDX-License-Identifier: BSD-3-Clause
"""live-contract: the contract's own connection becomes another one while two users of it are on: IKE identities and
algorithms, selectors, a key that the enterprise's gateway does not know yet, another address of that gateway.  One new
connection for both, beside the old one, and no packet is lost.  Then the contract ends by its time, and begins, and no
COMMIT says so.  (A5, E5, note 16)"""
import secrets
import time
from dataclasses import dataclass, replace

from .. import charon, decode, home, netns, topology as t
from ..scene import SLA_IDS, gateway_conf, standing
from ..traffic import Traffic, describe, lost, lost_between
from ..wait import wait_for
from .live_change import commit, settle, told
from .moving import wait_reach

ALICE, BOB = t.HOME["alice"], t.HOME["bob"]
USERS = (("mn1", ALICE), ("mn2", BOB))
BOTH = [("alice@home.test", "effective"), ("bob@home.test", "effective")]
RATE = 100
GW2 = "198.51.100.39"       # another address of the enterprise's gateway
CORE = 'frame.interface_name contains "core0"'
NEW_IDS = ("gw.acme.test", "ha-acme.home.test")


@dataclass(frozen=True)
class Terms:
    """What both sides have to have the same."""
    ids: tuple = SLA_IDS                # (the gateway's, the home agent's)
    proposals: str = charon.IKE_PROPOSAL
    home: str = t.HOME_NET
    gateway: str = t.GW
    key: str = "acme"


def run(settings, report):
    report.title("live-contract: the contract's own connection, and its time")
    scene = standing(settings, report)
    netns.ip("addr", "add", f"{GW2}/24", "dev", "core0", ns=settings.ns("gw"))
    before = scene.snapshot()
    mns = [scene.mobile(u, n) for u, n in (("alice", "mn1"), ("bob", "mn2"))]
    if all([scene.check_registered(m) for m in mns]):
        _connections(scene)
        _clock(scene)
    for m in mns:
        report.check(f"{m.user} deregisters", m.stop())
    charon.load_static(settings, "gw", gateway_conf(settings))
    scene.check_nothing_left("after deregistration", before, 15)
    scene.finish()


def _connections(scene):
    r, s = scene.report, scene.settings
    scene.start_capture()
    flows = {a: Traffic(s, a, (n, a), ("cn", t.CN), RATE, port=5560 + i) for i, (n, a) in enumerate(USERS)}
    for n, a in USERS:
        wait_for("packets in both directions", lambda n=n, a=a: scene.ping(n, t.CN, a, count=2).received, 5 * s.slow)
    now = _identities(scene, Terms())
    selectors = time.time()
    now = _selectors(scene, now)
    selectors = selectors, time.time()
    now = _key(scene, now)
    now = _another_gateway(scene, now)
    for a, flow in flows.items():
        _nothing_lost(scene, a, flow.stop(), selectors)
    pcap = scene.stop_capture()
    for _, a in USERS:
        naked = f"{CORE} && ip.addr#1 == {a} && ip.addr#1 == {t.CN}"
        r.equal(f"no packet of {a}'s in clear", decode.count(pcap, naked), 0)
        r.equal(f"nor by IP-in-IP to the enterprise, {a}",
                decode.count(pcap, f"{CORE} && ip.proto#1 == 4 && (ip.addr#1 == {t.GW} || ip.addr#1 == {GW2})"), 0)


def _nothing_lost(scene, user, result, selectors):
    """Up nothing. Down what the gateway, which is not ours, has sent through the new tunnel before its answer was here: it
    takes the newest one at once. And charon's user-space IPsec has one route for all tunnels to a network: other selectors
    cost a moment up, too."""
    r, s = scene.report, scene.settings
    switches = _switches(scene)
    for way in ("up", "down"):
        gone = lost(result[way])
        if not s.xfrm:
            moment = lost_between(result[way], *selectors)
            r.check(f"{user}: a moment at most while the selectors become others, {way}", len(moment) <= RATE // 10,
                    f"{len(moment)} lost")
            gone = [x for x in gone if x not in moment]
        if way == "down":
            gone = [x for x in gone if not any(abs(x[1] - at) < 0.05 * s.slow for at in switches)]
            r.check(f"{user}: a packet or two at most for each switch, {way}",
                    len(lost(result[way])) - len(gone) <= 2 * len(switches) * s.slow, describe(result[way]))
        r.check(f"nothing of {user}'s is lost in all the rest, {way}", not gone, describe(result[way]))


# -- the enterprise's gateway

def _at_gateway(scene, *terms):
    """Its administrator loads a configuration with these, the one that is to be used first."""
    s, conns, keys = scene.settings, [], []
    for i, x in enumerate(terms):
        conns.append(charon.conn(f"home-isp-{i}", x.gateway, t.HA, x.ids, (t.ENT_NET, x.home), x.proposals))
        keys.append((f"home-isp-{i}", x.ids, "0x" + home.key(s, x.key).hex()))
    charon.load_static(s, "gw", charon.swanctl_conf(conns, keys))


def _sas(scene, node, peer):
    """Installed tunnels with a peer: [(IKE identities, IKE algorithms, unique id, remote selector)]."""
    found = [(x[1], x[3]) for x in scene.children(node) if x[1]["remote-host"] == peer]
    return sorted((ike["local-id"], ike["remote-id"], f"{ike['encr-alg']}-{ike['encr-keysize']} {ike['dh-group']}",
                   ike["uniqueid"], " ".join(child["local-ts"])) for ike, child in found)


def _shown(scene, what, now, algorithms):
    """swanctl --list-sas at both ends: one connection, the contract's."""
    r, s = scene.report, scene.settings
    for node, peer, ids in (("ha", now.gateway, now.ids[::-1]), ("gw", t.HA, now.ids)):
        try:
            wait_for("one connection", lambda: len(_sas(scene, node, peer)) == 1, 10 * s.slow)
        except Exception:
            pass
        sas = _sas(scene, node, peer)
        r.equal(f"{what}: one connection at {node}, with identities and algorithms of the contract",
                [(x[0], x[1], x[2]) for x in sas], [(*ids, algorithms)])
        text = charon.swanctl(s, node, "--list-sas")
        r.check(f"{what}: swanctl --list-sas at {node} says so", all(i in text for i in ids), text)
    with charon.vici(s, "ha") as v:
        keys = [k for k in v.secrets() if "-sla-" in k]
    r.equal(f"{what}: no key of a contract is left in the home agent's charon", keys, [])


def _established(scene, node="gw"):
    """IKE_SAs with the home agent that this charon has ever set up."""
    return len(_at(scene, "IKE_SA home-isp", "established", node=node))


def _at(scene, *words, node="gw"):
    """When that charon has said something with all of these in it."""
    text = (scene.settings.node_dir(node) / "charon.log").read_text(errors="replace")
    return [float(line.split()[0]) for line in text.splitlines() if all(w in line for w in words)]


def _switches(scene):
    """When the gateway has had a new tunnel."""
    return _at(scene, "CHILD_SA home-isp", " established")


def _refused(scene):
    """When it has refused the home agent for its key."""
    return _at(scene, "MAC mismatched")


# -- changes

def _identities(scene, was):
    r = scene.report
    now = replace(was, ids=NEW_IDS, proposals="aes256gcm16-prfsha384-ecp256")
    old, made = _sas(scene, "ha", t.GW), _established(scene)
    _at_gateway(scene, was, now)
    at = commit(scene, f"UPDATE mipvpn.slas SET ike_remote = '{now.ids[0]}', ike_local = '{now.ids[1]}', "
                       f"ike_proposal = '{now.proposals}' WHERE name = 'acme'")
    settle(scene)
    r.equal("other identities and algorithms: both users are told", told(scene, at), BOTH)
    _shown(scene, "other identities and algorithms", now, "AES_GCM_16-256 ECP_256")
    r.check("it is another connection", old and old[0][3] not in [x[3] for x in _sas(scene, "ha", t.GW)], f"{old}")
    r.equal("one was set up for both users", _established(scene) - made, 1)
    return now


def _selectors(scene, was):
    r = scene.report
    now = replace(was, home="10.1.0.0/25")
    made = _established(scene)
    _at_gateway(scene, was, now)
    at = commit(scene, f"UPDATE mipvpn.slas SET home_selector = '{now.home}' WHERE name = 'acme'")
    settle(scene)
    r.equal("another selector: both users are told", told(scene, at), BOTH)
    _shown(scene, "another selector", now, "AES_GCM_16-256 ECP_256")
    r.equal("the tunnel has it", [x[4] for x in _sas(scene, "ha", t.GW)], [now.home])
    r.equal("one was set up for both users", _established(scene) - made, 1)
    return now


def _key(scene, was):
    """A new key in the database; the enterprise is a quarter of a minute later."""
    r, s = scene.report, scene.settings
    now = replace(was, key="acme-new")
    home.key_path(s, now.key).write_text(secrets.token_hex(32) + "\n")
    old = [_sas(scene, *x) for x in (("ha", t.GW), ("gw", t.HA))]
    _at_gateway(scene, was)
    at = commit(scene, f"UPDATE mipvpn.slas SET psk = decode('{home.wrap(s, now.key, 'sla:acme')}', 'hex') WHERE name = 'acme'")
    state = "SELECT nai, outcome, why FROM mipvpn.v_live WHERE effective_at IS NULL AND why <> '' ORDER BY nai"
    r.attempt("a key that the gateway does not know: v_live says so", wait_for, "both users to wait",
              lambda: len(scene.sql(state).splitlines()) == 2, 10 * s.slow)
    for line in scene.sql(state).splitlines():
        r.check(f"... {line}", "refused our authentication" in line and ("waiting" in line or "under way" in line), line)
    wait_for("the third try", lambda: len(_refused(scene)) >= 3, 30 * s.slow)
    r.equal("the old connection stays, at both ends", [_sas(scene, *x) for x in (("ha", t.GW), ("gw", t.HA))], old)
    for node, a in USERS:
        r.check(f"{a} reaches the enterprise", scene.ping(node, t.CN, a).all())
    tries = _refused(scene)
    pauses = [b - a for a, b in zip(tries, tries[1:])]
    r.check("it is tried again, once for both and not without a pause", 2 <= len(tries) <= 8 and min(pauses) >= 0.3,
            f"{len(tries)}, {pauses}")
    _at_gateway(scene, now)
    settle(scene, 90)
    r.equal("the gateway has it: both users", told(scene, at), BOTH)
    _shown(scene, "another key", now, "AES_GCM_16-256 ECP_256")
    r.check("by another connection", _sas(scene, "ha", t.GW) != old[0])
    return now


def _another_gateway(scene, was):
    r = scene.report
    now = replace(was, gateway=GW2)
    made = _established(scene)
    _at_gateway(scene, was, now)
    at = commit(scene, f"UPDATE mipvpn.slas SET gateway = '{GW2}' WHERE name = 'acme'")
    settle(scene)
    r.equal("another address of the gateway: both users are told", told(scene, at), BOTH)
    _shown(scene, "another address of the gateway", now, "AES_GCM_16-256 ECP_256")
    wait_for("the old one to go", lambda: not _sas(scene, "ha", t.GW), 10 * scene.settings.slow)
    r.equal("one was set up for both users", _established(scene) - made, 1)
    return now


# -- the clock

def _clock(scene):
    r, s = scene.report, scene.settings
    scene.start_capture()
    after = 4 * s.slow
    at = commit(scene, f"UPDATE mipvpn.slas SET valid = tstzrange(lower(valid), now() + interval '{after} s') WHERE name = 'acme'")
    end = float(scene.sql("SELECT extract(epoch FROM upper(valid)) FROM mipvpn.slas WHERE name = 'acme'"))
    settle(scene)
    r.equal("the contract is to end: nothing changes yet", told(scene, at), [(n, "unchanged") for n, _ in BOTH])
    r.check("alice reaches the enterprise", scene.ping("mn1", t.CN, ALICE, count=2).all())
    wait_for("it to end", lambda: time.time() > end, 30 * s.slow)
    r.attempt("it ends by the clock: its users are told", wait_for, "both to be told",
              lambda: told(scene, end) == BOTH, 8 * s.slow)
    r.say(f"     told {time.time() - end:.1f} s after its end")
    for node, a in USERS:
        r.check(f"the enterprise is closed to {a}", scene.ping(node, t.CN, a).none())
    wait_for("the connection to go", lambda: not _sas(scene, "ha", GW2), 10 * s.slow)
    r.check("and its connection is gone, at both ends", not _sas(scene, "gw", t.HA))
    r.check("alice is on, the plain way", scene.ping("hh", ALICE).all())
    at = commit(scene, f"UPDATE mipvpn.slas SET valid = tstzrange(now() + interval '{after} s', NULL) WHERE name = 'acme'")
    begin = float(scene.sql("SELECT extract(epoch FROM lower(valid)) FROM mipvpn.slas WHERE name = 'acme'"))
    settle(scene)
    r.equal("the next one is to begin: nothing changes yet", told(scene, at), [(n, "unchanged") for n, _ in BOTH])
    wait_for("it to begin", lambda: time.time() > begin, 30 * s.slow)
    r.attempt("it begins by the clock: its users are told", wait_for, "both to be told",
              lambda: told(scene, begin) == BOTH, 8 * s.slow)
    for node, a in USERS:   # each end opens its path by itself, a moment after its tunnel is up
        r.attempt(f"{a} reaches the enterprise", wait_reach, scene, (node, t.CN, a), seconds=3)
    pcap = scene.stop_capture()
    for _, a in USERS:
        naked = f"{CORE} && ip.addr#1 == {a} && ip.addr#1 == {t.CN}"
        r.equal(f"no packet of {a}'s in clear meanwhile", decode.count(pcap, naked), 0)
