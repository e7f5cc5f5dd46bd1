# SPDX-License-Identifier: BSD-3-Clause
"""Assertions: each is a line, and all of them are summed up at the end."""
import re
import sys
import time


class Report:
    def __init__(self, out=sys.stdout):
        self.out, self.passed, self.failed = out, 0, 0
        self.failures, self.started = [], time.monotonic()

    def say(self, text):
        print(text, file=self.out, flush=True)

    def title(self, text):
        self.say(f"# {text}")

    def check(self, what, held, detail=""):
        """One assertion. detail (text or a function that makes it) is shown when it fails."""
        if held:
            self.passed += 1
            self.say(f"ok   {what}")
            return True
        self.failed += 1
        more = detail() if callable(detail) else detail
        self.failures.append(what)
        self.say(f"FAIL {what}" + (f": {more}" if more != "" else ""))
        return False

    def equal(self, what, got, want):
        return self.check(what, got == want, f"got {got!r}, want {want!r}")

    def at_least(self, what, got, want):
        return self.check(what, got >= want, f"got {got!r}, want at least {want!r}")

    def attempt(self, what, call, *args, **more):
        """An assertion that call() does not raise; returns what it gave, None when it failed."""
        try:
            got = call(*args, **more)
        except Exception as e:	# the scenario goes on, the failure is on record
            self.check(what, False, f"{type(e).__name__}: {e}")
            return None
        self.check(what, True)
        return got

    def finish(self):
        self.say(f"{self.passed} passed, {self.failed} failed")
        return 0 if self.failed == 0 and self.passed else 1


class Tally:
    """Sums up what other runs have printed."""

    def __init__(self):
        self.passed = self.failed = 0

    def add(self, lines):
        sums = re.findall(rb"^(\d+) passed, (\d+) failed$", lines, re.M)
        if sums:
            self.passed += int(sums[-1][0])
            self.failed += int(sums[-1][1])
        return bool(sums)
