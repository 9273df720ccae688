"""Many logins in one process, one after the other and 64 at once: every code is good for its own user alone, and nothing is left
behind, neither memory nor descriptors nor processes.

`--everything` logs in ten times as often.
"""

import os
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness import leftovers
from harness.build import Build
from harness.crowd import Crowd, Entry, crowd
from harness.machine import GROUND
from harness.stage import Stage, Watched
from standin import Standin

SERVICE = "pamcog-load"
TOKENS = GROUND / "load"
AT_ONCE = 64

# After so many logins the process has all that it keeps; from then on it may grow by so much, whatever is still to come.
SETTLED, GROWTH_MOST = 250, 128 * 1024


@dataclass(frozen=True)
class Size:
    """What a process holds."""

    memory: int
    descriptors: int

    @classmethod
    def of(cls, pid: int) -> "Size":
        """Once the threads of its logins have ended."""
        limit = time.monotonic() + 5
        while (status := status_of(pid))["Threads"].strip() != "1":
            assert time.monotonic() < limit
            time.sleep(0.001)
        return cls(1024 * int(status["VmRSS"].split()[0]), len(os.listdir(f"/proc/{pid}/fd")))


def status_of(pid: int) -> dict[str, str]:
    return dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())


def children(pid: int) -> list[str]:
    """Living or dead."""
    found = []
    for other in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = Path(f"/proc/{other}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if stat[1] == str(pid):
            found.append(other)
    return found


class Load:
    """A crowd of users, each with a token of his own."""

    def __init__(self, stage: Stage, standin: Standin) -> None:
        self.stage, self.standin = stage, standin
        self.users = [f"user{number}" for number in range(AT_ONCE)]
        # The code that was sent last to each; from the beginning there is a neighbour's.
        self.codes = dict.fromkeys(self.users, "no code")
        standin.pool.on_message = lambda message: self.codes.__setitem__(message.user, message.code)
        standin.pool.quotas = {}
        TOKENS.mkdir(exist_ok=True)
        for user in self.users:
            standin.pool.add_user(user, "unused", email=f"{user}@example.org")
            path = TOKENS / user
            path.touch(mode=0o600)
            path.write_text(str(standin.pool.access_token(user)))
        config = {**standin.config(), "token": f"file:{TOKENS}/%u", "send_limit": 1000, "max_tries": 1}
        stage.add_service(SERVICE, **config, request_timeout=60)

    def log_in(self, host: Crowd, number: int, user: str, other: str | None = None) -> Entry:
        """With his code, or with another user's."""
        return host.log_in(number, SERVICE, user, lambda prompt: self.codes[other or user])

    def nothing_is_left(self, host: Crowd) -> None:
        leftovers.wait_for_no_helper(self.stage.build.helper)
        assert children(host.pid) == []


@pytest.fixture
def load(stage: Stage, standin: Standin) -> Iterator[Load]:
    yield Load(stage, standin)
    for path in TOKENS.iterdir():
        path.unlink()


def watch(load: Load, watched: Watched) -> None:
    watched.typed = [message.code for message in load.standin.pool.outbox]


def test_one_after_the_other(load: Load, tell: Callable[[str], None], everything: bool) -> None:
    """A host that lives long stays as it was after its first logins."""
    count = 10_000 if everything else 1_000 if load.stage.build.slowness == 1 else 300
    with load.stage.watched() as watched:
        with crowd(load.stage.build) as host:
            for number in range(count):
                entry = load.log_in(host, 0, load.users[number % AT_ONCE])
                assert entry.let_in, entry
                load.standin.journal.clear()
                if number == SETTLED:
                    before = Size.of(host.pid)
            after = Size.of(host.pid)
            load.nothing_is_left(host)
        watch(load, watched)
    grown = after.memory - before.memory
    tell(
        f"load: {count} logins in one process: memory {before.memory // 1024} KiB after {SETTLED} of them, {grown // 1024:+} KiB at "
        f"the end; descriptors {before.descriptors}, {after.descriptors}; no child, no helper"
    )
    assert after.descriptors == before.descriptors
    assert grown <= GROWTH_MOST or load.stage.build.slowness > 1


def test_at_once(load: Load, tell: Callable[[str], None], everything: bool) -> None:
    """64 handles in 64 threads do not meet: a code lets its own user in and nobody else, whoever is under way beside him."""
    rounds = 40 if everything else 4
    count = AT_ONCE if load.stage.build.slowness == 1 else 8

    def run(host: Crowd, number: int, round_: int) -> tuple[bool, Entry]:
        """Every fourth of them has the mail of his neighbour, who is just as fresh."""
        user, other = load.users[number], load.users[number ^ 1]
        foreign = (number + round_) % 4 == 0
        return foreign, load.log_in(host, number, user, other if foreign else None)

    def run_all(host: Crowd, number: int) -> list[tuple[bool, Entry]]:
        return [run(host, number, round_) for round_ in range(rounds)]

    for user, account in load.standin.pool.users.items():
        if user in load.codes:
            load.standin.pool.send_code(account, "email", {})
    with load.stage.watched() as watched:
        with crowd(load.stage.build) as host, ThreadPoolExecutor(count) as threads:
            entries = sum(threads.map(lambda number: run_all(host, number), range(count)), [])
            load.nothing_is_left(host)
            Size.of(host.pid)
        watch(load, watched)
    own = [entry for foreign, entry in entries if not foreign]
    others = [entry for foreign, entry in entries if foreign]
    tell(
        f"load: {count} at once: {sum(entry.let_in for entry in own)} of {len(own)} let in by their own code, "
        f"{sum(entry.let_in for entry in others)} of {len(others)} by another's"
    )
    assert all(entry.let_in for entry in own), [entry for entry in own if not entry.let_in]
    assert {entry.code for entry in others} == {"PAM_MAXTRIES"}


# Data races

FRAME = re.compile(r"(?:at|by) 0x[0-9A-F]+: (?P<function>\S+) \((?P<place>[^)]*)\)")


def culprits(log: str) -> list[str]:
    """Of each report of helgrind, the place of the access: not that of a function of valgrind's own, but its caller's."""
    found = []
    for report in log.split("Possible data race during ")[1:]:
        frames = [frame for frame in FRAME.finditer(report) if "vgpreload" not in frame["place"]]
        found.append(f"{frames[0]['place']} {frames[0]['function']}")
    return found


@pytest.mark.uninstrumented
def test_no_data_race(load: Load, installed: Build, tell: Callable[[str], None]) -> None:
    """Helgrind sees none in the modules. Those that it sees in the C library's syslog and in libaudit are not ours."""
    if not shutil.which("valgrind") or installed.slowness > 1:
        pytest.skip("valgrind is missing" if installed.slowness == 1 else "one tool at a time")
    log = GROUND / "helgrind.log"
    # Under valgrind a vfork is a fork, and its child, when it ends, winds back the files that other threads are reading.
    options = ("--child-silent-after-fork=yes", "--run-libc-freeres=no", "--quiet", f"--log-file={log}")
    helgrind = ("valgrind", "--tool=helgrind", *options)
    build = replace(installed, host_prefix=helgrind)
    with load.stage.watched() as watched:
        with crowd(build) as host, ThreadPoolExecutor(4) as threads:
            runs = threads.map(lambda number: [load.log_in(host, number, load.users[number]) for _ in range(2)], range(4))
            entries = sum(runs, [])
        watch(load, watched)
    assert all(entry.let_in for entry in entries)
    found = culprits(log.read_text())
    log.unlink()
    sources = {path.name for path in (installed.srcdir / "src").rglob("*.c")}
    ours = [place for place in found if place.split(":")[0] in sources or "pam_cognito" in place]
    tell(f"load: helgrind on 4 threads: {len(ours)} data races in the modules, {len(found)} elsewhere")
    assert not ours, ours
