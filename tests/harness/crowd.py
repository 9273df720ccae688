"""The other end of crowd/crowd.c: a host process with many logins at once, and with the oddities of hosts."""

import os
import queue
import re
import socket
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator

import pytest

from .build import Build, variable
from .codes import NAMES

ASK = re.compile(r"(?P<ms>\d+) (?P<style>\d) (?P<text>.*)", re.DOTALL)

# What is typed; None is no answer at all.
Answer = Callable[[str], str | None]


@dataclass
class Entry:
    """A login as it went: what each call returned, in order, what was asked, and what took how long."""

    codes: dict[str, str] = field(default_factory=dict)
    prompts: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    longest_ms: int = 0

    @property
    def let_in(self) -> bool:
        return list(self.codes.values()) == ["PAM_SUCCESS"] * 4

    @property
    def code(self) -> str:
        """What the last call returned."""
        return list(self.codes.values())[-1]


class Ended(AssertionError):
    """The host is no more."""


class Crowd:
    """A running host process. `log_in` may be called from many threads at once, each with a number of its own."""

    def __init__(self, build: Build, environment: dict[str, str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*build.host_prefix, program("CROWD"), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**build.host_environment(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        self._socket = ours
        self._patience = 5 * build.patience
        self._lock = threading.Lock()
        self._heard: dict[str, queue.SimpleQueue[str]] = {}
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def behave(self, *manners: str) -> None:
        """Be such a host from now on: crowd/manners.c."""
        for manner in manners:
            self._say(f"manner {manner}")
            said = self._hear("")
            assert said == "ok", f"{manner}: {said}"

    def report(self) -> dict[str, int]:
        """The signals and children that the host has seen."""
        self._say("report")
        pairs = (pair.split("=") for pair in self._hear("").split())
        return {name: int(number) for name, number in pairs}

    def log_in(self, number: int, service: str, user: str, answer: Answer) -> Entry:
        """All calls up to the first that fails; `answer` is called with every prompt."""
        entry = Entry()
        self._say(f"begin {number} {service} {user}")
        while (said := self._hear(str(number))) != "done":
            what, _, rest = said.partition(" ")
            getattr(self, f"_on_{what}")(number, entry, rest, answer)
        return entry

    def _on_ask(self, number: int, entry: Entry, rest: str, answer: Answer) -> None:
        asked = ASK.fullmatch(rest)
        assert asked, rest
        entry.longest_ms = max(entry.longest_ms, int(asked["ms"]))
        text = asked["text"].replace("\v", "\n")
        is_question = asked["style"] in "12"
        (entry.prompts if is_question else entry.told).append(text)
        typed = answer(text) if is_question else None
        self._say(f"{number} 0" if typed is None else f"{number} ={typed}")

    def _on_called(self, number: int, entry: Entry, rest: str, answer: Answer) -> None:
        call, code, ms = rest.split()
        entry.codes[call] = NAMES[int(code)]
        entry.longest_ms = max(entry.longest_ms, int(ms))

    def _on_changed(self, number: int, entry: Entry, rest: str, answer: Answer) -> None:
        entry.changes.append(rest)

    def _say(self, line: str) -> None:
        try:
            with self._lock:
                self._socket.sendall(f"{line}\n".encode())
        except OSError as error:
            raise Ended(f"the host is gone: {error}") from None

    def _hear(self, key: str) -> str:
        try:
            said = self._queue(key).get(timeout=self._patience)
        except queue.Empty:
            raise Ended(f"nothing was heard of login {key!r}") from None
        if said == "gone":
            self._queue(key).put("gone")
            raise Ended(f"the host has ended: {self._output()}")
        return said

    def _queue(self, key: str) -> "queue.SimpleQueue[str]":
        with self._lock:
            return self._heard.setdefault(key, queue.SimpleQueue())

    def _listen(self) -> None:
        """`ask 3 …` is for login 3, `ok` for nobody in particular."""
        with self._socket.makefile("r", encoding="utf-8", errors="backslashreplace", newline="\n") as lines:
            try:
                for line in lines:
                    what, _, rest = line.rstrip("\n").partition(" ")
                    number, _, rest = rest.partition(" ")
                    if what in ("ask", "called", "changed", "done"):
                        self._queue(number).put(f"{what} {rest}".strip() if what == "done" else f"{what} {rest}")
                    else:
                        self._queue("").put(line.rstrip("\n"))
            except OSError:
                pass
        with self._lock:
            waiting = list(self._heard.values())
        for one in waiting:
            one.put("gone")

    def _output(self) -> str:
        """What it had to say for itself; whoever asks first hears all of it."""
        with self._lock:
            if self._process.stdout and not self._process.stdout.closed:
                out, _ = self._process.communicate(timeout=self._patience)
                return f"{self._process.returncode}, {out.decode(errors='backslashreplace')}"
        return f"{self._process.returncode}"

    def quit(self) -> None:
        """End it; it must end well, and have printed nothing."""
        self._socket.shutdown(socket.SHUT_WR)
        out, _ = self._process.communicate(timeout=self._patience)
        assert (out, self._process.returncode) == (b"", 0)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
        self._listener.join(self._patience)
        self._socket.close()


def program(name: str) -> str:
    """One of the programs in crowd/, or the test is skipped."""
    path = variable(name)
    if not path:
        pytest.skip(f"PAM_COGNITO_{name} not set: run `make installcheck`")
    if not os.access(path, os.X_OK):
        pytest.skip(f"{path} is missing: run `make check`")
    return path


@contextmanager
def crowd(build: Build, **environment: str) -> Iterator[Crowd]:
    """A host for as long as the block lasts."""
    running = Crowd(build, environment)
    try:
        yield running
        running.quit()
    finally:
        running.close()
