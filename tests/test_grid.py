"""The grid: whatever is written in a stack, nobody gets in whose code was not confirmed."""

import os
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Callable, Iterable, Iterator

import pytest
from grid import edits, situations
from grid.checker import Checker
from grid.combinations import CARELESS, combinations
from grid.edits import Edited
from grid.seats import Case, Seats
from grid.shipped import BLOCKS, SHIPPED, Shipped
from grid.situations import CODE, First, Situation
from grid.stack import Line, Stack
from grid.survey import Depth, Group, Survey
from harness import accounts, machine
from harness.build import Build
from standin import Standin

pytestmark = [pytest.mark.grid, pytest.mark.uninstrumented]

# A host of one process, and sshd: each login shows both.
PROCESS_MODELS = 2

STACKS = [*SHIPPED, *BLOCKS]

Tell = Callable[[str], None]


@pytest.fixture(scope="module")
def seats(installed: Build) -> Iterator[Seats]:
    program = os.environ.get("PAM_COGNITO_GRID_HOST", "")
    if not os.access(program, os.X_OK):
        pytest.skip("PAM_COGNITO_GRID_HOST is missing: run `make installcheck`")
    with Standin(machine.GROUND / "grid") as standin:
        made = Seats(installed, standin, Path(program))
        with accounts.groups({situations.EXEMPT_GROUP: made.members}):
            yield made
            made.end()


@pytest.fixture(scope="module")
def examples(installed: Build) -> Path:
    return installed.srcdir / "pam.d-examples"


def shown(groups: Iterable[Group[object]]) -> str:
    """For a failure: what was edited, the stack, the way through it and what happened."""
    return "\n".join(f"{group.members[0]}\n{group}" for group in list(groups)[:5])


# Combinations


def test_combinations(seats: Seats, everything: bool, tell: Tell) -> None:
    cases = [
        (one, Case(one.stack, situation, first))
        for one in combinations()
        for situation in situations.ALL
        for first in one.firsts
    ]
    survey = Survey(seats)
    groups = survey.judge(cases, Depth.EVERY if everything else Depth.WAYS)
    opened = [(one, group) for group in groups if group.unconfirmed for one in group.members]
    guarded = [group for one, group in opened if one.guard != "none"]
    unguarded = [one for one, _ in opened if one.guard == "none"]
    tell(
        f"grid: {PROCESS_MODELS * len(cases)} combinations, {PROCESS_MODELS * len(guarded)} granted unconfirmed with the guard, "
        f"{PROCESS_MODELS * len(unguarded)} without it; {survey.made} logins, the others as foretold"
    )
    assert PROCESS_MODELS * len(cases) >= 26460
    assert not guarded, shown(guarded)
    # Without it the companion's verdict has to count, or the code line must not be passed over.
    assert not [one for one in unguarded if one.confirm not in CARELESS]
    assert not [one for one in unguarded if one.code in ("required", "requisite")]


# What ships


def should_succeed(one: Shipped, first: First, situation: Situation) -> bool:
    """The blocks differ in what they make of those who need no code."""
    sole = one.includes == "cognito-login"
    if first.proof is None and not sole:
        return False
    passes = situation is situations.SIGNED_IN if sole else situation.passes
    return situation is situations.RIGHT or passes


@pytest.mark.parametrize("one", STACKS, ids=str)
def test_as_shipped(seats: Seats, examples: Path, one: Shipped) -> None:
    """A right code lets in, in both process models, and nothing else does but what the documents name."""
    stack = one.stack(examples)
    cases = [(should_succeed(one, *way), Case(stack, way[1], way[0])) for way in one.ways_in()]
    for group in Survey(seats).judge(cases, Depth.EVERY):
        assert group.outcome
        assert group.outcome.let_in == group.members[0], group
        assert group.outcome.granted == group.members[0], group


# Edits


@dataclass
class Edits:
    """What came of the edits of one stack."""

    edited: list[Edited]
    groups: list[Group[Edited]]
    made: int

    @property
    def opened(self) -> list[tuple[Edited, Group[Edited]]]:
        """Those that let somebody in unconfirmed."""
        return [(edit, group) for group in self.groups if group.unconfirmed for edit in group.members]

    @property
    def unguarded(self) -> dict[Stack, Group[Edited]]:
        """The stacks that would, if nobody looked at the account part."""
        return {edit.stack: group for group in self.groups if group.unguarded for edit in group.members}


class Judge:
    """Makes the logins of each stack's edits, once for all tests."""

    def __init__(self, seats: Seats, examples: Path, everything: bool) -> None:
        self._seats, self._examples, self._everything = seats, examples, everything

    @cache
    def single(self, one: Shipped) -> Edits:
        edited = edits.single(one.stack(self._examples), files=one.edited)
        return self._edits(one, edited, Depth.EVERY if self._everything else Depth.WAYS)

    @cache
    def double(self, one: Shipped) -> Edits:
        edited = edits.double(one.stack(self._examples), files=one.edited)
        return self._edits(one, edited, Depth.WAYS if self._everything or one in BLOCKS else Depth.ENTRIES)

    def _edits(self, one: Shipped, edited: list[Edited], depth: Depth) -> Edits:
        survey = Survey(self._seats)
        ways = list(one.ways_in())
        cases = ((edit, Case(edit.stack, situation, first)) for edit in edited for first, situation in ways)
        return Edits(edited, survey.judge(cases, depth), survey.made)


@pytest.fixture(scope="module")
def judge(seats: Seats, examples: Path, everything: bool) -> Judge:
    return Judge(seats, examples, everything)


def is_guard(line: Line) -> bool:
    return (line.phase, line.module) == ("account", CODE)


def is_ours(line: Line) -> bool:
    return line.module.startswith(("pam_cognito_", "cognito-"))


NO_CODE_STEP = "no code step, which only `require` sees"
GUARD_TOO = "the guard was edited too, or something was put before it"
FIRST_FACTOR = "who needs no code needs no first factor either: its own lines were edited"


def why_open(one: Shipped, stack: Stack, edited: Edited, group: Group[Edited]) -> str:
    """What opened it; nothing for what must not happen."""
    guard = next(filter(is_guard, stack.by_name[one.service]))
    assert group.expected
    if not group.expected.code_step and "require" not in guard.arguments:
        return NO_CODE_STEP
    if group.case.situation.passes and not group.expected.first_factor and not all(map(is_ours, edited.touched)):
        return FIRST_FACTOR
    if len(edited.edits) > 1 and (any(map(is_guard, edited.touched)) or not group.expected.guarded):
        return GUARD_TOO
    return ""


def check_edits(one: Shipped, stack: Stack, found: Edits, tell: Tell) -> None:
    """The guard as it ships stands in the way of all of them, or it is known why not."""
    reasons = {edit.stack: why_open(one, stack, edit, group) for edit, group in found.opened}
    told = ", ".join(f"{count} ({why})" for why, count in Counter(reasons.values()).items())
    count = PROCESS_MODELS * sum(len(group.members) for group in found.groups)
    tell(
        f"grid: {one}: {len(found.edited)} {'double' if len(found.edited[0].edits) > 1 else 'single'} edits, {count} combinations, "
        f"granted unconfirmed after {told or '0'}, without the guard after {len(found.unguarded)}; {found.made} logins, "
        "the others as foretold"
    )
    unknown = [group for edit, group in found.opened if not why_open(one, stack, edit, group)]
    assert not unknown, shown(unknown)


@pytest.mark.parametrize("one", STACKS, ids=str)
def test_single_edits(judge: Judge, examples: Path, tell: Tell, one: Shipped) -> None:
    check_edits(one, one.stack(examples), judge.single(one), tell)


@pytest.mark.parametrize("one", STACKS, ids=str)
def test_double_edits(judge: Judge, examples: Path, tell: Tell, one: Shipped) -> None:
    check_edits(one, one.stack(examples), judge.double(one), tell)


@pytest.mark.parametrize("one", BLOCKS, ids=str)
def test_edits_of_contract_md(judge: Judge, examples: Path, tell: Tell, one: Shipped) -> None:
    """One of these opens nothing, be there a guard or not, and two open nothing while there is one."""
    stack = one.stack(examples)
    single = {edit.stack for edit in edits.single(stack, edits.FEW, one.edited)}
    double = {edit.stack for edit in edits.double(stack, edits.FEW, one.edited)}
    opened = {edit.stack for found in (judge.single(one), judge.double(one)) for edit, _ in found.opened}
    unguarded = {*judge.single(one).unguarded, *judge.double(one).unguarded}
    tell(
        f"grid: {one}: the {len(single)} and {len(double)} edits of contract.md: granted unconfirmed after "
        f"{len(opened & (single | double))}, without the guard after {len(unguarded & single)} and {len(unguarded & double)}"
    )
    assert not opened & (single | double)
    assert not unguarded & single


# The checker


@pytest.fixture(scope="module")
def checker(installed: Build) -> Iterator[Checker]:
    made = Checker(installed, machine.GROUND / "grid-checker")
    yield made
    made.end()


@pytest.mark.parametrize("one", STACKS, ids=str)
def test_checker_passes_what_ships(checker: Checker, examples: Path, one: Shipped) -> None:
    stack = one.stack(examples)
    assert checker.flags(one, [stack]) == {stack: False}


@pytest.mark.parametrize("number", ["single", "double"])
@pytest.mark.parametrize("one", STACKS, ids=str)
def test_checker_flags_what_opens(checker: Checker, judge: Judge, tell: Tell, one: Shipped, number: str) -> None:
    """Whatever could let somebody in, even if the guard stood in the way."""
    found: Edits = getattr(judge, number)(one)
    flagged = checker.flags(one, found.unguarded)
    missed = {stack: group for stack, group in found.unguarded.items() if not flagged[stack]}
    tell(f"grid: {one}: the checker flags {len(flagged) - len(missed)} of {len(flagged)} {number} edits that could open")
    assert not missed, "\n".join(f"{stack}{group}" for stack, group in list(missed.items())[:5])


@pytest.mark.parametrize("one", STACKS, ids=str)
def test_checker_flags_what_locks_out(checker: Checker, seats: Seats, examples: Path, tell: Tell, one: Shipped) -> None:
    """Whatever, in our lines, keeps a right code out after every first factor, in one process or in sshd. What the modules
    of others say the checker cannot know, nor whether they are there."""
    edited = edits.single(one.stack(examples), files=one.edited)
    firsts = [first for first in one.firsts if should_succeed(one, first, situations.RIGHT)]
    if situations.KEY in firsts:
        firsts.append(situations.KEY_AND_PASSWORD)
    cases = [(edit, Case(edit.stack, situations.RIGHT, first)) for edit in edited for first in firsts]
    groups = Survey(seats).judge(cases, Depth.EVERY)
    let_in = {edit.stack for group in groups if group.outcome and group.outcome.let_in for edit in group.members}
    locked = {edit.stack: edit for edit in edited if edit.stack not in let_in}
    flagged = checker.flags(one, locked)
    missed = [edit for stack, edit in locked.items() if not flagged[stack]]
    others = [edit for edit in missed if not any(map(is_ours, edit.touched))]
    tell(
        f"grid: {one}: the checker flags {len(locked) - len(missed)} of {len(locked)} single edits that lock everybody out; "
        f"of the others {len(others)} are in lines of other modules"
    )
    assert missed == others, "\n".join(str(edit) for edit in missed if edit not in others)
