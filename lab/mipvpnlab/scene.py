# SPDX-License-Identifier: BSD-3-Clause
"""A lab that stands: servers, gateways and agents of F1, and what a scenario asks of them."""
from . import agents, capture, certs, charon, diameter, home, mobile, ping, postgres, procs, sanitize, snapshot, xfrm
from . import topology as t
from .report import Report
from .settings import LabError
from .wait import wait_line

SLA_IDS = (t.GW, t.HA)


def gateway_conf(settings):
    """The enterprise's own swanctl.conf, as its administrator wrote it when the contract was signed."""
    conn = charon.conn("home-isp", t.GW, t.HA, SLA_IDS, (t.ENT_NET, t.HOME_NET))
    return charon.swanctl_conf([conn], [("home-isp", SLA_IDS, "0x" + home.key(settings, "acme").hex())])


class Scene:
    """tls: Diameter over TLS. fa, ha, pcn: extra lines in the role's section of the agent's configuration, top: outside of it, at FA
    and HA; aaah: in that of the AAAH.
    pcns: proxy correspondent nodes that run from the beginning; None = the lab has none.
    fas: its foreign agents. users: {u1: kind} of those that are made for it (home.KINDS). mns: number of mobile nodes.
    delay: ms one way on the core, where the command line says nothing else. loss: percent of the frames there."""

    def __init__(self, settings, report=None, tls=True, fa="", ha="", pcn="", aaah="", top="", pcns=None, fas=("fa",),
                 users=None, mns=3, delay=0, loss=0):
        self.settings, self.report, self.tls = settings, report or Report(), tls
        self.aaah, self.top = aaah, top
        self.more = {"fa": fa, "ha": ha, "pcn": pcn, "pcn2": pcn}
        self.pcns = pcns
        self.fas, self.users, self.mns = fas, users or {}, mns
        self.agent_nodes = (*fas, "ha", *(pcns or ()))
        self.servers = ("aaah", "aaaf", "aaaf2") if "aaaf2" in (t.FAS[n].aaaf for n in fas) else ("aaah", "aaaf")
        self.loss = loss
        self.delay = delay if settings.delay is None else settings.delay
        self.daemons, self.capture, self.captures = {}, None, 0

    # -- coming up

    def start(self):
        """Everything up and connected; the enterprise's gateway has its static configuration."""
        self.configure()
        if self.delay or self.loss:
            self.start_delay()
        self.start_charons(("gw", *self.agent_nodes))
        self.start_database()
        if self.pcns is not None:
            home.add_pcn_rows(self.settings)
        if "aaaf2" in self.servers:
            home.add_roaming_partner(self.settings)
        if self.users:
            home.add_users(self.settings, self.users)
        self.start_servers(self.servers)
        self.start_agents(self.agent_nodes[::-1])
        self.wait_all_ready()
        return self

    def start_pcn(self, node):
        """A proxy correspondent node that comes later."""
        self.agent_nodes += (node,)
        self.start_charons((node,))
        self.start_agents((node,))
        agents.wait_ready(self.settings, self.daemons[node])

    def configure(self):
        s = self.settings
        home.make_keys(s, self.users)
        if self.pcns is not None:
            self.add_pcns()
        if self.fas != ("fa",) or self.users or self.mns > 3:
            self.add_moves()
        certs.make(s, diameter.hosts((*self.fas, "ha", *self.servers)))
        postgres.create(s, home.ROLES)
        home.write_server_conf(s, self.tls, self.servers, self.aaah)
        for node in (*self.fas, "ha"):
            agents.write_conf(s, node, self.tls, self.more["ha" if node == "ha" else "fa"], self.top)

    def add_pcns(self):
        for node in t.PCN_NODES:
            self.settings.make_node_dir(node)
        t.add_pcns(self.settings)
        for node in t.PCNS:
            agents.write_pcn_conf(self.settings, node, self.more[node])

    def add_moves(self):
        mns = [f"mn{i}" for i in range(4, self.mns + 1)]
        for node in (*self.fas, *self.servers, *mns):
            if not self.settings.node_dir(node).exists():
                self.settings.make_node_dir(node)
        t.add_moves(self.settings, self.fas, mns, self.users)

    def start_delay(self):
        """netem, or where the kernel may have none a switch of our own with a delay in place of the core's bridge."""
        if self.settings.xfrm:
            t.netem_on_core(self.settings, f"delay {self.delay}ms loss {self.loss}%")
            return
        ports = t.core_ports(self.settings)
        t.take_off_core(self.settings, ports)
        self.settings.make_node_dir(t.NET)
        cmd = [self.settings.program("lab-delay"), "-d", self.delay, "-l", self.loss, *ports]
        self.daemons["delay"] = d = procs.start(self.settings, "delay", t.NET, cmd)
        wait_line(d.log, "^ready$", 5 * self.settings.slow, alive=d.alive)

    def start_charons(self, nodes=t.GATEWAYS):
        for n in nodes:
            self.daemons[f"charon-{n}"] = charon.launch(self.settings, n)
        for n in nodes:
            charon.wait_ready(self.settings, self.daemons[f"charon-{n}"])
        if "gw" in nodes:
            charon.load_static(self.settings, "gw", gateway_conf(self.settings))

    def start_database(self, fresh=True):
        self.daemons["postgres"] = postgres.launch(self.settings)
        postgres.wait_ready(self.settings, self.daemons["postgres"])
        if fresh:
            home.make_database(self.settings)

    def start_servers(self, nodes=("aaah", "aaaf")):
        for n in nodes:
            env = sanitize.environment(self.settings, n, preload=True, leaks=False)
            self.daemons[n] = diameter.launch(self.settings, n, env)

    def start_agents(self, nodes=("ha", "fa")):
        for n in nodes:
            self.daemons[n] = agents.launch(self.settings, n)

    def wait_all_ready(self):
        for n in self.servers[1:]:
            diameter.wait_peer(self.settings, self.daemons[n], "aaah")
        for n in self.agent_nodes:
            agents.wait_ready(self.settings, self.daemons[n])

    def stop(self, *names, seconds=10):
        """Ends daemons by name; True when all went by themselves in time."""
        return procs.stop_all(self.settings, [self.daemons.pop(n) for n in names], seconds * self.settings.slow)

    # -- the capture

    def start_capture(self):
        self.captures += 1
        path = self.settings.dir / f"wires-{self.captures}.pcapng"
        self.capture = capture.Capture(self.settings, path).start()

    def stop_capture(self):
        path, self.capture = self.capture.stop(), None
        return path

    # -- mobile nodes

    def mobile(self, user, node, **kw):
        m = mobile.Mobile(self.settings, user, node, **kw).start()
        self.daemons[f"mn-{user}"] = m.daemon
        return m

    def by_hand(self, user, node, **kw):
        return mobile.by_hand(self.settings, user, node, **kw)

    # -- looking

    def ping(self, node, target, source=None, **kw):
        return ping.ping(self.settings, node, target, source, **kw)

    def children(self, node):
        """Installed CHILD_SAs of a node: [(ike name, ike, child name, child)]."""
        with charon.vici(self.settings, node) as v:
            return [c for c in v.sas() if c[3]["state"] == "INSTALLED"]

    def child_towards(self, node, peer):
        """The one CHILD_SA with this peer, None when there is none or more."""
        found = [c[3] for c in self.children(node) if c[1]["remote-host"] == peer]
        return found[0] if len(found) == 1 else None

    def bytes_towards(self, node, peer):
        """Bytes in and out of all tunnels with a peer."""
        found = [c[3] for c in self.children(node) if c[1]["remote-host"] == peer]
        return sum(int(c["bytes-in"]) for c in found), sum(int(c["bytes-out"]) for c in found)

    def snapshot(self):
        return snapshot.take(self.settings, self.agent_nodes)

    def sql(self, text):
        return postgres.psql(self.settings, text)

    # -- common assertions

    def check_nothing_left(self, what, before, seconds=8):
        diff = snapshot.wait_same(self.settings, before, seconds, self.agent_nodes)
        lines = diff.splitlines()
        if diff:
            (self.settings.dir / f"left-{what.replace(' ', '-')}.diff").write_text(diff)
        self.report.check(f"{what}: everything is gone at all nodes, keys included", not diff,
                          "\n".join(["", *lines[:60], f"({len(lines)} lines)"]))
        if self.settings.xfrm:
            self.report.equal(f"{what}: no state and no policy is left in the kernel",
                              xfrm.left(self.settings, ("gw", *self.agent_nodes)), {})

    def check_registered(self, m, seconds=15):
        """mipvpn-mn says that it is registered; returns its JSON line."""
        return self.report.attempt(f"{m.user} registers", lambda: m.wait_event("registered", seconds=seconds))

    def check_ended_well(self, replays=False):
        """At the end of a scenario: no daemon died on the way, no sanitizer had anything to say. replays: the scenario has
        sent packets again, and the kernel has to have counted that."""
        xfrm.check_errors(self, replays)
        dead = [n for n, d in self.daemons.items() if not d.alive() and not n.startswith("mn-")]
        self.report.equal("all daemons are still there", dead, [])
        for name, text in sanitize.findings(self.settings).items():
            self.report.check(f"sanitizer report {name}", False, "\n" + text)

    def finish(self, replays=False):
        if self.capture:
            self.stop_capture()
        self.check_ended_well(replays)
        agents_left = [n for n in self.agent_nodes if n in self.daemons]
        if agents_left and not self.report.check("the agents end when told to", self.stop(*agents_left)):
            raise LabError("an agent had to be killed")


def standing(settings, report, **kw):
    return Scene(settings, report, **kw).start()
