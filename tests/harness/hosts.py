"""The other end of host.py: drives a host process of our own where pamtester cannot do what a test needs."""

import json
import selectors
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence, Union

from .build import Build
from .codes import NAMES
from .stage import SERVICE, SOLE, Stage, Value, Watched

PROGRAM = Path(__file__).with_name("host.py")

PAM_USER = 2
PAM_TTY = 3
PAM_RHOST = 4


class ConversationFails:
    """The application cannot ask."""


CONVERSATION_FAILS = ConversationFails()

Answer = Union[str, None, ConversationFails]
Answers = Sequence[Union[Answer, Callable[[], Answer]]]


def _environment(build: Build) -> dict[str, str]:
    """As other hosts have it. Python itself never frees all that it has taken, so nobody looks for leaks here."""
    environment = build.host_environment()
    options = [*filter(None, [environment.get("ASAN_OPTIONS")]), "detect_leaks=0"]
    return {**environment, "ASAN_OPTIONS": ":".join(options), "PYTHONDONTWRITEBYTECODE": "1"}


# What the helper of a pending code may keep in the host from one call to the next.
KEPT = ("socket:", "anon_inode:[pidfd]")


def check_guest(before: dict[str, Any], after: dict[str, Any]) -> None:
    """A call has left the process as it was, but for the descriptors of a helper that waits, or has waited."""
    others = set(before["descriptors"].items()) ^ set(after["descriptors"].items())
    assert all(what.startswith(KEPT) for _, what in others), others
    assert {**after, "descriptors": {}} == {**before, "descriptors": {}}


class Host:
    """A running host process with a PAM handle. `prompts` are all messages it was given, with their style;
    `environments` the PAM environment at each of them."""

    compared = 0  # calls before and after which the process was looked at, by all hosts of the run
    _before: dict[str, Any]

    def __init__(self, stage: Stage, user: str, watched: Watched) -> None:
        self.watched = watched
        self.prompts: list[tuple[int, str]] = []
        self.environments: list[list[str]] = []
        self.typed: list[str] = []
        self._patience = stage.build.patience
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(stage.build),
            text=True,
            errors="surrogateescape",
        )
        self._user = user

    def start(self) -> None:
        """pam_start."""
        self._order("open_log")
        self._before = self.state()
        assert self._order("start", SERVICE, self._user)["code"] == 0

    @property
    def pid(self) -> int:
        return self._process.pid

    def call(self, name: str, answers: Answers = (), all_used: bool = True) -> str:
        """A call of libpam, by its name without pam_; the answers are for its prompts, in order. The code's name.

        The process must be as before after it, whatever comes of it.
        """
        left = list(answers)
        before = self.state()
        code = self._order(name, answers=left)["code"]
        after = self.state()
        check_guest(before, after)
        if name == "authenticate" and NAMES[code] not in ("PAM_SUCCESS", "PAM_CRED_INSUFFICIENT"):
            # After a failure no helper waits for anything.
            assert after["descriptors"].items() <= self._before["descriptors"].items()
        Host.compared += 1
        assert not (left and all_used), f"never asked for: {left}"
        return NAMES[code]

    def set_item(self, item: int, value: str) -> None:
        assert self._order("set_item", item, value)["code"] == 0

    def putenv(self, pair: str) -> None:
        """pam_putenv, as an earlier module may call it."""
        assert self._order("putenv", pair)["code"] == 0

    def pam_environment(self) -> list[str]:
        """pam_getenvlist."""
        return self._order("pam_environment")["value"]

    def end(self) -> None:
        """pam_end. Nothing is left then of what the modules had in the process."""
        assert self._order("end", 0)["code"] == 0
        assert self.state() == self._before

    def state(self) -> dict[str, Any]:
        return self._order("state")["state"]

    def do(self, what: str, *arguments: str) -> Any:
        """A method of host.py's Manners."""
        return self._order(what, *arguments)["value"]

    def expect_death(self, number: int) -> None:
        """The test has killed it."""
        assert self._process.wait(self._patience) == -number

    def quit(self) -> None:
        """End the process, which must not have said anything on its own."""
        if self._process.poll() is not None:
            return
        out, err = self._process.communicate('{"order": "quit", "arguments": []}\n', self._patience)
        assert (out, err, self._process.returncode) == ("", "", 0)

    def kill(self) -> None:
        """End the process if it is still there, as a test that fails leaves it."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def _order(self, name: str, *arguments: Any, answers: list[Any] | None = None) -> dict[str, Any]:
        self._write({"order": name, "arguments": arguments})
        while "prompt" in (heard := self._read()):
            self.environments.append(heard["environment"])
            self._answer(heard["prompt"], [] if answers is None else answers)
        return heard

    def _answer(self, messages: list[tuple[int, str]], answers: list[Any]) -> None:
        self.prompts += [(style, text) for style, text in messages]
        given = [self._one_answer(style, text, answers) for style, text in messages]
        self.typed += [answer for answer in given if isinstance(answer, str)]
        if any(isinstance(answer, ConversationFails) for answer in given):
            self._write({"code": NAMES.index("PAM_CONV_ERR")})
        else:
            self._write({"code": 0, "answers": given})

    def _one_answer(self, style: int, text: str, answers: list[Any]) -> Any:
        if style > 2:  # PAM_ERROR_MSG, PAM_TEXT_INFO
            return None
        assert answers, f"unexpected prompt {text!r}"
        answer = answers.pop(0)
        return answer() if callable(answer) else answer

    def _write(self, what: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        """The next line; the host says one at a time, so nothing waits in the buffer."""
        assert self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            assert selector.select(self._patience), "the host says nothing"
        line = self._process.stdout.readline()
        if not line:
            _, err = self._process.communicate()
            raise AssertionError(f"the host ended with {self._process.returncode}: {err}")
        return json.loads(line)


class Hosts:
    """`with hosts(stack=..., key=value, ...) as host:` is a host process for as long as the block lasts."""

    def __init__(self, stage: Stage, user: str) -> None:
        self.stage = stage
        self.user = user

    @contextmanager
    def __call__(self, *, stack: str = SOLE, **config: Value) -> Iterator[Host]:
        """Afterwards it has ended, and `host.watched` tells what was logged."""
        self.stage.write_config(**config)
        self.stage.write_stack(stack)
        with self.stage.watched() as watched:
            host = Host(self.stage, self.user, watched)
            try:
                yield host
                host.quit()
            finally:
                host.kill()
            watched.typed = host.typed
