"""Hosts as they should not be and yet are: out of descriptors and memory, without the first three, under a hail of signals, with
children of their own to wait for. Each login ends well, or is denied with a reason; the process is as before after each call.
"""

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

import pytest
from harness import leftovers, outcome
from harness.accounts import Account
from harness.crowd import Crowd, Entry, crowd
from harness.machine import covered, passable
from harness.people import LOCAL_PASSWORD, PASSWORD, USER
from harness.stage import Stage
from standin import Standin, User, faults

SERVICE = "pamcog-odd"
ASKED_FOR_NAME = "login:"  # libpam's own prompt
ASKS_FIRST = "auth optional pam_unix.so nodelay\n"

DENIALS = {
    "PAM_AUTH_ERR", "PAM_AUTHINFO_UNAVAIL", "PAM_BUF_ERR", "PAM_CONV_ERR", "PAM_MAXTRIES", "PAM_SERVICE_ERR", "PAM_SYSTEM_ERR",
}  # fmt: skip


class OddHosts:
    """Logs in within a host that behaves in that way."""

    def __init__(self, stage: Stage, standin: Standin) -> None:
        self.stage, self.standin = stage, standin
        self.token = stage.write_secret("odd.token", str(standin.pool.access_token(USER)))
        config = {**standin.config(), "token": f"file:{self.token}", "send_limit": 1000}
        self.config = stage.add_service(SERVICE, **config)
        stage.add_service(f"{SERVICE}-first", first=ASKS_FIRST, **config)
        stage.add_service(f"{SERVICE}-srp", **{**config, "token": "signin"})
        self.log: list[dict[str, str]] = []

    def log_in(
        self,
        *manners: str,
        service: str = SERVICE,
        user: str = USER,
        meanwhile: Callable[[Crowd, str], None] = lambda host, prompt: None,
    ) -> tuple[Entry, dict[str, int]]:
        """`meanwhile` is called before each answer. What was seen of signals and children comes back too."""
        standin = self.standin
        with self.stage.watched() as watched:
            with crowd(self.stage.build) as host:

                def answer(prompt: str) -> str:
                    meanwhile(host, prompt)
                    if prompt.rstrip() == ASKED_FOR_NAME:
                        return USER
                    if prompt.endswith("Password: "):
                        return LOCAL_PASSWORD if service.endswith("-first") else PASSWORD
                    return standin.pool.outbox[-1].code

                host.behave(*manners, "compare")
                entry = host.log_in(0, service, user, answer)
                host.behave("quiet")
                report = host.report()
            watched.typed = [PASSWORD, LOCAL_PASSWORD, *(message.code for message in standin.pool.outbox)]
        self.log = outcome.read_all(watched.log)
        assert not entry.changes, entry.changes
        return entry, report

    def check_clean(self, entry: Entry, what: str) -> None:
        """Let in, or denied with a reason that the administrator can read."""
        told = f"{what}: {entry} {self.log}"
        if entry.let_in:
            assert [line["result"] for line in self.log] == ["pending", "confirmed"], told
        else:
            assert list(entry.codes) == ["authenticate"] and entry.code in DENIALS, told
            assert self.log and self.log[-1]["result"] not in ("confirmed", "pending", "passed"), told


@pytest.fixture
def odd(stage: Stage, standin: Standin, user: User) -> OddHosts:
    standin.pool.quotas = {}
    return OddHosts(stage, standin)


WELL: dict[str, tuple[str, ...]] = {
    "nothing special": (),
    "counts its children": ("children count",),
    "ignores its children": ("children ignore",),
    "forgets its children": ("children forget",),
    "reaps its children": ("children reap",),
    "blocks all signals": ("block",),
    "ignores all signals": ("ignore",),
    "1,100 descriptors": ("descriptors 1100",),
    **{f"{closed} closed": (f"close {closed}",) for closed in ("0", "1", "2", "01", "02", "12", "012", "3", "0123", "13")},
    "0123 closed and all ignored": ("close 0123", "children ignore", "ignore"),
    "umask 777": ("umask 777",),
    "umask 0": ("umask 0",),
    "no environment": ("clearenv",),
    "threads of 96 KiB": ("stack 98304",),
    "one second of CPU": ("limit CPU 1",),
    "no locked memory": ("limit MEMLOCK 0",),
    "no queued signals": ("limit SIGS 0",),
    "no message queues": ("limit MSGQ 0",),
    "no processes": ("limit NPROC 4",),
}


@pytest.mark.parametrize("service", [SERVICE, f"{SERVICE}-srp"], ids=["token", "signin"])
@pytest.mark.parametrize("what", WELL)
def test_odd_host(odd: OddHosts, what: str, service: str) -> None:
    """It gets its login, and no signal and no child that is not its own."""
    entry, report = odd.log_in(*WELL[what], service=service)
    assert entry.let_in, f"{entry} {odd.log}"
    assert (report["deaths"], report["reaped"]) == (0, 0)


@pytest.mark.parametrize("what", WELL)
def test_helper_missing_in_an_odd_host(odd: OddHosts, ground: Path, what: str) -> None:
    """There too the log says which file it is and what is wrong with it, and the host gets no signal and no child."""
    build = odd.stage.build
    with covered(build.helper.parent, ground):
        entry, report = odd.log_in(*WELL[what])
    assert entry.codes == {"authenticate": "PAM_SERVICE_ERR"}, f"{entry} {odd.log}"
    assert f"{build.helper}: No such file or directory" in odd.log[-1]["why"]
    assert (report["deaths"], report["reaped"]) == (0, 0)


def test_host_that_reaps_really_all(odd: OddHosts) -> None:
    """Also what sends no SIGCHLD, with __WALL: such a host may see our starter, which is no harm to either."""
    entry, report = odd.log_in("children reap-all")
    assert entry.let_in, f"{entry} {odd.log}"
    assert report["reaped"] <= 1


@pytest.mark.parametrize("how", ["restart", "plain"])
@pytest.mark.parametrize("service", [SERVICE, f"{SERVICE}-srp"], ids=["token", "signin"])
def test_a_thousand_signals_a_second(odd: OddHosts, service: str, how: str) -> None:
    """With and without SA_RESTART: every wait is interrupted again and again, and none ends early or late."""
    for operation in ("jwks", "InitiateAuth", "GetUserAttributeVerificationCode", "VerifyUserAttribute"):
        odd.standin.faults.add(operation, faults.delay(0.2), None)
    entry, report = odd.log_in(f"ticks {how}", service=service)
    assert entry.let_in, f"{entry} {odd.log}"
    assert report["ticks"] > 100
    assert entry.longest_ms < 2000 * odd.stage.build.slowness


@pytest.mark.parametrize("how", ["restart", "plain"])
def test_deadline_under_signals(odd: OddHosts, how: str) -> None:
    """A signal does not start a wait anew."""
    odd.standin.faults.add("VerifyUserAttribute", faults.delay(20), None)
    odd.config.write_text(odd.config.read_text() + "request_timeout = 1\n")
    entry, report = odd.log_in(f"ticks {how}")
    assert entry.code == "PAM_AUTHINFO_UNAVAIL" and report["ticks"] > 100
    assert 900 < entry.longest_ms <= 2000 * odd.stage.build.slowness


@pytest.mark.parametrize("how", ["restart", "plain"])
def test_helper_stopped_under_signals(odd: OddHosts, how: str) -> None:
    """Neither in the host, which waits half a second longer than its helper should."""

    def stop(host: Crowd, prompt: str) -> None:
        for helper in leftovers.helpers(odd.stage.build.helper):
            os.kill(helper, signal.SIGSTOP)

    odd.config.write_text(odd.config.read_text() + "request_timeout = 1\n")
    entry, report = odd.log_in(f"ticks {how}", meanwhile=stop)
    assert entry.code == "PAM_AUTHINFO_UNAVAIL" and report["ticks"] > 100
    assert 900 < entry.longest_ms <= 2000 * odd.stage.build.slowness


# Limits next to what is used


@dataclass(frozen=True)
class Limit:
    """A limit, and the values that are tried, from next to nothing to enough."""

    name: str
    values: tuple[str, ...]
    enough: bool = True  # the last one is


LIMITS = (
    Limit("NOFILE", tuple(f"+{n}" for n in range(13))),
    Limit("AS", tuple(f"+{n}" for n in (0, 4096, 16384, 65536, 131072, 262144, 524288, 1 << 20, 4 << 20, 16 << 20, 64 << 20))),
    Limit("DATA", ("0", "4096", "1048576", "1073741824")),
    Limit("FSIZE", ("0", "1", "100", "4096", "1048576")),
    Limit("STACK", ("0", "4096", "65536", "131072", "262144", "1048576")),
    Limit("NPROC", ("0", "1", "4096")),
)

# Where in a login the limit comes down: before the module runs, or while the code is asked for.
MOMENTS = {
    "before the module": (f"{SERVICE}-first", USER, "Password:"),
    "before the helper": (SERVICE, "-", ASKED_FOR_NAME),
    "at the code": (SERVICE, USER, "Code (empty for a new one):"),
}


def try_limit(odd: OddHosts, limit: Limit, moment: str, *manners: str) -> list[bool]:
    """For each value whether it ended in a login; the other ends were good ones."""
    service, user, awaited = MOMENTS[moment]
    let_in = []
    for value in limit.values:

        def lower(host: Crowd, prompt: str) -> None:
            if prompt.rstrip().endswith(awaited):
                host.behave(f"limit {limit.name} {value}")

        entry, _ = odd.log_in(*manners, service=service, user=user, meanwhile=lower)
        odd.check_clean(entry, f"{limit.name} {value} {moment}")
        let_in.append(entry.let_in)
    return let_in


@pytest.mark.uninstrumented
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_tiny_limit(odd: OddHosts, tell: Callable[[str], None], limit: Limit, moment: str) -> None:
    """It ends in a login or in a denial with a reason, and where there is enough, in a login."""
    let_in = try_limit(odd, limit, moment)
    tell(f"hosts: {limit.name} {moment}: {let_in.count(True)} logins, {let_in.count(False)} denials")
    assert let_in[-1]


@pytest.fixture
def as_user(odd: OddHosts, account: Account) -> Iterator[OddHosts]:
    """Files that such a host may use: its own."""
    for path in (odd.config, odd.token):
        os.chown(path, account.id, account.id)
    build = odd.stage.build
    with passable(build.helper), passable(build.pamdir / "x"):
        yield odd


@pytest.mark.uninstrumented
@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_tiny_limit_of_a_user(as_user: OddHosts, account: Account, tell: Callable[[str], None], limit: Limit) -> None:
    """A host that is not root has limits that its helper cannot raise either."""
    let_in = try_limit(as_user, limit, "before the helper", f"become {account.id}")
    tell(f"hosts: {limit.name} of a user: {let_in.count(True)} logins, {let_in.count(False)} denials")
    assert let_in[-1]
