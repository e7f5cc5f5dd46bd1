# SPDX-License-Identifier: BSD-3-Clause
"""The AAAH's own PostgreSQL cluster, made on the spot by user postgres; unix socket in the run directory, no TCP."""
import os
import shutil
import subprocess
from pathlib import Path

from . import procs
from .settings import USER, LabError
from .wait import wait_for, wait_path

SYSTEM_USER = "postgres"
DATABASE = "mipvpn"
CONF = """
listen_addresses = ''
unix_socket_directories = '{sock}'
# A lab's database need not survive a power cut.
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 16MB
max_connections = 20
log_line_prefix = '%m [%p] %u '
"""
# Who on this machine may be whom in the database: peer authentication, no password anywhere.
HBA = "local all all peer map=lab\n"


def bindir():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if not found:
        raise LabError("PostgreSQL's server programs not found: apt-get install postgresql")
    return found[-1].parent


def socket_dir(settings, node="aaah"):
    return settings.node_dir(node) / "pg"


def create(settings, roles, node="aaah"):
    """initdb. roles: database roles that root and the daemons' user may take."""
    where = settings.node_dir(node)
    data, sock = where / "pgdata", socket_dir(settings, node)
    for d in (data, sock):
        d.mkdir()
        shutil.chown(d, SYSTEM_USER, SYSTEM_USER)
    os.chmod(sock, 0o755)
    os.chmod(data, 0o700)
    _as_postgres(bindir() / "initdb", "-D", data, "-A", "peer", "-U", "postgres", "-E", "UTF8", "--locale=C",
                 "--no-sync")
    with open(data / "postgresql.conf", "a", encoding="utf-8") as f:
        f.write(CONF.format(sock=sock))
    (data / "pg_hba.conf").write_text(HBA)
    maps = ["lab postgres postgres", "lab root postgres"]
    maps += [f"lab {who} {r}" for r in roles for who in ("root", USER, SYSTEM_USER)]
    (data / "pg_ident.conf").write_text("\n".join(maps) + "\n")


def _as_postgres(*cmd):
    full = ["setpriv", f"--reuid={SYSTEM_USER}", f"--regid={SYSTEM_USER}", "--init-groups"] + [str(c) for c in cmd]
    p = subprocess.run(full, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd="/")
    if p.returncode:
        raise LabError(f"{cmd[0]}: {p.stderr.strip()}")


def launch(settings, node="aaah"):
    data = settings.node_dir(node) / "pgdata"
    return procs.start(settings, "postgres", node, [bindir() / "postgres", "-D", data], user=SYSTEM_USER)


def wait_ready(settings, daemon):
    """Waits for the server's own word: its pid file says `ready` when it takes connections."""
    pidfile = settings.node_dir(daemon.node) / "pgdata" / "postmaster.pid"
    wait_path(pidfile, 20 * settings.slow, daemon.alive)

    def ready():
        lines = pidfile.read_text().splitlines() if pidfile.exists() else []
        return len(lines) > 7 and lines[7].strip() == "ready"
    wait_for("PostgreSQL", ready, 20 * settings.slow, daemon.alive)


def psql(settings, sql=None, files=(), database=DATABASE, role="postgres", node="aaah", variables=()):
    """Runs SQL text or files; returns rows as text, columns separated by |."""
    cmd = [str(bindir() / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
        "-h", str(socket_dir(settings, node)),
        "-U", role, "-d", database]
    for v in variables:
        cmd += ["-v", v]
    for f in files:
        cmd += ["-f", str(f)]
    if sql is not None:
        cmd += ["-c", sql]
    p = subprocess.run(cmd, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    if p.returncode:
        raise LabError(f"psql: {p.stderr.strip()}")
    return p.stdout.strip()
