# SPDX-License-Identifier: BSD-3-Clause
"""Where the lab keeps things, how its namespaces are named, and how patient it is."""
import json
import os
import shutil
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
DEFAULT_DIR = "/run/mipvpn-lab"
DEFAULT_PREFIX = "mv-"
USER = "mipvpn"			# the daemons' system user


class LabError(Exception):
    """The lab could not be brought up, or a program of it did not do its part."""


class Settings:
    """One lab: run directory, prefix of its namespaces, build to test."""

    def __init__(self, directory=DEFAULT_DIR, prefix=DEFAULT_PREFIX, builddir=None, pcap=None, delay=None,
                 data_path=None):
        self.dir = Path(directory).absolute()
        self.prefix = prefix
        self.builddir = Path(builddir).absolute() if builddir else default_builddir()
        self.pcap = Path(pcap).absolute() if pcap else None
        # Who does ESP: charon in user space, or the kernel (XFRM), which then has to have it.
        self.data_path = data_path or os.environ.get("MIPVPN_LAB_DATA_PATH", "user")
        self.delay = delay      # ms one way on the core; None = what the scenario wants
        # A sanitized build, or a loaded machine, is slower: MIPVPN_LAB_SLOW=3 makes every deadline three times as long.
        self.slow = float(os.environ.get("MIPVPN_LAB_SLOW", "1"))

    def node_dir(self, node):
        return self.dir / node

    def make_node_dir(self, node):
        self.node_dir(node).mkdir()
        shutil.chown(self.node_dir(node), USER, USER)

    def ns(self, node):
        return self.prefix + node

    @property
    def xfrm(self):
        """The kernel's own IPsec carries the tunnels."""
        return self.data_path == "kernel"

    @property
    def rate(self):
        """Packets a second of lab-traffic, each way; MIPVPN_LAB_RATE where a thousand would be the scenario itself."""
        return int(os.environ.get("MIPVPN_LAB_RATE", "1000"))

    @property
    def emulated(self):
        """So slow that the programs' own defaults are not meant for it: they get longer deadlines."""
        return self.slow >= 4

    def save(self):
        state = {"prefix": self.prefix, "builddir": str(self.builddir), "data_path": self.data_path}
        (self.dir / "lab.json").write_text(json.dumps(state) + "\n")

    @classmethod
    def load(cls, directory, prefix=None):
        """The settings of the lab that stands in directory; without one, the defaults."""
        try:
            state = json.loads((Path(directory) / "lab.json").read_text())
        except (OSError, ValueError):
            state = {}
        return cls(directory, prefix or state.get("prefix", DEFAULT_PREFIX), state.get("builddir"),
                   data_path=state.get("data_path"))

    def program(self, name):
        """Path of one of our programs: from the build if there is one, else installed."""
        for where in (self.builddir, self.builddir / "bin", self.builddir / "sbin"):
            if (where / name).is_file():
                return str(where / name)
        found = shutil.which(name)
        if not found:
            raise LabError(f"{name}: not in {self.builddir} and not installed (build first, or --builddir)")
        return found

    def module(self, name):
        """Absolute path of one of our freeDiameter extensions."""
        for where in (".libs", "lib/freeDiameter"):
            path = self.builddir / where / name
            if path.is_file():
                return str(path)
        raise LabError(f"{name}: not in {self.builddir}/.libs (build first, or --builddir)")


def default_builddir():
    for d in (os.environ.get("MIPVPN_BUILDDIR"), os.getcwd(), TOP / "build", TOP):
        if d and (Path(d) / "config.status").exists():
            return Path(d).absolute()
    return TOP / "build"
