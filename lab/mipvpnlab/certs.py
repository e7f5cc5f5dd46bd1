# SPDX-License-Identifier: BSD-3-Clause
"""A certificate authority and Diameter certificates, made on the spot by openssl."""
import os
import shutil
import subprocess

from .settings import USER, LabError

CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*args):
    p = subprocess.run(["openssl"] + [str(a) for a in args], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if p.returncode:
        raise LabError(f"openssl {args[0]}: {p.stderr.strip()}")


def make(settings, identities):
    """Makes DIR/tls: ca.crt, dh.pem, and IDENTITY.crt/.key for each Diameter identity."""
    tls = settings.dir / "tls"
    tls.mkdir()
    openssl("req", "-x509", *CURVE, "-days", 2, "-subj", "/CN=mipvpn lab CA",
            "-keyout", tls / "ca.key", "-out", tls / "ca.crt")
    openssl("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", tls / "dh.pem")
    for identity in identities:
        _make_one(tls, identity)
    for f in tls.iterdir():
        shutil.chown(f, group=USER)
        os.chmod(f, 0o640)


def _make_one(tls, identity):
    csr = tls / f"{identity}.csr"
    openssl("req", "-new", *CURVE, "-subj", f"/CN={identity}", "-addext", f"subjectAltName=DNS:{identity}",
        "-keyout", tls / f"{identity}.key", "-out", csr)
    openssl("x509", "-req", "-in", csr, "-CA", tls / "ca.crt", "-CAkey", tls / "ca.key", "-CAcreateserial",
        "-days", 2, "-copy_extensions", "copy", "-out", tls / f"{identity}.crt")
    csr.unlink()
