# SPDX-License-Identifier: BSD-3-Clause
"""The home ISP's data: keys of users and of the contract, the schema and the example rows, the AAAH's configuration."""
import os
import secrets
import shutil
import subprocess

from . import diameter, postgres, sanitize, topology
from .settings import TOP, USER, LabError

USERS = ("alice", "bob", "carol", "dave", "mallory")
PCN_USERS = ("erin", "frank")		# of sql/example-pcn.sql
ROLES = ("mipvpn_owner", "mipvpn_aaah", "mipvpn_portal", "mipvpn_dba", "mipvpn_monitor")
REALM = "home.test"

AAAH_CONF = """\
database = "host={sock} dbname=mipvpn user=mipvpn_aaah"
key-file = "{wrapping}"
grace = 5
reap-interval = 1
"""
AAAH_EMULATED = "exchange-timeout-ms = 20000\ndatabase-timeout-ms = 8000\n"
AAAF_EMULATED = "answer-deadline = 40000\n"
AAAF_CONF = """\
foreign-agents = {{ {fas} }}
"""
# Users that a scenario makes: kind -> their VPNs, each (destination, security type) or (..., algorithms).
STATIC, DYNAMIC = (topology.ENT_NET, "ESP"), (topology.PCN_NET, "ESP")
KINDS = {"static": (STATIC,), "dynamic": (DYNAMIC,), "both": (STATIC, DYNAMIC), "plain": (),
         "encap": ((topology.PCN_NET, "ENCAP"),), "encap-static": ((topology.ENT_NET, "ENCAP"),),
         "encap-dynamic": ((topology.PCN_NET, "ENCAP"),)}
for _where, _net in (("static", topology.ENT_NET), ("dynamic", topology.PCN_NET)):
    for _what, _security, _proposal in (
            ("gcm", "ESP", "aes256gcm16-curve25519"), ("cbc", "ESP", "aes128-sha256-curve25519"),
            ("null", "ESP", "null-sha256-curve25519"), ("ah", "AH", "sha256-curve25519")):
        KINDS[f"{_what}-{_where}"] = ((_net, _security, _proposal),)


def vpns(kind):
    """(destination, security type) of each VPN."""
    return [v[:2] for v in KINDS[kind]]


def nai(user):
    return f"{user}@{REALM}"


def key_path(settings, name):
    return settings.dir / "keys" / f"{name}.key"


def key(settings, name):
    """The secret itself, as the tests' own programs need it."""
    return bytes.fromhex(key_path(settings, name).read_text().strip())


def make_keys(settings, more=()):
    """A key per user, more: those that a scenario makes, the contract's PSK, and the key under which the database's
    keys are wrapped."""
    where = settings.dir / "keys"
    where.mkdir(mode=0o750)
    shutil.chown(where, group=USER)
    for name in (*USERS, *PCN_USERS, *topology.PCNS, *more, "acme", "wrapping"):
        path = key_path(settings, name)
        path.write_text(secrets.token_hex(32) + "\n")
        os.chmod(path, 0o640)
        shutil.chown(path, group=USER)


def wrap(settings, name, label):
    """What the database keeps for a key: the output of mipvpn-keytool wrap."""
    cmd = [settings.program("mipvpn-keytool"), "wrap", "-k", str(key_path(settings, "wrapping")), "-l", label]
    env = {**os.environ, **sanitize.environment(settings, "aaah")}
    p = subprocess.run(cmd, input=key_path(settings, name).read_text(), capture_output=True, text=True, env=env)
    if p.returncode:
        raise LabError(f"mipvpn-keytool wrap {label}: {p.stderr.strip()}")
    return p.stdout.strip().removeprefix("\\x")     # as bytea text; the example decodes the digits


def make_database(settings):
    """The schema by sql/apply, the rows of sql/example.sql."""
    postgres.psql(settings, f"CREATE DATABASE {postgres.DATABASE}", database="postgres")
    cmd = [str(TOP / "sql" / "apply"), "-h", str(postgres.socket_dir(settings)), "-U", "postgres", postgres.DATABASE]
    p = subprocess.run(cmd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if p.returncode:
        raise LabError(f"sql/apply: {p.stderr.strip()}")
    variables = [f"{u}_key={wrap(settings, u, 'subscriber:' + nai(u))}" for u in USERS]
    variables.append(f"acme_psk={wrap(settings, 'acme', 'sla:acme')}")
    postgres.psql(settings, files=[TOP / "sql" / "example.sql"], variables=variables)


def add_pcn_rows(settings):
    """The rows of sql/example-pcn.sql."""
    variables = [f"{u}_key={wrap(settings, u, 'subscriber:' + nai(u))}" for u in PCN_USERS]
    variables += [f"{n}_key={wrap(settings, n, 'pcn:' + address)}" for n, (address, _) in topology.PCNS.items()]
    postgres.psql(settings, files=[TOP / "sql" / "example-pcn.sql"], variables=variables)


def add_roaming_partner(settings):
    """The second visited domain's agreement."""
    care_of = ",".join(f.care_of for f in topology.FAS.values() if f.aaaf == "aaaf2")
    postgres.psql(settings, "INSERT INTO mipvpn.roaming_domains (realm, care_of, description) "
                            f"VALUES ('visited2.test', '{{{care_of}}}', 'another roaming partner')")


def add_users(settings, users):
    """Users that a scenario makes: {name: kind}, rows as in the examples.  u1, u2 and so on have an address of their
    own, others one from the pool."""
    sql = ["BEGIN;", "SET LOCAL search_path = mipvpn, pg_catalog;"]
    number = 1000
    for user, kind in users.items():
        key, who = wrap(settings, user, "subscriber:" + nai(user)), nai(user)
        address = topology.home_address(user)
        sql.append("INSERT INTO subscribers (nai, aaa_key, aaa_spi, aaa_algorithm, home_agent, home_address) VALUES "
                   f"('{who}', decode('{key}', 'hex'), 256, 'hmac-md5', '{topology.HA}', "
                   f"{repr(address) if address else 'NULL'});")
        if any(net == topology.ENT_NET for net, _ in vpns(kind)):
            sql.append(f"INSERT INTO sla_users (sla, nai) VALUES ('acme', '{who}');")
        for net, security, *proposal in KINDS[kind]:
            proposal = f"'{proposal[0]}'" if proposal else "NULL"
            sql.append("INSERT INTO vpns (number, nai, vpnshare, destination, up_class, down_class, up_spi, down_spi, "
                       f"security, proposal) VALUES ({number}, '{who}', 1, '{net}', '0', '0', {2 * number + 4096}, "
                       f"{2 * number + 4097}, '{security}', {proposal});")
            number += 1
    postgres.psql(settings, "\n".join([*sql, "COMMIT;"]))


def write_server_conf(settings, tls, nodes=("aaah", "aaaf"), more=""):
    """freeDiameterd's configuration for AAAFs and AAAH with our extensions; more: lines of the AAAH's."""
    aaah = settings.node_dir("aaah") / "aaah.conf"
    _write(aaah, AAAH_CONF.format(sock=postgres.socket_dir(settings), wrapping=key_path(settings, "wrapping")) +
           (AAAH_EMULATED if settings.emulated else "") + more)
    for node in nodes:
        conf = aaah
        if node != "aaah":
            conf = settings.node_dir(node) / "aaaf.conf"
            hosts = diameter.hosts(n for n, f in topology.FAS.items() if f.aaaf == node)
            _write(conf, AAAF_CONF.format(fas=", ".join(f'"{h}"' for h in hosts)) +
                   (AAAF_EMULATED if settings.emulated else ""))
        module = f"app_mipvpn_{node[:4]}.fdx"
        extensions = [f'LoadExtension = "{settings.module("dict_mipvpn.fdx")}";',
                      f'LoadExtension = "{settings.module(module)}" : "{conf}";']
        diameter.write_server_conf(settings, node, extensions, tls)


def _write(path, text):
    path.write_text(text)
    shutil.chown(path, group=USER)
    os.chmod(path, 0o640)
