"""The grid: whatever is written in a stack, nobody gets in whose code was not confirmed."""

import os
from collections import Counter
from pathlib import Path
from typing import Callable, Iterable, Iterator

import pytest
from grid import edits, shipped, situations
from grid.combinations import CARELESS, combinations
from grid.edits import Edited
from grid.seats import Case, Seats
from grid.shipped import SHIPPED, Shipped
from grid.situations import CODE, First, Situation
from grid.stack import Line, Stack
from grid.survey import Depth, Group, Survey
from harness import accounts, machine
from harness.build import Build
from standin import Standin

pytestmark = [pytest.mark.grid, pytest.mark.uninstrumented]

# A host of one process, and sshd: each login shows both.
PROCESS_MODELS = 2

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


@pytest.fixture
def survey(seats: Seats) -> Survey:
    return Survey(seats)


@pytest.fixture
def whole(request: pytest.FixtureRequest) -> bool:
    """Whether time does not matter."""
    return request.config.getoption("--whole-grid")


@pytest.fixture
def examples(installed: Build) -> Path:
    return installed.srcdir / "pam.d-examples"


def listed(groups: Iterable[Group[Edited]]) -> str:
    """For a failure: what was edited, the stack, the way through it and what happened."""
    return "\n".join(f"{group.members[0]}\n{group}" for group in list(groups)[:5])


# Combinations


def test_combinations(survey: Survey, whole: bool, tell: Tell) -> None:
    cases = [
        (one, Case(one.stack, situation, first))
        for one in combinations()
        for situation in situations.ALL
        for first in one.firsts
    ]
    groups = survey.judge(cases, Depth.EVERY if whole else Depth.WAYS)
    opened = [(one, group) for group in groups if group.unconfirmed for one in group.members]
    unguarded = [one for one, _ in opened if one.guard == "none"]
    tell(
        f"grid: {PROCESS_MODELS * len(cases)} combinations, "
        f"{PROCESS_MODELS * (len(opened) - len(unguarded))} granted unconfirmed with the guard, "
        f"{PROCESS_MODELS * len(unguarded)} without it; {survey.made} logins"
    )
    assert PROCESS_MODELS * len(cases) >= 26460
    guarded = [group for one, group in opened if one.guard != "none"]
    assert not guarded, "\n".join(map(str, guarded[:5]))
    # Without it the companion's verdict has to count, or the code line must not be passed over.
    assert not [one for one in unguarded if one.confirm not in CARELESS]
    assert not [one for one in unguarded if one.code in ("required", "requisite")]


# What ships


def expected_of(one: Shipped, first: First, situation: Situation) -> bool:
    """Whether this login is to succeed. The blocks differ in what they make of those who need no code."""
    sole = one.includes == "cognito-login"
    if first.proof is None and not sole:
        return False
    passes = situation is situations.SIGNED_IN if sole else situation.passes
    return situation is situations.RIGHT or passes


@pytest.mark.parametrize("one", SHIPPED, ids=str)
def test_as_shipped(survey: Survey, examples: Path, one: Shipped) -> None:
    """A right code lets in, in both process models, and nothing else does but what the documents name."""
    stack = one.stack(examples)
    cases = [(expected_of(one, *of), Case(stack, of[1], of[0])) for of in one.ways_in()]
    groups = survey.judge(cases, Depth.EVERY)
    for group in groups:
        assert group.outcome
        assert group.outcome.let_in == group.members[0], group
        assert group.outcome.granted == group.members[0], group


# Edits


def cases_of(edited: Iterable[Edited], one: Shipped) -> Iterator[tuple[Edited, Case]]:
    return ((edit, Case(edit.stack, situation, first)) for edit in edited for first, situation in one.ways_in())


def touches_guard(edited: Edited) -> bool:
    return any((line.phase, line.module) == ("account", CODE) for line in edited.touched)


def is_ours(line: Line) -> bool:
    return line.module.startswith(("pam_cognito_", "cognito-"))


def requires(stack: Stack) -> bool:
    """Whether the guard denies also where no code step ran."""
    guards = [line for line in stack.by_name[stack.service] if (line.phase, line.module) == ("account", CODE)]
    return "require" in guards[0].arguments


NO_CODE_STEP = "no code step, which only `require` sees"
GUARD_TOO = "the guard was edited too, or something was put before it"
FIRST_FACTOR = "who needs no code needs no first factor either: its own lines were edited"


def why_open(edited: Edited, group: Group[Edited], stack: Stack) -> str:
    """What opened it; nothing for what must not happen."""
    assert group.expected
    if not group.expected.code_step and not requires(stack):
        return NO_CODE_STEP
    if group.case.situation.passes and not group.expected.first_factor and not all(map(is_ours, edited.touched)):
        return FIRST_FACTOR
    if len(edited.edits) > 1 and (touches_guard(edited) or not group.expected.guarded):
        return GUARD_TOO
    return ""


def judge_edits(survey: Survey, tell: Tell, one: Shipped, stack: Stack, edited: list[Edited], depth: Depth) -> list[Group[Edited]]:
    """The guard as it ships stands in the way of all of them, or it is known why not."""
    made = survey.made
    groups = survey.judge(cases_of(edited, one), depth)
    combinations = PROCESS_MODELS * sum(len(group.members) for group in groups)
    opened = {edit.stack: why_open(edit, group, stack) for group in groups if group.unconfirmed for edit in group.members}
    told = [f"{count} ({why})" for why, count in Counter(opened.values()).items()]
    tell(
        f"grid: {one}: {len(edited)} {'double' if len(edited[0].edits) > 1 else 'single'} edits, {combinations} combinations, "
        f"granted unconfirmed after {', '.join(told) or '0'}, without the guard after {len(unguarded(groups))}; "
        f"{survey.made - made} logins, the others as foretold"
    )
    assert "" not in opened.values(), listed(
        group for group in groups if group.unconfirmed and not all(why_open(edit, group, stack) for edit in group.members)
    )
    return groups


def unguarded(groups: Iterable[Group[Edited]]) -> set[Stack]:
    """The edited stacks that would let somebody in unconfirmed if nobody looked at the account part."""
    return {edit.stack for group in groups if group.unguarded for edit in group.members}


@pytest.mark.parametrize("one", SHIPPED, ids=str)
def test_single_edits(survey: Survey, examples: Path, tell: Tell, whole: bool, one: Shipped) -> None:
    stack = one.stack(examples)
    judge_edits(survey, tell, one, stack, edits.single(stack), Depth.EVERY if whole else Depth.WAYS)


@pytest.mark.parametrize("one", SHIPPED, ids=str)
def test_double_edits(survey: Survey, examples: Path, tell: Tell, whole: bool, one: Shipped) -> None:
    stack = one.stack(examples)
    judge_edits(survey, tell, one, stack, edits.double(stack), Depth.WAYS if whole else Depth.ENTRIES)


@pytest.mark.parametrize("one", shipped.BLOCKS, ids=str)
def test_edits_of_a_block(survey: Survey, examples: Path, tell: Tell, whole: bool, one: Shipped) -> None:
    """The block alone, in the smallest service; the guard is as the block's comment has it. Of the edits of contract.md
    one opens nothing, be there a guard or not, and two open nothing while there is one."""
    stack = one.stack(examples)
    for make in (edits.single, edits.double):
        edited = make(stack, files=[one.name])
        groups = judge_edits(survey, tell, one, stack, edited, Depth.EVERY if whole else Depth.WAYS)
        few = {edit.stack for edit in make(stack, edits.FEW, [one.name])}
        tell(f"grid: {one}: of these, the {len(few)} of contract.md: without the guard after {len(few & unguarded(groups))}")
        assert not few - {edit.stack for edit in edited}
        assert not few & {edit.stack for group in groups if group.unconfirmed for edit in group.members}
        assert make is edits.double or not few & unguarded(groups)
