"""A person at a terminal: reads each prompt, and answers it.

A talk is a list of steps, `(prompt, answer)`. The prompt is the exact text, or a compiled pattern for the whole of it.
The answer is a string, a function that is called while the prompt waits and returns one, HANG_UP or KILLED. Nothing but
prompts may be said before the last answer; what is said after it, is for the test to judge.
"""

import re
import signal
import time
from dataclasses import dataclass, field
from typing import Callable, Sequence, Union

import pexpect

from .build import Build


# As a terminal shows it, perhaps of a program that sets the cursor itself.
LINE_END = r"\r+\n\r*"


class HangUp:
    """The person types the end-of-file character."""


class Killed:
    """The program is killed: `kill -9`."""


HANG_UP = HangUp()
KILLED = Killed()

Given = Union[str, HangUp, Killed]
Answer = Union[Given, Callable[[], Given]]
Step = tuple[Union[str, "re.Pattern[str]"], Answer]


@dataclass
class Prompt:
    """A prompt as it was seen, and what was typed."""

    text: str
    typed: str
    echo: bool


@dataclass
class Talk:
    """How it went. `ending` is what was said after the last answer."""

    prompts: list[Prompt] = field(default_factory=list)
    ending: str = ""
    exit: int | None = None

    @property
    def seen(self) -> str:
        """The screen."""
        lines = [prompt.text + (prompt.typed if prompt.echo else "") + "\n" for prompt in self.prompts]
        return "".join(lines) + self.ending


class Misunderstood(AssertionError):
    """The program did not say what the test expects."""


class Terminal(pexpect.spawn):
    """The end has come when the program has ended: util-linux's login hangs its terminal up first of all, and opens it anew."""

    def read_nonblocking(self, size: int = 1, timeout: float | None = -1) -> str:
        given_up = time.monotonic() + (self.timeout if timeout in (-1, None) else timeout)
        while True:
            try:
                return super().read_nonblocking(size, timeout)
            except pexpect.EOF:
                # Else isalive() would wait for it.
                self.flag_eof = self.ptyproc.flag_eof = False
                if not self.isalive() or time.monotonic() >= given_up:
                    self.flag_eof = True
                    raise
                time.sleep(0.005)


def hold(command: Sequence[str], build: Build, environment: dict[str, str], steps: Sequence[Step]) -> Talk:
    """Run the command at a terminal and go through the steps; Misunderstood where it says something else."""
    child = Terminal(
        command[0],
        list(command[1:]),
        env={**build.host_environment(), **environment},
        timeout=build.patience,
        encoding="utf-8",
        codec_errors="backslashreplace",
        dimensions=(50, 200),
    )
    child.delaybeforesend = None
    child.ptyproc.delayafterclose = 0.01
    talk = Talk()
    try:
        for prompt, answer in steps:
            _step(child, talk, prompt, answer)
        talk.ending = _until_the_end(child, talk)
    finally:
        child.close(force=True)
    talk.exit = child.exitstatus
    return talk


def _step(child: pexpect.spawn, talk: Talk, prompt: Union[str, "re.Pattern[str]"], answer: Answer) -> None:
    found = child.expect([_as_sent(prompt), pexpect.EOF, pexpect.TIMEOUT])
    said = _without_echo(child.before, talk)
    if found != 0 or said:
        rest = child.after if found == 0 else ""
        raise Misunderstood(f"expected the prompt {prompt!r}, not:\n{talk.seen}{said}{rest}")
    talk.prompts.append(Prompt(_as_meant(child.after), "", child.getecho()))
    typed = answer() if callable(answer) else answer
    if isinstance(typed, HangUp):
        child.sendeof()
    elif isinstance(typed, Killed):
        child.kill(signal.SIGKILL)
    else:
        talk.prompts[-1].typed = typed
        child.sendline(typed)


def _as_sent(prompt: Union[str, "re.Pattern[str]"]) -> str:
    """The pattern for what the terminal makes of the prompt."""
    if isinstance(prompt, str):
        return re.escape(prompt).replace("\\\n", LINE_END)
    return prompt.pattern.replace(r"\n", LINE_END)


def _as_meant(said: str) -> str:
    """Without the carriage returns that the terminal adds, and those of ssh, which show nothing."""
    return re.sub(r"^\r+", "", re.sub(r"\r+\n", "\n", said), flags=re.MULTILINE)


def _until_the_end(child: pexpect.spawn, talk: Talk) -> str:
    found = child.expect([pexpect.EOF, pexpect.TIMEOUT])
    said = _without_echo(child.before, talk)
    if found != 0:
        raise Misunderstood(f"expected the end, not:\n{talk.seen}{said}")
    child.wait()
    return said


def _without_echo(said: str, talk: Talk) -> str:
    """What the program said since the last prompt, without the answer that the terminal showed."""
    said = _as_meant(said)
    if not talk.prompts:
        return said
    last = talk.prompts[-1]
    shown = (last.typed if last.echo else "") + "\n"
    return said[len(shown) :] if said.startswith(shown) else said
