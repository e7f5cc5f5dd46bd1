# SPDX-License-Identifier: BSD-3-Clause
"""mipvpn-mn on a node of the lab: one configuration file, its state changes read as JSON lines from its output."""
import json
import os
import signal
import sys

from . import home, netns, procs, sanitize, topology as t
from .settings import TOP
from .wait import wait_line

sys.path.insert(0, str(TOP / "tests" / "mip"))


CONF = """\
interface = "eth0"
nai = "{nai}"
home-agent = {agent}
home-prefix = {prefix}
key-file = "{key}"
lifetime = {lifetime}
reverse-tunnel = {reverse}
"""


class Mobile:
    """One mobile node that runs mipvpn-mn."""

    def __init__(self, settings, user, node, reverse=False, lifetime=600, more=""):
        """more: lines of its configuration."""
        self.settings, self.user, self.node = settings, user, node
        self.conf = settings.node_dir(node) / "mn.conf"
        text = CONF.format(nai=home.nai(user), agent=t.HA, prefix=t.HOME_NET, lifetime=lifetime,
                           key=home.key_path(settings, user), reverse=str(reverse).lower())
        if t.home_address(user):
            text += f"home-address = {t.home_address(user)}\n"
        if settings.emulated:       # a registration takes longer than a second there
            text += "retransmit-time = 20000\n"
        self.conf.write_text(text + more)
        self.daemon, self.seen = None, 0

    def start(self):
        log = self.settings.node_dir(self.node) / "mn.log"
        self.seen = log.stat().st_size if log.exists() else 0      # an earlier program's part
        cmd = [self.settings.program("mipvpn-mn"), "--json", "-c", self.conf]
        env = sanitize.environment(self.settings, self.node)
        self.daemon = procs.start(self.settings, "mn", self.node, cmd, env)
        return self

    def wait_event(self, *names, seconds=15):
        """Waits for the next event of one of these names; returns its JSON line."""
        wanted = "|".join(names)
        m = wait_line(self.daemon.log, rf'^\{{.*"event": ?"({wanted})".*\}}$', seconds * self.settings.slow, self.seen,
                      self.daemon.alive)
        self.seen += len(m.string[:m.end()].encode())
        return json.loads(m.group(0))

    def stop(self, seconds=10):
        """SIGTERM: it deregisters, puts its interface back and goes; True when that was granted."""
        in_time = procs.stop(self.settings, self.daemon, seconds * self.settings.slow)
        return in_time and self.daemon.popen.returncode == 0

    def renew(self):
        os.kill(self.daemon.pid, signal.SIGHUP)

    def hint(self):
        """The link layer's word that it has moved, or is about to."""
        os.kill(self.daemon.pid, signal.SIGUSR1)

    def update(self):
        """A service update (F7)."""
        os.kill(self.daemon.pid, signal.SIGUSR2)

    def end_at_once(self):
        """Power off: no deregistration."""
        return procs.stop(self.settings, self.daemon, 2, signal.SIGKILL)


def by_hand(settings, user, node, key=None, nai=None, link=t.FA_LINK):
    """A mobile node without any program: addresses by hand, messages by tests/mip."""
    secret = home.key(settings, user) if key is None else key
    return by_hand_at(settings, node, t.home_address(user), nai or home.nai(user), secret, link)


def by_hand_at(settings, node, hoa, nai, secret, link=t.FA_LINK):
    """The same for anybody's home address; link: the foreign agent's address there."""
    from node import HandNode
    ns = settings.ns(node)
    netns.ip("addr", "replace", f"{hoa}/32", "dev", "eth0", ns=ns)
    netns.ip("route", "replace", "default", "via", link, "dev", "eth0", "onlink", ns=ns)
    return HandNode(lambda: netns.entered(ns), hoa, link, nai, secret, t.HA)
