"""Logins by host.c, one or many, and what they took."""

import os
import shutil
import subprocess
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, Sequence

from harness.leftovers import STATE
from harness.machine import GROUND

from .flows import Flow
from .server import Request, Server

# pam_exec's programs have what the host has not taken away, and no host has more than this.
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}

PATIENCE = 300

STEPS = ("resolved", "connected", "secured")


class Failed(Exception):
    """A login that should have been one was none."""


@dataclass
class Login:
    """Times are microseconds. `asked` has those before each question, the code's last; a bare client has that alone."""

    asked: list[int] = field(default_factory=list)
    verdict: int = 0
    wall: int = 0
    cost: int = 0
    memory: list[int] = field(default_factory=list)
    marks: dict[str, int] = field(default_factory=dict)
    connections: int = 0
    requests: list[Request] = field(default_factory=list)
    succeeded: bool = False

    @property
    def prompt(self) -> int:
        return self.asked[-1]

    @property
    def steps(self) -> list[int]:
        """Of the bare client that counts them: TCP connect, TLS handshake, first answer. Each takes one round trip."""
        ends = [self.marks[name] for name in STEPS if name in self.marks] + self.asked[-1:]
        return [end - begin for begin, end in zip(ends, ends[1:])]

    @property
    def names(self) -> Counter[str]:
        return Counter(request.name for request in self.requests)


def parse(output: str) -> Login:
    """What host.c wrote."""
    login = Login()
    for line in output.splitlines():
        word, *rest = line.split()
        if word == "asked":
            login.asked.append(int(rest[0]))
        elif word == "returned":
            login.verdict = int(rest[-1])
            login.succeeded = rest[0] == "0"
        elif word == "memory":
            login.memory.append(int(rest[0]))
        elif word == "ended":
            login.wall = int(rest[1])
            login.succeeded = login.succeeded and rest[0] == "0"
        elif word == "cost":
            login.cost = int(rest[0])
        else:
            login.marks[word] = int(rest[0])
    return login


class Driver:
    """Logs in, against the server; `host` is the command that starts host.c."""

    def __init__(self, host: Sequence[str | Path], server: Server) -> None:
        self._host, self._server = host, server

    def log_in(self, flow: Flow, round_trip: int, times: int = 1) -> Login:
        """One login, or several in one process. Failed if that is not what it should be."""
        self._prepare(flow)
        command = [*self._host, "-n", str(times), *flow.words(round_trip)]
        done = subprocess.run(
            command, env=ENVIRONMENT, cwd=GROUND, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE
        )
        login = parse(done.stdout)
        login.connections, login.requests = self._server.take()
        self._check(flow, login, times, round_trip, done.stdout + done.stderr)
        return login

    def log_in_at_once(self, flow: Flow, count: int) -> list[Login]:
        """Many, each in a process of its own, all beginning together."""
        self._prepare(flow)
        gate, opener = os.pipe()
        command = [*self._host, "-w", *flow.words(0)]
        with self._started([command] * count, gate) as hosts:
            os.close(gate)
            os.close(opener)
            logins = [parse(host.communicate(timeout=PATIENCE)[0]) for host in hosts]
        self._server.take()
        if not all(login.succeeded for login in logins):
            raise Failed(f"{flow.name}: {sum(not login.succeeded for login in logins)} of {count} at once")
        return logins

    @contextmanager
    def _started(self, commands: Sequence[Sequence[str | Path]], gate: int) -> Iterator[list["subprocess.Popen[str]"]]:
        hosts = [
            subprocess.Popen(command, env=ENVIRONMENT, cwd=GROUND, stdin=gate, stdout=subprocess.PIPE, text=True)
            for command in commands
        ]
        try:
            yield hosts
        finally:
            for host in hosts:
                host.kill()
                host.wait()

    def _prepare(self, flow: Flow) -> None:
        """The host has sent no code to this user this hour: nobody logs in so often. With `fresh` it knows nothing at all."""
        if flow.fresh:
            shutil.rmtree(STATE, ignore_errors=True)
        for path in STATE.glob("sends-*"):
            path.unlink()
        flow.install()

    @staticmethod
    def _check(flow: Flow, login: Login, times: int, round_trip: int, output: str) -> None:
        if not login.succeeded or not (flow.command or len(login.asked) == len(flow.typed) * times):
            raise Failed(f"{flow.name} did not let in:\n{output}")
        if any(login.names[name] != times for name in flow.needs) or any(one.status != 200 for one in login.requests):
            raise Failed(f"{flow.name} asked otherwise than it should: {dict(login.names)}")
        # Nobody is faster than the network: who seems so has not waited for Cognito, or the wire is not what it says.
        if min(login.verdict, login.prompt, *login.steps) < round_trip * 1000:
            raise Failed(f"{flow.name} took less than one round trip:\n{output}")
