# SPDX-License-Identifier: BSD-3-Clause
"""What has to stand at each node when these users are at these places, and what does: every difference, by node.  For
scenarios with users of their own (home.KINDS)."""
import re
from collections import Counter

from . import agents, charon, home, snapshot, topology as t, xfrm


def _profiles(kind):
    return home.vpns(kind)


def _gateway(net):
    return t.HA if net == t.ENT_NET else t.PCN


def tunnels(scene, places):
    """{node: Counter of (home address, peer)}: IPsec tunnels of users, at each node."""
    out = {n: Counter() for n in ("fa", "fb", "fc", "fd", "ha", "pcn")}
    for user, fa in places.items():
        for net, security in _profiles(scene.users[user]):
            if security != "ENCAP":
                out[fa][t.home_address(user), _gateway(net)] += 1
                out["ha" if net == t.ENT_NET else "pcn"][t.home_address(user), t.FAS[fa].care_of] += 1
    return {n: c for n, c in out.items() if n in scene.agent_nodes}


def shared(scene, places):
    """Tunnels between HA and the enterprise's gateway: one as long as anybody needs it."""
    return int(any(net == t.ENT_NET for u in places for net, _ in _profiles(scene.users[u])))


def _observed_tunnels(scene, node):
    users, others, bare = Counter(), 0, 0
    with charon.vici(scene.settings, node) as v:
        ikes = v.ikes()
    for _, ike in ikes:
        children = ike.get("child-sas", {}).values()
        bare += not children
        for child in children:
            mine = re.search(r"\b(10\.1\.0\.\d+)/32", " ".join(child["local-ts"] + child["remote-ts"]))
            if mine:
                users[mine.group(1), ike["remote-host"]] += 1
            else:
                others += 1
    return users, others, bare


def _delta(what, got, want):
    """Lines for two Counters."""
    return [f"{what}: {k} {'is there' if d > 0 else 'is missing'}" + (f" {abs(d)} times" if abs(d) > 1 else "")
            for k in sorted(set(got) | set(want)) if (d := got.get(k, 0) - want.get(k, 0))]


def _of_charon(scene, node, want_users, want_others):
    users, others, bare = _observed_tunnels(scene, node)
    out = _delta("tunnel", users, want_users)
    if others != want_others:
        out.append(f"{others} tunnels of nobody in particular, want {want_others}")
    if bare:
        out.append(f"{bare} IKE_SAs without a tunnel")
    with charon.vici(scene.settings, node) as v:
        out += [f"connection {c} is loaded" for c in v.conns()] if node != "gw" else []
        out += [f"secret {c} is loaded" for c in sorted(v.secrets())] if node != "gw" else []
    return out


def _of_agent(scene, node, places):
    s = scene.settings
    if node == "ha":
        want = Counter((t.home_address(u), t.FAS[fa].care_of) for u, fa in places.items())
        got = Counter((r["homeAddress"], r["careOfAddress"]) for r in agents.rows(s, node, "bindings"))
        return _delta("binding", got, want)
    if node in t.FAS:
        want = Counter(t.home_address(u) for u, fa in places.items() if fa == node)
        return _delta("visitor", Counter(r["homeAddress"] for r in agents.rows(s, node, "visitors")), want)
    return []


def _realm(care_of):
    return next((f.realm for f in t.FAS.values() if f.care_of == care_of), care_of)


def _of_database(scene, places):
    """The home network learns of a move to another domain; those within one are the visited network's own (D2)."""
    rows = (row.split("|") for row in scene.sql("SELECT nai, care_of FROM mipvpn.v_online").splitlines() if row)
    rows = [f"{who} in {_realm(care_of)}" for who, care_of in rows]
    want = Counter(f"{home.nai(u)} in {t.FAS[fa].realm}" for u, fa in places.items())
    out = _delta("session", Counter(rows), want)
    # A VPN to a static gateway has two: to the home agent, and from there on.
    profiles = sum(1 + (net == t.ENT_NET) for u in places for net, _ in _profiles(scene.users[u]))
    for table, n in (("sessions", len(places)), ("session_profiles", profiles)):
        got = int(scene.sql(f"SELECT count(*) FROM mipvpn.{table}"))
        if got != n:
            out.append(f"{got} rows in {table}, want {n}")
    return out


# -- the kernel: what names a home address there

def _pieces(scene, node):
    kernel = snapshot.of_kernel(scene.settings, node)
    for what in ("rules", "routes", "pinned", "proxies"):
        # 220 is charon's own, and has one route for all; `local` addresses are the lab's.
        yield from (f"{what} {x}" for x in kernel[what] if not x.startswith("local ") and "table 220" not in x)
    for line in kernel["nft"]:
        yield from (f"nft {x.strip()}" for x in re.sub(r"elements = \{|\}", "", line).split(","))


def _anonymous(text, address):
    text = text.replace(address, "HOME")
    for fa in t.FAS.values():
        text = re.sub(rf"{re.escape(fa.care_of)}\b", "COA", text)
    return re.sub(r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b|0x[0-9a-f]+|(?<![\w.])\d+(?![\w.])|(?<=[a-z_-])\d+\b", "N", text)


def shapes(scene, nodes):
    """{node: {home address: sorted pieces of kernel configuration that name it}}."""
    out = {}
    for node in nodes:
        found = {}
        for piece in _pieces(scene, node):
            for address in set(re.findall(r"\b10\.1\.0\.(?:[2-9]\d|1[01]\d)\b", piece)):
                found.setdefault(address, []).append(_anonymous(piece, address))
        out[node] = {a: sorted(p) for a, p in found.items()}
    return out


def reference(scene, places):
    """{(role, kind): pieces}, of users that stand as they registered first."""
    out, all_shapes = {}, shapes(scene, scene.agent_nodes)
    for user, fa in places.items():
        for node in scene.agent_nodes:
            role = "fa" if node in t.FAS else node
            if role != "fa" or node == fa:
                out.setdefault((role, scene.users[user]), all_shapes[node].get(t.home_address(user), []))
    return out


def _of_kernel(scene, node, places, first, found):
    out, role = [], "fa" if node in t.FAS else node
    for user in scene.users:
        address = t.home_address(user)
        here = user in places and (role != "fa" or places[user] == node)
        want = first.get((role, scene.users[user]), []) if here else []
        out += _delta(f"kernel, {user}", Counter(found.get(address, [])), Counter(want))
    return out


def differences(scene, places, first=None):
    """{node: [difference]}, empty when all is as it has to be. first: reference(), None = the kernel is left out."""
    want = tunnels(scene, places)
    out = {}
    found = shapes(scene, scene.agent_nodes) if first else {}
    for node in scene.agent_nodes:
        lines = _of_charon(scene, node, want[node], shared(scene, places) if node == "ha" else 0)
        lines += _of_agent(scene, node, places)
        if first:
            lines += _of_kernel(scene, node, places, first, found[node])
        out[node] = lines
    out["gw"] = _of_charon(scene, "gw", {}, shared(scene, places))
    out["database"] = _of_database(scene, places)
    return {n: lines for n, lines in out.items() if lines}


def check(scene, what, places, first=None, seconds=15):
    """Waits until all is as it has to be; an assertion with what is not."""
    from .wait import Deadline, wait_tick
    deadline = Deadline(seconds * scene.settings.slow)
    while (diff := differences(scene, places, first)) and not deadline.over():
        wait_tick()
    text = "".join(f"\n     {n}: {line}" for n, lines in diff.items() for line in lines[:20])
    xfrm.check(scene, what)
    return scene.report.check(f"{what}: what stands at each node is what has to", not diff, text)
