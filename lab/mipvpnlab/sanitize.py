# SPDX-License-Identifier: BSD-3-Clause
"""Running a build that was made with --enable-sanitizers: environment of its programs, and what they report."""
import subprocess
from functools import lru_cache

from .settings import TOP

OPTIONS = ("exitcode=99:log_path={dir}/sanitizer:detect_leaks={leaks}:detect_odr_violation=0:"
           "suppressions={top}/lab/asan.supp")


@lru_cache(maxsize=None)
def enabled(builddir):
    """Whether the build in this directory is a sanitized one."""
    try:
        return "\nSAN_FLAGS = -fsanitize=address" in (builddir / "Makefile").read_text()
    except OSError:
        return False


@lru_cache(maxsize=None)
def _runtime():
    p = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    return p.stdout.strip()


def environment(settings, node, preload=False, leaks=True):
    """preload: the program itself is not ours (freeDiameterd), a module that it loads is."""
    if not enabled(settings.builddir):
        return {}
    env = {"ASAN_OPTIONS": OPTIONS.format(dir=settings.node_dir(node), leaks=int(leaks), top=TOP),
           "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
           "LSAN_OPTIONS": f"suppressions={TOP}/lab/lsan.supp:print_suppressions=0"}
    if preload:
        env["LD_PRELOAD"] = _runtime()
    return env


def findings(settings):
    """{file name: first lines} of every report that a program of this lab has written."""
    return {f"{f.parent.name}/{f.name}": "\n".join(f.read_text(errors="replace").splitlines()[:25])
            for f in sorted(settings.dir.glob("*/sanitizer.*"))}
