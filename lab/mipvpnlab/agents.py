# SPDX-License-Identifier: BSD-3-Clause
"""mipvpn-agentd as FA and as HA: configuration, start, readiness, and its console mipvpnctl."""
import json
import os
import shutil
import subprocess

from . import diameter, procs, sanitize, topology as t
from .settings import USER, LabError
from .wait import wait_line

COMMON = """\
user = "{user}"
log-level = "info"
control-socket = "{dir}/agentd.ctl"
vici-socket = "{dir}/charon.vici"
freediameter-conf = "{dir}/freediameter.conf"
helper = "{helper}"
protect = {{ "{ent}" }}
"""
FA_PART = """
fa {{
    care-of-address = "{fa}"
    links = {{ "link0" }}
{more}
}}
"""
HA_PART = """
ha {{
    address = "{ha}"
    home-prefix = "{home}"
    home-link = "home0"
{more}
}}
"""
PCN_PART = """
pcn {{
    address = "{address}"
    prefixes = {{ "{net}" }}
    master-key-file = "{key}"
{more}
}}
"""
PCN_COMMON = """\
user = "{user}"
log-level = "info"
control-socket = "{dir}/agentd.ctl"
vici-socket = "{dir}/charon.vici"
helper = "{helper}"
"""


# Deadlines of an emulated machine: four times the defaults, which keeps their order.
EMULATED = {"fa": "    aaa-timeout = 28000\n    vpn-timeout = 16000\n", "ha": "    vpn-timeout = 12000\n",
            "pcn": "    vpn-timeout = 8000\n"}
EMULATED_VPN = "vpn {\n    settle-time = 250\n    initiate-timeout = 10000\n}\n"


def write_pcn_conf(settings, node, more=""):
    """A proxy correspondent node: no Diameter, a master key."""
    where = settings.node_dir(node)
    more += EMULATED["pcn"] if settings.emulated else ""
    address, net = t.PCNS[node]
    text = PCN_COMMON.format(user=USER, dir=where, helper=settings.program("mipvpn-nethelper"))
    text += PCN_PART.format(address=address, net=net, key=settings.dir / "keys" / f"{node}.key", more=more)
    text += EMULATED_VPN if settings.emulated else ""
    return _write(where / "agentd.conf", text)


def write_conf(settings, node, tls=True, more="", top=""):
    """more: extra lines of the role's section; top: extra lines outside of it."""
    diameter.write_agent_conf(settings, node, tls)
    more += "\n" + EMULATED["fa" if node in t.FAS else "ha"] if settings.emulated else ""
    where = settings.node_dir(node)
    text = COMMON.format(user=USER, dir=where, ent=t.ENT_NET, helper=settings.program("mipvpn-nethelper")) + top
    if node in t.FAS:
        text += FA_PART.format(fa=t.FAS[node].care_of, more=more)
    else:
        text += HA_PART.format(ha=t.HA, home=t.HOME_NET, more=more)
    text += EMULATED_VPN if settings.emulated else ""
    return _write(where / "agentd.conf", text)


def _write(conf, text):
    conf.write_text(text)
    shutil.chown(conf, group=USER)
    os.chmod(conf, 0o640)
    return conf


def control_socket(settings, node):
    return settings.node_dir(node) / "agentd.ctl"


def launch(settings, node):
    conf = settings.node_dir(node) / "agentd.conf"
    cmd = [settings.program("mipvpn-agentd"), "-c", conf]
    return procs.start(settings, "agentd", node, cmd, sanitize.environment(settings, node))


def _ctl(settings, node, *args):
    """Runs mipvpnctl against a node's agent, to its end."""
    cmd = [settings.program("mipvpnctl"), "-s", str(control_socket(settings, node)), *map(str, args)]
    env = {**os.environ, **sanitize.environment(settings, node, leaks=False)}
    return subprocess.run(cmd, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, env=env)


def ctl(settings, node, *args):
    """What mipvpnctl prints."""
    p = _ctl(settings, node, *args)
    if p.returncode:
        raise LabError(f"mipvpnctl at {node}: {' '.join(map(str, args))}: {(p.stderr or p.stdout).strip()}")
    return p.stdout


def ctl_refused(settings, node, *args):
    """What it says when the agent refuses (exit status 1); "" when it does not."""
    p = _ctl(settings, node, *args)
    return p.stderr if p.returncode == 1 else ""


def show(settings, node, what):
    return json.loads(ctl(settings, node, "--json", "show", what))


def rows(settings, node, what):
    """The rows of a list, whether it is given bare or under its name."""
    got = show(settings, node, what)
    return got.get(what, []) if isinstance(got, dict) else got


def counters(settings, node):
    return show(settings, node, "counters")


def wait_ready(settings, daemon, start=0):
    """Waits until the agent says that helper, links, charon and a Diameter peer are there."""
    wait_line(daemon.log, r"(?<!not )\bready$", 40 * settings.slow, start, daemon.alive)
