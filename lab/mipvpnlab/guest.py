# SPDX-License-Identifier: BSD-3-Clause
"""The production-kernel lab: the same scenarios in a QEMU guest that boots Debian's stock kernel over this machine's file
system.  The guest cannot write to it: what it writes lies in its memory, and its output directory is the only way out.
It has no network.  lab/guest/ holds what runs inside."""
import json
import os
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from . import settings as st
from .report import Tally
from .settings import LabError, TOP

PACKAGES = ("qemu-system-x86", "busybox-static", "cpio", "kmod")
BUSYBOX, QEMU = "/bin/busybox", "qemu-system-x86_64"
# What init needs before it has a root; the rest is loaded by the guest's kernel when it is asked for.
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")
APPLETS = ("sh", "mount", "mkdir", "cat", "insmod", "sed", "chmod", "switch_root", "poweroff", "echo")
SKIPPED = 77
# Emulation is so much slower: deadlines in the guest, and how long a scenario may take here.
PATIENCE = 900
ENVIRONMENT = ("MIPVPN_LAB_SLOW=6", "MIPVPN_LAB_RATE=50", "MIPVPN_LAB_EVIDENCE=/run/output", "MIPVPN_LAB_ASK=/dev/ttyS2")


class Missing(LabError):
    """There is no production kernel to be had here."""


def find_kernel():
    """(root, version) of Debian's stock kernel."""
    if not shutil.which(QEMU) or not os.access(BUSYBOX, os.X_OK):
        raise Missing(f"{QEMU} or {BUSYBOX} is missing: apt-get install {' '.join(PACKAGES)}")
    p = subprocess.run([TOP / "lab" / "kernel"], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    if p.returncode:
        raise Missing("no stock kernel of Debian is to be had")
    root, version = p.stdout.split()
    return Path(root), version


def _modules(root, version):
    """Files of MODULES and of what they need, in the order of loading."""
    found = []
    for m in MODULES:
        cmd = ["modprobe", "--show-depends", "-d", str(root), "-S", version, m]
        p = subprocess.run(cmd, capture_output=True, text=True)
        if p.returncode:
            raise LabError(f"{' '.join(cmd)}: {p.stderr.strip()}")
        for line in p.stdout.splitlines():
            words = line.split()
            if words[0] == "insmod" and words[1] not in found:
                found.append(words[1])
    return found


def make_initramfs(where, root, version):
    """busybox, the modules and lab/guest/init, as the kernel takes them."""
    tree = where / "initramfs"
    for d in ("bin", "dev", "proc", "sys", "modules"):
        (tree / d).mkdir(parents=True)
    shutil.copy(BUSYBOX, tree / "bin" / "busybox")
    for name in APPLETS:
        (tree / "bin" / name).symlink_to("busybox")
    order = []
    for path in _modules(root, version):
        shutil.copy(path, tree / "modules")
        order.append(Path(path).name)
    (tree / "modules.order").write_text("\n".join(order) + "\n")
    shutil.copy(TOP / "lab" / "guest" / "init", tree / "init")
    names = "\n".join(str(p.relative_to(tree)) for p in sorted(tree.rglob("*")))
    out = where / "initramfs.cpio"
    with open(out, "wb") as f:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=tree, input=names.encode(), stdout=f, check=True)
    shutil.rmtree(tree)
    return out


def qemu_command(root, version, where, output):
    share = "local,security_model=none,multidevs=remap"
    append = f"console=ttyS0 panic=-1 quiet mipvpn.top={TOP} mipvpn.kernel={root}"
    return [QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(os.cpu_count() or 1), "-m", "4096",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-nic", "none",
            "-kernel", f"{root}/boot/vmlinuz-{version}", "-initrd", f"{where}/initramfs.cpio", "-append", append,
            "-virtfs", f"{share},path=/,mount_tag=hostroot,readonly=on",
            "-virtfs", f"{share},path={output},mount_tag=output",
            "-serial", f"file:{output}/console.log", "-serial", "stdio",
            "-chardev", f"socket,id=ask,path={where}/ask", "-serial", "chardev:ask"]


def answer(server, output):
    """Runs the guest's tshark commands here (decode._asked()), one after the other, until it ends: each a line of JSON, the
    answer a line with the exit status, and two files."""
    line, _ = server.accept()
    with line, line.makefile("r", encoding="utf-8") as asked:
        for cmd in map(json.loads, asked):
            if cmd[0] != "tshark":
                return
            with open(output / "tshark.out", "wb") as out, open(output / "tshark.err", "wb") as err:
                p = subprocess.run(cmd, cwd=output, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            line.sendall(f"{p.returncode}\n".encode())


def run(command, output, seconds, kernel):
    """Runs command (a list) in a guest that boots kernel (as of find_kernel()); its lines go to stdout as they come, and
    its files out of /run/output to output.
    Returns what it printed; its exit status is in output/status."""
    root, version = kernel
    output.mkdir(parents=True, exist_ok=True)
    (output / "status").unlink(missing_ok=True)
    (output / "command").write_text(f"cd {shlex.quote(str(TOP))}\nexec {shlex.join(map(str, command))}\n")
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="guest.") as where, socket.socket(socket.AF_UNIX) as server:
        make_initramfs(Path(where), root, version)
        server.bind(f"{where}/ask")
        server.listen()
        threading.Thread(target=answer, args=(server, output), daemon=True).start()
        print(f"     guest: Linux {version}, {os.cpu_count()} processors, emulated", flush=True)
        with subprocess.Popen(qemu_command(root, version, where, output), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE) as p:
            told = _relay(p, begin + seconds)
    print(f"     guest: {time.monotonic() - begin:.0f} s", flush=True)
    try:
        int((output / "status").read_text())
        return told
    except (OSError, ValueError):
        tail = (output / "console.log").read_text(errors="replace")[-2000:] if (output / "console.log").exists() else ""
        raise LabError(f"the guest ended without a result; its console:\n{tail}") from None


def _relay(qemu, deadline):
    """Passes the guest's lines on until it ends; ends it at the deadline. Returns them."""
    fd, told = qemu.stdout.fileno(), b""
    try:
        while (left := deadline - time.monotonic()) > 0:
            if select.select([fd], [], [], left)[0]:
                data = os.read(fd, 65536)
                if not data:
                    return told
                told += data
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
        print("     guest: out of time", flush=True)
        return told
    finally:
        qemu.kill()


def run_scenarios(args, names):
    """`lab/run --kernel debian`: each scenario in a guest of its own, so that one that hangs costs its own time only.
    Returns 0 when all held, SKIPPED when there is no production kernel to be had."""
    builddir = Path(args.builddir).absolute() if args.builddir else st.default_builddir()
    output = Path(args.output or "/var/tmp/mipvpn-guest").absolute()
    try:
        kernel = find_kernel()
    except Missing as e:
        print(f"SKIPPED on Debian's kernel: {' '.join(names)}: {e}", flush=True)
        print(f"0 passed, 0 failed, {len(names)} skipped", flush=True)
        return SKIPPED
    tally = Tally()
    for name in names:
        command = [TOP / "lab" / "run", name, "--builddir", builddir, "--data-path", "kernel", "--pcap", "/run/output"]
        command += ["--delay", args.delay] if args.delay is not None else []
        where = output / name
        shutil.rmtree(where, ignore_errors=True)
        try:
            told = run(["env", *ENVIRONMENT, *command], where, PATIENCE, kernel)
        except LabError as e:
            told = b""
            print(f"FAIL {name} on Debian's kernel: {e}", flush=True)
        if not tally.add(told):
            tally.failed += 1
    print(f"{tally.passed} passed, {tally.failed} failed", flush=True)
    return 0 if tally.passed and not tally.failed else 1
