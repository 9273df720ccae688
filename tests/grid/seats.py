"""Where the logins of the grid are made: host processes side by side, each with a user and service files of its own."""

import pwd
import queue
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Iterable, Iterator

from harness import accounts, leftovers
from harness.build import Build
from harness.codes import NAMES
from harness.machine import GROUND
from harness.people import LOCAL_PASSWORD, PASSWORD, WRONG_PASSWORD
from standin import Standin, User
from standin.journal import Entry
from standin.pool import CodeMessage
from standin.tokens import decode

from .situations import ALL, CODE, CONFIRM, EXEMPT, NO_ANSWER, RIGHT, SIGNED_IN, First, Situation
from .stack import SYSTEM, Line, Stack, text

HIDDEN = "1"  # PAM_PROMPT_ECHO_OFF
SHOWN = "2"  # PAM_PROMPT_ECHO_ON

SEATS = 2

# What runs with the rights of its owner, on behalf of somebody who is not root.
CALLED_BY_USERS = ("su",)

# Quotas would hide what comes after them. send_limit has an upper end, so its count is forgotten now and then.
SEND_LIMIT = 1000
DAY = 86400


@dataclass(frozen=True)
class Case:
    """A login: by these lines, with this first factor, in this situation."""

    stack: Stack
    situation: Situation
    first: First

    def __str__(self) -> str:
        return f"{self.stack}({self.first}, {self.situation})"


@dataclass(frozen=True)
class Outcome:
    """Results by name, without PAM_. `calls` are authenticate and acct_mgmt; `here` and `parent` are setcred and
    open_session with the same handle, and with that of sshd's parent process. `confirmed` and `signed_in` are Cognito's own
    word."""

    calls: tuple[str, ...]
    here: tuple[str, ...]
    parent: tuple[str, ...]
    prompts: tuple[str, ...]
    confirmed: bool
    signed_in: bool

    @property
    def authenticated(self) -> bool:
        return self.calls[0] == "success"

    @property
    def granted(self) -> bool:
        return self.calls == ("success", "success")

    @property
    def let_in(self) -> bool:
        """Wholly, in a host of one process and in sshd."""
        return self.granted and self.here == self.parent == ("success", "success")


@dataclass
class Ledger:
    """What Cognito sent and accepted in the login under way."""

    sent: list[str] = field(default_factory=list)
    confirmed: bool = False
    signed_in: bool = False


class Cognito:
    """The stand-in, asked for what happened in truth."""

    def __init__(self, standin: Standin) -> None:
        self.standin = standin
        self.ledgers: dict[str, Ledger] = {}
        standin.pool.quotas = {}
        standin.pool.on_message = self._sent
        standin.journal.on_answer = self._answered

    def begin(self, user: User, situation: Situation) -> Ledger:
        """A new login of this user; what is gone by is forgotten."""
        self.standin.journal.clear()
        user.calls.clear()
        user.attributes["email_verified"] = "true" if situation.verified else "false"
        self.ledgers[user.username] = Ledger()
        return self.ledgers[user.username]

    def _sent(self, message: CodeMessage) -> None:
        self.standin.pool.outbox.clear()
        self.ledgers[message.user].sent.append(message.code)

    def _answered(self, entry: Entry) -> None:
        """Pick out what was accepted."""
        if entry.status == 200 and entry.operation == "VerifyUserAttribute":
            ledger = self.ledgers[decode(entry.body["AccessToken"]).claims["username"]]
            ledger.confirmed = ledger.confirmed or entry.body["Code"] in ledger.sent
        # Nobody here has a second factor at Cognito: what is no error, is a token.
        if entry.status == 200 and entry.operation == "InitiateAuth":
            self.ledgers[entry.body["AuthParameters"]["USERNAME"]].signed_in = True


class Seat:
    """A host process, and the users who log in there: one to whom codes are sent, and one who is exempt."""

    def __init__(self, number: int, build: Build, cognito: Cognito, program: Path) -> None:
        self._build, self._cognito = build, cognito
        self._ground = GROUND / f"grid-{number}"
        self._pam_d = self._ground / "pam.d"
        self._written: dict[str, str] = {}
        self._sends = 0
        self._user = self._add_user(f"pamcog-grid{number}")
        self.member = self._add_user(f"pamcog-admin{number}")
        # A port at which nobody listens, nor will.
        self._closed = socket.socket()
        self._closed.bind(("127.0.0.1", 0))
        self._furnish()
        self._process = subprocess.Popen(
            [program, self._pam_d],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=build.host_environment(),
            text=True,
        )

    def _add_user(self, name: str) -> User:
        """The same person on this machine and in the pool."""
        accounts.add(name, LOCAL_PASSWORD)
        return self._cognito.standin.pool.add_user(name, PASSWORD, email=f"{name}@example.com")

    def _furnish(self) -> None:
        """The service files that are always there, a token, and a config file for each situation."""
        self._pam_d.mkdir(parents=True)
        for name, content in SYSTEM.items():
            (self._pam_d / name).write_text(content, encoding="utf-8")
        access = self._cognito.standin.pool.access_token(self._user.username)
        access.claims["exp"] += DAY
        token = self._ground / "token"
        token.write_text(str(access), encoding="utf-8")
        token.chmod(0o600)
        usual = {
            **self._cognito.standin.config(), "token": f"file:{token}", "signin_flow": "password",
            "send_limit": str(SEND_LIMIT), "max_tries": "1", "max_sends": "1",
        }  # fmt: skip
        nowhere = f"https://127.0.0.1:{self._closed.getsockname()[1]}"
        for situation in (*ALL, SIGNED_IN):
            config = {**usual, **{key: value.format(nowhere=nowhere) for key, value in situation.config}}
            self._conf(situation).write_text("".join(f"{key} = {value}\n" for key, value in config.items()))
            self._conf(situation).chmod(0o600)

    def _conf(self, situation: Situation) -> Path:
        return self._ground / f"{situation.name.replace(' ', '-')}.conf"

    def log_in(self, case: Case) -> Outcome:
        """Make the login, and see what comes of it."""
        user = self.member if case.situation is EXEMPT else self._user
        # sshd, login and sudo call PAM as root.
        caller = pwd.getpwnam(user.username).pw_uid if case.stack.service in CALLED_BY_USERS else 0
        self._lay_down(case)
        ledger = self._cognito.begin(user, case.situation)
        self._say("\t".join((case.stack.service, user.username, str(caller), case.first.key)))
        prompts: list[str] = []
        results: dict[str, tuple[str, ...]] = {}
        while (said := self._hear()) != ["end"]:
            if said[0] == "?":
                prompts.append(said[2])
                self._say(self._answer(said[1], said[2], case, ledger))
            else:
                results[said[0]] = tuple(NAMES[int(code)].removeprefix("PAM_").lower() for code in said[1:])
        self._forget_sends(len(ledger.sent))
        here, parent = results.get("here", ()), results.get("parent", ())
        return Outcome(results["decided"], here, parent, tuple(prompts), ledger.confirmed, ledger.signed_in)

    def _lay_down(self, case: Case) -> None:
        """The service's files, with the modules under test in them and the config file of the situation."""
        for name, lines in case.stack.files:
            content = text(tuple(self._located(line, case.situation) for line in lines))
            if self._written.get(name) != content:
                (self._pam_d / name).write_text(content, encoding="utf-8")
                self._written[name] = content

    def _located(self, line: Line, situation: Situation) -> Line:
        if line.module not in (CODE, CONFIRM):
            return line
        # The guard has nothing to do with the situation.
        conf = self._conf(situation if line.phase == "auth" else RIGHT)
        more = (f"conf={conf}",) if line.module == CODE else ()
        return replace(line, module=str(self._build.pamdir / line.module), arguments=line.arguments + more)

    def _answer(self, style: str, text: str, case: Case, ledger: Ledger) -> str:
        if style == HIDDEN:
            local = LOCAL_PASSWORD if case.first.password else WRONG_PASSWORD
            return f"={PASSWORD if case.situation is SIGNED_IN else local}"
        if style != SHOWN:
            return "0"
        answer = case.situation.answer(ledger.sent[-1])
        if isinstance(answer, str):
            return f"={answer}"
        return "0" if answer is NO_ANSWER else "!"

    def _forget_sends(self, count: int) -> None:
        """The state on this host counts the codes, and has an upper end."""
        self._sends += count
        if self._sends > SEND_LIMIT / 2:
            for path in leftovers.STATE.glob(f"sends-*{self._user.username}*"):
                path.unlink()
            self._sends = 0

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _hear(self) -> list[str]:
        """A line of the host's, in words; a message of a module is one word."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, f"the host ended with {self._process.wait()}"
        return line.rstrip("\n").split(" ", 2 if line.startswith("?") else -1)

    def end(self) -> None:
        """The host ends with its orders."""
        self._process.communicate()
        assert self._process.returncode == 0
        self._closed.close()


class Seats:
    """Some seats, among which the logins are dealt out."""

    def __init__(self, build: Build, standin: Standin, program: Path) -> None:
        # Sessions would run the machine's own scripts, and a file may be missing.
        shutil.rmtree("/etc/update-motd.d", ignore_errors=True)
        Path("/etc/default/locale").touch()
        cognito = Cognito(standin)
        self._helper = build.helper
        self._seats = [Seat(number, build, cognito, program) for number in range(SEATS)]
        self._free: queue.SimpleQueue[Seat] = queue.SimpleQueue()
        for seat in self._seats:
            self._free.put(seat)

    @property
    def members(self) -> list[str]:
        """Those who have to be in EXEMPT_GROUP."""
        return [seat.member.username for seat in self._seats]

    def log_in(self, cases: Iterable[Case]) -> Iterator[Outcome]:
        """The outcomes, in the order of the cases."""
        with ThreadPoolExecutor(SEATS) as threads:
            yield from threads.map(self._one, cases)

    def _one(self, case: Case) -> Outcome:
        seat = self._free.get()
        try:
            return seat.log_in(case)
        finally:
            self._free.put(seat)

    def end(self) -> None:
        """Afterwards nothing of them runs any more."""
        for seat in self._seats:
            seat.end()
        leftovers.wait_for_no_helper(self._helper)
