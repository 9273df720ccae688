"""Many logins side by side, each against a stand-in of its own, and what became of them.

A lane is a stand-in with a service for each call of a login: the way to that call, with as few calls before it as there
can be. All lanes share one host process.
"""

import itertools
import queue
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

from standin import SigningKey, Standin, faults
from standin.faults import CONNECT, Fault

from . import outcome
from .build import Build
from .crowd import Crowd, Entry, crowd
from .leftovers import STATE
from .machine import GROUND
from .people import EMAIL, PASSWORD, PHONE
from .stage import Stage, Watched
from .tap import Tap


def timeout_of(build: Build) -> int:
    """Seconds, of a connection and of a call. An honest login must be done by then on a busy machine too."""
    return 2 if build.slowness == 1 else 5


@dataclass(frozen=True)
class Call:
    """A call of a login: the operation, the config that leads to it, and the operation before it."""

    name: str
    config: dict[str, Any]
    before: str | None
    mfa: tuple[str, ...] = ()

    @property
    def idempotent(self) -> bool:
        """It may be sent again where nobody knows whether it arrived."""
        return self.name in ("jwks", "GetUser")


BY_TOKEN = {"token": f"file:{GROUND}/tokens/%u"}
BY_PASSWORD = {"signin_flow": "password"}

CALLS = {
    call.name: call
    for call in (
        Call("jwks", BY_TOKEN, None),
        Call("InitiateAuth", BY_PASSWORD, "jwks"),
        Call("RespondToAuthChallenge", BY_PASSWORD, "InitiateAuth", ("SMS_MFA",)),
        Call("GetUser", {**BY_TOKEN, "when": "unverified"}, "jwks"),
        Call("GetUserAttributeVerificationCode", BY_TOKEN, "jwks"),
        Call("VerifyUserAttribute", BY_TOKEN, "GetUserAttributeVerificationCode"),
    )
}


@dataclass
class Run:
    """One login with one fault."""

    call: Call
    what: str
    user: str
    entry: Entry
    operations: list[str]
    application: int | None
    secrets: list[str]
    log: list[dict[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.call.name}: {self.what}"

    @property
    def sent_twice(self) -> bool:
        """Something else than a request that may be repeated."""
        counts = {name: self.operations.count(name) for name in self.operations}
        return any(count > (2 if CALLS[name].idempotent else 1) for name, count in counts.items() if name in CALLS)


class Lane:
    """One stand-in, and the services that lead to it."""

    host: Crowd

    def __init__(self, number: int, stage: Stage, standin: Standin, tap: Tap | None) -> None:
        self.number, self.standin, self.tap = number, standin, tap
        self._users = itertools.count()
        endpoint = {"endpoint": f"https://127.0.0.1:{tap.port}"} if tap else {}
        limits = dict.fromkeys(("connect_timeout", "request_timeout"), timeout_of(stage.build))
        for call in CALLS.values():
            stage.add_service(self._service(call), **{**standin.config(), **limits, **endpoint, **call.config})

    def _service(self, call: Call) -> str:
        """libpam reads the name in small letters."""
        return f"pamcog-{self.number}-{call.name.lower()}"

    def run(
        self,
        call: Call,
        what: str,
        fault: Fault = Fault(),
        connect: Fault | None = None,
        prepare: Callable[["Lane"], None] | None = None,
        code: Callable[[str], str] = str,
    ) -> Run:
        """Log in, with a fault of that call for ever, or of every connection from that call on.

        `code` makes of the right code what is typed.
        """
        self._renew()
        user = self._add_user(call)
        self.standin.faults.add(call.name, fault, None)
        if connect:
            self._break_connections(call, connect)
        if prepare:
            prepare(self)
        entry = self.host.log_in(self.number, self._service(call), user, lambda prompt: self._answer(prompt, code))
        pool, journal = self.standin.pool, self.standin.journal
        secrets = [message.code for message in pool.outbox] + [self._tokens.pop(user)]
        application = sum(one.application for one in self.tap.passed) if self.tap else None
        return Run(call, what, user, entry, journal.operations(), application, secrets)

    def _renew(self) -> None:
        standin = self.standin
        standin.faults.clear()
        standin.journal.clear()
        standin.pool.users.clear()
        standin.pool.outbox.clear()
        if self.tap:
            self.tap.reset()
        # With the keys of the login before there would be no call for them.
        for kept in STATE.glob(f"keys-*127.0.0.1:{self.tap.port if self.tap else standin.port}*"):
            kept.unlink()

    _tokens: dict[str, str]

    def _add_user(self, call: Call) -> str:
        name = f"lane{self.number}-{next(self._users)}"
        user = self.standin.pool.add_user(name, PASSWORD, email=EMAIL, phone_number=PHONE)
        user.mfa = list(call.mfa)
        token = str(self.standin.pool.access_token(name))
        path = GROUND / "tokens" / name
        path.touch(mode=0o600)
        path.write_text(token)
        self._tokens = {name: token}
        return name

    def _break_connections(self, call: Call, connect: Fault) -> None:
        """The call before this one is the last on its connection; those after it are broken."""
        if call.before:
            self.standin.faults.add(call.before, faults.last_reply())
            self.standin.faults.add(CONNECT, Fault())
        self.standin.faults.add(CONNECT, connect, None)

    def _answer(self, prompt: str, code: Callable[[str], str]) -> str:
        right = self.standin.pool.outbox[-1].code if self.standin.pool.outbox else ""
        return PASSWORD if prompt == "Password: " else code(right)


class Lanes:
    """Gives each job a lane that is free, several at a time."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = lanes
        self._free: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        for lane in lanes:
            self._free.put(lane)

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes)

    def run_all(self, jobs: Sequence[Callable[[Lane], Run]]) -> list[Run]:
        with ThreadPoolExecutor(len(self._lanes)) as threads:
            return list(threads.map(self._run, jobs))

    def _run(self, job: Callable[[Lane], Run]) -> Run:
        lane = self._free.get()
        try:
            return job(lane)
        finally:
            self._free.put(lane)


@contextmanager
def lanes(stage: Stage, keys: list[SigningKey], count: int, tapped: bool = False) -> Iterator[tuple[Lanes, list[Run]]]:
    """So many lanes, for as long as the block lasts. Put the runs into the list: after it they have their log."""
    runs: list[Run] = []
    (GROUND / "tokens").mkdir(exist_ok=True)
    with ExitStack() as stack:
        standins = [stack.enter_context(Standin(_new_folder(), keys=keys)) for _ in range(count)]
        taps = [Tap(standin.port) if tapped else None for standin in standins]
        for tap in filter(None, taps):
            stack.callback(tap.close)
        made = [Lane(number, stage, *pair) for number, pair in enumerate(zip(standins, taps))]
        with stage.watched() as watched:
            with crowd(stage.build) as host:
                for lane in made:
                    lane.host = host
                    # What denies later on is the fault, and not the lane.
                    assert lane.run(CALLS["VerifyUserAttribute"], "nothing").entry.let_in
                yield Lanes(made), runs
            watched.typed = [PASSWORD, *(secret for run in runs for secret in run.secrets)]
    _read_log(watched, runs)
    for path in (GROUND / "tokens").iterdir():
        path.unlink()


def _new_folder() -> Path:
    """An empty one, which the helper may read."""
    folder = Path(tempfile.mkdtemp(dir=GROUND))
    folder.chmod(0o755)
    return folder


def _read_log(watched: Watched, runs: list[Run]) -> None:
    """Each run's outcomes: every one has a user of its own."""
    told: dict[str, list[dict[str, str]]] = {}
    for line in outcome.read_all(watched.log):
        told.setdefault(line["user"], []).append(line)
    for run in runs:
        run.log = told.get(run.user, [])
