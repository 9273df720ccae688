"""Where the logins happen: a private view of the machine with a stand-in, a host process, and the board between them."""

import ctypes
import os
import shutil
import signal
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness import accounts, codes
from harness.build import Build
from harness.leftovers import STATE
from harness.machine import GROUND
from harness.people import LOCAL_PASSWORD, OTHER, PASSWORD, RUNNER, USER
from harness.stage import SERVICE, Stage
from standin import Standin
from standin.pool import two_keys

from . import board
from .flows import ATTRIBUTES, Flow, right
from .hostprocess import Host

PR_SET_CHILD_SUBREAPER = 36

GROUP = "pamcog-exempt"
EMPTY_GROUP = "pamcog-nobody"
CLIENT_SECRET = "the-app-client-s-secret"

OPERATIONS = ("InitiateAuth", "GetUser", "GetUserAttributeVerificationCode", "VerifyUserAttribute")

# struct state_head: magic, boot id, time, number, length of the key, check.
HEAD = "=8s40sqIIQ"

# The deadlines of the modules, in seconds, and what the test gives a whole login beyond the last of them.
TIMES = {"connect_timeout": 2, "request_timeout": 4, "code_timeout": 10}
PATIENCE = 20.0

# How long a program may take to end once its peer has gone.
FAREWELL = 2.0

# What the helper takes at most to have the keys.
CONNECTING = 0.25


@dataclass(frozen=True)
class Fault:
    """The nth call of a function in a role fails in one of its ways; or, with `after`, so manyeth call of any function
    after the first fault. `failure` counts modulo the number of the ways."""

    failure: int
    role: int = 0
    call: int = 0
    nth: int = 0
    after: int = 0


@dataclass
class Login:
    """What was seen of one."""

    flow: Flow
    verdicts: list[tuple[str, str, bool]] = field(default_factory=list)  # step, code, whether it has logged
    codes: tuple[str, ...] = ()
    texts: list[tuple[int, str]] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    log: str = ""
    met: list[str] = field(default_factory=list)  # the faults that came to pass
    differs: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)  # programs that died of a signal
    stack: list[str] = field(default_factory=list)  # where one was then
    late: list[str] = field(default_factory=list)  # programs that did not end when the login did
    died: str = ""  # how the host ended, which was not to end
    seconds: float = 0.0
    sent: int = 0
    accepted: int = 0
    recorded: bool = False  # the handle got a record
    asked: int = 0  # requests with an access token
    signed_in: bool = False
    looked_up: bool = False
    secrets: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)  # of the modules' state
    counted: int = 0  # codes, by those files

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(code for _, code, _ in self.verdicts)


class Bench:
    """One at a time in a process, which has to be in its private view of the machine already."""

    def __init__(self, folder: Path, sources: Path, helper_user: str) -> None:
        self.rows = board.rows()
        self.board = board.make()
        self._folder = folder
        self._modules = folder / ".libs"
        for name in (helper_user, USER, RUNNER):
            if not accounts.exists(name):
                accounts.add(name, LOCAL_PASSWORD if name == USER else None)
        accounts.add_group(GROUP, [USER])
        accounts.add_group(EMPTY_GROUP, [])
        self.standin = Standin(GROUND / "faults-standin")
        self.standin.start()
        build = Build(
            pamdir=self._modules,
            helper=folder / "pam-cognito-helper",
            command=folder / "pam-cognito-command",
            check=folder,
            conf=folder,
            mandir=folder,
            srcdir=sources,
            helper_user=helper_user,
            host_prefix=(),
            host_preload="",
        )
        self._stage = Stage(build, None, self.standin)  # type: ignore[arg-type] # nobody watches the log here
        self._user = self.standin.pool.add_user(USER, PASSWORD, **ATTRIBUTES)
        self.standin.pool.add_user(OTHER, PASSWORD, **ATTRIBUTES)
        self._other_pool = self.standin.add_pool(keys=two_keys())
        self._other_pool.add_user(USER, PASSWORD, **ATTRIBUTES)
        self._pristine = dict(self._user.attributes)
        self._host: Host | None = None
        self._flow: Flow | None = None
        self._files: dict[str, bytes] = {}
        self._counted = 0
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def close(self) -> None:
        if self._host:
            self._host.end()
        self.standin.stop()

    # A flow

    def enter(self, flow: Flow) -> None:
        """From now on logins are of this flow."""
        self._flow = flow
        self._files = {}
        words = {"ground": str(GROUND), "runner": RUNNER, "group": GROUP, "empty_group": EMPTY_GROUP}
        filled = {key: value.format(**words) if isinstance(value, str) else value for key, value in flow.config.items()}
        has_secret = "client_secret_file" in flow.config
        self.standin.pool.clients[self.standin.pool.client_id].secret = CLIENT_SECRET if has_secret else None
        self._stage.write_secret("client-secret", CLIENT_SECRET)
        self._write_command()
        self._stage.write_config(**{**TIMES, **filled})
        first = self._stage.write_secret("first-factor", {"item": self._token(), "password": PASSWORD}.get(flow.token or "", ""))
        module = self._modules / "pam_first_factor.so"
        self._stage.write_stack(flow.stack.replace("pam_first_factor.so", f"{module} {first}"))
        if flow.known:
            once = replace(flow, answers=(right,))
            self._empty_state()
            self.log_in(flow=once)
            self._files = {path.name: path.read_bytes() for path in STATE.iterdir()}

    def _token(self) -> str:
        assert self._flow
        pool = self._other_pool if self._flow.whose == "another pool" else self.standin.pool
        user = OTHER if self._flow.whose == "another user" else USER
        token = pool.access_token(user, self.standin.pool.client_id)
        if self._flow.whose == "forged":
            token.key = self._other_pool.keys[0]
        return str(token)

    def _write_command(self) -> None:
        path = GROUND / "token-command"
        path.write_text(f"#!/bin/sh\necho '{self._token()}'\n", encoding="utf-8")
        path.chmod(0o755)

    def _empty_state(self) -> None:
        shutil.rmtree(STATE, ignore_errors=True)
        if self._files:
            STATE.mkdir(mode=0o700)
        for name, content in self._files.items():
            (STATE / name).write_bytes(content)
            (STATE / name).chmod(0o600)

    def _renew_pool(self, flow: Flow) -> None:
        standin, user, pool = self.standin, self._user, self.standin.pool
        standin.clock.advance(time.time() - standin.clock.now())
        standin.faults.clear()
        standin.journal.clear()
        pool.sessions.clear()
        pool.outbox.clear()
        pool.aliases = {"email"}
        user.attributes.clear()
        user.attributes.update(self._pristine)
        for one in (one for pool in standin.pools.values() for one in pool.users.values()):
            one.codes.clear()
            one.calls.clear()
        user.failures, user.locked_until, user.mfa = 0, 0.0, []
        flow.set_up(standin, user)

    # A login

    def log_in(self, *faults: Fault, lenient: bool = True, deep: bool = False, flow: Flow | None = None) -> Login:
        """With these faults. `lenient`: the modules kill nobody, so that it is seen how programs end by themselves. `deep`:
        calls of library_malloc count."""
        flow = flow or self._flow
        assert flow
        self._renew_pool(flow)
        if flow.token == "file":
            self._stage.write_secret("token", self._token())
        self._empty_state()
        self._counted = _counted()
        self._write_orders(faults, lenient, deep)
        login = Login(flow)
        began = time.monotonic()
        self._talk(login)
        login.seconds = time.monotonic() - began
        self._wait_for_programs(login)
        self.standin.wait_for_silence()
        self._read_board(login, len(faults))
        self._read_journal(login)
        login.files = sorted(path.name for path in STATE.iterdir()) if STATE.exists() else []
        login.counted = _counted() - self._counted
        self._undo_time(flow)
        return login

    def _undo_time(self, flow: Flow) -> None:
        """A token that is made before the next login must be of this time."""
        self.standin.clock.advance(time.time() - self.standin.clock.now())

    def _write_orders(self, faults: tuple[Fault, ...], lenient: bool, deep: bool) -> None:
        head = board.Board.records.offset
        ctypes.memset(ctypes.addressof(self.board), 0, head)
        for name in ("data_set", "verdict_count", "log_length", "started", "ended", "left_length", "crash_length"):
            setattr(self.board, name, 0)
        self.board.lenient, self.board.deep = int(lenient), int(deep)
        for order, fault in zip(self.board.orders, faults):
            order.role, order.call, order.nth, order.after = fault.role, fault.call, fault.nth, fault.after
            order.failure, order.due = fault.failure, 1

    def _talk(self, login: Login) -> None:
        if self._host is None:
            names = ("cognito_code", "cognito_confirm", "cognito_prepare", "first_factor")
            modules = [self._modules / f"pam_{name}.so" for name in names]
            self._host = Host(self._folder / "host", modules)
        flow = login.flow
        variable = f"TOKEN={self._token()}" if flow.token == "variable" else "-"
        if flow.token == "variable":
            login.secrets.append(variable[6:])
        answers = list(flow.answers)
        self._host.tell(f"login {SERVICE} {USER} {flow.rhost or '-'} {variable}")
        while line := self._host.hear(PATIENCE):
            word, _, rest = line.partition(" ")
            if word == "ask":
                style, _, text = rest.partition(" ")
                text = text.replace("\\n", "\n").replace("\\\\", "\\")
                login.texts.append((int(style), text))
                self._host.tell(self._answer(login, int(style), text, answers))
            elif word == "differs":
                login.differs.append(rest)
            elif word == "done":
                login.codes = tuple(codes.NAMES[int(code)] for code in rest.split())
                return
        login.died = self._host.end()
        self._host = None

    def _answer(self, login: Login, style: int, text: str, answers: list) -> str:
        if style > 2:
            return "null"
        if text.endswith("assword: "):
            if login.flow.left_alone:
                self._wait_for_goodbye()
            login.typed.append(login.flow.password)
            return f"={login.flow.password}"
        if text.endswith("Number: "):
            return f"={login.flow.number}"
        if text.endswith("Code: "):
            login.typed.append(right(self.standin))
            return f"={login.typed[-1]}"
        if not answers:
            return f"code {codes.NAMES.index('PAM_CONV_ERR')}"
        answer = answers.pop(0)
        login.typed.append(answer if isinstance(answer, str) else answer(self.standin))
        return f"={login.typed[-1]}"

    def _wait_for_goodbye(self) -> None:
        """Until the server has closed the connection over which the keys came. A fault may have kept them away."""
        with suppress(TimeoutError):
            self.standin.journal.wait_for("jwks", timeout=CONNECTING, answered=True)
            self.standin.wait_for_silence()

    def _wait_for_programs(self, login: Login) -> None:
        """Orphans come to this process. None of them may be there for long."""
        end = time.monotonic() + FAREWELL
        while left := [pid for pid in _children() if self._host is None or pid != self._host.pid]:
            late = time.monotonic() > end
            for pid in left:
                name = _name(pid)
                if late:
                    os.kill(pid, signal.SIGKILL)
                ended, status = os.waitpid(pid, 0 if late else os.WNOHANG)
                if late:
                    login.late.append(name)
                elif ended and os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGKILL:
                    login.crashes.append(f"{name} died of {signal.Signals(os.WTERMSIG(status)).name}")
            time.sleep(0.0005)

    def _read_board(self, login: Login, faults: int) -> None:
        seen = self.board
        login.log = seen.log[: min(seen.log_length, board.LOG)].decode("utf-8", "replace")
        for verdict in seen.verdicts[: seen.verdict_count]:
            told = verdict.log_after > verdict.log_before
            login.verdicts.append((board.STEPS[verdict.step], codes.NAMES[verdict.code], told))
        login.recorded = seen.data_set > 0
        login.left = seen.left[: min(seen.left_length, board.LEFT)].decode("ascii", "replace").splitlines()
        if seen.crash_length:
            login.stack = seen.crash[: min(seen.crash_length, board.CRASH)].decode().split()
        for order in seen.orders[:faults]:
            if order.met:
                row = self.rows[order.met_call]
                login.met.append(
                    f"{board.ROLES[order.met_role]} {row.name} {row.failures[order.met_failure]} "
                    f"at 0x{order.met_site:x} (call {order.met})"
                )

    def _read_journal(self, login: Login) -> None:
        done = [entry for entry in self.standin.journal.requests() if entry.status == 200]
        count = {name: sum(entry.operation == name for entry in done) for name in OPERATIONS}
        login.sent, login.accepted = count["GetUserAttributeVerificationCode"], count["VerifyUserAttribute"]
        login.signed_in, login.looked_up = count["InitiateAuth"] > 0, count["GetUser"] > 0
        bodies = [entry.body for entry in self.standin.journal.requests() if isinstance(entry.body, dict)]
        login.asked = sum("AccessToken" in body for body in bodies)
        login.secrets += [body["AccessToken"] for body in bodies if "AccessToken" in body]
        login.secrets += [message.code for message in self.standin.pool.outbox]
        login.secrets += [login.flow.password, CLIENT_SECRET, *filter(None, login.typed)]


def _counted() -> int:
    """How many codes this host has counted: the slots of budget.c that are not empty, behind the head and key of state.h."""
    total = 0
    for path in STATE.glob("sends-*"):
        content = path.read_bytes()
        head = struct.calcsize(HEAD)
        if len(content) > head:
            key_length = struct.unpack_from(HEAD, content)[4]
            slots = content[head + key_length :]
            total += sum(any(slots[at : at + 8]) for at in range(0, len(slots), 8))
    return total


def _children() -> list[int]:
    """Of all threads of this process."""
    found: list[int] = []
    for thread in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{thread}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
        except OSError:
            continue
    return found


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "?"
