"""Which way libpam takes through a stack: the lines that it calls, and what it does about what each of them returns.

This is what the manual pages promise (pam.conf(5), pam.d(5)), written down a second time: logins whose ways are the same
need to be made only once, for of everything that is written in a stack libpam has seen the same. Each login that is made
has to end as this says.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Callable, NamedTuple, Union

from .stack import AT_INCLUDE, OTHER, Line, Stack

Action = Union[str, int]

# What a word stands for: pam.d(5).
WORDS = {
    "required": "success=ok new_authtok_reqd=ok ignore=ignore default=bad",
    "requisite": "success=ok new_authtok_reqd=ok ignore=ignore default=die",
    "sufficient": "success=done new_authtok_reqd=done default=ignore",
    "optional": "success=ok new_authtok_reqd=ok default=ignore",
}

MUST_FAIL = "perm_denied"

# What libpam puts in the place of a file that it does not find.
MISSING = Line("", "", "(missing file)")


class NotModelled(Exception):
    """A stack on which the manual pages are silent."""


class Unreadable(Exception):
    """A file that is missing and that the service itself wants: pam_start() fails."""


@dataclass(frozen=True)
class Handler:
    """A line as libpam keeps it. Lines of a substack have a higher level; a substack begins with one without a module."""

    level: int
    control: str
    line: Line | None

    def action(self, result: str) -> Action:
        """What to do when it returns this. A value that no token names and no default covers is bad."""
        actions = _actions(self.control)
        return actions.get(result, actions.get("default", "bad"))


@cache
def _actions(control: str) -> dict[str, Action]:
    pairs = (token.split("=") for token in WORDS.get(control, control.strip("[]")).split())
    return {value: int(action) if action.isdecimal() else action for value, action in pairs}


class Step(NamedTuple):
    """A line was called, returned this, and that was done. A jump that has nowhere to go is an error."""

    level: int
    module: str
    arguments: tuple[str, ...]
    result: str
    action: Action

    def __str__(self) -> str:
        return f"{' '.join((self.module, *self.arguments))}: {self.result} -> {self.action}"


class Way(NamedTuple):
    """All steps of a call, and what the application gets."""

    steps: tuple[Step, ...]
    result: str


def handlers(stack: Stack, phase: str) -> list[Handler]:
    """The lines of one phase, with those that they include."""
    if phase not in stack.chains:
        stack.chains[phase] = _of_file(stack, stack.service, phase, 0) or _of_file(stack, OTHER, phase, 0)
    return stack.chains[phase]


def _of_file(stack: Stack, file: str, phase: str, level: int) -> list[Handler]:
    found: list[Handler] = []
    if file not in stack.by_name:
        return [Handler(level, "", MISSING)]
    for line in stack.by_name[file]:
        if line.type == AT_INCLUDE:
            if line.module not in stack.by_name:
                raise Unreadable(line.module)
            found += _of_file(stack, line.module, phase, level)
        elif line.phase != phase:
            continue
        elif line.control == "include":
            found += _of_file(stack, line.module, phase, level)
        elif line.control == "substack":
            found.append(Handler(level, "", None))
            found += _of_file(stack, line.module, phase, level + 1)
        else:
            found.append(Handler(level, line.control, line))
    return found


@dataclass
class _Verdict:
    """What is decided so far; impressions are "", "good" and "bad"."""

    impression: str = ""
    status: str = MUST_FAIL


def dispatch(chain: list[Handler], call: Callable[[Line], str]) -> Way:
    """Go through the lines; `call` says what a module returns."""
    verdict = _Verdict()
    entered: dict[int, _Verdict] = {0: _Verdict()}
    steps: list[Step] = []
    at = 0
    level = 0
    while at < len(chain):
        handler = chain[at]
        if handler.level > level:
            entered[handler.level] = replace(verdict)
        level = handler.level
        if handler.line is not None:
            result = MUST_FAIL if handler.line is MISSING else call(handler.line)
            action = handler.action(result)
            left = None if isinstance(action, str) else _jump_end(chain, at, action)
            if isinstance(action, int) and left is None:
                action = "nowhere"
            steps.append(Step(level, handler.line.module, handler.line.arguments, result, action))
            if left is not None:
                at = left
            elif _decide(verdict, entered[level], action, result):
                at = _last_of_level(chain, at)
        at += 1
    if verdict.status == "success" and verdict.impression != "good":
        verdict.status = MUST_FAIL
    return Way(tuple(steps), verdict.status)


def _decide(verdict: _Verdict, entered: _Verdict, action: Action, result: str) -> bool:
    """Take an action that is no jump. True when nothing more of this stack or substack is called."""
    if action == "reset":
        verdict.impression, verdict.status = entered.impression, entered.status
    elif action in ("ok", "done"):
        if verdict.impression == "" or (verdict.impression == "good" and verdict.status == "success"):
            verdict.impression, verdict.status = "good", result
        return action == "done" and verdict.impression == "good"
    elif action in ("bad", "die"):
        if verdict.impression != "bad":
            verdict.impression, verdict.status = "bad", MUST_FAIL if result == "ignore" else result
        return action == "die"
    elif action == "nowhere":
        verdict.impression, verdict.status = "bad", MUST_FAIL
    elif action != "ignore":
        raise NotModelled(f"action {action}")
    return False


def _last_of_level(chain: list[Handler], at: int) -> int:
    """The last line of the stack or substack that this one is in, with all beneath it."""
    level = chain[at].level
    while at + 1 < len(chain) and chain[at + 1].level >= level:
        at += 1
    return at


def _jump_end(chain: list[Handler], at: int, count: int) -> int | None:
    """Where a jump ends, before the line that is next; None if there are not so many lines. A substack counts as one."""
    level = chain[at].level
    for _ in range(count):
        if at + 1 >= len(chain) or chain[at + 1].level < level:
            return None
        at += 1
        while at + 1 < len(chain) and chain[at + 1].level > level:
            at += 1
    return at
