# SPDX-License-Identifier: BSD-3-Clause
"""Cases of tests/vici/run: the user moves."""
import json
import os
import subprocess
import sys
import time

from gateways import LINKS, NODES, Driver, check, end_all, fa_ha, ns, session_up, sh, until

STREAM = r"""
import json, socket, sys, time
what, here, there, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if what == "send":                        # a packet a millisecond until stdin is closed; then how many
    import select                         # "ready" behind the first 200
    s.bind((here, 0))
    n, start = 0, time.monotonic()
    while not select.select([sys.stdin], [], [], max(0, start + n / 1000 - time.monotonic()))[0]:
        try:
            s.sendto(b"%d" % n, (there, port))
        except OSError:                   # no route: this one is lost, as the listener will tell
            pass
        n += 1
        if n == 200:
            print("ready", flush=True)
    print(n, flush=True)
else:                                     # what has come, until two seconds after stdin is closed
    import select
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.bind((here, port))
    print("ready", flush=True)
    seen, end = [], None
    while end is None or time.monotonic() < end:
        for r in select.select([s] + ([sys.stdin] if end is None else []), [], [], 0.1)[0]:
            if r is s:
                seen.append(int(s.recv(64)))
            else:
                end = time.monotonic() + 2
    print(json.dumps(seen), flush=True)
"""


class Stream:
    def __init__(self, what, node, here, there="-", port=5000):
        self.p = subprocess.Popen(["ip", "netns", "exec", ns(node), sys.executable, "-c", STREAM, what, here, there,
                                   str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.p.stdout.readline() != "ready\n":
            raise RuntimeError("a stream did not start")

    def end(self):
        return json.loads(self.p.communicate()[0])


def delay(links, ms):
    """Each way, by netem; False when the kernel has none."""
    for a, b in links:
        for here, there in ((a, b), (b, a)):
            cmd = ["tc", "qdisc", "replace" if ms else "del", "dev", "to-" + there, "root"]
            cmd += ["netem", "limit", "10000", "delay", "%dms" % ms] if ms else []
            if sh(cmd, here, False).returncode and ms:
                return False
    return True


def lost(sent, *heard):
    return sorted(set(range(sent)) - {n for h in heard for n in h})


def move(nodes, fa, fa2, ha, name, back=False):
    """fa -> fa2 with packets in both directions; the user is heard on both links, and goes over when fa2 is up."""
    old, new, old_node, new_node = (fa2, fa, "fa2", "fa") if back else (fa, fa2, "fa", "fa2")
    listen = [Stream("hear", n, "10.1.0.10") for n in ("fa", "fa2")]
    at_gw = [Stream("hear", "gw", "10.9.0.1", port=p) for p in (5001, 5002)]
    down = Stream("send", "gw", "10.9.0.1", "10.1.0.10")
    up = Stream("send", old_node, "10.1.0.10", "10.9.0.1", 5001)
    start = time.monotonic()
    ha.say("move %s 4000 %s %s" % (name, NODES[old_node], NODES[new_node]))
    path = "%s/%s.json" % (new.node.dir, name)
    with open(path, "w") as f:
        json.dump([fa_ha(fa=new_node)], f)
    new.say("late %s 4000 %s" % (name, path))
    good = new.wait("report %s" % name, 6).startswith("report %s UP" % name)
    took = time.monotonic() - start
    up2 = Stream("send", new_node, "10.1.0.10", "10.9.0.1", 5002)
    sent_up = up.end()
    carried = ha.wait("report %s CARRIES" % name, 6)
    old.say("leave %s 10000" % name)
    gone = until(lambda: old.ask("vpns") == [] or not nodes[old_node].up("mipvpn-p1"), 5)
    sent_down, sent_up2 = down.end(), up2.end()
    heard = [s.end() for s in listen]
    at = [s.end() for s in at_gw]
    check("%s: the new foreign agent is up, the home agent's new tunnel carries" % name, good and carried, carried)
    check("%s: the old tunnel has gone, without repair" % name, bool(gone) and len(nodes["ha"].up("mipvpn-p1")) == 1)
    n = lost(sent_down, *heard)
    check("%s: no packet down is lost" % name, not n and heard[0] and heard[1],
          "%d of %d: %s" % (len(n), sent_down, n[:20]))
    n, n2 = lost(sent_up, at[0]), lost(sent_up2, at[1])
    check("%s: no packet up over the old link is lost" % name, not n, "%d of %d: %s" % (len(n), sent_up, n[:20]))
    # The last one to have the CHILD_SA is the home agent: what comes in the same moment as its answer may be early.
    check("%s: at most 20 ms of packets up over the new link are lost" % name, len(n2) <= 20,
          "%d of %d" % (len(n2), sent_up2))
    print("       up in %d ms; %d down, %d + %d up, lost %d up" % (took * 1000, sent_down, sent_up, sent_up2, len(n2)))


def one_child(nodes, *names):
    return all(len(nodes[n].up("mipvpn-p1")) == 1 for n in names)


def case_move(nodes, fa, ha):
    fa2 = Driver(nodes["fa2"], "audit_ms=1000", "initiate_timeout_ms=2500", "restore_ms=12000",
                 "responder_wait_ms=4000", "dpd_delay_s=2")
    check("session before the move is up", session_up(fa, ha, "v1") is not None)
    check("an IKE_AUTH with the CHILD_SA in it makes one", one_child(nodes, "fa", "ha"))
    move(nodes, fa, fa2, ha, "v1")
    check("the home agent has made the one CHILD_SA", one_child(nodes, "fa2", "ha"))
    delayed = delay(LINKS, 10)
    print("       now with %s ms each way" % (10 if delayed else "no netem, so 0"))
    move(nodes, fa, fa2, ha, "v1", back=True)
    delay(LINKS, 0)
    fa.remove("v1")
    fa2.remove("v1")
    ha.remove("v1")
    check("all rooms are idle after the moves", fa.idle() and fa2.idle() and ha.idle())
    for n in ("fa", "fa2", "ha"):
        check("%s: nothing of ours in charon" % n, until(nodes[n].clean, 3), nodes[n].swanctl("--list-sas"))
    check("fa2: the room ends well", fa2.stop() == 0, open(fa2.node.dir + "/driver.err").read())


def case_handoff(nodes, fa, ha):
    """What still comes to the previous foreign agent goes on to the new one; what goes up does not go back."""
    options = ["audit_ms=1000", "initiate_timeout_ms=2500", "responder_wait_ms=4000"]
    fa2 = Driver(nodes["fa2"], *options)
    check("session before the handoff is up", session_up(fa, ha, "h1") is not None)
    ha.wait("report h1 CARRIES", 5)
    path = nodes["fa2"].dir + "/h1.json"
    with open(path, "w") as f:
        json.dump([fa_ha(fa="fa2")], f)
    ha.say("move h1 4000 %s %s" % (NODES["fa"], NODES["fa2"]))
    fa2.say("late h1 4000 " + path)
    check("fa2 has its tunnel to the home agent", fa2.wait("report h1 UP", 5) != "")
    fa2.say("handoff h1-from 4000 h1 %s new" % NODES["fa"])
    check("fa2 is ready for the handoff", fa2.wait("report h1-from UP", 5) != "")
    fa.say("handoff h1-to 4000 h1 %s old" % NODES["fa2"])
    check("fa: the handoff's tunnel is up", fa.wait("report h1-to UP", 5) != "")
    fa.say("leave h1 10000")
    check("the home agent's tunnel to fa2 carries", ha.wait("report h1 CARRIES", 6) != "")
    check("fa: the old tunnel has gone", until(lambda: "-198-51-100-21-i" not in nodes["fa"].swanctl("--list-sas"), 5))
    check("fa: the handoff stays", len(nodes["fa"].up("mipvpn-p1")) == 1)
    check("fa: the flow is that of a destination gateway then", fa.heard("net vpn-add 10.1.0.10/32 10.9.0.0/24 dst"))
    ways = (("comes to fa goes on to fa2", ("fa2", "10.1.0.10"), ("fa", "10.9.0.0", "10.1.0.10")),
            ("goes up goes to the home agent", ("gw", "10.9.0.1"), ("fa2", "10.1.0.10", "10.9.0.1")))
    for what, listener, sender in ways:
        hears = Stream("hear", *listener)
        sent, heard = Stream("send", *sender).end(), hears.end()
        check("what %s" % what, not lost(sent, heard), "%d of %d lost" % (len(lost(sent, heard)), sent))
    fa.remove("h1-to")
    check("fa is idle", fa.idle())
    for s in ("h1-from", "h1"):
        fa2.remove(s)
    ha.remove("h1")
    check("fa2 and ha are idle", fa2.idle() and ha.idle())
    for n in ("fa", "fa2", "ha"):
        check("%s: nothing of ours in charon" % n, until(nodes[n].clean, 3), nodes[n].swanctl("--list-sas"))
    check("fa2: the room ends well", fa2.stop() == 0, open(fa2.node.dir + "/driver.err").read())


def nft(text):
    sh(["nft", text], "ha")


def early_try(nodes, fa, ha, name, load):
    """fa begins with IKE; ha is told of it when it has answered IKE_SA_INIT, or not at all.  fa's report."""
    log = nodes["ha"].dir + "/charon.log"
    size = os.path.getsize(log)
    path = "%s/%s.json" % (nodes["fa"].dir, name)
    with open(path, "w") as f:
        json.dump([fa_ha()], f)
    def words():
        with open(log) as f:
            f.seek(size)
            return f.read()

    if load:
        nft("add table ip early; add chain ip early in { type filter hook input priority 0; }")
        for rule in ("udp dport 500 @th,208,8 35", "udp dport 4500 @th,240,8 35"):  # IKE_AUTH, without and with marker
            nft("add rule ip early in %s drop" % rule)
    fa.say("late %s 6000 %s" % (name, path))
    if load:
        until(lambda: "generating IKE_SA_INIT response" in words(), 5)
        ha.install(name, [fa_ha()])
        ha.wait("report %s UP" % name, 5)
        nft("delete table ip early")  # charon sends IKE_AUTH again after 0.5 s
    return fa.wait("report " + name, 8), words()


def case_early(nodes, fa, ha):
    """A gateway that knocks before we have been told of it: IKE_SA_INIT is answered, IKE_AUTH decides."""
    line, words = early_try(nodes, fa, ha, "e0", False)
    check("without take_early IKE_SA_INIT is refused", " FAILED " in line and "no IKE config found" in words, line)
    end_all(nodes, fa, ha, "e0")
    check("ha ends", ha.stop() == 0)
    early = Driver(nodes["ha"], "take_early", "audit_ms=1000", "responder_wait_ms=4000")
    loaded = lambda: "mipvpn-any" in nodes["ha"].swanctl("--list-conns")
    check("the connection for anybody is loaded", until(loaded, 5))
    line, words = early_try(nodes, fa, early, "e1", False)
    check("a gateway that we are not told of gets no further than IKE_SA_INIT", " FAILED " in line and
          "generating IKE_SA_INIT response" in words and "no matching peer config found" in words, line)
    fa.remove("e1")
    line, words = early_try(nodes, fa, early, "e2", True)
    first = words.find("generating IKE_SA_INIT response")
    chosen = words.find("selected peer config 'mipvpn-p1-")
    check("IKE_AUTH takes the connection that is loaded by then",
          line.startswith("report e2 UP") and 0 <= first < chosen, line)
    check("the home agent has made the one CHILD_SA of it", one_child(nodes, "fa", "ha"))
    with open(nodes["ha"].dir + "/empty.conf", "w") as f:
        f.write("connections {\n}\n")
    nodes["ha"].swanctl("--load-all", "--file", nodes["ha"].dir + "/empty.conf")
    check("somebody's --load-all has unloaded it, the audit loads it again", until(loaded, 5))
    fa.remove("e2")
    early.remove("e2")
    check("fa is idle", fa.idle())
    check("ha is not, before it is told to end", not early.idle(1))
    early.say("bye")
    check("ha is idle then", early.wait("idle", 5) == "idle")
    for n in ("fa", "ha"):
        check("%s: nothing of ours in charon" % n, until(nodes[n].clean, 3), nodes[n].swanctl("--list-conns"))
    check("ha: the room ends well", early.stop() == 0, open(early.node.dir + "/driver.err").read())
